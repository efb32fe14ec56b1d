"""The palette has every key and every command, with its help."""

from __future__ import annotations

from opening import opened
from textual.command import CommandList
from textual.widgets import Input

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.palette import offers
from bptt_tui.tui.prompt import Prompt


def test_every_key_and_command_is_offered_with_its_help() -> None:
    found = {offer.name: offer for offer in offers()}
    for row in BINDING_TABLE:
        assert row.label in {offer.name for offer in offers()}
    by_key = {row.command for row in BINDING_TABLE}
    for command in COMMANDS.values():
        if command.usage != command.name:
            assert found[command.usage].action == f"prompt('{command.name} ')"
        elif command.name not in by_key:
            assert found[command.name].help == command.summary


async def test_what_stands_in_brackets_is_shown() -> None:
    """Textual's palette takes a text for markup, which would leave out [TEXT]."""
    usage = COMMANDS["find"].usage
    assert usage == "find [back] [TEXT]"
    async with opened(size=(120, 60)) as debugger:
        await debugger.press("ctrl+p")
        palette = debugger.app.screen
        await debugger.until(lambda: palette.query_one(CommandList).option_count)
        assert any(str(option.prompt).startswith(f"{usage}\n") for option in palette.query_one(CommandList).options)
        palette.query_one(Input).value = "find ["
        await debugger.until(lambda: debugger.text().count("find [") == 2)  # what is typed, and what is found
        assert debugger.text().count(COMMANDS["find"].summary) == 1


async def test_a_command_with_arguments_opens_the_line_and_another_is_carried_out() -> None:
    async with opened(at=22) as debugger:
        await debugger.choose("until NODE")
        prompt = debugger.main.query_one(Prompt)
        assert prompt.is_open and prompt.value == "until "
        await debugger.press("escape")
        await debugger.choose("as in the begin")
        assert "as it was in the beginning" in debugger.message


async def test_of_textuals_own_entries_those_stay_that_work_here() -> None:
    """A list of keys over the panes would not go away, and beside one large pane nothing that is said would show."""
    async with opened() as debugger:
        offered = [command.title for command in debugger.app.get_system_commands(debugger.main)]
        assert offered == ["Theme", "Screenshot"]
        await debugger.press("D")
        assert "Quit" in [command.title for command in debugger.app.get_system_commands(debugger.app.screen)]
