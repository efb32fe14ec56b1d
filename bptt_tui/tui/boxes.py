"""Lines drawn with box characters on a small grid; lines that meet join.

A grid position collects the directions in which lines leave it, and the character follows from the collection, so a
line that ends on another becomes a junction without anybody planning it.

>>> wires = Wires(4, 3)
>>> wires.line([(0, 0), (2, 0), (2, 2), (3, 2)])
>>> print("\\n".join(wires.row(y).replace(" ", "·") for y in range(3)))
──╮·
··│·
··╰─
"""

from __future__ import annotations

from itertools import pairwise

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8

#              0123456789abcdef, by the sum of the directions
_LIGHT = " │││─╯╮┤─╰╭├─┴┬┼"
_HEAVY = " ┃┃┃━┛┓┫━┗┏┣━┻┳╋"

Point = tuple[int, int]


class Wires:
    """A grid of `width` × `height` positions on which `line` draws and `row` reads."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._bits: dict[Point, int] = {}
        self._heavy: set[Point] = set()
        self._heads: dict[Point, str] = {}

    def line(self, points: list[Point], *, heavy: bool = False) -> None:
        """Join the points with horizontal and vertical lines."""
        for (x0, y0), (x1, y1) in pairwise(points):
            if y0 == y1:
                low, high = sorted((x0, x1))
                self._run([(x, y0) for x in range(low, high + 1)], LEFT, RIGHT, heavy)
            else:
                low, high = sorted((y0, y1))
                self._run([(x0, y) for y in range(low, high + 1)], UP, DOWN, heavy)

    def head(self, point: Point, text: str) -> None:
        """Put an arrowhead or a mark on a position, whatever lines pass there."""
        self._heads[point] = text

    def at(self, x: int, y: int) -> str:
        """The character at a position, or an empty string where nothing is drawn."""
        if (x, y) in self._heads:
            return self._heads[x, y]
        bits = self._bits.get((x, y), 0)
        if not bits:
            return ""
        return (_HEAVY if (x, y) in self._heavy else _LIGHT)[bits]

    def row(self, y: int) -> str:
        """One row as text, blanks where nothing is drawn."""
        return "".join(self.at(x, y) or " " for x in range(self.width))

    def _run(self, points: list[Point], first: int, second: int, heavy: bool) -> None:
        """Positions in a straight row: each is joined to the one before (`first`) and the one after (`second`)."""
        last = len(points) - 1
        for i, point in enumerate(points):
            bits = (first if i > 0 else 0) | (second if i < last else 0)
            self._bits[point] = self._bits.get(point, 0) | bits
            if heavy:
                self._heavy.add(point)
