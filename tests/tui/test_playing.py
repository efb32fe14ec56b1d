"""Playing: a replay keeps the recording's pace, space pauses it, and the end is a message."""

from __future__ import annotations

from typing import Any

import pytest
from opening import MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion
from textual.timer import Timer

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.session import Chapter, Note, Session, load
from bptt_tui.session.format import Recorded
from bptt_tui.tui.playbar import PlayBar
from bptt_tui.tui.player import EVERY, Player


def test_speeds_go_by_factors_of_two_between_two_ends() -> None:
    player = Player(speed=3.0)
    speeds = []
    for steps in (1, -1, -1, 1, *[1] * 9, *[-1] * 12):
        player.change_speed(steps)
        speeds.append(player.speed)
    assert speeds[:4] == [4.0, 2.0, 1.0, 2.0] and max(speeds) == 32.0 and speeds[-1] == 0.125


def test_plain_steps_are_given_at_the_players_speed() -> None:
    player, debugger = Player(speed=2.0), Debugger(load("question"))
    assert [player.give(debugger).position for _ in range(3)] == [1, 2, 3]
    assert player.wait() == EVERY / 2 and not player.finished


def recorded(*commands: str, pause: float = 0.02) -> Session:
    entries = tuple(Recorded(at=round(i * pause, 3), command=command) for i, command in enumerate(commands))
    return load("question").replace(recording=entries)


async def over(debugger: Opened) -> None:
    """Wait until nothing plays."""
    await debugger.until(lambda: not debugger.app.player.playing)


async def test_a_replay_starts_at_the_beginning_and_ends_with_a_message() -> None:
    session = recorded("next", "next", "goto dE/ds[0]", "step").with_state(position=9)
    async with opened(session, replay=True) as debugger:
        await over(debugger)
        assert debugger.view.position == 23
        assert "the replay is over" in debugger.message and "⏸ 4 of 4" in debugger.text()
        await debugger.press("space")
        assert "the replay is over" in debugger.message
        await debugger.press("p")
        assert debugger.view.position == 22


async def test_space_pauses_and_goes_on_from_there() -> None:
    async with opened(recorded(*["next"] * 20, pause=0.1), replay=True) as debugger:
        await debugger.until(lambda: debugger.view.position > 0)
        await debugger.press("space")
        stood = debugger.view.position
        assert 0 < stood < 20 and f"⏸ {stood} of 20" in debugger.text()
        assert debugger.main._clock is None
        await debugger.press("n")
        assert debugger.view.position == stood + 1 and "space resumes" in debugger.message
        await debugger.press("n", "n")
        await debugger.press(*")))))", "space")
        await over(debugger)
        assert debugger.view.position == 20 and "the replay is over" in debugger.message


async def test_a_recorded_command_that_cannot_be_carried_out_pauses_the_replay() -> None:
    async with opened(recorded("next", "goto 999", "next"), replay=True) as debugger:
        await over(debugger)
        assert debugger.view.position == 1 and not debugger.app.player.playing
        assert "recording[1]" in debugger.message and "999" in debugger.message


async def test_a_session_without_a_recording_says_so() -> None:
    async with opened("question", replay=True) as debugger:
        assert "no recording" in debugger.message and debugger.view.position == 0


async def test_space_plays_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 0.02)
    async with opened(at=24) as debugger:
        await debugger.press("space")
        await over(debugger)
        assert debugger.view.position == 27 and "every contribution" in debugger.message
        assert not debugger.app.player.playing


async def test_a_key_pauses_playing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 60.0)
    async with opened() as debugger:
        await debugger.press("space")
        assert "▶ playing" in debugger.text() and debugger.main._clock is not None
        await debugger.press("n")
        assert debugger.view.position == 1 and "▶ playing" not in debugger.text()
        assert debugger.main._clock is None


async def test_one_clock_runs_however_often_space_is_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 60.0)
    async with opened() as debugger:
        clocks: list[Timer] = []
        set_timer = debugger.main.set_timer

        def note(*given: Any) -> Timer:
            clocks.append(set_timer(*given))
            return clocks[-1]

        monkeypatch.setattr(debugger.main, "set_timer", note)
        await debugger.press("space", "space", "space", "space", "space")
        assert len(clocks) == 3 and [clock._task is None for clock in clocks] == [True, True, False]


