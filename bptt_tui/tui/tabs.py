"""The tabs of a screen that shows one pane at a time."""

from __future__ import annotations

from textual import events
from textual.message import Message

from bptt_tui.debugger.view import View
from bptt_tui.tui.ink import Line
from bptt_tui.tui.layout import PANES
from bptt_tui.tui.pane import Bar


class PaneTabs(Bar):
    """`1 graph  2 node …`; a click shows one."""

    class Chosen(Message):
        """The learner clicked on a tab."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._active = PANES[0][0]
        self._notes, self._note_here = False, False

    def activate(self, id: str, view: View) -> None:
        """Mark the tab of this pane; notes have one where there are any, lit where one is pinned to this position."""
        self._active = id
        self._notes = view.has_notes or id == "notes"
        self._note_here = bool(view.notes)
        self.refresh()

    def line(self, width: int) -> Line:
        return tuple((text, self._ink(id)) for id, text in self._texts())

    def _ink(self, id: str) -> str:
        return "now" if id == self._active else "accent" if id == "notes" and self._note_here else "dim"

    def _texts(self) -> list[tuple[str, str]]:
        """The tabs; where there is no room for its name, that of the notes is a number."""
        tabs = [(id, f" {number} {name}") for number, (id, name) in enumerate(PANES, 1) if id != "notes" or self._notes]
        if self._notes and sum(len(text) for _, text in tabs) > self.size.width:
            tabs[-1] = ("notes", f" {len(PANES)}")
        return tabs

    def on_click(self, event: events.Click) -> None:
        x = 0
        for id, text in self._texts():
            if x <= event.x < x + len(text):
                self.post_message(self.Chosen(id))
            x += len(text)
