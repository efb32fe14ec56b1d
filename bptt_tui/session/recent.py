"""The session files opened or saved lately, latest first, remembered in the user's state directory.

The list is a convenience: one that cannot be read or written is an empty one, never an error.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
from msgspec import Struct
from platformdirs import user_state_path

from bptt_tui.errors import SessionError
from bptt_tui.session import storage

COUNT = 12


class Recent(Struct, frozen=True):
    """A file's real path, and the title its session had."""

    path: str
    title: str = ""


class _Remembered(Struct, frozen=True):
    recent: tuple[Recent, ...] = ()


def recent_path() -> Path:
    """Where the list is kept; XDG_STATE_HOME is respected."""
    return user_state_path("bptt-tui") / "recent.json"


def recent() -> tuple[Recent, ...]:
    """The files, latest first."""
    try:
        return msgspec.json.decode(storage.read(str(recent_path()))[0], type=_Remembered).recent[:COUNT]
    except (SessionError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def remember(path: str, title: str) -> None:
    """Put a file in front of the list. Where nothing can be written, nothing is remembered."""
    others = [entry for entry in recent() if entry.path != path]
    try:
        data = msgspec.json.encode(_Remembered((Recent(path, title[:200]), *others)[:COUNT]))
    except (UnicodeEncodeError, msgspec.MsgspecError):  # half a character, which UTF-8 cannot hold
        return
    with contextlib.suppress(OSError, SessionError):
        recent_path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        storage.write(str(recent_path()), data, None, overwrite=True)
