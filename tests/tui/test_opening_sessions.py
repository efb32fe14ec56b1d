"""The dialog that opens another session, and what becomes of the one that was open."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input, OptionList

from bptt_tui.session import load, recent
from bptt_tui.trace.progress import Progress
from bptt_tui.tui import files
from bptt_tui.tui.leaving import LeaveDialog
from bptt_tui.tui.open_dialog import OpenDialog
from bptt_tui.tui.opening_line import Started

SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def typed(debugger: Opened, text: str, *keys: str) -> None:
    debugger.app.screen.query_one(Input).value = text
    await debugger.pilot.pause()
    await debugger.press(*keys)


def dialog(debugger: Opened) -> OpenDialog:
    return debugger.on(OpenDialog)


@pytest.mark.parametrize("size", SIZES)
async def test_it_lists_sessions_and_recent_files(size: str, screen_golden: SnapshotAssertion) -> None:
    """Networks and lessons apart, recent files first."""
    load("vectors").replace(title="My vectors").save("walk.json")
    recent.remember(os.path.realpath("walk.json"), "My vectors")
    async with opened(at=5, size=SIZES[size]) as debugger:
        await debugger.press("o")
        assert debugger.dialog_text() == screen_golden


@pytest.mark.parametrize("size", SIZES)
async def test_what_cannot_be_opened_is_said_in_place(size: str, screen_golden: SnapshotAssertion) -> None:
    """The reason stands in the dialog, the app goes on."""
    async with opened(at=5, size=SIZES[size]) as debugger:
        await debugger.press("o")
        await typed(debugger, "./walks/none.json", "enter")
        assert debugger.dialog_text() == screen_golden
        await debugger.press("escape", "n")
        assert debugger.view.position == 6


async def test_a_name_is_enough(screen_golden: SnapshotAssertion) -> None:
    """Letters narrow the list, enter opens what is chosen, and nothing is left of what was open."""
    async with opened() as debugger:
        await debugger.press("n", "n", "n", "o")
        await typed(debugger, "slip", "enter")
        assert debugger.view.title.startswith("The answer's slip")
        assert debugger.view.position == 0 and debugger.app.debugger.recording == ()
        assert "The answer's slip" in debugger.text()
        await debugger.press("n", "U")
        assert debugger.view.position == 1 and "no edit to undo" in debugger.message
        assert [entry.command for entry in debugger.app.debugger.recording] == ["next"]


async def test_arrows_choose_and_a_lesson_plays() -> None:
    async with opened() as debugger:
        await debugger.press("o")
        await typed(debugger, "lesson-su", "enter")
        assert debugger.app.player.playing and "Lesson: why a sum" in debugger.text()
        await debugger.press("space", "o", "down", "down", "up", "enter")
        assert debugger.view.title == load("question-sigmoid").title
        assert not debugger.app.player.playing and debugger.app.player.state() == ""


async def test_a_path_is_completed_directory_by_directory(tmp_path: Path) -> None:
    (tmp_path / "walks").mkdir()
    load("vectors").save("walks/first.json")
    load("answer").save("walks/second.json")
    (tmp_path / "walks" / "notes.txt").write_text("", encoding="utf-8")
    async with opened() as debugger:
        await debugger.press("o", *"wal", "tab")
        field = debugger.app.screen.query_one(Input)
        assert field.value == f"walks{os.sep}"
        listed = debugger.app.screen.query_one(OptionList)
        assert listed.option_count == 3 and "notes.txt" not in debugger.text()
        await debugger.press("s", "tab")
        assert field.value == f"walks{os.sep}second.json"
        await debugger.press("enter")
        assert debugger.view.title == load("answer").title
        assert debugger.app.debugger.session.origin is not None
        await debugger.press("n", "ctrl+s")
        assert load("walks/second.json").debugger.position == 1


async def test_enter_looks_into_a_directory(tmp_path: Path) -> None:
    (tmp_path / "walks").mkdir()
    async with opened() as debugger:
        await debugger.press("o")
        await typed(debugger, "./wa", "enter")
        assert debugger.app.screen.query_one(Input).value == f"./walks{os.sep}"


@pytest.mark.parametrize("name", ["pipe", "directory", "zeros", "text", "deep", "escapes", "missing"])
async def test_hostile_files_are_refused_and_the_app_goes_on(name: str, tmp_path: Path) -> None:
    """At once, with the reason, and without a control character on the screen."""
    path = tmp_path / f"{name}.json"
    if name == "pipe":
        os.mkfifo(path)
    elif name == "directory":
        path.mkdir()
    elif name == "zeros":
        path.symlink_to("/dev/zero")
    elif name == "deep":
        path.write_text("[" * 100_000, encoding="utf-8")
    elif name == "escapes":
        path.write_text('{"format": "bptt-session", "version": 1, "\\u001b]0;x\\u0007": 1}', encoding="utf-8")
    elif name != "missing":
        path.write_bytes(b"\xff\xfe\x00")
    async with opened(at=5) as debugger:
        await debugger.press("o")
        dialog(debugger)._open(str(path), plays=False)
        await debugger.pilot.pause()
        assert "✗" in debugger.text() and name in debugger.text().replace("\n", "")
        assert "\x1b" not in debugger.text() and "\x07" not in debugger.text()
        await debugger.press("escape", "n")
        assert debugger.view.position == 6


async def test_a_long_trace_shows_its_progress_and_escape_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialog stays where it was; what was open stays open, and the thread comes to an end."""
    go_on, ended = Event(), Event()

    def make(name: str, plays: bool, progress: Progress) -> Started:
        progress(1, 4)
        go_on.wait(30)
        try:
            progress(2, 4)
        finally:
            ended.set()
        raise AssertionError("not cancelled")

    monkeypatch.setattr(files, "_opened", make)
    monkeypatch.setattr("bptt_tui.tui.opening_line._AT_ONCE", 0.0)
    async with opened(at=5) as debugger:
        await debugger.press("o")
        await typed(debugger, "lstm", "enter")
        await debugger.until(lambda: "█████░░░░░░░░░░░░░░░  25% lstm · esc cancels" in debugger.text())
        await debugger.press("escape")
        assert "cancelled" in debugger.text() and dialog(debugger)
        go_on.set()
        assert ended.wait(30)
        await debugger.press("escape")
        assert debugger.app.screen is debugger.main and debugger.view.title.startswith("The question:")


