"""Formulas as text, in Unicode, plain characters or LaTeX, with no more brackets than reading them back needs.

    write(formula, network)                ∂E/∂o·∂o/∂q·v·(1 − s₁²)
    write(formula, network, "plain")       dE/do * do/dq * v * (1 - s[1]**2)
    write(formula, network, "latex")       \\frac{\\partial E}{\\partial o} \\, …

What is written reads back as the same tree: `read_formula(write(formula, network, style), network)`, up to places.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from bptt_tui.derivation.formulas.parts import array_text, bare, moment_text, walk
from bptt_tui.derivation.formulas.reach import factors_of, reach
from bptt_tui.derivation.formulas.reader import read_formula
from bptt_tui.derivation.formulas.scope import Scope, Traced
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Matrix,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Statement,
    Sum,
    Time,
    Transpose,
    Value,
)
from bptt_tui.errors import FormulaError
from bptt_tui.language import label
from bptt_tui.language.labels import Style, latex_label, subscript, superscript

if TYPE_CHECKING:
    from bptt_tui.network import Unrolled
    from bptt_tui.session import Session

# How tightly a written form binds.
SUM, HADAMARD, PRODUCT, PARTIAL, POWER, ATOM = 10, 15, 20, 30, 40, 50

_LOWERED = str.maketrans("0123456789-+aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₋₊ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_CAN_BE_LOWERED = re.compile(r"[aehijklmnoprstuvx]?(?:(?:^|(?<=\w)[+-])\d+)?|-\d+")
_JOINS = {
    "as it fits": {"unicode": "·", "plain": " * ", "latex": r" \, "},
    "matrix": {"unicode": " @ ", "plain": " @ ", "latex": " @ "},
    "elementwise": {"unicode": " ⊙ ", "plain": " .* ", "latex": r" \odot "},
}
_LATEX_FUNCTIONS = frozenset({"tanh", "exp", "log"})


class _Text(NamedTuple):
    """A written part: how tightly it binds, and whether a sum at its end would take in what follows."""

    text: str
    binds: int = ATOM
    open: bool = False


def write(formula: Formula, network: Unrolled | Session | Traced | Scope, style: Style = "unicode") -> str:
    """The formula as text."""
    return Writer(network, style).write(formula)


def write_statement(
    statement: Statement, network: Unrolled | Session | Traced | Scope, style: Style = "unicode"
) -> str:
    """The whole chain of equalities."""
    writer = Writer(network, style)
    marked = any(isinstance(part, Partial) and part.reading for member in statement.members for part in walk(member))
    return " = ".join(writer.write(member, marked=marked) for member in statement.members)


class Writer:
    """Writes formulas about one network in one style; remembers how its names are spelled."""

    def __init__(self, network: Unrolled | Session | Traced | Scope, style: Style = "unicode") -> None:
        self.scope = Scope.of(network)
        self.style: Style = style
        self._spelled: dict[Formula, str] = {}
        self._marked = False
        self._variables: tuple[str, ...] = ()

    def write(self, formula: Formula, *, marked: bool | None = None) -> str:
        """The formula as text. `marked`: ∂ and d are told apart in what it belongs to."""
        own = any(isinstance(part, Partial) and part.reading for part in walk(formula))
        self._marked = own if marked is None else marked
        self._variables = ()
        return self._write(formula).text

    # --- pieces ----------------------------------------------------------------------------------------------------

    def _bracket(self, text: str) -> str:
        return rf"\left({text}\right)" if self.style == "latex" else f"({text})"

    def _at_least(self, formula: Formula, binds: int, *, last: bool = True) -> str:
        written = self._write(formula)
        if written.binds < binds or (written.open and not last):
            return self._bracket(written.text)
        return written.text

    def _write(self, formula: Formula) -> _Text:
        kind = type(formula).__name__.lower()
        written: _Text = getattr(self, f"_{kind}")(formula)
        return written

    def _number(self, number: Number) -> _Text:
        value = number.value
        text = repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
        if self.style == "latex" and "e" in text:
            mantissa, exponent = text.split("e")
            text = rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return _Text(text, SUM if text.startswith("-") else ATOM)

    def _time(self, time: Time) -> _Text:
        return _Text(moment_text(time.t), SUM if time.t.variable and time.t.offset else ATOM)

    def _value(self, value: Value) -> _Text:
        key = bare(value)
        if key not in self._spelled:
            self._spelled[key] = self._spell(value)
        return _Text(self._spelled[key])

    def _spell(self, value: Value) -> str:
        """The name with its index, in the first form that reads back as this very value."""
        name, t = value.name, value.t
        forms: list[str] = []
        if t is None or (not t.variable and self._goes_bare(name, t.offset)):
            forms.append(label(name, None, self.style))
        if t is not None:
            forms += self._with_index(name, t)
        if self.style == "latex":
            escaped = name.replace("_", r"\_")
            forms.append(rf"\mathrm{{{escaped}}}" + (f"_{{{moment_text(t)}}}" if t is not None else ""))
            forms.append(rf"\mathrm{{{escaped}}}" + (f"[{moment_text(t)}]" if t is not None else ""))
        forms.append(name if t is None else f"{name}[{moment_text(t)}]")
        variables = (t.variable,) if t is not None and t.variable else ()
        for form in forms:
            try:
                if bare(read_formula(form, self.scope, variables)) == bare(value):
                    return form
            except FormulaError:
                continue
        return forms[0]

    def _goes_bare(self, name: str, t: int) -> bool:
        """Whether a node needs no index: there is one only, and no initial value beside it."""
        scope = self.scope
        return scope.kind(name) == "node" and scope.only(name) == t and not scope.unrolled.ahead.get(name)

    def _with_index(self, name: str, t: Moment) -> list[str]:
        index = moment_text(t)
        if self.style == "plain":
            return [f"{name}[{index}]"]
        if self.style == "latex":
            return [latex_label(name, index)]
        return [f"{name}{index.translate(_LOWERED)}"] if _CAN_BE_LOWERED.fullmatch(index) else [f"{name}[{index}]"]

    def _partial(self, partial: Partial) -> _Text:
        above, below = self._value(partial.above).text, self._value(partial.below).text
        marks = {"": "∂", "immediate": "∂⁺", "total": "d"}
        upper = marks[partial.reading]
        if self.style == "plain" and not self._marked:
            upper = "d"
        lower = "d" if upper == "d" else "∂"
        if self.style == "latex":
            spelled = {"∂": r"\partial ", "∂⁺": r"\partial^{+} ", "d": "d "}
            return _Text(rf"\frac{{{spelled[upper]}{above}}}{{{spelled[lower]}{below}}}", PARTIAL)
        return _Text(f"{upper}{above}/{lower}{below}", PARTIAL)

    # --- sums and products -----------------------------------------------------------------------------------------

    def _add(self, add: Add) -> _Text:
        if len(add.terms) < 2:
            return self._write(add.terms[0]) if add.terms else _Text("0")
        minus = " − " if self.style == "unicode" else " - "
        text, is_open = "", False
        for place, term in enumerate(add.terms):
            negative = isinstance(term, Negate)
            operand = term.operand if isinstance(term, Negate) else term
            written = self._at_least(operand, HADAMARD)
            sign = (minus.strip() if negative else "") if place == 0 else (minus if negative else " + ")
            text += sign + written
            is_open = self._write(operand).open
        return _Text(text, SUM, is_open)

    def _negate(self, negate: Negate) -> _Text:
        operand = self._write(negate.operand)
        text = self._bracket(operand.text) if operand.binds < HADAMARD else operand.text
        return _Text(("−" if self.style == "unicode" else "-") + text, SUM, operand.open and operand.binds >= HADAMARD)

    def _multiply(self, multiply: Multiply) -> _Text:
        factors = multiply.factors
        if len(factors) < 2:
            return self._write(factors[0]) if factors else _Text("1")
        if len({join == "elementwise" for join in multiply.joins}) > 1:
            # Written in two steps: the joins so far, then the rest.
            inner = Multiply(factors=factors[:-1], joins=multiply.joins[:-1])
            return self._multiply(Multiply(factors=(inner, factors[-1]), joins=multiply.joins[-1:]))
        elementwise = multiply.joins[0] == "elementwise"
        text = ""
        for place, factor in enumerate(factors):
            last = place == len(factors) - 1
            binds = PARTIAL
            if elementwise or (place == 0 and isinstance(factor, Divide)):
                binds = PRODUCT
            if place:
                text += self._join(multiply, place)
            text += self._at_least(factor, binds, last=last)
        is_open = self._write(factors[-1]).open
        return _Text(text, HADAMARD if elementwise else PRODUCT, is_open)

    def _join(self, multiply: Multiply, place: int) -> str:
        join = _JOINS[multiply.joins[place - 1]][self.style]
        neighbours = multiply.factors[place - 1 : place + 1]
        if self.style == "latex" and join == r" \, " and any(isinstance(f, Number | Power) for f in neighbours):
            return r" \cdot "
        return join

    def _divide(self, divide: Divide) -> _Text:
        if self.style == "latex":
            top, bottom = self._write(divide.top).text, self._write(divide.bottom).text
            if top.startswith("d"):
                top = self._bracket(top)
            return _Text(rf"\frac{{{top}}}{{{bottom}}}", PARTIAL)
        top = self._at_least(divide.top, PRODUCT, last=False)
        bottom = self._at_least(divide.bottom, POWER, last=False)
        if bottom.startswith(("d", "∂")) and not (top.startswith("(") and isinstance(divide.top, Add)):
            top = self._bracket(top)
        return _Text(f"{top}/{bottom}", PRODUCT)

    def _power(self, power: Power) -> _Text:
        base = self._at_least(power.base, ATOM, last=False)
        if isinstance(power.base, Number) and power.base.value == 10:
            base = self._bracket(base)
        exponent = power.exponent
        if self.style == "latex":
            return _Text(f"{base}^{{{self._write(exponent).text}}}", POWER)
        whole = exponent.operand if isinstance(exponent, Negate) else exponent
        if self.style == "unicode" and isinstance(whole, Number) and whole.value in range(10**6):
            sign = "⁻" if isinstance(exponent, Negate) else ""
            return _Text(f"{base}{sign}{superscript(str(int(whole.value)))}", POWER)
        sign = "^" if self.style == "unicode" else "**"
        return _Text(f"{base}{sign}{self._at_least(exponent, ATOM, last=False)}", POWER)

    def _transpose(self, transpose: Transpose) -> _Text:
        operand = self._at_least(transpose.operand, ATOM, last=False)
        if isinstance(transpose.operand, Number):
            operand = self._bracket(operand)
        return _Text(operand + {"unicode": "ᵀ", "plain": ".T", "latex": r"^\top"}[self.style], POWER)

    # --- functions, entries, sums over time ------------------------------------------------------------------------

    def _call(self, call: Call) -> _Text:
        name, arguments = call.function, call.arguments
        if name == "eye":
            return _Text("I" if "I" not in self.scope.spellings else "eye()")
        if name == "ones":
            return _Text({"unicode": "𝟏", "plain": "ones()", "latex": r"\mathbf{1}"}[self.style])
        if name == "outer" and self.style != "plain":
            left, right = (self._at_least(argument, PARTIAL, last=False) for argument in arguments)
            return _Text(f"{left} ⊗ {right}" if self.style == "unicode" else rf"{left} \otimes {right}", PRODUCT)
        written = [self._write(argument).text for argument in arguments]
        if self.style != "latex":
            return _Text(f"{name}({', '.join(written)})")
        if name == "onehot" and isinstance(arguments[0], Value):
            return _Text(rf"\mathbf{{1}}_{{{written[0]}}}")
        stem, mark = (name[:-1], "'") if name.endswith("'") else (name, "")
        head = f"\\{stem}" if stem in _LATEX_FUNCTIONS else rf"\operatorname{{{stem}}}".replace("_", r"\_")
        return _Text(rf"{head}{mark}\left({', '.join(written)}\right)")

    def _entry(self, entry: Entry) -> _Text:
        index = "[" + ", ".join(self._write(part).text for part in entry.indices) + "]"
        operand = self._write(entry.operand)
        if isinstance(entry.operand, Value):
            form = operand.text + index
            t = entry.operand.t
            variables = tuple({v for v in (t.variable if t else "", *self._variables) if v})
            try:
                if bare(read_formula(form, self.scope, variables)) == bare(entry):
                    return _Text(form)
            except FormulaError:
                pass
        return _Text(self._bracket(operand.text) + index)

    def _matrix(self, matrix: Matrix) -> _Text:
        entries, columns = [self._write(entry).text for entry in matrix.entries], matrix.columns
        if self.style != "latex":
            return _Text(array_text(entries, columns))
        rows = [" & ".join(entries[start : start + columns]) for start in range(0, len(entries), columns)]
        inside = r" \\ ".join(rows)
        return _Text(rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}")

    def _sum(self, total: Sum) -> _Text:
        return self._over_time(total, {"unicode": "Σ", "plain": "sum", "latex": r"\sum"}[self.style])

    def _product(self, product: Product) -> _Text:
        return self._over_time(product, {"unicode": "∏", "plain": "prod", "latex": r"\prod"}[self.style])

    def _over_time(self, over: Sum | Product, sign: str) -> _Text:
        around = self._variables
        self._variables = (*around, over.variable)
        # Without a bracket it would end where it is read to end.
        whole = isinstance(over, Sum) or reach(over.body, (over.variable,)) == len(factors_of(over.body))
        body = self._at_least(over.body, HADAMARD if whole else ATOM)
        self._variables = around
        variable = over.variable
        if over.first is not None:
            below = f"{variable}={moment_text(over.first)}"
            above = "" if over.last is None else moment_text(over.last)
        else:
            below = variable + ("" if over.last is None else f"≤{moment_text(over.last)}")
            above = ""
        if self.style == "latex":
            below = below.replace("≤", r" \le ")
        lowered = self.style == "unicode" and re.fullmatch("[aehijklmnoprstuvx]", variable)
        if lowered and below == variable:
            head = sign + variable.translate(_LOWERED)
        elif lowered and over.first is not None and re.fullmatch("[0-9]+/[0-9]*", f"{below[2:]}/{above}"):
            head = f"{sign}{variable.translate(_LOWERED)}₌{subscript(int(below[2:]))}{superscript(above)}"
        else:
            head = f"{sign}_{{{below}}}" + (f"^{{{above}}}" if above else "")
        return _Text(f"{head} {body}", PARTIAL, True)
