"""The mouse: a click on what stands for a node, a gradient or a term goes there.

| click | does |
|---|---|
| once | goes there |
| twice | goes there and shows every entry |
| with ctrl, or the right button | sets a breakpoint there, or takes it away |
"""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.content import Content
from textual.message import Message

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Cell, Missing, Ref, Shown
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.commanding import Commanding

Click = Literal["go", "inspect", "break"]
_WIDTH = 400  # letters of a value in a tooltip


def how_clicked(event: events.Click) -> Click:
    """What a click asks for."""
    if event.ctrl or event.button == 3:
        return "break"
    return "inspect" if event.chain > 1 else "go"


def place_in_words(ref: Ref) -> str:
    """A node or use as commands take it: `s[1]`."""
    return ref.name if ref.t is None else f"{ref.name}[{ref.t}]"


class Pointed(Message):
    """The learner clicked on `place`, as `goto` takes it: `s[1]`, `dE/ds[0]`, `u[1]`."""

    def __init__(self, place: str, how: Click) -> None:
        super().__init__()
        self.place = place
        self.how = how


def told_in_full(cell: Cell) -> Content:
    """A node's label, value and gradient with all digits, for a tooltip."""
    lines = [f"{cell.ref.label} = {_in_full(cell.value)}"]
    if not isinstance(cell.adjoint, Missing):
        lines.append(f"gradient {_in_full(cell.adjoint)}")
    return Content(visible("\n".join(lines), newlines=True))


def _in_full(value: Shown) -> str:
    if isinstance(value, Missing):
        return value.value
    return numerals.exact(float(value)) if value.ndim == 0 else numerals.array(value, _WIDTH)


class Pointing(Commanding):
    """Carries out what clicks ask for."""

    def action_inspect(self) -> None:
        """Show every entry of the step's arrays."""
        raise NotImplementedError

    def on_pointed(self, event: Pointed) -> None:
        if event.how == "break":
            rows = self.debugger.view.breakpoints
            set_there = next((row.number for row in rows if row.text == event.place), None)
            self.action_command(f"break {event.place}" if set_there is None else f"delete {set_there}")
        elif event.how == "inspect":
            self.action_inspect()
        else:
            self.action_command(f"goto {event.place}")
