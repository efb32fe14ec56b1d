"""A continue over a long trace leaves the screen alive, shows how far it is, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from opening import Opened, opened
from verdicts import ALL

from bptt_tui.debugger import Debugger, attempts, edits, stops
from bptt_tui.session import Recorded, load
from bptt_tui.session.format import Attempt
from bptt_tui.tui import beside, commanding, player
from bptt_tui.tui.bars import MessageBar
from bptt_tui.tui.derivation.formula_area import FormulaArea
from bptt_tui.tui.playbar import PlayBar

LONG = load("question").replace(inputs={"x": np.sin(0.7 * np.arange(3000)).tolist()}, expected=None)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Every run counts as long, and its search waits at the gate for the first time that it is asked."""
    event = threading.Event()
    asked = stops._Run.ask

    def ask(run: stops._Run) -> None:
        event.wait(20)
        asked(run)

    monkeypatch.setattr(commanding, "LONG", 0)
    monkeypatch.setattr(beside, "AT_ONCE", 0.0)
    monkeypatch.setattr(beside, "OFTEN", 0.01)
    monkeypatch.setattr(stops._Run, "ask", ask)
    monkeypatch.setattr(player, "_AHEAD", -1.0)  # or a replay that begins would wait there too
    return event


async def over(debugger: Opened) -> None:
    await debugger.until(lambda: not debugger.main.runs_long)


async def test_a_run_is_carried_out_beside_the_screen(gate: threading.Event) -> None:
    async with opened(LONG) as debugger:
        debugger.main.perform("break s[2000]")
        await debugger.press("c")
        assert debugger.main.runs_long and "continue · 0%, esc stops" in debugger.text()
        await debugger.press("n", "2")
        assert debugger.view.position == 0 and debugger.main.focused is not None
        assert debugger.main.focused.id == "node"
        assert not debugger.main.perform("next") and "a run goes on" in debugger.message
        for key in ("o", "ctrl+n", "ctrl+s", "q"):
            debugger.main.say("")
            await debugger.press(key)
            assert debugger.app.screen is debugger.main and "a run goes on: esc stops it" in debugger.message
        gate.set()
        await over(debugger)
        assert debugger.view.stopped.startswith("breakpoint 1") and "esc stops" not in debugger.text()
        assert [entry.command for entry in debugger.app.debugger.recording] == ["break s[2000]", "continue"]


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_a_run_is_stopped_where_it_began(key: str, gate: threading.Event) -> None:
    async with opened(LONG, at=5) as debugger:
        debugger.main.perform("break s[2000]")
        await debugger.press("c", key)
        gate.set()
        await over(debugger)
        assert debugger.view.position == 5 and "interrupted" in debugger.message
        await debugger.press("n")
        assert debugger.view.position == 6


async def test_leaving_the_app_ends_the_run(gate: threading.Event) -> None:
    async with opened(LONG) as debugger:
        debugger.main.perform("break s[2000]")
        await debugger.press("c")
        run = debugger.main._run
        assert run is not None
    gate.set()
    assert run.is_over(20)


async def test_its_progress_is_told() -> None:
    told: list[float] = []
    async with opened(LONG) as debugger:
        debugger.app.debugger.tell = told.append
        debugger.main.perform("break if t == 2999 and phase == backward")
        debugger.main.perform("continue")
        assert told and told == sorted(told) and told[0] == 0.0 and told[-1] < 1
        assert debugger.view.t == 2999


REPLAYED = LONG.replace(
    recording=tuple(
        Recorded(at=round(0.02 * i, 2), command=command)
        for i, command in enumerate(["break s[2000]", "next", "continue", "next"])
    )
)


async def test_what_a_replay_runs_is_carried_out_beside_the_screen(gate: threading.Event) -> None:
    async with opened(REPLAYED, replay=True) as debugger:
        await debugger.until(lambda: "continue · 0%, esc stops" in debugger.text())
        await debugger.press("2", "comma", "n")
        assert debugger.view.position == 1 and debugger.main.focused is not None
        debugger.main.query_one(PlayBar).post_message(PlayBar.Sought(0))
        await debugger.pilot.pause()
        assert debugger.main.runs_long and "a run goes on" in debugger.message
        gate.set()
        await debugger.until(lambda: not debugger.main.runs_long and not debugger.app.player.playing)
        assert debugger.app.debugger.view.position == debugger.view.position > 2000
        assert "⏸ 4 of 4" in debugger.text() and "the replay is over" in debugger.message


