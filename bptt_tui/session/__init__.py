"""Session files: the format and its schema, safe reading and saving, the bundled sessions, totals to compare.

>>> from bptt_tui.session import load
>>> load("question").title
'The question: two steps, many to one'
"""

from bptt_tui.session.format import (
    FORMAT,
    VERSION,
    Attempt,
    Chapter,
    DebuggerState,
    Expected,
    Found,
    Loss,
    Note,
    Prediction,
    Recorded,
    schema,
)
from bptt_tui.session.session import Session, load
from bptt_tui.session.storage import Origin

__all__ = [
    "FORMAT",
    "VERSION",
    "Attempt",
    "Chapter",
    "DebuggerState",
    "Expected",
    "Found",
    "Loss",
    "Note",
    "Origin",
    "Prediction",
    "Recorded",
    "Session",
    "load",
    "schema",
]