LESSON = recorded("next", "next", "goto 11", "next", "set w 0.9", "end").with_state(
    notes=(Note(2, "# Forward\nTwo nodes."), Note(12, "Here the gradient starts at **1**.")),
    chapters=(Chapter(0, "Forward"), Chapter(11, "Backward")),
)


async def test_scrubbing_goes_to_any_command_and_back() -> None:
    """By keys, and by a click on the bar; the numbers of an edit come and go with it."""
    async with opened(LESSON, replay=True) as debugger:
        await over(debugger)
        assert debugger.app.debugger.session.parameters["w"] == 0.9
        await debugger.press("comma", "comma")
        assert debugger.view.position == 12 and debugger.app.debugger.session.parameters["w"] == 0.6
        await debugger.press("full_stop")
        assert debugger.app.debugger.session.parameters["w"] == 0.9
        bar = debugger.main.query_one(PlayBar)
        text = "".join(segment.text for segment in bar.render_line(0))
        assert text.count("◆") + text.count("◇") == 2
        await debugger.pilot.click(PlayBar, offset=(text.rindex("◆"), 0))
        await debugger.pilot.pause()
        assert debugger.view.position == 11 and "⏸ 3 of 6" in debugger.text()
        assert len(debugger.app.debugger.recording) == 6


async def test_a_command_takes_the_replay_over_and_space_resumes_it_there() -> None:
    async with opened(LESSON, replay=True) as debugger:
        await over(debugger)
        await debugger.press("comma", "comma", "comma")
        assert debugger.view.position == 11
        await debugger.press("n", "n", "n")
        assert debugger.view.position == 14 and "◇ taken over at 3 of 6" in debugger.text()
        await debugger.type("set w 5")
        assert debugger.app.debugger.session.parameters["w"] == 5.0
        await debugger.press("space", "space")
        assert debugger.app.debugger.session.parameters["w"] in (0.6, 0.9)
        assert not debugger.app.player.exploring
        assert [entry.command for entry in debugger.app.debugger.recording] == [e.command for e in LESSON.recording]


async def test_a_command_that_fails_takes_nothing_over() -> None:
    async with opened(LESSON, replay=True) as debugger:
        await over(debugger)
        await debugger.press("comma")
        for line in ("nonsense", "goto 999"):
            assert not debugger.main.perform(line)
            assert not debugger.app.player.exploring and "⏸ 5 of 6" in debugger.text()


async def test_chapters_are_jumped_to_in_a_replay_and_without_one() -> None:
    async with opened(LESSON, replay=True) as debugger:
        await over(debugger)
        await debugger.press("left_curly_bracket")
        assert debugger.view.position == 11 and "⏸ 3 of 6" in debugger.text()
        await debugger.press("left_curly_bracket")
        assert debugger.view.position == 0
        await debugger.press("left_curly_bracket")
        assert "no earlier chapter" in debugger.message
        await debugger.press("right_curly_bracket")
        assert debugger.view.position == 11
    async with opened(LESSON) as debugger:
        await debugger.press("right_curly_bracket")
        assert debugger.view.position == 11 and debugger.view.chapter == "Backward"


async def test_what_was_recorded_is_replayed_and_recorded_on_from_a_place() -> None:
    """With the keys of the app only: walk, replay, go back, record another end."""
    async with opened() as debugger:
        await debugger.press("n", "n", "f", "r", "space")
        await debugger.press("comma", "comma", "comma", "full_stop")
        assert debugger.view.position == 1 and "⏸ 1 of 3" in debugger.text()
        await debugger.press("R", "G")
        assert "● recording 2" in debugger.text()
        assert [entry.command for entry in debugger.app.debugger.recording] == ["next", "end"]


async def test_without_a_replay_its_keys_say_so() -> None:
    async with opened() as debugger:
        for keys, said in (("comma", "nothing is replayed"), ("r", "nothing has been recorded"), ("R", "already")):
            await debugger.press(keys)
            assert said in debugger.message


@pytest.mark.parametrize("size", [(120, 36), MEDIUM, SMALL], ids=["full", "medium", "small"])
async def test_the_screen_of_a_replay(size: tuple[int, int], screen_golden: SnapshotAssertion) -> None:
    async with opened(LESSON, replay=True, size=size, speed=2.0) as debugger:
        await over(debugger)
        await debugger.press("left_curly_bracket")
        assert debugger.text() == screen_golden(name="paused")
        await debugger.press("n")
        assert debugger.text() == screen_golden(name="taken over")
