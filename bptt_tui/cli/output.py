"""What a command says, and where: results on stdout, everything else on stderr, nothing that a terminal would obey."""

from __future__ import annotations

import contextlib
import os
import sys
import time

import click


class OutputClosedError(Exception):
    """Whoever read our output has gone; there is nobody left to tell."""


def refused(text: str) -> int:
    """Say in one line why nothing can be done; the exit status for it."""
    click.echo(f"bptt-tui: {visible(text)}", err=True)
    return 2


def show(text: str, end: str = "\n") -> None:
    """Part of the result."""
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


def give_up_stdout() -> None:
    """The interpreter flushes stdout once more when it ends; that must not fail again."""
    with contextlib.suppress(OSError, AttributeError):  # there may be no file behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def visible(text: str) -> str:
    """Text from users and files without what a terminal would obey."""
    from bptt_tui.language import sanitise

    return sanitise.visible(text)


class ProgressLine:
    """`verify: 1200 of 4000` on a terminal's last line, from the first second on; wiped when it is done."""

    EVERY = 0.1

    def __init__(self, label: str) -> None:
        self._label = label
        self._next = time.monotonic() + 1.0
        self._shown = False

    def __call__(self, done: int, of: int) -> None:
        if done == of:
            self.wipe()
        elif time.monotonic() >= self._next and sys.stderr is not None and sys.stderr.isatty():
            self._next = time.monotonic() + self.EVERY
            self._shown = True
            click.echo(f"\r{self._label}: {done} of {of}", err=True, nl=False)

    def wipe(self) -> None:
        """Leave nothing behind."""
        if self._shown:
            self._shown = False
            click.echo("\r\x1b[K", err=True, nl=False)
