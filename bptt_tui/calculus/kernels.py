"""What the operations compute, and how they pull a gradient back: plain functions on arrays.

Arrays may have one leading axis (time, or the rows of an identity when a dense Jacobian is wanted) before their
own shape; arguments without it are the same for every entry. So an argument of shape `(n,)` arrives as `(n,)` or
`(T, n)`, and results have the leading axis when any argument has it. For the Jacobians of many timesteps there are
two: `(T, rows, n)` for gradients, `(T, 1, n)` for arguments.

Forms that do not cancel are used throughout: the slope of tanh is sech² and that of sigmoid σ(z)·σ(−z), which
keep all their digits where 1 − s² and s(1 − s) have none left. Kernels accept complex arrays as far as the
operation is analytic, for complex-step checks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Shape, size

Array = NDArray[Any]

# Arrays, because a loop over time would convert a number at every timestep. From 37 on, 1 / (1 + e^−z) rounds to 1.
_ONE: Array = np.array(1.0)
_CERTAIN: Array = np.array(40.0)
# Numbers at a time in what takes several passes over a history: 128 kB stay in a core's own cache.
BLOCK = 1 << 14


def lift(x: Array, shape: Shape, rank: int) -> Array:
    """A scalar with a leading axis, `(T,)`, made to meet arrays `(T, *shape)` of the given rank."""
    return x.reshape(x.shape + (1,) * rank) if not shape and rank and x.ndim else x


def total(x: Array, rank: int) -> Array:
    """The sum over the last `rank` axes."""
    return x.sum(axis=tuple(range(-rank, 0))) if rank else x


def outer(a: Array, b: Array) -> Array:
    """a ⊗ b over the last axes: `(…, m)`, `(…, n)` → `(…, m, n)`."""
    return a[..., :, None] * b[..., None, :]


def in_blocks(*ranks: Callable[[Any], int]) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """A kernel of several passes over a history runs over some of its rows at a time, so that they stay in the cache.

    The kernel's last argument is a shape or shapes; `ranks` gives the rank of each array before it, from the shapes. An
    array whose leading axis has one entry stands for every row.
    """

    def wrapped(kernel: Callable[..., Array]) -> Callable[..., Array]:
        @wraps(kernel)
        def run(*arguments: Any) -> Array:
            arrays, shapes = arguments[:-1], arguments[-1]
            leading = [a.ndim > rank(shapes) and len(a) > 1 for a, rank in zip(arrays, ranks, strict=True)]
            longest = max(arrays, key=np.size)
            if longest.size <= BLOCK or not any(leading):
                return kernel(*arguments)
            count = max(len(array) for array, leads in zip(arrays, leading, strict=True) if leads)
            rows = max(BLOCK * count // longest.size, 1)
            result: Array | None = None
            for start in range(0, count, rows):
                block = slice(start, start + rows)
                part = kernel(*(a[block] if leads else a for a, leads in zip(arrays, leading, strict=True)), shapes)
                if result is None:
                    result = np.empty((count, *part.shape[1:]), part.dtype)
                result[block] = part
            assert result is not None
            return result

        return run

    return wrapped


def _own(shape: Shape) -> int:
    return len(shape)


def _first(shapes: tuple[Shape, ...]) -> int:
    return len(shapes[0])


def _second(shapes: tuple[Shape, ...]) -> int:
    return len(shapes[1])


def _none(_shapes: tuple[Shape, ...]) -> int:
    return 0


# --- elementwise -----------------------------------------------------------------------------------------------------


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """e^z / (1 + e^z): right to a few ulp in both tails, down to the subnormal numbers below z = −708."""
    if z.dtype.kind == "c":
        # e^−z for a positive real part, as e^z would overflow; the smallest of complex numbers has no use here.
        powers = np.exp(np.where(z.real < 0, z, -z))
        return np.divide(np.where(z.real < 0, powers, 1.0), powers + 1.0, out=out)
    powers = np.minimum(z, _CERTAIN, out=out)
    powers = np.exp(powers, out=out)
    result: Array = np.divide(powers, powers + _ONE, out=out)
    return result


def relu(z: Array, out: Array | None = None) -> Array:
    """max(z, 0), by the real part of a complex number."""
    if np.iscomplexobj(z):
        result: Array = np.where(z.real > 0, z, 0)
        if out is None:
            return result
        out[...] = result
        return out
    return np.maximum(z, 0.0, out=out)


def tanh_slope(z: Array) -> Array:
    """sech² z = 4e / (1 + e)² with e = e^(−2|z|); right to the last digits where 1 − tanh² is 0."""
    return _bell(z, 2.0, 4.0)


def sigmoid_slope(z: Array) -> Array:
    """σ(z)·σ(−z) = e / (1 + e)² with e = e^(−|z|)."""
    return _bell(z, 1.0, 1.0)


def _bell(z: Array, stretch: float, height: float) -> Array:
    """height · e / (1 + e)² with e = e^(−stretch·|z|), a block at a time: whole histories would leave the cache."""
    result: Array = np.empty(z.shape)
    rows = max(BLOCK // size(z.shape[1:]), 1)
    for start in range(0, len(z), rows) if z.ndim else (0,):
        block: Any = slice(start, start + rows) if z.ndim else ...
        e = result[block]
        np.copysign(z[block], -1.0, out=e)
        e *= stretch
        np.exp(e, out=e)
        denominator = e + 1.0
        denominator *= denominator
        e *= height
        e /= denominator
    return result


def relu_slope(z: Array) -> Array:
    """1 where z > 0, else 0; at the kink z = 0 the convention is 0."""
    return (z > 0).astype(np.float64)


def power_slope(base: Array, exponent: Array) -> Array:
    """∂(a^b)/∂a = b·a^(b−1), and 0 for b = 0 whatever a is."""
    slope = np.where(exponent == 0, 0.0, exponent * np.power(base, exponent - 1.0))
    if np.all(exponent.real >= 0.5):
        return slope
    # Below ½ the exponent b − 1 is rounded, and a^(b−1) can overflow where b·a^b/a does not.
    return np.where((exponent.real >= 0.5) | (base == 0), slope, exponent * np.power(base, exponent) / base)


def power_growth(base: Array, exponent: Array) -> Array:
    """∂(a^b)/∂b = a^b·ln a, and 0 at a = 0 for b > 0."""
    return np.where((base == 0) & (exponent > 0), 0.0, np.power(base, exponent) * np.log(base))


# --- products --------------------------------------------------------------------------------------------------------


def matmul(a: Array, b: Array, shapes: tuple[Shape, ...]) -> Array:
    """The matrix product of scalars' neighbours: (m,k)@(k,), (k,)@(k,n), (m,k)@(k,n), (k,)@(k,)."""
    left, right = len(shapes[0]), len(shapes[1])
    if left == 2 and right == 1:
        return b @ a.T if a.ndim == 2 else np.matmul(a, b[..., None])[..., 0]
    if left == 1 and right == 2:
        return a @ b if b.ndim == 2 else np.matmul(a[..., None, :], b)[..., 0, :]
    if left == 1:
        result: Array = np.einsum("...k,...k->...", a, b)
        return result
    return np.asarray(np.matmul(a, b))


