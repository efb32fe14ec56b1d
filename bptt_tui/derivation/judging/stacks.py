"""Values at several draws side by side, `(draws, rows, columns)`: comparing, multiplying, fitting one to another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt_tui.derivation.judging.samples import Stack, diagonal

RTOL = 1e-7


def close(a: Stack, b: Stack, scale: Stack | float = 0.0, rtol: float = RTOL) -> Stack:
    """At which draws two values are one, up to rounding, `(draws,)`; `scale` is the size of what was added up."""
    with np.errstate(all="ignore"):
        gap = largest(a - b)
        # Beside an infinite value every gap would be small.
        near = gap <= rtol * np.maximum(largest(a), largest(b)) + 1e-11 * np.asarray(scale)
        return np.asarray(near & np.isfinite(gap))


def same(a: Stack, b: Stack) -> bool:
    """Whether two values agree at every random draw."""
    return a.shape == b.shape and bool(close(a, b)[drawn(a)].all())


def drawn(value: Stack) -> slice:
    """The draws without the session's own numbers, or those where there is nothing else."""
    return slice(1, None) if len(value) > 1 else slice(None)


def largest(value: Stack) -> Stack:
    """The largest entry at every draw, `(draws,)`."""
    return np.asarray(np.abs(value).reshape(len(value), -1).max(axis=1))


def is_one(value: Stack) -> bool:
    """Whether a factor changes nothing: 1, or an identity matrix."""
    rows, columns = value.shape[1:]
    return rows == columns and bool(np.abs(value - np.eye(rows)).max() <= 1e-12)


def by_matrix(a: Stack, b: Stack) -> Stack | None:
    """The matrix product, None where the inner sizes differ."""
    return np.matmul(a, b) if a.shape[2] == b.shape[1] else None


def by_entries(a: Stack, b: Stack) -> Stack | None:
    """The product by entries of equal shapes or of two vectors, None otherwise."""
    if a.shape == b.shape:
        return a * b
    if 1 in a.shape[1:] and b.shape[1:] == (a.shape[2], a.shape[1]):
        return a * b.transpose(0, 2, 1)
    return None


def by_inner(a: Stack, b: Stack) -> Stack | None:
    """aᵀb of two columns of one length, None of anything else."""
    return np.matmul(a.transpose(0, 2, 1), b) if a.shape == b.shape and a.shape[2] == 1 < a.shape[1] else None


def like(b: Stack, a: Stack) -> Stack | None:
    """`b` in the shape of `a` where it is the same thing written otherwise: a row for a column, a matrix row by row.

    A number goes with anything; None where the two do not fit.
    """
    if a.shape == b.shape or (1, 1) in (a.shape[1:], b.shape[1:]):
        return b
    entries = a.shape[1] * a.shape[2]
    if b.shape[1] * b.shape[2] == entries and (1 in b.shape[1:] or 1 in a.shape[1:]):
        return b.reshape(a.shape)
    return None


def one_hot(value: Stack, classes: int) -> Stack:
    """Class indices as columns with one 1."""
    indices = value.reshape(len(value), -1)[:, 0].astype(int)
    return np.asarray(np.eye(classes)[np.clip(indices, 0, classes - 1)][:, :, None])


def lowered(stack: Stack) -> Stack:
    """A stack in the ranks of the language: scalars (draws,), vectors (draws, n)."""
    draws, rows, columns = stack.shape
    if rows == columns == 1:
        return stack.reshape(draws)
    return stack.reshape(draws, -1) if 1 in (rows, columns) else stack


def on_diagonal(value: Stack) -> Stack | None:
    """The diagonal matrix of a vector's entries; None of a number or a matrix."""
    rows, columns = value.shape[1:]
    if 1 not in (rows, columns) or rows == columns:
        return None
    return np.asarray(value.reshape(len(value), -1, 1) * np.eye(rows * columns))


def vectors_too(value: Stack) -> Iterator[Stack]:
    """A value, and of a diagonal matrix the diagonal, which does the same entry by entry."""
    yield value
    found = diagonal(value) if value.shape[1] > 1 else None
    if found is not None:
        yield found.transpose(0, 2, 1)
