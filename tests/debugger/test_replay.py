"""A replay keeps its pace, goes to any entry, and is left and resumed exactly where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import everything, random_session

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.replay import LONGEST, SHORTEST, Replay
from bptt_tui.errors import CommandError
from bptt_tui.session import Recorded, Session, load

COMMANDS = ["next", "next 3", "rewind", "step", "step 2", "step back", "finish", "finish back", "end", "start", "where"]
walks = st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=10)
explored = st.lists(st.sampled_from([*COMMANDS, "predict on", "predict off"]), max_size=6)


def lesson(seed: int, walk: list[str]) -> Session:
    return random_session(seed)[1].with_state(recording=[Recorded(float(i), line) for i, line in enumerate(walk)])


def reached(session: Session, count: int) -> Debugger:
    """A debugger that was given the first commands one by one."""
    debugger = Debugger(session.with_state(position=0, factor=0, recording=()))
    for entry in session.recording[:count]:
        debugger.do(entry.command)
    return debugger


def try_to(debugger: Debugger, line: str) -> None:
    """A command that predict mode may refuse."""
    try:
        debugger.do(line)
    except CommandError:
        assert debugger.view.question is not None


@settings(max_examples=40)
@given(st.integers(0, 3000), walks, st.lists(st.integers(-2, 12), min_size=1, max_size=6))
def test_scrubbing_to_an_entry_is_giving_the_commands_before_it(seed: int, walk: list[str], places: list[int]) -> None:
    """From anywhere to anywhere: the View of the first i commands, and the lesson's recording untouched."""
    session = lesson(seed, walk)
    debugger, replay = Debugger(session), Replay(session.recording)
    for place in places:
        view = replay.scrub(debugger, place)
        assert replay.index == min(max(place, 0), len(walk))
        assert everything(view) == everything(reached(session, replay.index).view)
        assert debugger.recording == session.recording
    assert replay.finished == (replay.index == len(walk)) and (replay.command is None) == replay.finished


@settings(max_examples=40)
@given(st.integers(0, 3000), walks, st.integers(0, 10), explored, st.booleans())
def test_resumed_it_stands_exactly_where_it_was_left(
    seed: int, walk: list[str], place: int, detour: list[str], record: bool
) -> None:
    """Whatever was explored in between, the rest of the lesson leads where it would have led."""
    session = lesson(seed, walk)
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.begin(debugger)
    for _ in range(min(place, len(walk))):
        replay.give(debugger)
    here, state = everything(debugger.view), debugger.state
    replay.take_over(debugger, record=record)
    assert replay.exploring
    for line in detour:
        try_to(debugger, line)
    assert everything(replay.resume(debugger)) == here and debugger.state == state
    assert not replay.exploring and debugger.recording == session.recording
    while not replay.finished:
        replay.give(debugger)
    assert everything(debugger.view) == everything(reached(session, len(walk)).view)


def test_exploring_is_recorded_only_when_asked() -> None:
    """Asked to, what is explored becomes the end of the lesson behind the commands given so far."""
    session = load("question").with_state(recording=[Recorded(1.0, "next 4"), Recorded(2.0, "end")])
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.scrub(debugger, 1)
    replay.take_over(debugger)
    debugger.do("goto 9")
    assert debugger.recording == session.recording
    replay.resume(debugger)
    assert debugger.view.position == 4
    replay.take_over(debugger, record=True)
    debugger.do("goto 9")
    assert [entry.command for entry in debugger.session.recording] == ["next 4", "goto 9"]
    assert debugger.recording[0].at == 1.0 <= debugger.recording[1].at


def test_a_note_written_on_the_way_stays() -> None:
    """Notes belong to the session: neither resuming nor scrubbing takes them back."""
    session = load("question").with_state(recording=[Recorded(0.0, "next 4"), Recorded(1.0, "next")])
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.scrub(debugger, 2)
    replay.take_over(debugger)
    debugger.do("goto 4")
    debugger.do("note seen while exploring")
    replay.resume(debugger)
    assert replay.scrub(debugger, 1).notes == ("seen while exploring",)


