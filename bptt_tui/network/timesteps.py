"""At which timesteps an equation's node exists, and where its row stands in storage.

Most nodes exist at a run of timesteps (all of them, or the last only), so that a run costs nothing at T = 100 000 and
reading it is a slice. Any other set (a loss at listed steps, a recurrence that skips) is an ascending index array.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Index = slice | NDArray[np.int64]


class Timesteps(Struct, frozen=True, eq=False):
    """An ascending set of timesteps: `start … start+count-1`, or the entries of `listed`."""

    start: int
    count: int
    listed: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, needed: NDArray[np.bool_]) -> Timesteps:
        """From a mask over all timesteps."""
        count, start = int(np.count_nonzero(needed)), int(needed.argmax())
        if count == 0:
            return cls(0, 0)
        listed = None if needed[start : start + count].all() else np.flatnonzero(needed)
        return cls(start, count, listed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timesteps) or (self.start, self.count) != (other.start, other.count):
            return False
        if self.listed is None or other.listed is None:
            return self.listed is other.listed
        return np.array_equal(self.listed, other.listed)

    def __hash__(self) -> int:
        return hash((self.start, self.count))

    @property
    def last(self) -> int:
        """The latest timestep (start - 1 when there is none)."""
        return self.start + self.count - 1 if self.listed is None else int(self.listed[-1])

    def array(self, rows: slice = slice(None)) -> NDArray[np.int64]:
        """Those of a run of rows, ascending: all of them where none is given."""
        if self.listed is not None:
            return self.listed[rows]
        run = range(self.start, self.start + self.count)[rows]
        return np.arange(run.start, run.stop)

    def row(self, t: int) -> int | None:
        """The row of timestep `t`, or None where the node does not exist."""
        if self.listed is None:
            return t - self.start if self.start <= t < self.start + self.count else None
        place = int(np.searchsorted(self.listed, t))
        return place if place < self.count and self.listed[place] == t else None

    def rows_between(self, early: int, late: int) -> slice:
        """The rows of the timesteps early … late."""
        if self.listed is None:
            low, high = early - self.start, late + 1 - self.start
            return slice(min(max(low, 0), self.count), min(max(high, 0), self.count))
        return slice(*np.searchsorted(self.listed, [early, late + 1]).tolist())

    def at_row(self, row: int) -> int:
        """The timestep of a row."""
        return self.start + row if self.listed is None else int(self.listed[row])

    def without(self, moments: NDArray[np.int64]) -> Timesteps:
        """These timesteps but for some of them."""
        left = np.setdiff1d(self.array(), moments, assume_unique=True)
        if not len(left):
            return Timesteps(0, 0)
        whole = int(left[-1] - left[0]) + 1 == len(left)
        return Timesteps(int(left[0]), len(left), None if whole else left)

    def rows_from(self, consumer: Timesteps, lag: int, ahead: int, pinned: NDArray[np.int64] | None = None) -> Index:
        """Where a consumer finds this node `lag` timesteps earlier, in storage with `ahead` rows before t = 0's.

        The rows ahead hold the `pinned` timesteps in order, then t = …, -1. Rows of t ≥ 0 follow without gaps. A
        slice where that is one.
        """
        if consumer.count == 0:
            return slice(0, 0)
        if self.listed is None and consumer.listed is None and pinned is None:
            first = consumer.start - lag
            if first >= 0:
                begin = ahead + first - self.start
                return slice(begin, begin + consumer.count)
            if self.start == 0 or self.count == 0 or first + consumer.count <= 0:
                return slice(ahead + first, ahead + first + consumer.count)
        wanted = consumer.array() - lag
        own = np.searchsorted(self.array(), wanted)
        rows = np.where(wanted < 0, ahead + wanted, ahead + own)
        if pinned is None:
            return rows
        return np.where(np.isin(wanted, pinned), np.searchsorted(pinned, wanted), rows)
