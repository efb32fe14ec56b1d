"""Numbers as a session carries them: finite numbers and lists of equal length, never anything else.

`plain` is the one gate. What a file says and what a Python caller hands over (arrays included) both pass it,
so a session cannot hold a NaN, a ragged list or a truth value, and every refusal names the entry:
`parameters.w[1]`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bptt_tui.calculus.shapes import shape_text
from bptt_tui.errors import SessionError
from bptt_tui.session.checking import mapping
from bptt_tui.session.format import Value, Values
from bptt_tui.session.structure import join

MAX_AXES = 3  # time, rows, columns
EXACT = 2**53  # the integers a double holds exactly


def plain(value: object, place: str) -> Value:
    """`value` as a number or nested lists of numbers, at most three levels deep.

    Integers stay integers, so that a class index is written back as `0`; those that a double cannot hold
    exactly become the nearest double, which the trace computes with. Raises SessionError with the place.
    """
    checked, _ = _checked(value, place, MAX_AXES)
    return checked


def plain_values(values: Mapping[str, object], place: str) -> Values:
    """`plain` for every named value of a session's field `place`."""
    return {name: plain(value, join(place, name)) for name, value in mapping(values, place).items()}


def shape_of(value: Value) -> tuple[int, ...]:
    """The shape of a value that passed `plain`: `()`, `(n,)`, `(m, n)` or `(T, m, n)`."""
    shape: list[int] = []
    inner: object = value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0]
    return tuple(shape)


def _checked(value: object, place: str, axes: int) -> tuple[Value, tuple[int, ...]]:
    if hasattr(value, "tolist"):  # a NumPy array or scalar, known without importing NumPy
        value = value.tolist()
    if isinstance(value, list | tuple):
        return _checked_list(value, place, axes)
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = "a boolean" if isinstance(value, bool) else type(value).__name__
        raise SessionError(f"expected a number or a list of numbers, got {kind}", places=(place,))
    return _finite(value, place), ()


def _checked_list(items: Sequence[object], place: str, axes: int) -> tuple[Value, tuple[int, ...]]:
    if not items:
        raise SessionError("an empty list holds no numbers", places=(place,))
    if axes == 0:
        raise SessionError(f"more than {MAX_AXES} levels of lists", places=(place,))
    if set(map(type, items)) == {float} and all(map(math.isfinite, items)):  # type: ignore[arg-type]
        return list(items), (len(items),)  # type: ignore[arg-type]
    first, shape = _checked(items[0], f"{place}[0]", axes - 1)
    checked = [first]
    for index in range(1, len(items)):
        entry, entry_shape = _checked(items[index], f"{place}[{index}]", axes - 1)
        if entry_shape != shape:
            raise SessionError(
                f"{_size(entry_shape)} where {place}[0] has {_size(shape)}",
                hint="all rows of an array have the same length",
                places=(f"{place}[{index}]",),
            )
        checked.append(entry)
    return checked, (len(checked), *shape)  # type: ignore[return-value]


def _finite(value: int | float, place: str) -> int | float:
    if isinstance(value, int) and abs(value) <= EXACT:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        shown = "NaN" if math.isnan(number) else "a number beyond the largest double (1.8e308)"
        raise SessionError(f"{shown} is not a finite number", places=(place,))
    return number


def _size(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a single number"
    return shape_text(shape) + (" numbers" if shape != (1,) else " number")
