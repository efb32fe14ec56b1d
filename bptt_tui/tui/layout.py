"""Which panes a screen of a given size shows, and where.

| layout | when | shows |
|---|---|---|
| full | 70 columns or more, 32 lines or more | everything; notes where there are any |
| medium | 70 columns or more, 18 lines or more | graph, node, notes of this position, chain or contributions |
| small | anything less | one pane, with the others as tabs |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from textual.geometry import Offset, Size
from textual.layout import ArrangeResult, WidgetPlacement
from textual.layouts.vertical import VerticalLayout

if TYPE_CHECKING:
    from textual.widget import Widget

Layout = Literal["full", "medium", "small"]

# Pane ids with the short names of the tabs, in the order of the keys 1 … 6.
PANES: tuple[tuple[str, str], ...] = (
    ("graph", "graph"),
    ("node", "node"),
    ("chain", "chain"),
    ("contributions", "sums"),
    ("strip", "norms"),
    ("notes", "notes"),
)

HIGH = 44  # from this many lines on a chain that does not fit goes on in a second block


class Extent(Struct, frozen=True):
    """How high a pane is, as style sheets say it."""

    height: str | int = "1fr"
    least: int | None = None
    most: str | int | None = None


_FULL = {
    "strip": Extent("auto"),
    "chain": Extent(7),
    "contributions": Extent("auto", most=10),
    "notes": Extent("auto", 3, "50%"),
}


def extent_of(pane: str, layout: Layout, *, high: bool) -> Extent:
    """The height of a pane; those that are not named take what is left."""
    if layout == "small":
        return Extent(least=_FULL[pane].least) if pane in _FULL else Extent()
    if pane == "chain" and high and layout == "full":
        return Extent(13)
    if pane == "contributions" and layout == "medium":
        return Extent("auto", 7, 9)
    return _FULL.get(pane, Extent())


def layout_of(width: int, height: int) -> Layout:
    """The layout for a screen of that many cells."""
    if width < 70 or height < 18:
        return "small"
    return "full" if height >= 32 else "medium"


def layout_classes(size: Size) -> str:
    """The CSS classes of a screen of that size."""
    layout = layout_of(size.width, size.height)
    return f"-{layout} -high" if layout == "full" and size.height >= HIGH else f"-{layout}"


def panes_shown(layout: Layout, active: str, lower: str, *, notes: bool = False) -> frozenset[str]:
    """Ids of the panes on screen; `lower` is the one of chain and contributions that was active last.

    `notes`: whether there are any to show.
    """
    if layout == "small":
        return frozenset({active})
    every = frozenset(id for id, _ in PANES)
    if not notes and active != "notes":
        every -= {"notes"}
    if layout == "full":
        return every
    return every - {"chain" if lower == "contributions" else "contributions"}


class Rooms(VerticalLayout):
    """Everything under each other, and the network beside the node and its notes in the lines that are left.

    One layout in the place of containers, which the first frame and every new layout would pay for.
    """

    name = "rooms"
    LEFT, RIGHT = ("graph", "strip"), ("node", "notes")
    SHARES = (11, 9)  # of the width

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        columns = [[child for child in children if child.id in ids] for ids in (self.LEFT, self.RIGHT)]
        upper = [child for column in columns for child in column]
        if not upper:
            return super().arrange(parent, children, size, greedy)
        rest = super().arrange(parent, [child for child in children if child not in upper], size, greedy)
        above, below = rest[: children.index(upper[0])], rest[children.index(upper[0]) :]
        top = max((placed.region.bottom for placed in above), default=0)
        height = max(size.height - max((placed.region.bottom for placed in rest), default=0), 0)
        edge = size.width * self.SHARES[0] // sum(self.SHARES) if all(columns) else 0
        placements = list(above)
        for column, x, width in zip(columns, (0, edge), (edge or size.width, size.width - edge), strict=True):
            if column:
                placed = super().arrange(parent, column, Size(width, height), greedy)
                placements += WidgetPlacement.translate(placed, Offset(x, top))
        return placements + WidgetPlacement.translate(below, Offset(0, height))
