"""Everything a command can change, as one immutable value.

A command replaces the debugger's state or leaves it; when it cannot be carried out the state before it is still
there. The numbers are part of it (through the session), so that undoing is going back to an earlier state.
"""

from __future__ import annotations

from msgspec import Struct, field

from bptt_tui.debugger.edits import Edits
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.predict import Predicting
from bptt_tui.debugger.stopping import Stopping
from bptt_tui.debugger.walking import Trail
from bptt_tui.session import Attempt, Chapter, Note, Prediction, Recorded, Session


class State(Struct, frozen=True):
    """The network with its numbers, and where the debugger stands in its trace."""

    session: Session
    cursor: Cursor
    edits: Edits
    notes: tuple[Note, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    predict: Predicting | None = None
    stopping: Stopping = field(default_factory=Stopping)
    trail: Trail = field(default_factory=Trail)
    sought: str = ""


class Bookmark(Struct, frozen=True):
    """A debugger's state and recording, to come back to: see `Debugger.bookmark`."""

    state: State
    recording: tuple[Recorded, ...]
    leads_here: bool
    recording_on: bool
    message: str
