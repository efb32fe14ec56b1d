r"""The LaTeX that the project's printers write, as MathML: browsers draw it without a script or a font from elsewhere.

Not all of LaTeX, on purpose: an unknown command raises ValueError, and a test feeds every notation of the table of
operations through here.

    ∂s₁/∂z₁   \frac{\partial s_{1}}{\partial z_{1}}   <mfrac><mrow><mo>∂</mo><msub>…</msub></mrow>…</mfrac>
"""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(
    r"(?P<command>\\(?:[A-Za-z]+|[\\,;:!{}| &%$#_]))"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<space>\s+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
        "αβγδϵζηθικλμνξπρστυϕχψωΓΔΘΛΞΠΣΥΦΨΩ",
        strict=True,
    )
)
_OPERATORS = {
    "partial": "∂",
    "cdot": "⋅",
    "times": "×",
    "odot": "⊙",
    "circ": "∘",
    "otimes": "⊗",
    "top": "⊤",
    "sum": "∑",
    "prod": "∏",
    "cdots": "⋯",
    "dots": "…",
    "ldots": "…",
    "vdots": "⋮",
    "ddots": "⋱",
    "infty": "∞",
    "leq": "≤",
    "geq": "≥",
    "neq": "≠",
    "approx": "≈",
    "to": "→",
    "pm": "±",
    "in": "∈",
    "Vert": "‖",
    "vert": "|",
    "{": "{",
    "}": "}",
    "|": "‖",
}
_FUNCTIONS = {"tanh", "exp", "ln", "log", "sin", "cos", "max", "min"}
_SPACES = {",": "0.17em", ":": "0.22em", ";": "0.28em", " ": "0.25em", "quad": "1em", "qquad": "2em", "!": "-0.17em"}
_STACKED = {"∑", "∏"}
_DEEPEST = 200


def mathml(latex: str) -> str:
    """A formula as a `<math>` element. Raises ValueError where it is not of the kind the printers write."""
    return f"<math>{inner(latex)}</math>"


def inner(latex: str) -> str:
    """A formula as MathML without the element around it, for a cell of a larger one."""
    return _Reader(latex).whole()


