"""The debugger's language: every command in one table, and how a line is read.

A line is a command's name (or alias) and the rest of the line. Keys, the `:` line, scripts and recordings all
give such lines, so that there is one path for everything. A command moves the cursor, or says something, or both;
it never draws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bptt_tui.debugger import (
    asking,
    attempts,
    comparing,
    decay,
    edits,
    equations,
    moving,
    notes,
    predict,
    setting,
    stopping,
    summing,
    walking,
)
from bptt_tui.debugger.command import Command, checked_text, first_word
from bptt_tui.errors import CommandError
from bptt_tui.language.sanitise import brief
from bptt_tui.network.network import did_you_mean

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


_ASSIGNS = re.compile(r"\s*\w+\s*(\[[^\]]*\]|_?\{[^}]*\})?\s*=[^=].{0,60}")


def read(line: str) -> tuple[Command, str]:
    """The command a line names, and the rest of the line."""
    word, rest = first_word(checked_text(line))
    if not word:
        raise CommandError("an empty line is no command", hint="help lists the commands")
    found = _BY_WORD.get(word)
    if found is None:
        guess = did_you_mean(word, list(_BY_WORD)) or "help lists the commands"
        if _ASSIGNS.fullmatch(line):
            guess = f"set {line.strip()} changes a value"
        raise CommandError(f"there is no command {brief(word)}", hint=guess)
    return found, rest


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
        *moving.ROWS,
        *walking.ROWS,
        *stopping.ROWS,
        *decay.ROWS,
        *asking.ROWS,
        *summing.ROWS,
        *attempts.ROWS,
        *notes.ROWS,
        *predict.ROWS,
        *setting.ROWS,
        *equations.ROWS,
        *edits.ROWS,
        *comparing.ROWS,
        Command("help", "help [COMMAND]", "the commands, or one of them", _help, ("h",)),
    )
}

_BY_WORD: dict[str, Command] = {
    word: command for command in COMMANDS.values() for word in (command.name, *command.aliases)
}
