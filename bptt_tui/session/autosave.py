"""A draft kept up to date in a thread of its own: a little after the last change, whatever else is going on.

    autosave = Autosave(session)
    autosave.changed(debugger.moment())   # costs a few microseconds
    autosave.saved(session)               # nothing is unsaved now: the draft goes
    autosave.close(keep=False)

The session is put together and written in the thread. It waits until `QUIET` seconds have passed without a change,
but no longer than `LONGEST`, and a session that takes long to write is written less often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Thread

from bptt_tui.errors import BpttError
from bptt_tui.session.drafts import Draft
from bptt_tui.session.session import Session
from bptt_tui.session.unsaved import unsaved

QUIET, LONGEST = 0.5, 5.0
_SHARE = 20  # writing takes at most this part of the time


class Autosave:
    """Keeps one app's draft. `kept` is the session as it was opened or saved last, None for one never saved."""

    def __init__(self, session: Session, kept: Session | None, draft: Draft | None = None) -> None:
        self.trouble = ""  # why nothing can be kept, on one line
        self.on_trouble: Callable[[str], object] | None = None
        self._draft = draft or Draft.of(session)
        self._kept = kept
        self._latest: Callable[[], Session] | None = None
        self._first = self._last = 0.0
        self._cost = 0.0
        self._writing = False
        self._closed = False
        self._news = Condition()
        self._thread: Thread | None = None

    def changed(self, moment: Callable[[], Session]) -> None:
        """Something has changed; `moment` makes the session as it is now."""
        now = time.monotonic()
        with self._news:
            if self._closed:
                return
            if self._latest is None:
                self._first = now
            self._latest, self._last = moment, now
            if self._thread is None:
                self._thread = Thread(target=self._work, name="autosave", daemon=True)
                self._thread.start()
            elif self._first == now:
                self._news.notify_all()

    def saved(self, kept: Session) -> None:
        """Everything is in a file now."""
        self._settle()
        self._kept = kept
        self._draft.remove()
        self._draft = Draft.of(kept)

    def close(self, *, keep: bool) -> None:
        """The end: `keep` leaves the draft to the next start, with the latest change in it."""
        if keep:
            self.flush()
        self._settle()
        with self._news:
            self._closed = True
            self._news.notify_all()
        if keep:
            self._draft.release()
        else:
            self._draft.remove()

    def flush(self, timeout: float = 10.0) -> bool:
        """Write what is waiting, now; whether it was written in time."""
        with self._news:
            self._last = self._first = -LONGEST
            self._cost = 0.0
            self._news.notify_all()
            return self._news.wait_for(lambda: self._latest is None and not self._writing, timeout)

    def _settle(self) -> None:
        """Nothing is waiting, and nothing is being written."""
        with self._news:
            self._latest = None
            self._news.wait_for(lambda: not self._writing, 10.0)

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._latest is not None or self._closed)
                while self._latest is not None and not self._closed:
                    due = max(min(self._last + QUIET, self._first + LONGEST), self._first + _SHARE * self._cost)
                    left = due - time.monotonic()
                    if left <= 0:
                        break
                    self._news.wait(left)
                if self._closed:
                    return
                latest, self._latest = self._latest, None
                self._writing = latest is not None
            if latest is not None:
                self._write(latest)
                with self._news:
                    self._writing = False
                    self._news.notify_all()

    def _write(self, moment: Callable[[], Session]) -> None:
        began = time.monotonic()
        try:
            now = moment()
            lost = unsaved(self._kept, now)
            if lost:
                self._draft.write(now, lost.words)
            else:
                self._draft.remove()
        except (BpttError, OSError, MemoryError) as error:
            self._tell(str(error) or "there is not enough memory")
        self._cost = time.monotonic() - began

    def _tell(self, trouble: str) -> None:
        if not self.trouble and self.on_trouble is not None:
            self.on_trouble(trouble)
        self.trouble = trouble
