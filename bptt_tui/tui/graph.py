"""The unrolled network as a score: one row per equation, the loss on top, one column per timestep.

Only the columns in sight are asked for and built, so 100 000 timesteps scroll like two. Where the pane is high enough
a node takes two lines, its value and ∂E/∂node below; otherwise one line with a glyph for the gradient's sign and size.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from bptt_tui.debugger.view import ABSENT, NOT_YET, Cell, Missing, Shown, View
from bptt_tui.language.labels import label, superscript
from bptt_tui.tui import heat
from bptt_tui.tui.columns import LEAD, TAIL, Columns
from bptt_tui.tui.figures import NOT_YET_MARK, NOTHING_LEFT, figure, shown, signed
from bptt_tui.tui.ink import Line, Run, fitted, line_width, merged, width_of
from bptt_tui.tui.pane import Pane
from bptt_tui.tui.pointing import Pointed, how_clicked, place_in_words, told_in_full
from bptt_tui.tui.routes import Gap, Link, Routed, draw_current, place_of, routed
from bptt_tui.tui.signs import FLAGS, sign

# Cells of a value, from narrow to wide, for scalars and for vectors. The widest is taken at which as many whole columns
# are in sight as at the narrowest.
_SCALARS, _VECTORS, _ROWS = range(8, 14), range(13, 18), range(10, 18)


class GraphPane(Pane):
    """Draws `View.graph`; a click on a node asks to go there."""

    COLUMNS = True
    BLANKS = (0, 0)
    FOOT = False
    _hovered: Cell | None = None

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._columns = Columns(0, 0, 1, 1, 0)
        self._label_width = 1
        self._initial_label = 1
        self._lines_per_row = 1
        self._tracks: dict[int, int] = {}
        self._links: tuple[Link, ...] = ()
        self._current: tuple[int, int] | None = None
        self._edges: list[Routed] = []
        self._use = ""
        self._use_room = 0  # cells of the gap that are in sight, for its name
        self._cells: dict[tuple[int, int], Cell | Missing] = {}
        self._drawn_columns: dict[int, list[Line]] = {}
        self._drawn_gaps: dict[int, list[Line]] = {}
        self._resting_gaps: dict[tuple[bool, ...], Gap] = {}

    def lay_out(self, view: View) -> None:
        graph = view.graph
        rows = len(graph.rows)
        self._lines_per_row = lines_per_row(rows, self.size.height)
        self._cells.clear()
        self._drawn_columns.clear()
        self._drawn_gaps.clear()
        self._resting_gaps.clear()
        self._links = graph.links()
        self._tracks = {row: i for i, row in enumerate(dict.fromkeys(s for s, _, lag in self._links if lag == 1))}
        self._columns = self._fitting_columns(view)
        self._current = self._find_current(view)
        self._use = view.pane.ref.label if view.pane is not None and view.pane.ref.kind == "use" else ""
        self._edges = routed(graph.edges(), graph.rows, graph.last, self._current) if self._current is not None else []
        self.virtual_size = Size(self._columns.total, 1 + rows * self._lines_per_row)
        self._keep_in_sight(view)

    # Where things stand

    @property
    def column_cells(self) -> int:
        return self._columns.width + self._columns.gap

    @property
    def columns_in_sight(self) -> int:
        return max(self._columns.whole_in(self.size.width), 1)

    def _fitting_columns(self, view: View) -> Columns:
        """The widest columns at which every timestep shows, or the usual ones where that is hopeless.

        A scrollbar, which comes and goes with a message of two lines, makes no difference: it lies over the last cell.
        """
        graph = view.graph
        self._label_width = max(width_of(label(name, graph.last)) for name in graph.rows)
        self._initial_label = max(width_of(label(name, graph.first)) for name in graph.rows)
        extra = 1 + self._label_width + 1 + 2 + 1  # bracket, label, blank, flag and glyph, bracket
        initial = self._initial_width(view)
        tracks = len(self._tracks)
        choices = [
            Columns(graph.first, graph.last, extra + value, min(initial, extra + value), tracks)
            for value in reversed(_values_widths(view))
        ]
        width = self.size.width
        whole = [columns for columns in choices if columns.total <= width]
        return whole[0] if whole else max(choices, key=lambda columns: columns.whole_in(width))

    def _initial_width(self, view: View) -> int:
        """Cells for a column before t = 0: its widest value, of the few there are."""
        widest = 4
        for t in range(view.graph.first, 0):
            for row in range(len(view.graph.rows)):
                cell = self._cell(row, t)
                if isinstance(cell, Cell):
                    widest = max(widest, len(signed(shown(cell.value, _VECTORS[-1]))))
        return 1 + self._initial_label + 1 + widest + 1

    def _find_current(self, view: View) -> tuple[int, int] | None:
        """Row and column of the current node: that of the pane, or the consumer of the use it shows."""
        graph, pane = view.graph, view.pane
        if pane is None:
            return None
        taken = [inflow for inflow in pane.inflows if not isinstance(inflow.product, Missing)]
        through = (taken or list(pane.inflows))[-1:]
        for ref in (pane.ref, *(inflow.factor.consumer for inflow in through)):
            place = place_of(ref, graph.rows, graph.last)
            if place is not None and isinstance(self._cell(*place), Cell):
                return place
        return None

    def _keep_in_sight(self, view: View) -> None:
        """Scroll so that the current column can be seen, and its neighbours where there is room.

        Where there is room for one neighbour, going backward it is the later one, where the gradient comes from.
        """
        t = self._current[1] if self._current else (view.t if view.t is not None else view.graph.first)
        columns, width = self._columns, self.size.width
        fitting = columns.whole_in(width)
        before = 0 if fitting < 2 or (fitting == 2 and view.phase == "backward") else 1
        after = 0 if fitting < 2 or (fitting == 2 and view.phase == "forward") else 1
        first, last = (min(max(at, columns.first), columns.last) for at in (t - before, t + after))
        x = self.scroll_offset.x
        if x < columns.x(last) + columns.width_at(last) + TAIL - width:
            x = columns.x(max(last - fitting + 1, columns.first)) - LEAD
        x = min(x, columns.x(first) - LEAD)
        y = self.scroll_offset.y
        if self._current:
            top = self._current[0] * self._lines_per_row
            y = min(y, top)
            y = max(y, top + self._lines_per_row + 1 - self.inner.height)
        x = max(0, min(x, columns.total - width))
        self.scroll_to(x, max(y, 0), animate=False, force=True)

    def _cell(self, row: int, t: int) -> Cell | Missing:
        assert self.view is not None
        if (row, t) not in self._cells:
            self._cells[row, t] = self.view.graph.cell(row, t)
        return self._cells[row, t]

    # Drawing

    def line_at(self, y: int) -> Strip:
        assert self.view is not None
        width = self._width
        at = -1 if y == 0 else y - 1 + self.scroll_offset.y
        if at >= len(self.view.graph.rows) * self._lines_per_row:
            return self.inks.paint((), width)
        columns = self._columns
        left = self.scroll_offset.x
        first, last = columns.at(left), columns.at(left + width)
        if at < 0:
            return self.inks.paint(self._timesteps(left, range(first, last + 1)), width)
        runs: list[Run] = list(self._gap_line(first - 1, at)[-1:] if first == columns.first else ())
        start = columns.x(first) - (LEAD if first == columns.first else 0)
        for t in range(first, last + 1):
            runs.extend(self._column(t)[at])
            runs.extend(self._gap_line(t, at))
        strip = self.inks.paint(runs, line_width(runs)).crop(left - start, left - start + width)
        return self.inks.filled(strip, width)

    def _timesteps(self, left: int, columns: range) -> Line:
        """`t = 1` above what is in sight of every column, between ‹ and › where there are more; › left of a scrollbar.

        A timestep that has no room there is left out: cut, it would be another one.
        """
        places, end = self._columns, self.inner.width - 1
        # Where the scrollbar hides no more than the bus at the right margin, no column goes on below it.
        more = left + self._width < places.total
        runs: list[Run] = [("‹" if left > 0 else " ", "accent")]
        used = 1
        for t in columns:
            x = places.x(t) - left
            start = max(x, used) + 1
            room = min(x + places.width_at(t), end - more) - start
            text = next((text for text in (f"t = {t}", f"t={t}") if len(text) <= room), "")
            if text:
                now = self._current is not None and self._current[1] == t
                runs += [(" " * (start - used), "plain"), (text, "accent" if now else "dim")]
                used = start + len(text)
        return (*runs, (" " * (end - used), "plain"), ("›" if more else " ", "accent"))

    def _column(self, t: int) -> list[Line]:
        """All lines of one column."""
        if t not in self._drawn_columns:
            assert self.view is not None
            lines: list[Line] = []
            for row in range(len(self.view.graph.rows)):
                lines.extend(self._cell_lines(self._cell(row, t), self._columns.width_at(t), (row, t) == self._current))
            self._drawn_columns[t] = lines
        return self._drawn_columns[t]

    def _cell_lines(self, cell: Cell | Missing, width: int, now: bool) -> list[Line]:
        """One node: label, value, flag, gradient glyph; on a second line, where there is one, the gradient."""
        if isinstance(cell, Missing):
            return [((" " * width, "plain"),)] * self._lines_per_row
        initial = cell.ref.kind == "initial"
        name = fitted(cell.ref.label, self._initial_label if initial else self._label_width)
        room = width - width_of(name) - (3 if initial else 5)
        known = not isinstance(cell.value, Missing)
        text = _value_runs(cell.value, room, "plain" if known else "faint", lit=now)
        flag, flag_ink = FLAGS[cell.flag]
        mark = sign(cell.adjoint)
        two = self._lines_per_row == 2
        awaited = not isinstance(cell.adjoint, Missing) or not self._before_backward()
        glyph = mark.glyph if awaited and not two and not initial else " "
        edge = "●" if cell.stop and not initial else "▌" if now else " "
        held = "≡" if cell.pinned else " "
        if now:
            first: Line = (
                (edge, "now-mark"),
                (f"{name}{held}", "now"),
                *text,
                ("" if initial else flag + glyph, f"now-{mark.tone}"),
                ("▐", "now-mark"),
            )
        else:
            first = (
                (edge, "warning" if edge == "●" else "plain"),
                (name, "name" if known else "faint"),
                (held, "warning" if cell.pinned else "plain"),
                *text,
                ("" if initial else flag, flag_ink),
                ("" if initial else glyph, mark.ink),
                (" ", "plain"),
            )
        return [first, self._gradient_line(cell.adjoint, width, now)] if two else [first]

    def _gradient_line(self, adjoint: Shown, width: int, now: bool) -> Line:
        """The second line of a node: the glyph of ∂E/∂node under the label, its digits under the value's."""
        if adjoint is ABSENT or (adjoint is NOT_YET and self._before_backward()):
            blank = " " * (width - 2)
            return (("▌", "now-mark"), (blank, "now"), ("▐", "now-mark")) if now else ((" " * width, "plain"),)
        mark = sign(adjoint)
        glyph = fitted(mark.glyph, self._label_width) + " "
        room = width - self._label_width - 5
        ink = f"now-{mark.tone}" if now else mark.ink
        digits = ((" " * room, ink),) if isinstance(adjoint, Missing) else _value_runs(adjoint, room, ink, lit=now)
        left, right = (("▌", "now-mark"), ("▐", "now-mark")) if now else ((" ", "plain"), (" ", "plain"))
        return (left, (glyph, ink), *digits, ("  ", ink), right)

    def _before_backward(self) -> bool:
        """Before the backward pass no gradient is expected, so none is announced as missing."""
        return self.view is not None and self.view.phase == "forward"

    # Edges

    def _gap_line(self, left: int, at: int) -> Line:
        """One line of the gap right of column `left`; the margins show its near part."""
        columns = self._columns
        keep = slice(-LEAD, None) if left < columns.first else slice(0, TAIL) if left >= columns.last else slice(None)
        room = min(columns.gap, columns.x(left + 1) - self.scroll_offset.x)
        if left not in self._drawn_gaps or (self._names_use(left) and room != self._use_room):
            self._use_room = room
            self._drawn_gaps[left] = self._draw_gap(left, keep)
        return self._drawn_gaps[left][at]

    def _names_use(self, left: int) -> bool:
        """Whether the use whose contribution is shown is named in this gap."""
        return bool(self._use and self._current and self._current[1] == left + 1)

    def _draw_gap(self, left: int, keep: slice) -> list[Line]:
        assert self.view is not None
        rows = len(self.view.graph.rows)
        resting = self._resting_gap(left, rows)
        now = Gap(self._columns, rows, self._lines_per_row, self._tracks)
        any_now = draw_current(now, left, self._edges)
        if self._current and self._names_use(left):
            now.use(self._use, self._current[0], self._use_room)
            any_now = True
        lines: list[Line] = []
        for y in range(rows * self._lines_per_row):
            runs: list[Run] = []
            for x in range(self._columns.gap)[keep]:
                lit = now.wires.at(x, y) if any_now else ""
                ink = "wire-now" if lit else "wire"
                rest = resting.wires.at(x, y)
                # A value that flows in keeps its arrowhead where the current node's line leaves the same node.
                character = rest if rest == "▶" and lit == "─" else lit or rest or " "
                runs.append((character, ink))
            lines.append(merged(runs))
        return lines

    def _resting_gap(self, left: int, rows: int) -> Gap:
        """The recurrent edges of a gap, drawn once for every pattern of nodes that are there."""
        # An edge starts in the column on the left and, unless it is longer than the gap, ends in the one on the right.
        starting = tuple(self._joined(link, left) for link in self._links)
        ending = tuple(self._joined(link, left + 1 - link[2]) for link in self._links)
        pattern = starting + ending
        if pattern not in self._resting_gaps:
            gap = Gap(self._columns, rows, self._lines_per_row, self._tracks)
            for (source, consumer, lag), starts, ends in zip(self._links, starting, ending, strict=True):
                if lag == 1 and starts:
                    gap.link(source, consumer)
                elif lag > 1 and starts:
                    gap.stub_out(source, superscript(str(lag)))
                if lag > 1 and ends:
                    gap.stub_in(consumer, lag)
            self._resting_gaps[pattern] = gap
        return self._resting_gaps[pattern]

    def _joined(self, link: Link, left: int) -> bool:
        """Whether the edge that leaves column `left` has both its nodes."""
        source, consumer, lag = link
        inside = self._columns.first <= left and left + lag <= self._columns.last
        return (
            inside and isinstance(self._cell(source, left), Cell) and isinstance(self._cell(consumer, left + lag), Cell)
        )

    # The mouse

    def on_click(self, event: events.Click) -> None:
        cell = self._cell_under(event)
        if cell is not None and cell.ref.kind in ("node", "total"):
            self.post_message(Pointed(place_in_words(cell.ref), how_clicked(event)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The full value of the node below the mouse, for the tooltip."""
        cell = self._cell_under(event)
        if cell is not self._hovered:
            self._hovered = cell
            self.tooltip = None if cell is None else told_in_full(cell)

    def on_leave(self) -> None:
        self._hovered = self.tooltip = None

    def _cell_under(self, event: events.MouseEvent) -> Cell | None:
        at = event.get_content_offset(self)
        if self.view is None or at is None or at.y == 0:
            return None
        row = (at.y - 1 + self.scroll_offset.y) // self._lines_per_row
        x = at.x + self.scroll_offset.x
        t = self._columns.at(x)
        inside = self._columns.x(t) <= x < self._columns.x(t) + self._columns.width_at(t)
        if inside and row < len(self.view.graph.rows):
            cell = self._cell(row, t)
            return cell if isinstance(cell, Cell) else None
        return None


def lines_per_row(rows: int, height: int) -> int:
    """Two lines for every node where `height` lines have room for them below the timesteps."""
    return 2 if 1 + 2 * rows <= height else 1


def _values_widths(view: View) -> range:
    """Whether the states are vectors is known from the weights before anything is computed; long ones are drawn."""
    table = view.contributions
    sizes = [table.parameter(row).shape[0] for row in range(len(table.rows)) if table.parameter(row).ndim > 1]
    return _SCALARS if not sizes else _ROWS if max(sizes) > _NUMBERED else _VECTORS


_NUMBERED = 3  # a vector of more entries that does not fit is drawn, not abbreviated


def _value_runs(value: Shown, room: int, ink: str, *, lit: bool) -> Line:
    """A value in exactly `room` cells: digits, the sign of a number in a column of its own, or a row of glyphs."""
    if lit and ink == "plain":
        ink = "now"
    if isinstance(value, Missing):
        return ((fitted(f" {NOT_YET_MARK}" if value is NOT_YET else f" {value.value}", room), "now" if lit else ink),)
    text = signed(figure(value, room - (value.ndim == 0)))
    if value.ndim == 1 and (text == NOTHING_LEFT or (len(value) > _NUMBERED and "…" in text)):
        drawn = heat.row(value, room, lit=lit)
        return (*drawn, (" " * (room - line_width(drawn)), ink))
    return ((fitted(text, room), ink),)
