"""What an earlier run left behind, offered on the screen; and the draft of the session that is open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion

from bptt_tui.session import Recorded, Session, drafts, load
from bptt_tui.session.drafts import Draft, left_over
from bptt_tui.tui.recovery import RecoverDialog, when

SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}
NOW = 1_700_000_000.0


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leave(session: Session, words: str = "values changed, 2 notes, 14 commands") -> None:
    draft = Draft.of(session)
    draft.write(session, words)
    draft.release()


def walked(name: str = "question") -> Session:
    session = load(name)
    recording = [Recorded(0.0, "next"), Recorded(1.0, "next")]
    return session.replace(parameters={**session.parameters, "w": 0.9}).with_state(position=2, recording=recording)


async def begin(debugger: Opened, offer: str = "own") -> None:
    debugger.app.files.begin("all" if offer == "all" else "own")
    await debugger.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_and_when(
    size: str, screen_golden: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW - 150)
    leave(walked("product-slip"))
    monkeypatch.setattr(time, "time", lambda: NOW - 90)
    leave(walked())
    monkeypatch.setattr(time, "time", lambda: NOW)
    async with opened(size=SIZES[size]) as debugger:
        await begin(debugger, "all")
        assert debugger.dialog_text() == screen_golden
        await debugger.press("escape")
    assert len(left_over().drafts) == 2


async def test_recovered_work_is_where_it_was_and_is_unsaved() -> None:
    leave(walked())
    async with opened() as debugger:
        await begin(debugger)
        await debugger.press("enter")
        assert debugger.view.position == 2 and debugger.app.debugger.session.parameters["w"] == 0.9
        assert debugger.message == "recovered; ^s saves it"
        assert debugger.app.files.unsaved.words == "values changed, 2 commands"
        assert left_over().drafts == [] and len(list(drafts.directory().glob("*.draft"))) == 1
        debugger.app.files.quit()
        debugger.app.files.close()
    assert list(drafts.directory().iterdir()) == []


async def test_commands_given_before_drafts_are_kept_are_in_the_draft() -> None:
    """The first frame takes keys; the keeping of drafts begins a moment later."""
    async with opened() as debugger:
        debugger.app.debugger.do("next 2")
        await begin(debugger)
        debugger.app.files.close()
    assert [draft.header.words for draft in left_over().drafts] == ["1 command"]


async def test_an_app_that_fails_leaves_its_draft() -> None:
    """Whatever ends the app other than its user's wish."""
    async with opened() as debugger:
        await begin(debugger)
        await debugger.press("n", "n", "n")
        debugger.app.files.close()
    (left,) = left_over(load("question")).drafts
    assert left.header.words == "3 commands"
    left.discard()


async def test_another_session_has_its_own_draft_and_its_own_offer() -> None:
    """Opening is leaving the one before; what was left of the new one is offered."""
    leave(walked("answer"))
    async with opened() as debugger:
        await begin(debugger)
        await debugger.press("n")
        await debugger.press("o", *"answer", "enter")
        assert isinstance(debugger.app.screen, RecoverDialog)
        await debugger.press("down", "enter")
        assert debugger.app.screen is debugger.main
        assert debugger.view.position == 0 and debugger.view.title == load("answer").title
        debugger.app.files.close()
    assert left_over().drafts == [] and list(drafts.directory().iterdir()) == []


async def test_what_cannot_be_traced_is_said_and_can_be_put_off() -> None:
    leave(walked().with_state(position=999))
    async with opened() as debugger:
        await begin(debugger)
        await debugger.press("enter")
        assert isinstance(debugger.app.screen, RecoverDialog) and "✗" in debugger.text()
        await debugger.press("escape", "n")
        assert debugger.view.position == 1
    (left,) = left_over().drafts
    left.discard()


async def test_nothing_of_it_reaches_the_terminal_as_it_is() -> None:
    leave(walked().replace(title="\x1b]0;title\x07[red]x[/red]"), "\x1b[2J [bold]")
    async with opened() as debugger:
        await begin(debugger)
        assert "\x1b" not in debugger.text() and "\\x1b]0;title\\x07[red]x[/red]" in debugger.text()
        await debugger.press("escape")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute ago"),
        (59, "less than a minute ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7300, "2 hours ago"),
    ],
)
def test_a_moment_in_words(seconds: float, words: str) -> None:
    assert when(NOW - seconds, NOW) == words


def test_long_ago_is_a_date() -> None:
    assert when(NOW - 864000, NOW).startswith("on 2023-11-0")
    assert when(-1e11, NOW) == "long ago"
