"""Text of a formula → tokens: LaTeX, Unicode and plain text alike, each token with its place in the text.

What is only layout is dropped (`\\left`, `\\,`, `$`, `&`, `\\begin{align}`), what has several spellings gets one: `·`
for every multiplication sign, `∂` for `\\partial`, "sub" for every kind of subscript. What a word means is left to the
reader, which knows the network.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import NamedTuple

from bptt_tui.derivation.formulas.scope import GREEK
from bptt_tui.errors import FormulaError

MAX_LENGTH = 10_000


class Token(NamedTuple):
    """`kind` is "number", "word", "sub" (a subscript), "^n" (a raised number), "end", or the sign itself. What a
    subscript says stands in the original text between the two places of `inner`.
    """

    kind: str
    text: str
    start: int
    end: int
    inner: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        return "end of the formula" if self.kind == "end" else repr(self.text)


_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=aehijklmnoprstuvx", strict=True))
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_SIGNS = {
    "+": "+", "-": "-", "−": "-", "–": "-", "‐": "-", "‑": "-", "*": "·", "·": "·", "×": "·", "⋅": "·", "∙": "·",
    "•": "·", "∗": "·", "@": "@", "⊙": "⊙", "∘": "⊙", "⊗": "⊗", "/": "/", "÷": "/", "∕": "/", "⁄": "/", "^": "^",
    "(": "(", ")": ")", "[": "[", "]": "]", "{": "{", "}": "}", ",": ",", "=": "=", "≡": "=", "≔": "=", "≈": "≈",
    "≃": "≈", "'": "'", "′": "'", "’": "'", "ᵀ": "ᵀ", "⊤": "⊤", "∑": "Σ", "Σ": "Σ", "∏": "∏", "Π": "∏", "√": "√",
    "𝟏": "𝟏", "𝟙": "𝟏", "<": "<", "≤": "≤", "|": "|", "∂": "∂", "𝜕": "∂", "𝛛": "∂", "…": "…",
    ">": ">", "≥": "≥", "⟨": "<", "⟩": ">", "∇": "∇",
}  # fmt: skip
_COMMANDS = {
    "partial": "∂", "cdot": "·", "times": "·", "ast": "·", "odot": "⊙", "circ": "⊙", "otimes": "⊗", "top": "⊤",
    "intercal": "⊤", "prime": "'", "sum": "Σ", "prod": "∏", "frac": "frac", "dfrac": "frac", "tfrac": "frac",
    "cfrac": "frac", "sqrt": "√", "equiv": "=", "coloneqq": "=", "approx": "≈", "simeq": "≈", "le": "≤", "leq": "≤",
    "langle": "<", "rangle": ">", "ge": "≥", "geq": "≥", "gt": ">", "nabla": "∇",
    "lt": "<", "div": "/", "lbrack": "[", "rbrack": "]", "lbrace": "{", "rbrace": "}", "{": "{", "}": "}",
    "dots": "…", "ldots": "…", "cdots": "…", "vert": "|", "lvert": "|", "rvert": "|",
}  # fmt: skip
_LAYOUT = (
    frozenset(
        "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle displaystyle textstyle limits "
        "nolimits nonumber notag quad qquad allowbreak scriptstyle hfill newline".split()
    )
    | frozenset(", ; : ! > \\ [ ] ( ) | ".replace("|", "").split())
    | {" ", "\n", "\t"}
)
_STYLES = frozenset(
    "mathrm mathit mathbf mathsf mathtt mathbb mathcal mathscr mathfrak boldsymbol bm text textrm textit textbf "
    "operatorname rm bf it sf pmb symbf symup".split()
)
_FUNCTIONS = frozenset("tanh exp log ln softmax sigmoid relu diag dot".split())
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(?:[eE]([+\-−]?\d+))?")
_MODULE = re.compile(r"(?:np|numpy|jnp|torch|math|F)\.(?=[A-Za-z_])")
_TENS = re.compile(r"\s*(?:\\cdot|\\times|·|×)\s*10(?:\^\{\s*([-−]?\d+)\s*\}|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))")
_COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)
_ENVIRONMENT = re.compile(r"\s*\{[A-Za-z]+\*?\}(?:\{[^{}]*\})?")
_MATRIX = re.compile(r"\s*\{(?:[pbB]|small)?matrix\*?\}")
_CLOSING = re.compile(r"(?:[\s.,;&$~]|\\[\]),;!\\ ]|\\end\s*\{[A-Za-z]+\*?\})*\Z")
_ARGUMENT = re.compile(r"\s*\{((?:[^{}\\]|\\.)*)\}")


def folded(character: str) -> str:
    """Full-width signs and mathematical letters as the plain ones: ＋ → +, 𝑠 → s."""
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E or 0x1D400 <= code <= 0x1D7FF:
        plain = unicodedata.normalize("NFKC", character)
        return plain if len(plain) == 1 and character not in "𝟏𝟙𝜕𝛛" else character
    return character


def is_blank(character: str) -> bool:
    """White space of any width, zero included."""
    return character.isspace() or character in "\u200b\u200c\u200d\u2060\ufeff\u2061\u2062\u2063\u200e\u200f~&$"


def is_letter(character: str) -> bool:
    """A character of a name: letters and digits, but none raised or lowered."""
    if character == "_" or (character.isascii() and character.isalnum()):
        return True
    if unicodedata.category(character) in ("No", "Nl"):
        return False
    return character.isalnum() and character not in _SUBSCRIPTS and character not in _SUPERSCRIPTS and character != "ᵀ"


def scan(text: str, names: tuple[str, ...] = (), start: int = 0, stop: int | None = None) -> list[Token]:
    """The tokens of `text[start:stop]`, an "end" last. `names` are taken whole wherever they stand."""
    return _Scanner(text, names, start, len(text) if stop is None else stop).tokens()


class _Scanner:
    """A place in the text, and the tokens found so far."""

    def __init__(self, text: str, names: tuple[str, ...], start: int, stop: int) -> None:
        if len(text) > MAX_LENGTH:
            raise FormulaError(
                f"the formula has {len(text)} characters",
                text=text,
                column=MAX_LENGTH,
                hint=f"at most {MAX_LENGTH}; judge its parts one at a time",
            )
        self.text = text
        self.names = names
        self.place = start
        self.stop = stop
        # How many matrices are open: inside one, & and \\ divide its entries and rows.
        self.matrices = 0
        self.found: list[Token] = []

    def tokens(self) -> list[Token]:
        while self.place < self.stop:
            if self.matrices and self.text[self.place] == "&":
                self.add(",", self.place + 1)
            elif is_blank(self.text[self.place]):
                self.place += 1
            else:
                self._next()
        end = self.stop
        while end > 0 and is_blank(self.text[end - 1]):
            end -= 1
        self.found.append(Token("end", "", end, end))
        return self.found

    def error(self, reason: str, column: int, hint: str = "") -> FormulaError:
        return FormulaError(reason, text=self.text, column=column, hint=hint)

    def add(self, kind: str, end: int, text: str | None = None, inner: tuple[int, int] = (0, 0)) -> None:
        start, self.place = self.place, end
        self.found.append(Token(kind, self.text[start:end] if text is None else text, start, end, inner))

    def _next(self) -> None:
        text, place = self.text, self.place
        own = next((name for name in self.names if text.startswith(name, place, self.stop)), None)
        if own is not None:
            return self.add("word", place + len(own))
        character = folded(text[place])
        if character == "\\":
            return self._command()
        if character == "_":
            return self._subscript()
        if character in _SUBSCRIPTS:
            return self._run(_SUBSCRIPTS, "sub")
        if character in _SUPERSCRIPTS:
            return self._run(_SUPERSCRIPTS, "^n")
        if text.startswith(".T", place) and not text[place + 2 : place + 3].isalnum():
            return self.add("ᵀ", place + 2)
        if (character.isdecimal() and character not in _SIGNS) or (
            character == "." and text[place + 1 : place + 2].isdecimal()
        ):
            return self._number()
        if text.startswith(".dot(", place):
            return self.add("@", place + 4)
        for sign, kind in (("**", "^"), (".*", "⊙"), (":=", "="), ("==", "="), ("<=", "≤"), ("..", "…")):
            if text.startswith(sign, place):
                return self.add(kind, place + len(sign) + (text.startswith("...", place) and kind == "…"))
        if character in "″":
            self.found.append(Token("'", text[place], place, place + 1))
            return self.add("'", place + 1)
        if character in _SIGNS:
            kind = _SIGNS[character]
            if kind == "∂":
                return self._differential(place + 1)
            return self.add(kind, place + 1)
        if is_letter(character):
            return self._word()
        if unicodedata.category(character) == "No":
            return self.add("number", place + 1, repr(unicodedata.numeric(character)))  # ½
        if character in ".;" and _CLOSING.match(text, place):
            self.place += 1
            return None
        if character == ";":
            return self.add(";", place + 1)
        raise self.error(
            f"unexpected character {text[place]!r}", place, "expected a name, a number, ∂, Σ or one of + - * / ^ ( )"
        )

    def _run(self, digits: dict[str, str], kind: str) -> None:
        end = self.place
        while end < self.stop and self.text[end] in digits:
            end += 1
        self.add(kind, end, inner=(self.place, end))

    def _number(self) -> None:
        match = _NUMBER.match(self.text, self.place, self.stop)
        if match is None:
            raise self.error(f"unexpected character {self.text[self.place]!r}", self.place, "digits are 0 … 9")
        stop, exponent = match.end(), match[2] or ""
        value = match[1]
        tens = _TENS.match(self.text, stop, self.stop)
        if tens and not exponent:
            exponent = tens[1] or "".join(_SUPERSCRIPTS[c] for c in tens[2])
            stop = tens.end()
        elif value.endswith(".") and not exponent and _CLOSING.match(self.text, stop - 1):
            # A full stop after a number ends the sentence.
            value, stop = value[:-1], stop - 1
        number = value + (f"e{exponent.replace('−', '-')}" if exponent.strip("-") else "")
        self.add("number", stop, number)

    def _word(self) -> None:
        end = self.place
        while end < self.stop and is_letter(folded(self.text[end])):
            end += 1
        if _MODULE.match(self.text, self.place, self.stop):
            self.place = end + 1  # np.tanh is tanh
            return
        # The underscore before { is a subscript's, not the name's.
        if end < self.stop and self.text[end] in "{\\" and self.text[end - 1] == "_" and end - 1 > self.place:
            end -= 1
        self.add("word", end, "".join(map(folded, self.text[self.place : end])))

    def _subscript(self) -> None:
        """`_1`, `_t`, `_{t-1}`, `_\\theta`."""
        text, at = self.text, self.place + 1
        while at < self.stop and text[at] == " ":
            at += 1
        if at < self.stop and text[at] == "{":
            close = self._closing(at)
            return self.add("sub", close + 1, inner=(at + 1, close))
        command = _COMMAND.match(text, at, self.stop)
        if command is not None:
            argument = _ARGUMENT.match(text, command.end(), self.stop) if command[1] in _STYLES else None
            end = argument.end() if argument else command.end()
            return self.add("sub", end, inner=(at, end))
        end = at
        while end < self.stop and text[end].isalnum() and is_letter(text[end]):
            end += 1
        if end == at:
            raise self.error("a subscript is missing after '_'", self.place, "write s_1 or s_{t-1}")
        while end < self.stop and text[end] in "'′":
            end += 1
        return self.add("sub", end, inner=(at, end))

    def _closing(self, opening: int) -> int:
        depth = 0
        for place in range(opening, self.stop):
            if self.text[place] == "{":
                depth += 1
            elif self.text[place] == "}":
                depth -= 1
                if depth == 0:
                    return place
        raise self.error("this '{' is never closed", opening, "expected '}'")

    def _differential(self, end: int) -> None:
        """∂, or ∂⁺ with whatever plus."""
        plus = re.compile(r"\s*(?:⁺|\^\s*\+|\^\s*\{\s*\+\s*\})").match(self.text, end, self.stop)
        self.add("∂", plus.end() if plus else end, "∂⁺" if plus else "∂")

    def _command(self) -> None:
        match = _COMMAND.match(self.text, self.place, self.stop)
        if match is None:
            raise self.error("unexpected '\\' at the end", self.place)
        name, end = match[1], match.end()
        if name in ("begin", "end"):
            environment = _ENVIRONMENT.match(self.text, end, self.stop)
            if environment is None:
                raise self.error(f"expected an environment after \\{name}", self.place, f"as in \\{name}{{align}}")
            if _MATRIX.match(self.text, end, self.stop):
                self.matrices += 1 if name == "begin" else -1
                self.add("[" if name == "begin" else "]", environment.end())
            else:
                self.place = environment.end()
        elif name == "\\" and self.matrices:
            self.add(";", end)
        elif name in ("tag", "label"):
            argument = _ARGUMENT.match(self.text, end, self.stop)
            self.place = argument.end() if argument else end
        elif name in _LAYOUT:
            self.place = end
            if name in ("left", "right") and self.text.startswith(".", end):
                self.place = end + 1
        elif name == "partial":
            self._differential(end)
        elif name in _COMMANDS:
            self.add(_COMMANDS[name], end)
        elif name in _STYLES:
            self._styled(end)
        elif name in GREEK or name in _FUNCTIONS:
            self.add("word", end, name)
        elif name == "ell":
            self.add("word", end, "ℓ")
        else:
            known = [*_COMMANDS, *_LAYOUT, *_STYLES, *GREEK, *_FUNCTIONS]
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean \\{close[0]}?" if close else "use \\frac, \\partial, \\cdot, \\sum or plain signs"
            raise self.error(f"there is no command \\{name} here", self.place, hint)

    def _styled(self, end: int) -> None:
        """`\\mathrm{Wxh}`, `\\mathbf 1`: a word whole, whatever its letters."""
        argument = _ARGUMENT.match(self.text, end, self.stop)
        if argument is None:
            single = re.compile(r"\s*([^\W_])").match(self.text, end, self.stop)
            if single is None:
                self.place = end
                return
            inside, stop = single[1], single.end()
        else:
            inside, stop = argument[1].strip().replace("\\_", "_"), argument.end()
        if inside in ("1", "𝟏"):
            self.add("𝟏", stop)
        elif inside.startswith("\\") and inside[1:] in GREEK:
            self.add("word", stop, inside[1:])
        elif inside == "\\partial":
            self.add("∂", stop, "∂")
        elif inside in ("⊤", "\\top"):
            self.add("⊤", stop)
        elif inside and all(is_letter(folded(c)) or c in "₀₁₂₃₄₅₆₇₈₉ₜ²" for c in inside):
            self.add("word", stop, "".join(map(folded, inside)))
        else:
            # Not a name: a styled part of a formula, read as it stands.
            self.place = end


def plain_index(text: str) -> str:
    """A subscript's text without layout, in plain characters: `t\\,−\\,1` and ₜ₋₁ become t-1."""
    text = re.sub(r"\\(?:prime|,|;|!|:| )|\^\{?\\prime\}?", lambda m: "'" if "prime" in m[0] else "", text)
    text = re.sub(r"\\(?:mathrm|text|mathit|mathbf|textrm|operatorname|mathsf)\s*\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m[1], m[0]), text)
    out = []
    for character in text:
        plain = _SUBSCRIPTS.get(character, folded(character))
        plain = _SIGNS[plain] if plain in "−–‐‑′’" else plain
        if not is_blank(plain) and plain not in "{}":
            out.append(plain)
    return "".join(out)


def plain_power(text: str) -> str:
    """⁻¹² → -12."""
    return "".join(_SUPERSCRIPTS[character] for character in text)