async def test_what_a_replay_runs_can_be_stopped_and_gone_on_with(gate: threading.Event) -> None:
    async with opened(REPLAYED, replay=True) as debugger:
        await debugger.until(lambda: "continue · 0%, esc stops" in debugger.text())
        await debugger.press("escape")
        gate.set()
        await over(debugger)
        assert debugger.view.position == 1 and "recording[2]: interrupted" in debugger.message
        assert "⏸ 2 of 4" in debugger.text()
        await debugger.press("space")
        await debugger.until(lambda: "⏸ 4 of 4" in debugger.text())
        assert debugger.view.position > 2000


async def test_a_scrub_over_a_run_is_carried_out_beside_the_screen(gate: threading.Event) -> None:
    async with opened(REPLAYED, replay=True) as debugger:
        await debugger.until(lambda: "continue · 0%, esc stops" in debugger.text())
        await debugger.press("escape")
        gate.set()
        await over(debugger)
        gate.clear()
        debugger.main.query_one(PlayBar).post_message(PlayBar.Sought(4))
        await debugger.until(lambda: "scrub · 0%, esc stops" in debugger.text())
        await debugger.pilot.resize_terminal(40, 12)
        await debugger.pilot.resize_terminal(120, 36)
        gate.set()
        await over(debugger)
        assert debugger.view.position > 2000 and "⏸ 4 of 4" in debugger.text()


async def test_the_first_command_behind_a_recording_waits_beside_the_screen(gate: threading.Event) -> None:
    """It has the recording gone through; stopped, nothing is given and nothing recorded."""
    async with opened(REPLAYED) as debugger:
        await debugger.press("n")
        await debugger.until(lambda: "next · 50%, esc stops" in debugger.text())
        await debugger.press("escape")
        gate.set()
        await over(debugger)
        assert debugger.view.position == 0 and "interrupted" in debugger.message
        assert len(debugger.app.debugger.recording) == 4
        await debugger.press("n")
        await over(debugger)
        assert debugger.view.position == 1
        assert [entry.command for entry in debugger.app.debugger.recording[4:]] == ["delete", "goto 0", "next"]


FORMULA = "dE/dw = dE/ds_1"


def said(debugger: Opened) -> str:
    return debugger.app.screen.query_one(MessageBar).text


