"""Every dialog and mode at three sizes, and what its keys do."""

from __future__ import annotations

import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, TextArea

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.session import Chapter, Note, load
from bptt_tui.tui.bindings import BINDING_TABLE

LESSON = load("question").with_state(
    notes=(Note(0, "Welcome."), Note(12, "# The start\nThe gradient is **1**: `dE/dE`.\n\n- one factor\n- more")),
    chapters=(Chapter(0, "Forward"), Chapter(11, "Backward")),
)
sizes = pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL], ids=["full", "medium", "small"])
Size = tuple[int, int]


def give(debugger: Opened, lines: str) -> None:
    for line in lines.split(","):
        assert debugger.main.perform(line), debugger.message


STOPS = "break s[0],break dE/ds[*] if abs(prod) < 1,watch dE/dw,disable 1"
EDITS = "set w 0.9,set s[0] 0.1,set u 0.7,undo"


@sizes
async def test_the_note_editor(size: Size, screen_golden: SnapshotAssertion) -> None:
    async with opened(LESSON, at=12, size=size) as debugger:
        await debugger.press("m")
        debugger.app.screen.query_one(TextArea).cursor_blink = False
        debugger.app.screen.query_one(Input).value = "A chapter"
        await debugger.pilot.pause()
        assert debugger.text() == screen_golden


@sizes
async def test_a_note(size: Size, screen_golden: SnapshotAssertion) -> None:
    async with opened(LESSON, at=12, size=size) as debugger:
        await debugger.press("6")
        assert debugger.text() == screen_golden


@sizes
@pytest.mark.parametrize(
    ("key", "lines"), [("N", "next"), ("B", STOPS), ("equals_sign", EDITS)], ids=["contents", "stops", "changes"]
)
async def test_the_lists(key: str, lines: str, size: Size, screen_golden: SnapshotAssertion) -> None:
    async with opened(LESSON, at=10, size=size) as debugger:
        give(debugger, lines)
        await debugger.press(key)
        assert debugger.text() == screen_golden


@pytest.fixture
def few_keys_and_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to see what the help looks like; that it has every key and every command is another test."""
    ids = ("step.next", "step.rewind", "step.factor-back", "move.older", "play.toggle")
    names = ("next", "goto", "set", "help")
    monkeypatch.setattr("bptt_tui.tui.help.BINDING_TABLE", [row for row in BINDING_TABLE if row.id in ids])
    monkeypatch.setattr("bptt_tui.debugger.commands.COMMANDS", {name: COMMANDS[name] for name in names})


@sizes
@pytest.mark.usefixtures("few_keys_and_commands")
async def test_help(size: Size, screen_golden: SnapshotAssertion) -> None:
    async with opened(at=22, size=size) as debugger:
        await debugger.press("question_mark")
        assert debugger.text() == screen_golden


@sizes
async def test_the_palette_finds_what_keys_do(size: Size) -> None:
    """Its lines come from several providers, in whatever order they are ready: no golden holds that."""
    async with opened(at=22, size=size) as debugger:
        await debugger.press("ctrl+p", *"rewind")
        await debugger.until(lambda: "undo one step" in debugger.text())
        assert debugger.view.position == 22


@sizes
async def test_predict_mode(size: Size, screen_golden: SnapshotAssertion) -> None:
    async with opened(at=15, size=size) as debugger:
        give(debugger, "predict on,reveal,next")
        await debugger.press("2", "a")
        assert debugger.text() == screen_golden


async def test_wrong_answers_are_counted_beside_the_question() -> None:
    async with opened(at=15) as debugger:
        give(debugger, "predict on,reveal,next")
        assert debugger.main.perform("answer [3, 4]") and debugger.main.perform("answer v + v")
        await debugger.press("2")
        assert "= ?  2 wrong so far" in debugger.text()


@sizes
async def test_a_list_without_rows_says_what_it_would_hold_and_how_to_begin(size: Size) -> None:
    async with opened(size=size) as debugger:
        for key, holds, begin in (
            ("N", "chapters that begin at them", "m writes one"),
            ("B", "breakpoints and watches", "b sets a breakpoint at this step, w watches a value"),
            ("equals_sign", "what became of the gradient", "e changes a value, E an equation"),
        ):
            await debugger.press(key)
            said = " ".join(line.strip("│ ") for line in debugger.dialog_text().splitlines())
            assert "none yet: " in said and holds in said and begin in said
            assert "esc closes" in said and "goes there" not in said and "undoes" not in said
            await debugger.press("enter", "space", "d", "escape")
            assert debugger.app.screen is debugger.main


async def test_a_list_whose_last_row_is_deleted_offers_no_keys_for_rows() -> None:
    async with opened() as debugger:
        give(debugger, "break s[0]")
        await debugger.press("B")
        assert "d deletes" in debugger.dialog_text()
        await debugger.press("d")
        assert "none yet" in debugger.dialog_text() and "deletes" not in debugger.dialog_text()


async def test_stops_are_switched_deleted_given_conditions_and_gone_to() -> None:
    async with opened() as debugger:
        give(debugger, STOPS)
        await debugger.press("B", "space")
        assert debugger.view.breakpoints[0].enabled
        await debugger.press("down", "space", "down", "d")
        assert [row.enabled for row in debugger.view.breakpoints] == [True, False]
        await debugger.press("up", "enter")
        assert debugger.view.pane is not None and debugger.view.pane.ref.label == "s₀"
        assert "●s₀" in debugger.text()
        await debugger.press("B", "down", "c")
        await debugger.pilot.pause()
        assert debugger.main.query_one(Input).value == "condition 2 abs(prod) < 1"
        await debugger.press("escape", "B", "down", "enter")
        assert debugger.view.phase == "backward"


async def test_changes_are_undone_and_redone_where_they_are_listed() -> None:
    async with opened() as debugger:
        give(debugger, EDITS)
        await debugger.press("equals_sign")
        assert "+18.3 %" in debugger.text() and "↻ u: 0.8 → 0.7" in debugger.text()
        await debugger.press("U", "U", "U")
        assert debugger.app.debugger.session.parameters["w"] == 0.6
        await debugger.press("ctrl+r", "B")
        assert debugger.view.comparison is None


async def test_a_pinned_node_is_marked_in_the_graph() -> None:
    async with opened(at=6) as debugger:
        give(debugger, "set s[0] 0.1")
        await debugger.pilot.pause()
        assert "s₀≡" in debugger.text()


async def test_the_changes_fit_when_the_screen_gets_smaller() -> None:
    async with opened("question", size=FULL) as debugger:
        debugger.main.perform("set w 0.9")
        await debugger.press("equals_sign")
        assert "-0.232674" in debugger.text()
        await debugger.pilot.resize_terminal(*SMALL)
        await debugger.until(lambda: "after" in debugger.text() and "-19.2 %" in debugger.text())
        await debugger.pilot.resize_terminal(*FULL)
        await debugger.until(lambda: "-0.232674" in debugger.text())