def test_left_it_goes_no_further_until_resumed() -> None:
    """Neither the next command nor scrubbing; taking over twice remembers the first time."""
    session = load("question").with_state(recording=[Recorded(0.0, "next")])
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.take_over(debugger)
    debugger.do("goto 5")
    replay.take_over(debugger)
    for move in (lambda: replay.give(debugger), lambda: replay.scrub(debugger, 1)):
        with pytest.raises(CommandError, match="the replay has been left; resume it first"):
            move()
    assert replay.resume(debugger).position == 0
    assert replay.give(debugger).position == 1 and replay.finished
    assert replay.give(debugger).position == 1


def test_scrubbing_again_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state reached once is remembered."""
    session = load("question").with_state(recording=[Recorded(0.0, "next")] * 20)
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.scrub(debugger, 20)
    monkeypatch.setattr(debugger, "follow", None)
    for place in (3, 20, 0, 11):
        assert replay.scrub(debugger, place).position == place


def test_an_entry_that_cannot_be_given_is_named() -> None:
    """With its place; the replay stays before it."""
    session = load("question").with_state(recording=[Recorded(0.0, "next"), Recorded(1.0, "goto h[0]")])
    debugger, replay = Debugger(session), Replay(session.recording)
    with pytest.raises(CommandError, match=r"^recording\[1\]: there is no node h"):
        replay.scrub(debugger, 2)
    assert replay.index == 1 and debugger.view.position == 1


def test_the_pace_is_the_recordings_divided_by_the_speed() -> None:
    """Long pauses are cut, simultaneous commands keep a frame apart; at the end nothing is waited for."""
    recording = [Recorded(at, "next") for at in (1.0, 1.0, 3.0, 60.0)]
    replay = Replay(recording, speed=2.0)
    debugger = Debugger(load("question").with_state(recording=recording))
    waits = [replay.wait()]
    for _ in range(4):
        replay.give(debugger)
        waits.append(replay.wait())
    assert waits == [0.5, SHORTEST, 1.0, LONGEST, 0.0]
    view = replay.give(debugger)
    assert replay.finished and view is debugger.view and replay.index == 4


def test_predict_mode_left_on_is_switched_off_before_a_recording_goes_on() -> None:
    """Opened again predict mode is off, so the recording says so before the next command."""
    debugger = Debugger(load("question"))
    for line in ("predict on", "next"):
        debugger.do(line)
    again = Debugger(debugger.session)
    again.do("next")
    assert [entry.command for entry in again.recording] == ["predict on", "next", "predict off", "next"]
    replay = Replay(again.recording)
    assert replay.scrub(again, 4).position == 2


def test_resumed_after_a_save_the_next_save_goes_to_the_same_file(tmp_path: Path) -> None:
    """The file that was written while exploring is known afterwards: nobody else has changed it."""
    session = load("question").with_state(recording=[Recorded(0.0, "next 4"), Recorded(1.0, "next")])
    debugger, replay = Debugger(session), Replay(session.recording)
    replay.scrub(debugger, 1)
    replay.take_over(debugger)
    debugger.do("set w 0.9")
    debugger.save(tmp_path / "kept.json")
    replay.resume(debugger)
    assert debugger.session.parameters["w"] == 0.6 and debugger.view.position == 4
    debugger.save()
    assert load(tmp_path / "kept.json").recording == session.recording


def test_looking_ahead_ends_in_the_middle_of_a_long_run() -> None:
    """`enough` is asked while a run searches, not only between commands; the run itself is given later."""
    debugger = Debugger(load("vanishing"))
    replay = Replay([Recorded(at=0.0, command=line) for line in ("next", "until dE/ds[3]", "next")])
    replay.begin(debugger)
    asked: list[bool] = []

    def enough() -> bool:
        asked.append(len(asked) >= 2)  # before each of two commands; then in the second
        return asked[-1]

    replay.look_ahead(debugger, enough)
    assert asked == [False, False, True] and replay.index == 0 and debugger.cursor.position == 0
    assert replay.first_at(1) == 1 and debugger.interrupt is None
    assert replay.scrub(debugger, 2).pane.title == "∂E/∂s₃"  # type: ignore[union-attr]
