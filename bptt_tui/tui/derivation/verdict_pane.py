"""A verdict to read and to walk over: terms beside contributions, factors, slips, the ledger of shapes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from bptt_tui.derivation.judging.lines import Told, Tone, told
from bptt_tui.derivation.judging.verdict import FactorVerdict, TermVerdict, Verdict
from bptt_tui.tui.derivation.rows import Key, Row, Rows
from bptt_tui.tui.ink import Line, wrapped

_INKS: dict[Tone, str] = {
    "plain": "plain", "strong": "strong", "dim": "dim", "good": "good", "bad": "error", "odd": "warning",
    "mark": "error",
}  # fmt: skip


class VerdictPane(Rows):
    """Draws one verdict, or a text where there is none. `space` opens a term, so that every factor has a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "open", "its factors", show=False, id="verdict.open"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._verdict: Verdict | None = None
        self._understood = ""
        self._instead: list[Line] = []
        self._opened: dict[Key, bool] = {}
        self._parts: dict[Key, TermVerdict | FactorVerdict] = {}
        self.entitle("verdict")

    def show(self, verdict: Verdict, understood: str) -> None:
        """Draw this verdict of a formula that was `understood` so; one that is shown already stays as it is."""
        if self._verdict is not verdict:
            self._opened = {}
            self.key = _first_amiss(verdict)
            self.scroll_to(0, 0, animate=False, force=True)
        self._verdict, self._understood = verdict, understood
        self.entitle(f"verdict: {verdict.outcome}", "enter takes you there · space its factors")
        self.lay_out()

    def show_text(self, lines: list[Line]) -> None:
        """Draw these lines where there is no verdict."""
        self._verdict = None
        self._instead = lines
        self.entitle("verdict")
        self.lay_out()

    def place_of(self, key: Key) -> str:
        """What `goto` takes to this factor, or else to its term; "" where it leads nowhere."""
        places = [self._parts[part].place for part in (key, key[:2]) if part in self._parts]
        return next(filter(None, places), "")

    def build(self, width: int) -> list[Row]:
        if self._verdict is None:
            self._parts = {}
            return [Row(line) for text in self._instead for line in wrapped(text, width)]
        lines = told(self._verdict, width, self._understood, self._is_open)
        self._parts = {line.key: line.part for line in lines if line.part is not None}
        return [_row(line) for line in lines]

    def _is_open(self, key: Key, term: TermVerdict) -> bool:
        return self._opened.get(key, term.outcome != "right")

    def action_open(self) -> None:
        """Open or close the term that the cursor stands on or in."""
        key = self.key[:2]
        term = self._parts.get(key)
        if isinstance(term, TermVerdict):
            self._opened[key] = not self._is_open(key, term)
            self.key = key
            self.lay_out()
            self.stand_on(key)


def _first_amiss(verdict: Verdict) -> Key:
    """The first term that is not right; nothing where all are."""
    for index, member in enumerate(verdict.members):
        for at, term in enumerate(member.terms):
            if term.outcome != "right":
                return index, at
    return ()


def _row(line: Told) -> Row:
    return Row(tuple((text, _INKS[tone]) for text, tone in line.runs), line.key)
