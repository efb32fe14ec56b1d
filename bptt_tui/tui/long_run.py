"""One long run: what the debugger does in a thread of its own, and what is done with its outcome."""

from __future__ import annotations

from collections.abc import Callable

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.beside import Beside


class LongRun(Beside[View]):
    """What the debugger does in a thread of its own; `share` of the way is done."""

    def __init__(
        self, debugger: Debugger, said: str, work: Callable[[], View], then: Callable[[View | BpttError], bool]
    ) -> None:
        """`said` is what the screen calls it, `then` what draws its outcome."""
        self.said = said
        self.then = then
        self._debugger = debugger
        debugger.interrupt, debugger.tell = self.stopped, self.tell
        super().__init__(lambda _: work())

    def outcome(self) -> View | BpttError:
        """What it came to."""
        self._debugger.interrupt = self._debugger.tell = None
        try:
            return self.answer()
        except BpttError as error:
            return error