def matmul_left(g: Array, b: Array, shapes: tuple[Shape, ...]) -> Array:
    """g · ∂(a@b)/∂a."""
    left, right = len(shapes[0]), len(shapes[1])
    if left == 2 and right == 1:
        return outer(g, b)
    if left == 1 and right == 2:
        if b.ndim == 4:  # gradients (…, rows, n) side by side, and one matrix for the rows of each
            return np.asarray(np.matmul(g, np.swapaxes(b[:, 0], -1, -2)))
        return g @ b.T if b.ndim == 2 else np.matmul(b, g[..., None])[..., 0]
    if left == 1:
        return g[..., None] * b
    return np.asarray(np.matmul(g, np.swapaxes(b, -1, -2)))


def matmul_right(g: Array, a: Array, shapes: tuple[Shape, ...]) -> Array:
    """g · ∂(a@b)/∂b."""
    left, right = len(shapes[0]), len(shapes[1])
    if left == 2 and right == 1:
        if a.ndim == 4:
            return np.asarray(np.matmul(g, a[:, 0]))
        return g @ a if a.ndim == 2 else np.matmul(g[..., None, :], a)[..., 0, :]
    if left == 1 and right == 2:
        return outer(a, g)
    if left == 1:
        return g[..., None] * a
    return np.asarray(np.matmul(np.swapaxes(a, -1, -2), g))


def product_with(matrix: Array) -> Callable[[Array, Array], Array]:
    """f(x, out) = matrix @ x: the matrix's own method, as np.dot would look for overrides at every timestep."""
    return matrix.dot


def pull_through(matrix: Array) -> Callable[[Array, Array], Array]:
    """f(g, out) = g @ matrix: the gradient by x of matrix @ x."""
    return matrix.T.dot