class _Reader:
    """The tokens of a formula and a place in them."""

    def __init__(self, latex: str) -> None:
        self._tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(latex)]
        self._at = 0
        self._depth = 0

    def whole(self) -> str:
        row = self._row(())
        if self._at < len(self._tokens):
            raise ValueError(f"{self._tokens[self._at][1]} closes nothing")
        return row

    def _peek(self) -> tuple[str, str]:
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "space":
            self._at += 1
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _row(self, ends: tuple[str, ...]) -> str:
        """Everything up to one of `ends`, which stays; the end of the formula where there are none."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("nested too deeply")
        pieces: list[str] = []
        while (token := self._peek())[0] != "end" and token[1] not in ends:
            if token[1] in ("}", "&", r"\\", r"\right", r"\end"):
                break
            pieces.append(self._scripted(first=not pieces or pieces[-1].startswith("<mo>")))
        self._depth -= 1
        return "".join(pieces)

    def _scripted(self, *, first: bool) -> str:
        """An atom with what is raised and lowered at it; a minus sign that comes `first` belongs to what follows."""
        if first and self._peek()[1] == "-":
            self._take()
            return '<mo form="prefix" lspace="0" rspace="0">−</mo>'
        base = self._atom()
        below = above = ""
        while (sign := self._peek()[1]) in ("_", "^", "'"):
            self._take()
            if sign == "'":
                above += "<mo>′</mo>"
            elif sign == "_":
                below += _grouped(self._atom())
            else:
                above += _grouped(self._atom())
        if not below and not above:
            return base
        stacked = any(f">{sign}</mo>" in base for sign in _STACKED)
        kind = "munderover" if stacked else "msubsup"
        if below and above:
            return f"<{kind}>{_grouped(base)}{_grouped(below)}{_grouped(above)}</{kind}>"
        kind = ("munder" if stacked else "msub") if below else ("mover" if stacked else "msup")
        return f"<{kind}>{_grouped(base)}{_grouped(below or above)}</{kind}>"

    def _atom(self) -> str:
        kind, text = self._take()
        if kind == "end":
            raise ValueError("the formula ends too early")
        if kind == "number":
            return f"<mn>{text}</mn>"
        if kind == "command":
            return self._command(text[1:])
        if text == "{":
            row = self._row(("}",))
            self._expect("}")
            alone = re.fullmatch("<mo>(.)</mo>", row)
            # A sign alone in braces is an ordinary one, without the space of an operator: 2{\times}2.
            return f'<mo lspace="0" rspace="0">{alone[1]}</mo>' if alone else f"<mrow>{row}</mrow>"
        if text.isalpha():
            return f"<mi>{escape(text)}</mi>"
        if text in "()[]|":
            return f'<mo stretchy="false">{text}</mo>'
        return f"<mo>{escape('−' if text == '-' else text)}</mo>"

    def _command(self, name: str) -> str:
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"></mspace>'
        if name in _GREEK:
            return f"<mi>{_GREEK[name]}</mi>"
        if name in _OPERATORS:
            return f"<mo>{_OPERATORS[name]}</mo>"
        if name in _FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in ("frac", "dfrac", "tfrac"):
            return f"<mfrac>{_grouped(self._atom())}{_grouped(self._atom())}</mfrac>"
        if name in ("mathrm", "operatorname", "text", "textsf"):
            return self._words(name)
        if name == "mathbf":
            return f'<mrow style="font-weight:bold">{self._atom()}</mrow>'
        if name == "left":
            return self._fenced()
        if name == "begin":
            return self._matrix()
        raise ValueError(f"\\{name} is not known")

    def _words(self, name: str) -> str:
        """Upright letters as one word."""
        if self._take()[1] != "{":
            raise ValueError(f"\\{name} without its braces")
        letters, depth = "", 1
        while self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            self._at += 1
            depth += (text == "{") - (text == "}")
            if not depth:
                break
            letters += text[1:] if kind == "command" else text
        element = "mtext" if name.startswith("text") else "mi"
        return f'<{element} mathvariant="normal">{escape(letters)}</{element}>'

    def _fenced(self) -> str:
        opening = self._fence()
        row = self._row((r"\right",))
        self._expect(r"\right")
        return f"<mrow>{opening}{row}{self._fence()}</mrow>"

    def _fence(self) -> str:
        text = self._take()[1]
        sign = _OPERATORS.get(text[1:], text[1:]) if text.startswith("\\") else text
        return "" if sign == "." else f"<mo>{escape(sign)}</mo>"

    def _matrix(self) -> str:
        environment = self._environment()
        fences = {"pmatrix": "()", "bmatrix": "[]", "matrix": "  ", "vmatrix": "||"}.get(environment)
        if fences is None:
            raise ValueError(f"{environment} is not known")
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(self._row(()))
            token = self._take()[1]
            if token == r"\\":
                rows.append([])
            elif token == r"\end":
                break
            elif token != "&":
                raise ValueError(f"{environment} does not end")
        self._environment()
        table = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
        opening, closing = (f"<mo>{fence}</mo>" if fence.strip() else "" for fence in fences)
        return f"<mrow>{opening}<mtable>{table}</mtable>{closing}</mrow>"

    def _environment(self) -> str:
        self._expect("{")
        name = ""
        while (token := self._take())[1] != "}":
            if token[0] == "end":
                raise ValueError("an environment without a name")
            name += token[1]
        return name

    def _expect(self, sign: str) -> None:
        if self._take()[1] != sign:
            raise ValueError(f"expected {sign}")


def _grouped(elements: str) -> str:
    """Exactly one element, as fractions and scripts need them."""
    match = re.fullmatch(r"<(m[a-z]+)[^>]*>", elements[: elements.find(">") + 1])
    if match and elements.endswith(f"</{match[1]}>") and _single(elements, match[1]):
        return elements
    return f"<mrow>{elements}</mrow>"


def _single(elements: str, name: str) -> bool:
    """Whether the element that opens the text is the one that ends it."""
    depth = 0
    for match in re.finditer(rf"<(/?){name}\b[^>]*>", elements):
        depth += -1 if match[1] else 1
        if not depth:
            return match.end() == len(elements)
    return False
