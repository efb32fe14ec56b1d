"""The gradient as a sum, on a screen of its own: the table, separate knobs, the build-up, the chains.

It looks at `Debugger.sums` and changes nothing. What enter leads to is a command, given to the debugger's screen, which
then is in front again. Of a large network what a key asks for is made beside the screen: the first line says how far it
is, escape stops it, and everything is as before the key.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from bptt_tui.debugger.pace import StoppedError
from bptt_tui.debugger.sums import Sums
from bptt_tui.debugger.view import Exhibit
from bptt_tui.errors import BpttError
from bptt_tui.tui import beside
from bptt_tui.tui.beside import Beside
from bptt_tui.tui.keynames import printed
from bptt_tui.tui.sums_canvas import PARTS, Canvas, Sheet, lay_out
from bptt_tui.tui.sums_page import Page
from bptt_tui.tui.sums_pages import BuildUpPage, ChainsPage, KnobsPage
from bptt_tui.tui.sums_table import TablePage

_CHANGING = ("_part", "_parameter", "_entry", "_mask", "_node", "_use", "_target", "_through", "_number")


class SumsScreen(Screen[None]):
    """`give` carries out a command on the debugger's screen; `loss` is what the loss is called."""

    AUTO_FOCUS = "#sums"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,T", "close", "back", show=False, id="sums.close"),
        Binding("ctrl+c", "stop", "stop what takes long", show=False, id="sums.stop"),
        Binding("1", "part('table')", "table", show=False, id="sums.table"),
        Binding("2", "part('knobs')", "knobs", show=False, id="sums.knobs"),
        Binding("3", "part('buildup')", "build-up", show=False, id="sums.buildup"),
        Binding("4", "part('chains')", "chains", show=False, id="sums.chains"),
        Binding("tab", "turn(1)", "next part", show=False, id="sums.next"),
        Binding("shift+tab", "turn(-1)", "part before", show=False, id="sums.previous"),
        Binding("up,k", "move(-1, 0)", "up", show=False, id="sums.up"),
        Binding("down,j", "move(1, 0)", "down", show=False, id="sums.down"),
        Binding("left,h", "move(0, -1)", "left", show=False, id="sums.left"),
        Binding("right,l", "move(0, 1)", "right", show=False, id="sums.right"),
        Binding("pageup", "move(-10, 0)", "page up", show=False, id="sums.page-up"),
        Binding("pagedown", "move(10, 0)", "page down", show=False, id="sums.page-down"),
        Binding("home,g", "move(-1000000000, -1000000000)", "first", show=False, id="sums.first"),
        Binding("end,G", "move(1000000000, 1000000000)", "last", show=False, id="sums.last"),
        Binding("m", "press('m')", "mask: none, window, chunks", show=False, id="sums.mask"),
        Binding("plus,equals_sign", "press('plus')", "mask wider", show=False, id="sums.wider"),
        Binding("minus", "press('minus')", "mask narrower", show=False, id="sums.narrower"),
        Binding("i", "press('i')", "tiles or numbers", show=False, id="sums.numbers"),
        Binding("z", "press('z')", "the whole table in blocks, or one cell for each entry", show=False, id="sums.zoom"),
        Binding("s", "press('s')", "chains summed", show=False, id="sums.summed"),
        Binding("p", "press('p')", "next parameter; chain before", show=False, id="sums.parameter"),
        Binding("n", "press('n')", "next node; next chain", show=False, id="sums.node"),
        Binding("e", "press('e')", "norms, or entry by entry", show=False, id="sums.entry"),
        Binding("t", "press('t')", "chains to the next use", show=False, id="sums.target"),
        Binding("question_mark", "help", "these keys", show=False, id="sums.help"),
        Binding("enter", "enter", "go there", show=False, id="sums.enter"),
        Binding("y", "copy", "copy", show=False, id="sums.copy"),
    ]

    def __init__(self, sums: Sums, exhibit: Exhibit, loss: str, give: Callable[[str], bool]) -> None:
        super().__init__()
        self._sums, self._give, self._loss = sums, give, loss
        self._parameter, self._entry, self._mask = exhibit.parameter, exhibit.entry, exhibit.mask
        self._node = exhibit.node if exhibit.part == "buildup" else ""
        self._use: int | None = None
        self._target = (exhibit.node, exhibit.t) if exhibit.part == "chains" and exhibit.t is not None else None
        self._through, self._number = exhibit.loss, exhibit.number
        if self._target is not None and self._target[0] in sums.parameters:
            self._parameter = self._target[0]
        self._canvas = Canvas(self._redraw)
        self._part = exhibit.part
        self._making: Beside[Sheet] | None = None
        self._kept: dict[str, Any] = {}  # what to return to where it is stopped
        self._clock: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._canvas

    def on_mount(self) -> None:
        self._open(self._part)

    def _open(self, part: str) -> None:
        """Another part, of what was looked at so far."""
        self._remember()
        self._part = part  # type: ignore[assignment]
        size = self._canvas.size

        def make() -> Sheet:
            page, said = None, ""
            try:
                page = self._page(part)
            except StoppedError:
                raise
            except BpttError as error:
                said = str(error)
            return lay_out(part, page, said, size)

        self._show(make)

    def _redraw(self, page: Page | None = None) -> None:
        """The same page at the present size, or as its copy `page` has it."""
        size, now = self._canvas.size, self._canvas.sheet
        # On a copy, so that the page on show is as before where the drawing is stopped.
        page = copy(now.page) if page is None else page
        if self._making is None:
            self._show(lambda: lay_out(now.part, page, now.said, size))

    # --- beside the screen -----------------------------------------------------------------------------------------

    def _show(self, make: Callable[[], Sheet]) -> None:
        """Show what is made; of a large network it is made beside the screen."""
        if not self._sums.large:
            self._canvas.show(make())
            return

        def followed(making: Beside[Sheet]) -> Sheet:
            with self._sums.pace.followed(making.stopped, making.tell):
                return make()

        self._making = Beside(followed)
        if self._making.is_over(beside.AT_ONCE):
            self._made()
        else:
            self._clock = self.set_interval(beside.OFTEN, self._look)
            self._look()

    def _look(self) -> None:
        """How far it is."""
        if self._making is None:
            return
        if self._making.is_over():
            self._made()
        else:
            self._canvas.note(f"… {self._making.share:.0%}, esc stops")

    def _made(self) -> None:
        """It is made, or was stopped: then everything is as before."""
        assert self._making is not None
        making, self._making = self._making, None
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        try:
            self._canvas.show(making.answer())
        except StoppedError:
            if not self._canvas.sheet.lines:
                self.dismiss()
                return
            vars(self).update(self._kept)
            self._canvas.note("stopped")
        if self._canvas.sheet.size != self._canvas.size:
            self._redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is made, the keys stop it or do nothing."""
        if self._making is not None:
            return action in ("close", "stop")
        return action != "stop"

    def action_stop(self) -> None:
        if self._making is not None:
            self._making.stop()

    def on_unmount(self) -> None:
        self.action_stop()

    def _keep(self) -> None:
        """Remember what a key may change."""
        self._kept = {name: getattr(self, name) for name in _CHANGING}

    def _remember(self) -> None:
        """Which use, mask and timestep the page before was on."""
        page = self._canvas.page
        if isinstance(page, TablePage):
            self._use, self._mask = page.use, (page.kind, page.k) if page.kind else None
        elif isinstance(page, KnobsPage):
            self._use = page.use

    def _page(self, part: str) -> Page:
        sums = self._sums
        if part != "chains" or self._target is None:
            self._parameter = self._parameter or sums.default
        parameter = self._parameter
        if part == "table":
            return TablePage(sums, parameter, self._entry, self._mask, self._use)
        if part == "knobs":
            return KnobsPage(sums, self._loss, parameter, self._entry, self._use)
        if part == "buildup":
            self._node = self._node or sums.recurrent
            return BuildUpPage(sums, parameter, self._node, self._use)
        if self._target is None:
            self._target = parameter, self._use if self._use is not None else sums.uses(parameter)[0]
        page = ChainsPage(sums, self._loss, *self._target, self._through, self._number)
        self._through = self._number = None
        return page

    # --- keys ------------------------------------------------------------------------------------------------------

    def action_part(self, part: str) -> None:
        self._keep()
        if part == "chains" and self._part in ("table", "knobs"):
            self._remember()
            self._target = None
        self._open(part)

    def action_turn(self, step: int) -> None:
        names = [part for part, _ in PARTS]
        self.action_part(names[(names.index(self._part) + step) % len(names)])

    def action_move(self, down: int, right: int) -> None:
        page = copy(self._canvas.page)
        if page is not None:
            self._keep()
            page.move(down, right)
            self._redraw(page)

    def action_press(self, key: str) -> None:
        """A key of the page, or one that opens it on something else."""
        page = copy(self._canvas.page)
        self._keep()
        if page is not None and page.press(key):
            self._redraw(page)
        elif key == "p" and self._part != "chains" and self._parameter:
            names = self._sums.parameters
            self._parameter = names[(names.index(self._parameter) + 1) % len(names)]
            self._entry = None
            self._open(self._part)
        elif key == "e" and self._part in ("table", "knobs") and self._parameter:
            self._entry = self._sums.next_entry(self._parameter, self._entry)
            self._open(self._part)
        elif key == "n" and self._part == "buildup" and self._node:
            names = self._sums.nodes
            self._node = names[(names.index(self._node) + 1) % len(names)]
            self._open(self._part)
        elif key == "t" and self._part == "chains" and self._target is not None:
            self._target = self._sums.next_target(*self._target)
            self._open(self._part)

    def action_enter(self) -> None:
        page = copy(self._canvas.page)
        line = "" if page is None else page.enter()
        if line:
            self.action_command(line)
        elif page is not None:
            self._keep()
            self._redraw(page)

    def action_command(self, line: str) -> None:
        """A command for the debugger, whose screen it brings to the front."""
        self.dismiss()
        self._give(line)

    def action_help(self) -> None:
        """The keys of this screen."""
        from bptt_tui.tui.dialogs import Notice

        rows = [b for b in self.BINDINGS if isinstance(b, Binding)]
        keys = [" ".join(printed(key) for key in row.key.split(",")) for row in rows]
        width = max(map(len, keys))
        lines = (f"{key.ljust(width)}  {row.description}" for key, row in zip(keys, rows, strict=True))
        self.app.push_screen(Notice("keys", "\n".join(lines)))

    def action_copy(self) -> None:
        text = "" if self._canvas.page is None else self._canvas.page.copied()
        if text:
            self.app.copy_to_clipboard(text)

    def action_close(self) -> None:
        if self._making is not None:
            self._making.stop()
        else:
            self.dismiss()
