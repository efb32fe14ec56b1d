"""The terminal debugger: `run(session)` opens it and returns when the learner quits.

The app owns the debugger, the themes and the file; what happens on a key is in `debugger_screen`.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, ClassVar

from bptt_tui.tui.collector import Rest, at_rest

with at_rest():
    from textual.app import App
    from textual.binding import BindingType

    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.errors import BpttError
    from bptt_tui.tui.debugger_screen import DebuggerScreen
    from bptt_tui.tui.player import Player
    from bptt_tui.tui.theme import DARK, OWN_THEMES, known_theme, sign_colours

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.command import Provider
    from textual.screen import Screen
    from textual.theme import Theme

    from bptt_tui.session import Session
    from bptt_tui.tui.history import History
    from bptt_tui.tui.tracing import Opening, TracingScreen

_OWN_THEMES = {theme.name: theme for theme in OWN_THEMES}
_PATIENCE = 0.3  # seconds before a trace counts as long and its progress is shown


def _debugger_commands() -> type[Provider]:
    """The palette's own commands, loaded when it is first opened."""
    from bptt_tui.tui.palette import DebuggerCommands

    return DebuggerCommands


class DebuggerApp(App[None]):
    """One debugger on one session."""

    TITLE = "bptt-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = []
    COMMANDS = App.COMMANDS | {_debugger_commands}
    NOTIFICATION_TIMEOUT = 4

    def __init__(
        self,
        debugger: Debugger | Opening[Debugger],
        *,
        player: Player | None = None,
        theme: str | None = None,
        waiting_for: str = "",
    ) -> None:
        """On a debugger, or on one that is still being made: its progress shows, headed `waiting_for`, until it is."""
        # Known before the app is made, the theme costs no second reading of the style sheets.
        chosen = known_theme(theme) if theme else DARK.name
        self.set_reactive(App.theme, chosen)
        super().__init__()
        self.set_class(True, f"-theme-{chosen}", update=False)
        self._rest: Rest | None = None
        self._opening: Opening[Debugger] | None = None
        if isinstance(debugger, Debugger):
            self.debugger = debugger
        else:
            self._opening = debugger
        self._waiting_for = waiting_for
        self.failure: BaseException | None = None
        self.on_theme_chosen: Callable[[str], None] | None = None
        self.history: History | None = None
        self.player = player or Player()
        for own in OWN_THEMES:
            self.register_theme(own)

    def get_theme(self, theme_name: str) -> Theme | None:
        """One of our own, which are asked for hundreds of times for one frame, or another."""
        return _OWN_THEMES.get(theme_name) or super().get_theme(theme_name)

    def on_load(self) -> None:
        self._rest = Rest()

    def on_ready(self) -> None:
        """The first frame is drawn."""
        self._end_rest()

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.end()
            self._rest = None

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        if self.on_theme_chosen is not None:
            self.on_theme_chosen(theme.name)

    def on_unmount(self) -> None:
        self._end_rest()
        gc.unfreeze()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return sign_colours(self.current_theme)

    def get_default_screen(self) -> Screen[None]:
        if self._opening is None:
            return DebuggerScreen(self.debugger, self.player, self.size)
        from bptt_tui.tui.tracing import TracingScreen

        return TracingScreen(self._opening, self._waiting_for)

    def on_tracing_screen_over(self, event: TracingScreen.Over) -> None:
        """Go on with the debugger, or leave: an error is told by whoever runs the app."""
        assert self._opening is not None
        if event.given_up:
            self.exit()
            return
        try:
            self.debugger = self._opening.result()
        except BaseException as error:
            self.failure = error
            self.exit()
        else:
            self.push_screen(DebuggerScreen(self.debugger, self.player, self.size))

    def action_save(self, path: str = "") -> None:
        """Save to `path` or to the session's own file; ask where there is none or the save fails."""
        session = self.debugger.session
        if path:
            self._save_to(path)
        elif session.origin is None:
            self._ask_path("This session has no file of its own yet. Save it to:", "walk.json")
        else:
            self._save_to(None)

    def _ask_path(self, reason: str, suggestion: str) -> None:
        from bptt_tui.tui.dialogs import AskPath

        self.push_screen(AskPath(reason, suggestion), self._save_to_path)

    def _save_to_path(self, path: str | None) -> None:
        if path is None:
            self._say("not saved")
        else:
            self._save_to(path)

    def _save_to(self, path: str | None) -> None:
        try:
            saved = self.debugger.save(path)
        except BpttError as error:
            self._ask_path(f"{error}. Nothing is lost here; save it to:", path or "walk.json")
            return
        self._say(f"saved to {saved.name}")

    def _say(self, text: str) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DebuggerScreen):
                screen.say(text)


def make_app(
    session: Session, at: int | None = None, *, replay: bool = False, speed: float = 1.0, theme: str | None = None
) -> DebuggerApp:
    """The app on a session, at position `at`, or about to replay the session's recording from its beginning."""
    return DebuggerApp(_debugger(session, at), player=_player(session, replay, speed), theme=theme)


def _player(session: Session, replay: bool, speed: float) -> Player:
    return Player(recording=session.recording if replay else None, speed=speed)


def _debugger(session: Session, at: int | None, progress: Callable[[int, int], None] | None = None) -> Debugger:
    """The debugger on a session where it is to begin."""
    session.trace(progress)
    if at is not None:
        Debugger(session).do(f"goto {at}")  # says which positions there are; being put there is no recorded command
        session = session.with_state(position=at, factor=0)
    return Debugger(session)


def run(session: Session, at: int | None = None, replay: bool = False, speed: float = 1.0) -> None:
    """Open the debugger on `session` and return when the learner quits, or has cancelled a long trace.

    Raises BpttError before it opens, or, where the trace takes long, instead of showing it. With the user's own keys
    and theme; a theme chosen in the app is remembered for the next time.
    """
    from bptt_tui.tui.history import History
    from bptt_tui.tui.settings import load_settings, remember_theme
    from bptt_tui.tui.tracing import Opening

    opening = Opening(lambda progress: _debugger(session, at, progress))
    settings = load_settings()
    opening.wait(_PATIENCE)
    app = DebuggerApp(
        opening.result() if opening.over else opening,
        player=_player(session, replay, speed),
        theme=settings.theme or None,
        waiting_for=session.title or session.name,
    )
    app.set_keymap(settings.keymap)
    app.on_theme_chosen = remember_theme
    app.history = History(remembered=True)
    app.run()
    if app.failure is not None:
        raise app.failure
