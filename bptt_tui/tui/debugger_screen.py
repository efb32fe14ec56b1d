"""The debugger's screen: panes and bars around one path from a key to a new picture.

    key → command line → Debugger.do → View → show(view) on every widget

Widgets do not know each other or the debugger; what they want, they post as a message, and it becomes a command here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.bars import Header, Keys, MessageBar, PaneTabs
from bptt_tui.tui.bindings import bindings
from bptt_tui.tui.chain import ChainPane
from bptt_tui.tui.contributions import ContributionsPane
from bptt_tui.tui.copying import formula_text, value_text
from bptt_tui.tui.graph import GraphPane
from bptt_tui.tui.ink import width_of
from bptt_tui.tui.layout import PANES, Layout, layout_classes, layout_of, panes_shown
from bptt_tui.tui.node import NodePane
from bptt_tui.tui.pane import Bar, Pane, loss_name
from bptt_tui.tui.player import Player
from bptt_tui.tui.strip import StripPane

if TYPE_CHECKING:
    from bptt_tui.tui.derivation.screen import DerivationScreen
    from bptt_tui.tui.prompt import Prompt


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
    }
    DebuggerScreen.-high #chain { height: 13; }
    DebuggerScreen.-medium {
        #contributions { min-height: 7; max-height: 9; }
    }
    DebuggerScreen.-small {
        Pane, #network, #strip { border: none; padding: 0; width: 1fr; height: 1fr; max-height: 100%; }
    }
    """

    def __init__(self, debugger: Debugger, player: Player, size: Size) -> None:
        """The screen laid out for a terminal of `size` from the start, so that the first frame is drawn once."""
        super().__init__(classes=layout_classes(size))
        self.debugger = debugger
        self.player = player
        self._active = "graph"
        self._lower = "chain"
        self._left_off: int | None = None
        self._clock: Timer | None = None
        self._header = Header(id="header")
        self._tabs = PaneTabs(id="tabs")
        self._panes: dict[str, Pane] = {
            "graph": GraphPane(id="graph"),
            "strip": StripPane(id="strip"),
            "node": NodePane(id="node"),
            "chain": ChainPane(id="chain"),
            "contributions": ContributionsPane(id="contributions"),
        }
        self._network = Vertical(self._panes["graph"], self._panes["strip"], id="network")
        self._upper = Horizontal(self._network, self._panes["node"], id="upper")
        self._message = MessageBar(id="message")
        self._keys = Keys(id="keys")
        self._prompt: Prompt | None = None
        self._derivation: DerivationScreen | None = None
        self._show_panes(layout_of(size.width, size.height))

    def compose(self) -> ComposeResult:
        self._network.border_title = Content("1 unrolled network")
        self._network.border_subtitle = Content(f"▲ ∂{loss_name(self.debugger.view)}/∂node > 0   ▼ < 0")
        self.show(self.debugger.view)
        yield self._header
        yield self._tabs
        yield self._upper
        yield self._panes["chain"]
        yield self._panes["contributions"]
        yield self._message
        yield self._keys

    def on_mount(self) -> None:
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
        if view.verdict is not None and not self.player.playing:
            self.action_derivation()
            self.desk.face(view.verdict.statement.text)
        return True

    def show(self, view: View, *, asked: str = "") -> None:
        """Hand the View to every widget; a message of several lines gets a dialog."""
        drawn: list[Pane | Bar] = [*self._panes.values(), self._header, self._message, self._keys]
        for widget in drawn:
            widget.show(view)
        self._header.play_state(self.player.state())
        text = view.message
        if view.verdict is not None:
            return
        if "\n" in text.strip("\n") or width_of(text) > 2 * self.size.width:
            self.say("")
            self._notice(asked or "message", text)

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text on the message line."""
        self._message.say(text, error=error)

    def _notice(self, title: str, text: str) -> None:
        """One dialog at a time: a replay that prints must not pile them up."""
        if self.player.playing:
            self.say(text.splitlines()[0])
            return
        from bptt_tui.tui.dialogs import Notice

        self.app.push_screen(Notice(title, text))

    # Commands from keys, clicks and the command line

    def action_command(self, line: str) -> None:
        self._pause()
        self.perform(line)

    async def action_prompt(self, text: str) -> None:
        self._pause()
        if self._prompt is None:
            from bptt_tui.tui.prompt import Prompt

            self._prompt = Prompt(COMMANDS, id="prompt")
            await self.mount(self._prompt, after=self._message)
        self._keys.display = False
        self._prompt.open(text)

    def on_prompt_given(self, event: Prompt.Given) -> None:
        self.on_prompt_closed()
        if event.line in ("q", "quit", "exit") and event.line not in COMMANDS:
            self.app.exit()
            return
        self.perform(event.line)

    def on_prompt_closed(self) -> None:
        self._keys.display = True
        if self.focused is self._prompt or self.focused is None:
            self._panes[self._active].focus(scroll_visible=False)

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
        self._header.play_state(self.player.state())

    def _wait(self) -> None:
        """Set the clock for the next command, or stop where there is none."""
        view = self.debugger.view
        over = self.player.finished or (self.player.recording is None and view.position >= view.last)
        if over:
            self._pause()
            done = "the replay is over" if self.player.recording is not None else "the end: every contribution is taken"
            self.say(f"{done}; every key works as usual")
        else:
            self._header.play_state(self.player.state())
            self._clock = self.set_timer(self.player.wait(), self._tick)

    def _tick(self) -> None:
        if self.player.playing and self.perform(self.player.take()):
            self._wait()

    # Panes

    def on_resize(self, event: events.Resize) -> None:
        self.set_classes(layout_classes(event.size))
        self._show_panes(layout_of(event.size.width, event.size.height))

    def _show_panes(self, layout: Layout) -> None:
        """Show the panes of this layout."""
        shown = panes_shown(layout, self._active, self._lower)
        displayed: dict[Widget, bool] = {pane: id in shown for id, pane in self._panes.items()}
        displayed[self._network] = bool(shown & {"graph", "strip"})
        displayed[self._upper] = bool(shown & {"graph", "strip", "node"})
        displayed[self._tabs] = layout == "small"
        for widget, display in displayed.items():
            if widget.display != display:
                widget.display = display
        self._tabs.activate(self._active)

    def action_pane(self, id: str) -> None:
        """Bring a pane to the front and give it the keys for scrolling."""
        self._active = id
        if id in ("chain", "contributions"):
            self._lower = id
        self._show_panes(layout_of(self.size.width, self.size.height))
        self._panes[id].focus(scroll_visible=False)

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
            self._tabs.activate(id)

    # Copying, help, saving

    def action_switch_arrays(self) -> None:
        self.say(self.query_one(NodePane).switch())

    def action_inspect(self) -> None:
        from bptt_tui.tui.inspector import Inspector, inspectable

        self._pause()
        if entries := inspectable(self.debugger.view):
            self.app.push_screen(Inspector(entries))
        else:
            self.say("nothing to look into yet")

    @property
    def desk(self) -> DerivationScreen:
        """Where formulas are judged; made when it is first asked for, and kept as it is left."""
        if self._derivation is None:
            from bptt_tui.tui.derivation.screen import DerivationScreen

            self._derivation = DerivationScreen(self.debugger, self.show, self.perform)
            self.app.install_screen(self._derivation, f"derivation-{id(self)}")
        return self._derivation

    def action_derivation(self) -> None:
        self._pause()
        if self.desk not in self.app.screen_stack:
            self.app.push_screen(self.desk)

    def action_switch_strip(self) -> None:
        self.say(self.query_one(StripPane).switch())

    def action_zoom(self, step: int) -> None:
        self.say(self.query_one(StripPane).zoom(step))

    def action_bar(self, step: int) -> None:
        """To the timestep that a bar of the strip stands for, `step` bars from the present one."""
        found = self.query_one(StripPane).beside(step)
        if found is None:
            self.say("no bar of the strip is there")
        else:
            self.action_command(f"goto {found[0]}[{found[1]}]")

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
        from bptt_tui.tui.dialogs import Notice
        from bptt_tui.tui.help import help_text

        self._pause()
        self.app.push_screen(Notice("help", help_text(COMMANDS)))

    async def action_save(self) -> None:
        self._pause()
        await self.app.run_action("save")
