"""The one path from a key, a click or a typed line to a new picture, for every part of the debugger's screen.

line → perform → Debugger.do → View → show
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt_tui.debugger.command import Command
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.player import Player

if TYPE_CHECKING:
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

    def perform(self, line: str) -> bool:
        """Give the debugger one line and draw what it answers; False where it could not be carried out.

        A command given during a replay takes it over: it is left here and can be resumed.
        """
        replay = self.player.replay
        self.wrong = ""
        if self.runs_long:
            self.say("a run goes on: esc stops it")
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
        if (command.name in _RUNS and self.debugger.last >= LONG) or (
            command.name in _SUMS and self.debugger.sums.large
        ):
            return self.run_long(line, leaves)
        try:
            return self.settle(line, leaves, self.debugger.do(line))
        except BpttError as error:
            return self.settle(line, leaves, error)

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
            said = f"taken over at {self.player.place}: space resumes it there"
            self.say(f"{said} · {answer.message}" if answer.message else said)
        return True

    @property
    def runs_long(self) -> bool:
        """Whether a command is being carried out beside the screen."""
        raise NotImplementedError

    def run_long(self, line: str, leaves: bool) -> bool:
        """Carry out a line beside the screen."""
        raise NotImplementedError

    def go_to_position(self, position: int) -> None:
        """Stand at a position; in a replay, where it first comes there."""
        raise NotImplementedError

    def action_command(self, line: str) -> None:
        """A command from a key or a click."""
        self.pause()
        self.perform(line)


_RUNS = ("continue", "reverse-continue", "until", "reverse-until")  # commands that can search a whole trace
_SUMS = ("table", "knobs", "buildup", "chains")  # commands that make something of all timesteps
LONG = 100_000  # positions from which on they run beside the screen


def _walks(command: Command, rest: str) -> bool:
    """Whether a command belongs to the walk; notes and the like are kept without leaving a replay."""
    pins = command.name in ("notes", "chapters", "note", "attempts") or (
        command.name == "chapter" and rest not in ("next", "previous") and not rest.isdecimal()
    )
    return not pins
