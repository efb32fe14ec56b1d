"""Editing in place: what `e` and `E` put on the command line, and the list of an array's entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Missing, Value, View
from bptt_tui.language.labels import entry_of

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_ON_THE_LINE = 4  # entries of an array that are edited as one list
CHECKED = ("set", "equation")  # commands whose lines are tried while they are typed
_MOST_POSITIONS = 20_000  # of a trace that is computed anew with every letter


class Editable(NamedTuple):
    """A value with the name that `set` takes; `index` counts further indices of an entry after those of the name."""

    name: str
    value: Value

    def entry(self, index: tuple[int, ...]) -> str:
        """The name of an entry: `W[1,2]`, `h[3,1]`."""
        return entry_of(self.name, index)


def editable(view: View) -> Editable | None:
    """The present node's value, or the parameter of the present use; None where there is none or it is hidden."""
    pane = view.pane
    if pane is None or pane.ref.kind not in ("node", "use"):
        return None
    if pane.ref.kind == "use":
        rows = view.contributions.rows
        return Editable(pane.ref.name, view.contributions.parameter(rows.index(pane.ref.name)))
    if isinstance(pane.value, Missing):
        return None
    return Editable(f"{pane.ref.name}[{pane.ref.t}]", pane.value)


def as_line(found: Editable) -> str | None:
    """The value as a list or number in full precision; None where it is too long for the line."""
    if found.value.size > _ON_THE_LINE:
        return None
    return numerals.exact(float(found.value)) if found.value.ndim == 0 else repr(found.value.tolist())


def equation_of(debugger: Debugger, view: View) -> str:
    """The present node's equation as the session has it; empty where there is none."""
    if view.pane is None:
        return ""
    name = view.pane.equation.partition("=")[0] if view.pane.ref.kind == "use" else view.pane.ref.name
    texts = debugger.state.session.equations
    return next((text for text in texts if text.partition("=")[0].strip() == name.strip()), "")


def can_be_tried(debugger: Debugger, line: str) -> bool:
    """Whether a line is an edit, and cheap enough to be tried with every letter."""
    word, _, rest = line.strip().partition(" ")
    return word in CHECKED and bool(rest.strip()) and debugger.last <= _MOST_POSITIONS
