"""A page of the sums' screen: lines for a size, a cursor, what it stands on in full, and where enter leads.

Pages are no widgets: they draw what `Debugger.sums` hands up, and answer with lines and with commands.
"""

from __future__ import annotations

import math

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Value
from bptt_tui.tui.figures import figure
from bptt_tui.tui.ink import Line, Run

Keys = tuple[tuple[str, str], ...]


class Page:
    """One page; `keys` are those it has besides moving, as (key, what it does)."""

    keys: Keys = ()

    def own_keys(self) -> Keys:
        """Those that can be pressed now."""
        return self.keys

    def lines(self, width: int, height: int) -> list[Line]:
        """All lines to draw."""
        raise NotImplementedError

    def detail(self, width: int) -> list[Line]:
        """What the cursor is on, in full."""
        return []

    def move(self, down: int, right: int) -> None:
        """Move the cursor."""

    def enter(self) -> str:
        """The command that enter gives, or nothing."""
        return ""

    def copied(self) -> str:
        """What is copied."""
        return ""

    def press(self, key: str) -> bool:
        """A key of this page; whether it was one."""
        return False


class Rows(Page):
    """A page of rows with one of them current; rows scroll under a heading."""

    def __init__(self) -> None:
        self.at = 0
        self._top = 0

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def head(self, width: int) -> list[Line]:
        """The lines above."""
        raise NotImplementedError

    def ready(self, rows: range) -> None:
        """Some rows are about to be drawn."""

    def row(self, number: int, width: int, lit: bool) -> Line:
        """One row."""
        raise NotImplementedError

    def move(self, down: int, right: int) -> None:
        self.at = min(max(self.at + down, 0), max(self.count() - 1, 0))

    def lines(self, width: int, height: int) -> list[Line]:
        head = self.head(width)
        room = max(height - len(head), 1)
        self.at = min(self.at, max(self.count() - 1, 0))
        self._top = min(max(self._top, self.at - room + 1), self.at, max(self.count() - room, 0))
        stop = min(self._top + room, self.count())
        self.ready(range(self._top, stop))
        return [*head, *(self.row(number, width, number == self.at) for number in range(self._top, stop))]


def in_full(value: Value, width: int) -> str:
    """A number with all its digits, an array as far as it fits."""
    return numerals.exact(float(value.reshape(()))) if value.size == 1 else figure(value, max(width, 8))


def highlighted(runs: Line, now: bool) -> Line:
    """The runs, lit where they are the current row."""
    return tuple((text, "now") for text, _ in runs) if now else runs


def number_run(value: float, width: int, now: bool = False) -> Run:
    """A number in a column, coloured by its sign."""
    text = next((t for t in (numerals.number(value, n) for n in (6, 5, 4, 3)) if len(t) < width), "…").rjust(width)
    tone = "plain" if not value or math.isnan(value) else "positive" if value > 0 else "negative"
    ink = ("now" if tone == "plain" else f"now-{tone}") if now else ("plain" if tone == "plain" else f"{tone}-3")
    return text, ink
