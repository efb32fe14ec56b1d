"""The recording as it grows: the commands given, each with its time in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bptt_tui.session.format import Recorded

if TYPE_CHECKING:
    from bptt_tui.debugger.going_on import GoingOn


class Recorder:
    """Writes down commands behind those of an opened recording. `clock` gives seconds.

    What it holds is only ever added to; where it is another recording, `entries` is another list.
    """

    def __init__(self, recording: Sequence[Recorded], clock: Callable[[], float]) -> None:
        self._clock = clock
        self.entries = list(recording)
        self.on = True
        self.leads_here = False  # whether what is recorded is known to lead to where the debugger stands
        self.going_on: GoingOn | None = None  # what comes before the next command, so that it does
        self._go_on_from_its_end()

    def _go_on_from_its_end(self) -> None:
        self._began = self._clock() - (self.entries[-1].at if self.entries else 0.0)

    @property
    def is_opened(self) -> bool:
        """Whether nothing has been added since the session was opened, nor made ready to be."""
        return self.on and not self.leads_here and self.going_on is None

    def add(self, lines: Sequence[str]) -> None:
        """Write down commands that have been carried out now."""
        latest = self.entries[-1].at if self.entries else 0.0
        if self.going_on is not None:
            self.entries += [Recorded(latest, command) for command in self.going_on.commands]
            self.going_on = None
        self.leads_here = True
        now = max(round(self._clock() - self._began, 3), latest)
        self.entries += [Recorded(now, line) for line in lines]

    def go_on_with(self, recording: Sequence[Recorded] | None) -> None:
        """Write down what comes behind `recording`, which leads here; None: nothing."""
        self.on = recording is not None
        if recording is not None:
            self.put_back(recording, leads_here=True, on=True)
            self._go_on_from_its_end()

    def put_back(self, recording: Sequence[Recorded], *, leads_here: bool, on: bool) -> None:
        """Be as it was with another recording."""
        self.entries = list(recording)
        self.leads_here, self.on, self.going_on = leads_here, on, None
