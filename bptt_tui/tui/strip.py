"""‖∂E/∂s_t‖ over all timesteps as bars on a log scale: where the gradient vanishes or explodes, seen in one line.

With few timesteps the bars are wide and carry their numbers. With more timesteps than cells a bar stands for a group of
them: it is as high as the largest norm of the group, bright as far up as the smallest, and a single NaN, infinity or
zero in a hundred thousand timesteps still shows, because its glyph stands in front of the bar. Zooming makes the groups
smaller and the window follow the current timestep.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from textual import events
from textual.geometry import Size
from textual.strip import Strip as Cells

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Strip, Value, View
from bptt_tui.tui.figures import NOT_YET_MARK
from bptt_tui.tui.graph import lines_per_row
from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.pane import Pane
from bptt_tui.tui.pointing import Pointed, how_clicked
from bptt_tui.tui.signs import LogScale, bar

_WIDEST_BAR = 12
_HIGHEST = 5
_NUMBERED = 9  # from this width on a bar carries its norm
_ZOOM = 4  # times fewer timesteps to a bar
_USUAL_WIDTH = 60  # for jumps by bars while the pane is not on screen


class StripPane(Pane):
    """Draws one of `View.strips`, the last of them at first; empty for a network without a recurrent node."""

    DEFAULT_CSS = "StripPane { overflow: hidden; }"
    BLANKS = (2, 1)
    TOP = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._name = ""
        self._zoom = 0
        self._groups: tuple[Value, Window, Groups] | None = None

    def strip(self, view: View) -> Strip | None:
        """The strip that is drawn."""
        return next((strip for strip in view.strips if strip.name == self._name), view.strip)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines that the graph above has no use for; one or more, so that the graph gives way."""
        if self.view is None or self.view.strip is None:
            return 0
        rows = len(self.view.graph.rows)
        room = container.height - 1 - self._framed  # without the timesteps, and without the frame above them
        spare = room - rows * lines_per_row(rows, room)
        return min(max(spare - 1, 1), _HIGHEST)

    def lay_out(self, view: View) -> None:
        strip = self.strip(view)
        self._lines = []
        if strip is not None:
            window = self._window_on(view, strip)
            self._lines = strip_lines(view, strip, window, self.inner.height, self._grouped(strip, window))
        self.virtual_size = Size(self.inner.width, self.inner.height)

    def _grouped(self, strip: Strip, window: Window) -> Groups:
        """The groups of a window; the norms of one trace are one array, so from step to step they are the same."""
        if self._groups is None or self._groups[0] is not strip.norms or self._groups[1] != window:
            self._groups = (strip.norms, window, Groups.of(strip, window))
        return self._groups[2]

    def line_at(self, y: int) -> Cells:
        return self.inks.paint(self._lines[y] if y < len(self._lines) else (), self._width)

    # What keys and clicks ask for

    def switch(self) -> str:
        """Draw the next recurrent node; returns what to say about it."""
        if self.view is None or not self.view.strips:
            return "no node of this network is recurrent"
        names = [strip.name for strip in self.view.strips]
        here = self.strip(self.view)
        assert here is not None
        self._name = names[(names.index(here.name) + 1) % len(names)]
        self._arrange_view()
        return f"the only recurrent node is {here.name}" if len(names) == 1 else f"norms of {self._name}"

    def zoom(self, step: int) -> str:
        """Fewer or more timesteps to a bar; returns what to say about it."""
        window = self._window()
        if window is None:
            return "no node of this network is recurrent"
        if (step > 0 and window.per > 1) or (step < 0 and self._zoom):
            self._zoom += step
            self._arrange_view()
            window = self._window() or window
        return "every timestep has a bar" if window.per == 1 else f"a bar is {window.per} timesteps"

    def beside(self, step: int) -> tuple[str, int] | None:
        """Node and timestep of the bar `step` bars from the current one; None where there is no such bar."""
        window = self._window()
        if self.view is None or window is None:
            return None
        strip = self.strip(self.view)
        assert strip is not None
        now = self.view.t if self.view.t is not None else 0
        start = window.shown.start + ((now - window.shown.start) // window.per + step) * window.per
        if not 0 <= start < len(strip.norms):
            return None
        return strip.name, standing_for(strip, range(start, min(start + window.per, len(strip.norms))))

    def _window(self) -> Window | None:
        strip = self.strip(self.view) if self.view is not None else None
        if self.view is None or strip is None:
            return None
        return self._window_on(self.view, strip)

    def _window_on(self, view: View, strip: Strip) -> Window:
        """The window of this pane; a single line of grouped bars ends with the timesteps they are of."""
        width = self.inner.width or _USUAL_WIDTH
        window = Window.of(view, strip, width, self._zoom)
        if self.inner.height != 1 or len(strip.norms) <= width - window.gutter:
            return window
        return Window.of(view, strip, width - 2 * len(str(len(strip.norms))) - 2, self._zoom)

    def on_click(self, event: events.Click) -> None:
        at, window = event.get_content_offset(self), self._window()
        if self.view is None or window is None or at is None:
            return
        strip, times = self.strip(self.view), window.at(at.x)
        if strip is not None and times:
            self.post_message(Pointed(f"{strip.name}[{standing_for(strip, times)}]", how_clicked(event)))


class Window(Struct, frozen=True):
    """Which bars are in sight: `shown` timesteps, `per` of them to a bar of `step` cells, right of a gutter."""

    gutter: int
    step: int
    shown: range
    per: int = 1

    @classmethod
    def of(cls, view: View, strip: Strip, width: int, zoom: int = 0) -> Window:
        """All timesteps in `width` cells; zoomed, those around the current one."""
        gutter = max(width_of(strip.label), 9) + 2
        room = max(width - gutter, 1)
        count = len(strip.norms)
        per = max(-(-count // room) // _ZOOM**zoom, 1)
        step = max(min(_WIDEST_BAR, (room + 1) // max(-(-count // per), 1)), 1)
        # The blank that ends a wide bar may fall off the pane's edge.
        window = max((room + (step > 1)) // step, 1) * per
        now = view.t if view.t is not None else 0
        start = max(0, min(now - window // 2, count - window))
        start = -(-start // per) * per  # bars begin at multiples, so that they do not change with every step
        return cls(gutter, step, range(start, min(start + window, count)), per)

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return -(-len(self.shown) // self.per)

    def times(self, place: int) -> range:
        """The timesteps of a bar."""
        return self.shown[place * self.per : (place + 1) * self.per]

    def at(self, x: int) -> range:
        """The timesteps whose bar is at `x`; none beside the bars."""
        return self.times((x - self.gutter) // self.step) if x >= self.gutter else range(0)

    def place(self, t: int) -> int:
        """The bar of a timestep in sight."""
        return (t - self.shown.start) // self.per


class Groups(Struct, frozen=True):
    """Of every bar: the largest and the smallest of its positive, finite norms (nan without any), and its mark."""

    top: Value
    low: Value
    marks: list[str]

    @classmethod
    def of(cls, strip: Strip, window: Window) -> Groups:
        """The groups of all norms, known at this position or not."""
        norms = strip.norms[window.shown.start : window.shown.stop]
        edges = np.arange(0, len(norms), window.per)
        usable = np.isfinite(norms) & (norms > 0)
        top = np.maximum.reduceat(np.where(usable, norms, -np.inf), edges)
        low = np.minimum.reduceat(np.where(usable, norms, np.inf), edges)
        times = np.arange(window.shown.start, window.shown.stop)
        there = (times >= strip.first) & (times < strip.stop)
        marks = np.full(len(edges), " ")
        marks[np.isfinite(top)] = ""
        for mark, found in (("0", norms == 0), ("∞", np.isinf(norms)), ("?", np.isnan(norms) & there)):
            marks[np.logical_or.reduceat(found, edges)] = mark
        missing = ~np.isfinite(top)
        return cls(np.where(missing, np.nan, top), np.where(missing, np.nan, low), marks.tolist())


def standing_for(strip: Strip, times: range) -> int:
    """The timestep that a bar shows: its NaN, infinity or zero, else its largest norm; the first if none is known."""
    times = range(max(times.start, strip.first), min(times.stop, strip.stop)) or times
    known = range(max(times.start, strip.known_from), times.stop)
    if not known:
        return times.start
    norms = strip.norms[known.start : known.stop]
    wanted: tuple[NDArray[np.bool_], ...] = (np.isnan(norms), np.isinf(norms), norms == 0)
    for found in wanted:
        if found.any():
            return known[int(np.argmax(found))]
    return known[int(np.argmax(norms))]


def strip_lines(view: View, strip: Strip, window: Window, height: int, groups: Groups | None = None) -> list[Line]:
    """`height` lines: bars, and the last one says what they are."""
    groups = _known(strip, window, groups or Groups.of(strip, window))
    scale = LogScale.of(np.concatenate([groups.top, groups.low]))
    now = window.place(view.t) if view.t is not None and view.t in window.shown else -1
    bars = max(height - 1, 1)
    tops, lows = groups.top.tolist(), groups.low.tolist()
    lines: list[Line] = []
    for line in reversed(range(bars)):
        head = strip.label if line == 0 else ""
        runs: list[Run] = [(fitted(head, window.gutter), "symbol")]
        for place, (mark, top, low) in enumerate(zip(groups.marks, tops, lows, strict=True)):
            text, ink = mark if line == 0 else " ", "name"
            if scale is not None and not math.isnan(top) and (line or not mark):
                text = bar(scale.eighths(top, bars), line)
                if scale.eighths(low, bars) <= 8 * line:
                    ink = "symbol"  # only the larger norms of the group reach so high
            if mark in ("?", "∞") and line == 0:
                ink = "error"
            wide = text * (window.step - 1) + " " if window.step > 1 and text in _FULL else fitted(text, window.step)
            runs.append((wide, "accent" if place == now else ink))
        if height == 1 and len(strip.norms) > window.bars:
            runs.append((f" {window.shown.start}…{window.shown.stop - 1}", "dim"))
        lines.append(tuple(runs))
    if height > 1:
        lines.append(_caption(view, strip, window))
    return lines


_FULL = frozenset("▁▂▃▄▅▆▇█ ")


def _known(strip: Strip, window: Window, groups: Groups) -> Groups:
    """The groups as far as their norms are known: nothing of a bar that is not, and of one that is partly its part."""
    unknown = min(max(strip.known_from - window.shown.start, 0), len(window.shown))
    if not unknown:
        return groups
    # The last bar may stand for fewer timesteps than the others.
    whole, part = (window.bars, 0) if unknown == len(window.shown) else divmod(unknown, window.per)
    top, low, marks = groups.top.copy(), groups.low.copy(), list(groups.marks)
    top[:whole], low[:whole], marks[:whole] = np.nan, np.nan, [NOT_YET_MARK] * whole
    if part:
        times = range(strip.known_from, window.times(whole).stop)
        rest = Groups.of(strip, Window(0, 1, times, len(times)))
        top[whole], low[whole], marks[whole] = rest.top[0], rest.low[0], rest.marks[0]
    return Groups(top, low, marks)


def _caption(view: View, strip: Strip, window: Window) -> Line:
    """The norms under wide bars; under narrow ones the ends of the window and a mark at the current timestep."""
    step, shown, gutter = window.step, window.shown, window.gutter
    if step >= _NUMBERED:
        runs: list[Run] = [(fitted("log scale", gutter), "faint")]
        for t in shown:
            known = t >= strip.known_from
            there = strip.first <= t < strip.stop
            text = numerals.number(float(strip.norms[t]), 4) if known and there else "not yet" if there else ""
            runs.append((fitted(text, step), "accent" if t == view.t else "dim" if known else "faint"))
        return tuple(runs)
    room = step * window.bars - (step > 1)
    caption = [" "] * room

    def write(at: int, mark: str) -> bool:
        """Put a mark where nothing stands yet."""
        free = at >= 0 and at + len(mark) <= room
        if free and not "".join(caption[max(at - 1, 0) : at + len(mark) + 1]).strip():
            caption[at : at + len(mark)] = mark
            return True
        return False

    if view.t is not None and view.t in shown:
        at = window.place(view.t) * step
        write(at, f"▴ {view.t}")
        write(at - len(str(view.t)) - 1, f"{view.t} ▴")
    write(0, f"t = {shown.start}")
    if view.t != shown.stop - 1:  # which then stands beside its mark
        write(room - len(str(shown.stop - 1)), str(shown.stop - 1))
    scale = "log scale"
    if window.per > 1:
        said, short = f"a bar is {window.per} timesteps", f"log, {window.per}/bar"
        places = (room // 2 - len(said) // 2, len(f"t = {shown.start}") + 2, room * 2 // 3)
        if not any(write(at, said) for at in places) and len(short) < gutter:
            scale = short
    return ((fitted(scale, gutter), "faint"), ("".join(caption), "dim"))
