"""An array along time that would be too large as a whole, made a block of its rows at a time, as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.debugger.timeline import Ints

Array = NDArray[Any]
Make = Callable[[slice], Array]
ENTRIES = 1 << 22  # numbers handled at once
_LONGEST = 2048  # rows: a search that ends soon should not have made many


class RowBlocks:
    """`count` rows of `width` numbers. `make(rows)` makes a run of them, with the time axis first.

    Blocks are kept until they hold more than ENTRIES numbers together; then the oldest go. `passing` is how many
    numbers per row are handled where a block is made, if that is more than are kept.
    """

    def __init__(self, count: int, width: int, make: Make, passing: int = 1) -> None:
        self._count = count
        self._make = make
        self._length = min(max(ENTRIES // 16 // max(width, 1), 1), max(4 * ENTRIES // max(passing, 1), 1), _LONGEST)
        self._most = max(ENTRIES // (self._length * max(width, 1)), 1)
        self._made: dict[int, Array] = {}

    def at(self, rows: Ints) -> Array:
        """Rows, in any order; quickest where neighbours stand side by side."""
        numbers = rows // self._length
        ends = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
        parts = []
        for part in np.split(rows, ends):
            number = int(part[0]) // self._length
            parts.append(self._block(number)[part - number * self._length])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, number: int) -> Array:
        if number not in self._made:
            start = number * self._length
            made = self._make(slice(start, min(start + self._length, self._count)))
            while len(self._made) >= self._most:
                del self._made[next(iter(self._made))]
            self._made[number] = made
        return self._made[number]


def pieces(rows: slice, width: int) -> Iterator[slice]:
    """A run of rows a few at a time, so that what is done with them stays in a core's own cache."""
    length = max(ENTRIES // 64 // max(width, 1), 1)
    for start in range(rows.start, rows.stop, length):
        yield slice(start, min(start + length, rows.stop))