_ALONE = 1 << 18  # multiplications that a BLAS makes in one thread


def tall_product(g: Array, matrix: Array) -> Array:
    """g @ matrix `(rows, k) @ (k, n)`, where it is taken at every timestep: some rows at a time, in this thread.

    For a larger product a BLAS wakes its other threads and waits for them. Where other programs use the processor that
    takes many times as long as the product itself.
    """
    rows = _ALONE // max(matrix.size, 1)
    if rows < 8 or len(g) <= rows:
        return np.asarray(g @ matrix)
    rows -= rows % 32 if rows > 32 else 0  # the parts that BLAS works in, so that every row is computed alike
    return np.concatenate([g[start : start + rows] @ matrix for start in range(0, len(g), rows)])


def outer_total(a: Array, b: Array) -> Array:
    """Σ_t a_t ⊗ b_t as one matrix product; an argument without a time axis is the same at every t."""
    if a.ndim == 1:
        return np.outer(a, b.sum(axis=0) if b.ndim == 2 else b)
    if b.ndim == 1:
        return np.outer(a.sum(axis=0), b)
    return a.T @ b


def join(parts: tuple[Array, ...], shapes: tuple[Shape, ...]) -> Array:
    """Vectors and scalars end to end along the last axis."""
    vectors = [part if shape else part[..., None] for part, shape in zip(parts, shapes, strict=True)]
    lead = np.broadcast_shapes(*(vector.shape[:-1] for vector in vectors))
    return np.concatenate([np.broadcast_to(v, (*lead, v.shape[-1])) for v in vectors], axis=-1)


def part_of(g: Array, index: int, shapes: tuple[Shape, ...]) -> Array:
    """The slice of a joined gradient that belongs to argument `index`."""
    start = sum(size(shape) for shape in shapes[:index])
    piece = g[..., start : start + size(shapes[index])]
    return piece if shapes[index] else piece[..., 0]


# --- softmax and losses ----------------------------------------------------------------------------------------------


