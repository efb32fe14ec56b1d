"""A dialog that lists things to choose from: breakpoints, chapters and notes, changes.

The list is asked for again after every choice, so what a key did is seen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bptt_tui.language.sanitise import visible
from bptt_tui.tui.dialog import Dialog
from bptt_tui.tui.ink import Inks, Line, clipped, line_width, width_of, wrapped

_WIDEST = 60  # cells of what is said in the place of rows
_AROUND = 6  # beside it: the border, the blanks, the mark and the cell behind


class Choice(NamedTuple):
    """What a key does with the row of that number; one that `closes` leaves the dialog first."""

    key: str
    shown: str
    label: str
    act: Callable[[int], object]
    closes: bool = False


class Choices(ScrollView, can_focus=True, inherit_bindings=False):
    """The rows, one of them lit."""

    class Clicked(Message):
        """A row was clicked `times` times."""

        def __init__(self, times: int) -> None:
            super().__init__()
            self.times = times

    DEFAULT_CSS = """
    Choices {
        width: auto; max-width: 100%; height: auto; background: $surface; scrollbar-size: 1 1; overflow-x: hidden;
    }
    """

    def __init__(self) -> None:
        self.inks = Inks(self)
        super().__init__()
        self.rows: Sequence[Line] = ()
        self.at = 0
        self._lit = True

    def offer(self, rows: Sequence[Line], *, lit: bool = True) -> None:
        """Show these rows; the lit one stays where it is, or none is `lit` where there is nothing to choose."""
        self.rows, self._lit = rows, lit
        self.virtual_size = Size(max((line_width(row) for row in rows), default=1), len(rows))
        self.move(0)
        self.refresh(layout=True)

    def move(self, by: int) -> None:
        """Light another row."""
        self.at = min(max(self.at + by, 0), max(len(self.rows) - 1, 0))
        top, height = self.scroll_offset.y, self.size.height
        self.scroll_to(0, min(max(top, self.at - height + 1), self.at), animate=False, force=True)
        self.refresh()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return max((line_width(row) for row in self.rows), default=1) + 2

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self.rows), 1)

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        if at >= len(self.rows):
            return self.inks.paint((), self.size.width)
        lit = self._lit and at == self.at
        row = tuple((text, "now" if lit and ink in ("plain", "name", "strong") else ink) for text, ink in self.rows[at])
        width = self.scrollable_content_region.width
        line = (("▌" if lit else " ", "now-mark" if lit else "plain"), *clipped(row, width - 1))
        return self.inks.paint(line, self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y
        if at < len(self.rows):
            self.move(at - self.at)
            self.post_message(self.Clicked(event.chain))

    def notify_style_update(self) -> None:
        self.inks.clear()
        super().notify_style_update()


class Chooser(Dialog[None]):
    """`rows` are asked for when it opens and after every choice; without any, `empty` says what they would be."""

    AUTO_FOCUS = "Choices"
    DEFAULT_CSS = "Chooser > Vertical { min-width: 36; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close", show=False, id="chooser.close"),
        Binding("down,j", "move(1)", "down", show=False, id="chooser.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="chooser.up"),
        Binding("pagedown", "move(10)", "page down", show=False, id="chooser.page-down"),
        Binding("pageup", "move(-10)", "page up", show=False, id="chooser.page-up"),
    ]

    def __init__(
        self, title: str, rows: Callable[[], Sequence[Line]], choices: Sequence[Choice], *, empty: str, at: int = 0
    ) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._choices = choices
        self._empty = empty
        self._at = at

    def compose(self) -> ComposeResult:
        from textual.containers import Vertical

        box = Vertical()
        box.border_title = Content(visible(self._title))
        keys = self._keys
        box.styles.min_width = max(len(keys), width_of(self._title)) + 6
        with box:
            yield Choices()

    def on_mount(self) -> None:
        choices = self.query_one(Choices)
        choices.at = self._at
        self._offer()

    def on_resize(self) -> None:
        """Rows may be narrower on another screen."""
        self._offer()

    @property
    def _keys(self) -> str:
        return " · ".join(f"{one.shown} {one.label}" for one in self._choices)

    def _offer(self) -> None:
        rows = self._rows()
        room = min(_WIDEST, self.app.size.width * 96 // 100 - _AROUND)
        self.query_one(Choices).offer(rows or wrapped(((self._empty, "dim"),), room), lit=bool(rows))
        self.query_one("Vertical").border_subtitle = Content(self._keys if rows else "esc closes")

    def on_key(self, event: events.Key) -> None:
        chosen = next((one for one in self._choices if event.key == one.key), None)
        if chosen is not None:
            event.stop()
            self._choose(chosen)

    def on_choices_clicked(self, event: Choices.Clicked) -> None:
        chosen = next((one for one in self._choices if one.key == "enter"), None)
        if event.times > 1 and chosen is not None:
            self._choose(chosen)

    def _choose(self, choice: Choice) -> None:
        number = self.query_one(Choices).at
        if number >= len(self._rows()):
            return
        if choice.closes:
            self.dismiss(None)
        choice.act(number)
        if not choice.closes:
            self._offer()

    def action_move(self, by: int) -> None:
        self.query_one(Choices).move(by)

    def action_close(self) -> None:
        self.dismiss(None)
