"""Running a recurrence: a fixed list of calls per timestep, over views made once.

Inside a recurrence every timestep costs one NumPy call per operation and nothing else, so the views of all
arguments and results are made beforehand (`list(array)` makes them several times faster than indexing), a block
of timesteps at a time so that they take no memory to speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.network.timesteps import Index, Timesteps

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]
BLOCK = 256


class Column(Struct, frozen=True):
    """One argument over time: row r of a call sees `array[index[r]]`, or `array` itself where it does not vary.

    `cells`: scalars arrive as arrays of one element, otherwise as arrays without axes. Either is a view, never a
    number: what a recurrence reads is often not computed yet when the views are made.
    """

    array: Array
    index: Index | None
    cells: bool = True

    def block(self, start: int, stop: int) -> Iterable[Any]:
        """The views for rows start … stop-1."""
        if self.index is None:
            return repeat(self.array)
        if isinstance(self.index, slice):
            rows = self.array[self.index.start + start : self.index.start + stop]
            if rows.ndim > 1:
                return list(rows)
            return list(rows.reshape(-1, 1)) if self.cells else [rows[i, ...] for i in range(len(rows))]
        array = self.array.reshape(-1, 1) if self.array.ndim == 1 and self.cells else self.array
        return [array[i, ...] for i in self.index[start:stop]]


class Step(Struct, frozen=True):
    """One call per timestep of `equation`: f(*columns), the last column the result."""

    equation: int
    function: Callable[..., Any]
    columns: tuple[Column, ...]

    def calls(self, views: _Views) -> Iterator[tuple[Any, ...]]:
        """The arguments of each call, one for every row of `views`."""
        if all(column.index is None for column in self.columns):
            return repeat(tuple(column.array for column in self.columns), views.count)
        return zip(*(views.of(column) for column in self.columns), strict=False)


class _Views:
    """The views of some rows, made once for every column that sees the same array."""

    def __init__(self, start: int, stop: int) -> None:
        self._rows = start, stop
        self.count = stop - start
        self._made: dict[tuple[int, int, int, bool], Iterable[Any]] = {}

    def of(self, column: Column) -> Iterable[Any]:
        if not isinstance(column.index, slice):
            return column.block(*self._rows)
        key = id(column.array), column.index.start, column.index.stop, column.cells
        if key not in self._made:
            self._made[key] = column.block(*self._rows)
        return self._made[key]


def run(
    steps: Sequence[Step],
    times: Sequence[Timesteps],
    *,
    backward: bool = False,
    progress: Advance | None = None,
) -> None:
    """Run all steps at each timestep in order (last to first if `backward`), as far as their equation's node exists.

    `progress` is told how many timesteps have been done since the last time; it may raise to cancel.
    """
    if not steps:
        return
    first = times[steps[0].equation]
    if all(times[step.equation] == first for step in steps):
        functions = [step.function for step in steps]
        for start, stop in _blocks(first.count, backward):
            views = _Views(start, stop)
            rows = list(zip(*(step.calls(views) for step in steps), strict=True))
            for row in reversed(rows) if backward else rows:
                for function, arguments in zip(functions, row):  # noqa: B905  (checking the lengths costs a tenth)
                    function(*arguments)
            if progress is not None:
                progress(stop - start)
        return
    calls = [list(step.calls(_Views(0, times[step.equation].count))) for step in steps]
    moments = np.unique(np.concatenate([times[step.equation].array() for step in steps]))
    for t in reversed(moments.tolist()) if backward else moments.tolist():
        for step, arguments in zip(steps, calls, strict=True):
            row = times[step.equation].row(t)
            if row is not None:
                step.function(*arguments[row])
        if progress is not None:
            progress(1)


def _blocks(count: int, backward: bool) -> Iterator[tuple[int, int]]:
    starts = range(0, count, BLOCK)
    for start in reversed(starts) if backward else starts:
        yield start, min(start + BLOCK, count)
