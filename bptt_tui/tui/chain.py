"""The chain from E: one path as a product of local partials, with shape and running product under every factor.

    ∂E/∂s₀ =  ∂E/∂o  ·     ∂o/∂q      ·  ∂q/∂s₁  ·  ∂s₁/∂z₁  · …
    formula   −y/o     diag(o) − o·oᵀ      v        1 − s₁²
    value    [-3.36 0]      …
    shape      1×2          2×2            2×1        1×1
    running  [-3.36 0]  [-.702 .702]     -1.334     -1.06231

On a narrow screen the factors stand under each other. What does not fit is left out at the head, next to E, because the
current factor is at the tail.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from textual import events

from bptt_tui.debugger.view import HIDDEN, Factor, Missing, Pane, Shown, View
from bptt_tui.tui.figures import NOTHING_LEFT, shown, squeezed
from bptt_tui.tui.ink import Line, Run, fitted, width_of, wrapped
from bptt_tui.tui.pane import Lines, loss_name
from bptt_tui.tui.pane import Pane as Framed
from bptt_tui.tui.pointing import Pointed, how_clicked, place_in_words
from bptt_tui.tui.signs import by_norm, sign

_FORMULA = 4  # cells that a formula has at the least
_NARROW = 60  # below this width factors stand under each other
_LABELS = ("", "formula", "value", "shape", "running")
_TIMES = "·"
_MOST = 400  # factors asked for where they stand under each other


class _Column(Struct, frozen=True):
    """One factor as five texts, and how wide the widest is."""

    factor: Factor
    texts: tuple[str, str, str, str, str]
    width: int


class ChainPane(Lines, Framed):
    """Draws `View.chain`."""

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        chain = view.chain
        self.entitle(f"3 chain from {loss_name(view)}", chain.note)
        if view.phase == "forward":
            if view.pane is None or not view.pane.partials:
                return _before(view, width)
            self.entitle("3 factors for the chain", f"local partials of {view.pane.ref.label}")
            return _to_come(view.pane, width)
        if width < _NARROW:
            factors = chain.factors(_MOST)
            return _standing(chain.title, factors, len(factors) < _MOST and chain.complete, width)
        blocks = max((height + 1) // 6, 1)
        return _lying(view, width, blocks)

    def on_click(self, event: events.Click) -> None:
        """A factor leads to where it enters: the gradient of its source going backward, the source going forward."""
        at = event.get_content_offset(self)
        factor = None if at is None else self._factor_at(at.x, at.y + self.scroll_offset.y)
        if factor is None or self.view is None or factor.source.kind not in ("node", "use"):
            return
        place = place_in_words(factor.source)
        if self.view.phase == "backward" and factor.source.kind == "node":
            place = f"d{loss_name(self.view)}/d{place}"
        self.post_message(Pointed(place, how_clicked(event)))

    def _factor_at(self, x: int, y: int) -> Factor | None:
        """The factor whose title stands at a place, or above it in the same block."""
        view = self.view
        if view is None or not 0 <= y < len(self._lines):
            return None
        forward = view.phase == "forward" and view.pane is not None
        shown = view.pane.partials if forward and view.pane is not None else view.chain.factors(_MOST)
        titles = {factor.title: factor for factor in shown}
        while y >= 0 and self._lines[y]:
            start = 0
            for text, _ in self._lines[y]:
                end = start + width_of(text)
                if start <= x < end and text.strip() in titles:
                    return titles[text.strip()]
                start = end
            y -= 1
        return None

    def lay_out(self, view: View) -> None:
        super().lay_out(view)
        if self.inner.width < _NARROW:
            self.scroll_to(0, max(len(self._lines) - self.inner.height, 0), animate=False, force=True)


def _before(view: View, width: int) -> list[Line]:
    left = view.forward_steps - view.position
    wait = "with the next step" if left <= 0 else f"after {left} more node{'s' * (left > 1)} forward"
    return wrapped(((f"The chain of local partials starts at the loss, {wait}.", "dim"),), width)


def _to_come(pane: Pane, width: int) -> list[Line]:
    """Forward: the current node's local partials, the factors that it will give to chains."""
    room = width - 9
    columns = [_column(replace(factor, current=False), 22, 9) for factor in pane.partials]
    lines: list[Line] = []
    for block in _broken(columns, room):
        lines += [(), *_block(block, 9, "factors", more=False, first=True, rows=4, times=" ")]
    return lines[1:]


# Factors side by side


