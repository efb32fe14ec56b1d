"""Expression → plain text, Unicode or LaTeX, from one table of templates.

How an operation is written is data: a `Notation` row gives a template per style and how tightly the result binds. A
template names its arguments, each with the binding it needs to stand without parentheses:

    "{0:10} + {1:11}"      argument 0 may be a sum, argument 1 must bind tighter than a sum
    "tanh({0})"            no parentheses ever needed
    "concat({*})"          all arguments, separated by commas
    "{0:50}{1^}"           argument 1 raised: digits as superscripts, anything else as ^(…)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from bptt_tui.language.expressions import Call, Expression, Name, Number
from bptt_tui.language.labels import Style, label, latex_label, superscript

SUM, PRODUCT, UNARY, POWER, ATOM = 10, 20, 30, 40, 50

_SLOT = re.compile(r"\{(\d|\*)(?::(\d+)|(\^))?\}")


class Notation(Struct, frozen=True):
    """How one operation is written, and how tightly the written form binds. LaTeX may bind otherwise (\\frac)."""

    plain: str
    unicode: str
    latex: str
    binds: int = ATOM
    latex_binds: int | None = None

    def template(self, style: Style) -> tuple[str, int]:
        if style == "latex":
            return self.latex, self.binds if self.latex_binds is None else self.latex_binds
        return (self.plain if style == "plain" else self.unicode), self.binds


def number_text(value: float, style: Style) -> str:
    """A literal as short as it can be read back; a Unicode or LaTeX exponent is written with a power of ten."""
    text = repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if style == "unicode":
        return text.replace("-", "−")
    if style == "latex" and "e" in text:
        mantissa, exponent = text.split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return text


class Printer:
    """Prints expressions in one style. `notations` is the calculus table's column, `leaf` writes a name."""

    def __init__(
        self,
        notations: Mapping[str, Notation],
        style: Style = "plain",
        leaf: Callable[[Name], str] | None = None,
    ) -> None:
        self._notations = notations
        self._style: Style = style
        self._leaf = leaf or self._indexed

    def print(self, expression: Expression) -> str:
        """The expression as text."""
        return self._print(expression)[0]

    def _indexed(self, name: Name) -> str:
        """A name as an equation has it: `s[t-1]`, sₜ₋₁."""
        if name.offset is None:
            return label(name.name, None, self._style)
        shift = f"{name.offset:+d}" if name.offset else ""
        if self._style == "plain":
            return f"{name.name}[t{shift}]"
        if self._style == "unicode":
            return f"{name.name}ₜ{shift.translate(str.maketrans('0123456789+-', '₀₁₂₃₄₅₆₇₈₉₊₋'))}"
        return latex_label(name.name, f"t{shift}")

    def _print(self, expression: Expression) -> tuple[str, int]:
        if isinstance(expression, Number):
            text = number_text(expression.value, self._style)
            return text, UNARY if text[:1] in "-−" else ATOM
        if isinstance(expression, Name):
            # A negative number put in for a name is bracketed as on paper: 0.8·(-1), 0.4 + (-0.8).
            text = self._leaf(expression)
            return text, SUM if text[:1] in "-−" else ATOM
        return self._call(expression)

    def _call(self, call: Call) -> tuple[str, int]:
        template, binds = self._notations[call.operation].template(self._style)

        def fill(slot: re.Match[str]) -> str:
            if slot[1] == "*":
                return ", ".join(self._print(argument)[0] for argument in call.arguments)
            text, tightness = self._print(call.arguments[int(slot[1])])
            if slot[3]:
                return self._raised(text)
            return self._bracket(text) if slot[2] and tightness < int(slot[2]) else text

        return _SLOT.sub(fill, template), binds

    def _bracket(self, text: str) -> str:
        return rf"\left({text}\right)" if self._style == "latex" else f"({text})"

    @staticmethod
    def _raised(text: str) -> str:
        digits = text.replace("−", "-")
        if re.fullmatch(r"-?\d+", digits):
            return superscript(digits)
        return f"^{text}" if re.fullmatch(r"\w+", text) else f"^({text})"
