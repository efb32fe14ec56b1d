"""What a command is, and how the rest of its line is read. The commands themselves stand with what they do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from bptt_tui.errors import CommandError
from bptt_tui.language.sanitise import brief

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


class MisuseError(CommandError):
    """The rest of a line is not what its command takes; the usage is the hint."""


class Command(Struct, frozen=True):
    """One row: `act(debugger, rest of the line)` changes the debugger's state and returns the message to show.

    What is not `recorded` changes the session around the walk; where it moves, the recording goes there.
    """

    name: str
    usage: str
    summary: str
    act: Callable[[Debugger, str], str]
    aliases: tuple[str, ...] = ()
    detail: str = ""
    recorded: bool = True

    def run(self, debugger: Debugger, rest: str) -> str:
        """Act; what does not fit the command is told its usage."""
        try:
            return self.act(debugger, rest)
        except MisuseError as error:
            error.hint = f"usage: {self.usage}"
            raise


def checked_text(line: object) -> str:
    """What is given as a line or a formula, if it is text."""
    if not isinstance(line, str):
        raise CommandError(f"{brief(line)} is no text", hint="give one, in quotes")
    return line


def first_word(text: str) -> tuple[str, str]:
    """The first word and the rest."""
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    return word, rest.strip()


def count(rest: str) -> int:
    """A repeat count, 1 where none is given."""
    if not rest:
        return 1
    if not re.fullmatch(r"[0-9]{1,18}", rest) or int(rest) == 0:
        raise MisuseError(f"{rest!r} is not a count")
    return int(rest)


def nothing(rest: str) -> None:
    """A command that takes nothing more."""
    if rest:
        raise MisuseError(f"{rest!r} is too much")


def is_back(rest: str) -> tuple[bool, str]:
    """Whether the first word is `back`, and what follows it."""
    word, more = first_word(rest)
    return (True, more) if word == "back" else (False, rest)
