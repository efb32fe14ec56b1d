"""gdb for the chain rule: backpropagation through time, one node at a time.

    import bptt_tui
    session = bptt_tui.load("question")
    session.trace().gradient["u"]
    bptt_tui.debug(session)                  # opens the terminal debugger

The import is light: every name below loads what it needs on first use, and nothing before.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bptt_tui import errors
    from bptt_tui.debugger import Debugger
    from bptt_tui.session import Session, load
    from bptt_tui.trace import Network, Trace

__version__ = "0.1.0"

__all__ = ["Debugger", "Network", "Session", "Trace", "__version__", "debug", "errors", "load"]

_HOMES = {
    "Debugger": "bptt_tui.debugger",
    "Network": "bptt_tui.trace",
    "Session": "bptt_tui.session",
    "Trace": "bptt_tui.trace",
    "load": "bptt_tui.session",
}


def debug(session: Session | str | os.PathLike[str], *, at: int | None = None) -> None:
    """Open the terminal debugger on a session, a bundled session's name or a path, at position `at` if given.

    Returns when the user quits. Raises BpttError where the session cannot be read or traced.
    """
    from bptt_tui.session import Session, load
    from bptt_tui.tui.app import run

    run(session if isinstance(session, Session) else load(session), at=at)


def __getattr__(name: str) -> object:
    if name == "errors":
        return importlib.import_module("bptt_tui.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
