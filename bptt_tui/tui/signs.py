"""How a gradient looks before anybody reads its digits: a glyph and an ink for its sign and size, a bar for its norm.

| glyph | meaning |
|---|---|
| ▲ ▴ ▵ | every entry ≥ 0; the largest is ≥ 1, ≥ 0.01, smaller |
| ▼ ▾ ▿ | every entry ≤ 0 |
| ◆ ◈ ◇ | entries of both signs |
| 0 ∞ ? | exactly zero, infinite, not a number |
| · | not yet computed |
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from bptt_tui.debugger.view import Missing, Scale, Shown, Value
from bptt_tui.tui.figures import NOT_YET_MARK, figure, norm

_GLYPHS = {"positive": "▵▴▲", "negative": "▿▾▼", "mixed": "◇◈◆"}
_BARS = " ▁▂▃▄▅▆▇█"

FLAGS: dict[Scale, tuple[str, str]] = {
    "ok": (" ", "plain"),
    "zero": (" ", "plain"),
    "subnormal": ("↓", "warning"),
    "underflow": ("↓", "warning"),
    "saturated": ("~", "warning"),
    "overflow": ("!", "error"),
    "nan": ("!", "error"),
}


class Sign(Struct, frozen=True):
    """`glyph` to draw, `ink` to draw it in, and `tone` (positive, negative, mixed, …) for a highlighted place."""

    glyph: str
    ink: str
    tone: str


def sign(value: Shown) -> Sign:
    """The glyph and the ink of a gradient."""
    if isinstance(value, Missing):
        return Sign(NOT_YET_MARK if value is Missing.NOT_YET else " ", "faint", "dim")
    if np.isnan(value).any():
        return Sign("?", "error", "mark")
    if np.isinf(value).any():
        return Sign("∞", "error", "mark")
    if not value.any():
        return Sign("0", "dim", "dim")
    tone = "positive" if (value >= 0).all() else "negative" if (value <= 0).all() else "mixed"
    largest = float(np.abs(value).max())
    size = 2 if largest >= 1 else 1 if largest >= 0.01 else 0
    return Sign(_GLYPHS[tone][size], f"{tone}-{size + 1}", tone)


def by_norm(value: Value, width: int) -> str:
    """An array that does not fit, in at most `width` cells, by its sign and its norm: `◇ ‖0.00728‖`."""
    return f"{sign(value).glyph} ‖{figure(norm(value), width - 4)}‖"


class LogScale(Struct, frozen=True):
    """Heights for norms that span decades: the largest finite one is full, at least three decades show."""

    low: float
    high: float

    @classmethod
    def of(cls, norms: Value) -> LogScale | None:
        """The scale of the finite, positive norms, or None without any."""
        usable = norms[np.isfinite(norms) & (norms > 0)]
        if not len(usable):
            return None
        high = math.log10(float(usable.max()))
        return cls(min(math.log10(float(usable.min())), high - 3.0), high)

    def eighths(self, norm: float, lines: int) -> int:
        """How many eighths of a cell a bar of `lines` lines fills, at least one."""
        share = (math.log10(norm) - self.low) / (self.high - self.low)
        return max(1, round(share * 8 * lines))


def bar(eighths: int, line_from_bottom: int) -> str:
    """The character of a bar on one line."""
    return _BARS[min(max(eighths - 8 * line_from_bottom, 0), 8)]
