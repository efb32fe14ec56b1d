"""The terminal debugger: `run(session)` opens it and returns when the learner quits.

The app owns the debugger, the themes and the file; what happens on a key is in `debugger_screen`.
"""

from __future__ import annotations

import gc
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bptt_tui.tui.collector import Rest, at_rest

with at_rest():
    # Ahead of textual: the threads that numpy starts keep a core busy for some 30 ms, which is over when all is loaded.
    import numpy as np  # noqa: F401
    from textual.app import App
    from textual.binding import BindingType

    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.tui.colours import USUAL
    from bptt_tui.tui.debugger_screen import DebuggerScreen
    from bptt_tui.tui.player import Player
    from bptt_tui.tui.theme import DARK, OWN_THEMES, known_theme, sign_colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import SystemCommand
    from textual.command import Provider
    from textual.screen import Screen
    from textual.theme import Theme

    from bptt_tui.session import Session
    from bptt_tui.trace.progress import Progress
    from bptt_tui.tui.files import Files
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
    DEFAULT_MODE = "session 0"
    ENABLE_COMMAND_PALETTE = True
    colours = USUAL
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
        self.kept: Session | None = None  # as opened or saved last
        if isinstance(debugger, Debugger):
            self.kept = debugger.session
        self._sessions = count(1)
        self.failure: BaseException | None = None
        self.on_theme_chosen: Callable[[str], None] | None = None
        self.on_colours_chosen: Callable[[str], None] | None = None
        self.history: History | None = None
        # Whether unsaved work is kept, and which of an earlier run is offered at the start: of this session, or all.
        self.keeps_drafts: Literal["", "own", "all"] = ""
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
        # A mode by name, so that `_show_anew` can remove it. Named before its screen is there, it would cost another
        # reading of all style sheets.
        self.add_mode(self.DEFAULT_MODE, self.get_default_screen)
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        if self._opening is None:
            self._opened()

    def _opened(self) -> None:
        """The first debugger is there."""
        if self.keeps_drafts:
            self.call_after_refresh(lambda: self.files.begin(self.keeps_drafts))

    def _theme_changed(self, theme: Theme) -> None:
        if self.on_theme_chosen is not None:
            self.on_theme_chosen(theme.name)

    def on_unmount(self) -> None:
        self._end_rest()
        gc.unfreeze()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return sign_colours(self.current_theme, self.colours)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What Textual puts into every palette, less what is the debugger's own there.

        Its list of keys would lie over the panes, and no key would take it away; help and quit are keys of ours.
        """
        own = [self.action_show_help_panel, *([self.action_quit] if isinstance(screen, DebuggerScreen) else [])]
        return [command for command in super().get_system_commands(screen) if command.callback not in own]

    def action_colours(self, name: str) -> None:
        """Another scale of sign colours, in every widget."""
        from bptt_tui.tui.colours import SCALES

        if name not in SCALES:
            return
        self.colours = name
        self.refresh_css(animate=False)
        for screen in self.screen_stack:
            for widget in screen.query("*"):  # no style rule names these colours, so no widget hears of the change
                widget.notify_style_update()
                widget.refresh()
        if self.on_colours_chosen is not None:
            self.on_colours_chosen(name)
        self.say(SCALES[name].about)

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
            self.replace(self.debugger, self.player, self.debugger.session)
            self._opened()

    # Leaving, saving, opening

    async def action_quit(self) -> None:
        """Leave; ask first where something would be lost."""
        self.files.leave(self.files.quit)

    def action_help_quit(self) -> None:
        """ctrl+c where nothing runs that it would stop: Textual's own hint names a key that is not in the help."""
        from bptt_tui.tui.keynames import key_of

        self.say(f"nothing is running; {key_of('quit', self)} leaves the debugger")

    def action_save(self, path: str = "") -> None:
        """Save to `path` or to the session's own file; ask where there is none or the save fails."""
        self.files.save(path=path)

    def action_open(self) -> None:
        """Ask for another session and go on with that."""
        self.files.open()

    def action_new(self) -> None:
        """Make a session and go on with that."""
        self.files.new()

    @cached_property
    def files(self) -> Files:
        """What concerns files, loaded when it is first needed."""
        from bptt_tui.tui.files import Files

        return Files(self)

    def replace(self, debugger: Debugger, player: Player, kept: Session | None = None) -> None:
        """Another debugger in the place of this one; `kept` is what is in a file of its session."""
        gc.unfreeze()  # or what the last session leaves behind in circles would stay for ever
        self.debugger, self.player, self.kept = debugger, player, kept
        self._show_anew(lambda: DebuggerScreen(debugger, player, self.size))

    def _show_anew(self, screen: Callable[[], Screen[None]]) -> None:
        """A screen alone, in the place of all that there are: Textual calls a stack of them a mode."""
        before, after = self.current_mode, f"session {next(self._sessions)}"
        self.add_mode(after, screen)
        self.switch_mode(after)
        self.remove_mode(before)

    def say(self, text: str) -> None:
        """Put a text on the debugger's message line."""
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


def _debugger(session: Session, at: int | None, progress: Progress | None = None) -> Debugger:
    """The debugger on a session where it is to begin."""
    session.trace(progress)
    if at is not None:
        Debugger(session).do(f"goto {at}")  # says which positions there are; being put there is no recorded command
        session = session.with_state(position=at, factor=0)
    return Debugger(session)


def run(
    session: Session, at: int | None = None, replay: bool = False, speed: float = 1.0, *, any_draft: bool = False
) -> None:
    """Open the debugger on `session` and return when the learner quits, or has cancelled a long trace.

    Raises BpttError before it opens, or, where the trace takes long, instead of showing it. With the user's own keys
    and theme; a theme chosen in the app is remembered for the next time. Unsaved work is kept while the app runs; what
    an earlier run left of this session, or with `any_draft` of any, is offered.
    """
    from bptt_tui.tui.history import History
    from bptt_tui.tui.settings import load_settings, remember_colours, remember_theme
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
    app.on_colours_chosen = remember_colours
    app.colours = settings.colours or USUAL
    app.history = History(remembered=True)
    app.keeps_drafts = "all" if any_draft else "own"
    try:
        app.run()
    finally:
        if "files" in app.__dict__:
            app.files.close()
    if app.failure is not None:
        raise app.failure