@pytest.mark.parametrize("way", ["verdict", "deletion"])
async def test_the_first_verdict_behind_a_recording_waits_beside_its_screen(
    way: str, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording is gone through with progress; the screen stays alive and shows what was there."""
    verdict = ALL["wrong"]
    monkeypatch.setattr(attempts, "judged", lambda _session, _text: verdict)
    async with opened(REPLAYED.with_state(attempts=[Attempt("dE/du = 0")])) as debugger:
        await debugger.press("D")
        if way == "verdict":
            debugger.app.screen.query_one(FormulaArea).write(FORMULA)
            await debugger.press("enter")
        else:
            await debugger.press("tab", "tab", "x")
        await debugger.until(lambda: "going through the recording · 50%, esc stops" in said(debugger))
        assert debugger.main.runs_long
        before = debugger.text()
        await debugger.press("tab", "tab", "tab", "enter", "ctrl+l", "tab", "tab", "down", "x")
        debugger.app.screen.query_one(FormulaArea).write(FORMULA)
        await debugger.pilot.resize_terminal(80, 24)
        await debugger.pilot.resize_terminal(120, 36)
        assert "∂E/∂u = 0" in before and "∂E/∂u = 0" in debugger.text()
        gate.set()
        await debugger.until(lambda: not debugger.main.runs_long)
        await debugger.app.workers.wait_for_complete()
        kept = [one.formula for one in debugger.app.debugger.desk.attempts]
        assert kept == (["dE/du = 0", FORMULA] if way == "verdict" else [])
        recorded = [entry.command for entry in debugger.app.debugger.recording[4:]]
        assert recorded == (["delete", "goto 0", f"check {FORMULA}"] if way == "verdict" else [])


async def test_the_first_verdict_behind_a_recording_can_be_given_up(gate: threading.Event) -> None:
    """Nothing is judged, kept or recorded then, and the next try begins anew."""
    async with opened(REPLAYED) as debugger:
        await debugger.press("D")
        debugger.app.screen.query_one(FormulaArea).write(FORMULA)
        await debugger.press("enter")
        await debugger.until(lambda: "going through the recording" in said(debugger))
        await debugger.press("escape")
        assert debugger.app.screen is not debugger.main
        gate.set()
        await debugger.until(lambda: not debugger.main.runs_long)
        await debugger.app.workers.wait_for_complete()
        assert said(debugger) == "stopped" and not debugger.app.debugger.desk.attempts
        assert len(debugger.app.debugger.recording) == 4 and debugger.app.debugger.rehearses
        await debugger.press("escape", "n")
        await over(debugger)
        assert debugger.view.position == 1


async def test_a_recording_of_many_commands_is_gone_through_beside_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the trace is; between two commands it can be stopped."""
    monkeypatch.setattr(commanding, "MANY", 4)
    monkeypatch.setattr(beside, "AT_ONCE", 0.0)
    monkeypatch.setattr(beside, "OFTEN", 0.01)
    held = threading.Event()
    followed = Debugger.follow

    def follow(debugger: Debugger, line: str) -> None:
        held.wait(20)
        followed(debugger, line)

    monkeypatch.setattr(Debugger, "follow", follow)
    session = load("question").with_state(recording=[Recorded(0.0, "next")] * 4, position=4)
    async with opened(session) as debugger:
        await debugger.press("n", "escape")
        held.set()
        await over(debugger)
        assert "interrupted" in debugger.message and debugger.view.position == 4
        await debugger.press("n")
        await over(debugger)
        assert debugger.view.position == 5


@pytest.mark.parametrize("way", ["key", "line"])
async def test_a_note_behind_a_recording_waits_beside_the_screen(way: str, gate: threading.Event) -> None:
    """It, too, has the recording gone through; a note and a chapter that are written together are both kept."""
    async with opened(REPLAYED) as debugger:
        if way == "line":
            await debugger.type("note first")
        else:
            await debugger.press("m", *"first", "tab", *"title", "ctrl+s")
        assert debugger.main.runs_long
        await debugger.until(lambda: "note" in debugger.text() and "· 50%, esc stops" in debugger.text())
        gate.set()
        await over(debugger)
        assert [note.text for note in debugger.view.all_notes] == ["first"]
        assert [chapter.title for chapter in debugger.view.chapters] == ["title"] * (way == "key")


@pytest.fixture
def slow_trace(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A changed session's trace waits at the gate, too."""
    told = edits._told

    def waiting(debugger: Debugger) -> Callable[[int, int], None] | None:
        tells = told(debugger)
        assert tells is not None
        gate.wait(20)
        tells(1, 2)
        return tells

    monkeypatch.setattr(edits, "_told", waiting)
    return gate


async def test_a_change_of_a_long_trace_is_computed_beside_the_screen(slow_trace: threading.Event) -> None:
    async with opened(LONG, at=5) as debugger:
        before = debugger.app.debugger.session.trace().loss
        await debugger.type("set w = 0.9")
        assert debugger.main.runs_long and "set w = 0.9 · 0%, esc stops" in debugger.text()
        slow_trace.set()
        await over(debugger)
        assert "w: 0.6 → 0.9" in debugger.message and debugger.app.debugger.session.trace().loss != before


async def test_a_change_can_be_given_up(slow_trace: threading.Event) -> None:
    """Nothing has changed then, and nothing is recorded."""
    async with opened(LONG, at=5) as debugger:
        await debugger.type("set w = 0.9")
        await debugger.press("escape")
        slow_trace.set()
        await over(debugger)
        assert "interrupted" in debugger.message and debugger.view.position == 5
        assert debugger.app.debugger.session.parameters["w"] == 0.6
        assert not debugger.app.debugger.recording


async def test_who_sets_several_entries_waits_for_each(gate: threading.Event) -> None:
    """The list of an array's entries says at once what is wrong with one."""
    async with opened(LONG) as debugger:
        assert debugger.main.perform("set w = 0.9", wait=True)
        assert not debugger.main.runs_long and debugger.app.debugger.session.parameters["w"] == 0.9
