"""Conditions: comparisons of expressions, joined by `and`, `or`, `not`.

    condition   = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" condition ")" | comparison
    comparison  = "phase" ("==" | "!=") ("forward" | "backward")
                | expression sign expression { sign expression }          sign: < <= > >= == !=

A condition holds, does not hold, or cannot be told at a position, because something in it is not computed there;
then it counts as not met, and so does its opposite. Of arrays, a comparison holds where it does for every entry
(and != where == does not).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.quantities import EXAMPLES, Operand, read_operand
from bptt_tui.errors import CommandError

Array = NDArray[Any]

SIGNS: dict[str, Callable[[Array, Array], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_PHASES = ("forward", "backward")
_MISTYPED = {"=": "==", "&": "and", "&&": "and", "|": "or", "||": "or", "!": "not"}
_TOKEN = re.compile(r"\s*(?:(<=|>=|==|!=|[<>])|(and|or|not)(?!\w)|([()])|([^\W\d]\w*|\d[\w.]*|&&|\|\||\S))")
_DEEPEST, _LONGEST = 50, 2000


class Comparison(Struct, frozen=True):
    """`left sign right`."""

    left: Operand
    sign: str
    right: Operand


class InPhase(Struct, frozen=True):
    """`phase == backward`."""

    phase: str


class Not(Struct, frozen=True):
    """The opposite."""

    inner: Condition


class Every(Struct, frozen=True):
    """All of several, with `and`."""

    parts: tuple[Condition, ...]


class Some(Struct, frozen=True):
    """One of several, with `or`."""

    parts: tuple[Condition, ...]


Condition = Comparison | InPhase | Not | Every | Some


def read_condition(scene: Scene, text: str) -> Condition:
    """A condition as typed; CommandError with the column where it cannot be read or names something unknown."""
    if not text.strip():
        raise CommandError("a condition is missing", hint="such as abs(prod) < 1e-6, or t == 3 and phase == backward")
    if len(text) > _LONGEST:
        raise CommandError(f"the condition has {len(text)} characters", hint=f"at most {_LONGEST}")
    return _Reader(scene, text).whole()


def holds(condition: Condition, look: Look) -> bool:
    """Whether a condition is met at a position."""
    return truth(condition, look) is True


def truth(condition: Condition, look: Look) -> bool | None:
    """Whether it holds; None where that cannot be told."""
    if isinstance(condition, Comparison):
        left, right = value_at(condition.left, look), value_at(condition.right, look)
        return None if left is None or right is None else compared(condition.sign, left, right)
    if isinstance(condition, InPhase):
        return None if look.step is None else look.step.phase == condition.phase
    if isinstance(condition, Not):
        inner = truth(condition.inner, look)
        return None if inner is None else not inner
    decisive = isinstance(condition, Some)
    unknown = False
    for part in condition.parts:
        found = truth(part, look)
        if found is decisive:
            return decisive
        unknown |= found is None
    return None if unknown else not decisive


def value_at(operand: Operand, look: Look) -> Array | None:
    """An expression's value at a position; None where something in it is not computed."""
    try:
        return Inspector(look).evaluate(operand.text)
    except CommandError:
        return None


def compared(sign: str, left: Array, right: Array) -> bool | None:
    """Whether all entries compare so (!=: not all are equal); None for shapes that cannot be compared."""
    if left.shape and right.shape and left.shape != right.shape:
        return None
    result = SIGNS[sign](left, right)
    return bool(result.any() if sign == "!=" else result.all())


def told(condition: Condition, look: Look) -> str:
    """What a condition compares, with its values here: `abs(prod) = 3.1e-07`."""
    values: dict[str, str] = {}
    for operand in operands(condition):
        value = value_at(operand, look) if operand.tells else None
        if value is not None:
            values[operand.text] = numerals.array(value, 40)
    return ", ".join(f"{text} = {value}" for text, value in values.items())


