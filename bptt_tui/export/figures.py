"""Numbers in formulas: six digits for a scalar, four for an array's entries, large arrays by shape and size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus import numerals

ROWS, COLUMNS = 8, 8  # an array of at most so many is written out
_KEPT = 3  # rows or columns on either side of what is left out
_ENTRY_DIGITS = 4
_Item = TypeVar("_Item")


def number(value: float, digits: int = numerals.DIGITS) -> str:
    r"""A number in LaTeX: 0.522665, -1.5 \cdot 10^{-7}, \infty."""
    if not value:
        return "0"  # in a document a zero has no sign
    if math.isnan(value):
        return r"\mathrm{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, e, exponent = numerals.number(value, digits).partition("e")
    if not e:
        return mantissa
    power = f"10^{{{exponent}}}"
    return {"1": power, "-1": f"-{power}"}.get(mantissa, rf"{mantissa} \cdot {power}")


def array(value: NDArray[Any] | float) -> str:
    """A scalar as a number, a vector as a column, a matrix as such; the middle of a large one is left out."""
    values = np.asarray(value, dtype=np.float64)
    if not values.ndim:
        return number(float(values))
    return matrix(values.reshape(-1, 1) if values.ndim == 1 else values)


def matrix(values: NDArray[Any]) -> str:
    """Rows and columns between brackets."""
    if values.shape == (1, 1):
        return number(float(values[0, 0]))
    down, across = gapped(range(values.shape[0]), ROWS, _KEPT), gapped(range(values.shape[1]), COLUMNS, _KEPT)
    lines = []
    for i in down:
        if i is None:
            lines.append([r"\vdots" if j is not None else r"\ddots" for j in across])
        else:
            lines.append([r"\cdots" if j is None else number(float(values[i, j]), _ENTRY_DIGITS) for j in across])
    body = r" \\ ".join(" & ".join(line) for line in lines)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def ends(items: Sequence[_Item], most: int, kept: int) -> tuple[Sequence[_Item], Sequence[_Item]]:
    """What is shown: the first and the last `kept`; all as the first, and none as the last, of at most `most`."""
    return (items, items[:0]) if len(items) <= most else (items[:kept], items[len(items) - kept :])


def gapped(items: Sequence[_Item], most: int, kept: int) -> list[_Item | None]:
    """`ends` in one list, with None for what is left out between them."""
    first, last = ends(items, most, kept)
    return [*first, None, *last] if last else list(first)
