"""The three one-line bars: the header with where we are, the message, and the keys at the foot."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from textual import events
from textual.message import Message

from bptt_tui.debugger.view import Missing, View
from bptt_tui.tui.bindings import BINDING_TABLE, KeyRow
from bptt_tui.tui.figures import figure
from bptt_tui.tui.ink import Line, Run, fitted, line_width, width_of, wrapped
from bptt_tui.tui.keynames import keymap_of, keys_of
from bptt_tui.tui.pane import Bar, loss_name


class Header(Bar):
    """Title, phase, step, timestep, loss, and whether something plays or is recorded."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._playing = ""

    class Clicked(Message):
        """The learner clicked on where we are."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())

    def play_state(self, text: str) -> None:
        """`▶ replaying 3 of 9 ×2`, `⏸ …`, `◇ taken over at …`, or nothing."""
        if text != self._playing:
            self._playing = text
            self.refresh()

    def line(self, width: int) -> Line:
        if self.view is None:
            return ()
        facts = _facts(self.view, self._playing, width)
        room = width - line_width(facts) - 1
        title = fitted(self.view.title, room - 1) if room > 8 else ""
        return ((" ", "plain"), (title, "strong"), *facts) if title else facts


def _facts(view: View, playing: str, width: int) -> Line:
    """Everything but the title, right-aligned; a narrow screen keeps the short forms."""
    narrow, short = width < 70, width < 100
    word = view.phase.upper()
    badge = f" {word} ▶ " if view.phase == "forward" else f" ◀ {word} "
    step = f"{view.position}/{view.last}" if narrow else f"step {view.position} of {view.last}"
    factor = ""
    if view.factor:
        factor = f" +{view.factor}/{view.factors}" if short else f", factor {view.factor} of {view.factors}"
    facts: list[Run] = [(badge, view.phase), (f"  {step}{factor}", "strong")]
    if view.t is not None:
        facts.append((f"  t={view.t}" if narrow else f"   t = {view.t}", "plain"))
    if not isinstance(view.loss, Missing) and not short:
        facts.append((f"   {loss_name(view)} = {figure(view.loss, 10)}", "plain"))
    if playing:
        facts.append((f"  {playing[0]}" if narrow else f"   {playing}", "accent"))
    elif view.recording:
        facts.append(("  ● " if narrow else "   ● ", "error"))
        facts.append((str(view.recording) if short else f"recording {view.recording}", "dim"))
    facts.append((" ", "plain"))
    return tuple(facts)


_MESSAGE_LINES = 3


class MessageBar(Bar):
    """What the debugger said last, in up to three lines."""

    DEFAULT_CSS = "MessageBar { height: auto; max-height: 3; background: $background; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""
        self._ink = "plain"

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message until the next one."""
        width = self.size.width
        lines = len(self._lines(width))
        self._text, self._ink = text, "error" if error else "plain"
        self.refresh(layout=len(self._lines(width)) != lines)

    def show(self, view: View) -> None:
        super().show(view)
        self.say(view.message)

    def _lines(self, width: int) -> list[Line]:
        if not self._text:
            return [()]
        mark: Run = ("✗ ", "error") if self._ink == "error" else ("› ", "accent")
        return self._broken(self._text, mark, width)

    def _broken(self, text: str, mark: Run, width: int) -> list[Line]:
        """Each line of the text wrapped; only the first has the mark."""
        lines: list[Line] = []
        for part in text.split("\n"):
            head = (" ", "plain"), mark if not lines else ("  ", "plain")
            lines += wrapped((*head, (part, self._ink)), max(width - 1, 8), indent=3)
        return lines

    def fits(self, text: str, width: int) -> bool:
        """Whether all of a message shows here."""
        return len(self._broken(text, ("› ", "accent"), width)) <= _MESSAGE_LINES

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return min(len(self._lines(width)), _MESSAGE_LINES)

    def lines(self, width: int) -> list[Line]:
        return self._lines(width)


class Keys(Bar):
    """The keys that fit, most needed first; a click presses one. A keymap that replaces keys is followed."""

    class Pressed(Message):
        """The learner clicked on a key."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    ALLOW_SELECT: ClassVar[bool] = False
    _keymap: Mapping[str, str] = MappingProxyType({})

    def show(self, view: View) -> None:
        """Keys do not change from step to step, only with a keymap."""
        if self.view is None or keymap_of(self.app) != self._keymap:
            super().show(view)

    def line(self, width: int) -> Line:
        self._keymap = keymap_of(self.app)
        runs: list[Run] = [(" ", "plain")]
        for row, key in self._fitting(width):
            runs += [(key, "accent"), (f" {row.label}  ", "dim")]
        return tuple(runs)

    def _fitting(self, width: int) -> list[tuple[KeyRow, str]]:
        """The rows to show, in table order: as many as fit, by their rank."""
        rows = [(row, self._key(row)) for row in BINDING_TABLE if row.rank]
        used, kept = 1, []
        for row, key in sorted(rows, key=lambda pair: pair[0].rank):
            used += width_of(key) + len(row.label) + 3
            if used <= width + 2:
                kept.append(row)
        return [(row, key) for row, key in rows if row in kept]

    def _key(self, row: KeyRow) -> str:
        """The key that now has this row's id: its own, or the one a keymap gave it."""
        return keys_of(row, keymap_of(self.app))[0]

    def on_click(self, event: events.Click) -> None:
        x = 1
        for row, key in self._fitting(self.size.width):
            end = x + width_of(key) + len(row.label) + 3
            if x <= event.x < end - 2:
                self.post_message(self.Pressed(row.bound))
                return
            x = end
