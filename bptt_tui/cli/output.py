"""What a command says, and where: results on stdout, everything else on stderr, nothing that a terminal would obey."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TextIO

import click

from bptt_tui.errors import CommandError


class OutputClosedError(Exception):
    """Whoever read our output has gone; there is nobody left to tell."""


def refused(text: str) -> int:
    """Say in one line why nothing can be done; the exit status for it."""
    tell(f"bptt-tui: {visible(text)}")
    return 2


def tell(text: str) -> None:
    """Write to standard error; where nobody can be told, the status still says it."""
    try:
        click.echo(text, err=True)
    except OSError:
        give_up(sys.stderr)


def show(text: str, end: str = "\n") -> None:
    """Part of the result."""
    if sys.stdout is None:
        raise CommandError("the output cannot be written: it is closed")
    try:
        click.echo(text + end, nl=False)
    except BrokenPipeError:
        raise OutputClosedError from None


def flush() -> None:
    """Write out what is still held back. Raises OutputClosedError where nobody reads it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosedError from None


def give_up(stream: TextIO) -> None:
    """The interpreter flushes its streams once more when it ends; that must not fail again."""
    with contextlib.suppress(OSError, AttributeError):  # there may be no file behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def visible(text: str) -> str:
    """Text from users and files without what a terminal would obey."""
    from bptt_tui.language import sanitise

    return sanitise.visible(text)


class ProgressLine:
    """`verify: 1200 of 4000`, `export: 37 %` on a terminal's last line, from the first second on; then wiped."""

    EVERY = 0.1

    def __init__(self, label: str, *, percent: bool = False) -> None:
        self._label = label
        self._percent = percent
        self._next = time.monotonic() + 1.0
        self._shown = False

    def __call__(self, done: int, of: int) -> None:
        if done == of:
            self.wipe()
        elif time.monotonic() >= self._next and sys.stderr is not None and sys.stderr.isatty():
            self._next = time.monotonic() + self.EVERY
            self._shown = True
            said = f"{done} %" if self._percent else f"{done} of {of}"
            click.echo(f"\r{self._label}: {said}", err=True, nl=False)

    def wipe(self) -> None:
        """Leave nothing behind."""
        if self._shown:
            self._shown = False
            click.echo("\r\x1b[K", err=True, nl=False)