def _lying(view: View, width: int, blocks: int) -> list[Line]:
    """Factors side by side, in up to `blocks` blocks of five lines, with fewer digits before anything is left out."""
    chain = view.chain
    gutter = max(width_of(chain.title) + 3, 9)
    room = width - gutter
    asked = blocks * (room // _NARROWEST) + 1
    factors = chain.factors(asked)
    whole = len(factors) < asked and chain.complete
    if not factors:
        return wrapped(((f"{chain.title} = 1: the product starts here.", "dim"),), width)
    rows: list[list[_Column]] = []
    # What shows with few digits sets how many factors there are; more digits are taken while as many show.
    for digits, array_width in _FIGURES:
        wider = _fitting([_column(factor, array_width, digits) for factor in factors], whole, room, blocks)
        if rows and _count(wider) < _count(rows):
            break
        rows = wider
    cut = not whole or _count(rows) < len(factors)
    lines: list[Line] = []
    for i, row in enumerate(rows):
        if i:
            lines.append(())
        lines += _block(row, gutter, f"{chain.title} =" if i == 0 else "", more=i == 0 and cut, first=i == 0)
    return lines


def _column(factor: Factor, array_width: int, digits: int) -> _Column:
    """The texts of one factor; the current one keeps all its digits."""
    keep = 12 if factor.current else digits
    rows, columns = factor.shape

    def text(value: Shown) -> str:
        single = isinstance(value, Missing) or value.size == 1
        return _told(value, keep if single else max(array_width, _FIGURES[-1][1]) if factor.current else array_width)

    hidden = factor.symbol == HIDDEN.value
    value = text(squeezed(factor.value)) if factor.value is not None else HIDDEN.value if hidden else "too large"
    texts = (factor.title, factor.symbol, value, f"{rows}×{columns}", text(factor.running))
    return _Column(factor, texts, max(width_of(text) for text in texts) + (2 if factor.current else 0))


def _told(value: Shown, width: int) -> str:
    """A value in at most `width` cells; an array of which no entry would be left by its norm."""
    text = shown(value, width)
    return by_norm(value, width) if text == NOTHING_LEFT and not isinstance(value, Missing) else text


_BETWEEN = 3
_MORE = " ⋯ ·"
_NARROWEST = 7 + _BETWEEN  # cells of the narrowest factor, ∂z₁/∂a₁, and of the dot before it
_FIGURES = ((7, 11), (9, 13), (9, 22))  # digits of a number, cells of an array


def _broken(columns: Sequence[_Column], room: int) -> list[list[_Column]]:
    """Columns in rows of at most `room` cells, in order."""
    rows: list[list[_Column]] = [[]]
    used = 0
    for column in columns:
        if rows[-1] and used + _BETWEEN + column.width > room:
            rows.append([])
            used = 0
        # The first block begins with its title, every other with the dot that joins it to the one before.
        used += column.width + (_BETWEEN if rows[-1] or len(rows) > 1 else 0)
        rows[-1].append(column)
    return rows


def _fitting(columns: Sequence[_Column], whole: bool, room: int, blocks: int) -> list[list[_Column]]:
    """All columns in at most `blocks` rows, or as many of the last as fit there beside a mark for the others."""
    rows = _broken(columns, room)
    if whole and len(rows) <= blocks:
        return rows
    backwards = _broken(list(reversed(columns)), room - len(_MORE) - 1)[:blocks]
    return [list(reversed(row)) for row in reversed(backwards)]


def _count(rows: Sequence[Sequence[_Column]]) -> int:
    return sum(len(row) for row in rows)


def _block(
    columns: Sequence[_Column],
    gutter: int,
    title: str,
    *,
    more: bool,
    first: bool,
    rows: int = len(_LABELS),
    times: str = _TIMES,
) -> list[Line]:
    """Up to five lines: titles, formulas, values, shapes, running products; `times` stands between factors."""
    lines: list[Line] = []
    for row, label in enumerate(_LABELS[:rows]):
        runs: list[Run] = [(fitted(title if row == 0 else label, gutter), "strong" if row == 0 else "faint")]
        if more:
            runs.append((_MORE if row == 0 else " " * len(_MORE), "dim"))
        for i, column in enumerate(columns):
            if i or more or not first:
                mark = "Σ" if column.factor.branches > 1 and times == _TIMES else times
                between = f" {mark} " if i or not first else " "
                runs.append((between if row == 0 else " " * len(between), "dim"))
            runs += _entry(column, row)
        lines.append(tuple(runs))
    return lines


def _entry(column: _Column, row: int) -> list[Run]:
    """One text of one factor, centred; the current factor stands between brackets."""
    text = column.texts[row]
    ink = ("name", "symbol", "plain", "faint", sign(column.factor.running).ink)[row]
    if not column.factor.current:
        return [(fitted(text, column.width, "centre"), ink)]
    tone = sign(column.factor.running).tone
    inner = ("now", "now-dim", "now", "now-dim", f"now-{tone}")[row]
    return [
        ("▐" if row == 0 else " ", "now-mark"),
        (fitted(text, column.width - 2, "centre"), inner),
        ("▌" if row == 0 else " ", "now-mark"),
    ]


# Factors under each other


def _standing(title: str, factors: Sequence[Factor], whole: bool, width: int) -> list[Line]:
    """One factor a line: the partial, its formula, its shape, the running product; a long title has its own line."""
    lines: list[Line] = [((f"{title} =", "strong"), ("" if whole else "  ⋯", "dim"))]
    left = max((width_of(f.title) for f in factors), default=0)
    run = 12
    shape = 4
    beside = width - left - run - shape - 6
    own_line = beside < _FORMULA
    middle = width - run - shape - 7 if own_line else beside
    for i, factor in enumerate(factors):
        rows, columns = factor.shape
        mark = "Σ" if factor.branches > 1 else "·" if i else " "
        here = sign(factor.running)
        now = factor.current
        start: Line = ((f"{mark} ", "dim"), (fitted(factor.title, left + 1), "now" if now else "name"))
        if own_line:
            lines.append(((f"{mark} ", "dim"), (fitted(factor.title, width - 2).rstrip(), "now" if now else "name")))
            start = (("   ", "plain"),)
        lines.append(
            (
                *start,
                (fitted(factor.symbol, middle) + " ", "now-dim" if now else "symbol"),
                (fitted(f"{rows}×{columns}", shape + 1), "now-dim" if now else "faint"),
                (fitted(_told(factor.running, run), run), f"now-{here.tone}" if now else here.ink),
                ("◂" if now else " ", "accent"),
            )
        )
    return lines
