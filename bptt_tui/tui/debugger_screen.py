"""The debugger's screen: panes and bars around one path from a key to a new picture.

    key → command line → Debugger.do → View → show(view) on every widget

Widgets do not know each other or the debugger; what they want, they post as a message, and it becomes a command here.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.bars import Header, Keys, MessageBar, PaneTabs
from bptt_tui.tui.bindings import bindings
from bptt_tui.tui.chain import ChainPane
from bptt_tui.tui.contributions import ContributionsPane
from bptt_tui.tui.copying import formula_text, value_text
from bptt_tui.tui.dialogs import Notice
from bptt_tui.tui.graph import GraphPane
from bptt_tui.tui.help import help_text
from bptt_tui.tui.ink import width_of
from bptt_tui.tui.layout import HIGH, PANES, Layout, layout_of, panes_shown
from bptt_tui.tui.node import NodePane
from bptt_tui.tui.pane import Bar, Pane, loss_name
from bptt_tui.tui.player import Player
from bptt_tui.tui.prompt import Prompt
from bptt_tui.tui.strip import StripPane


class DebuggerScreen(Screen[None]):
    """Draws the debugger's View and turns keys, clicks and typed lines into its commands."""

    AUTO_FOCUS = "#graph"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    DEFAULT_CSS = """
    DebuggerScreen {
        background: $background;
        overflow: hidden;
        #upper { height: 1fr; }
        #network {
            width: 11fr;
            border: round $foreground 22%;
            border-title-color: $primary;
            border-title-style: bold;
            border-subtitle-color: $foreground 50%;
            &:focus-within { border: round $accent 80%; border-title-color: $accent; }
        }
        #graph { height: 1fr; }
        #strip { height: auto; }
        #node { width: 9fr; height: 1fr; }
        #chain { height: 7; }
        #contributions { height: auto; max-height: 10; }
        #tabs { display: none; }
    }
    DebuggerScreen.-high #chain { height: 13; }
    DebuggerScreen.-medium {
        #contributions { min-height: 7; max-height: 9; }
    }
    DebuggerScreen.-small {
        #tabs { display: block; }
        Pane, #network, #strip { border: none; padding: 0; width: 1fr; height: 1fr; max-height: 100%; }
    }
    """

    def __init__(self, debugger: Debugger, player: Player) -> None:
        super().__init__()
        self.debugger = debugger
        self.player = player
        self._active = "graph"
        self._lower = "chain"
        self._left_off: int | None = None
        self._clock: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        yield PaneTabs(id="tabs")
        with Horizontal(id="upper"):
            network = Vertical(id="network")
            network.border_title = Content("1 unrolled network")
            network.border_subtitle = Content(f"▲ ∂{loss_name(self.debugger.view)}/∂node > 0   ▼ < 0")
            with network:
                yield GraphPane(id="graph")
                yield StripPane(id="strip")
            yield NodePane(id="node")
        yield ChainPane(id="chain")
        yield ContributionsPane(id="contributions")
        yield MessageBar(id="message")
        yield Prompt(COMMANDS, id="prompt")
        yield Keys(id="keys")

    def on_mount(self) -> None:
        self.show(self.debugger.view)
        if self.player.recording:
            self._resume()
        elif self.player.recording is not None:
            self.player.recording = None
            self.say("this session has no recording; space plays it step by step")

    # One path

    def perform(self, line: str) -> bool:
        """Give the debugger one line and draw what it answers; False where it could not be carried out."""
        try:
            view = self.debugger.do(line)
        except BpttError as error:
            self._pause()
            self.say(str(error), error=True)
            return False
        self.show(view, asked=line)
        return True

    def show(self, view: View, *, asked: str = "") -> None:
        """Hand the View to every widget; a message of several lines gets a dialog."""
        for widget in self._drawn():
            widget.show(view)
        self.query_one(Header).play_state(self.player.state())
        text = view.message
        if "\n" in text.strip("\n") or width_of(text) > 2 * self.size.width:
            self.say("")
            self._notice(asked or "message", text)

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text on the message line."""
        self.query_one(MessageBar).say(text, error=error)

    def _notice(self, title: str, text: str) -> None:
        """One dialog at a time: a replay that prints must not pile them up."""
        if not self.player.playing:
            self.app.push_screen(Notice(title, text))
        else:
            self.say(text.splitlines()[0])

    def _drawn(self) -> list[Pane | Bar]:
        return [*self.query(Pane), *self.query(Bar)]

    # Commands from keys, clicks and the command line

    def action_command(self, line: str) -> None:
        self._pause()
        self.perform(line)

    def action_prompt(self, text: str) -> None:
        self._pause()
        self.query_one(Keys).display = False
        self.query_one(Prompt).open(text)

    @on(Prompt.Given)
    def _line_given(self, event: Prompt.Given) -> None:
        self._prompt_closed()
        if event.line in ("q", "quit", "exit") and event.line not in COMMANDS:
            self.app.exit()
            return
        self.perform(event.line)

    @on(Prompt.Closed)
    def _prompt_closed(self) -> None:
        self.query_one(Keys).display = True
        if isinstance(self.focused, Prompt) or self.focused is None:
            self.query_one(f"#{self._active}").focus(scroll_visible=False)

    @on(GraphPane.NodeClicked)
    def _node_clicked(self, event: GraphPane.NodeClicked) -> None:
        ref = event.ref
        self.action_command(f"goto {ref.name}" if ref.t is None else f"goto {ref.name}[{ref.t}]")

    @on(StripPane.TimeClicked)
    def _time_clicked(self, event: StripPane.TimeClicked) -> None:
        self.action_command(f"goto {event.name}[{event.t}]")

    @on(Keys.Pressed)
    async def _key_clicked(self, event: Keys.Pressed) -> None:
        await self.run_action(event.action)

    @on(PaneTabs.Chosen)
    def _tab_clicked(self, event: PaneTabs.Chosen) -> None:
        self.action_pane(event.id)

    # Playing

    def action_play(self) -> None:
        if self.player.playing:
            self._pause()
            self.say("paused; space goes on")
        elif self.player.finished:
            self.say("the replay is over; every key works as usual")
        else:
            self._resume()

    def _resume(self) -> None:
        """Play on; a replay goes on from where it stopped, wherever the learner has gone since."""
        view = self.debugger.view
        if self.player.recording is not None and self._left_off not in (None, view.position):
            self.perform(f"goto {self._left_off}")
        self.player.playing = True
        self._wait()

    def _pause(self) -> None:
        if self.player.playing:
            self._left_off = self.debugger.view.position
        if self._clock is not None:
            self._clock.stop()
        self.player.playing = False
        self.query_one(Header).play_state(self.player.state())

    def _wait(self) -> None:
        """Set the clock for the next command, or stop where there is none."""
        view = self.debugger.view
        over = self.player.finished or (self.player.recording is None and view.position >= view.last)
        if over:
            self._pause()
            done = "the replay is over" if self.player.recording is not None else "the end: every contribution is taken"
            self.say(f"{done}; every key works as usual")
        else:
            self.query_one(Header).play_state(self.player.state())
            self._clock = self.set_timer(self.player.wait(), self._tick)

    def _tick(self) -> None:
        if self.player.playing and self.perform(self.player.take()):
            self._wait()

    # Panes

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(layout_of(event.size.width, event.size.height))

    def _arrange(self, layout: Layout) -> None:
        """Show the panes of this layout."""
        for name in ("full", "medium", "small"):
            self.set_class(name == layout, f"-{name}")
        self.set_class(layout == "full" and self.size.height >= HIGH, "-high")
        shown = panes_shown(layout, self._active, self._lower)
        for id, _ in PANES:
            self.query_one(f"#{id}").display = id in shown
        self.query_one("#network").display = bool(shown & {"graph", "strip"})
        self.query_one("#upper").display = bool(shown & {"graph", "strip", "node"})
        self.query_one(PaneTabs).activate(self._active)

    def action_pane(self, id: str) -> None:
        """Bring a pane to the front and give it the keys for scrolling."""
        self._active = id
        if id in ("chain", "contributions"):
            self._lower = id
        self._arrange(layout_of(self.size.width, self.size.height))
        self.query_one(f"#{id}").focus(scroll_visible=False)

    def action_next_pane(self, step: int) -> None:
        ids = [id for id, _ in PANES if id != "strip" or self.debugger.view.strip is not None]
        at = ids.index(self._active) if self._active in ids else 0
        self.action_pane(ids[(at + step) % len(ids)])

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        """A click into a pane makes it the active one."""
        id = event.widget.id
        if id is not None and any(id == pane for pane, _ in PANES):
            self._active = id
            self.query_one(PaneTabs).activate(id)

    # Copying, help, saving

    def action_copy_value(self) -> None:
        self._copy(value_text(self.debugger.view))

    def action_copy_formula(self) -> None:
        self._copy(formula_text(self.debugger.view))

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self.say(f"copied {text}")
        else:
            self.say("nothing to copy yet")

    def action_help(self) -> None:
        self._pause()
        self.app.push_screen(Notice("help", help_text(COMMANDS)))

    async def action_save(self) -> None:
        self._pause()
        await self.app.run_action("save")
