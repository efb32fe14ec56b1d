"""Playing: a replay keeps the recording's pace, space pauses it, and the end is a message."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from opening import opened

from bptt_tui.session import Session, load
from bptt_tui.session.format import Recorded
from bptt_tui.tui.player import EVERY, LONGEST, SHORTEST, Player


@dataclass
class Entry:
    at: float
    command: str


def test_waits_are_the_recordings_pauses_divided_by_the_speed() -> None:
    player = Player(
        recording=[Entry(1.0, "next"), Entry(1.5, "next"), Entry(1.5, "step"), Entry(60.0, "end")], speed=2.0
    )
    waits = []
    while not player.finished:
        waits.append(player.wait())
        player.take()
    assert waits == [0.5, 0.25, SHORTEST, LONGEST]


def test_without_a_recording_next_is_given_for_ever() -> None:
    player = Player(speed=2.0)
    assert [player.take() for _ in range(3)] == ["next"] * 3
    assert player.wait() == EVERY / 2 and not player.finished


def recorded(*commands: str, pause: float = 0.02) -> Session:
    entries = tuple(Recorded(at=round(i * pause, 3), command=command) for i, command in enumerate(commands))
    return load("question").replace(recording=entries)


async def test_a_replay_starts_at_the_beginning_and_ends_with_a_message() -> None:
    session = recorded("next", "next", "goto dE/ds[0]", "step").with_state(position=9)
    async with opened(session, replay=True) as debugger:
        await debugger.pilot.pause(0.4)
        assert debugger.view.position == 23
        assert "the replay is over" in debugger.message and "⏸ replay 4 of 4" in debugger.text()
        await debugger.press("space")
        assert "the replay is over" in debugger.message
        await debugger.press("p")
        assert debugger.view.position == 22


async def test_space_pauses_and_goes_on_from_there() -> None:
    async with opened(recorded(*["next"] * 20, pause=0.1), replay=True) as debugger:
        await debugger.pilot.pause(0.15)
        await debugger.press("space")
        stood = debugger.view.position
        assert 0 < stood < 20 and f"⏸ replay {stood} of 20" in debugger.text()
        await debugger.pilot.pause(0.25)
        assert debugger.view.position == stood
        await debugger.press("n", "n", "n")
        debugger.app.player.speed = 20.0
        await debugger.press("space")
        await debugger.pilot.pause(0.8)
        assert debugger.view.position == 20 and "the replay is over" in debugger.message


async def test_a_recorded_command_that_cannot_be_carried_out_pauses_the_replay() -> None:
    async with opened(recorded("next", "goto 999", "next"), replay=True) as debugger:
        await debugger.pilot.pause(0.3)
        assert debugger.view.position == 1 and not debugger.app.player.playing
        assert "999" in debugger.message


async def test_a_session_without_a_recording_says_so() -> None:
    async with opened("question", replay=True) as debugger:
        assert "no recording" in debugger.message and debugger.view.position == 0


async def test_space_plays_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 0.02)
    async with opened(at=24) as debugger:
        await debugger.press("space")
        await debugger.pilot.pause(0.3)
        assert debugger.view.position == 27 and "every contribution" in debugger.message
        assert not debugger.app.player.playing


async def test_a_key_pauses_playing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 0.15)
    async with opened() as debugger:
        await debugger.press("space")
        assert "▶ playing" in debugger.text()
        await debugger.press("n")
        position = debugger.view.position
        await debugger.pilot.pause(0.3)
        assert debugger.view.position == position and "▶ playing" not in debugger.text()


async def test_one_clock_runs_however_often_space_is_pressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptt_tui.tui.player.EVERY", 0.4)
    async with opened() as debugger:
        await debugger.press("space", "space", "space", "space", "space")
        await debugger.pilot.pause(0.5)
        assert debugger.view.position == 1
