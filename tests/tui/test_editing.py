"""Editing in place: the present value on the line, arrays entry by entry, equations checked as they are typed."""

from __future__ import annotations

import numpy as np
import pytest
from opening import FULL, MEDIUM, SMALL, opened
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, Static

from bptt_tui.tui.array_editor import ArrayEditor
from bptt_tui.tui.prompt import Prompt

sizes = pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL], ids=["full", "medium", "small"])


async def test_typing_replaces_the_present_value() -> None:
    async with opened(at=4) as debugger:
        await debugger.press("e")
        prompt = debugger.main.query_one(Prompt)
        assert prompt.value == "set s[0] = 0.5226654296858209" and prompt.selected_text == "0.5226654296858209"
        await debugger.press(*"0.1", "enter")
        assert debugger.app.debugger.session.pins == {"s[0]": 0.1}
        assert "the expected totals are for other numbers" in debugger.message
        assert debugger.app.screen is debugger.main


async def test_of_a_use_the_parameter_is_changed() -> None:
    async with opened() as debugger:
        debugger.main.perform("goto w[1]")
        await debugger.press("e")
        assert debugger.main.query_one(Prompt).value == "set w = 0.6"
        await debugger.press(*"0.9", "enter")
        assert debugger.app.debugger.session.parameters["w"] == 0.9


async def test_what_is_wrong_is_said_in_place_and_can_be_mended() -> None:
    async with opened(at=4) as debugger:
        await debugger.press("e", *"nonsense")
        prompt = debugger.main.query_one(Prompt)
        assert "✗" in debugger.text() and "nonsense" in debugger.text()
        await debugger.press("enter")
        assert prompt.is_open and prompt.value == "set s[0] = nonsense" and "✗" in debugger.text()
        prompt.value = "set s[0] = 2"
        await debugger.pilot.pause()
        assert "✓ s[0] pinned at 2" in debugger.text()
        assert not debugger.app.debugger.session.pins
        await debugger.press("enter")
        assert not prompt.is_open and debugger.app.debugger.session.pins == {"s[0]": 2.0}
        assert [entry.command for entry in debugger.app.debugger.recording] == ["goto 4", "set s[0] = 2"]


async def test_an_equation_is_checked_as_it_is_typed() -> None:
    async with opened(at=4) as debugger:
        await debugger.press("E")
        prompt = debugger.main.query_one(Prompt)
        assert prompt.value == "equation s = tanh(z)"
        prompt.value = "equation s = tanhh(z)"
        await debugger.pilot.pause()
        assert "✗" in debugger.text() and "tanhh" in debugger.text()
        prompt.value = "equation s = sigmoid(z)"
        await debugger.pilot.pause()
        assert "✓ equation s = sigmoid(z)" in debugger.text()
        assert debugger.app.debugger.session.equations[3] == "s = tanh(z)"
        await debugger.press("enter")
        assert debugger.app.debugger.session.equations[3] == "s = sigmoid(z)"


async def test_a_hidden_value_is_not_put_on_the_line() -> None:
    async with opened() as debugger:
        for line in ("predict on", "next"):
            debugger.main.perform(line)
        await debugger.press("e")
        assert debugger.main.query_one(Prompt).value == "set "


async def test_entries_of_an_array_are_set_one_after_the_other() -> None:
    async with opened("lstm") as debugger:
        debugger.main.perform("end")
        parameter = next(name for name, value in debugger.app.debugger.session.parameters.items() if np.size(value) > 4)
        debugger.main.perform(f"goto {parameter}[1]")
        await debugger.press("e")
        editor = debugger.app.screen
        assert isinstance(editor, ArrayEditor)
        await debugger.press("right" if np.ndim(debugger.app.debugger.session.parameters[parameter]) > 1 else "down")
        await debugger.press("enter", *"0.5", "enter", *"-.25", "enter")
        value = np.asarray(debugger.app.debugger.session.parameters[parameter]).ravel()
        assert value[1] == 0.5 and value[2] == -0.25
        await debugger.press("enter", *"bad", "enter")
        assert "✗" in str(editor.query_one(Static).render())
        assert isinstance(debugger.app.screen, ArrayEditor)
        await debugger.press("escape", "escape")
        assert debugger.app.screen is debugger.main


@sizes
async def test_the_screens_of_editing(size: tuple[int, int], screen_golden: SnapshotAssertion) -> None:
    async with opened(at=4, size=size) as debugger:
        await debugger.press("e", *"wrong")
        assert debugger.text() == screen_golden(name="on the line")
    async with opened("min-char-rnn", size=size) as debugger:
        debugger.main.perform("end")
        await debugger.press("e", "down", "enter")
        debugger.app.screen.query_one(Input).cursor_blink = False
        assert debugger.text() == screen_golden(name="an array")
