"""A hundred thousand timesteps, and matrices: what shows, what is asked for, what keys do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened, text_of
from rich.cells import cell_len
from settling import until
from syrupy.assertion import SnapshotAssertion

from bptt_tui.calculus import numerals
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.errors import SessionError
from bptt_tui.session import Loss, Session, load
from bptt_tui.tui import heat
from bptt_tui.tui.app import DebuggerApp
from bptt_tui.tui.contributions import ContributionsPane
from bptt_tui.tui.debugger_screen import DebuggerScreen
from bptt_tui.tui.graph import GraphPane
from bptt_tui.tui.inspector import Inspector, Matrix, inspectable
from bptt_tui.tui.node import node_lines
from bptt_tui.tui.pane import Pane
from bptt_tui.tui.snapshot import snapshot
from bptt_tui.tui.strip import StripPane
from bptt_tui.tui.tracing import CancelledError, Opening

LONG = 100_000
SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}


@pytest.fixture(scope="module")
def long_session() -> Session:
    question = load("question")
    xs = np.sin(0.7 * np.arange(LONG)).tolist()
    long = question.replace(inputs={"x": xs}, loss=Loss(at="every"), expected=None)
    long.trace()
    return long


# The strip


async def test_keys_jump_from_bar_to_bar_and_are_recorded(long_session: Session) -> None:
    async with opened(long_session, at=1_500_000) as debugger:
        start = debugger.view.t
        assert start is not None
        await debugger.press("<")
        earlier = debugger.view.t
        assert earlier is not None and 0 < start - earlier < 5000
        assert debugger.app.debugger.recording[-1].command == f"goto s[{earlier}]"
        await debugger.press(">")
        assert debugger.view.t is not None and debugger.view.t > earlier
        await debugger.type("goto s[0]")
        await debugger.press("<")
        assert debugger.view.t == 0 and "no bar" in debugger.message


async def test_zooming_changes_what_a_bar_stands_for(long_session: Session) -> None:
    async with opened(long_session, at=1_500_000) as debugger:
        strip = debugger.main.query_one(StripPane)
        await debugger.press("+")
        assert "a bar is" in debugger.message
        widths = []
        for _ in range(8):
            window = strip._window()
            assert window is not None and debugger.view.t in window.shown
            widths.append(window.per)
            await debugger.press("+")
        assert widths == sorted(widths, reverse=True) and widths[-1] == 1
        assert debugger.message == "every timestep has a bar"
        for _ in range(10):
            await debugger.press("-")
        window = strip._window()
        assert window is not None and window.shown == range(LONG)


async def test_the_span_is_on_screen(long_session: Session) -> None:
    async with opened(long_session, at=1_500_000, size=(120, 50)) as debugger:
        text = debugger.text()
        assert "t = 0" in text and f"{LONG - 1}" in text and f"▴ {debugger.view.t}" in text
    async with opened(long_session, at=1_500_000, size=MEDIUM) as debugger:
        assert f"▴ {debugger.view.t}" in debugger.text()


async def test_a_key_shows_the_norms_of_the_next_recurrent_node() -> None:
    async with opened("lstm", at=80) as debugger:
        assert [strip.name for strip in debugger.view.strips] == ["c", "h"]
        assert "‖∂E/∂hₜ‖" in debugger.text()
        await debugger.press("v")
        assert "‖∂E/∂cₜ‖" in debugger.text() and debugger.message == "norms of c"
        await debugger.press("v")
        assert "‖∂E/∂hₜ‖" in debugger.text()
    async with opened() as debugger:
        await debugger.press("v")
        assert debugger.message == "the only recurrent node is s"


# Looking around


@pytest.mark.parametrize("pane", [GraphPane, ContributionsPane])
async def test_keys_scroll_to_any_timestep_and_the_position_stays(long_session: Session, pane: type[Pane]) -> None:
    async with opened(long_session, at=1_500_000) as debugger:
        position, widget = debugger.view.position, debugger.main.query_one(pane)
        widget.focus()

        async def seen(key: str) -> str:
            await debugger.press(key)
            return "".join(segment.text for segment in widget.render_line(0))

        assert "t = 0 " in await seen("shift+home")
        assert "t = 1 " in await seen("shift+right")
        before = widget.scroll_offset.x
        await seen("ctrl+right")
        assert widget.scroll_offset.x - before == widget.columns_in_sight * widget.column_cells
        assert f"t = {LONG - 1}" in await seen("shift+end")
        assert debugger.view.position == position
        await debugger.press("n")
        assert f"t = {debugger.view.t}" in await seen("f12")


# Arrays as pictures


def test_tiles_say_sign_and_size_without_colour() -> None:
    value = np.array([[3.0, -1.5, 0.2], [-0.02, 0.0, np.nan], [np.inf, -np.inf, -3.0]])
    lines, note = heat.tiles(value, 60, 9)
    assert text_of(lines) == ["█+█-▒+", "░- 0 ?", "∞+∞-█-"] and note == ""
    inks = {ink for line in lines for _, ink in line}
    assert {"heat-positive-3", "heat-negative-3", "error"} <= inks


def test_a_row_stands_for_positive_and_hangs_for_negative() -> None:
    vector = np.array([1.0, -1.0, 0.2, -0.2, 0.05, -0.05, 0.0, np.nan])
    assert text_of([heat.row(vector, 10)]) == ["[⣶⠿⣤⠛⣀⠉0?]"]


def test_tiny_arrays_are_drawn_by_their_own_largest() -> None:
    assert heat.summary(np.array([1e-300, -2e-300])) == "largest -2e-300"
    assert heat.summary(np.zeros(3)) == "all 0"
    assert text_of(heat.tiles(np.zeros((1, 3)), 8, 1)[0]) == [" 0 0 0"]


@pytest.mark.parametrize("place", [(0, 0), (63, 99), (17, 42)])
@pytest.mark.parametrize("planted", [-5.0, np.nan, np.inf])
def test_a_block_shows_its_extreme(place: tuple[int, int], planted: float) -> None:
    matrix = np.full((64, 100), 0.01)
    matrix[place] = planted
    shown, note = heat.reduced(matrix, 8, 10)
    assert shown.shape == (8, 10) and note == "a tile for 8×10"
    np.testing.assert_equal(shown[place[0] // 8, place[1] // 10], planted)
    assert (np.delete(shown.ravel(), place[0] // 8 * 10 + place[1] // 10) == 0.01).all()


@pytest.mark.parametrize("width", [30, 38, 50, 90])
def test_pictures_fit_the_width(width: int) -> None:
    debugger = Debugger(load("min-char-rnn"))
    while debugger.view.position < debugger.view.last:
        view = debugger.do("next")
        assert view.pane is not None
        for numbers in (False, True):
            lines = text_of(node_lines(view, view.pane, width, 16, numbers=numbers))
            assert all(cell_len(line.rstrip()) <= width for line in lines), (view.position, lines)


async def test_a_key_writes_arrays_out_as_numbers() -> None:
    async with opened("min-char-rnn", at=35) as debugger:
        assert "█-█-" in debugger.text()
        await debugger.press("i")
        assert "█-█-" not in debugger.text() and "written out" in debugger.message
        contribution = np.asarray(debugger.view.pane.adjoint)  # type: ignore[union-attr]
        assert f"{contribution[0, 0]:.4g}" in " ".join(
            "".join(text for text, _ in line)
            for line in debugger.main.query_one("#node")._lines  # type: ignore[attr-defined]
        )


# The inspector


async def test_the_inspector_shows_every_entry_in_full() -> None:
    async with opened("min-char-rnn", at=35) as debugger:
        contribution = np.asarray(debugger.view.pane.adjoint)  # type: ignore[union-attr]
        await debugger.press("enter", "down", "right", "right")
        screen = debugger.app.screen
        assert isinstance(screen, Inspector)
        said = str(screen.query_one("#entry").render())
        assert said == f"∂loss/∂Whh₂[1, 2] = {float(contribution[1, 2])!r}"
        await debugger.press("y")
        assert float(debugger.app.clipboard) == contribution[1, 2]
        await debugger.press("end")
        assert screen.query_one(Matrix).index == (7, 7)
        await debugger.press("tab", "i", "escape")
        assert debugger.app.screen is debugger.main and debugger.view.position == 35


@pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL])
@pytest.mark.parametrize("width", [2, 8, 30])
async def test_a_number_in_the_inspector_is_whole_or_left_out(size: tuple[int, int], width: int) -> None:
    """At the edges … stands for what is not in sight, and below the matrix the current entry with all its digits."""
    value = np.random.default_rng(1).normal(size=(20, width)) / 3
    async with opened(size=size) as debugger:
        debugger.app.push_screen(Inspector([("W", value)]))
        await debugger.pilot.pause()
        whole = {numerals.number(float(entry)) for entry in value.flat}
        for key in ("home", *["right"] * 4, "end", *["left"] * 3):
            await debugger.press(key)
            matrix = debugger.app.screen.query_one(Matrix)
            inner = matrix.scrollable_content_region
            for y in range(1, inner.height):
                cells = "".join(segment.text for segment in matrix.render_line(y))[: inner.width]
                assert set(cells.split()[1:]) <= whole | {"…"}, cells
            entry = numerals.exact(float(value[matrix.index]))  # type: ignore[index]
            assert entry in debugger.text()


def test_everything_known_of_a_step_can_be_inspected() -> None:
    debugger = Debugger(load("min-char-rnn"))
    assert inspectable(debugger.view) == []
    debugger.do("end")
    titles = [title for title, _ in inspectable(debugger.do("goto dloss/dh[2]"))]
    assert titles[:2] == ["∂loss/∂h₂", "h₂"] and "∂h₃/∂h₂" in titles and "∂loss/∂h₂, inflow 1" in titles
    assert len(set(titles)) == len(titles)


async def test_a_large_matrix_builds_only_what_is_in_sight() -> None:
    async with opened() as debugger:
        value = np.arange(4_000_000, dtype=float).reshape(2000, 2000)
        debugger.app.push_screen(Inspector([("W", value)]))
        await debugger.pilot.pause()
        matrix = debugger.app.screen.query_one(Matrix)
        await debugger.press("end")
        assert "3999999.0" in str(debugger.app.screen.query_one("#entry").render())
        line = matrix.render_line(matrix.size.height - 1 - matrix.show_horizontal_scrollbar)
        assert len(line._segments) < 80 and matrix.scroll_offset.x > 20_000


# Long traces


class Slow:
    """A debugger in the making that waits to be told how it ends."""

    def __init__(self, outcome: Callable[[], Debugger]) -> None:
        self.go_on = Event()
        self.outcome = outcome

    def __call__(self, progress: Callable[[int, int], None]) -> Debugger:
        progress(30, 100)
        self.go_on.wait(20)
        progress(80, 100)
        return self.outcome()


async def test_a_long_trace_shows_its_progress_and_then_the_debugger() -> None:
    slow = Slow(lambda: Debugger(load("question")))
    app = DebuggerApp(Opening(slow), waiting_for="The question")
    async with app.run_test(size=SMALL) as pilot:
        debugger = Opened(app, pilot)
        await until(lambda: "30%" in debugger.text())
        text = debugger.text()
        assert "The question" in text and "30%" in text and "computing the values" in text and "esc cancels" in text
        slow.go_on.set()
        await until(lambda: isinstance(app.screen, DebuggerScreen))
        await pilot.press("n")
        assert app.debugger.view.position == 1


async def test_escape_gives_a_long_trace_up() -> None:
    slow = Slow(lambda: Debugger(load("question")))
    opening = Opening(slow)
    app = DebuggerApp(opening)
    async with app.run_test() as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert app._exit and app.failure is None
    slow.go_on.set()
    assert opening.wait(5)
    with pytest.raises(CancelledError):
        opening.result()


async def test_an_error_in_a_long_trace_ends_the_app_with_it() -> None:
    def fail() -> Debugger:
        raise SessionError("it went wrong")

    slow = Slow(fail)
    app = DebuggerApp(Opening(slow))
    async with app.run_test():
        slow.go_on.set()
        await until(lambda: app._exit)
        assert str(app.failure) == "it went wrong"


def test_a_session_tells_the_progress_of_its_trace_and_can_be_stopped(long_session: Session) -> None:
    heard: list[tuple[int, int]] = []
    fresh = replace(long_session)
    fresh.trace(lambda done, of: heard.append((done, of)))
    assert heard == sorted(heard) and heard[-1] == (2 * LONG, 2 * LONG) and len(heard) > 20
    fresh.trace(lambda done, of: pytest.fail("traced twice"))

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    other = replace(long_session)
    with pytest.raises(KeyboardInterrupt):
        other.trace(stop)
    assert other.trace().loss == long_session.trace().loss


def test_a_trace_of_two_loops_counts_both() -> None:
    heard: list[tuple[int, int]] = []
    load("two-layers").trace(lambda done, of: heard.append((done, of)))
    assert heard[-1] == (16, 16)


# What it looks like


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "at"), [("min-char-rnn", 35), ("lstm", 80), ("exploding", 300), ("gru", 60)])
def test_networks_of_vectors_and_long_ones(name: str, at: int, size: str, screen_golden: SnapshotAssertion) -> None:
    assert snapshot(load(name), at, size=SIZES[size]).text() == screen_golden


@pytest.mark.parametrize("pane", ["1", "2", "4", "5"])
async def test_panes_of_a_network_of_vectors_at_small_size(pane: str, screen_golden: SnapshotAssertion) -> None:
    async with opened("min-char-rnn", at=35, size=SMALL) as debugger:
        await debugger.press(pane)
        assert debugger.text() == screen_golden


async def test_a_hundred_thousand_timesteps(long_session: Session, screen_golden: SnapshotAssertion) -> None:
    async with opened(long_session, at=1_500_000, size=(120, 50)) as debugger:
        assert debugger.text() == screen_golden


async def test_the_inspector(screen_golden: SnapshotAssertion) -> None:
    async with opened("min-char-rnn", at=35, size=MEDIUM) as debugger:
        full = repr(float(np.asarray(debugger.view.pane.adjoint)[1, 0]))  # type: ignore[union-attr]
        await debugger.press("enter", "i", "down")
        text = debugger.text()
        # Its last digit is the product library's choice, which goes by the processor.
        assert full in text
        assert text.replace(full.ljust(24), "every digit".ljust(24)) == screen_golden


@pytest.mark.parametrize(("name", "at"), [("min-char-rnn", 35), ("exploding", 300)])
def test_pictures(name: str, at: int, picture_golden: SnapshotAssertion) -> None:
    assert snapshot(load(name), at, size=(120, 44)).svg() == picture_golden
