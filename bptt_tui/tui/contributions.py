"""The table of contributions: ∂E/∂p = Σ_t ∂E/∂p_t, one row per parameter, one column per timestep.

The names on the left and the sums on the right stand still, the timesteps between them scroll; only those in sight are
asked for. "not yet" is what the backward pass has still to reach, "–" a timestep that does not use the parameter.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from bptt_tui.debugger.view import ABSENT, Contribution, Missing, Value, View
from bptt_tui.tui.figures import figure, norm, shown, signed
from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.pane import Pane, loss_name
from bptt_tui.tui.pointing import Pointed, how_clicked, place_in_words
from bptt_tui.tui.signs import by_norm, sign

_USUAL = 15  # cells of a timestep's column, blanks included
_NARROW = 13
_LEAST = 11  # however long the names are
_ARRAY = 18  # where parameters are matrices
_WIDEST = 23
_ENTRIES = 3  # arrays of more are too long for a cell
_OWN = "parameter"  # what heads a parameter's own value
_NAMES_BELOW = 64  # below this width the parameter's own value is left out


class ContributionsPane(Pane):
    """Draws `View.contributions`."""

    COLUMNS = True

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._label = 8
        self._own = 0
        self._column = _USUAL
        self._sum = _USUAL
        self._taken = 9
        self._fitting = 1
        self._explained = True  # whether the border says that an array is shown by its sign and its norm

    @property
    def column_cells(self) -> int:
        return self._column

    @property
    def columns_in_sight(self) -> int:
        return self._fitting

    def lines_wanted(self) -> int:
        """Lines the whole table takes, the timesteps included."""
        return 1 + len(self.view.contributions.rows) if self.view else 1

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.lines_wanted()

    def lay_out(self, view: View) -> None:
        table, width = view.contributions, self.inner.width
        loss = loss_name(view)
        arrays = any(table.parameter(row).size > _ENTRIES for row in range(len(table.rows)))
        self._explained = width >= _NAMES_BELOW
        said = "arrays: sign, ‖·‖   " if arrays and self._explained else ""
        self.entitle("4 contributions", f"{said}∂{loss}/∂p = Σₜ ∂{loss}/∂pₜ")
        rows = range(len(table.rows))
        own = max((width_of(_own_value(view, row)) for row in rows), default=0)
        self._own = max(own + 3, len(_OWN) + 2) if width >= _NAMES_BELOW else 0
        self._taken = max((len(_taken(view, row)) for row in rows), default=6) + 1 if width >= 50 else 0
        narrowest = _ARRAY if any(table.parameter(row).ndim > 1 for row in rows) else _NARROW
        self._sum = _NARROW if width < _NAMES_BELOW else max(_USUAL, narrowest)
        right = self._sum + 2 + self._taken
        label = max((width_of(table.label(row)) for row in rows), default=6) + 2
        self._label = min(label, max(width - self._own - right - _LEAST, _LEAST))
        left = self._label + self._own
        middle = max(width - left - right, 8)
        self._fitting = max(min(middle // narrowest, table.steps), 1)
        self._column = min(middle // self._fitting, _WIDEST)
        self.virtual_size = Size(left + table.steps * self._column + right, 1 + len(table.rows))
        self._keep_in_sight(view)

    def _keep_in_sight(self, view: View) -> None:
        if view.t is None:
            return
        before = 1 if self._fitting > 2 else 0
        after = 1 if self._fitting > 1 else 0
        first = self.scroll_offset.x // self._column
        first = min(first, max(view.t - before, 0))
        first = max(first, min(view.t + after, view.contributions.steps - 1) - self._fitting + 1)
        x = first * self._column
        row = next((r for r in range(len(view.contributions.rows)) if self._is_current(view, r)), None)
        y = self.scroll_offset.y
        if row is not None:
            y = max(min(y, row), row + 2 - self.inner.height)
        self.scroll_to(x, max(y, 0), animate=False, force=True)

    def _is_current(self, view: View, row: int) -> bool:
        return bool(view.pane and view.pane.ref.kind == "use" and view.pane.ref.name == view.contributions.rows[row])

    def line_at(self, y: int) -> Strip:
        assert self.view is not None
        view, width = self.view, self._width
        table = view.contributions
        row = -1 if y == 0 else y - 1 + self.scroll_offset.y
        if row >= len(table.rows):
            return self.inks.paint((), width)
        middle = self._fitting * self._column
        x = self.scroll_offset.x
        first = min(max(x // self._column, 0), max(table.steps - 1, 0))
        last = min((x + max(middle, 1) - 1) // self._column, table.steps - 1)
        runs: list[Run] = []
        for t in range(first, last + 1):
            runs += self._heading(view, t) if row < 0 else self._cell(view, row, t)
        cut = x - first * self._column
        scrolled = self.inks.paint(runs, (last - first + 1) * self._column)
        head = self.inks.paint(self._left(view, row), self._label + self._own)
        tail = self.inks.paint(self._right(view, row), self._sum + 2 + self._taken)
        body = scrolled.crop(cut, cut + max(middle, 0))
        return self.inks.filled(Strip.join([head, body, tail]), width)

    def _heading(self, view: View, t: int) -> Line:
        return ((fitted(f"  t = {t}", self._column), "accent" if t == view.t else "dim"),)

    def on_click(self, event: events.Click) -> None:
        """A term is gone to."""
        at = event.get_content_offset(self)
        if self.view is None or at is None or at.y == 0:
            return
        x, row = at.x - self._label - self._own, at.y - 1 + self.scroll_offset.y
        t = (x + self.scroll_offset.x) // self._column
        table = self.view.contributions
        if 0 <= x < self._fitting * self._column and row < len(table.rows) and 0 <= t < table.steps:
            cell = table.cell(row, t)
            if isinstance(cell, Contribution):
                self.post_message(Pointed(place_in_words(cell.ref), how_clicked(event)))

    def _left(self, view: View, row: int) -> Line:
        """The label, and the parameter's own value."""
        if row < 0:
            more = "‹" if self.scroll_offset.x > 0 else " "
            name = fitted(_OWN if self._own else "", max(self._own - 1, 0))
            return ((" " * (self._label - (self._own == 0)), "plain"), (name, "dim"), (more, "accent"))
        ink = "accent" if self._is_current(view, row) else "name"
        own = fitted(_own_value(view, row), self._own) if self._own else ""
        label = view.contributions.label(row)
        if width_of(label) >= self._label:  # the name of the parameter says most of it
            label = view.contributions.rows[row]
        return ((fitted(label, self._label - 1) + " ", ink), (own, "symbol"))

    def _cell(self, view: View, row: int, t: int) -> Line:
        cell = view.contributions.cell(row, t)
        room = self._column - 3
        if isinstance(cell, Missing):
            return ((fitted(f"  {ABSENT.value if cell is ABSENT else cell.value}", self._column), "faint"),)
        text, ink = _value(cell, room, self._explained)
        if cell.current:
            return (("▐", "now-mark"), (fitted(text, room), ink), ("▌", "now-mark"), (" ", "plain"))
        return ((" ", "plain"), (fitted(text, room + 2), ink))

    def _right(self, view: View, row: int) -> Line:
        """The sum of the terms taken, and how many of them."""
        if row < 0:
            shown_to = self.scroll_offset.x + self._fitting * self._column
            more = "›" if shown_to < view.contributions.steps * self._column else " "
            return (
                ("│", "wire"),
                (more, "accent"),
                (fitted(" Σ so far", self._sum), "dim"),
                (fitted("taken", self._taken), "dim"),
            )
        so_far = view.contributions.so_far(row)
        if isinstance(so_far, Missing):
            text, ink = f" {so_far.value}", "faint"
        else:
            text, ink = _summary(so_far, self._sum - 2 + (so_far.ndim == 0), self._explained), sign(so_far).ink
        taken, there = view.contributions.progress(row)
        done = "good" if taken == there else "dim"
        return (("│ ", "wire"), (fitted(text, self._sum), ink), (fitted(_taken(view, row), self._taken), done))


def _value(cell: Contribution, width: int, explained: bool) -> tuple[str, str]:
    """A contribution as text with its ink."""
    if isinstance(cell.value, Missing):
        return f" {shown(cell.value, width)}", "faint"
    mark = sign(cell.value)
    return _summary(cell.value, width, explained), f"now-{mark.tone}" if cell.current else mark.ink


def _summary(value: Value, width: int, explained: bool) -> str:
    """The value, the sign of a number in a column of its own; an array that does not fit by its sign and its norm.

    Unless the border explains it, that it is a norm is written.
    """
    text = signed(figure(value, width - (value.ndim == 0)))
    if "…" not in text:
        return text
    return f"{sign(value).glyph} {figure(norm(value), width - 2)}" if explained else by_norm(value, width)


def _own_value(view: View, row: int) -> str:
    """`w = 0.6`, and of a matrix its shape: `W  3×3`."""
    name, value = view.contributions.rows[row], view.contributions.parameter(row)
    return f"{name} {value.shape[0]}×{value.shape[1]}" if value.ndim == 2 else f"{name} = {figure(value, 16)}"


def _taken(view: View, row: int) -> str:
    taken, there = view.contributions.progress(row)
    return f"{taken} of {there}"
