"""‖∂E/∂s_t‖ over time as bars on a log scale: where the gradient vanishes or explodes, seen in one line.

With few timesteps the bars are wide and carry their numbers; with many each is one cell and the window follows the
current timestep. Zero, infinity, NaN and "not yet" have glyphs of their own and no bar.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip as Cells

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Strip, View
from bptt_tui.tui.figures import NOT_YET_MARK
from bptt_tui.tui.graph import lines_per_row
from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.pane import Pane
from bptt_tui.tui.signs import LogScale, bar

_WIDEST_BAR = 12
_HIGHEST = 5
_NUMBERED = 9  # from this width on a bar carries its norm


class StripPane(Pane):
    """Draws `View.strip`; empty for a network without a recurrent node."""

    DEFAULT_CSS = "StripPane { padding: 0 1 0 2; border: none; overflow: hidden; &:focus { border: none; } }"

    class TimeClicked(Message):
        """The learner clicked on the bar of node `name` at `t`."""

        def __init__(self, name: str, t: int) -> None:
            super().__init__()
            self.name = name
            self.t = t

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines that the graph above has no use for; one or more, so that the graph gives way."""
        if self.view is None or self.view.strip is None:
            return 0
        rows = len(self.view.graph.rows)
        spare = container.height - 1 - rows * lines_per_row(rows, container.height - 1)
        return min(max(spare - 1, 1), _HIGHEST)

    def lay_out(self, view: View) -> None:
        strip = view.strip
        self._lines = [] if strip is None else strip_lines(view, strip, self.inner.width, self.inner.height)
        self.virtual_size = Size(self.inner.width, self.inner.height)

    def line_at(self, y: int) -> Cells:
        return self.inks.paint(self._lines[y] if y < len(self._lines) else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if self.view is None or self.view.strip is None or at is None:
            return
        t = Window.of(self.view, self.view.strip, self.inner.width).at(at.x)
        if t is not None:
            self.post_message(self.TimeClicked(self.view.strip.name, t))


class Window(NamedTuple):
    """Which bars are in sight: `shown` timesteps, `step` cells each, right of a gutter for the label."""

    gutter: int
    step: int
    shown: range

    @classmethod
    def of(cls, view: View, strip: Strip, width: int) -> Window:
        """The window of `width` cells around the current timestep."""
        gutter = max(width_of(strip.label), 9) + 2
        room = max(width - gutter, 1)
        count = len(strip.norms)
        step = max(min(_WIDEST_BAR, (room + 1) // max(count, 1)), 1)
        window = max(room // step, 1)
        now = view.t if view.t is not None else 0
        start = max(0, min(now - window // 2, count - window))
        return cls(gutter, step, range(start, min(start + window, count)))

    def at(self, x: int) -> int | None:
        """The timestep whose bar is at `x`."""
        place = (x - self.gutter) // self.step
        return self.shown[place] if x >= self.gutter and place < len(self.shown) else None


def strip_lines(view: View, strip: Strip, width: int, height: int) -> list[Line]:
    """`height` lines: bars, and the last one says what they are."""
    window = Window.of(view, strip, width)
    gutter, step, shown = window.gutter, window.step, window.shown
    start = shown.start
    scale = LogScale.of(strip.norms[shown.start : shown.stop][max(strip.known_from - start, 0) :])
    bars = max(height - 1, 1)
    lines: list[Line] = []
    for line in range(bars):
        head = strip.label if line == bars - 1 else ""
        runs: list[Run] = [(fitted(head, gutter), "symbol")]
        for t in shown:
            text = _piece(strip, t, scale, bars, bars - 1 - line)
            wide = text * (step - 1) + " " if step > 1 and text in _FULL else fitted(text, step, "left")
            runs.append((wide, "accent" if t == view.t else "name"))
        lines.append(tuple(runs))
    if height > 1:
        lines.append(_caption(view, strip, shown, step, gutter))
    return lines


_FULL = frozenset("▁▂▃▄▅▆▇█ ")


def _piece(strip: Strip, t: int, scale: LogScale | None, lines: int, from_bottom: int) -> str:
    """The character of timestep `t` on one line of its bar."""
    norm = float(strip.norms[t])
    mark = (
        NOT_YET_MARK
        if t < strip.known_from
        else "?"
        if math.isnan(norm)
        else "∞"
        if math.isinf(norm)
        else "0"
        if norm == 0 or scale is None
        else ""
    )
    if mark:
        return mark if from_bottom == 0 else " "
    assert scale is not None
    return bar(scale.eighths(norm, lines), from_bottom)


def _caption(view: View, strip: Strip, shown: range, step: int, gutter: int) -> Line:
    """The norms under wide bars; under narrow ones the ends of the window and a mark at the current timestep."""
    if step >= _NUMBERED:
        runs: list[Run] = [(fitted("log scale", gutter), "faint")]
        for t in shown:
            known = t >= strip.known_from
            text = numerals.number(float(strip.norms[t]), 4) if known else "not yet"
            runs.append((fitted(text, step), "accent" if t == view.t else "dim" if known else "faint"))
        return tuple(runs)
    room = step * len(shown)
    caption = [" "] * room

    def write(at: int, mark: str) -> None:
        """Put a mark where nothing stands yet."""
        if at >= 0 and at + len(mark) <= room and not "".join(caption[max(at - 1, 0) : at + len(mark) + 1]).strip():
            caption[at : at + len(mark)] = mark

    if view.t is not None and view.t in shown:
        at = (view.t - shown.start) * step
        write(at, f"▴ {view.t}")
        write(at - len(str(view.t)) - 1, f"{view.t} ▴")
    write(0, f"t = {shown.start}")
    write(room - len(str(shown.stop - 1)), str(shown.stop - 1))
    return ((fitted("log scale", gutter), "faint"), ("".join(caption), "dim"))
