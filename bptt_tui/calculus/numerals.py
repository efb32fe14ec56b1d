"""Numbers as the screen prints them: 6 significant digits in panes, everything on inspection.

Exact 0, -0 and subnormals are told apart: `0`, `-0`, `4.94066e-324`. Arrays are abbreviated to one line, so that a
vector of any length has a place in a table: `[0.298 0.702]`, `[0.1 0.2 … 0.9]`. Where only zeros would be left of it,
its entry farthest from 0 stands among them: `[0 … -3.36 … 0]`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
SHORT = 3


def number(value: float, digits: int = DIGITS) -> str:
    """One number with `digits` significant digits: 0.522665, -1.06231, 1e-07, 0, -0, inf, nan."""
    text = f"{float(value):.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def exact(value: float) -> str:
    """One number in full: the shortest text that reads back as the same float."""
    return repr(float(value))


def for_json(value: Any) -> Any:
    """A float, or nested lists of floats, as JSON can have them: "NaN", "Infinity" and "-Infinity" are texts."""
    if isinstance(value, list):
        return [for_json(entry) for entry in value]
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def array(value: NDArray[np.float64] | float, width: int = 24, digits: int | None = None) -> str:
    """A scalar, vector or matrix on one line of at most about `width` cells.

    Scalars get 6 digits, entries of arrays 4 (or `digits`). Entries that do not fit are elided from the middle; a
    matrix shows its rows separated by `;`.
    """
    values = np.asarray(value, dtype=np.float64)
    if values.ndim == 0:
        return number(float(values), digits or DIGITS)
    if values.ndim == 1:
        return f"[{_row(values, width - 2, digits or 4)}]"
    rows = list(values)
    each = max((width - 2 - 2 * (len(rows) - 1)) // max(len(rows), 1), 8)
    if len(rows) > 2 and each * len(rows) > width:
        if not rows[0].any() and values.any():
            return f"[… {number(farthest(values), digits or SHORT)} …]"
        return f"[{_row(rows[0], max(width - 6, 8), digits or SHORT)}; …]"
    return "[" + "; ".join(_row(row, each, digits or SHORT) for row in rows) + "]"


def _row(values: Sequence[float] | NDArray[np.float64], width: int, digits: int) -> str:
    """Entries with spaces between, the middle elided where they do not fit."""
    total = len(values)
    shown = [number(float(v), digits) for v in (values if total <= width else [*values[:width], values[-1]])]
    if total <= width and len(" ".join(shown)) <= width:
        return " ".join(shown)
    last = shown[-1]
    head: list[str] = []
    for text in shown[:-1]:
        if len(" ".join([*head, text, "…", last])) > width and head:
            break
        head.append(text)
    if not np.any(values[: len(head)]) and not values[-1] and np.any(values):
        return _among_zeros(values, width, digits)
    return " ".join([*head, "…", last])


def _among_zeros(values: Sequence[float] | NDArray[np.float64], width: int, digits: int) -> str:
    """The entry farthest from 0 of those in the middle of a row that begins and ends with 0."""
    place = farthest_at(np.asarray(values))
    text = number(float(values[place]), digits)
    whole = f"0 … {text}{' …' * (place < len(values) - 2)} 0"
    return whole if len(whole) <= width else f"… {text} …"


def farthest_at(values: NDArray[np.float64]) -> int:
    """Where, counted along the rows, the entry farthest from 0 stands; NaN is farther than any."""
    with np.errstate(all="ignore"):
        return int(np.argmax(np.where(np.isnan(values), np.inf, np.abs(values))))


def farthest(values: NDArray[np.float64]) -> float:
    """The entry farthest from 0."""
    return float(values.flat[farthest_at(values)])


def matrix(value: NDArray[np.float64] | float, width: int = 60, height: int = 12) -> list[str]:
    """A scalar, vector or matrix on several aligned lines, what does not fit elided with `…`."""
    values = np.atleast_2d(np.asarray(value, dtype=np.float64))
    rows = [*range(min(len(values), height - 1)), len(values) - 1] if len(values) > height else range(len(values))
    cells = [[number(float(v), 4) for v in values[row][: width // 3]] for row in rows]
    columns = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells and cells[0] else []
    fitting = 0
    if len(columns) == values.shape[1] and sum(columns) + len(columns) + 1 <= width:
        fitting = len(columns)
    else:
        while fitting < len(columns) and sum(columns[: fitting + 1]) + fitting + 4 <= width:
            fitting += 1
    cut = fitting < values.shape[1]
    lines = [
        "[" + " ".join(text.rjust(columns[i]) for i, text in enumerate(row[:fitting])) + (" …]" if cut else "]")
        for row in cells
    ]
    if len(values) > height:
        lines.insert(-1, "⋮")
    return lines


def shape(value: tuple[int, ...]) -> str:
    """A shape in words: `scalar`, `vector (3,)`, `matrix (2, 3)`."""
    kind = ("scalar", "vector", "matrix")[len(value)] if len(value) < 3 else "array"
    return kind if not value else f"{kind} {value}"
