"""Arrays as pictures: every entry a glyph for its sign and its size, next to the largest of its array.

| size, of the largest entry | ≥ 1/3 | ≥ 1/10 | ≥ 1/100 | less | exactly 0 | not finite |
|---|---|---|---|---|---|---|
| a tile: positive, negative | `█+` `█-` | `▓+` `▓-` | `▒+` `▒-` | `░+` `░-` | ` 0` | `∞+` `∞-` ` ?` |
| in a row of one cell each: it stands, it hangs | `⣶` `⠿` | `⣤` `⠛` | `⣀` `⠉` | `⣀` `⠉` | `0` | `∞` `?` |

Colour (orange, blue) says the sign once more and never alone. An array with more entries than there are cells is drawn
by blocks: each shows its entry farthest from 0, so that what stands out still does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Value
from bptt_tui.tui.ink import Line, Run, merged

Ints = NDArray[np.intp]

_EDGES = np.array([0.01, 0.1, 1 / 3])
TILES = "░▒▓█"
_STANDING, _HANGING = "⣀⣀⣤⣶", "⠉⠉⠛⠿"

# Of the largest entry of each array, which stands beside it or is in sight.
TILES_MEAN: Line = (("█ ≥ ⅓, ▓ ≥ ⅒, ▒ ≥ 1/100 of the largest, ░ less", "faint"),)
ROWS_MEAN: Line = (("⣶ ≥ ⅓, ⣤ ≥ ⅒ of the largest, ⣀; ⠿ ⠛ ⠉ negative", "faint"),)


def largest(value: Value) -> float:
    """The entry farthest from 0, with its sign; of those that are finite, if any is."""
    finite = value[np.isfinite(value)]
    if not finite.size:
        return math.nan
    return float(finite[np.argmax(np.abs(finite))])


def summary(value: Value) -> str:
    """`largest -0.517`: what the tiles of an array are measured by."""
    return "all 0" if not value.any() else f"largest {numerals.number(largest(value), 3)}"


def tiles(value: Value, width: int, height: int) -> tuple[list[Line], str]:
    """Lines of tiles, two cells an entry, in at most `width` × `height` cells; and what a tile stands for if blocks.

    A vector is a row that is broken where it is longer than a line.
    """
    across, down = max(width // 2, 1), max(height, 1)
    if value.ndim == 2:
        shown, note = reduced(value, down, across)
        rows = list(shown)
    else:
        (line,), note = reduced(value.reshape(1, -1), 1, across * down)
        rows = [line[at : at + across] for at in range(0, len(line), across)]
    high = abs(largest(value))
    return [
        merged([_tile(float(entry), size) for entry, size in zip(row, _sizes(row, high), strict=True)]) for row in rows
    ], note


def row(value: Value, room: int, *, lit: bool = False) -> Line:
    """A vector as a row of at most `room` cells, one an entry, brackets included; `lit` at the current place."""
    (shown,), _ = reduced(value.reshape(1, -1), 1, max(room - 2, 1))
    sizes = _sizes(shown, abs(largest(value)))
    inside = [_cell(float(entry), size, lit) for entry, size in zip(shown, sizes, strict=True)]
    bracket = "now-dim" if lit else "faint"
    return merged([("[", bracket), *inside, ("]", bracket)])


def reduced(matrix: Value, rows: int, columns: int) -> tuple[Value, str]:
    """The matrix in at most `rows` × `columns` blocks, each by its entry farthest from 0 (NaN above all)."""
    height, width = matrix.shape
    if height <= rows and width <= columns:
        return matrix, ""
    down, across = -(-height // rows), -(-width // columns)
    padded = np.zeros((-(-height // down) * down, -(-width // across) * across))
    padded[:height, :width] = matrix
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across).swapaxes(1, 2)
    flat = blocks.reshape(*blocks.shape[:2], -1)
    size = np.where(np.isnan(flat), np.inf, np.abs(flat))
    place = np.argmax(size + np.isnan(flat), axis=2)
    return np.take_along_axis(flat, place[..., None], axis=2)[..., 0], f"a tile for {down}×{across}"


def _sizes(values: Value, high: float) -> Ints:
    """0 … 3 for every entry, by its share of the largest."""
    if not high > 0:
        return np.zeros(values.shape, dtype=np.intp)
    with np.errstate(all="ignore"):
        return np.digitize(np.abs(values) / high, _EDGES)


def _mark(entry: float) -> str:
    """What an entry without a size is: 0, ∞ or ?."""
    return "?" if math.isnan(entry) else "∞" if math.isinf(entry) else "0" if entry == 0 else ""


def tile(entry: float, high: float) -> Run:
    """One entry of an array whose largest is `high`."""
    return _tile(entry, int(_sizes(np.asarray(entry), high)))


def _tile(entry: float, size: int) -> Run:
    mark = _mark(entry)
    sign = "" if mark in ("?", "0") else "+" if entry > 0 else "-"
    if mark:
        return (f"{mark}{sign}".rjust(2), "faint" if mark == "0" else "error")
    return (TILES[size] + sign, f"heat-{'positive' if entry > 0 else 'negative'}-{size}")


def _cell(entry: float, size: int, lit: bool) -> Run:
    mark = _mark(entry)
    if mark:
        return (mark, "now-dim" if lit else "faint" if mark == "0" else "error")
    tone = "positive" if entry > 0 else "negative"
    return ((_STANDING if entry > 0 else _HANGING)[size], f"now-{tone}" if lit else f"heat-{tone}-{size}")
