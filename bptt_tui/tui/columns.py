"""Where the columns of the unrolled graph stand: one per timestep, a gap with the edges between two of them.

    margin │ t = -1 │ gap │ t = 0 │ gap │ t = 1 │ … │ margin

Columns of initial values may be narrower than the others. Everything is arithmetic on t, so a graph of 100 000
timesteps costs no more than one of two.
"""

from __future__ import annotations

from msgspec import Struct

LEAD = 2  # left of a cell: the bus of what it reads and an arrowhead
TAIL = 2  # right of a cell: an arrowhead and the bus of who reads it


class Columns(Struct, frozen=True):
    """`width` cells for a column, `initial_width` for one before t = 0, `tracks` wires between neighbours."""

    first: int
    last: int
    width: int
    initial_width: int
    tracks: int

    @property
    def gap(self) -> int:
        """Cells between two columns."""
        return TAIL + self.tracks + 1 + LEAD

    @property
    def total(self) -> int:
        return self.x(self.last) + self.width_at(self.last) + TAIL

    def width_at(self, t: int) -> int:
        return self.initial_width if t < 0 else self.width

    def x(self, t: int) -> int:
        """The left edge of column `t`."""
        before = min(t, 0) - self.first if self.first < 0 else 0
        after = t - max(self.first, 0) if t > 0 else 0
        return LEAD + before * (self.initial_width + self.gap) + max(after, 0) * (self.width + self.gap)

    def whole_in(self, width: int) -> int:
        """How many columns of the later kind show whole in `width` cells, edges included."""
        return (width - LEAD - TAIL + self.gap) // (self.width + self.gap)

    def at(self, x: int) -> int:
        """The column whose cells or whose gap to the right lie at `x`, within first … last."""
        x -= LEAD
        initial = max(-self.first, 0)
        narrow = self.initial_width + self.gap
        if x < initial * narrow:
            t = self.first + x // narrow
        else:
            t = max(self.first, 0) + (x - initial * narrow) // (self.width + self.gap)
        return min(max(t, self.first), self.last)
