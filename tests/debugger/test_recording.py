"""Every command given is recorded with its time, and playing the recording leads to where it was made."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import everything, random_session

from bptt_tui.debugger import Debugger
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Recorded, Session, load


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def played(session: Session) -> Debugger:
    """A debugger from position 0 to which the session's recording has been given."""
    debugger = Debugger(session.with_state(position=0, factor=0, recording=()))
    for recorded in session.recording:
        debugger.do(recorded.command)
    return debugger


def commands(debugger: Debugger) -> list[str]:
    return [recorded.command for recorded in debugger.recording]


def test_commands_are_recorded_with_the_seconds_since_the_beginning() -> None:
    """Informative ones too, and ones that reach an end; refused ones are not."""
    clock = Clock()
    debugger = Debugger(load("question"), clock=clock)
    for seconds, line in ((0.5, " next "), (0.25, "nonsense"), (1.0, "where"), (0.0, "print x"), (2.0004, "rewind 9")):
        clock.now += seconds
        try:
            debugger.do(line)
        except CommandError:
            assert line == "nonsense"
    assert debugger.recording == (
        Recorded(0.5, "next"), Recorded(1.75, "where"), Recorded(1.75, "print x"), Recorded(3.75, "rewind 9"),
    )  # fmt: skip
    assert debugger.view.recording == len(debugger.session.recording) == 4


def test_times_never_decrease_whatever_the_clock_and_the_file_say() -> None:
    """A clock set back, and a file with finer times than ours."""
    clock = Clock()
    session = load("question").with_state(position=1, recording=[Recorded(1.00049, "next")])
    debugger = Debugger(session, clock=clock)
    debugger.do("next")
    clock.now -= 50
    debugger.do("next")
    times = [recorded.at for recorded in debugger.recording]
    assert times == sorted(times) == [1.00049] * 3


def test_a_continued_recording_goes_on_where_its_time_stopped() -> None:
    """Opened again, the clock starts at the last command's time."""
    clock = Clock()
    debugger = Debugger(load("question").with_state(position=1, recording=[Recorded(7.5, "next")]), clock=clock)
    clock.now += 2
    debugger.do("finish")
    assert debugger.recording == (Recorded(7.5, "next"), Recorded(9.5, "finish"))


def test_a_recording_begun_elsewhere_goes_there_first() -> None:
    """Opened at position 37 and a factor, the first command is preceded by what leads there."""
    debugger = Debugger(load("many-to-many").with_state(position=37, factor=1))
    assert debugger.recording == ()
    debugger.do("step")
    assert commands(debugger) == ["goto 37", "step 1", "step"]
    assert debugger.recording[0].at == 0.0
    assert everything(played(debugger.session).view) == everything(debugger.view)


@pytest.mark.parametrize("recorded", ["next 3", "goto nowhere"])
def test_a_recording_that_does_not_lead_here_is_mended_before_it_goes_on(recorded: str) -> None:
    """A session opened with its recording but at another position: the recording first goes to it."""
    session = load("question").with_state(position=20, recording=[Recorded(1.0, recorded)])
    debugger = Debugger(session)
    before = everything(debugger.view)
    debugger.do("where")
    assert commands(debugger) == [recorded, "goto 20", "where"]
    assert everything(debugger.view) == before
    debugger.do("next")
    assert commands(debugger)[2:] == ["where", "next"]


def test_opened_again_the_trail_and_what_was_sought_are_those_of_the_recording() -> None:
    """older, newer and find lead where they would have led without a save in between, and where playing leads."""
    debugger = Debugger(load("question"))
    for line in ("goto 9", "goto 20", "find w"):
        debugger.do(line)
    again = Debugger(debugger.session)
    for line in ("older", "older", "newer", "newer", "find", "find back", "older"):
        assert again.do(line).message == debugger.do(line).message
        assert again.cursor == debugger.cursor == played(again.session).cursor
    assert commands(again) == commands(debugger)


def test_opened_elsewhere_the_trail_goes_on_from_the_recordings_end() -> None:
    """Going there is one more step of it."""
    session = load("question").with_state(position=3, recording=[Recorded(1.0, "goto 20")])
    debugger = Debugger(session)
    assert debugger.do("older").position == 20
    assert commands(debugger) == ["goto 20", "goto 3", "goto 20"]
    assert played(debugger.session).cursor == debugger.cursor


def test_what_was_displayed_is_no_longer_when_a_session_is_opened_again() -> None:
    """The recording says so, and the next display is the first one when it is played, too."""
    debugger = Debugger(load("question"))
    for line in ("goto 9", "display s[0]", "display w"):
        debugger.do(line)
    again = Debugger(debugger.session)
    assert again.view.displays == ()
    again.do("display u")
    again.do("next")
    assert commands(again)[3:] == ["undisplay", "display u", "next"]
    assert played(again.session).view.displays == again.view.displays == ("1: u = 0.8",)


def test_a_refused_command_adds_nothing_to_an_opened_recording() -> None:
    """Not even what would have led here."""
    debugger = Debugger(load("question").with_state(position=3, recording=[Recorded(1.0, "goto 20")]))
    with pytest.raises(CommandError):
        debugger.do("goto nowhere")
    assert commands(debugger) == ["goto 20"] and debugger.check("where") and debugger.cursor.position == 3


walks = st.lists(
    st.sampled_from(
        [
            "next 3",
            "rewind",
            "step",
            "step 2",
            "step back",
            "finish",
            "finish back",
            "end",
            "start",
            "where",
            "print 1",
            "help",
        ]
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40)
@given(st.integers(0, 3000), st.floats(0, 1), walks, walks)
def test_playing_a_recording_leads_to_the_same_view(
    seed: int, start: float, first: list[str], second: list[str]
) -> None:
    """From anywhere, through a save in between, played from position 0: the same position, factor and View."""
    session = random_session(seed)[1]
    last = Debugger(session).last
    debugger = Debugger(session.with_state(position=int(start * last)))
    for line in first:
        debugger.do(line)
    again = Debugger(debugger.session)
    assert everything(again.view) == everything(debugger.view)
    for line in second:
        again.do(line)
    assert [recorded.command for recorded in again.recording][len(debugger.recording) :] == second
    assert everything(played(again.session).view) == everything(again.view)


def test_saving_and_loading_stands_at_the_same_position_and_factor(tmp_path: Path) -> None:
    """The file holds where one stands; loaded, the View is the same and saving again needs no path."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto 37")
    debugger.do("step")
    saved = debugger.save(tmp_path / "walk.json")
    loaded = load(tmp_path / "walk.json")
    assert (loaded.debugger.position, loaded.debugger.factor) == (37, 1)
    assert loaded == saved == debugger.session
    again = Debugger(loaded)
    assert everything(again.view) == everything(debugger.view)
    debugger.do("next")
    debugger.save()
    assert Debugger(load(tmp_path / "walk.json")).view.position == 38


@pytest.mark.parametrize(
    ("position", "factor", "said"),
    [
        (28, 0, "position: there is no position 28; the positions are 0 … 27"),
        (10**15, 0, "position: there is no position 1000000000000000; the positions are 0 … 27"),
        (3, 1, "factor: the step after position 3 has no factor 1 to stop at; leave factor out"),
        (27, 1, "factor: the step after position 27 has no factor 1 to stop at; leave factor out"),
    ],
)
def test_a_saved_position_that_does_not_exist_is_refused(position: int, factor: int, said: str) -> None:
    """SessionError with the file and the field."""
    with pytest.raises(SessionError) as caught:
        Debugger(load("question").with_state(position=position, factor=factor))
    assert str(caught.value) == f"question: debugger.{said}"
