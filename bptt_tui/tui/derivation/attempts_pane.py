"""The attempts of the session, each with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from bptt_tui.debugger.attempts import Desk
from bptt_tui.derivation.judging.telling import GLYPHS
from bptt_tui.tui.derivation.rows import Row, Rows
from bptt_tui.tui.ink import fitted

_INKS = {"right": "good", "coincidence": "warning", "unknown": "warning"}


class AttemptsPane(Rows):
    """One line for every attempt; its key is its number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit", show=False, id="attempts.edit"),
        Binding("x,delete", "delete", "delete", show=False, id="attempts.delete"),
    ]

    class Edited(Message):
        """The learner wants this attempt back under the pen."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class Deleted(Edited):
        """The learner wants it no more."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._desk = Desk((), "")
        self._understood: Callable[[str], str] = str

    def show(self, desk: Desk, understood: Callable[[str], str]) -> None:
        """List these, each as it is understood: LaTeX is too long for a list."""
        self._desk, self._understood = desk, understood
        self.entitle(f"attempts {len(desk.attempts)}" if desk.attempts else "attempts", "enter judges · e edits")
        self.lay_out()

    def build(self, width: int) -> list[Row]:
        if not self._desk.attempts:
            return [Row((("none yet", "dim"),))]
        rows = []
        for number, formula, verdict in self._desk.attempts:
            glyph, ink = ("·", "dim") if verdict is None else (GLYPHS[verdict.outcome], "error")
            ink = ink if verdict is None else _INKS.get(verdict.outcome, ink)
            head = f"{number:>3} "
            text = fitted(self._understood(formula), max(width - len(head) - 3, 4))
            rows.append(Row(((" ", "plain"), (f"{glyph}", ink), (head, "dim"), (text, "plain")), (number,)))
        return rows

    def action_edit(self) -> None:
        if self.key:
            self.post_message(self.Edited(self.key[0]))

    def action_delete(self) -> None:
        if self.key:
            self.post_message(self.Deleted(self.key[0]))
