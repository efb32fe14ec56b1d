"""Looking into an array: every entry of a matrix of any size, as numbers or as tiles, and one of them in full.

Arrows move from entry to entry, `tab` goes to the next array of the current step (its value, ∂E/∂node, every local
partial), `i` changes between numbers and tiles, `y` copies the entry.
"""

from __future__ import annotations

import math
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Missing, Shown, Value, View
from bptt_tui.language.sanitise import visible
from bptt_tui.tui import heat
from bptt_tui.tui.dialog import Dialog
from bptt_tui.tui.ink import Inks, Line, Run, fitted

Entry = tuple[str, Value]

_NUMBER = 13  # cells of a number with six digits and the blank before it
_IN_FULL = 26  # of one with all its digits
_AROUND = 6  # lines for the border and for what is said of the entry


def inspectable(view: View) -> list[Entry]:
    """All that is known of the current step, each with its name; the step's result first."""
    pane = view.pane
    if pane is None:
        return []
    backward = view.phase == "backward"
    found: list[tuple[str, Shown | None]] = []
    if backward:
        found.append((pane.title, pane.adjoint))
    found.append((pane.ref.label, pane.value))
    for inflow in pane.inflows:
        factor = inflow.factor
        found += [
            (f"{pane.title.partition('/')[0]}/∂{factor.consumer.label}", inflow.adjoint),
            (factor.title, factor.value),
        ]
        if inflow.of > 1:
            found.append((f"{pane.title}, inflow {inflow.number}", inflow.product))
    if backward and pane.ref.kind == "use":
        found.append((f"{pane.equation.partition(' = ')[0]} so far", pane.so_far))
    found += [(factor.title, factor.value) for factor in pane.partials]
    return [
        (title, value)
        for title, value in dict(reversed(found)).items()
        if value is not None and not isinstance(value, Missing)
    ][::-1]


