"""Which entries of an array of numbers are wrong, and in what way: the sign, the decimal point, another's value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.derivation.formulas.tree import Formula, Matrix, Negate, Transpose
from bptt_tui.derivation.judging.verdict import EntryVerdict

Array = NDArray[Any]
# Which entries are right, were these due.
Agrees = Callable[[Array], Array]

# So many digits off a decimal point may be, and so much of a number is still called near it.
MAX_POWER = 6
NEAR = 0.05
# Significant digits from which on a number tells whose value it is.
TELLING = 2
# Of more entries than this that lie near a number none is told to be the one it belongs to.
MAX_ALIKE = 8


def wrong_entries(
    given: Array, due: Array, digits: Array, agrees: Agrees, spans: Array | None
) -> tuple[EntryVerdict, ...]:
    """The entries that are not right, row by row. `spans` holds the number of each entry's span, `given`'s shape."""
    right = agrees(due)
    found = []
    remarks = {place: remark for place, remark in _remarks(given, due, digits, agrees, ~right) if not right[place]}
    for place in map(tuple, np.argwhere(~right).tolist()):
        span = None if spans is None else spans[place]
        index = tuple(i for i, length in zip(place, due.shape, strict=True) if length > 1)
        found.append(EntryVerdict(index, float(given[place]), float(due[place]), span, remarks.get(place, "")))
    return tuple(found)


def spans_like(member: Formula, value: Array, matched: Callable[[Array], Array | None]) -> Array | None:
    """The spans of a member's entries in the shape of the left side; None where there are none."""
    spans = _spans(member, value.shape[1:])
    if spans is None:
        return None
    numbers = np.arange(spans.size, dtype=float).reshape(spans.shape)
    fitted = matched(np.broadcast_to(numbers, value.shape))
    return None if fitted is None else spans.reshape(-1)[fitted[0].astype(int)]


def _spans(member: Formula, shape: tuple[int, ...]) -> Array | None:
    """Where every entry of an array stands, in the shape of its value; None where the member is no array."""
    if isinstance(member, Negate):
        return _spans(member.operand, shape)
    if isinstance(member, Transpose):
        inside = _spans(member.operand, shape[::-1])
        return None if inside is None else inside.T
    if not isinstance(member, Matrix):
        return None
    found = np.empty(len(member.entries), dtype=object)
    found[:] = [entry.span for entry in member.entries]
    return found.reshape(shape)


def _remarks(
    given: Array, due: Array, digits: Array, agrees: Agrees, wrong: Array
) -> Iterator[tuple[tuple[int, ...], str]]:
    """What is the matter with an entry, the likeliest last: it overwrites those before it."""
    told = np.abs(digits) >= TELLING
    with np.errstate(all="ignore"):
        off = np.abs(given - due) / np.abs(due)
    yield from _where(off <= NEAR, lambda place: f"it is off by {_percent(float(off[place]))}")
    for place in map(tuple, np.argwhere(wrong & told & (given != 0)).tolist()):
        other = _whose(place, given, due, agrees)
        if other is not None:
            yield place, f"that is entry {list(other)}"
    yield from _where(agrees(due / 2) & told & (due != 0), lambda _: "it is half of that")
    yield from _where(agrees(due * 2) & told & (due != 0), lambda _: "it is twice that")
    for power in [p for size in range(MAX_POWER, 0, -1) for p in (size, -size)]:
        times = f"10 times too {'large' if power > 0 else 'small'}" if abs(power) == 1 else _times(power)
        for sign, lead in ((-1, "the sign is wrong, and it is "), (1, "it is ")):
            match = agrees(sign * due * 10.0**power) & told & (due != 0)
            yield from _where(match, lambda _, lead=lead, times=times: lead + times)  # type: ignore[misc]
    yield from _where(agrees(-due) & (due != 0), lambda _: "the sign is wrong")


def _where(match: Array, remark: Callable[[tuple[int, ...]], str]) -> Iterator[tuple[tuple[int, ...], str]]:
    for place in map(tuple, np.argwhere(match).tolist()):
        yield place, remark(place)


def _whose(place: tuple[int, ...], given: Array, due: Array, agrees: Agrees) -> tuple[int, ...] | None:
    """The only other entry that has this value; before all, the one across the diagonal."""
    turned = place[::-1] if due.shape[0] == due.shape[1] else None
    near = list(map(tuple, np.argwhere(np.abs(given[place] - due) <= NEAR * np.abs(due)).tolist()))
    alike = []
    for other in near if len(near) <= MAX_ALIKE else [other for other in near if other == turned]:
        moved = due.copy()
        moved[place] = due[other]
        if other != place and agrees(moved)[place]:
            alike.append(other)
    if turned in alike:
        alike = [turned]
    if len(alike) != 1:
        return None
    return tuple(i for i, length in zip(alike[0], due.shape, strict=True) if length > 1)


def _times(power: int) -> str:
    return f"{10 ** abs(power):,} times too {'large' if power > 0 else 'small'}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
