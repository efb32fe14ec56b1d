"""The one path from a key, a click or a typed line to a new picture, for every part of the debugger's screen.

line → perform → Debugger.do → View → show
"""

from __future__ import annotations

from textual.screen import Screen

from bptt_tui.debugger.commands import COMMANDS, read
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.player import Player


class Commanding(Screen[None]):
    """A screen on a debugger and what plays there. Its parts say what they want by giving commands."""

    debugger: Debugger
    player: Player

    def show(self, view: View, *, asked: str = "") -> None:
        """Draw a View; `asked` is the line it answers."""
        raise NotImplementedError

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text on the message line."""
        raise NotImplementedError

    @property
    def said(self) -> str:
        """The text on the message line."""
        raise NotImplementedError

    def pause(self) -> None:
        """Stop what plays."""
        raise NotImplementedError

    def perform(self, line: str) -> bool:
        """Give the debugger one line and draw what it answers; False where it could not be carried out.

        A command given during a replay takes it over: it is left here and can be resumed.
        """
        replay = self.player.replay
        try:
            leaves = self.player.replaying and _walks(line)
            if replay is not None and leaves:
                replay.take_over(self.debugger)
                self.pause()
            try:
                view = self.debugger.do(line)
            except BpttError:
                if replay is not None and leaves:
                    replay.resume(self.debugger)
                raise
        except BpttError as error:
            self.pause()
            self.say(str(error), error=True)
            return False
        self.show(view, asked=line)
        if leaves and "\n" not in view.message:
            said = f"taken over at {self.player.place}: space resumes it there"
            self.say(f"{said} · {view.message}" if view.message else said)
        return True

    def go_to_position(self, position: int) -> None:
        """Stand at a position; in a replay, where it first comes there."""
        raise NotImplementedError

    def action_command(self, line: str) -> None:
        """A command from a key or a click."""
        self.pause()
        self.perform(line)


def _walks(line: str) -> bool:
    """Whether a command belongs to the walk; notes and chapters are pinned without leaving a replay."""
    command, rest = read(line)
    pins = command.name in ("notes", "chapters", "note") or (
        command is COMMANDS["chapter"] and rest not in ("next", "previous") and not rest.isdecimal()
    )
    return not pins
