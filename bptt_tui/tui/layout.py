"""Which panes a screen of a given size shows.

| layout | when | shows |
|---|---|---|
| full | 70 columns or more, 32 lines or more | everything; notes where there are any |
| medium | 70 columns or more, 18 lines or more | graph, node, notes of this position, chain or contributions |
| small | anything less | one pane, with the others as tabs |
"""

from __future__ import annotations

from typing import Literal

from textual.geometry import Size

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
