"""Lines to read, some of which the cursor can stand on: a verdict's terms and factors, a list of attempts."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bptt_tui.language.sanitise import visible
from bptt_tui.tui.ink import Inks, Line
from bptt_tui.tui.pane import SCROLLBARS

Key = tuple[int, ...]

_FRAME = f"""
    border: round $foreground 22%;
    border-title-color: $primary;
    border-title-style: bold;
    border-subtitle-color: $foreground 50%;
    padding: 0 1;
    {SCROLLBARS}
    background: $background;
    &:focus {{ border: round $accent 80%; border-title-color: $accent; }}
"""


class Row(NamedTuple):
    """One line; lines with the same `key` are one thing to stand on, those without are only read.

    A row with a key begins with a blank, where the cursor's mark is drawn.
    """

    line: Line
    key: Key = ()


class Rows(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolling box of rows, made by `build` for the width there is, with a cursor."""

    DEFAULT_CSS = f"Rows {{ {_FRAME} padding: 0 0 0 1; overflow-x: hidden; scrollbar-gutter: stable; }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False, id="rows.up"),
        Binding("down,j", "move(1)", "down", show=False, id="rows.down"),
        Binding("pageup", "scroll_page(-1)", "page up", show=False, id="rows.page-up"),
        Binding("pagedown", "scroll_page(1)", "page down", show=False, id="rows.page-down"),
        Binding("home,g", "first", "first", show=False, id="rows.first"),
        Binding("end,G", "last", "last", show=False, id="rows.last"),
        Binding("enter", "choose", "choose", show=False, id="rows.choose"),
        Binding("q,D", "screen.leave", "back", show=False, id="rows.leave"),
    ]

    class Moved(Message):
        """The cursor stands elsewhere."""

        def __init__(self, rows: Rows, key: Key) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> Rows:
            return self.rows

    class Chosen(Moved):
        """Enter, or a click on what the cursor stands on."""

    def __init__(self, *, id: str) -> None:
        self.inks = Inks(self)
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._stops: list[Key] = []
        self.key: Key = ()

    def build(self, width: int) -> list[Row]:
        """The rows, of at most `width` cells."""
        raise NotImplementedError

    def lay_out(self) -> None:
        """Build anew; the cursor stays where it was, or goes to the first place there is."""
        width = self.scrollable_content_region.width
        if not width:
            return
        self._rows = self.build(width)
        self._stops = list(dict.fromkeys(row.key for row in self._rows if row.key))
        if self.key not in self._stops:
            self.key = self._stops[0] if self._stops else ()
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set the texts on the border; they are text, never markup."""
        self.border_title = Content(visible(title))
        self.border_subtitle = Content(visible(subtitle))

    def stand_on(self, key: Key) -> None:
        """Put the cursor there, in sight."""
        if key not in self._stops:
            return
        moved = key != self.key
        self.key = key
        lines = [y for y, row in enumerate(self._rows) if row.key == key]
        height = self.scrollable_content_region.height
        top = max(min(self.scroll_offset.y, lines[0]), lines[-1] + 1 - height)
        # What stands above the first place belongs in sight with it.
        self._look_at(0 if key == self._stops[0] and lines[-1] < height else top)
        self.refresh()
        if moved:
            self.post_message(self.Moved(self, key))

    def _in_sight(self) -> bool:
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        return any(row.key == self.key for row in self._rows[top : top + height])

    def _look_at(self, y: int) -> None:
        self.scroll_to(None, max(0, min(y, self.max_scroll_y)), animate=False, force=True)

    def action_move(self, step: int) -> None:
        """To the next place; where there is none, scroll on. The first look is for the place itself."""
        if self.key and not self._in_sight():
            self.stand_on(self.key)
            return
        at = self._stops.index(self.key) + step if self.key in self._stops else -1
        if 0 <= at < len(self._stops) and self.key:
            self.stand_on(self._stops[at])
        else:
            self._look_at(self.scroll_offset.y + step)

    def action_scroll_page(self, pages: int) -> None:
        self._look_at(self.scroll_offset.y + pages * max(self.scrollable_content_region.height - 1, 1))

    def action_first(self) -> None:
        self._look_at(0)
        if self._stops:
            self.stand_on(self._stops[0])

    def action_last(self) -> None:
        if self._stops:
            self.stand_on(self._stops[-1])
        self._look_at(self.max_scroll_y)

    def action_choose(self) -> None:
        if self.key:
            self.post_message(self.Chosen(self, self.key))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        at = -1 if offset is None else offset.y + self.scroll_offset.y
        if 0 <= at < len(self._rows) and (key := self._rows[at].key):
            if key == self.key:
                self.action_choose()
            else:
                self.stand_on(key)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def notify_style_update(self) -> None:
        self.inks.clear()
        super().notify_style_update()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Rows are built for a width."""
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            self.lay_out()
        return changed

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        if not 0 <= at < len(self._rows):
            return self.inks.paint((), self.size.width)
        row = self._rows[at]
        line = row.line
        if row.key and row.key == self.key:
            line = _marked(line, lit=self.has_focus)
        return self.inks.paint(line, self.size.width)


def _marked(line: Line, *, lit: bool) -> Line:
    """The line with the cursor's mark before it, and lit where the keys go to it."""
    (text, ink), *rest = line
    mark = ("▌", "now-mark" if lit else "accent")
    marked = (mark, (text[1:], ink), *rest)
    return tuple((text, "now" if lit and at else ink) for at, (text, ink) in enumerate(marked))
