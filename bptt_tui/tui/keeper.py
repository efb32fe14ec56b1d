"""Work in progress is kept while the app runs.

The app tells when a session is begun, saved and left, and its debugger when something has changed; writing is
`session.autosave`'s business, in a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.session import Session
from bptt_tui.session.autosave import Autosave
from bptt_tui.session.drafts import Draft


class Keeper:
    """The draft of the session that is open."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._autosave: Autosave | None = None

    def begin(self, debugger: Debugger, kept: Session | None, draft: Draft | None = None) -> None:
        """Keep another session's changes from now on; those of the one before are over."""
        self.close(keep=False)
        autosave = Autosave(debugger.session, kept, draft)
        autosave.on_trouble = self._say
        self._autosave = autosave
        debugger.on_done = lambda: autosave.changed(debugger.moment())
        # Keys may have come between the first frame and here.
        early = kept is not None and draft is None and len(debugger.recording) > len(kept.recording)
        if kept is None or early:
            debugger.on_done()

    def saved(self, kept: Session) -> None:
        """All of it is in a file now."""
        if self._autosave is not None:
            self._autosave.saved(kept)

    def close(self, *, keep: bool) -> None:
        """The session is left; `keep` where that was nobody's wish."""
        if self._autosave is not None:
            self._autosave.close(keep=keep)
            self._autosave = None
