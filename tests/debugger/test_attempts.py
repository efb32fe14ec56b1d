"""Attempts: judged by a command, kept in the session, listed, replayed, and silent in predict mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import RIGHT, RIGHT_TEXT, WRONG, WRONG_TEXT

from bptt_tui.debugger import Debugger, attempts
from bptt_tui.debugger.replay import Replay
from bptt_tui.derivation.judging.verdict import Verdict
from bptt_tui.errors import CommandError
from bptt_tui.session import Attempt, Session, load
from bptt_tui.session.format import ATTEMPTS_LIMIT, FORMULA_LIMIT

MADE = {RIGHT_TEXT: RIGHT, WRONG_TEXT: WRONG}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verdicts made by hand in the place of judging; what was judged is written down."""
    formulas: list[str] = []

    def judged(_session: Session, text: str) -> Verdict:
        formulas.append(text)
        return MADE.get(text, RIGHT)

    monkeypatch.setattr(attempts, "judged", judged)
    return formulas


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def kept(debugger: Debugger) -> list[str]:
    return [attempt.formula for attempt in debugger.session.debugger.attempts]


@pytest.mark.usefixtures("asked")
def test_check_answers_in_a_sentence_and_hands_up_the_verdict(debugger: Debugger) -> None:
    """The View right after the command has all of it, the next one none; the position stays."""
    view = debugger.do(f"check {WRONG_TEXT}")
    assert view.message == f"wrong: {WRONG.sentence}"
    assert view.verdict is WRONG and view.position == 0
    assert debugger.do("next").verdict is None


@pytest.mark.usefixtures("asked")
def test_attempts_are_kept_once_each_in_their_order(debugger: Debugger, tmp_path: Path) -> None:
    """Through saving and loading; verdicts are not in the file."""
    for text in (WRONG_TEXT, RIGHT_TEXT, WRONG_TEXT):
        debugger.do(f"check {text}")
    path = tmp_path / "mine.json"
    debugger.save(path)
    again = Debugger(load(path))
    assert kept(debugger) == kept(again) == [WRONG_TEXT, RIGHT_TEXT]
    assert [one.verdict for one in again.desk.attempts] == [None, None]
    assert "missing" not in path.read_text(encoding="utf-8")
    again.do(f"check {RIGHT_TEXT}")
    assert [one.verdict for one in again.desk.attempts] == [None, RIGHT]


@pytest.mark.usefixtures("asked")
def test_attempts_are_listed_and_deleted(debugger: Debugger) -> None:
    assert debugger.do("attempts").message == "there is no attempt yet: check FORMULA judges one and keeps it"
    debugger.do(f"check {WRONG_TEXT}")
    debugger.do(f"check {RIGHT_TEXT}")
    debugger.do("set w 0.7")
    debugger.do(f"check {RIGHT_TEXT}")
    listed = f"1  not judged: {WRONG_TEXT}\n2  right: {RIGHT_TEXT}"
    assert debugger.do("attempts").message == listed
    debugger.do("undo")
    assert debugger.do("attempts").message == listed.replace("not judged", "wrong")
    assert debugger.do("attempts delete 1").message == "attempt 1 is deleted"
    assert kept(debugger) == [RIGHT_TEXT]
    for line, said in (
        ("attempts delete", "which attempt?"), ("attempts delete 2", "there is no attempt 2; the attempts are 1 … 1"),
        ("attempts delete x", "'x' is not the number"), ("attempts all", "'all' is too much"), ("check", "is a text"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match=said.replace("?", r"\?")):
            debugger.do(line)


def test_an_unreadable_formula_is_an_error_with_its_column(debugger: Debugger) -> None:
    """And no attempt, and nothing recorded."""
    with pytest.raises(CommandError, match=r"^column 9: unexpected '\*'"):
        debugger.do("check dE/dw = * w")
    assert kept(debugger) == [] and not debugger.recording


def test_limits(debugger: Debugger, asked: list[str]) -> None:
    """As in the file: a thousand attempts; what is there already may be judged again."""
    with pytest.raises(CommandError, match="at most 20000 characters, this one has 20001"):
        debugger.do("check " + "w" * (FORMULA_LIMIT + 1))
    full = Debugger(load("question").with_state(attempts=[Attempt(f"w = {n}") for n in range(ATTEMPTS_LIMIT)]))
    with pytest.raises(CommandError, match="keeps 1000 attempts; attempts delete N makes room"):
        full.do(f"check {RIGHT_TEXT}")
    full.do("check w = 7")
    assert len(kept(full)) == ATTEMPTS_LIMIT and asked == ["w = 7"]


def test_a_recording_judges_again_and_adds_nothing_twice(debugger: Debugger, asked: list[str]) -> None:
    """Replayed, the same sentences; attempts stay where the learner scrubs."""
    debugger.do("next")
    debugger.do(f"check {WRONG_TEXT}")
    debugger.do("next")
    assert [entry.command for entry in debugger.recording] == ["next", f"check {WRONG_TEXT}", "next"]
    session = debugger.session
    other = Debugger(session.as_recorded())
    replay = Replay(session.recording)
    replay.scrub(other, 2)
    assert other.view.message == f"wrong: {WRONG.sentence}" and other.view.verdict is WRONG
    replay.scrub(other, 0)
    assert other.view.verdict is None and kept(other) == [WRONG_TEXT]
    assert asked == [WRONG_TEXT, WRONG_TEXT]


def test_going_on_with_a_recording_judges_nothing_of_it(asked: list[str], debugger: Debugger) -> None:
    """Where the recording leads does not hang on verdicts, so a file full of them opens as fast as any."""
    debugger.do(f"check {WRONG_TEXT}")
    session = debugger.session
    asked.clear()
    again = Debugger(session)
    again.do("next")
    assert asked == []
    assert [entry.command for entry in again.recording] == [f"check {WRONG_TEXT}", "next"]


@pytest.mark.usefixtures("asked")
def test_predict_mode_shows_no_verdict(debugger: Debugger) -> None:
    """Neither a new one nor one that is known; afterwards it is there again."""
    debugger.do(f"check {WRONG_TEXT}")
    debugger.do("predict on")
    with pytest.raises(CommandError, match="numbers that predict mode asks for; predict off"):
        debugger.do(f"check {WRONG_TEXT}")
    desk = debugger.desk
    assert desk.waits and [one.verdict for one in desk.attempts] == [None]
    assert debugger.do("attempts").message == f"1  not judged: {WRONG_TEXT}"
    debugger.do("predict off")
    assert not debugger.desk.waits and debugger.desk.attempts[0].verdict is WRONG


def test_a_text_is_read_as_it_is_typed(debugger: Debugger) -> None:
    """In clean Unicode, or the column and what was expected."""
    assert debugger.reading("dE/du = dE/du_1 + dE/du_0").understood == "∂E/∂u = ∂E/∂u₁ + ∂E/∂u₀"
    reading = debugger.reading("dE/du = dE/dr_1")
    assert (reading.understood, reading.column) == ("", 12)
    assert "there is no 'r" in reading.error
