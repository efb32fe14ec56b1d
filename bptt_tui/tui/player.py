"""What plays, how fast, and what the screen says about it.

    ● recording 9 · ▶ replaying 12 of 40 ×2 · ⏸ 12 of 40 · ◇ taken over at 12 of 40 · ▶ playing

With a recording the player drives a `Replay`: it keeps the recording's pace, can be scrubbed, taken over and resumed.
Without one, `next` is given every `EVERY` seconds until the end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.session import Chapter, Recorded

if TYPE_CHECKING:
    from bptt_tui.debugger.replay import Replay

EVERY = 0.8
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_AHEAD = 0.15  # seconds spent on learning where a recording leads


class Player:
    """A replay, or none, its speed, and whether anything runs."""

    def __init__(self, recording: Sequence[Recorded] | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self.playing = False
        self.replay: Replay | None = None
        if recording is not None:
            from bptt_tui.debugger.replay import Replay

            self.replay = Replay(recording, speed=speed)

    # --- what is to be known ---------------------------------------------------------------------------------------

    @property
    def exploring(self) -> bool:
        """Whether a replay was left, to be resumed."""
        return self.replay is not None and self.replay.exploring

    @property
    def replaying(self) -> bool:
        """Whether the debugger stands where a replay put it."""
        return self.replay is not None and not self.replay.exploring

    @property
    def finished(self) -> bool:
        """A replay whose last command was given. Plain steps end where the debugger says so."""
        return self.replay is not None and self.replay.finished

    @property
    def place(self) -> str:
        """`12 of 40`."""
        return "" if self.replay is None else f"{self.replay.index} of {len(self.replay.recording)}"

    def state(self) -> str:
        """What the header says; nothing where nothing plays."""
        times = "" if self.speed == 1 else f" ×{self.speed:g}"
        if self.exploring:
            return f"◇ taken over at {self.place}"
        if self.replay is not None:
            return f"▶ replaying {self.place}{times}" if self.playing else f"⏸ {self.place}{times}"
        return f"▶ playing{times}" if self.playing else ""

    def starts(self, chapters: Sequence[Chapter]) -> tuple[tuple[int, str], ...]:
        """After how many commands of the replay each chapter begins."""
        return () if self.replay is None else self.replay.starts(chapters)

    # --- playing ---------------------------------------------------------------------------------------------------

    def begin(self, debugger: Debugger) -> View:
        """Stand at the recording's beginning."""
        assert self.replay is not None
        self.replay.begin(debugger)
        until = time.monotonic() + _AHEAD
        self.replay.look_ahead(debugger, lambda: time.monotonic() > until)
        return debugger.view

    def wait(self) -> float:
        """Seconds until the next command."""
        return EVERY / self.speed if self.replay is None else self.replay.wait()

    def give(self, debugger: Debugger) -> View:
        """The next command."""
        return debugger.do("next") if self.replay is None else self.replay.give(debugger)

    def change_speed(self, steps: int) -> None:
        """So many steps of `SPEEDS` faster."""
        slower = sum(speed < self.speed for speed in SPEEDS)
        at = slower + steps - (steps > 0 and self.speed not in SPEEDS)
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]
        if self.replay is not None:
            self.replay.speed = self.speed