@in_blocks(_own)
def softmax(q: Array, shape: Shape) -> Array:
    """e^q / Σe^q, shifted by the largest logit; of one logit it is the constant 1."""
    if not shape:
        return np.ones_like(q)
    powers = exp_of_difference(q, q.real.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


def exp_of_difference(a: Array, b: Array) -> Array:
    """e^(a − b), with what rounding takes from a − b put back: at a difference of 500 it would cost 250 ulp.

    The lost part is exact (Knuth's two-sum), and so small that e^lost = 1 + lost.
    """
    difference = np.asarray(a - b)
    moved = difference - a
    lost = difference - moved
    np.subtract(a, lost, out=lost)
    moved += b
    lost -= moved
    powers: Array = np.exp(difference)
    lost *= powers
    if not np.isfinite(lost.sum()):
        # Infinite logits have no rounding to put back.
        lost = np.where(np.isfinite(lost), lost, 0.0)
    powers += lost
    return powers


@in_blocks(_own, _own)
def softmax_pull(g: Array, o: Array, shape: Shape) -> Array:
    """g·(diag(o) − o·oᵀ) = o·(g − g·o), with g counted from its entry at the largest o, or from its mean.

    Softmax ignores what all entries of g have in common; left in, it would drown the rest: where one o is nearly 1,
    all but that entry's own, where all are small, all but the mean.
    """
    if not shape:
        return np.zeros_like(g * o)
    top = np.argmax(o.real, axis=-1)[..., None]
    certain = np.take_along_axis(o.real, top, axis=-1) > 0.5
    own = np.take_along_axis(g, top.reshape((1,) * (g.ndim - top.ndim) + top.shape), axis=-1)
    g = g - np.where(certain, own, (g * o).sum(axis=-1, keepdims=True))
    result: Array = o * (g - (g * o).sum(axis=-1, keepdims=True))
    return result


def one_hot(y: Array, shapes: tuple[Shape, ...]) -> Array:
    """A class index as a distribution over `shapes[0]`; a distribution is returned as it is."""
    if shapes[1]:
        return y
    classes = size(shapes[0])
    hot = (np.arange(classes) == y.real[..., None]).astype(np.float64)
    return hot if shapes[0] else np.asarray(hot[..., 0])


@in_blocks(_first, _second)
def cross_entropy(o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """−Σ y·ln o, with 0·ln 0 = 0."""
    hot = one_hot(y, shapes)
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(hot == 0, 1.0, o))
    result: Array = total(-(hot * logs), len(shapes[0])) + 0.0
    return result


@in_blocks(_first, _second)
def cross_entropy_slope(o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """−y/o, and 0 where y = 0."""
    hot = one_hot(y, shapes)
    return np.where(hot == 0, 0.0, -hot / np.where(hot == 0, 1.0, o))


@in_blocks(_first, _second)
def softmax_cross_entropy(q: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """cross_entropy(softmax(q), y) = Σy·ln Σe^q − Σ y·q, without taking the logarithm of a probability."""
    hot = one_hot(y, shapes)
    if not shapes[0]:
        return np.zeros_like(q * hot)
    largest = np.argmax(q.real, axis=-1)[..., None]
    top = np.take_along_axis(q, largest, axis=-1)
    shifted = q - top
    # log1p keeps the digits of a loss near 0, where the class's own logit is by far the largest.
    others = np.where(np.arange(q.shape[-1]) == largest, 0.0, exp_of_difference(q, top)).sum(axis=-1)
    result: Array = hot.sum(axis=-1) * np.log1p(others) - np.where(hot == 0, 0.0, hot * shifted).sum(axis=-1)
    return result


@in_blocks(_none, _first, _first, _second)
def softmax_cross_entropy_pull(g: Array, _q: Array, o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """g·(Σy·o − y): softmax's Jacobian and −y/o multiplied out, with nothing to overflow.

    1 − o is the sum of the other probabilities, which keeps its digits where o is nearly 1.
    """
    hot = one_hot(y, shapes)
    if not shapes[0]:
        return np.zeros_like(g * o)
    if not shapes[1]:
        others = np.where(hot == 0, o, 0.0).sum(axis=-1, keepdims=True)
        return np.asarray(g[..., None] * np.where(hot == 0, o, 0.0 - others))
    return np.asarray(g[..., None] * (o * _others(hot) - hot * _others(o, 1.0)))


def _others(x: Array, whole: Array | float | None = None) -> Array:
    """For each entry of a vector the sum of the others: `whole` without it, but the largest is left out of a sum."""
    top = np.arange(x.shape[-1]) == np.argmax(x.real, axis=-1)[..., None]
    rest = np.where(top, 0.0, x).sum(axis=-1, keepdims=True)
    return np.where(top, rest, (x.sum(axis=-1, keepdims=True) if whole is None else whole) - x)


def squared_error(o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """½·Σ(o − y)²."""
    rank = len(shapes[0])
    result: Array = 0.5 * total(np.square(o - lift(y, shapes[1], rank)), rank)
    return result


def binary_cross_entropy(o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """−Σ y·ln o + (1 − y)·ln(1 − o), with 0·ln 0 = 0."""
    rank = len(shapes[0])
    y = lift(y, shapes[1], rank)
    yes = np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, o)))
    no = np.where(y == 1, 0.0, (1.0 - y) * np.log1p(-np.where(y == 1, 0.0, o)))
    result: Array = total(-(yes + no), rank)
    return result


def binary_cross_entropy_slope(o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """(o − y) / (o·(1 − o)) as (1 − y)/(1 − o) − y/o, each term 0 where its weight is."""
    y = lift(y, shapes[1], len(shapes[0]))
    yes = np.where(y == 0, 0.0, y / np.where(y == 0, 1.0, o))
    no = np.where(y == 1, 0.0, (1.0 - y) / np.where(y == 1, 1.0, 1.0 - o))
    result: Array = no - yes
    return result


def sigmoid_binary_cross_entropy(q: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """binary_cross_entropy(sigmoid(q), y) = Σ (q > 0 ? (1 − y)·q : −y·q) + ln(1 + e^−|q|)."""
    rank = len(shapes[0])
    y = lift(y, shapes[1], rank)
    magnitude = np.where(q.real < 0, -q, q)
    result: Array = total(np.where(q.real < 0, y, 1.0 - y) * magnitude + np.log1p(np.exp(-magnitude)), rank)
    return result


def sigmoid_binary_cross_entropy_pull(g: Array, q: Array, o: Array, y: Array, shapes: tuple[Shape, ...]) -> Array:
    """g·(o − y) as (1 − y)·σ(q) − y·σ(−q), which keeps its digits where o is nearly 1."""
    rank = len(shapes[0])
    y = lift(y, shapes[1], rank)
    result: Array = lift(g, (), rank) * ((1.0 - y) * o - y * sigmoid(-q))
    return result
