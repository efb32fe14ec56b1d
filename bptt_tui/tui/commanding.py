"""The one path from a key, a click or a typed line to a new picture, for every part of the debugger's screen.

line → perform → Debugger.do → View → show
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt_tui.debugger.command import Command
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.keynames import key_of
from bptt_tui.tui.player import Player

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    _Part = Screen[None]
else:
    _Part = object  # every class that Textual makes ready as a widget costs the start; the whole screen is one


class Commanding(_Part):
    """A screen on a debugger and what plays there. Its parts say what they want by giving commands."""

    debugger: Debugger
    player: Player

    def show(self, view: View, *, asked: str = "") -> None:
        """Draw a View; `asked` is the line it answers."""
        raise NotImplementedError

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text on the message line."""
        raise NotImplementedError

    wrong = ""  # what was wrong with the last line

    def pause(self) -> None:
        """Stop what plays."""
        raise NotImplementedError

    def perform(self, line: str, *, wait: bool = False) -> bool:
        """Give the debugger one line and draw what it answers; False where it could not be carried out.

        What takes long goes on beside the screen, unless who gives the line is to `wait` for it.

        A command given during a replay takes it over: it is left here and can be resumed.
        """
        replay = self.player.replay
        self.wrong = ""
        if self.runs_long:
            self.say(self.goes_on)
            return False
        from bptt_tui.debugger.commands import read  # the first picture needs no command

        try:
            command, rest = read(line)
        except BpttError as error:
            return self.settle(line, False, error)
        leaves = replay is not None and self.player.replaying and _walks(command, rest)
        if replay is not None and leaves:
            replay.take_over(self.debugger)
            self.pause()
        return self.set_to_work(
            line,
            lambda: self.debugger.do(line),
            lambda answer: self.settle(line, leaves, answer),
            beside=not wait
            and (
                (command.name in _RUNS and self.is_long)
                or (command.name in _SUMS and self.debugger.sums.large)
                or self.rehearses_long
            ),
        )

    @property
    def rehearses_long(self) -> bool:
        """Whether the next command first goes through a recording that is long, or over a long trace."""
        if not self.debugger.rehearses:
            return False
        commands = len(self.debugger.recording)
        return commands >= MANY or (commands > 0 and self.is_long)

    def set_to_work(
        self, said: str, work: Callable[[], View], then: Callable[[View | BpttError], bool], *, beside: bool
    ) -> bool:
        """Have the debugger do something, called `said`, here or beside the screen; `then` draws what it comes to."""
        if beside:
            return self.run_beside(said, work, then)
        try:
            answer: View | BpttError = work()
        except BpttError as error:
            answer = error
        return then(answer)

    def key(self, id: str) -> str:
        """The key of a row of the binding table, as the user has it."""
        return key_of(id, self.app)

    @property
    def goes_on(self) -> str:
        """What to say to a command while another is carried out beside the screen."""
        return f"a run goes on: {self.key('run.interrupt')} stops it"

    @property
    def is_long(self) -> bool:
        """Whether a command that goes through the whole trace is to be carried out beside the screen."""
        return self.debugger.last >= LONG

    def settle(self, line: str, leaves: bool, answer: View | BpttError) -> bool:
        """Draw what a line came to; `leaves` says that it took a replay over, which an error undoes."""
        replay = self.player.replay
        if isinstance(answer, BpttError):
            if replay is not None and leaves:
                replay.resume(self.debugger)
            self.pause()
            self.wrong = str(answer)
            self.say(self.wrong, error=True)
            return False
        self.show(answer, asked=line)
        if leaves and "\n" not in answer.message:
            said = f"taken over at {self.player.place}: {self.key('play.toggle')} resumes it there"
            self.say(f"{said} · {answer.message}" if answer.message else said)
        return True

    @property
    def runs_long(self) -> bool:
        """Whether a command is being carried out beside the screen."""
        raise NotImplementedError

    @property
    def share(self) -> float:
        """How much of it is done, 0 … 1."""
        raise NotImplementedError

    def action_interrupt(self) -> None:
        """End it; the debugger then stands where it did."""
        raise NotImplementedError

    def run_beside(self, said: str, work: Callable[[], View], then: Callable[[View | BpttError], bool]) -> bool:
        """Carry out `work` beside the screen."""
        raise NotImplementedError

    def go_to_position(self, position: int) -> None:
        """Stand at a position; in a replay, where it first comes there."""
        raise NotImplementedError

    def action_command(self, line: str) -> None:
        """A command from a key or a click."""
        self.pause()
        self.perform(line)


# Commands that can search a whole trace, or compute it anew.
_RUNS = ("continue", "reverse-continue", "until", "reverse-until", "set", "unset", "equation", "undo", "redo", "reset")
_SUMS = ("table", "knobs", "buildup", "chains")  # commands that make something of all timesteps
LONG = 100_000  # positions from which on they run beside the screen
MANY = 1000  # recorded commands that are gone through there


def _walks(command: Command, rest: str) -> bool:
    """Whether a command belongs to the walk; notes and the like are kept without leaving a replay."""
    pins = command.name in ("notes", "chapters", "note", "attempts") or (
        command.name == "chapter" and rest not in ("next", "previous") and not rest.isdecimal()
    )
    return not pins
