"""What an earlier run left behind is offered: to be recovered, discarded, or left for later."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.errors import BpttError
from bptt_tui.language.sanitise import visible
from bptt_tui.session import Session, bundled, load
from bptt_tui.session.drafts import Draft, LeftOver
from bptt_tui.tui.dialog import Dialog
from bptt_tui.tui.opening_line import OpeningLine, Started
from bptt_tui.tui.player import Player

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress

_LONGEST = 130


class Recovered(NamedTuple):
    """What was left behind, opened again; `kept` is what was saved of it, if anything."""

    started: Started
    draft: Draft
    kept: Session | None


class RecoverDialog(Dialog[Recovered | None]):
    """Offers what was left over, one after the other. What is neither recovered nor discarded stays for later."""

    DEFAULT_CSS = "RecoverDialog > Vertical { width: 72; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "later", "later", show=False, id="recover.later")]
    # No single key discards: the learner may be typing when the dialog comes up.
    _ROWS = (("recover", "recover it"), ("discard", "discard it"), ("later", "decide later"))

    def __init__(self, found: list[LeftOver]) -> None:
        super().__init__()
        self._found = found
        self._about = Static()
        self._line = OpeningLine()

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content("work was left behind")
        box.border_subtitle = Content("enter chooses · esc later")
        self._about.update(self._description())
        with box:
            yield self._about
            yield OptionList(*(Option(text, id=id) for id, text in self._ROWS), compact=True)
            yield self._line

    def _description(self) -> Content:
        header = self._found[0].header
        title = header.title or header.name
        more = f" · {len(self._found) - 1} more" if len(self._found) > 1 else ""
        return Content.assemble(
            (_cut(visible(title)), "bold"),
            "\n" + _cut(visible(header.words)),
            (f"\nchanged {when(header.saved, time.time())}{more}", "$foreground 70%"),
        )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == "recover":
            self._line.begin(self._open, self._found[0].header.name)
        elif event.option_id == "discard":
            self._line.give_up()
            self._found.pop(0).discard()
            self._next()
        else:
            self.action_later()

    def _open(self, progress: Progress) -> Started:
        session = self._found[0].session()
        session.trace(progress)
        return Started(Debugger(session), Player())

    def _next(self) -> None:
        if self._found:
            self._line.say("")
            self._about.update(self._description())
        else:
            self.dismiss(None)

    @on(OpeningLine.Made)
    def _made(self, event: OpeningLine.Made) -> None:
        left = self._found.pop(0)
        self._release()
        self.dismiss(Recovered(event.started, left.adopt(), _saved(left)))

    def action_later(self) -> None:
        if not self._line.give_up():
            self._release()
            self.dismiss(None)

    def _release(self) -> None:
        for left in self._found:
            left.release()
        self._found = []

    def on_unmount(self) -> None:
        self._release()


def _saved(left: LeftOver) -> Session | None:
    """The session as it is in its file, or as it comes with the program."""
    header = left.header
    try:
        if header.path:
            return load(header.path)
        return load(header.name) if header.name in bundled.names() else None
    except BpttError:
        return None


def when(then: float, now: float) -> str:
    """A moment in words: `2 minutes ago`, and from a day on the date."""
    seconds = max(now - then, 0)
    if seconds < 60:
        return "less than a minute ago"
    if seconds < 3600:
        return _ago(seconds // 60, "minute")
    if seconds < 86400:
        return _ago(seconds // 3600, "hour")
    try:
        return f"on {datetime.fromtimestamp(then):%Y-%m-%d at %H:%M}"
    except (OverflowError, OSError, ValueError):
        return "long ago"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _ago(count: float, unit: str) -> str:
    return f"{count:.0f} {unit}{'s' if count != 1 else ''} ago"
