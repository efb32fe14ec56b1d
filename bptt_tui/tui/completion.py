"""Completion on the command line: the debugger's commands and those about the file and the app."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bptt_tui.debugger.completing import Completion, Option, complete

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

APP_COMMANDS = (
    Option("save ", "save [FILE]: save the session, to its own file or another"),
    Option("quit", "leave the debugger"),
)
_FILES = ("save",)  # commands that take a file
_MOST = 60


def complete_line(debugger: Debugger, line: str) -> Completion:
    """The options at the end of a line."""
    text = line.lstrip()
    word, space, rest = text.partition(" ")
    if space and word in _FILES:
        return files(line, rest.lstrip())
    found = complete(debugger, line)
    if not space:
        own = tuple(option for option in APP_COMMANDS if option.text.startswith(text) and option.text != text)
        return Completion(found.start, tuple(sorted((*found.options, *own))) if text else (*found.options, *own))
    return found


def files(line: str, typed: str) -> Completion:
    """Directories and session files that a path begun like this can mean; `~` is the home directory."""
    directory, slash, name = typed.rpartition("/")
    try:
        entries = sorted(Path(directory + slash or ".").expanduser().iterdir())[:5000]
        found = [
            Option(directory + slash + entry.name + "/" * entry.is_dir(), "directory" if entry.is_dir() else "session")
            for entry in entries
            if entry.name.startswith(name) and (name or entry.name[0] != ".")
            if entry.is_dir() or entry.suffix == ".json"
        ]
    except (OSError, RuntimeError, ValueError):
        found = []
    return Completion(len(line) - len(typed), tuple(option for option in found if option.text != typed)[:_MOST])
