"""Softmax's Jacobian to the last digit, for the one timestep that is looked at.

An entry oᵢ·oⱼ of it holds two exponentials and the square of their sum, each with an error of its own: in plain floats
that adds up to several units in the last place. Here every number on the way is the unevaluated sum of two floats
(Dekker 1971) beside a power of two, good for about 60 bits, and is rounded once, at the end. That takes microseconds,
but not the few nanoseconds per number that a whole history can spend; `kernels.softmax` serves those.
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
SPLITTER = 2.0**27 + 1.0


class Doubled(Struct, frozen=True):
    """The numbers (high + low)·2^exponent, with |low| at most half a unit in the last place of high."""

    high: Array
    low: Array
    exponent: NDArray[np.int64]

    def parts(self, exponent: int) -> Array:
        """Both parts in one row, in units of 2^exponent."""
        result: Array = np.ldexp(np.concatenate([self.high, self.low]), np.tile(self.exponent, 2) - exponent)
        return result

    def without(self, i: int) -> Doubled:
        """All but entry i."""
        return Doubled(np.delete(self.high, i), np.delete(self.low, i), np.delete(self.exponent, i))


def softmax_jacobian(q: Array) -> Array:
    """diag(o) − o·oᵀ for o = softmax(q) of a vector `(n,)`, `(n, n)`; within 3 ulp, subnormal entries included."""
    with np.errstate(all="ignore"):
        o = _softmax(q)
        products = np.outer(o.high, o.high) + (np.outer(o.high, o.low) + np.outer(o.low, o.high))
        jacobian = -np.ldexp(products, np.add.outer(o.exponent, o.exponent))
        np.fill_diagonal(jacobian, _diagonal(o))
    return jacobian


def _diagonal(o: Doubled) -> Array:
    """oᵢ·(1 − oᵢ), where above one half 1 − oᵢ is the sum of the others."""
    own = np.ldexp(o.high, o.exponent)
    rest, exponent = (1.0 - own) - np.ldexp(o.low, o.exponent), np.zeros_like(o.exponent)
    for i in np.flatnonzero(own >= 0.5).tolist():
        others = o.without(i)
        if len(others.exponent):
            exponent[i] = others.exponent.max()
        rest[i] = math.fsum(others.parts(int(exponent[i])))
    result: Array = np.ldexp((o.high + o.low) * rest, o.exponent + exponent)
    return result


def _softmax(q: Array) -> Doubled:
    powers = _exp_of_difference(q, q.max())
    parts = powers.parts(0)
    total = math.fsum(parts)
    missing = math.fsum([*parts, -total])
    share = powers.high / total
    remainder = powers.low - _excess(share, total, powers.high) - share * missing
    return Doubled(share, remainder / total, powers.exponent)


def _exp_of_difference(a: Array, b: float) -> Doubled:
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


def _excess(a: Array, b: float, product: Array) -> Array:
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
