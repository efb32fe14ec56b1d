"""One line of a dialog in which a session is being opened: its progress, and then the session or why not.

    line.begin(lambda progress: make(session.trace(progress)), "lstm.json")

What is made comes as the message `Made`. A failure stands on the line until something else is begun; the dialog
stays, and the app goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.errors import BpttError
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.player import Player
from bptt_tui.tui.tracing import Opening

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress

_AT_ONCE = 0.2  # seconds that a key may take; what is made by then shows no progress
_OFTEN = 0.1
_WIDTH = 20


class Started(NamedTuple):
    """A debugger and what plays in it, to go on with."""

    debugger: Debugger
    player: Player


class OpeningLine(Static):
    """Says nothing until something is begun."""

    DEFAULT_CSS = """
    OpeningLine { height: auto; width: 1fr; max-height: 6; }
    OpeningLine.-error { color: $text-error; }
    """

    class Made(Message):
        """It is there."""

        def __init__(self, started: Started) -> None:
            super().__init__()
            self.started = started

    class Failed(Message):
        """There will be none: the error is already on the line."""

        def __init__(self, error: BpttError) -> None:
            super().__init__()
            self.error = error

    def __init__(self) -> None:
        super().__init__("")
        self._opening: Opening[Started] | None = None
        self._title = ""
        self._clock: Timer | None = None
        self.display = False

    def begin(self, make: Callable[[Progress], Started], title: str) -> None:
        """Make it in a thread; what was begun before is given up."""
        self.give_up()
        self._title = title
        self._opening = Opening(make)
        self._opening.wait(_AT_ONCE)
        self._look()
        if self._opening is not None:
            self._clock = self.set_interval(_OFTEN, self._look)

    def give_up(self) -> bool:
        """Wait no longer; False where nothing was being made."""
        opening, self._opening = self._opening, None
        self._stop()
        if opening is None:
            return False
        opening.give_up()
        self.say("cancelled")
        return True

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text there."""
        self.display = bool(text)
        self.set_class(error, "-error")
        self.update(Content(visible(f"✗ {text}" if error and text else text, newlines=True)))

    def on_unmount(self) -> None:
        if self._opening is not None:
            self._opening.give_up()

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.stop()
            self._clock = None

    def _look(self) -> None:
        opening = self._opening
        if opening is None:
            return
        if not opening.over:
            self.display = True
            self.set_class(False, "-error")
            self.update(self._progress(opening))
            return
        self._opening = None
        self._stop()
        try:
            made = opening.result()
        except BpttError as error:
            self.say(str(error), error=True)
            self.post_message(self.Failed(error))
        except MemoryError:
            self.say("there is not enough memory; use fewer timesteps or smaller vectors", error=True)
        else:
            self.say("")
            self.post_message(self.Made(made))

    def _progress(self, opening: Opening[Started]) -> Content:
        share = opening.done / opening.of if opening.of else 0.0
        full = round(share * _WIDTH)
        return Content.assemble(
            ("█" * full, "$primary"),
            ("░" * (_WIDTH - full), "$foreground 30%"),
            (f" {share:4.0%} ", "$foreground 70%"),
            visible(self._title),
            (" · ", "$foreground 40%"),
            ("esc", "bold $accent"),
            (" cancels", "$foreground 70%"),
        )
