"""What a command is given on standard input or in a file: commands of a script, formulas."""

from __future__ import annotations

import sys

from bptt_tui.errors import SessionError
from bptt_tui.session import storage


def script_lines(path: str) -> list[tuple[tuple[str, ...], str]]:
    """The commands of a script, each with its file and line; `#` begins a comment."""
    data = _piped() if path == "-" else storage.read(path)[0]
    text = _decoded(data, path, "the script is not UTF-8 text")
    lines = ((number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [((path, f"line {number}"), line) for number, line in lines if line]


def text_of(argument: str, reason: str) -> str:
    """The argument itself, or what standard input holds where it is `-`."""
    return argument if argument != "-" else _decoded(_piped(), argument, reason)


def _piped() -> bytes:
    """What standard input holds, as far as a session file could be long."""
    if sys.stdin is None:
        raise SessionError("standard input is closed", places=("-",))
    try:
        data = sys.stdin.buffer.read(storage.SIZE_LIMIT + 1)
    except OSError as error:
        raise SessionError(f"cannot be read: {error.strerror}", places=("-",)) from None
    if len(data) > storage.SIZE_LIMIT:
        raise SessionError(f"more than {storage.SIZE_LIMIT // 2**20} MiB", places=("-",))
    return data


def _decoded(data: bytes, path: str, reason: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SessionError(reason, places=(path,)) from None
