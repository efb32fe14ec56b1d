"""When the next command is due while the debugger plays by itself.

A replay keeps the pace of its recording, divided by the speed; a pause longer than `LONGEST` seconds is cut, so that a
recording made over lunch can be watched. Without a recording, `next` is given every `EVERY` seconds until the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

EVERY = 0.8
LONGEST = 4.0
SHORTEST = 0.02


class Entry(Protocol):
    """One command of a recording, given `at` seconds after its start."""

    @property
    def at(self) -> float: ...

    @property
    def command(self) -> str: ...


class Player(Struct):
    """What is played (`recording`, or steps without one), how far, and whether it runs."""

    recording: Sequence[Entry] | None = None
    speed: float = 1.0
    done: int = 0
    playing: bool = False

    @property
    def finished(self) -> bool:
        """A replay whose last command was given. Plain steps end where the debugger says so."""
        return self.recording is not None and self.done >= len(self.recording)

    def wait(self) -> float:
        """Seconds until the next command."""
        if self.recording is None:
            return EVERY / self.speed
        before = self.recording[self.done - 1].at if self.done else 0.0
        pause = max(self.recording[self.done].at - before, 0.0) / self.speed
        return min(max(pause, SHORTEST), LONGEST)

    def take(self) -> str:
        """The next command; it then counts as given."""
        command = "next" if self.recording is None else self.recording[self.done].command
        self.done += 1
        return command

    def state(self) -> str:
        """`▶ replay 3 of 9`, `⏸ …`, or nothing where nothing plays."""
        glyph = "▶" if self.playing else "⏸"
        if self.recording is not None:
            return f"{glyph} replay {self.done} of {len(self.recording)}"
        return f"{glyph} playing" if self.playing else ""
