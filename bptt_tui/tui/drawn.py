"""Widgets that draw all of their lines themselves, frame and blanks included, and keep them until they are to change.

Textual draws a widget's content line by line and puts borders and padding around each line, at ten times what the line
itself costs. Lines that are drawn whole need nothing of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size

from bptt_tui.tui.ink import Inks

if TYPE_CHECKING:
    from textual.strip import Strip
    from textual.widget import Widget

    _Part = Widget
else:
    _Part = object  # a part of widgets; Textual would make every class of its own ready as one


class Drawn(_Part):
    """Draws with `inks`; what is drawn is kept."""

    inks: Inks
    _kept: tuple[Size, list[Strip]] | None = None

    def whole_lines(self, size: Size) -> list[Strip]:
        """All lines of a widget of this size, each as wide as the widget."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        size = self.outer_size
        if self._kept is None or self._kept[0] != size:
            lines = self.whole_lines(size)
            for filter in self.get_line_filters():
                # Inks are exact colours, where they are not a terminal's own: nothing is to be made of those.
                if self.app.current_theme.ansi or not isinstance(filter, ANSIToTruecolor):
                    lines = [line.apply_filter(filter, self.inks.behind) for line in lines]
            self._kept = (size, lines)
        lines = self._kept[1]
        if crop.height != len(lines):
            lines = lines[crop.y : crop.bottom]
        return lines if crop.width == size.width else [line.crop(crop.x, crop.right) for line in lines]

    def refresh(self, *regions: Region, **what: Any) -> Self:
        self._kept = None
        return super().refresh(*regions, **what)

    def notify_style_update(self) -> None:
        self._kept = None
        self.inks.clear()
        super().notify_style_update()
