"""Where a running debugger stops: breakpoints at steps that are meant and conditions that hold, watches at changes.

Whether a stop is hit at a position depends on the position alone, so that going forward and in reverse meet the same
ones. They are searched for in chunks of positions that grow, with arrays where conditions allow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.calculus.shapes import Mismatch
from bptt_tui.debugger.blocks import ENTRIES
from bptt_tui.debugger.conditions import Condition, Every, holds, read_condition, told, value_at
from bptt_tui.debugger.digests import digests
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moments import Stretch, Unknown
from bptt_tui.debugger.pace import Interrupt, StoppedError, Tell
from bptt_tui.debugger.patterns import Pattern, all_kinds, read_pattern
from bptt_tui.debugger.quantities import Operand, read_operand
from bptt_tui.debugger.sweep import Sweep
from bptt_tui.debugger.timeline import Ints, Mask
from bptt_tui.errors import CommandError

Array = NDArray[Any]
_FIRST_CHUNK, _GROWTH, _FEWEST = 1024, 8, 16
_MOST_WORK = 1 << 28  # numbers gone through in a chunk: about a second


class Stop(Struct, frozen=True):
    """A breakpoint (`pattern`) or a watch (`watched`), as given in `text`. `ignore` hits are passed over first."""

    number: int
    kind: Literal["breakpoint", "watch", "until"]
    text: str
    pattern: Pattern | None = None
    watched: Operand | None = None
    condition: Condition | None = None
    enabled: bool = True
    temporary: bool = False
    hits: int = 0
    ignore: int = 0

    @property
    def place(self) -> str:
        """The text without the condition."""
        return split_condition(self.text)[0]

    def conditioned(self, scene: Scene, text: str) -> Stop:
        """With another condition; none where `text` is empty."""
        condition = read_condition(scene, text) if text else None
        whole = " ".join(part for part in (self.place, f"if {text}" if text else "") if part)
        if not whole:
            raise CommandError(f"{self.kind} {self.number} has nothing but its condition", hint=f"delete {self.number}")
        return replace(self, condition=condition, text=whole)


def split_condition(text: str) -> tuple[str, str | None]:
    """What stands before `if`, and the condition behind it; None where there is no `if`."""
    match = re.search(r"(?:^|\s)if(?=\s|\(|$)", text)
    return (text.strip(), None) if match is None else (text[: match.start()].strip(), text[match.end() :].strip())


def read_breakpoint(scene: Scene, text: str, number: int, *, temporary: bool = False) -> Stop:
    """`NODE|PATTERN [if CONDITION]` or `if CONDITION`."""
    place, condition = split_condition(text)
    pattern = read_pattern(scene, place) if place else None
    read = None if condition is None else read_condition(scene, condition)
    return Stop(number, "breakpoint", text.strip(), pattern, None, read, temporary=temporary)


def read_watch(scene: Scene, text: str, number: int) -> Stop:
    """`EXPR [if CONDITION]`."""
    expression, condition = split_condition(text)
    if not expression:
        raise CommandError("watch what?", hint="watch dE/dw, watch norm(dE/ds), watch s[3]")
    read = None if condition is None else read_condition(scene, condition)
    return Stop(number, "watch", text.strip(), None, read_operand(scene, expression), read)


def is_hit(stop: Stop, look: Look) -> bool:
    """Whether a stop is hit at a position, whatever is enabled or ignored."""
    step = look.step
    if step is None or look.factor:
        return False
    if stop.pattern is not None and not stop.pattern.covers(step):
        return False
    if stop.watched is not None and not _differs(*_before_and_here(stop.watched, look)):
        return False
    return stop.condition is None or holds(stop.condition, look)


def reason(stop: Stop, look: Look) -> str:
    """Why a stop is one, in words."""
    name = "until" if stop.kind == "until" else f"{stop.kind} {stop.number}"
    values = "" if stop.condition is None else told(stop.condition, look)
    if stop.watched is not None:
        before, here = _before_and_here(stop.watched, look)
        old = "not yet" if before is None else numerals.array(before, 40)
        new = "?" if here is None else numerals.array(here, 40)
        values = f"{stop.watched.text} = {old} → {new}" + (f", {values}" if values else "")
    return f"{name} at {here_label(look)}" + (f": {values}" if values else "")


def here_label(look: Look) -> str:
    """What the step just taken computed: s₃, ∂E/∂s₃."""
    assert look.step is not None
    label = look.scene.step_ref(look.step).label
    naming = look.scene.naming
    return label if look.step.phase == "forward" else naming.partial(naming.total(), label)


def _before_and_here(watched: Operand, look: Look) -> tuple[Array | None, Array | None]:
    return value_at(watched, Look(look.scene, look.position - 1)), value_at(watched, look)


def _differs(before: Array | None, here: Array | None) -> bool:
    """Whether a value has come to be known, or is another one; NaN is no change from NaN."""
    if here is None or before is None:
        return here is not None
    return before.shape != here.shape or not np.array_equal(before, here, equal_nan=True)


# --- searching ---------------------------------------------------------------------------------------------------


class Found(Struct, frozen=True):
    """Where a run ends (None: nowhere), the stops it ends at, and all of them with their hits counted."""

    position: int | None
    reached: tuple[Stop, ...]
    stops: tuple[Stop, ...]


def search(
    scene: Scene, stops: Sequence[Stop], low: int, high: int, *, back: bool, interrupt: Interrupt, tell: Tell = None
) -> Found:
    """The first position of low … high (back: the last) at which an enabled stop is hit and not ignored.

    `tell` is given the share of the positions searched, now and then.
    """
    run = _Run(scene, back, interrupt)
    counted = {stop.number: stop for stop in stops}
    active = [stop.number for stop in stops if stop.enabled]
    most = run.longest([counted[number] for number in active])
    for first, last in run.chunks(low, high, most) if active else ():
        if tell is not None:
            tell((high - last if back else first - low) / (high - low + 1))
        hits = {number: run.hits(counted[number], first, last) for number in active}
        ends = [hits[n][counted[n].ignore] for n in active if len(hits[n]) > counted[n].ignore]
        end = None if not ends else int(max(ends) if back else min(ends))
        reached = []
        for number, places in hits.items():
            stop = counted[number]
            count = len(places)
            if end is not None:
                count = int(np.count_nonzero(places >= end if back else places <= end))
            if count > stop.ignore:
                reached.append(number)
            counted[number] = replace(stop, hits=stop.hits + count, ignore=max(stop.ignore - count, 0))
        if end is not None:
            found = tuple(counted[number] for number in reached)
            return Found(end, found, tuple(counted.values()))
    return Found(None, (), tuple(counted.values()))


class _Run:
    """One search: its scene, its direction, and whom to ask whether to go on."""

    def __init__(self, scene: Scene, back: bool, interrupt: Interrupt) -> None:
        self.scene = scene
        self.back = back
        self.interrupt = interrupt
        self.sweep = Sweep(scene, self.ask)

    def longest(self, stops: Iterable[Stop]) -> int:
        """How many positions can be looked at together."""
        asked = [(stop.condition, stop.watched) for stop in stops]
        width = max((self.sweep.extents.width(*each) for each in asked), default=1)
        work = max((self.sweep.extents.work(*each) for each in asked), default=1)
        return min(max(min(ENTRIES // 4 // width, _MOST_WORK // work), _FEWEST), ENTRIES // 16)

    def chunks(self, low: int, high: int, most: int) -> Iterator[tuple[int, int]]:
        """low … high in pieces that grow to `most` positions, nearest first."""
        length = min(_FIRST_CHUNK, most)
        while low <= high:
            self.ask()
            piece = (max(high - length + 1, low), high) if self.back else (low, min(low + length - 1, high))
            yield piece
            low, high = (low, piece[0] - 1) if self.back else (piece[1] + 1, high)
            length = min(length * _GROWTH, most)

    def ask(self) -> None:
        """Leave, if somebody wants the search to end."""
        if self.interrupt is not None and self.interrupt():
            raise StoppedError("interrupted", hint="the debugger stays where it was")

    def hits(self, stop: Stop, low: int, high: int) -> Ints:
        """The positions low … high at which a stop is hit, nearest first; perhaps no more than end the search."""
        places = self._changes(stop, low, high) if stop.watched is not None else self._places(stop, low, high)
        ascending = np.sort(places)
        return ascending[::-1] if self.back else ascending

    def _stretches(self, low: int, high: int, pattern: Pattern | None = None) -> Iterator[Stretch]:
        kinds = all_kinds(self.scene) if pattern is None else pattern.kinds(self.scene)
        for kind, name, phase in kinds:
            stretch = self.sweep.stretch(kind, name, phase).between(low, high)
            if pattern is not None and pattern.t is not None and stretch.t is not None:
                stretch = stretch.at(stretch.t == pattern.t)
            if len(stretch.positions):
                yield stretch

    def _places(self, stop: Stop, low: int, high: int) -> Ints:
        """Where a breakpoint is hit."""
        found = [np.empty(0, dtype=np.int64)]
        for stretch in self._stretches(low, high, stop.pattern):
            found.append(self._met(stop.condition, stretch).positions)
        return np.concatenate(found)

    def _met(self, condition: Condition | None, stretch: Stretch) -> Stretch:
        """The part of a stretch where a condition holds; what is joined by `and` is asked where the rest holds."""
        parts = () if condition is None else condition.parts if isinstance(condition, Every) else (condition,)
        for part in parts:
            if len(stretch.positions):
                stretch = stretch.at(self.sweep.met(part, stretch))
        return stretch

    def _changes(self, stop: Stop, low: int, high: int) -> Ints:
        """Where a watched expression changes."""
        assert stop.watched is not None
        events = self.sweep.events(stop.watched)
        if events is not None:
            first, last = np.searchsorted(events, [low, high + 1])
            events = events[first:last]
            places = events[self._changed_at(stop.watched, events)]
        else:
            places = low + np.flatnonzero(self._changed_within(stop.watched, low, high))
        if stop.condition is None or not len(places):
            return places
        return np.intersect1d(places, self._places(replace(stop, watched=None), low, high))

    def _changed_at(self, watched: Operand, positions: Ints) -> Mask:
        """Whether an expression that does not follow the present changes at the step to each position."""
        if not len(positions):
            return np.zeros(0, dtype=np.bool_)
        both = [Stretch("total", "", "forward", None, places) for places in (positions - 1, positions)]
        try:
            (before, knew, _), (after, knows, _) = (self._rows(watched, stretch) for stretch in both)
        except (Unknown, Mismatch):
            return np.zeros(len(positions), dtype=np.bool_)
        return np.asarray(knows & ~(knew & _equal(before, after)))

    def _changed_within(self, watched: Operand, low: int, high: int) -> Mask:
        """Whether an expression changes at the step to each of low … high."""
        count = high - low + 2
        rows: Array | None = None
        known = np.zeros(count, dtype=np.bool_)
        shapes: dict[tuple[int, ...], int] = {}
        kinds = np.full(count, -1)
        for stretch in self._stretches(low - 1, high):
            try:
                values, knows, shape = self._rows(watched, stretch)
            except (Unknown, Mismatch):
                continue
            places = stretch.positions - (low - 1)
            if rows is None or values.shape[1] > rows.shape[1]:
                wider = np.zeros((count, values.shape[1]), values.dtype)
                if rows is not None:
                    wider[:, : rows.shape[1]] = rows
                rows = wider
            rows[places, : values.shape[1]] = values
            known[places] = knows
            kinds[places] = shapes.setdefault(shape, len(shapes))
        if rows is None:
            return known[1:]
        begun = value_at(watched, Look(self.scene, 0)) if low == 1 else None  # no step leads to position 0
        if begun is not None:
            row, shape = self._row(watched, begun)
            if shapes.get(shape) == kinds[1]:
                rows[0, : row.size], known[0], kinds[0] = row, True, kinds[1]
        same = (kinds[1:] == kinds[:-1]) & _equal(rows[:-1], rows[1:])
        return np.asarray(known[1:] & ~(known[:-1] & same))

    def _rows(self, watched: Operand, stretch: Stretch) -> tuple[Array, Mask, tuple[int, ...]]:
        """An expression's values over a stretch, one row each, where they are known, and their shape.

        Of large values, their digests, which differ for different shapes.
        """
        if self.sweep.extents.digested(watched):
            rows, known = self.sweep.digest(watched, stretch)
            return rows, known, ()
        over = self.sweep.over(watched, stretch)
        count = len(stretch.positions)
        rows = np.broadcast_to(over.value, (count, *over.shape)).reshape(count, -1)
        return rows, np.broadcast_to(np.asarray(over.known), (count,)), over.shape

    def _row(self, watched: Operand, value: Array) -> tuple[Array, tuple[int, ...]]:
        """The row and the shape of one value."""
        if self.sweep.extents.digested(watched):
            return digests(value, value.ndim), ()
        return value.reshape(-1), value.shape


def _equal(before: Array, after: Array) -> Mask:
    same = np.asarray((before == after) | (np.isnan(before) & np.isnan(after)))
    return np.asarray(same.all(axis=1))
