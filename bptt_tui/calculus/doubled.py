"""Softmax's Jacobian to the last digit, for the timesteps that are looked at.

An entry oᵢ·oⱼ of it holds two exponentials and the square of their sum, each with an error of its own: in plain floats
that adds up to several units in the last place. Here every number on the way is the unevaluated sum of two floats
(Dekker 1971) beside a power of two, good for about 60 bits, and is rounded once, at the end. That takes microseconds
per timestep, not the few nanoseconds per number that a trace can spend; `kernels.softmax` serves it.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 64
# e^−800 is less than half the smallest subnormal, also as a factor of anything that is at most 1.
VANISHING = -800.0
LEAST = -(1 << 20)  # an exponent below all others
SPLITTER = 2.0**27 + 1.0


class Doubled(Struct, frozen=True):
    """The numbers (high + low)·2^exponent, with |low| at most half a unit in the last place of high."""

    high: Array
    low: Array
    exponent: NDArray[np.int64]

    def parts(self, exponent: NDArray[np.int64] | int) -> Array:
        """Both parts in one row, in units of 2^exponent."""
        shift = self.exponent - exponent
        result: Array = np.concatenate([np.ldexp(self.high, shift), np.ldexp(self.low, shift)], axis=-1)
        return result

    def without(self, rows: NDArray[np.int64], entries: NDArray[np.int64]) -> Doubled:
        """Some of the rows, each with one entry made 0."""
        high, low, exponent = self.high[rows], self.low[rows], self.exponent[rows]
        each = np.arange(len(rows))
        high[each, entries], low[each, entries], exponent[each, entries] = 0.0, 0.0, LEAST
        return Doubled(high, low, exponent)


def softmax_jacobian(q: Array) -> Array:
    """diag(o) − o·oᵀ for o = softmax(q) of vectors `(…, n)`, `(…, n, n)`; within 3 ulp, subnormal entries included."""
    n = q.shape[-1]
    with np.errstate(all="ignore"):
        o = _softmax(q.reshape(-1, n))
        products = _outer(o.high, o.high) + (_outer(o.high, o.low) + _outer(o.low, o.high))
        jacobian = -np.ldexp(products, o.exponent[:, :, None] + o.exponent[:, None, :])
        jacobian[:, range(n), range(n)] = _diagonal(o)
    return np.asarray(jacobian.reshape(*q.shape, n))


def _outer(a: Array, b: Array) -> Array:
    return a[:, :, None] * b[:, None, :]


def _diagonal(o: Doubled) -> Array:
    """oᵢ·(1 − oᵢ), where above one half 1 − oᵢ is the sum of the others."""
    own = np.ldexp(o.high, o.exponent)
    rest, exponent = (1.0 - own) - np.ldexp(o.low, o.exponent), np.zeros_like(o.exponent)
    rows, entries = np.nonzero(own >= 0.5)
    if len(rows):
        others = o.without(rows, entries)
        largest = others.exponent.max(axis=1)
        exponent[rows, entries] = largest
        rest[rows, entries] = _exact_sums(others.parts(largest[:, None]))[:, 0]
    result: Array = np.ldexp((o.high + o.low) * rest, o.exponent + exponent)
    return result


def _softmax(q: Array) -> Doubled:
    powers = _exp_of_difference(q, q.max(axis=1, keepdims=True))
    parts = powers.parts(0)
    total = _exact_sums(parts)
    missing = _exact_sums(np.concatenate([parts, -total], axis=1))
    share = powers.high / total
    remainder = powers.low - _excess(share, total, powers.high) - share * missing
    return Doubled(share, remainder / total, powers.exponent)


def _exact_sums(rows: Array) -> Array:
    """Each row's sum, rounded once, `(rows, 1)`."""
    return np.array([math.fsum(row) for row in rows.tolist()]).reshape(-1, 1)


def _exp_of_difference(a: Array, b: Array) -> Doubled:
    """e^(a − b) for a ≤ b: 2^(n/64) from a table, times e^r with |r| ≤ ln 2 / 128."""
    table, log_high, log_low = _powers_of_two()
    difference = a - b
    moved = difference - a
    lost = (a - (difference - moved)) - (b + moved)
    gone = difference < VANISHING
    difference, lost = np.where(gone, 0.0, difference), np.where(gone, 0.0, lost)
    steps = np.rint(difference / (log_high + log_low))
    rest = (difference - steps * log_high) - steps * log_low + lost
    known = np.where(np.isnan(steps), 0.0, steps).astype(np.int64)
    base, small = table[:, known % STEPS]
    small = small + base * np.expm1(rest)
    high = base + small
    low = small - (high - base)
    return Doubled(np.where(gone, 0.0, high), np.where(gone, 0.0, low), np.where(gone, 0, known // STEPS))


def _excess(a: Array, b: Array, product: Array) -> Array:
    """a·b − product, exactly, for a `product` that is close to it: both factors cut in halves (Veltkamp, Dekker)."""
    a_high = SPLITTER * a - (SPLITTER * a - a)
    b_high = SPLITTER * b - (SPLITTER * b - b)
    a_low, b_low = a - a_high, b - b_high
    result: Array = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return result


@cache
def _powers_of_two() -> tuple[Array, float, float]:
    """2^(j/64) for j = 0 … 63 as two rows of floats that add up to it, and ln 2 / 64 as two floats.

    The first of those has 32 bits, so that its product with a whole number of steps is exact.
    """
    from decimal import Decimal, localcontext  # wanted only when a Jacobian is looked at

    with localcontext() as context:
        context.prec = 50
        exact = [Decimal(2) ** (Decimal(j) / STEPS) for j in range(STEPS)]
        log = Decimal(2).ln() / STEPS
        high = [float(power) for power in exact]
        low = [float(power - Decimal(near)) for power, near in zip(exact, high, strict=True)]
        log_high = math.floor(log * 2**38) / 2**38
        return np.array([high, low]), log_high, float(log - Decimal(log_high))
