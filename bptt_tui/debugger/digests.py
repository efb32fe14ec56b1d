"""Two words that stand for a row of numbers: rows are equal where their digests are, without being kept.

A search for changes would have to hold every value it has seen; of a matrix per timestep it holds 16 bytes. A digest
is two sums of the row's 32-bit words, each times a 64-bit key of its place: that two different rows share it has, for
keys drawn at random, a chance below 2⁻⁶⁴ (multilinear hashing: Carter and Wegman 1979, Dietzfelbinger 1996).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LANES = 2
_FOR_SHAPES = 32  # keys of a shape's sizes, which tell a row from a column


def digests(values: Array, rank: int) -> Array:
    """The digests `(…, 2)` of arrays in the last `rank` axes: equal for equal shapes with equal numbers.

    0 equals −0 and nan equals nan, as in a comparison of what is shown.
    """
    lead, shape = values.shape[: values.ndim - rank], values.shape[values.ndim - rank :]
    width = int(np.prod(shape, dtype=np.int64))
    rows = np.ascontiguousarray(values).reshape(-1, width) + 0.0  # −0 + 0 = 0
    unordered = np.isnan(rows)
    if unordered.any():
        rows[unordered] = np.nan
    words = rows.view(np.uint32).astype(np.uint64)
    keys = _keys(words.shape[1] + _FOR_SHAPES)
    sizes = np.array([rank, *shape], np.uint64)
    found = np.empty((len(words), LANES), np.uint64)
    for lane, key in enumerate(keys):
        of_shape = (sizes * key[: len(sizes)]).sum()
        found[:, lane] = np.einsum("ij,j->i", words, key[_FOR_SHAPES : _FOR_SHAPES + words.shape[1]]) + of_shape
    return found.reshape(*lead, LANES)


def _keys(count: int) -> Array:
    """At least `count` keys for each lane; the first ones are the same however many there are."""
    return _made_keys(1 << (count - 1).bit_length())


@lru_cache(maxsize=4)
def _made_keys(count: int) -> Array:
    """Random words: the splitmix64 generator (Steele, Lea and Flood 2014), counted from a place per lane."""
    z = np.arange(count, dtype=np.uint64) + (np.arange(1, LANES + 1, dtype=np.uint64) << np.uint64(40))[:, None]
    z *= np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
