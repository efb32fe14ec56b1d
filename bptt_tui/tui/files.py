"""Sessions and files of a running app: leaving, saving, opening another one, and the draft of what is unsaved.

The app has one of these and asks it; the dialogs are loaded when they are needed.
"""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Literal

from bptt_tui.errors import BpttError
from bptt_tui.session.unsaved import Unsaved, unsaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from bptt_tui.session import Session
    from bptt_tui.trace.progress import Progress
    from bptt_tui.tui.app import DebuggerApp
    from bptt_tui.tui.keeper import Keeper
    from bptt_tui.tui.opening_line import Started
    from bptt_tui.tui.recovery import Recovered

_SUGGESTED = "walk.json"


class Files:
    """What an app does with files."""

    def __init__(self, app: DebuggerApp) -> None:
        self._app = app
        self._keeper: Keeper | None = None
        self._left = False

    @property
    def unsaved(self) -> Unsaved:
        """What differs from what was opened or saved last."""
        if not hasattr(self._app, "debugger"):
            return Unsaved(0, (), False)
        return unsaved(self._app.kept, self._app.debugger.session)

    # Leaving and saving

    def leave(self, then: Callable[[], object]) -> None:
        """Go on with `then` once what is unsaved is saved, or may be lost."""
        lost = self.unsaved
        if not lost.asks:
            then()
            return
        from bptt_tui.tui.leaving import LeaveDialog

        def chosen(choice: str | None) -> None:
            if choice == "save":
                self.save(then)
            elif choice == "leave":
                then()

        self._app.push_screen(LeaveDialog(lost.words), chosen)

    def quit(self) -> None:
        """End the app, as its user wishes."""
        self._left = True
        self._app.exit()

    def save(self, then: Callable[[], object] | None = None, path: str = "") -> None:
        """Save to `path` or the session's own file, or ask for a path; go on with `then` once it is saved."""
        if path:
            self._save_to(path, then)
        elif self._app.debugger.session.origin is None:
            self._ask_path("This session has no file of its own yet. Save it to:", _SUGGESTED, then)
        else:
            self._save_to(None, then)

    def _ask_path(self, reason: str, suggestion: str, then: Callable[[], object] | None) -> None:
        from bptt_tui.tui.dialogs import AskPath

        def given(path: str | None) -> None:
            if path is None:
                self._app.say("not saved")
            else:
                self._save_to(path, then)

        self._app.push_screen(AskPath(reason, suggestion), given)

    def _save_to(self, path: str | None, then: Callable[[], object] | None) -> None:
        try:
            saved = self._app.debugger.save(path)
        except BpttError as error:
            self._ask_path(f"{error}. Nothing is lost here; save it to:", path or _SUGGESTED, then)
            return
        self._app.kept = saved
        if self._keeper is not None:
            self._keeper.saved(saved)
        self._remember(saved)
        self._app.say(f"saved to {saved.name}")
        if then is not None:
            then()

    # Opening another one

    def open(self) -> None:
        """Ask for another session, and go on with that."""
        from bptt_tui.tui.open_dialog import OpenDialog

        self.leave(lambda: self._app.push_screen(OpenDialog(_opened), self._go_on))

    def _go_on(self, started: Started | None) -> None:
        if started is not None:
            self._replace(started, started.debugger.session)
            self._offer("own")

    def new(self) -> None:
        """Make a session, and go on with that; it has no file yet."""
        from bptt_tui.tui.new_session import NewSession

        app = self._app
        self.leave(lambda: app.push_screen(NewSession(app.debugger.session, app.size), self._go_on_with_new))

    def _go_on_with_new(self, started: Started | None) -> None:
        if started is not None:
            self._replace(started, None)
            self._app.call_after_refresh(
                partial(self._app.say, f"a new session, not saved yet; {self._save_key} saves it")
            )

    @property
    def _save_key(self) -> str:
        from bptt_tui.tui.keynames import key_of

        return key_of("session.save", self._app)

    def _replace(self, started: Started, kept: Session | None) -> None:
        self._app.replace(started.debugger, started.player, kept)
        if self._keeper is not None:
            self._keeper.begin(started.debugger, kept)
        self._remember(started.debugger.session)

    def _remember(self, session: Session) -> None:
        """Among the files opened lately; a disk that is slow holds nobody up."""
        if self._keeper is not None and session.origin is not None:
            from bptt_tui.session.recent import remember

            Thread(target=remember, args=(session.origin.path, session.title), name="recent", daemon=True).start()

    # Drafts of what is unsaved

    def begin(self, offer: Literal["", "own", "all"]) -> None:
        """Keep drafts from now on, and offer those that were left behind: of this session, or all."""
        from bptt_tui.tui.keeper import Keeper

        self._keeper = Keeper(lambda trouble: self._app.call_later(self._cannot_keep, trouble))
        self._keeper.begin(self._app.debugger, self._app.kept)
        self._remember(self._app.debugger.session)
        if not self._app.player.playing:
            self._offer(offer)

    def close(self) -> None:
        """The app has ended. What is unsaved is kept, unless it was left on purpose."""
        if self._keeper is not None:
            self._keeper.close(keep=not self._left)

    def _cannot_keep(self, trouble: str) -> None:
        self._app.say(f"unsaved work cannot be kept in case of a crash: {trouble}")

    def _offer(self, which: Literal["", "own", "all"]) -> None:
        if self._keeper is None or not which:
            return
        from bptt_tui.session.drafts import left_over

        found = left_over(self._app.debugger.session if which == "own" else None)
        if found.unreadable:
            self._app.say(f"not recovered: {found.unreadable[0]}")
        if found.drafts:
            from bptt_tui.tui.recovery import RecoverDialog

            self._app.push_screen(RecoverDialog(found.drafts), self._recovered)

    def _recovered(self, recovered: Recovered | None) -> None:
        if recovered is None or self._keeper is None:
            return
        debugger = recovered.started.debugger
        self._app.replace(debugger, recovered.started.player, recovered.kept)
        self._keeper.begin(debugger, recovered.kept, recovered.draft)
        self._app.call_after_refresh(partial(self._app.say, f"recovered; {self._save_key} saves it"))


def _opened(name: str, plays: bool, progress: Progress) -> Started:
    from bptt_tui.session.session import load
    from bptt_tui.tui.app import _debugger, _player
    from bptt_tui.tui.opening_line import Started

    session = load(name, suggest=False)
    return Started(_debugger(session, None, progress), _player(session, plays, 1.0))