class Matrix(ScrollView, can_focus=True):
    """The entries of one array, only those in sight built; a vector of numbers stands upright."""

    DEFAULT_CSS = """
    Matrix {
        height: auto; max-height: 100%; width: 100%;
        scrollbar-size: 1 1; scrollbar-color: $foreground 25%; scrollbar-background: $surface; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "up", show=False, id="matrix.up"),
        Binding("down,j", "move(1, 0)", "down", show=False, id="matrix.down"),
        Binding("left,h", "move(0, -1)", "left", show=False, id="matrix.left"),
        Binding("right,l", "move(0, 1)", "right", show=False, id="matrix.right"),
        Binding("pageup", "move(-10, 0)", "page up", show=False, id="matrix.page-up"),
        Binding("pagedown", "move(10, 0)", "page down", show=False, id="matrix.page-down"),
        Binding("home", "go(0)", "first", show=False, id="matrix.first"),
        Binding("end", "go(-1)", "last", show=False, id="matrix.last"),
    ]

    class Moved(Message):
        """Another entry is the current one."""

    def __init__(self) -> None:
        self.inks = Inks(self)
        super().__init__()
        self._value: Value | None = None
        self._tiles = False
        self.at = 0

    def show(self, value: Value, *, tiles: bool) -> None:
        """Draw this array, its first entry the current one unless it is drawn already."""
        if self._value is not value:
            self.at = 0
        self._value, self._tiles = value, tiles
        rows, columns = self._shape
        self.virtual_size = Size(self._margin + columns * self._cell, rows + 1)
        self.refresh(layout=True)
        self._moved()

    @property
    def _shape(self) -> tuple[int, int]:
        """Rows and columns as drawn."""
        assert self._value is not None
        if self._value.ndim == 2:
            return self._value.shape[0], self._value.shape[1]
        return (1, self._value.size) if self._tiles else (self._value.size, 1)

    @property
    def _cell(self) -> int:
        assert self._value is not None
        return 2 if self._tiles else _NUMBER if self._value.ndim == 2 else _IN_FULL

    @property
    def _margin(self) -> int:
        return len(str(self._shape[0] - 1)) + 2

    @property
    def index(self) -> tuple[int, ...]:
        """The current entry's index in the array."""
        assert self._value is not None
        return (
            divmod(self.at, self._value.shape[1])
            if self._value.ndim == 2
            else (self.at,) if self._value.ndim else ()
        )  # fmt: skip

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.virtual_size.height + (self.virtual_size.width > width)

    def action_move(self, down: int, right: int) -> None:
        rows, columns = self._shape
        row, column = divmod(self.at, columns)
        row, column = min(max(row + down, 0), rows - 1), min(max(column + right, 0), columns - 1)
        self._go_to(row * columns + column)

    def action_go(self, at: int) -> None:
        rows, columns = self._shape
        self._go_to(at % (rows * columns))

    def _go_to(self, at: int) -> None:
        self.at = at
        self._moved()

    def _moved(self) -> None:
        """Keep the current entry in sight and say where it is."""
        row, column = divmod(self.at, self._shape[1])
        size = self.scrollable_content_region.size
        if size.width and size.height > 1:
            left = self._margin + column * self._cell
            x, y = self.scroll_offset
            x = min(max(x, left + self._cell - size.width), left - self._margin)
            y = min(max(y, row + 2 - size.height), row)
            self.scroll_to(x, y, animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._value is None:
            return
        rows, columns = self._shape
        row = offset.y - 1 + self.scroll_offset.y
        column = (offset.x + self.scroll_offset.x - self._margin) // self._cell
        if offset.y and 0 <= row < rows and 0 <= column < columns:
            self._go_to(row * columns + column)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self._value is None:
            return self.inks.paint((), width)
        rows, columns = self._shape
        x, top = self.scroll_offset
        row = y - 1 + top
        if row >= rows:
            return self.inks.paint((), width)
        first = max((x - self._margin) // self._cell, 0)
        last = min(first + width // self._cell + 2, columns)
        runs: list[Run] = []
        for column in range(first, last):
            line = self._heading(column) if y == 0 else self._entry(row * columns + column)
            runs += line if self._tiles else self._as_far_as_in_sight(line, column)
        start = self._margin + first * self._cell
        margin = "" if y == 0 else str(row)
        head = self.inks.paint(((fitted(margin, self._margin - 1, "right") + " ", "faint"),), self._margin)
        body = self.inks.paint(runs, (last - first) * self._cell).crop(x + self._margin - start)
        return self.inks.filled(Strip.join([head, body]), width)

    def _as_far_as_in_sight(self, line: Line, column: int) -> Line:
        """A number at the edge that is not whole there is `…`: digits alone would be another number."""
        start = self._margin + column * self._cell - self.scroll_offset.x
        left, right = self._margin, self.scrollable_content_region.width
        (text, ink), *_ = line
        number = text.strip()
        place = start + text.find(number) if number else start
        if left <= place and place + len(number) <= right:
            return line
        cells = " " * self._cell
        at = max(left, start) - start if place < left else right - 1 - start
        return ((cells[:at] + "…"[: 0 <= at < self._cell] + cells[at + 1 :], ink),)

    def _heading(self, column: int) -> Line:
        """The column's number; over tiles only every tenth."""
        if self._tiles:
            return ((fitted(str(column) if column % 10 == 0 and column < 100 else "", self._cell), "faint"),)
        return ((fitted(str(column) if self._shape[1] > 1 else "", self._cell - 1, "right") + " ", "faint"),)

    def _entry(self, at: int) -> Line:
        assert self._value is not None
        value = float(self._value.flat[at])
        if self._tiles:
            text, ink = heat.tile(value, abs(heat.largest(self._value)))
            return ((text, "now" if at == self.at else ink),)
        text = numerals.number(value) if self._value.ndim == 2 else numerals.exact(value)
        ink = "error" if math.isnan(value) else "plain"
        return ((fitted(text, self._cell - 1, "right"), "now" if at == self.at else ink), (" ", "plain"))

    def notify_style_update(self) -> None:
        self.inks.clear()
        super().notify_style_update()


class Inspector(Dialog[None]):
    """A dialog on the arrays of a step; it asks for nothing and changes nothing."""

    AUTO_FOCUS = "Matrix"
    DEFAULT_CSS = """
    Inspector {
        & > Vertical { width: 96%; max-width: 110; }
        & Static { height: auto; margin-top: 1; }
        & #meaning { color: $foreground 50%; margin: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "close", show=False, id="inspector.close"),
        Binding("tab,n", "turn(1)", "next array", show=False, id="inspector.next"),
        Binding("shift+tab,p", "turn(-1)", "array before", show=False, id="inspector.previous"),
        Binding("i", "switch", "tiles or numbers", show=False, id="inspector.switch"),
        Binding("y", "copy", "copy the entry", show=False, id="inspector.copy"),
    ]

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self._entries = entries
        self._number = 0
        self._tiles = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Matrix()
            yield Static(id="entry")
            yield Static(id="meaning")

    def on_mount(self) -> None:
        self._show()

    def on_resize(self, event: events.Resize) -> None:
        """The entry in full stays in sight below the matrix."""
        self.query_one(Matrix).styles.max_height = max(event.size.height - _AROUND, 3)

    def _show(self) -> None:
        title, value = self._entries[self._number]
        box = self.query_one(Vertical)
        box.border_title = Content(visible(f"{title} · {numerals.shape(value.shape)}"))
        box.border_subtitle = Content(f"{self._number + 1} of {len(self._entries)} · tab next · i tiles · y copy · esc")
        self.query_one(Matrix).show(value, tiles=self._tiles and value.ndim > 0)

    def on_matrix_moved(self) -> None:
        title, value = self._entries[self._number]
        matrix = self.query_one(Matrix)
        index = ", ".join(str(place) for place in matrix.index)
        said = f"{title}{f'[{index}]' if index else ''} = {self._entry}"
        self.query_one("#entry", Static).update(Content(visible(said)))
        meaning = f"{heat.summary(value)}; {heat.TILES_MEAN[0][0]}" if self._tiles else f"{heat.summary(value)}"
        self.query_one("#meaning", Static).update(Content(meaning if value.ndim else ""))

    @property
    def _entry(self) -> str:
        """The current entry in full."""
        return numerals.exact(float(self._entries[self._number][1].flat[self.query_one(Matrix).at]))

    def action_turn(self, step: int) -> None:
        self._number = (self._number + step) % len(self._entries)
        self._show()

    def action_switch(self) -> None:
        self._tiles = not self._tiles
        self._show()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._entry)

    def action_close(self) -> None:
        self.dismiss(None)
