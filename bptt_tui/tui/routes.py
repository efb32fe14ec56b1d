"""The way every edge of the unrolled graph takes through the gaps between columns.

What a node reads comes in from its left, whoever reads it leaves from its right:

        s₀  0.522665  ◀╮
    ╭─▶▌z₀  0.58     ▐─╯        a thin line with ▶: a value flows
    ├── b₀  0.18
    ╰── a₀  0.4

Edges into a later timestep cross the gap on a track of their own, one per source row, and stay drawn at every
position. An edge that the backward pass has taken is heavy and its arrow points back at the source: a gradient flowed.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bptt_tui.debugger.view import Edge, Ref
from bptt_tui.language.labels import superscript
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.boxes import Wires
from bptt_tui.tui.columns import LEAD, TAIL, Columns
from bptt_tui.tui.ink import width_of

Link = tuple[int, int, int]


class Routed(Struct, frozen=True):
    """An edge of the current node with its rows: the graph's rows of source and consumer, and their timesteps."""

    source_row: int
    source_t: int
    consumer_row: int
    consumer_t: int
    taken: bool
    into_current: bool
    into_total: bool = False


def place_of(ref: Ref, rows: tuple[str, ...], last: int) -> tuple[int, int] | None:
    """Row and column of a node, None for what has no place in the graph. A total, `ΣE`, stands in the last column."""
    name = f"Σ{ref.name}" if ref.kind == "total" else ref.name
    if name not in rows or ref.kind not in ("node", "total", "initial"):
        return None
    return rows.index(name), last if ref.t is None else ref.t


def routed(edges: Iterable[Edge], rows: tuple[str, ...], last: int, current: tuple[int, int]) -> list[Routed]:
    """The edges whose two ends are both drawn, as places in the graph."""
    found = []
    for edge in edges:
        source, consumer = place_of(edge.source, rows, last), place_of(edge.consumer, rows, last)
        if source is not None and consumer is not None:
            found.append(Routed(*source, *consumer, edge.taken, consumer == current, edge.consumer.kind == "total"))
    return found


class Gap:
    """Draws the edges in one gap; `lines` per row, the first line of a row carries its wires."""

    def __init__(self, columns: Columns, rows: int, lines: int, tracks: dict[int, int]) -> None:
        self.columns = columns
        self.lines = lines
        self.tracks = tracks
        self.wires = Wires(columns.gap, rows * lines)

    def _y(self, row: int) -> int:
        return row * self.lines

    def link(self, source: int, consumer: int, *, taken: bool = False) -> None:
        """An edge from the column on the left to the one on the right, on its source's track."""
        right = self.columns.gap - 1
        track = TAIL + self.tracks.get(source, 0)
        top, bottom = self._y(source), self._y(consumer)
        self.wires.line([(0, top), (track, top), (track, bottom), (right, bottom)], heavy=taken)
        self._heads((0, top), (right, bottom), taken, "◀", "▶")

    def stub_out(self, source: int, mark: str, *, taken: bool = False) -> None:
        """The start of an edge that skips columns, with a mark for where it goes: its lag, or Σ."""
        y = self._y(source)
        self.wires.line([(0, y), (1, y)], heavy=taken)
        self.wires.head((2, y), mark)
        if taken:
            self.wires.head((0, y), "◀")

    def stub_in(self, consumer: int, lag: int, *, taken: bool = False) -> None:
        """The end of an edge that skipped columns."""
        y, right = self._y(consumer), self.columns.gap - 1
        self.wires.line([(right - 1, y), (right, y)], heavy=taken)
        self.wires.head((right - 2, y), superscript(str(lag)))
        if not taken:
            self.wires.head((right, y), "▶")

    def reads(self, source: int, consumer: int, *, taken: bool = False) -> None:
        """Within the column on the right: the consumer is the current node."""
        right = self.columns.gap - 1
        bus = right - LEAD + 1
        top, bottom = self._y(source), self._y(consumer)
        self.wires.line([(right, top), (bus, top), (bus, bottom), (right, bottom)], heavy=taken)
        self._heads((right, top), (right, bottom), taken, "▶", "▶")

    def read_by(self, source: int, consumer: int, *, taken: bool = False) -> None:
        """Within the column on the left: the source is the current node."""
        top, bottom = self._y(source), self._y(consumer)
        self.wires.line([(0, top), (TAIL - 1, top), (TAIL - 1, bottom), (0, bottom)], heavy=taken)
        self._heads((0, top), (0, bottom), taken, "◀", "◀")

    def use(self, label: str, row: int, room: int) -> None:
        """The use of a parameter to which the current contribution belongs, at the left of the node that reads it.

        Where `room` cells do not hold its name, the arrowhead alone.
        """
        text = visible(label) + "◀"
        if width_of(text) > room:
            text = "◀"
        for i, character in enumerate(text):
            self.wires.head((self.columns.gap - len(text) + i, self._y(row)), character)

    def _heads(self, source: tuple[int, int], consumer: tuple[int, int], taken: bool, back: str, on: str) -> None:
        if taken:
            self.wires.head(source, back)
        else:
            self.wires.head(consumer, on)


def draw_current(gap: Gap, left: int, edges: Iterable[Routed]) -> bool:
    """Draw the current node's edges that pass the gap between columns `left` and `left + 1`; False if none does."""
    drawn = False
    for edge in edges:
        lag = edge.consumer_t - edge.source_t
        if edge.into_total and lag:  # the total has no timestep of its own, so no edge crosses columns to it
            if edge.source_t != left:
                continue
            gap.stub_out(edge.source_row, "Σ", taken=edge.taken)
        elif lag == 0:
            if edge.into_current and edge.source_t == left + 1:
                gap.reads(edge.source_row, edge.consumer_row, taken=edge.taken)
            elif not edge.into_current and edge.source_t == left:
                gap.read_by(edge.source_row, edge.consumer_row, taken=edge.taken)
            else:
                continue
        elif lag == 1 and edge.source_t == left:
            gap.link(edge.source_row, edge.consumer_row, taken=edge.taken)
        elif lag > 1 and edge.source_t == left:
            gap.stub_out(edge.source_row, superscript(str(lag)), taken=edge.taken)
        elif lag > 1 and edge.consumer_t == left + 1:
            gap.stub_in(edge.consumer_row, lag, taken=edge.taken)
        else:
            continue
        drawn = True
    return drawn
