"""Where matrices lie in memory: in rows, from a multiple of 64 bytes on.

A product of a matrix that starts anywhere else takes a tenth longer, and one whose columns are contiguous may add up in
another order. So the same numbers give the same bits wherever they were read from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LINE = 64
SMALL = 256


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array to be filled, aligned."""
    length = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(length + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + length].view(dtype).reshape(shape)


def copied(array: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """A copy in rows; aligned where it is large enough to matter."""
    if array.size < SMALL:
        return np.array(array, dtype, order="C")
    result = empty(array.shape, dtype)
    result[...] = array
    return result
