"""The debugger's screen: panes and bars around one path from a key to a new picture.

    key → command line → Debugger.do → View → show(view) on every widget

Widgets do not know each other or the debugger; what they want, they post as a message, and it becomes a command here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult, ScreenStackError
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import Exhibit, View
from bptt_tui.tui.bars import Header, Keys, MessageBar
from bptt_tui.tui.bindings import BINDING_TABLE, bindings
from bptt_tui.tui.chain import ChainPane
from bptt_tui.tui.contributions import ContributionsPane
from bptt_tui.tui.graph import GraphPane
from bptt_tui.tui.layout import HIGH, PANES, Layout, Rooms, extent_of, layout_of, panes_shown
from bptt_tui.tui.node import NodePane
from bptt_tui.tui.pane import Bar, Pane, loss_name
from bptt_tui.tui.player import Player
from bptt_tui.tui.playing import Playing
from bptt_tui.tui.pointing import Pointing
from bptt_tui.tui.prompting import Prompting
from bptt_tui.tui.running import Running
from bptt_tui.tui.strip import StripPane

if TYPE_CHECKING:
    from bptt_tui.tui.derivation.screen import DerivationScreen
    from bptt_tui.tui.playbar import PlayBar
    from bptt_tui.tui.tabs import PaneTabs

_KEYS = frozenset(row.bound.partition("(")[0] for row in BINDING_TABLE)  # the actions that keys are bound to

_WHILE_RUNNING = frozenset({"app", "pane", "next_pane", "zoom", "switch_strip", "switch_arrays"})


_ROOMS = Rooms()


class DebuggerScreen(Playing, Prompting, Running, Pointing, Screen[None]):
    """Draws the debugger's View and turns keys, clicks and typed lines into its commands."""

    AUTO_FOCUS = "#graph"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    DEFAULT_CSS = """
    DebuggerScreen {
        background: $background;
        overflow: hidden;
    }
    """

    def __init__(self, debugger: Debugger, player: Player, size: Size) -> None:
        """The screen laid out for a terminal of `size` from the start, so that the first frame is drawn once."""
        super().__init__()
        self.debugger = debugger
        self.player = player
        self._shown = debugger.view  # what is drawn: while something is carried out the debugger may be elsewhere
        self._active = "graph"
        self._lower = "chain"
        self._header = Header(id="header")
        # What few sessions or terminals need is made when it is first shown.
        self._playbar: PlayBar | None = None
        self._tabs: PaneTabs | None = None
        self._node = NodePane(id="node")
        self._panes: dict[str, Pane] = {
            "graph": GraphPane(id="graph"),
            "strip": StripPane(id="strip"),
            "node": self._node,
            "chain": ChainPane(id="chain"),
            "contributions": ContributionsPane(id="contributions"),
        }
        self._message = MessageBar(id="message")
        self._keys = Keys(id="keys")
        self._derivation: DerivationScreen | None = None
        self._composed = self._was_in_front = False
        self._lay_out(size)
        # Focused later, its styles and those of the screen would be worked out anew.
        self._panes[self._active].set_reactive(Widget.has_focus, True)
        self.set_reactive(Screen.focused, self._panes[self._active])

    @property
    def layout(self) -> Rooms:
        """Style sheets know Textual's own layouts only."""
        return _ROOMS

    def compose(self) -> ComposeResult:
        graph, strip = self._panes["graph"], self._panes["strip"]
        graph.partner, strip.partner = strip, graph
        graph.entitle("1 unrolled network")
        strip.entitle("", f"▲ ∂{loss_name(self.debugger.view)}/∂node > 0   ▼ < 0")
        self.show(self.debugger.view)
        yield self._header
        yield from (seldom for seldom in (self._playbar, self._tabs) if seldom is not None)
        yield graph
        yield strip
        yield self._node
        yield self._panes["chain"]
        yield self._panes["contributions"]
        yield self._message
        yield self._keys

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """In front for the first time: every widget was given its styles when it was mounted."""
        event.refresh_styles = event.refresh_styles and self._was_in_front
        self._was_in_front = True

    def render_lines(self, crop: Region) -> list[Strip]:
        """Nothing but what is behind panes and bars, which cover it."""
        behind = self.background_colors[1]
        blank = Strip.blank(crop.width, Style(bgcolor=behind.rich_color))
        for filter in self.get_line_filters():
            blank = blank.apply_filter(filter, behind)
        return [blank] * crop.height

    def on_mount(self) -> None:
        self._composed = True
        self._mount_shown()
        self.start_replay()

    def _mount_shown(self) -> None:
        """Mount what is shown for the first time."""
        if not self._composed:
            return
        if self._playbar is not None and self._playbar.parent is None:
            self.mount(self._playbar, after=self._header)
        if self._tabs is not None and self._tabs.parent is None:
            self.mount(self._tabs, before=self._panes["graph"])
        notes = self._panes.get("notes")
        if notes is not None and notes.parent is None:
            self.mount(notes, after=self._node)

    def show(self, view: View, *, asked: str = "") -> None:
        """Hand the View to every widget; a message of more lines than the message line has gets a dialog."""
        self._shown = view
        self._show_panes(self._layout)
        drawn: list[Pane | Bar] = [*self._panes.values(), self._header, self._message, self._keys]
        for widget in drawn:
            widget.show(view)
        self.playing_changed()
        if view.verdict is not None:
            if asked and not self.player.replaying:
                self.action_derivation()
                self.desk.face(view.verdict.statement.text)
            return
        if asked and view.exhibit is not None and not self.player.replaying:
            self.say("")
            self._show_sums(view.exhibit)
        elif not self._message.fits(view.message, self.size.width):
            self.say("")
            self._notice(asked or "message", view.message)

    def _show_sums(self, exhibit: Exhibit) -> None:
        """What a command asked to see in full, on its own screen."""
        from bptt_tui.tui.sums_screen import SumsScreen

        loss = loss_name(self.debugger.view)
        self.app.push_screen(SumsScreen(self.debugger.sums, exhibit, loss, self.perform))

    def say(self, text: str, *, error: bool = False) -> None:
        self._message.say(text, error=error)

    def _notice(self, title: str, text: str) -> None:
        """One dialog at a time: a replay that prints must not pile them up."""
        if self.player.replaying:
            self.say(text.splitlines()[0])
            return
        from bptt_tui.tui.dialogs import Notice

        self.app.push_screen(Notice(title, text))

    def running_changed(self, said: str) -> None:
        self._header.play_state(said or self.player.state())

    def playing_changed(self) -> None:
        self._header.play_state(self.player.state())
        if self._playbar is None and self.player.replay is not None:
            from bptt_tui.tui.playbar import PlayBar

            self._playbar = PlayBar(id="playbar")
        if self._playbar is not None:
            self._playbar.follow(self.player, self.player.starts(self.debugger.state.chapters))
        self._mount_shown()

    # The command line, clicks

    def focus_pane(self) -> None:
        self.set_focus(self._panes[self._active], scroll_visible=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys are the screen's while a pane has the focus; on the command line they are letters."""
        if action == "interrupt":
            return self.runs_long
        if self.runs_long and action in _KEYS - _WHILE_RUNNING:
            return False
        return action not in _KEYS or self.focused is None or isinstance(self.focused, Pane)

    @on(Header.Clicked)
    async def _header_clicked(self) -> None:
        await self.action_prompt("goto ")

    @on(Keys.Pressed)
    async def _key_clicked(self, event: Keys.Pressed) -> None:
        await self.run_action(event.action)

    def on_pane_tabs_chosen(self, event: PaneTabs.Chosen) -> None:
        self.action_pane(event.id)

    # Panes

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out(event.size)
        self._show_panes(self._layout)

    def _lay_out(self, size: Size) -> None:
        """Heights and frames of the panes on a screen of this size."""
        self._layout = layout_of(size.width, size.height)
        self._high = size.height >= HIGH
        for id in self._panes:
            self._fit(id)

    def _fit(self, id: str) -> None:
        """Height and frame of a pane in this layout."""
        self._panes[id].extend(extent_of(id, self._layout, high=self._high))
        self._panes[id].framed(self._layout != "small")

    def _show_panes(self, layout: Layout) -> None:
        """Show the panes of this layout."""
        view = self._shown
        notes = bool(view.notes) if layout == "medium" else view.has_notes
        shown = panes_shown(layout, self._active, self._lower, notes=notes)
        self._node.notes = "notes" not in shown
        if "notes" in shown and "notes" not in self._panes:
            from bptt_tui.tui.notes import NotesPane

            self._panes["notes"] = NotesPane(id="notes")
            self._panes["notes"].show(view)
            self._fit("notes")
        if layout == "small" and self._tabs is None:
            from bptt_tui.tui.tabs import PaneTabs

            self._tabs = PaneTabs(id="tabs")
        displayed: dict[Widget, bool] = {pane: id in shown for id, pane in self._panes.items()}
        if self._tabs is not None:
            displayed[self._tabs] = layout == "small"
            self._tabs.activate(self._active, view)
        for widget, display in displayed.items():
            if widget.display != display:
                widget.display = display
        self._mount_shown()

    def action_pane(self, id: str) -> None:
        """Bring a pane to the front and give it the keys for scrolling."""
        self._active = id
        if id in ("chain", "contributions"):
            self._lower = id
        self._show_panes(self._layout)
        self._panes[id].focus(scroll_visible=False)

    def action_next_pane(self, step: int) -> None:
        view = self._shown
        absent = {"strip"} if view.strip is None else set()
        absent |= set() if view.has_notes else {"notes"}
        ids = [id for id, _ in PANES if id not in absent]
        at = ids.index(self._active) if self._active in ids else 0
        self.action_pane(ids[(at + step) % len(ids)])

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        """A click into a pane makes it the active one."""
        id = event.widget.id
        if id is not None and any(id == pane for pane, _ in PANES):
            self._active = id
            if self._tabs is not None:
                self._tabs.activate(id, self._shown)

    # Copying, help, saving

    def action_switch_arrays(self) -> None:
        self.say(self._node.switch())

    def action_inspect(self) -> None:
        from bptt_tui.tui.inspector import Inspector, inspectable

        self.pause()
        if entries := inspectable(self.debugger.view):
            self.app.push_screen(Inspector(entries))
        else:
            self.say("nothing to look into yet")

    def action_write_note(self) -> None:
        """Write the note of this position, or the title of a chapter that begins here."""
        from bptt_tui.tui.note_editor import NoteEditor, Pinned, Written

        self.pause()
        pinned = Pinned.of(self.debugger.state)

        def keep(written: Written | None) -> None:
            commands = [] if written is None else pinned.commands(written)
            if not commands:
                self.say("nothing is changed")
            elif self.runs_long:
                self.say(self.goes_on)
            else:
                self.set_to_work(
                    "note",
                    lambda: [self.debugger.do(line) for line in commands][-1],
                    lambda answer: self.settle(commands[-1], False, answer),
                    beside=self.rehearses_long,
                )

        self.app.push_screen(NoteEditor(self.debugger.cursor.position, pinned.texts), keep)

    def action_list(self, which: str) -> None:
        """A dialog on what there is: `stops`, `contents` or `changes`."""
        from bptt_tui.tui.listing import Listing

        self.pause()
        listing = Listing(self)
        made = {"stops": listing.stops, "contents": listing.contents, "changes": listing.changes}
        self.app.push_screen(made[which]())

    def action_predict(self) -> None:
        """Ask before the next number is shown, or no longer."""
        self.action_command("predict on" if self.debugger.state.predict is None else "predict off")

    @property
    def desk(self) -> DerivationScreen:
        """Where formulas are judged; made when it is first asked for, and kept as it is left."""
        if self._derivation is None:
            from bptt_tui.tui.derivation.screen import DerivationScreen

            self._derivation = DerivationScreen(self)
            self.app.install_screen(self._derivation, f"derivation-{id(self)}")
        return self._derivation

    def on_unmount(self) -> None:
        """Another session has a desk of its own."""
        if self._derivation is not None:
            with suppress(ScreenStackError):  # at the end of the app it may be the one on top
                self.app.uninstall_screen(self._derivation)

    def action_derivation(self) -> None:
        self.pause()
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
        from bptt_tui.tui.copying import value_text

        self._copy(value_text(self.debugger.view))

    def action_copy_formula(self) -> None:
        from bptt_tui.tui.copying import formula_text

        self._copy(formula_text(self.debugger.view))

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self.say(f"copied {text}")
        else:
            self.say("nothing to copy yet")

    def action_help(self) -> None:
        from bptt_tui.debugger.commands import COMMANDS
        from bptt_tui.tui.dialogs import Notice
        from bptt_tui.tui.help import help_text
        from bptt_tui.tui.keynames import keymap_of

        self.pause()
        self.app.push_screen(Notice("help", help_text(COMMANDS, self.size.width, keymap_of(self.app))))

    async def action_app(self, action: str) -> None:
        """What concerns the file or another session is the app's."""
        if self.runs_long:  # to leave or to save in the middle of it would be to keep half of it
            self.say(self.goes_on)
            return
        self.pause()
        await self.app.run_action(action)
