"""The debugger's language: every command in one table, and how a line is read.

A line is a command's name (or alias) and the rest of the line. Keys, the `:` line, scripts and recordings all
give such lines, so that there is one path for everything. A command moves the cursor, or says something, or both;
it never draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bptt_tui.debugger.places import EXAMPLES
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


class _MisuseError(CommandError):
    """The rest of a line is not what its command takes."""


@dataclass(frozen=True, slots=True)
class Command:
    """One row: `act(debugger, rest of the line)` returns the message to show."""

    name: str
    usage: str
    summary: str
    act: Callable[[Debugger, str], str]
    aliases: tuple[str, ...] = ()
    detail: str = ""

    def run(self, debugger: Debugger, rest: str) -> str:
        """Act; what does not fit the command is told its usage."""
        try:
            return self.act(debugger, rest)
        except _MisuseError as error:
            error.hint = f"usage: {self.usage}"
            raise


def read(line: str) -> tuple[Command, str]:
    """The command a line names, and the rest of the line."""
    word, rest = _split(line)
    if not word:
        raise CommandError("an empty line is no command", hint="help lists the commands")
    found = _BY_WORD.get(word)
    if found is None:
        guess = did_you_mean(word, list(_BY_WORD)) or "help lists the commands"
        raise CommandError(f"there is no command {word!r}", hint=guess)
    return found, rest.strip()


def _split(text: str) -> tuple[str, str]:
    """The first word and the rest."""
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    return word, rest.strip()


def _count(rest: str) -> int:
    """A repeat count, 1 where none is given."""
    if not rest:
        return 1
    if not re.fullmatch(r"[0-9]{1,18}", rest) or int(rest) == 0:
        raise _MisuseError(f"{rest!r} is not a count")
    return int(rest)


def _nothing(rest: str) -> None:
    if rest:
        raise _MisuseError(f"{rest!r} is too much")


def _is_back(rest: str) -> tuple[bool, str]:
    """Whether the first word is `back`, and what follows it."""
    word, more = _split(rest)
    return (True, more) if word == "back" else (False, rest)


def _next(debugger: Debugger, rest: str) -> str:
    return debugger.move_by(_count(rest))


def _rewind(debugger: Debugger, rest: str) -> str:
    return debugger.move_by(-_count(rest))


def _step(debugger: Debugger, rest: str) -> str:
    back, more = _is_back(rest)
    return debugger.move_by_factor(-_count(more) if back else _count(more))


def _finish(debugger: Debugger, rest: str) -> str:
    back, more = _is_back(rest)
    _nothing(more)
    return debugger.finish(back=back)


def _start(debugger: Debugger, rest: str) -> str:
    _nothing(rest)
    return debugger.move_to(0)


def _end(debugger: Debugger, rest: str) -> str:
    _nothing(rest)
    return debugger.move_to(debugger.last)


def _goto(debugger: Debugger, rest: str) -> str:
    if not rest:
        raise CommandError("goto where?", hint=EXAMPLES)
    return debugger.goto(rest)


def _where(debugger: Debugger, rest: str) -> str:
    _nothing(rest)
    return debugger.where()


def _print(debugger: Debugger, rest: str) -> str:
    return debugger.print(rest)


def _help(_debugger: Debugger, rest: str) -> str:
    if rest:
        found, _ = read(rest)
        also = f" (also {', '.join(found.aliases)})" if found.aliases else ""
        return f"{found.usage}{also}: {found.summary}" + (f"\n{found.detail}" if found.detail else "")
    width = max(len(command.usage) for command in COMMANDS.values())
    return "\n".join(f"{command.usage.ljust(width)}  {command.summary}" for command in COMMANDS.values())


COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("next", "next [COUNT]", "compute the next node", _next, ("n",)),
        Command("rewind", "rewind [COUNT]", "undo the last node, exactly", _rewind, ("p", "rn")),
        Command("step", "step [back] [COUNT]", "take the next factor: one local partial", _step, ("s",),
                "A node with several consumers takes one factor for each; every other step is one factor."),
        Command("finish", "finish [back]", "to the end of this timestep (back: to its start)", _finish, ("f",)),
        Command("start", "start", "to the beginning, nothing computed", _start),
        Command("end", "end", "to the end, every contribution known", _end),
        Command("goto", "goto POSITION|NODE", "to a position, or where a node is computed", _goto, ("g", "jump", "j"),
                "goto 17 · goto s[1], s₁ or s[t-1] (in the present phase) · goto dE/ds[0] (backward) · goto u[0]"),
        Command("where", "where", "position, timestep and the chain from E", _where, ("bt",)),
        Command("print", "print EXPR", "the value of an expression, in full", _print, (),
                "print s[0] · print dE/dw · print norm(dE/ds[0]) · print 1 - s[0]**2 · print ds[1]/dz[1] · print prod"),
        Command("help", "help [COMMAND]", "the commands, or one of them", _help, ("h",)),
    )
}  # fmt: skip

_BY_WORD: dict[str, Command] = {
    word: command for command in COMMANDS.values() for word in (command.name, *command.aliases)
}
