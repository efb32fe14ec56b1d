"""Text of a formula → `Statement`, by precedence climbing; errors point at the character and say what was expected.

    statement = formula ("=" | "≈") formula { ("=" | "≈") formula }
    formula   = ["-"] term { ("+" | "-") term }
    term      = product { "⊙" product }
    product   = unary { ("·" | "@" | "⊗" | "/" | nothing) unary }          ⊗ binds its two neighbours first
    unary     = "-" unary | power
    power     = postfix [ "^" unary ]
    postfix   = primary { "ᵀ" | "'" | raised number | index }
    primary   = number | partial | value | fraction | function | sum | array | "(" formula ")"
    array     = "[" formula { ("," | ";") formula } "]"          in round brackets with two entries at least
    sum       = ("Σ" | "∏") bounds term               everything up to the end of its term is inside

    ∂E/∂u · (x₁ + w)        dE/du * (x1 + w)        \\frac{\\partial E}{\\partial u} \\left(x_1 + w\\right)

A name is what the network makes of it. Where a text can be read in two ways, the one that makes sense in the network is
taken, and where both do, the error names them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TypeGuard

from msgspec.structs import replace

from bptt_tui.derivation.formulas.arrays import Arrays
from bptt_tui.derivation.formulas.indices import shortened
from bptt_tui.derivation.formulas.parts import children, describe, walk, with_article
from bptt_tui.derivation.formulas.scanner import Token
from bptt_tui.derivation.formulas.scope import Scope, Traced
from bptt_tui.derivation.formulas.tokens import CLOSING
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
    Statement,
    Transpose,
    Value,
)
from bptt_tui.derivation.formulas.words import STARTS
from bptt_tui.errors import FormulaError

if TYPE_CHECKING:
    from bptt_tui.network import Unrolled
    from bptt_tui.session import Session

# Letters that a left side may leave open: ∂s_t/∂s_k has two.
MAX_OPEN = 2
OPEN_TIMESTEP = re.compile(r"(\S+) is not a timestep here")
# How deep a tree may be: a / b / c / … is as deep as it is long.
MAX_OPERATIONS = 60
_JOINS: dict[str, Join] = {"·": "as it fits", "@": "matrix"}


def read(text: str, network: Unrolled | Session | Traced | Scope) -> Statement:
    """The chain of equalities that `text` states about a network. Raises FormulaError with the column in `text`.

    A letter in an index of the left side, which no sum is over, stands for every timestep: ∂s_t/∂s_{t−1} = …
    """
    scope = Scope.of(network)
    variables: tuple[str, ...] = ()
    while True:
        try:
            statement = _Reader(text, scope, variables=variables).statement()
        except FormulaError as error:
            opened = OPEN_TIMESTEP.match(error.reason)
            if opened is None or error.column > text.find("=") or len(variables) == MAX_OPEN:
                raise
            variables = (*variables, opened[1])
        else:
            return replace(statement, variables=variables) if variables else statement


def read_formula(text: str, network: Unrolled | Session | Traced | Scope, variables: tuple[str, ...] = ()) -> Formula:
    """A formula alone, without an equals sign: one side of a statement, or, with `variables`, the inside of a sum."""
    return _Reader(text, Scope.of(network), variables=variables).whole()


class _Reader(Arrays):
    """A statement, from its equals signs down to its factors."""

    # --- statements ------------------------------------------------------------------------------------------------

    def statement(self) -> Statement:
        """Members joined by equals signs, the first of them a partial or a value that the network computes.

        Numbers are compared to the digits written, so that before them ≈ says the same.
        """
        if self.peek.kind == "end":
            raise self.error("there is no formula", hint=f"write one, such as {self._example()}")
        members = [self.formula()]
        self._check_left(members[0])
        while self.peek.kind in ("=", "≈"):
            sign = self.next()
            if self.peek.kind == "end":
                raise self.error(f"nothing follows the last '{sign.kind}'", hint="expected what the left side equals")
            members.append(self.formula())
            if sign.kind == "≈" and any(isinstance(part, Value | Partial) for part in walk(members[-1])):
                raise self.error(
                    "'≈' stands before a number, not before a formula",
                    sign.start,
                    "it is exact or it is not: write '='",
                )
        self._finish()
        if len(members) == 1:
            raise self.error("expected '=' and what the left side equals", hint=f"as in {self._example()}")
        self._check_indices(members)
        return Statement(self.text, tuple(self._checked(member) for member in members))

    def _check_indices(self, members: list[Formula]) -> None:
        """Refuse o[0] for an entry beside o[1] for a timestep: whoever writes both means the same by both."""
        entries: dict[str, Entry] = {}
        times: dict[str, Value] = {}
        for part in (part for member in members for part in walk(member)):
            if isinstance(part, Entry) and isinstance(part.operand, Value):
                if self._is_bracketed(part, part.operand.name):
                    entries.setdefault(part.operand.name, part)
            elif isinstance(part, Value) and self._is_bracketed(part, part.name):
                times.setdefault(part.name, part)
        for name in entries.keys() & times.keys():
            entry, value = entries[name], times[name]
            shown = [self.text[slice(*part.span)] for part in (entry, value)]
            raise self.error(
                f"{shown[0]} is an entry of {name}, and {shown[1]} is {name} at a timestep",
                max(entry.span[0], value.span[0]),
                f"write the timestep below: {name}_{self.scope.steps - 1}[0]",
            )

    def _is_bracketed(self, part: Formula, name: str) -> bool:
        """Whether a part is written as a name with one number in brackets."""
        return re.fullmatch(rf"{re.escape(name)}\s*\[\s*\d+\s*\]", self.text[slice(*part.span)]) is not None

    def _check_left(self, left: Formula) -> None:
        """A partial, a node, or an entry of one."""
        value = left.operand if isinstance(left, Entry) else left
        if isinstance(value, Partial):
            return
        start, end = left.span
        written = shortened(self.text[start:end].strip())
        if not isinstance(value, Value):
            hint = f"expected what is derived, as in {self._example()}, or one value, as in {self._computed()} = …"
            raise self.error(f"the left side {written} is not a partial", start, hint)
        kind = self.scope.kind(value.name)
        if kind != "node" or (value.t is not None and not value.t.variable and value.t.offset < 0):
            kind = "initial value" if kind == "node" else kind
            hint = f"judged is what is computed, such as {self._computed()}, or derived, such as {self._example()}"
            raise self.error(f"the left side {written} is {with_article(kind)} and given", start, hint)

    def _computed(self) -> str:
        """A node, for a hint."""
        scope = self.scope
        name = next((name for name in scope.network.targets if name != scope.loss), scope.loss)
        return describe(Value(name=name, t=Moment(scope.times(name)[-1] if scope.steps < 1000 else 0)))

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
        if token.kind == "|":
            raise self.error("'|' is not read", hint="write ∂⁺ for a partial with everything else held")
        if token.kind in (")", "]", "}"):
            raise self.error(f"this {token} closes nothing", hint="remove it, or open it where it should begin")
        raise self.error(f"unexpected {token}", hint="expected an operator, '=' or the end of the formula")

    def _checked(self, formula: Formula) -> Formula:
        """A tree shallow enough for every walk over it to be a plain recursion."""
        level = [formula]
        for _ in range(MAX_OPERATIONS):
            level = [part for whole in level for part in children(whole)]
            if not level:
                return formula
        raise self.error(
            f"more than {MAX_OPERATIONS} operations deep", level[0].span[0], "judge its parts one at a time"
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
            last = factors[-1]
            if self._goes_on(last):
                factors[-1:] = last.factors
                joins.extend(last.joins)
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
            elif kind in STARTS:
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
                divided = False
            else:
                return whole()

    def _goes_on(self, factor: Formula) -> TypeGuard[Multiply]:
        """Whether a factor is a Π and what is behind it, not in brackets of their own."""
        if not isinstance(factor, Multiply) or not isinstance(factor.factors[0], Product):
            return False
        return "elementwise" not in factor.joins and not self.text[: factor.span[0]].rstrip().endswith(("(", "[", "{"))

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
        return not isinstance(base, Value | Number) or self.tokens[self.index - 1].kind in CLOSING.values()

    def _above(self, base: Formula, start: int) -> Formula:
        """What follows `^`: a mark for the transpose, or an exponent."""
        if self._transposes():
            return Transpose(operand=base, span=(start, self.before))
        around, self.raising = self.raising, True
        exponent = self.deeper(self.unary)
        self.raising = around
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
        if token.kind in ("[", "(") and self._opens_array():
            return self._array()
        if token.kind in CLOSING:
            return self._group()
        if token.kind == "frac":
            return self._fraction()
        if token.kind in ("Σ", "∏"):
            return self._over_time()
        if token.kind == "∇":
            return self._nabla()
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

    def _nabla(self) -> Formula:
        """∇_{h_t} E, the gradient by what stands below."""
        start = self.next().start
        if self.peek.kind != "sub":
            raise self.error("∇ by what?", start, f"write ∇_{{h_1}} {self.scope.loss}, or ∂{self.scope.loss}/∂h_1")
        below = self._inside(self.next())
        if not isinstance(below, Value):
            raise self.error("∇ is by one name", below.span[0], f"write ∂{self.scope.loss}/∂…")
        return self._made(start, self._derived(), below, "∂", False)

    def _number(self) -> Formula:
        token = self.next()
        if token.text == "1" and self.peek.kind == "sub" and self.peek.start == token.end:
            return self._ones(token)
        value = float(token.text)
        if not math.isfinite(value):
            raise self.error(f"the number {shortened(token.text)} is too large", token.start, "at most about 1.8e308")
        return Number(value=value, span=(token.start, token.end))

    def _ones(self, token: Token) -> Formula:
        """𝟏, a vector of ones, or 𝟏_y, the one-hot vector of a class."""
        if self.peek.kind == "sub":
            argument = self._inside(self.next())
            return Call(function="onehot", arguments=(argument,), span=(token.start, self.before))
        return Call(function="ones", arguments=(), span=(token.start, token.end))
