"""A continue over a long trace leaves the screen alive, shows how far it is, and can be stopped."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from opening import Opened, opened

from bptt_tui.debugger import stops
from bptt_tui.session import load
from bptt_tui.tui import beside, commanding

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
    return event


async def over(debugger: Opened) -> None:
    await debugger.until(lambda: not debugger.main.runs_long)


async def test_a_run_is_carried_out_beside_the_screen(gate: threading.Event) -> None:
    async with opened(LONG) as debugger:
        debugger.main.perform("break s[2000]")
        await debugger.press("c")
        assert debugger.main.runs_long and "continue 0%, esc stops" in debugger.text()
        await debugger.press("n", "2")
        assert debugger.view.position == 0 and debugger.main.focused is not None
        assert debugger.main.focused.id == "node"
        assert not debugger.main.perform("next") and "a run goes on" in debugger.message
        for key in ("o", "ctrl+n", "ctrl+s"):
            await debugger.press(key)
            assert debugger.app.screen is debugger.main
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
