"""Long runs: `continue` over a long trace searches in a thread, the screen stays alive, and escape ends the search."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from textual.timer import Timer

from bptt_tui.errors import BpttError
from bptt_tui.tui.commanding import Commanding

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.debugger.view import View

_AT_ONCE = 0.15  # seconds in which a run ends without anybody having to be told that it goes on
_OFTEN = 0.1


class LongRun:
    """A command carried out in a thread of its own; `share` of the way is searched."""

    def __init__(self, debugger: Debugger, line: str, leaves: bool) -> None:
        """`leaves` says whether it has taken a replay over."""
        self.line = line
        self.leaves = leaves
        self.share = 0.0
        self._stopped = False
        self._debugger = debugger
        self._answer: View | BpttError | None = None
        self._failure: BaseException | None = None
        debugger.interrupt = lambda: self._stopped
        debugger.tell = self._tell
        self._thread = Thread(target=self._work, name="run", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._answer = self._debugger.do(self.line)
        except BpttError as error:
            self._answer = error
        except BaseException as error:  # raised again by `answer`
            self._failure = error

    def _tell(self, share: float) -> None:
        self.share = share

    def stop(self) -> None:
        """End at the next opportunity."""
        self._stopped = True

    def is_over(self, seconds: float = 0.0) -> bool:
        """Whether there is an answer, after waiting so long at most."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def answer(self) -> View | BpttError:
        """What the command came to."""
        self._debugger.interrupt = self._debugger.tell = None
        if self._failure is not None:
            raise self._failure
        assert self._answer is not None
        return self._answer


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
        if run.is_over(_AT_ONCE):
            return self.settle(line, leaves, run.answer())
        self._run = run
        self._watch = self.set_interval(_OFTEN, self._look)
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
        self.settle(run.line, run.leaves, run.answer())

    def action_interrupt(self) -> None:
        """End the run; the debugger then stands where it did."""
        if self._run is not None:
            self._run.stop()

    def on_unmount(self) -> None:
        self.action_interrupt()
