"""Everything a command can change, as one immutable value.

A command replaces the debugger's state or leaves it; when it cannot be carried out the state before it is still
there. The numbers are part of it (through the session), so that undoing is going back to an earlier state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bptt_tui.debugger.moving import Cursor
from bptt_tui.session import Session


@dataclass(frozen=True, slots=True)
class State:
    """The network with its numbers, and where the debugger stands in its trace."""

    session: Session
    cursor: Cursor = field(default_factory=Cursor)
