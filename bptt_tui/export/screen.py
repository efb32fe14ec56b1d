"""A screen of the terminal as text or as an SVG picture, the same bytes for the same screen.

screen = Screen(rows, background="#10131a", foreground="#d9dfea", title="question at 17")
screen.text()                       # what a reader sees, one line a row
screen.svg()                        # a picture for a page: no fonts or scripts fetched from anywhere
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style on one row. Colours are `#rrggbb`; None is the screen's own."""

    text: str
    colour: str | None = None
    background: str | None = None
    bold: bool = False
    italic: bool = False
    underline: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """Rows of spans, as they stand on the terminal, and the colours of everything not drawn on."""

    rows: tuple[tuple[Span, ...], ...]
    background: str
    foreground: str
    title: str = ""

    @property
    def width(self) -> int:
        """Cells of the widest row."""
        return max((sum(cell_len(span.text) for span in row) for row in self.rows), default=0)

    def text(self) -> str:
        """The rows as plain text, without the blanks at their ends."""
        return "".join("".join(span.text for span in row).rstrip() + "\n" for row in self.rows)

    def svg(self) -> str:
        """The screen as a picture."""
        from bptt_tui.export.svg import picture

        return picture(self)
