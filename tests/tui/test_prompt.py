"""The command line: lines go the way of keys, errors lose nothing, earlier lines come back."""

from __future__ import annotations

import pytest
from opening import FULL, MEDIUM, SMALL, opened
from syrupy.assertion import SnapshotAssertion
from textual import events
from textual.app import App
from textual.keys import _character_to_key

from bptt_tui.tui.bars import Keys
from bptt_tui.tui.dialogs import Notice
from bptt_tui.tui.prompt import Prompt


async def test_a_line_is_carried_out_and_the_keys_are_back() -> None:
    async with opened() as debugger:
        await debugger.press("colon")
        assert debugger.main.query_one(Prompt).has_focus and not debugger.main.query_one(Keys).display
        await debugger.press(*"g 17", "enter")
        assert debugger.view.position == 17
        assert debugger.main.query_one(Keys).display
        await debugger.press("n")
        assert debugger.view.position == 18


async def test_slash_begins_a_goto() -> None:
    async with opened() as debugger:
        await debugger.press("slash", *"s[1]", "enter")
        assert debugger.app.debugger.recording[-1].command == "goto s[1]"
        assert debugger.view.pane is not None and debugger.view.pane.ref.label == "s₁"


async def test_an_error_is_said_and_nothing_is_lost() -> None:
    async with opened(at=9) as debugger:
        before, recorded = debugger.text(), len(debugger.app.debugger.recording)
        for line in ("goto 999", "jmp 3", "print nothing", "next 0"):
            await debugger.type(line)
            assert debugger.view.position == 9 and len(debugger.app.debugger.recording) == recorded
            assert "✗" in debugger.text()
        await debugger.type("print dE/dw")
        changed = [a for a, b in zip(before.splitlines(), debugger.text().splitlines(), strict=True) if a != b]
        assert len(changed) <= 2


async def test_a_long_error_takes_more_lines_on_a_small_screen() -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.type("goto nowhere")
        assert debugger.message in " ".join(debugger.text().replace("✗", "").split())


async def test_printing_says_the_value_in_full() -> None:
    async with opened(at=27) as debugger:
        await debugger.type("print dE/du")
        assert debugger.message.startswith("dE/du = 0.83067641")


async def test_more_than_three_lines_open_a_dialog() -> None:
    async with opened(at=22) as debugger:
        await debugger.type("where")
        assert debugger.app.screen is debugger.main and "position 22 of 27, backward, t = 0" in debugger.text()
        await debugger.type("help")
        assert isinstance(debugger.app.screen, Notice)
        assert "next [COUNT]" in debugger.text()
        await debugger.press("enter")
        assert debugger.app.screen is debugger.main and debugger.view.position == 22


async def test_up_and_down_walk_through_the_lines_given() -> None:
    async with opened() as debugger:
        await debugger.type("goto 3")
        await debugger.type("goto 999")
        prompt = debugger.main.query_one(Prompt)
        await debugger.press("colon", "g", "up")
        assert prompt.value == "goto 999"
        await debugger.press("up", "up")
        assert prompt.value == "goto 3"
        await debugger.press("down", "down")
        assert prompt.value == "g"
        await debugger.press("escape")
        assert not prompt.is_open and debugger.view.position == 3


async def test_the_pane_that_had_the_focus_has_it_again() -> None:
    async with opened(at=22, size=MEDIUM) as debugger:
        for key, id in (("2", "node"), ("4", "contributions")):
            await debugger.press(key, "colon", "x", "enter", "colon", "escape")
            assert debugger.main.focused is not None and debugger.main.focused.id == id
            assert debugger.main.query_one(f"#{id}").display


async def test_keys_do_not_step_while_a_line_is_typed() -> None:
    async with opened(at=5) as debugger:
        await debugger.press("colon", "n", "p", "q", "left", "right", "space", "1")
        assert debugger.view.position == 5 and debugger.app.is_running
        assert debugger.main.query_one(Prompt).value == "npq 1"


async def test_a_suggestion_completes_a_command() -> None:
    async with opened() as debugger:
        await debugger.press("colon", *"rewi", "tab")
        assert debugger.main.query_one(Prompt).value == "rewind "


async def test_quit_leaves() -> None:
    async with opened() as debugger:
        await debugger.type("quit")
        assert debugger.app._exit


def at_once(app: App[None], text: str) -> None:
    """Keys that arrive together, as from a fast typist or a paste without brackets."""
    for character in text:
        key = {"\r": "enter", ":": "colon", "\t": "tab", "/": "slash"}.get(character, _character_to_key(character))
        app.post_message(events.Key(key, None if character in "\r\t" else character))


async def test_keys_sent_in_the_same_instant_land_on_the_line() -> None:
    async with opened() as debugger:
        at_once(debugger.app, ":goto 5\r")
        await debugger.pilot.pause()
        assert debugger.view.position == 5 and debugger.app.debugger.recording[-1].command == "goto 5"
        at_once(debugger.app, ":print s[0]")
        await debugger.pilot.pause()
        assert debugger.main.query_one(Prompt).value == "print s[0]"
        await debugger.press("escape")
        assert debugger.view.position == 5


async def test_lines_and_keys_sent_at_once_are_carried_out_in_their_order() -> None:
    async with opened() as debugger:
        at_once(debugger.app, "nn:goto 9\rn:set w 0.7\rp/s[1]\rn")
        for _ in range(4):
            await debugger.pilot.pause()
        given = [entry.command for entry in debugger.app.debugger.recording]
        assert given == ["next", "next", "goto 9", "next", "set w 0.7", "rewind", "goto s[1]", "next"]


async def test_what_is_pasted_lands_on_the_line_and_waits_for_enter() -> None:
    async with opened() as debugger:
        debugger.app.post_message(events.Paste(":goto 5\r"))
        await debugger.pilot.pause()
        prompt = debugger.main.query_one(Prompt)
        assert prompt.value == "goto 5" and debugger.view.position == 0
        debugger.app.post_message(events.Paste("\x1b]0;title\x07\nsecond"))
        await debugger.pilot.pause()
        assert prompt.value == "goto 5\\x1b]0;title\\x07"
        await debugger.press("escape")
        assert not prompt.is_open


async def test_arguments_are_completed_and_offered() -> None:
    async with opened() as debugger:
        await debugger.press("colon", *"goto dE/", "tab", "s", "tab", "tab")
        prompt = debugger.main.query_one(Prompt)
        assert prompt.value.startswith("goto dE/ds[")
        assert "dE/ds[0]" in debugger.text() and "dE/ds[1]" in debugger.text()
        await debugger.press("enter")
        assert debugger.view.phase == "backward"


async def test_lines_are_searched_by_their_beginning_and_anywhere() -> None:
    async with opened() as debugger:
        for line in ("goto 3", "print w", "goto 7", "print u"):
            await debugger.type(line)
        prompt = debugger.main.query_one(Prompt)
        await debugger.press("colon", *"go", "up", "up")
        assert prompt.value == "goto 3"
        await debugger.press("down", "down")
        assert prompt.value == "go"
        await debugger.press("escape", "colon", "w", "ctrl+r")
        assert prompt.value == "print w"


@pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL], ids=["full", "medium", "small"])
async def test_the_screen_of_completion(size: tuple[int, int], screen_golden: SnapshotAssertion) -> None:
    async with opened(at=22, size=size) as debugger:
        await debugger.press("colon")
        assert debugger.text() == screen_golden(name="commands")
        debugger.main.query_one(Prompt).value = "break dE/ds["
        await debugger.pilot.pause()
        await debugger.press("tab")
        assert debugger.text() == screen_golden(name="an option")