def operands(condition: Condition) -> Iterator[Operand]:
    """The expressions of a condition, left to right."""
    if isinstance(condition, Comparison):
        yield condition.left
        yield condition.right
    elif isinstance(condition, Not):
        yield from operands(condition.inner)
    elif isinstance(condition, Every | Some):
        for part in condition.parts:
            yield from operands(part)


class _Token(Struct, frozen=True):
    kind: str  # sign, word, "(", ")", other, end
    text: str
    start: int
    end: int


class _Reader:
    """The tokens of a condition and a place in them. Expressions are handed to the language's own parser."""

    def __init__(self, scene: Scene, text: str) -> None:
        self._scene = scene
        self._text = text
        self._tokens = [*self._scan(), _Token("end", "", len(text), len(text))]
        self._place = 0

    def _scan(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self._text):
            group = match.lastindex or 4
            kind = match[3] if group == 3 else {1: "sign", 2: "word"}.get(group, "other")
            yield _Token(kind, match[group], match.start(group), match.end(group))

    @property
    def _here(self) -> _Token:
        return self._tokens[self._place]

    def _next(self) -> _Token:
        token = self._here
        self._place += 1
        return token

    def _failed(self, token: _Token, expected: str) -> CommandError:
        what = "end of the condition" if token.kind == "end" else repr(token.text)
        place = f"column {token.start + 1}"
        if token.text in _MISTYPED:
            expected = f"write {_MISTYPED[token.text]}"
        return CommandError(f"unexpected {what}", hint=expected, places=(place,))

    def whole(self) -> Condition:
        condition = self._either(0)
        if self._here.kind != "end":
            raise self._failed(self._here, "expected and, or, or the end of the condition")
        return condition

    def _either(self, depth: int) -> Condition:
        parts = [self._both(depth)]
        while self._here.text == "or":
            self._next()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _both(self, depth: int) -> Condition:
        parts = [self._negation(depth)]
        while self._here.text == "and":
            self._next()
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _negation(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise CommandError(f"more than {_DEEPEST} deep", hint="write it in a simpler way",
                               places=(f"column {self._here.start + 1}",))  # fmt: skip
        if self._here.text == "not":
            self._next()
            return Not(self._negation(depth + 1))
        if self._here.kind == "(" and self._is_group():
            self._next()
            inner = self._either(depth + 1)
            if self._here.kind != ")":
                raise self._failed(self._here, "expected and, or, or ')'")
            self._next()
            return inner
        return self._comparison()

    def _is_group(self) -> bool:
        """Whether the parenthesis here holds a condition, not a part of an expression: something is compared in it."""
        depth = 0
        for token in self._tokens[self._place :]:
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth == 0:
                return False
            if token.kind in ("sign", "word"):
                return True
        return False

    def _comparison(self) -> Condition:
        if self._here.text == "phase" and "phase" not in self._scene.unrolled.shapes:
            return self._in_phase()
        left = self._operand()
        if self._here.kind != "sign":
            raise self._failed(self._here, "expected a comparison: < <= > >= == !=")
        parts = []
        while self._here.kind == "sign":
            sign = self._next().text
            right = self._operand()
            parts.append(Comparison(left, sign, right))
            left = right
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _in_phase(self) -> Condition:
        self._next()
        sign = self._next()
        if sign.text not in ("==", "!="):
            raise self._failed(sign, "expected == or !=: phase == backward")
        phase = self._next()
        if phase.text not in _PHASES:
            raise self._failed(phase, "expected forward or backward")
        return InPhase(phase.text) if sign.text == "==" else Not(InPhase(phase.text))

    def _operand(self) -> Operand:
        """The expression up to the next sign, word or closing parenthesis."""
        first, depth = self._here, 0
        while self._here.kind != "end" and (depth or self._here.kind not in ("sign", "word", ")")):
            token = self._next()
            if token.text in _MISTYPED:
                raise self._failed(token, "")
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
        if self._here.start == first.start:
            raise self._failed(first, f"expected an expression, {EXAMPLES}")
        return read_operand(self._scene, self._text[first.start : self._here.start], first.start)
