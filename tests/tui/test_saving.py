"""Saving: to the session's own file or to a path that is asked for; a failure says why and loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from opening import opened
from textual.widgets import Input

from bptt_tui.session import load
from bptt_tui.tui.dialogs import AskPath


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_a_bundled_session_asks_where(tmp_path: Path) -> None:
    async with opened() as debugger:
        await debugger.press("n", "n", "ctrl+s")
        assert isinstance(debugger.app.screen, AskPath)
        debugger.app.screen.query_one(Input).value = "mine.json"
        await debugger.press("enter")
        assert debugger.message == "saved to mine.json"
        saved = load(tmp_path / "mine.json")
        assert saved.debugger.position == 2 and [entry.command for entry in saved.recording] == ["next", "next"]
        await debugger.press("n", "ctrl+s")
        assert load(tmp_path / "mine.json").debugger.position == 3


async def test_a_saved_session_opens_at_the_same_position_and_factor(tmp_path: Path) -> None:
    async with opened("many-to-many", at=33) as debugger:
        await debugger.press("s", "s", "s")
        view, text = debugger.view, debugger.text()
        debugger.app.debugger.save(str(tmp_path / "walk.json"))
    async with opened(load(tmp_path / "walk.json")) as debugger:
        assert (debugger.view.position, debugger.view.factor) == (view.position, view.factor)
        assert debugger.text() == text


async def test_escape_saves_nothing(tmp_path: Path) -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+s", "escape")
        assert debugger.message == "not saved" and list(tmp_path.iterdir()) == []


async def test_a_failure_is_said_in_the_dialog_and_another_path_can_be_given(tmp_path: Path) -> None:
    async with opened(at=4) as debugger:
        await debugger.press("ctrl+s")
        debugger.app.screen.query_one(Input).value = "no/such/directory.json"
        await debugger.press("enter")
        assert isinstance(debugger.app.screen, AskPath)
        assert "no/such/directory.json" in debugger.text() and "Nothing is lost" in debugger.text()
        debugger.app.screen.query_one(Input).value = "good.json"
        await debugger.press("enter")
        assert debugger.message == "saved to good.json" and debugger.view.position == 4
        assert load(tmp_path / "good.json").debugger.position == 4


async def test_a_file_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "shared.json"
    load("question").save(path)
    async with opened(load(path)) as debugger:
        other = load(path).with_state(position=7).save()
        await debugger.press("n", "ctrl+s")
        assert isinstance(debugger.app.screen, AskPath)
        assert load(path).debugger.position == 7 and other.debugger.position == 7
        assert debugger.view.position == 1
