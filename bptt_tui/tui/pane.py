"""What every pane and every bar of the screen has in common: inks, a View to draw, lines instead of child widgets.

A `Pane` is a scrolling box whose lines are built from a View for the current width. A `Bar` is a strip at the edge
of the screen. Both are handed a View with `show` and ask for nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from bptt_tui.debugger.view import View
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.drawn import Drawn
from bptt_tui.tui.ink import Inks, Line, Run, fitted, width_of
from bptt_tui.tui.layout import Extent

# The scrollbars of whatever scrolls on its own.
SCROLLBARS = """
    scrollbar-size: 1 1;
    scrollbar-color: $foreground 25%;
    scrollbar-color-hover: $accent;
    scrollbar-color-active: $accent;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
"""


def loss_name(view: View) -> str:
    """What the session calls its loss: the node on top of the graph, its total where there are several."""
    return visible(view.graph.rows[0].removeprefix("Σ"))


class Pane(Drawn, ScrollView, can_focus=True, inherit_bindings=False, inherit_css=False):
    """A framed, scrolling part of the screen.

    Textual's scrolling keys are not inherited: left, right, home and end belong to the debugger. Its style rules are
    not either, and the frame is no border but padding that is drawn on: the first frame would pay for each rule.
    """

    DEFAULT_CSS = f"Pane {{ width: 1fr; height: 1fr; overflow: hidden auto; background: $background; {SCROLLBARS} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "scroll up", show=False, id="scroll.up"),
        Binding("down,j", "scroll_down", "scroll down", show=False, id="scroll.down"),
        Binding("pageup", "page_up", "page up", show=False, id="scroll.page-up"),
        Binding("pagedown", "page_down", "page down", show=False, id="scroll.page-down"),
        Binding("shift+left", "columns(-1)", "a timestep left", show=False, id="scroll.left"),
        Binding("shift+right", "columns(1)", "a timestep right", show=False, id="scroll.right"),
        Binding("ctrl+left", "columns(-1, True)", "a screen left", show=False, id="scroll.page-left"),
        Binding("ctrl+right", "columns(1, True)", "a screen right", show=False, id="scroll.page-right"),
        Binding("shift+home", "first_column", "the first timestep", show=False, id="scroll.first"),
        Binding("shift+end", "last_column", "the last timestep", show=False, id="scroll.last"),
    ]
    ALLOW_MAXIMIZE = False  # the keys of the others, the command line and what is said would go on unseen
    COLUMNS: ClassVar[bool] = False  # whether the content goes on to the right
    BLANKS: ClassVar[tuple[int, int]] = (1, 1)  # cells left and right of the content, within the frame
    TOP: ClassVar[bool] = True  # whether the frame has its upper edge, and its lower one
    FOOT: ClassVar[bool] = True

    def __init__(self, *, id: str) -> None:
        self.inks = Inks(self)
        super().__init__(id=id)
        self.view: View | None = None
        self._title = self._subtitle = ""
        self._framed = False
        self.partner: Pane | None = None  # another in the same frame
        self._extent = Extent()
        self._width = 0  # of the content, while it is drawn
        self._behind = True  # what is laid out is not what is to be drawn: on a hidden pane, until it has a size again

    def show(self, view: View) -> None:
        """Draw this position."""
        self.view = view
        self._arrange_view()

    @property
    def column_cells(self) -> int:
        """Cells from one timestep to the next."""
        return 1

    @property
    def columns_in_sight(self) -> int:
        """How many timesteps are in sight."""
        return 1

    @property
    def allow_horizontal_scroll(self) -> bool:
        """Without a scrollbar too."""
        return self.COLUMNS

    def action_columns(self, count: int, pages: bool = False) -> None:
        """Look `count` timesteps, or screens of them, to the right; the position stays."""
        cells = count * self.column_cells * (self.columns_in_sight if pages else 1)
        self._look_at(self.scroll_offset.x + cells)

    def action_first_column(self) -> None:
        self._look_at(0)

    def action_last_column(self) -> None:
        self._look_at(self.max_scroll_x)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        """With shift, or where there is nothing above and below, the wheel goes through the timesteps."""
        if self.COLUMNS and (event.shift or not self.max_scroll_y):
            event.stop()
            event.prevent_default()
            self.action_columns(step)

    def _look_at(self, x: int) -> None:
        self.scroll_to(max(0, min(x, self.max_scroll_x)), None, animate=False, force=True)

    def lay_out(self, view: View) -> None:
        """Prepare to draw `view` in the current size; called for a new View and for a new size."""
        raise NotImplementedError

    def line_at(self, y: int) -> Strip:
        """Line `y` of what is in sight, after `lay_out`."""
        raise NotImplementedError

    def _arrange_view(self) -> None:
        """Before the first layout, and while the pane is hidden, there is no size to draw for."""
        self._behind = True
        if self.view is not None and self.inner.width and self.inner.height:
            self.lay_out(self.view)
            self._behind = False
            self.refresh()

    def extend(self, extent: Extent) -> None:
        """As high as that."""
        if extent != self._extent:
            self._extent = extent
            self.styles.height, self.styles.min_height = extent.height, extent.least
            self.styles.max_height = extent.most

    def framed(self, frame: bool) -> None:
        """With a frame or, where it has the screen to itself, without."""
        if frame != self._framed:
            self._framed = frame
            left, right = self.BLANKS
            self.styles.padding = (int(self.TOP), right + 1, int(self.FOOT), left + 1) if frame else 0

    def whole_lines(self, size: Size) -> list[Strip]:
        left, right = self.BLANKS if self._framed else (0, 0)
        edges = 2 * self._framed
        self._width = size.width - left - right - edges
        top, foot = (self.TOP, self.FOOT) if self._framed else (False, False)
        content = [self.render_line(y) for y in range(size.height - top - foot)]
        if not self._framed:
            return content
        ink = "frame-now" if self.lit else "frame"
        style, blank = self.inks[ink], self.inks["blank"]
        before = [Segment("│", style), *([Segment(" " * left, blank)] if left else ())]
        after = [*([Segment(" " * right, blank)] if right else ()), Segment("│", style)]
        lines = [Strip([*before, *line, *after], size.width) for line in content]
        if top:
            lines.insert(0, self.inks.paint(self._edge(size.width, ink, self._title, top=True), size.width))
        if foot:
            lines.append(self.inks.paint(self._edge(size.width, ink, self._subtitle, top=False), size.width))
        return lines

    def _edge(self, width: int, ink: str, text: str, *, top: bool) -> list[Run]:
        """The upper or the lower edge of the frame with a text on it, on the left or on the right."""
        start, end = "╭╮" if top else "╰╯"
        if not text or width <= 6:
            return [(f"{start}{'─' * (width - 2)}{end}", ink)]
        text = fitted(text, min(width_of(text), width - 6))
        edge = "─" * (width - 5 - width_of(text))
        if top:
            title = "accent" if self.lit else "title"
            return [(f"{start}─", ink), (f" {text} ", title), (f"{edge}{end}", ink)]
        return [(f"{start}{edge}", ink), (f" {text} ", "subtitle"), (f"─{end}", ink)]

    @property
    def lit(self) -> bool:
        """Whether the frame is lit, because a pane within it has the keys."""
        return self.has_focus or (self.partner is not None and self.partner.has_focus)

    def watch_has_focus(self, focus: bool) -> None:
        """No style rule asks who has the keys; the frame does."""
        self.refresh()
        if self.partner is not None:
            self.partner.refresh()

    def render_line(self, y: int) -> Strip:
        return self.line_at(y) if not self._behind else self.inks.paint((), self._width)

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set the texts on the frame; they are text, never markup."""
        self._title, self._subtitle = visible(title), visible(subtitle)

    @property
    def inner(self) -> Size:
        """The cells there are to draw on, without border, padding and scrollbars."""
        return self.scrollable_content_region.size

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Lay out as soon as there is a size: Textual's Resize comes after the first picture was drawn without.

        A pane that was hidden for some steps may come back in the size that it had.
        """
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed or self._behind:
            self._arrange_view()
        return changed


if TYPE_CHECKING:
    _Part = Pane
else:
    _Part = object  # every class that Textual makes ready as a widget costs the start


class Lines(_Part):
    """What makes a pane one of few lines, `class NotesPane(Lines, Pane)`: all of them are built at once, longer content
    scrolls.

    The scrollbar has a column of its own, so that the lines need not be broken again when it comes.
    """

    BLANKS = (1, 0)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []
        self.styles.scrollbar_gutter = "stable"

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """The content in lines of at most `width` cells; more than `height` of them scroll."""
        raise NotImplementedError

    def lay_out(self, view: View) -> None:
        self._lines = self.lines(view, self.inner.width, self.inner.height)
        self.virtual_size = Size(self.inner.width, len(self._lines))
        last = max(len(self._lines) - self.inner.height, 0)
        if self.scroll_offset.y > last:  # the lines were more, or the pane was smaller
            self.scroll_to(None, last, animate=False, force=True)

    def line_at(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        return self.inks.paint(self._lines[at] if at < len(self._lines) else (), self._width)


class Bar(Drawn, Widget, inherit_css=False):
    """A strip of one or more lines at the edge of the screen."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; background: $panel; }"

    def __init__(self, *, id: str) -> None:
        self.inks = Inks(self)
        super().__init__(id=id)
        self.view: View | None = None

    def show(self, view: View) -> None:
        """Draw this position."""
        self.view = view
        self.refresh()

    def line(self, width: int) -> Line:
        """The one line to draw in `width` cells."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Line]:
        """All lines to draw in `width` cells."""
        return [self.line(width)]

    def whole_lines(self, size: Size) -> list[Strip]:
        lines = self.lines(size.width)[: size.height]
        return [self.inks.paint(line, size.width) for line in (*lines, *[()] * (size.height - len(lines)))]

    def render_line(self, y: int) -> Strip:
        return self.whole_lines(self.outer_size)[y]
