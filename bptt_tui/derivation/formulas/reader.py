"""Text of a formula → `Statement`, by precedence climbing; errors point at the character and say what was expected.

    statement = formula "=" formula { "=" formula }
    formula   = ["-"] term { ("+" | "-") term }
    term      = product { "⊙" product }
    product   = unary { ("·" | "@" | "⊗" | "/" | nothing) unary }          ⊗ binds its two neighbours first
    unary     = "-" unary | power
    power     = postfix [ "^" unary ]
    postfix   = primary { "ᵀ" | "'" | raised number | index }
    primary   = number | partial | value | fraction | function | sum | "(" formula ")"
    sum       = ("Σ" | "∏") bounds term               everything up to the end of its term is inside

    ∂E/∂u · (x₁ + w)        dE/du * (x1 + w)        \\frac{\\partial E}{\\partial u} \\left(x_1 + w\\right)

A name is what the network makes of it. Where a text can be read in two ways, the one that makes sense in the network is
taken, and where both do, the error names them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bptt_tui.derivation.formulas.parts import children, describe
from bptt_tui.derivation.formulas.scanner import Token, plain_index, plain_power, scan
from bptt_tui.derivation.formulas.scope import Scope, Traced
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Join,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Reading,
    Statement,
    Sum,
    Transpose,
    Value,
)
from bptt_tui.errors import FormulaError
from bptt_tui.network.network import did_you_mean

if TYPE_CHECKING:
    from bptt_tui.network import Unrolled
    from bptt_tui.session import Session

MAX_DEPTH = 100
MAX_WORD = 200
_MOMENT = re.compile(r"([+-]?)(\d{1,9}|[^\W\d_]+'*)")
_JOINS: dict[str, Join] = {"·": "as it fits", "@": "matrix"}
_OPENING = {"(": ")", "[": "]", "{": "}"}
_STARTS = frozenset({"number", "word", "∂", "(", "[", "{", "frac", "Σ", "∏", "√", "𝟏"})


class Part(NamedTuple):
    """A part of a subscript: its text in plain characters, and where it stands."""

    text: str
    start: int
    end: int


def read(text: str, network: Unrolled | Session | Traced | Scope) -> Statement:
    """The chain of equalities that `text` states about a network. Raises FormulaError with the column in `text`."""
    return _Reader(text, Scope.of(network)).statement()


def read_formula(text: str, network: Unrolled | Session | Traced | Scope, variables: tuple[str, ...] = ()) -> Formula:
    """A formula alone, without an equals sign: one side of a statement, or, with `variables`, the inside of a sum."""
    return _Reader(text, Scope.of(network), variables=variables).whole()


class _Reader:
    """The tokens of a formula, a place in them, and the variables of the sums around it."""

    def __init__(
        self,
        text: str,
        scope: Scope,
        span: tuple[int, int] | None = None,
        variables: tuple[str, ...] = (),
        depth: int = 0,
    ) -> None:
        self.text = text
        self.scope = scope
        start, stop = span or (0, len(text))
        self.tokens = scan(text, scope.odd_names, start, stop)
        self.index = 0
        self.depth = depth
        self.variables = variables
        self.distinguishes = "∂⁺" in (token.text for token in self.tokens)

    # --- tokens ----------------------------------------------------------------------------------------------------

    @property
    def peek(self) -> Token:
        return self.tokens[self.index]

    def ahead(self, count: int = 1) -> Token:
        return self.tokens[min(self.index + count, len(self.tokens) - 1)]

    @property
    def before(self) -> int:
        """Where the token before the present one ends."""
        return self.tokens[self.index - 1].end if self.index else 0

    def next(self) -> Token:
        token = self.tokens[self.index]
        if token.kind != "end":
            self.index += 1
        return token

    def error(self, reason: str, column: int | None = None, hint: str = "") -> FormulaError:
        """An error at a column, by default at the token that comes next."""
        return FormulaError(reason, text=self.text, column=self.peek.start if column is None else column, hint=hint)

    def take(self, kind: str, expected: str) -> Token:
        if self.peek.kind != kind:
            raise self.error(f"unexpected {self.peek}", hint=expected)
        return self.next()

    def deeper(self, read: Callable[[], Formula]) -> Formula:
        """`read` one level further in. Hostile depth ends here, not in Python's stack."""
        if self.depth >= MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} brackets deep", hint="judge its parts one at a time")
        self.depth += 1
        try:
            return read()
        finally:
            self.depth -= 1

    def attempt(self, read: Callable[[], Formula]) -> Formula | FormulaError:
        """What `read` gives, or its error with nothing read."""
        index, depth = self.index, self.depth
        try:
            return read()
        except FormulaError as error:
            self.index, self.depth = index, depth
            return error

    # --- statements ------------------------------------------------------------------------------------------------

    def statement(self) -> Statement:
        """Members joined by equals signs, the first of them a partial."""
        if self.peek.kind == "end":
            raise self.error("there is no formula", hint=f"write one, such as {self._example()}")
        members = [self.formula()]
        if not isinstance(members[0], Partial):
            start, end = members[0].span
            raise self.error(
                f"the left side {self.text[start:end].strip()} is not a partial",
                start,
                f"expected what is derived, as in {self._example()}",
            )
        while self.peek.kind == "=":
            self.next()
            if self.peek.kind == "end":
                raise self.error("nothing follows the last '='", hint="expected what the left side equals")
            members.append(self.formula())
        self._finish()
        if len(members) == 1:
            raise self.error("expected '=' and what the partial equals", hint=f"as in {self._example()}")
        return Statement(self.text, tuple(self._checked(member) for member in members))

    def whole(self) -> Formula:
        """One formula up to the end."""
        formula = self.formula()
        self._finish()
        return self._checked(formula)

    def _example(self) -> str:
        loss = self.scope.loss
        for name in self.scope.unrolled.values.parameters:
            uses = self.scope.times(name) if self.scope.steps < 100 else (0, 1)
            return f"∂{loss}/∂{name} = " + " + ".join(f"∂{loss}/∂{name}_{t}" for t in uses[-2:][::-1])
        return f"∂{loss}/∂s_1 = …"

    def _finish(self) -> None:
        """At the end, whatever stands there for layout only."""
        token = self.peek
        while token.kind == "," and self.ahead().kind == "end":
            self.next()
            token = self.peek
        if token.kind == "end":
            return
        if token.kind == "≈":
            raise self.error("'≈' cannot be judged", hint="a formula is exact or it is not: write '='")
        if token.kind in (")", "]", "}"):
            raise self.error(f"this {token} closes nothing", hint="remove it, or open it where it should begin")
        raise self.error(f"unexpected {token}", hint="expected an operator, '=' or the end of the formula")

    def _checked(self, formula: Formula) -> Formula:
        """A tree shallow enough for every walk over it to be a plain recursion."""
        level = [formula]
        for _ in range(2 * MAX_DEPTH):
            level = [part for whole in level for part in children(whole)]
            if not level:
                return formula
        raise self.error(
            f"more than {2 * MAX_DEPTH} operations deep", level[0].span[0], "judge its parts one at a time"
        )

    # --- sums and products -----------------------------------------------------------------------------------------

    def formula(self) -> Formula:
        """Terms joined by + and −."""
        start = self.peek.start
        terms = [self._signed()]
        while self.peek.kind in ("+", "-"):
            terms.append(self._signed())
        return terms[0] if len(terms) == 1 else Add(terms=tuple(terms), span=(start, self.before))

    def _signed(self) -> Formula:
        """A term with the signs in front of it."""
        start, negative = self.peek.start, False
        while self.peek.kind in ("+", "-"):
            negative ^= self.next().kind == "-"
        term = self.term()
        return Negate(operand=term, span=(start, self.before)) if negative else term

    def term(self) -> Formula:
        """Products joined by ⊙."""
        start = self.peek.start
        factors = [self._product()]
        while self.peek.kind == "⊙":
            self.next()
            factors.append(self._product())
        if len(factors) == 1:
            return factors[0]
        joins: tuple[Join, ...] = tuple("elementwise" for _ in factors[1:])
        return Multiply(factors=tuple(factors), joins=joins, span=(start, self.before))

    def _product(self) -> Formula:
        start = self.peek.start
        factors = [self.unary()]
        joins: list[Join] = []
        divided = False

        def whole() -> Formula:
            if len(factors) == 1:
                return factors[0]
            return Multiply(factors=tuple(factors), joins=tuple(joins), span=(start, factors[-1].span[1]))

        while True:
            kind = self.peek.kind
            if kind in _JOINS:
                self.next()
                factors.append(self.unary())
                joins.append(_JOINS[kind])
                divided = False
            elif kind == "⊗":
                self.next()
                right = self.unary()
                left = factors.pop()
                factors.append(Call(function="outer", arguments=(left, right), span=(left.span[0], self.before)))
            elif kind == "/":
                self.next()
                bottom = self.unary()
                top = whole()
                factors, joins = [Divide(top=top, bottom=bottom, span=(start, self.before))], []
                divided = True
            elif kind in _STARTS:
                if divided and not self._fraction_follows():
                    last = factors[-1]
                    assert isinstance(last, Divide)
                    bottom_text = self.text[last.bottom.span[0] : last.bottom.span[1]]
                    raise self.error(
                        f"is {self.peek} below the fraction line or beside the fraction?",
                        hint=f"write (… / {bottom_text}) · {self.peek.text} or … / ({bottom_text} · {self.peek.text})",
                    )
                factors.append(self.power())
                joins.append("as it fits")
            else:
                return whole()

    def _fraction_follows(self) -> bool:
        """Whether a whole fraction or a bracket stands here: what comes before it is complete."""
        return self.peek.kind in ("∂", "frac", "(", "Σ", "∏") or self._differential_word()

    def unary(self) -> Formula:
        """A factor with its own sign."""
        if self.peek.kind not in ("-", "+"):
            return self.power()
        sign = self.next()
        operand = self.deeper(self.unary)
        return Negate(operand=operand, span=(sign.start, self.before)) if sign.kind == "-" else operand

    def power(self) -> Formula:
        """A factor and what stands above it."""
        start = self.peek.start
        base = self.primary()
        while True:
            token = self.peek
            if token.kind in ("ᵀ", "'"):
                self.next()
                base = Transpose(operand=base, span=(start, self.before))
            elif token.kind == "^n":
                self.next()
                base = Power(base=base, exponent=self._raised(token), span=(start, self.before))
            elif token.kind == "^":
                self.next()
                base = self._above(base, start)
            elif token.kind == "sub" and self._bracketed(base):
                self.next()
                base = self._entries(base, self._parts(token), start)
            elif token.kind == "[" and token.start == self.before and self._bracketed(base) and self._indexes():
                base = self._entries(base, self._bracket(), start)
            else:
                return base

    def _bracketed(self, base: Formula) -> bool:
        """Whether an index that follows is of the whole: after a bracket, a function, a power."""
        return not isinstance(base, Value | Number) or self.tokens[self.index - 1].kind in _OPENING.values()

    def _raised(self, token: Token) -> Formula:
        text = plain_power(token.text)
        if not re.fullmatch(r"-?\d{1,9}", text):
            raise self.error(f"{token.text} is not a power", token.start, "expected a whole number such as ²")
        number = Number(value=float(text.lstrip("-")), span=(token.start, token.end))
        return Negate(operand=number, span=number.span) if text.startswith("-") else number

    def _above(self, base: Formula, start: int) -> Formula:
        """What follows `^`: a mark for the transpose, or an exponent."""
        if self._transposes():
            return Transpose(operand=base, span=(start, self.before))
        exponent = self.deeper(self.unary)
        return Power(base=base, exponent=exponent, span=(start, self.before))

    def _transposes(self) -> bool:
        braced = self.peek.kind == "{"
        token = self.ahead() if braced else self.peek
        is_mark = token.kind in ("⊤", "'", "ᵀ") or (
            token.kind == "word" and token.text in ("T", "t", "top", "tr") and token.text not in self.scope.spellings
        )
        if not is_mark or (braced and self.ahead(2).kind != "}"):
            return False
        for _ in range(3 if braced else 1):
            self.next()
        return True

    # --- primaries -------------------------------------------------------------------------------------------------

    def primary(self) -> Formula:
        """A number, a partial, a value, a function, a sum, a fraction, or a formula in brackets."""
        token = self.peek
        if token.kind == "number":
            return self._number()
        if token.kind == "∂":
            return self._partial()
        if token.kind == "word":
            return self._word()
        if token.kind in _OPENING:
            return self._group()
        if token.kind == "frac":
            return self._fraction()
        if token.kind in ("Σ", "∏"):
            return self._over_time()
        if token.kind == "√":
            self.next()
            argument = self.deeper(self.primary)
            return Call(function="sqrt", arguments=(argument,), span=(token.start, self.before))
        if token.kind == "𝟏":
            self.next()
            return self._ones(token)
        if token.kind == "≈":
            raise self.error("'≈' cannot be judged", hint="a formula is exact or it is not: write '='")
        if token.kind == "…":
            raise self.error("'…' leaves open what is meant", hint="write every term, or a sum Σ_t")
        raise self.error(f"unexpected {token}", hint="expected a partial, a name, a number, a function, Σ or '('")

    def _number(self) -> Formula:
        token = self.next()
        if token.text == "1" and self.peek.kind == "sub" and self.peek.start == token.end:
            return self._ones(token)
        value = float(token.text)
        if not math.isfinite(value):
            raise self.error(f"the number {token.text} is too large", token.start, "at most about 1.8e308")
        return Number(value=value, span=(token.start, token.end))

    def _ones(self, token: Token) -> Formula:
        """𝟏, a vector of ones, or 𝟏_y, the one-hot vector of a class."""
        if self.peek.kind == "sub":
            argument = self._inside(self.next())
            return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        return Call(function="ones", arguments=(), span=(token.start, token.end))

    def _group(self) -> Formula:
        opening = self.next()
        inner = self.deeper(self.formula)
        closing = _OPENING[opening.kind]
        if self.peek.kind == "=":
            raise self.error("an '=' inside brackets", hint=f"expected {closing!r} to close column {opening.start + 1}")
        if self.peek.kind != closing:
            raise self.error(
                f"unexpected {self.peek}",
                hint=f"expected {closing!r} to close the {opening.text!r} in column {opening.start + 1}",
            )
        self.next()
        return inner

    def _fraction(self) -> Formula:
        """`\\frac{∂E}{∂u}` or `\\frac{a}{b}`."""
        start = self.next().start
        partial = self._partial_fraction(start)
        if partial is not None:
            return partial
        top = self._argument()
        bottom = self._argument()
        return Divide(top=top, bottom=bottom, span=(start, self.before))

    def _argument(self) -> Formula:
        """What a LaTeX command takes: a group in braces, or a single sign."""
        if self.peek.kind == "{":
            return self._group()
        if self.peek.kind in ("number", "word"):
            return self.deeper(self.primary)
        raise self.error(f"unexpected {self.peek}", hint="expected '{', as in \\frac{a}{b}")

    # --- partials --------------------------------------------------------------------------------------------------

    def _partial(self) -> Formula:
        """∂above/∂below."""
        start = self.peek.start
        mark = self.next()
        above = self._derived()
        self.take("/", f"expected '/' and what {self.text[above.span[0] : above.span[1]]} is derived by")
        below, by_d = self._below()
        return self._made(start, above, below, mark.text, by_d)

    def _below(self) -> tuple[Value, bool]:
        """∂below or dbelow, perhaps in brackets."""
        opening = self.next() if self.peek.kind in ("(", "{") and self._opens_differential(1) else None
        if self.peek.kind == "∂":
            self.next()
            result = self._derived(below=True), False
        elif self.peek.kind == "word" and self.peek.text.startswith("d"):
            result = self._after_d(below=True), True
        else:
            raise self.error(f"unexpected {self.peek}", hint="expected ∂ and a name, as in ∂E/∂u")
        if opening is not None:
            self.take(_OPENING[opening.kind], f"expected {_OPENING[opening.kind]!r}")
        return result

    def _opens_differential(self, ahead: int) -> bool:
        token = self.ahead(ahead)
        return token.kind == "∂" or (token.kind == "word" and token.text.startswith("d"))

    def _made(self, start: int, above: Value, below: Value, mark: str, by_d: bool) -> Partial:
        reading: Reading = ""
        if mark == "∂⁺":
            reading = "immediate"
        elif mark == "d" and by_d and self.distinguishes:
            reading = "total"
        if self.scope.kind(above.name) != "node":
            raise self.error(
                f"{above.name} is {_a(self.scope.kind(above.name))}, nothing that depends on others",
                above.span[0],
                f"expected a node above: {', '.join(self.scope.network.targets)}",
            )
        if self.scope.kind(below.name) == "constant":
            raise self.error(
                f"{below.name} is a constant", below.span[0], "expected a node, an input or a parameter below"
            )
        return Partial(above=above, below=below, reading=reading, span=(start, self.before))

    def _derived(self, *, below: bool = False) -> Value:
        """The name after ∂, perhaps in brackets."""
        if self.peek.kind in ("(", "{", "["):
            opening = self.next()
            if self.depth >= MAX_DEPTH:
                raise self.error(f"more than {MAX_DEPTH} brackets deep")
            self.depth += 1
            value = self._derived(below=below)
            self.depth -= 1
            closing = _OPENING[opening.kind]
            self.take(closing, f"expected {closing!r} to close the {opening.text!r} in column {opening.start + 1}")
            return value
        if self.peek.kind in ("^", "^n"):
            raise self.error("higher derivatives are not read", hint="expected a name after ∂, as in ∂E/∂u")
        if self.peek.kind != "word":
            expected = "a node, an input or a parameter" if below else "a node"
            raise self.error(f"unexpected {self.peek}", hint=f"expected the name of {expected} after ∂")
        token = self.next()
        return self._settled(token, token.text, token.start)

    def _after_d(self, *, below: bool = False) -> Value:
        """The name after a d: `du_1`, `d u_1`."""
        token = self.next()
        if token.text == "d":
            return self._derived(below=below)
        return self._settled(token, token.text[1:], token.start + 1)

    def _settled(self, token: Token, word: str, start: int) -> Value:
        """One name with its index."""
        found = self._reference(word, start, token.end, whole=True)
        if isinstance(found, Entry):
            column = found.indices[0].span[0]
            name = self.text[start:column].rstrip("_[{(")
            raise self.error(
                f"a partial by or of one entry of {name} is not read", column, "put brackets around the partial"
            )
        assert isinstance(found, Value)
        return found

    def _differential_word(self) -> bool:
        """Whether a partial written with d begins here: `dE/du`, `d s_1 / d z_1`."""
        token = self.peek
        if token.kind != "word" or not token.text.startswith("d"):
            return False
        place = self.index + 1
        tokens = self.tokens
        if token.text == "d":
            if tokens[place].kind not in ("word", "(", "{"):
                return False
            while tokens[place].kind in ("(", "{"):
                place += 1
            place += 1
        while tokens[place].kind in ("sub", ")", "}"):
            place += 1
        if tokens[place].kind == "[":
            while tokens[place].kind not in ("]", "end"):
                place += 1
            place += 1
        if place + 1 >= len(tokens) or tokens[place].kind != "/":
            return False
        below = tokens[place + 1]
        if below.kind in ("(", "{"):
            below = tokens[min(place + 2, len(tokens) - 1)]
        return below.kind == "∂" or (below.kind == "word" and below.text.startswith("d"))

    def _with_d(self) -> Formula:
        start = self.peek.start
        above = self._after_d()
        self.take("/", "expected '/' and what it is derived by")
        below, by_d = self._below()
        return self._made(start, above, below, "d", by_d)

    def _partial_fraction(self, start: int) -> Formula | None:
        """The partial of `\\frac{∂E}{∂u}`; None where it is another fraction."""
        if self.peek.kind != "{" or not self._opens_differential(1):
            return None
        index = self.index

        def inside() -> Formula:
            self.take("{", "expected '{'")
            token = self.peek
            above, mark = (self._derived_after_mark(), token.text) if token.kind == "∂" else (self._after_d(), "d")
            self.take("}", "expected '}' after what is derived")
            if self.peek.kind != "{":
                raise self.error(f"unexpected {self.peek}", hint="expected '{' and what it is derived by")
            self.next()
            below, by_d = self._below()
            self.take("}", "expected '}' after what it is derived by")
            return self._made(start, above, below, mark, by_d)

        found = self.attempt(inside)
        if isinstance(found, Formula):
            return found
        if self.tokens[index + 1].kind == "∂" and not self._has_slash(index):
            raise found
        # `\frac{dE/do}{2}` and a name that begins with d are fractions of values.
        other = self.attempt(lambda: Divide(top=self._argument(), bottom=self._argument()))
        if isinstance(other, FormulaError):
            raise found if found.column >= other.column else other
        self.index = index
        return None

    def _has_slash(self, index: int) -> bool:
        """Whether the braces that open at a token hold a '/'."""
        depth = 0
        for token in self.tokens[index:]:
            depth += (token.kind == "{") - (token.kind == "}")
            if token.kind == "/" and depth == 1:
                return True
            if depth == 0:
                return False
        return False

    def _derived_after_mark(self) -> Value:
        self.next()
        return self._derived()

    # --- words -----------------------------------------------------------------------------------------------------

    def _word(self) -> Formula:
        token = self.peek
        text = token.text
        if self._differential_word():
            partial = self.attempt(self._with_d)
            if isinstance(partial, Formula):
                return partial
            if text not in self.scope.spellings:
                raise partial
        if text not in self.scope.spellings:
            word, _, variable = text.partition("_")
            if word in ("sum", "prod", "Sum", "Prod", "Σ", "Π") and (
                variable or (word not in self.scope.functions and self.ahead().kind == "sub") or self._sub_follows()
            ):
                return self._over_time()
            if text in self.scope.functions:
                return self._function()
            special = self._special()
            if special is not None:
                return special
        self.next()
        return self._reference(text, token.start, token.end)

    def _sub_follows(self) -> bool:
        return self.ahead().kind == "sub"

    def _special(self) -> Formula | None:
        """I, e_y."""
        token = self.peek
        if token.text == "I" and "I" not in self.scope.spellings:
            self.next()
            if self.peek.kind == "sub":
                self.next()
            return Call(function="eye", arguments=(), span=(token.start, self.before))
        if token.text == "e" and self.ahead().kind == "sub":
            self.next()
            argument = self._inside(self.next())
            return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        if token.text.startswith("e_"):
            name = token.text[2:]
            if name in self.scope.spellings and "e" not in self.scope.spellings:
                self.next()
                argument = self._reference(name, token.start + 2, token.end)
                return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        return None

    def _function(self) -> Formula:
        token = self.next()
        name = self.scope.functions[token.text]
        if name in ("ones", "eye") and self.peek.kind != "(":
            return Call(function=name, arguments=(), span=(token.start, token.end))
        exponent: Formula | None = None
        while True:
            if self.peek.kind == "'" or (self.peek.kind == "^" and self.ahead().kind == "'"):
                mark = self.next()
                if mark.kind == "^":
                    self.next()
                if name.endswith("'"):
                    raise self.error(
                        "second derivatives are not read", mark.start, "expected a function's slope, as in f'(z)"
                    )
                if name not in ("tanh", "sigmoid", "relu", "exp", "log", "sqrt"):
                    raise self.error(f"{name} has no slope", mark.start, "expected tanh', sigmoid' or relu'")
                name += "'"
            elif self.peek.kind == "^" and self.ahead().kind == "{" and self.ahead(2).kind == "'":
                for _ in range(3):
                    self.next()
                self.take("}", "expected '}'")
                name += "'"
            elif self.peek.kind in ("^n", "^") and exponent is None:
                raised = self.next()
                exponent = self._raised(raised) if raised.kind == "^n" else self.deeper(self.primary)
            else:
                break
        arguments = self._arguments(token, name)
        least, most = self.scope.arguments(name)
        if len(arguments) < least or (most is not None and len(arguments) > most):
            takes = "one argument" if least == 1 else f"{least} arguments"
            raise self.error(f"{name} takes {takes}, not {len(arguments)}", token.start, f"as in {name}(…)")
        call = Call(function=name, arguments=arguments, span=(token.start, self.before))
        return call if exponent is None else Power(base=call, exponent=exponent, span=call.span)

    def _arguments(self, function: Token, name: str) -> tuple[Formula, ...]:
        """What stands in brackets after a function's name; one argument may go without, as in \\tanh z."""
        if self.peek.kind not in _OPENING:
            if self.peek.kind not in _STARTS:
                raise self.error(f"unexpected {self.peek}", hint=f"expected '(' after {name}")
            return (self.deeper(self.power),)
        opening = self.next()
        closing = _OPENING[opening.kind]
        arguments: list[Formula] = []
        if self.peek.kind != closing:
            arguments.append(self.deeper(self.formula))
            while self.peek.kind == ",":
                self.next()
                arguments.append(self.deeper(self.formula))
        self.take(closing, f"expected ',' or {closing!r} to close the {opening.text!r} in column {opening.start + 1}")
        return tuple(arguments)

    # --- sums over time --------------------------------------------------------------------------------------------

    def _over_time(self) -> Formula:
        """Σ_t body, Σ_{t=0}^{1} body, Σ_{k≤t} body; several variables are sums inside each other."""
        token = self.next()
        product = token.kind == "∏" or token.text.lower().startswith(("prod", "π"))
        sign = "∏" if product else "Σ"
        if token.kind == "word" and "_" in token.text:
            lower = [Part(token.text.partition("_")[2], token.start + token.text.index("_") + 1, token.end)]
        else:
            upper_first = self._upper() if self.peek.kind in ("^", "^n") else None
            if self.peek.kind != "sub":
                raise self.error(f"{sign} over what?", token.start, f"expected a timestep's variable, as in {sign}_t")
            sub = self.next()
            lower = self._parts(sub)
            if upper_first is not None:
                self.index -= 1
                return self._bounded(token, product, lower, upper_first)
        if token.kind == "word" and "_" in token.text and self.peek.kind == "sub":
            raise self.error(f"unexpected {self.peek}", hint=f"write {sign}_t")
        upper = self._upper() if self.peek.kind in ("^", "^n") else None
        return self._bounded(token, product, lower, upper)

    def _bounded(self, token: Token, product: bool, lower: list[Part], upper: Part | None) -> Formula:
        if self.peek.kind == "sub":
            self.next()
        around = self.variables
        bounds: list[tuple[str, Moment | None, Moment | None]] = []
        for place, part in enumerate(lower):
            bounds.append(self._bounds(part, upper if place == len(lower) - 1 else None))
            self.variables = (*self.variables, bounds[-1][0])
        body = self.deeper(self.term)
        self.variables = around
        kind = Product if product else Sum
        for variable, first, last in reversed(bounds):
            body = kind(variable=variable, body=body, first=first, last=last, span=(token.start, self.before))
        return body

    def _upper(self) -> Part:
        """The upper bound after `^`."""
        mark = self.next()
        if mark.kind == "^n":
            return Part(plain_power(mark.text), mark.start, mark.end)
        if self.peek.kind == "{":
            opening = self.next()
            while self.peek.kind not in ("}", "end"):
                self.next()
            closing = self.take("}", "expected '}' after the upper bound")
            return Part(plain_index(self.text[opening.end : closing.start]), opening.end, closing.start)
        if self.peek.kind not in ("number", "word"):
            raise self.error(f"unexpected {self.peek}", hint="expected the last timestep, as in Σ_{t=0}^{1}")
        token = self.next()
        return Part(plain_index(token.text), token.start, token.end)

    def _bounds(self, part: Part, upper: Part | None) -> tuple[str, Moment | None, Moment | None]:
        """The variable and its bounds: `t`, `t=0`, `t=0…1`, `k≤t`, `0≤k<t`."""
        text = part.text.replace("\\leq", "≤").replace("\\le", "≤").replace("<=", "≤").replace("\\lt", "<")
        text = text.replace("\\ldots", "…").replace("\\dots", "…").replace("...", "…").replace("..", "…")
        name = r"([^\W\d_]+'*)"
        last = None if upper is None else self._bound(upper.text, upper)
        if match := re.fullmatch(name, text):
            return self._variable(match[1], part), None, last
        if match := re.fullmatch(rf"{name}(?:=|∈)\{{?([^…=]+?)(?:(?:…|,…,)([^…=]+))?\}}?", text):
            variable = self._variable(match[1], part)
            end = last if match[3] is None else self._bound(match[3], part)
            return variable, self._bound(match[2], part), end
        if (match := re.fullmatch(rf"()(){name}([≤<])([^≤<]+)", text)) or (
            match := re.fullmatch(rf"([^≤<]+)([≤<]){name}(?:([≤<])([^≤<]+))?", text)
        ):
            variable = self._variable(match[3], part)
            first = None if not match[1] else self._shifted(self._bound(match[1], part), match[2] == "<", 1)
            end = last if match[5] is None else self._shifted(self._bound(match[5], part), match[4] == "<", -1)
            return variable, first, end
        raise self.error(f"{part.text!r} says no timesteps", part.start, "expected t, t=0 or k≤t")

    @staticmethod
    def _shifted(bound: Moment, strict: bool, by: int) -> Moment:
        return Moment(bound.offset + by, bound.variable) if strict else bound

    def _variable(self, name: str, part: Part) -> str:
        if name in self.variables:
            raise self.error(f"{name} is the variable of a sum around this one", part.start, "choose another letter")
        return name

    def _bound(self, text: str, part: Part) -> Moment:
        bound = self._moment(text)
        if bound is None:
            known = f" or one of {', '.join(self.variables)}" if self.variables else ""
            raise self.error(f"{text!r} is not a timestep", part.start, f"expected a number{known}")
        if not bound.variable and not -1 <= bound.offset < self.scope.steps:
            raise self.error(
                f"there is no timestep {bound.offset}", part.start, f"the timesteps are 0 … {self.scope.steps - 1}"
            )
        return bound

    def _moment(self, text: str) -> Moment | None:
        """A timestep: 1, t, t-1, 1+k, T-1."""
        offset, variable, place = 0, "", 0
        while place < len(text):
            match = _MOMENT.match(text, place)
            if match is None or (place > 0 and not match[1]):
                return None
            sign = -1 if match[1] == "-" else 1
            if match[2][0].isdecimal():
                offset += sign * int(match[2])
            elif match[2] in self.variables and not variable and sign == 1:
                variable = match[2]
            elif match[2] == "T" and "T" not in self.scope.spellings:
                offset += sign * self.scope.steps
            else:
                return None
            place = match.end()
        return Moment(offset, variable) if text else None

    # --- names and indices -----------------------------------------------------------------------------------------

    def _parts(self, token: Token) -> list[Part]:
        """A subscript's parts, between commas."""
        start, end = token.inner
        parts, place, depth = [], start, 0
        for at in range(start, end + 1):
            character = self.text[at] if at < end else ","
            depth += (character in "{([") - (character in "})]")
            if character == "," and depth <= 0 and not (at < end and at > 0 and self.text[at - 1] == "\\"):
                parts.append(Part(plain_index(self.text[place:at]), place, at))
                place = at + 1
        for part in parts:
            if not part.text:
                raise self.error("an empty subscript", part.start, "expected a timestep such as 1 or t-1")
        return parts

    def _indexes(self) -> bool:
        """Whether the '[' here opens an index: a timestep, or a class."""
        closing = self._matching()
        if closing is None:
            return False
        inner = plain_index(self.text[self.peek.end : closing])
        return all(self._is_index(part) for part in inner.split(",")) if inner else True

    def _is_index(self, text: str) -> bool:
        if self._moment(text) is not None or re.fullmatch(r"[+-]?\d+|t'*([+-]\d+)?", text):
            return True
        stem = re.split(r"[\[_]", text)[0].rstrip("0123456789")
        for name in (text, stem):
            own = self.scope.spellings.get(name)
            if own is not None:
                return self.scope.kind(own) in ("constant", "input") and not self.scope.shape(own)
        return bool(re.fullmatch(r"[a-z]'*([+-]\d+)?", text)) and text[0] not in self.scope.spellings

    def _matching(self) -> int | None:
        """Where the bracket that opens here closes."""
        depth = 0
        for token in self.tokens[self.index :]:
            depth += (token.kind == "[") - (token.kind == "]")
            if depth == 0:
                return token.start
        return None

    def _bracket(self) -> list[Part]:
        """The parts of an index in brackets."""
        opening = self.peek
        closing = self._matching()
        assert closing is not None
        while self.peek.start < closing:
            self.next()
        self.next()
        if not plain_index(self.text[opening.end : closing]):
            raise self.error("an empty index", opening.start, "expected a timestep such as s[1]")
        return self._parts(Token("sub", "", opening.start, self.before, (opening.end, closing)))

    def _reference(self, word: str, start: int, end: int, *, whole: bool = False) -> Formula:
        """What a word with the subscripts after it means; several names glued together are a product."""
        parts: list[Part] = []
        bracketed: list[list[Part]] = []
        while True:
            if self.peek.kind == "sub" and not bracketed:
                parts += self._parts(self.next())
            elif self.peek.kind == "[" and self.peek.start == self.before and self._indexes():
                bracketed.append(self._bracket())
            else:
                break
        parts += [part for group in bracketed for part in group]
        tail = self.before if parts else end
        found, errors = self._readings(word, parts, start, tail)
        if len(found) > 1:
            names = " or ".join(describe(formula) for formula in found[:2])
            raise self.error(
                f"{self.text[start:tail]} can be {names}", start, "write the index in brackets, as in s[1]"
            )
        if found:
            return found[0]
        if not whole:
            product = self._glued(word, parts, start, tail)
            if product is not None:
                return product
        if errors:
            raise errors[0]
        raise self._unknown(word, start)

    def _readings(self, word: str, parts: list[Part], start: int, end: int) -> tuple[list[Formula], list[FormulaError]]:
        """The readings of a word as one name with an index that make sense, and what is wrong with the others."""
        found: list[Formula] = []
        errors: list[FormulaError] = []
        for name, index in self._candidates(word, parts, start, end):
            try:
                formula = self._indexed(name, index, start, end)
            except FormulaError as error:
                errors.append(error)
                continue
            if not found or formula != found[0]:
                found.append(formula)
            if found and (not parts or index is parts) and word in self.scope.spellings and len(found) == 1:
                # The name as the network spells it.
                break
        return found, errors

    def _candidates(self, word: str, parts: list[Part], start: int, end: int) -> list[tuple[str, list[Part]]]:
        spellings = self.scope.spellings
        found: list[tuple[str, list[Part]]] = []
        for count in range(min(len(parts), 4), 0, -1):
            texts = [part.text for part in parts[:count]]
            spelled = ["_".join((word, *texts)), "_".join((word + texts[0], *texts[1:])), word + "".join(texts)]
            for name in dict.fromkeys(spelled):
                if name in spellings:
                    found.append((spellings[name], parts[count:]))
        if word in spellings:
            # s_1 is s at t = 1 before it is a name s1; only a name written just so comes first.
            exact = [
                c
                for c in found
                if parts and c[0] == "_".join((word, *(p.text for p in parts[: len(parts) - len(c[1])])))
            ]
            rest = [c for c in found if c not in exact]
            found = [*exact[:1], *([] if exact else [(spellings[word], parts), *rest])]
        elif not found:
            match = re.fullmatch(r"(.*?)_?(\d+)", word) or re.fullmatch(r"(.*?)_([^\W_]+'*)", word)
            if match and match[1] in spellings:
                place = end - 0
                offset = start + (len(word) - len(match[2]))
                index = Part(match[2], offset, min(offset + len(match[2]), place))
                found.append((spellings[match[1]], [index, *parts]))
        return found

    def _indexed(self, name: str, parts: list[Part], start: int, end: int) -> Formula:
        """A name with its index: a timestep first where it has timesteps, entries after that."""
        scope = self.scope
        rest = parts
        t: Moment | None = None
        kind = scope.kind(name)
        timed = False
        if parts and scope.timed(name):
            moment = self._moment(parts[0].text)
            if moment is not None and self._there(name, moment):
                t, rest, timed = moment, parts[1:], True
            elif not self._could_be_entry(name, parts, moment):
                raise self._no_timestep(name, parts[0], moment, start)
        if not timed:
            t = self._bare(name, start)
        value = Value(name=name, t=t, span=(start, parts[0].start if rest and not timed else end))
        if not rest:
            return value
        shape = scope.shape(name)
        if len(rest) > len(shape):
            what = "a single number" if not shape else f"{len(shape)} index{'es' * (len(shape) > 1)} at most"
            raise self.error(
                f"{describe(value)} has no entry {rest[0].text}",
                rest[0].start,
                f"{name} is {what}" if not shape else what,
            )
        for part, size in zip(rest, shape, strict=False):
            if re.fullmatch(r"[+-]?\d+", part.text) and not 0 <= int(part.text) < size:
                raise self.error(f"{name} has no entry {part.text}", part.start, f"its entries are 0 … {size - 1}")
        _ = kind
        return self._entries(value, rest, start, end)

    def _there(self, name: str, moment: Moment) -> bool:
        return bool(moment.variable) or self.scope.exists(name, moment.offset)

    def _could_be_entry(self, name: str, parts: list[Part], moment: Moment | None) -> bool:
        """Whether an index that is no timestep of the name can be an entry of it."""
        scope = self.scope
        shape = scope.shape(name)
        if not shape or len(parts) > len(shape):
            return False
        bare = scope.kind(name) == "parameter" or scope.only(name) is not None
        if not bare:
            return False
        if moment is None:
            return self._is_index(parts[0].text) and self._names_class(parts[0].text)
        return not moment.variable and 0 <= moment.offset < shape[0]

    def _names_class(self, text: str) -> bool:
        stem = re.split(r"[\[_]", text)[0]
        return any(name in self.scope.spellings for name in (text, stem, stem.rstrip("0123456789")))

    def _no_timestep(self, name: str, part: Part, moment: Moment | None, start: int) -> FormulaError:
        scope = self.scope
        if moment is None:
            letter = re.match(r"[^\W\d_]+'*", part.text)
            if letter and part.text[: letter.end()] not in scope.spellings:
                return self.error(
                    f"{letter[0]} is not a timestep here",
                    part.start,
                    f"expected a number, or a sum over it: Σ_{letter[0]}",
                )
            return self.error(f"{part.text!r} is not a timestep", part.start, f"expected a timestep, as in {name}[1]")
        hint = scope.missing(name, moment.offset)
        if scope.kind(name) == "parameter":
            return self.error(f"{name} is not used at t = {moment.offset}", part.start, hint)
        return self.error(f"there is no {name}[{moment.offset}]", part.start, hint)

    def _bare(self, name: str, start: int) -> Moment | None:
        """The timestep of a name without an index."""
        scope = self.scope
        if scope.kind(name) in ("parameter", "constant") or scope.is_total(name):
            return None
        only = scope.only(name)
        if only is not None:
            return Moment(only)
        if name == scope.loss:
            return Moment(int(scope.unrolled.loss_times[0]))
        if scope.times(name) if scope.steps < 1000 else True:
            raise self.error(
                f"which {name}?", start, f"write {name}_t with a timestep: it exists at t = {self._choices(name)}"
            )
        raise self.error(f"{name} is not part of the derivation", start, scope.missing(name, 0))

    def _choices(self, name: str) -> str:
        return self.scope.choices(name) if self.scope.steps < 1000 else f"0 … {self.scope.steps - 1}"

    def _entries(self, base: Formula, parts: list[Part], start: int, end: int | None = None) -> Formula:
        indices = tuple(self._entry(part) for part in parts)
        return Entry(operand=base, indices=indices, span=(start, self.before if end is None else end))

    def _entry(self, part: Part) -> Formula:
        if re.fullmatch(r"\d{1,9}", part.text):
            return Number(value=float(part.text), span=(part.start, part.end))
        return self._sub_formula(part.start, part.end)

    def _inside(self, token: Token) -> Formula:
        """A subscript read as a formula: the y of e_y."""
        return self._sub_formula(*token.inner)

    def _sub_formula(self, start: int, end: int) -> Formula:
        if self.depth >= MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} brackets deep", start)
        inner = _Reader(self.text, self.scope, (start, end), self.variables, self.depth + 1)
        return inner.whole()

    # --- names glued together --------------------------------------------------------------------------------------

    def _glued(self, word: str, parts: list[Part], start: int, end: int) -> Formula | None:
        """`ws_0` as w · s_0, where there is just one such way."""
        if len(word) > MAX_WORD:
            return None
        ways = self._splits(word)
        readings: list[tuple[Formula, ...]] = []
        for way in ways:
            factors: list[Formula] = []
            place = 0
            try:
                for number, piece in enumerate(way):
                    last = number == len(way) - 1
                    stop = end if last else start + place + len(piece)
                    found, errors = self._readings(piece, parts if last else [], start + place, stop)
                    if len(found) != 1:
                        raise errors[0] if errors else self._unknown(piece, start)
                    factors += found
                    place += len(piece)
            except FormulaError:
                continue
            readings.append(tuple(factors))
        if not readings:
            return None
        if len(readings) > 1:
            names = " or ".join(" · ".join(map(describe, reading)) for reading in readings[:2])
            raise self.error(f"{self.text[start:end]} can be {names}", start, "write · between factors")
        factors = list(readings[0])
        joins: tuple[Join, ...] = tuple("as it fits" for _ in factors[1:])
        return Multiply(factors=tuple(factors), joins=joins, span=(start, end))

    def _splits(self, word: str) -> list[list[str]]:
        """Ways to cut a word in two or more names, each with the digits after it; a few at most."""
        spellings = self.scope.spellings
        lengths = sorted({len(name) for name in spellings})
        ways: list[list[list[str]]] = [[] for _ in range(len(word) + 1)]
        ways[len(word)] = [[]]
        for place in range(len(word) - 1, -1, -1):
            for length in lengths:
                stop = place + length
                if stop > len(word) or word[place:stop] not in spellings:
                    continue
                index = re.compile(r"_?\d+|_[^\W\d_](?![^\W_])").match(word, stop)
                stops = [index.end()] if index else [stop]
                for after in stops:
                    ways[place] += [[word[place:after], *rest] for rest in ways[after][:3]]
            ways[place] = ways[place][:6]
        return [way for way in ways[0] if len(way) > 1]

    def _unknown(self, word: str, start: int) -> FormulaError:
        scope = self.scope
        names = list(dict.fromkeys([*scope.network.targets, *scope.spellings.values()]))
        stem = re.sub(r"_?\d+$", "", word) or word
        guess = did_you_mean(stem, [*names, *scope.functions])
        if self.peek.kind == "(" and not guess:
            guess = f"the functions are {', '.join(dict.fromkeys(scope.functions.values()))}"
        if word == "t" or word in self.variables:
            guess = "a timestep stands in an index, as in s_t"
        return FormulaError(
            f"there is no {stem!r} in the network",
            text=self.text,
            column=start,
            hint=guess or f"the names are {', '.join(names[:20])}",
        )


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
