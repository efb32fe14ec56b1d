"""Reading an answer: a number, an expression over everything known at the position, or an array of both.

What is typed comes with a tolerance: a number is meant as exactly as its digits say (three count as typed at least),
alone or in an expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.debugger.inspect import Inspector
from bptt_tui.errors import BpttError, CommandError

Array = NDArray[Any]

CLOSE = 1e-4  # relative, of a number typed
EXACT = 1e-9  # relative, of an expression

_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ONE = re.compile(rf"[-+−]?\s*{_DIGITS}")
_ENTRY, _BETWEEN = rf"[-+−]?{_DIGITS}", r"[\[\],;\s]"
_ARRAY = re.compile(rf"\[{_BETWEEN}*{_ENTRY}(?:{_BETWEEN}+{_ENTRY})*{_BETWEEN}*\]")  # [1 -2] has two, [1 - 2] none
_LITERAL = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_DECIMAL = re.compile(r"\d\.\d*|\.\d|\de-?\d", re.IGNORECASE)


class Given(Struct, frozen=True):
    """An answer's value in the shape of the truth, and how far from it each entry may lie."""

    value: Array
    halves: Array
    relative: float

    def is_like(self, other: Array) -> bool:
        """Whether this is `other`, as exactly as it was typed."""
        if other.shape != self.value.shape or not np.isfinite(other).all():
            return False
        allowed = np.maximum(self.relative * np.abs(other), self.halves)
        if not self.halves.any() and other.size > 1:
            allowed = np.maximum(allowed, self.relative * np.abs(other).max(initial=0.0))
        return bool((np.abs(self.value - other) <= allowed).all())


def read_answer(text: str, truth: Array, inspector: Inspector) -> Given:
    """An answer in the shape of the truth. CommandError where it cannot be read, or is of another shape."""
    typed = _typed(text)
    if typed is not None:
        value, halves = typed
        return Given(in_shape(value, truth), in_shape(np.broadcast_to(halves, value.shape), truth), CLOSE)
    value = evaluated(text, inspector)
    shaped = in_shape(value, truth)
    return Given(shaped, in_shape(_halves(value, text, inspector), truth), tolerance(text))


def tolerance(text: str) -> float:
    """How far off an answer may be, relative: one in numbers, or one with a decimal in it, is rounded."""
    return CLOSE if _typed(text) is not None or _DECIMAL.search(text) else EXACT


def _typed(text: str) -> tuple[Array, Array] | None:
    """The numbers of `-1.0623`, `[0.3, 0.7]` or `[[1, 2], [3, 4]]`, and half a unit of their last digits."""
    text = text.strip()
    if not (_ONE.fullmatch(text) or _ARRAY.fullmatch(text)):
        return None
    numbers = [re.sub(r"\s", "", number).replace("−", "-") for number in _ONE.findall(text)]
    values, halves = np.array([float(number) for number in numbers]), np.array([_half(number) for number in numbers])
    if not text.startswith("["):
        return values.reshape(()), halves.reshape(())
    return values, halves


def _half(number: str) -> float:
    """Half a unit of the last digit typed, of the third where fewer are."""
    mantissa, _, exponent = number.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0.5 * 10.0 ** (power - len(fraction)) if len(fraction) >= 3 else 0.0
    place = power - len(fraction)
    leading = place + len(digits) - 1
    return float(0.5 * 10.0 ** max(min(place, leading - 2), -320)) * (1 + 1e-9)


def evaluated(text: str, inspector: Inspector) -> Array:
    """The value of an expression, or of an array of them, `[-1/0.2978, 0]`, as its entries one after the other."""
    if _inside(text) is None:
        return inspector.evaluate(text)
    values = []
    for start, end in _entries(text, 0, len(text)):
        if not text[start:end].strip():
            raise CommandError(f"column {start + 1}: an entry of the array is missing", hint="write [0.3, 0.7]")
        value = inspector.evaluate(" " * start + text[start:end])  # so that columns in errors are those of the text
        if value.size != 1:
            raise CommandError(f"{text[start:end].strip()} is not a scalar", hint="each entry of an array is one")
        values.append(float(value.reshape(())))
    return np.array(values)


def _entries(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the entries stand that commas and semicolons separate, those of rows in brackets too."""
    inside = _inside(text[start:end])
    if inside is None:
        yield start, end
        return
    depth, begun = 0, start + inside[0]
    for at in range(begun, start + inside[1]):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0 and text[at] in ",;":
            yield from _entries(text, begun, at)
            begun = at + 1
    yield from _entries(text, begun, start + inside[1])


def _inside(text: str) -> tuple[int, int] | None:
    """What stands between the brackets around a text; None where there are none around all of it."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if end - start < 2 or text[start] != "[" or text[end - 1] != "]":
        return None
    depth = 0
    for at in range(start, end):
        depth += (text[at] == "[") - (text[at] == "]")
        if depth == 0 and at < end - 1:
            return None
    return (start + 1, end - 1) if depth == 0 else None


def _halves(value: Array, text: str, inspector: Inspector) -> Array:
    """How far an expression may lie from its value: each decimal in it by half a unit of its last digit."""
    halves = np.zeros(value.shape)
    for number in _LITERAL.finditer(text):
        moved = f"{float(number[0]) + _half(number[0]):.17g}"
        try:
            there = evaluated(text[: number.start()] + moved + text[number.end() :], inspector)
        except BpttError:
            continue
        halves = halves + np.abs(there - value)
    return np.where(np.isfinite(halves), halves, 0.0)


def in_shape(value: Array, truth: Array) -> Array:
    """The answer in the truth's shape: a slope per entry is a diagonal, a number times the identity a number."""
    value = np.asarray(value, dtype=np.float64)
    square = truth.ndim == 2 and truth.shape[0] == truth.shape[1]
    if value.size == truth.size:
        return value.reshape(truth.shape)
    if square and value.ndim == 1 and len(value) == len(truth):
        return np.diag(value)
    if square and value.ndim == 0:
        return np.eye(len(truth)) * value
    raise CommandError(
        f"the answer has {truth.size} entr{'y' if truth.size == 1 else 'ies'}, not {value.size}",
        hint="of a vector write [0.3, 0.7], of a matrix its rows one after the other",
    )
