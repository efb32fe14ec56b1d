"""The header and the foot of the derivation screen."""

from __future__ import annotations

from collections import Counter

from bptt_tui.debugger.attempts import Desk
from bptt_tui.derivation.judging.telling import GLYPHS
from bptt_tui.tui.ink import Line, Run, fitted, line_width, width_of
from bptt_tui.tui.pane import Bar

#           where the keys go:   key, what it does; those that matter most first
KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "formula": (("enter", "judge"), ("tab", "verdict"), ("esc", "back"), ("^l", "∂E/∂…"), ("^j", "new line"),
                ("F1", "notation")),
    "verdict": (("enter", "go there"), ("tab", "attempts"), ("esc", "back"), ("↑↓", "terms, factors"),
                ("space", "factors"), ("F1", "notation")),
    "attempts": (("enter", "judge"), ("e", "edit"), ("tab", "formula"), ("esc", "back"), ("x", "delete"),
                 ("F1", "notation")),
}  # fmt: skip


class DerivationHeader(Bar):
    """`derivation · title`, and how many attempts there are, by outcome."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._title = ""
        self._desk = Desk((), "")

    def show_desk(self, title: str, desk: Desk) -> None:
        self._title, self._desk = title, desk
        self.refresh()

    def line(self, width: int) -> Line:
        outcomes = Counter(one.verdict.outcome for one in self._desk.attempts if one.verdict is not None)
        facts: list[Run] = []
        for outcome, glyph in GLYPHS.items():
            if outcomes[outcome]:  # type: ignore[index]
                facts.append((f"{glyph} {outcomes[outcome]}  ", "good" if outcome == "right" else "plain"))  # type: ignore[index]
        badge: Run = (" DERIVATION ", "forward")
        room = width - line_width((badge, *facts)) - 3
        title = fitted(self._title, max(room, 0))
        return (badge, (f"  {title} ", "strong"), *facts)


class DerivationKeys(Bar):
    """The keys of the part that has them."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._where = "formula"

    def show_keys(self, where: str) -> None:
        self._where = where
        self.refresh()

    def line(self, width: int) -> Line:
        runs: list[Run] = [(" ", "plain")]
        for key, label in KEYS[self._where]:
            if line_width(runs) + width_of(key) + width_of(label) + 2 > width:
                break
            runs += [(key, "accent"), (f" {label}  ", "dim")]
        return tuple(runs)
