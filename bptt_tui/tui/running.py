"""Long runs: over a long trace `continue` or `table` goes on in a thread, the screen stays alive, escape ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui import beside
from bptt_tui.tui.beside import Beside
from bptt_tui.tui.commanding import Commanding

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


class LongRun(Beside[View]):
    """A command carried out in a thread of its own; `share` of the way is done."""

    def __init__(self, debugger: Debugger, line: str, leaves: bool) -> None:
        """`leaves` says whether it has taken a replay over."""
        self.line = line
        self.leaves = leaves
        self._debugger = debugger
        debugger.interrupt, debugger.tell = self.stopped, self.tell
        super().__init__(lambda _: debugger.do(line))

    def outcome(self) -> View | BpttError:
        """What the command came to."""
        self._debugger.interrupt = self._debugger.tell = None
        try:
            return self.answer()
        except BpttError as error:
            return error


class Running(Commanding):
    """Runs what takes long beside the screen."""

    _run: LongRun | None = None
    _watch: Timer | None = None

    @property
    def runs_long(self) -> bool:
        """Whether a command is being carried out; the debugger takes no other meanwhile."""
        return self._run is not None

    def running_changed(self, said: str) -> None:
        """Show how far a run is; nothing where none goes on."""
        raise NotImplementedError

    def run_long(self, line: str, leaves: bool) -> bool:
        """Begin a long run; False where it failed at once."""
        run = LongRun(self.debugger, line, leaves)
        if run.is_over(beside.AT_ONCE):
            return self.settle(line, leaves, run.outcome())
        self._run = run
        self._watch = self.set_interval(beside.OFTEN, self._look)
        self._look()
        return True

    def _look(self) -> None:
        run = self._run
        if run is None:
            return
        if not run.is_over():
            self.running_changed(f"… {run.line} {run.share:.0%}, esc stops")
            return
        if self._watch is not None:
            self._watch.stop()
        self._run = None
        self.running_changed("")
        self.settle(run.line, run.leaves, run.outcome())

    def action_interrupt(self) -> None:
        """End the run; the debugger then stands where it did."""
        if self._run is not None:
            self._run.stop()

    def on_unmount(self) -> None:
        self.action_interrupt()
