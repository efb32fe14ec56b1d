"""Parts of the gradient that take long are made beside the screen, which says how far they are and can stop them."""

from __future__ import annotations

import threading

import pytest
from opening import Opened, opened

from bptt_tui.debugger import sums
from bptt_tui.debugger.pace import Pace
from bptt_tui.tui import beside
from bptt_tui.tui.debugger_screen import DebuggerScreen
from bptt_tui.tui.sums_screen import SumsScreen


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Everything counts as long, and waits at the gate whenever it tells how far it is; the gate is open at first."""
    event = threading.Event()
    event.set()
    check = Pace.check

    def wait(pace: Pace) -> None:
        event.wait(20)
        check(pace)

    monkeypatch.setattr(sums, "LONG", 0)
    monkeypatch.setattr(beside, "AT_ONCE", 0.0)
    monkeypatch.setattr(beside, "OFTEN", 0.01)
    monkeypatch.setattr(Pace, "check", wait)
    return event


async def table(debugger: Opened) -> SumsScreen:
    """The screen with the table, drawn."""
    debugger.main.perform("table w")
    await debugger.until(
        lambda: isinstance(debugger.app.screen, SumsScreen) and debugger.app.screen._canvas.sheet.lines
    )
    screen = debugger.app.screen
    assert isinstance(screen, SumsScreen)
    await debugger.until(lambda: screen._making is None)
    return screen


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_a_command_goes_on_beside_the_screen_and_is_stopped(key: str, gate: threading.Event) -> None:
    async with opened("many-to-many", at=5) as debugger:
        gate.clear()
        await debugger.press("T")
        assert debugger.main.runs_long and "table · 0%, esc stops" in debugger.text()
        await debugger.press("n", key)
        gate.set()
        await debugger.until(lambda: not debugger.main.runs_long)
        assert isinstance(debugger.app.screen, DebuggerScreen)
        assert debugger.view.position == 5 and "interrupted" in debugger.message
        await table(debugger)
        assert "loss steps down, uses across" in debugger.text()


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_another_part_is_made_beside_the_table_and_is_stopped(key: str, gate: threading.Event) -> None:
    async with opened("many-to-many") as debugger:
        screen = await table(debugger)
        before = debugger.text()
        gate.clear()
        await debugger.press("3")
        assert "0%, esc stops" in debugger.text().splitlines()[0]
        await debugger.press("4", "down", "p", "y", "enter", key)
        gate.set()
        await debugger.until(lambda: screen._making is None)
        assert debugger.app.screen is screen and screen._canvas.sheet.part == screen._part == "table"
        assert debugger.text().splitlines()[1:] == before.splitlines()[1:] and "stopped" in debugger.text()
        await debugger.press("3")
        await debugger.until(lambda: screen._making is None)
        assert screen._canvas.sheet.part == "buildup" and "stopped" not in debugger.text()


async def test_a_stopped_key_leaves_the_parameter(gate: threading.Event) -> None:
    async with opened("many-to-many") as debugger:
        screen = await table(debugger)
        gate.clear()
        await debugger.press("p", "escape")
        gate.set()
        await debugger.until(lambda: screen._making is None)
        assert screen._parameter == "w"
        await debugger.press("down")
        await debugger.until(lambda: screen._making is None)
        assert "w" in debugger.text().splitlines()[1]


async def test_leaving_the_screen_ends_the_work(gate: threading.Event) -> None:
    async with opened("many-to-many") as debugger:
        screen = await table(debugger)
        gate.clear()
        await debugger.press("3")
        making = screen._making
        assert making is not None
    gate.set()
    assert making.is_over(20)
