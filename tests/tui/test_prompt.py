"""The command line: lines go the way of keys, errors lose nothing, earlier lines come back."""

from __future__ import annotations

from opening import MEDIUM, SMALL, opened

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
        await debugger.press("colon", "x", "up")
        assert prompt.value == "goto 999"
        await debugger.press("up", "up")
        assert prompt.value == "goto 3"
        await debugger.press("down", "down")
        assert prompt.value == "x"
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
        await debugger.press("colon", *"rewi")
        await debugger.pilot.pause(0.1)
        await debugger.press("tab")
        assert debugger.main.query_one(Prompt).value == "rewind"


async def test_quit_leaves() -> None:
    async with opened() as debugger:
        await debugger.type("quit")
        assert debugger.app._exit