@pytest.mark.parametrize("size", SIZES)
async def test_changed_values_are_asked_about(size: str, screen_golden: SnapshotAssertion) -> None:
    """A walk through a bundled session is not; the three answers."""
    async with opened(at=5, size=SIZES[size]) as debugger:
        await debugger.press("n", "o")
        dialog(debugger)
        await debugger.press("escape")
        await debugger.type("set w 0.9")
        await debugger.press("escape")
        await debugger.type("note mind the sign")
        await debugger.press("o")
        assert isinstance(debugger.app.screen, LeaveDialog)
        assert debugger.dialog_text() == screen_golden
        await debugger.press("escape")
        assert debugger.app.screen is debugger.main
        await debugger.press("o", "s")
        debugger.app.screen.query_one(Input).value = "mine.json"
        await debugger.press("enter")
        assert load("mine.json").parameters["w"] == 0.9
        dialog(debugger)
        await typed(debugger, "answer", "enter")
        assert debugger.view.title == load("answer").title


async def test_quitting_asks_too_and_may_lose_it() -> None:
    async with opened() as debugger:
        await debugger.type("set w 0.9")
        await debugger.press("escape", "q")
        assert isinstance(debugger.app.screen, LeaveDialog) and not debugger.app._exit
        await debugger.press("down", "enter")
        assert debugger.app._exit


async def test_a_file_of_ones_own_is_asked_about_after_any_command() -> None:
    session = load("question").save("own.json")
    async with opened(session) as debugger:
        await debugger.press("n", "q")
        assert isinstance(debugger.app.screen, LeaveDialog) and "1 command" in debugger.text()
        await debugger.press("s")
        assert debugger.app._exit and len(load("own.json").recording) == 1


async def test_the_users_keys_hold_in_the_next_session_too() -> None:
    async with opened() as debugger:
        debugger.app.set_keymap({"step.next": "x"})
        await debugger.press("o", *"answer", "enter")
        assert debugger.view.title == load("answer").title
        await debugger.press("x", "x", "n")
        assert debugger.view.position == 2


async def test_sessions_opened_one_after_the_other_leave_one_screen() -> None:
    """Nothing of the ones before is kept: neither screens nor debuggers."""
    async with opened() as debugger:
        for name in ("answer", "vectors", "lstm"):
            before = debugger.main
            await debugger.press("o")
            await typed(debugger, name, "enter")
            assert not before.is_attached and debugger.app.screen_stack == [debugger.main]
        assert len(debugger.app._screen_stacks) == 1
        assert debugger.main.debugger is debugger.app.debugger
