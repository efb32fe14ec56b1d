"""A page of the gradient as a sum, drawn: the parts as tabs, the page, what its cursor is on, and the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from bptt_tui.debugger.pace import StoppedError
from bptt_tui.errors import BpttError
from bptt_tui.tui.ink import Inks, Line, Run, clipped, line_width, width_of
from bptt_tui.tui.sums_page import Page

PARTS = (("table", "table"), ("knobs", "knobs"), ("buildup", "build-up"), ("chains", "chains"))
_DETAIL = 2
_DETAIL_ROOM = 6  # lines that a build-up of several states takes


class Sheet(NamedTuple):
    """A page as it looks at a size; without a page, what is wrong (`said`)."""

    part: str
    page: Page | None
    said: str
    size: Size
    lines: list[Line]


class Canvas(Widget, can_focus=True):
    """Shows a page, what its cursor is on, the parts as tabs, and the keys."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: $background; }"

    def __init__(self, resized: Callable[[], None]) -> None:
        self.inks = Inks(self)
        super().__init__(id="sums")
        self.sheet = Sheet("table", None, "", Size(), [])
        self._note = ""
        self._resized = resized

    @property
    def page(self) -> Page | None:
        """The page on show."""
        return self.sheet.page

    def show(self, sheet: Sheet) -> None:
        """Show another page, or the same one otherwise."""
        self.sheet, self._note = sheet, ""
        self.refresh()

    def note(self, text: str) -> None:
        """Say something in the first line."""
        if text != self._note:
            self._note = text
            self.refresh()

    def on_resize(self) -> None:
        self._resized()

    def render_line(self, y: int) -> Strip:
        width, lines = self.size.width, self.sheet.lines
        line = lines[y] if y < len(lines) else ()
        if y == 0 and self._note:
            room = max(width - width_of(self._note) - 2, 0)
            line = clipped(line[:-1], room)  # the tabs, without what is said of the screen
            line = (*line, (" " * max(room - line_width(line), 0), "plain"), (f" {self._note} ", "now"))
        return self.inks.paint(line, width)

    def notify_style_update(self) -> None:
        self.inks.clear()
        super().notify_style_update()


def lay_out(part: str, page: Page | None, said: str, size: Size) -> Sheet:
    """Lay a page out; what goes wrong in that is said too. Raises StoppedError."""
    width, height = size.width, size.height
    if not width or not height:
        return Sheet(part, page, said, size, [])
    body: list[Line] = []
    detail: list[Line] = []
    wrong = said
    try:
        if page is not None:
            room = height - 2
            detail = page.detail(width)[:_DETAIL_ROOM]
            least = min(max(len(detail), _DETAIL), max(room // 3, 1))
            body = page.lines(width, room - least - (height >= 18))
            detail = page.detail(width)[:least]
    except StoppedError:
        raise
    except BpttError as error:
        wrong, detail = str(error), []
    if wrong:
        detail = [((f" ✗ {wrong}", "error"),)]
    blank = max(height - 2 - len(body) - len(detail), 0)
    lines: list[Line] = [_tabs(part, width), *body, *([()] * blank), *detail, _keys(page, width)]
    return Sheet(part, page, said, size, [clipped(line, width) for line in lines])


def _tabs(current: str, width: int) -> Line:
    runs: list[Run] = [(" Σ ", "accent")]
    for number, (part, label) in enumerate(PARTS, 1):
        text = f" {number} {label} " if width >= 60 else f" {label} "
        runs += [(text, "now" if part == current else "dim"), (" ", "plain")]
    room = width - line_width(runs)
    note = "the gradient as a sum " if room > 24 else ""
    return (*runs, (note.rjust(max(room, 0)), "faint"))


def _keys(page: Page | None, width: int) -> Line:
    own = () if page is None else page.own_keys()
    usual = tuple(pair for pair in (("enter", "go there"), ("y", "copy"), ("?", "keys")) if pair[0] not in dict(own))
    runs: list[Run] = [(" ", "plain"), ("esc", "accent"), (" back  ", "dim")]
    for key, label in (*own, *usual):
        if line_width(runs) + len(key) + len(label) + 3 <= width:
            runs += [(key, "accent"), (f" {label}  ", "dim")]
    return tuple(runs)
