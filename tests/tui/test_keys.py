"""Every key does its command, whatever it is bound to, and reaching an end is a message, not an exit."""

from __future__ import annotations

import re

import pytest
from opening import MEDIUM, SMALL, opened

from bptt_tui.debugger import View
from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.tui.bars import Keys
from bptt_tui.tui.bindings import BINDING_TABLE, KeyRow, bindings
from bptt_tui.tui.debugger_screen import DebuggerScreen
from bptt_tui.tui.dialogs import Notice
from bptt_tui.tui.help import help_text
from bptt_tui.tui.keynames import keys_of
from bptt_tui.tui.palette import offers
from bptt_tui.tui.tabs import PaneTabs

COMMAND_KEYS = [(key, row.command) for row in BINDING_TABLE if row.command for key in row.keys.split(",")]


async def test_every_key_gives_its_command_to_the_debugger() -> None:
    given: list[str] = []
    async with opened(at=12) as debugger:
        carry_out = debugger.app.debugger.do

        def do(line: str) -> View:
            given.append(line)
            return carry_out(line)

        debugger.app.debugger.do = do  # type: ignore[method-assign]
        for key, _ in COMMAND_KEYS:
            await debugger.pilot.press(key)
    assert given == [command for _, command in COMMAND_KEYS]


def test_every_binding_has_an_id_a_tooltip_and_an_action_that_exists() -> None:
    ids = [row.id for row in BINDING_TABLE]
    assert len(set(ids)) == len(ids) == len(bindings())
    keys = [key for row in BINDING_TABLE for key in row.keys.split(",")]
    assert len(set(keys)) == len(keys)
    for row in BINDING_TABLE:
        assert row.tooltip and row.label and bool(row.command) != bool(row.action)
        if row.action:
            assert hasattr(DebuggerScreen, f"action_{row.action.partition('(')[0]}"), row.id


async def test_next_and_rewind_move_one_step_and_redraw() -> None:
    async with opened() as debugger:
        await debugger.press("n", "n", "n")
        assert debugger.view.position == 3 and "step 3 of 27" in debugger.text()
        await debugger.press("p")
        assert debugger.view.position == 2 and "step 2 of 27" in debugger.text()


async def test_past_the_end_and_before_the_start_there_is_a_message() -> None:
    async with opened() as debugger:
        await debugger.press("p")
        assert debugger.view.position == 0 and "start" in debugger.message
        await debugger.press("G", "n")
        assert debugger.view.position == debugger.view.last and "end" in debugger.message
        assert debugger.app.is_running


async def test_a_keymap_replaces_a_key_and_the_footer_follows() -> None:
    async with opened() as debugger:
        debugger.app.set_keymap({"step.next": "x"})
        await debugger.press("x")
        assert debugger.view.position == 1
        await debugger.press("n")
        assert debugger.view.position == 1
        assert " x next" in debugger.text()


async def test_help_and_palette_show_the_keys_of_the_keymap() -> None:
    """Printed as they are pressed, not by their names in Textual; the help goes to its end and back."""
    async with opened() as debugger:
        keymap = {"step.next": "p", "step.rewind": "n", "note.write": "ctrl+t"}
        debugger.app.set_keymap(keymap)
        await debugger.press("question_mark")
        assert re.search("│  p +the next node", debugger.text())
        lines = help_text(COMMANDS, 120, keymap).plain.splitlines()
        assert any(re.match(r"\^t +write a note", line) for line in lines)
        assert any(re.match(r"\[ +the same node one timestep earlier", line) for line in lines)
        await debugger.press("end")
        assert "a bar of many timesteps" in debugger.text()
        await debugger.press("home")
        assert "the next node" in debugger.text()
        assert "(^t)" in next(offer.help for offer in offers(keymap) if offer.name == "note")


@pytest.mark.parametrize("row", BINDING_TABLE)
def test_no_key_is_printed_by_its_name_in_textual(row: KeyRow) -> None:
    assert not any("_" in key or "+" in key[1:] for key in keys_of(row, {}))


async def test_ctrl_c_where_nothing_runs_says_how_to_leave() -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+c")
        assert debugger.message == "nothing is running; q leaves the debugger"
        assert debugger.app.is_running


async def test_tab_and_numbers_go_through_the_panes() -> None:
    async with opened(size=SMALL) as debugger:
        shown = []
        for _ in range(6):
            shown.append(debugger.main.focused.id if debugger.main.focused else None)
            await debugger.press("tab")
        assert shown == ["graph", "node", "chain", "contributions", "strip", "graph"]
        await debugger.press("shift+tab")
        assert debugger.main.focused is not None and debugger.main.focused.id == "graph"
        await debugger.press("3")
        assert debugger.main.focused.id == "chain"


async def test_arrow_keys_step_in_every_pane_and_scroll_keys_scroll_it() -> None:
    async with opened("one-logit", at=14, size=MEDIUM) as debugger:
        await debugger.press("2", "right")
        assert debugger.view.position == 15
        node = debugger.main.query_one("#node")
        await debugger.press("down", "j")
        assert node.scroll_offset.y == 2
        await debugger.press("k")
        assert node.scroll_offset.y == 1 and debugger.view.position == 15


async def test_the_help_lists_every_key_and_every_command() -> None:
    from bptt_tui.debugger.commands import COMMANDS

    async with opened() as debugger:
        await debugger.press("question_mark")
        assert isinstance(debugger.app.screen, Notice)
        text = str(debugger.app.screen._text)
        for row in BINDING_TABLE:
            assert f"{row.shown} " in text and row.tooltip in text
        for command in COMMANDS.values():
            assert command.usage in text and command.summary in text
        await debugger.press("down", "escape")
        assert debugger.app.screen is debugger.main


async def test_q_leaves() -> None:
    async with opened() as debugger:
        await debugger.press("q")
        assert debugger.app._exit


async def test_copying_gives_every_digit_and_the_formula() -> None:
    async with opened(at=22) as debugger:
        await debugger.press("y")
        adjoint = debugger.view.pane.adjoint  # type: ignore[union-attr]
        assert float(debugger.app.clipboard) == float(adjoint)  # type: ignore[arg-type]
        assert debugger.message == f"copied {debugger.app.clipboard}"
        await debugger.press("Y")
        assert debugger.app.clipboard == "∂E/∂s₀ = ∂E/∂o · ∂o/∂q · ∂q/∂s₁ · ∂s₁/∂z₁ · ∂z₁/∂b₁ · ∂b₁/∂s₀"
        await debugger.press("g", "y")
        assert debugger.message == "nothing to copy yet"
        await debugger.press("n", "Y")
        assert debugger.app.clipboard == debugger.view.pane.equation  # type: ignore[union-attr]


async def test_a_click_on_a_footer_key_presses_it() -> None:
    async with opened() as debugger:
        footer = debugger.main.query_one(Keys)
        text = "".join(segment.text for segment in footer.render_line(0))
        await debugger.pilot.click(Keys, offset=(text.index("next"), 0))
        await debugger.pilot.pause()
        assert debugger.view.position == 1


async def test_a_click_on_a_tab_shows_its_pane() -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.pilot.click(PaneTabs, offset=(10, 0))
        await debugger.pilot.pause()
        assert debugger.main.query_one("#node").display and not debugger.main.query_one("#graph").display


async def test_the_palette_offers_the_keys() -> None:
    async with opened() as debugger:
        await debugger.choose("every con")
        assert debugger.view.position == debugger.view.last
