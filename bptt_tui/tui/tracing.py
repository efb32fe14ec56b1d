"""Waiting for the numbers: a long trace is computed in a thread, its progress shown, and escape goes back to the shell.

opening = Opening(lambda progress: make(session.trace(progress)))
if opening.wait(0.3):
    opening.result()        # what was made, or the error it ended with
else:
    TracingScreen(opening)  # posts `Over` when it is there, or when the learner has given up
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from bptt_tui.language.sanitise import visible

Made = TypeVar("Made")

_OFTEN = 0.1  # seconds between two looks at the progress
_WIDTH = 40


class CancelledError(Exception):
    """The learner did not want to wait."""


class Opening(Generic[Made]):
    """Something that takes long, made in a thread of its own by `make(progress)`; `done` of `of` timesteps so far."""

    def __init__(self, make: Callable[[Callable[[int, int], None]], Made]) -> None:
        self.done = 0
        self.of = 0
        self._make = make
        self._made: Made | None = None
        self._error: BaseException | None = None
        self._given_up = False
        self._thread = Thread(target=self._work, name="tracing", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._made = self._make(self._tell)
        except BaseException as error:  # passed on by `result`
            self._error = error

    def _tell(self, done: int, of: int) -> None:
        self.done, self.of = done, of
        if self._given_up:
            raise CancelledError

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether it is over."""
        self._thread.join(seconds)
        return self.over

    @property
    def over(self) -> bool:
        """Whether there is a result or an error."""
        return not self._thread.is_alive()

    def give_up(self) -> None:
        """Stop at the next word of progress."""
        self._given_up = True

    def result(self) -> Made:
        """What was made; raises what its making raised."""
        if self._error is not None:
            raise self._error
        assert self._made is not None
        return self._made


class TracingScreen(Screen[None]):
    """What is being computed, and how much of it is done."""

    class Over(Message):
        """There is a result or an error, unless the learner has `given_up`."""

        def __init__(self, *, given_up: bool) -> None:
            super().__init__()
            self.given_up = given_up

    DEFAULT_CSS = """
    TracingScreen { align: center middle; background: $background; }
    TracingScreen Static { width: auto; text-align: center; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+c", "give_up", "cancel", show=False, id="tracing.cancel"),
    ]

    def __init__(self, opening: Opening[Made], title: str) -> None:
        super().__init__()
        self._opening = opening
        self._title = title

    def compose(self) -> ComposeResult:
        yield Static(self._text())

    def on_mount(self) -> None:
        self._clock = self.set_interval(_OFTEN, self._look)

    def _look(self) -> None:
        if self._opening.over:
            self._clock.stop()
            self.post_message(self.Over(given_up=False))
        else:
            self.query_one(Static).update(self._text())

    def _text(self) -> Content:
        share = self._opening.done / self._opening.of if self._opening.of else 0.0
        if share < 0.5:
            what = "computing the values, first timestep to last"
        elif share < 1:
            what = "computing the gradients, last timestep to first"
        else:
            what = "laying out the steps"
        full = round(share * _WIDTH)
        return Content.assemble(
            (visible(self._title), "bold"),
            "\n\n",
            (what, "$foreground 70%"),
            "\n\n",
            ("█" * full, "$primary"),
            ("░" * (_WIDTH - full), "$foreground 30%"),
            "\n",
            (f"{share:.0%}", "$foreground 70%"),
            "\n\n",
            ("esc", "bold $accent"),
            (" cancels", "$foreground 70%"),
        )

    def action_give_up(self) -> None:
        self._opening.give_up()
        self._clock.stop()
        self.post_message(self.Over(given_up=True))
