"""Shapes and how operations combine them: scalar `()`, vector `(n,)`, matrix `(m, n)`.

A rule takes the arguments' shapes and returns the result's, or raises `Mismatch` with a reason in words. The
network adds the equation and the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Shape = tuple[int, ...]
ShapeRule = Callable[..., Shape]


class Mismatch(Exception):
    """Shapes that an operation cannot combine; the text is the reason, `hint` what would be right."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def size(shape: Shape) -> int:
    """How many numbers a value of this shape holds."""
    return math.prod(shape)


def spell(shape: Shape) -> str:
    """`a scalar`, `a vector (3,)`, `a matrix (2, 3)`."""
    if not shape:
        return "a scalar"
    return f"a {'vector' if len(shape) == 1 else 'matrix'} {shape}"


def shape_text(shape: Shape) -> str:
    """`2×3`, `3`; nothing for a scalar."""
    return "×".join(map(str, shape))


def same(shape: Shape) -> Shape:
    """One argument, unchanged."""
    return shape


def broadcast(a: Shape, b: Shape) -> Shape:
    """Elementwise: equal shapes, or a scalar with anything."""
    if a == b or not b:
        return a
    if not a:
        return b
    raise Mismatch(
        f"{spell(a)} and {spell(b)} cannot be combined elementwise",
        "both must have one shape, or one of them be a scalar; @ is the matrix product",
    )


def product(a: Shape, b: Shape) -> Shape:
    """`@`: the last axis of the left side meets the first axis of the right side."""
    if not a or not b:
        raise Mismatch(
            f"{spell(a)} @ {spell(b)}: a matrix product needs a vector or matrix on both sides",
            "use * with a scalar",
        )
    if a[-1] != b[0]:
        hint = "the inner sizes must be equal"
        if len(a) == 2 and a[0] == b[0]:
            hint = f"{a[0]} stands first on the left: give that matrix transposed, as {a[::-1]}"
        raise Mismatch(f"{spell(a)} @ {spell(b)}: {a[-1]} meets {b[0]}", hint)
    return a[:-1] + b[1:]


def inner(a: Shape, b: Shape) -> Shape:
    """dot: two vectors of one length."""
    if len(a) != 1 or a != b:
        raise Mismatch(f"dot of {spell(a)} and {spell(b)}", "dot takes two vectors of one length")
    return ()


def scalar(_shape: Shape) -> Shape:
    """A sum over everything."""
    return ()


def vector_or_scalar(shape: Shape) -> Shape:
    """softmax: one vector of logits (a scalar counts as one logit)."""
    if len(shape) > 1:
        raise Mismatch(f"softmax of {spell(shape)}", "softmax takes a vector of logits")
    return shape


def class_loss(o: Shape, y: Shape) -> Shape:
    """cross_entropy: a vector of probabilities and a class index or a distribution of the same length."""
    if len(o) > 1 or y not in ((), o):
        raise Mismatch(
            f"cross_entropy of {spell(o)} and {spell(y)}",
            "it takes a vector of probabilities, then a class index or a vector of the same length",
        )
    return ()


def pair_loss(o: Shape, y: Shape) -> Shape:
    """A loss summed over equal entries; a scalar target counts for every entry."""
    broadcast(o, y)
    if y and not o:
        raise Mismatch(f"{spell(o)} compared with {spell(y)}", "both must have one shape")
    return ()


def joined(*shapes: Shape) -> Shape:
    """concat: vectors and scalars end to end."""
    for shape in shapes:
        if len(shape) > 1:
            raise Mismatch(f"concat of {spell(shape)}", "concat takes vectors and scalars")
    return (sum(size(shape) for shape in shapes),)
