"""Long runs: over a long trace `continue`, `set`, `table`, what a replay gives go on in a thread; escape ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer

from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.commanding import Commanding

if TYPE_CHECKING:
    from bptt_tui.tui.long_run import LongRun


class Running(Commanding):
    """Runs what takes long beside the screen."""

    _run: LongRun | None = None
    _watch: Timer | None = None

    @property
    def runs_long(self) -> bool:
        """Whether something is being carried out; the debugger takes no command meanwhile."""
        return self._run is not None

    @property
    def share(self) -> float:
        return 0.0 if self._run is None else self._run.share

    def running_changed(self, said: str) -> None:
        """Show how far a run is; nothing where none goes on."""
        raise NotImplementedError

    def run_beside(self, said: str, work: Callable[[], View], then: Callable[[View | BpttError], bool]) -> bool:
        """Begin a long run; False where it failed at once."""
        from bptt_tui.tui import beside
        from bptt_tui.tui.long_run import LongRun

        run = LongRun(self.debugger, said, work, then)
        if run.is_over(beside.AT_ONCE):
            return then(run.outcome())
        self._run = run
        self._watch = self.set_interval(beside.OFTEN, self._look)
        self._look()
        return True

    def _look(self) -> None:
        run = self._run
        if run is None:
            return
        if not run.is_over():
            self.running_changed(f"… {run.said} · {run.share:.0%}, {self.key('run.interrupt')} stops")
            return
        if self._watch is not None:
            self._watch.stop()
        self._run = None
        self.running_changed("")
        run.then(run.outcome())

    def action_interrupt(self) -> None:
        """End the run; the debugger then stands where it did."""
        if self._run is not None:
            self._run.stop()

    def on_unmount(self) -> None:
        self.action_interrupt()
