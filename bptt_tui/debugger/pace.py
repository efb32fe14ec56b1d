"""How far a long piece of work is, and whether anybody still wants it.

    with pace.followed(interrupt, tell):    # by whoever waits: `tell` hears shares, `interrupt` says when to end
        sums.table("w")                     # raises StoppedError soon after `interrupt` first returns True

Work is divided by whoever does it: `progress = pace.over(1000)`, then `progress(1)` a thousand times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local

from bptt_tui.errors import CommandError

Interrupt = Callable[[], bool] | None
Tell = Callable[[float], None] | None


class StoppedError(CommandError):
    """Somebody wanted the work to end."""


class Pace(local):
    """Every thread has its own: one that was told to stop may still be ending while another begins."""

    interrupt: Interrupt = None
    tell: Tell = None

    @contextmanager
    def followed(self, interrupt: Interrupt, tell: Tell) -> Iterator[None]:
        """What this thread does meanwhile is followed."""
        before = self.interrupt, self.tell
        self.interrupt, self.tell = interrupt, tell
        try:
            yield
        finally:
            self.interrupt, self.tell = before

    def check(self) -> None:
        """Raises StoppedError where the work is to end."""
        if self.interrupt is not None and self.interrupt():
            raise StoppedError("interrupted")

    def over(self, count: int) -> Callable[[int], None]:
        """A callback told how many of `count` pieces are done since the last time."""
        done = 0

        def progress(more: int) -> None:
            nonlocal done
            self.check()
            done += more
            if more and self.tell is not None:
                self.tell(min(done / max(count, 1), 1.0))

        return progress
