"""‖x‖, the root of the sum of the squares, also where the squares themselves would overflow or vanish."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A sum of squares of at least this has lost nothing that counts to squares below the smallest double.
LEAST = 2.0**-900
# Squares of what is multiplied by this neither vanish, where the sum was below LEAST, nor, divided by it, overflow.
SCALE = 2.0**600
# einsum goes through longer rows in pieces, which begin elsewhere when a row is alone; it keeps no array of squares.
LONG = 1024


def norm(values: Array, rank: int) -> Array:
    """The norm over the last `rank` axes, in the shape of the axes before them: 0 of no entries, nan where one is.

    A slice alone has the digits that it has among others, whatever the layout in memory.
    """
    shape = values.shape[: values.ndim - rank]
    rows = np.ascontiguousarray(values).reshape(math.prod(shape), math.prod(values.shape[len(shape) :]))
    with np.errstate(all="ignore"):
        squares = _squares(rows)
        norms: Array = np.sqrt(squares)
        plain = (squares >= LEAST) & (squares < math.inf)
        if not plain.all():
            # Rows of zeros, of which a vanished gradient has many, are done.
            others = np.flatnonzero(~plain & rows.any(axis=1))
            scale = np.where(squares[others] < 1, SCALE, 1 / SCALE)
            scaled = rows[others]
            scaled *= scale[:, None]
            norms[others] = np.sqrt(_squares(scaled)) / scale
    return norms.reshape(shape)


def _squares(rows: Array) -> Array:
    """The sum of each row's squares."""
    sums: Array = np.einsum("ij,ij->i", rows, rows) if rows.shape[1] <= LONG else np.square(rows).sum(axis=1)
    return sums
