"""Local partials as formulas: the symbolic column of the operations table, and the chain rule that joins them.

A partial is an expression in the operation's own arguments and its result (`ans`): ∂tanh(z)/∂z is written with
the result, 1 − s². Between scalars it is a scalar expression; otherwise it is the Jacobian in numerator layout,
rows × columns = size of the result × size of the argument, matrices flattened row by row. Constructors drop what
adds nothing (·1, +0, I).
"""

from __future__ import annotations

from collections.abc import Callable

from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.language.expressions import Call, Expression, Number

Shapes = tuple[Shape, ...]
Arguments = tuple[Expression, ...]
Partial = Callable[[Arguments, Expression, Shapes], Expression]

ONE = Number(1.0)


# --- constructors that simplify --------------------------------------------------------------------------------------


def times(a: Expression, b: Expression) -> Expression:
    """a · b between scalars or entry by entry."""
    if a == ONE:
        return b
    if b == ONE:
        return a
    if Number(0.0) in (a, b):
        return Number(0.0)
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value * b.value)
    if a == Number(-1.0):
        return minus(b)
    if b == Number(-1.0):
        return minus(a)
    if isinstance(b, Call) and b.operation == "neg":
        return minus(times(a, b.arguments[0]))
    if isinstance(a, Call) and a.operation == "neg":
        return minus(times(a.arguments[0], b))
    if isinstance(b, Number) and not isinstance(a, Number):
        return Call("mul", (b, a))
    return Call("mul", (a, b))


def minus(a: Expression) -> Expression:
    """−a."""
    if isinstance(a, Number):
        return Number(-a.value)
    if isinstance(a, Call) and a.operation == "neg":
        return a.arguments[0]
    return Call("neg", (a,))


def plus(a: Expression, b: Expression) -> Expression:
    """a + b; twice the same is 2·a."""
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value + b.value)
    if a == b:
        return times(Number(2.0), a)
    if isinstance(b, Call) and b.operation == "neg":
        return Call("sub", (a, b.arguments[0]))
    return Call("add", (a, b))


def compose(outer: Expression, inner: Expression, rows: int, middle: int, columns: int) -> Expression:
    """The chain rule: Jacobian · Jacobian, (rows × middle)·(middle × columns)."""
    if _is(outer, "identity"):
        return inner
    if _is(inner, "identity"):
        return outer
    if rows == middle == columns == 1:
        return times(outer, inner)
    if middle == 1 and rows == 1 and outer == ONE:
        return inner
    if middle == 1 and columns == 1 and inner == ONE:
        return outer
    if _is(outer, "scaled_identity") and outer.arguments[0] == Number(-1.0):  # type: ignore[union-attr]
        return minus(inner)
    if _is(inner, "scaled_identity") and inner.arguments[0] == Number(-1.0):  # type: ignore[union-attr]
        return minus(outer)
    return Call("compose", (outer, inner))


def _is(expression: Expression, operation: str) -> bool:
    return isinstance(expression, Call) and expression.operation == operation


def entrywise(slope: Expression, argument: Shape, result: Shape, *, varies: bool) -> Expression:
    """The Jacobian of an elementwise operation from its slope; `varies`: the slope has the result's shape."""
    n = Number(float(size(result)))
    if not result:
        return slope
    if argument == result:
        if varies:
            return Call("diag", (slope,))
        return Call("identity", (n,)) if slope == ONE else Call("scaled_identity", (slope, n))
    if varies:
        return Call("column", (slope,))
    return Call("ones_column", (n,)) if slope == ONE else Call("scaled_ones", (slope, n))


def _result(shapes: Shapes) -> Shape:
    return max(shapes, key=len)


# --- one rule per argument -------------------------------------------------------------------------------------------


def one(index: int) -> Partial:
    """1 (or I, or a column of ones)."""
    return lambda args, ans, shapes: entrywise(ONE, shapes[index], _result(shapes), varies=False)


def minus_one(index: int) -> Partial:
    """−1 (or −I)."""
    return lambda args, ans, shapes: entrywise(Number(-1.0), shapes[index], _result(shapes), varies=False)


def factor(index: int, other: int) -> Partial:
    """∂(a·b)/∂a = b."""
    return lambda args, ans, shapes: entrywise(args[other], shapes[index], _result(shapes), varies=bool(shapes[other]))


def over(index: int) -> Partial:
    """∂(a/b)/∂a = 1/b."""
    return lambda args, ans, shapes: entrywise(
        Call("div", (ONE, args[1])), shapes[index], _result(shapes), varies=bool(shapes[1])
    )


def under(index: int) -> Partial:
    """∂(a/b)/∂b = −a/b²."""
    return lambda args, ans, shapes: entrywise(
        minus(Call("div", (args[0], Call("power", (args[1], Number(2.0)))))),
        shapes[index],
        _result(shapes),
        varies=bool(_result(shapes)),
    )


def power_base(args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
    """∂(a^b)/∂a = b·a^(b−1)."""
    base, exponent = args
    if exponent == Number(2.0):
        slope = times(exponent, base)
    elif isinstance(exponent, Number) and exponent.value == 1.0:
        slope = ONE
    elif isinstance(exponent, Number) and exponent.value != 0.0:
        slope = times(exponent, Call("power", (base, Number(exponent.value - 1.0))))
    else:
        slope = Call("power_slope", (base, exponent))
    return entrywise(slope, shapes[0], _result(shapes), varies=slope != ONE and bool(_result(shapes)))


def power_exponent(args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
    """∂(a^b)/∂b = a^b·ln a."""
    slope = Call("power_growth", args)
    return entrywise(slope, shapes[1], _result(shapes), varies=bool(_result(shapes)))


def _activation(slope: Callable[[Arguments, Expression], Expression]) -> Partial:
    """The Jacobian of an elementwise function from its slope."""
    return lambda args, ans, shapes: entrywise(slope(args, ans), shapes[0], shapes[0], varies=bool(shapes[0]))


tanh = _activation(lambda args, ans: Call("tanh_slope", (args[0], ans)))
sigmoid = _activation(lambda args, ans: Call("sigmoid_slope", (args[0], ans)))
relu = _activation(lambda args, ans: Call("relu_slope", (args[0],)))
exp = _activation(lambda args, ans: ans)
log = _activation(lambda args, ans: Call("div", (ONE, args[0])))
sqrt = _activation(lambda args, ans: Call("div", (ONE, times(Number(2.0), ans))))


def _eye(n: int) -> Expression:
    return Call("identity", (Number(float(n)),))


def matmul_left(args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
    """∂(a@b)/∂a: bᵀ beside an identity for every row of a."""
    left, right = shapes
    if len(left) == 1:
        return Call("row", (args[1],)) if len(right) == 1 else Call("transpose", (args[1],))
    other = Call("row", (args[1],)) if len(right) == 1 else Call("transpose", (args[1],))
    return other if left[0] == 1 else Call("kron", (_eye(left[0]), other))


def matmul_right(args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
    """∂(a@b)/∂b: a itself, beside an identity for every column of b."""
    left, right = shapes
    this = Call("row", (args[0],)) if len(left) == 1 else args[0]
    return this if len(right) == 1 or right[1] == 1 else Call("kron", (this, _eye(right[1])))


def row_of(other: int) -> Partial:
    """∂dot(a, b)/∂a = bᵀ."""
    return lambda args, ans, shapes: Call("row", (args[other],))


def ones_row(_args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
    """∂sum(a)/∂a: ones."""
    return Call("ones_row", (Number(float(size(shapes[0]))),)) if shapes[0] else ONE


def block(index: int) -> Partial:
    """∂concat(…)/∂(argument `index`): an identity at the argument's place, zeros around it."""

    def partial(_args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
        sizes = [float(size(shape)) for shape in shapes]
        if len(sizes) == 1:
            return _eye(int(sizes[0]))
        before, after = Number(sum(sizes[:index])), Number(sum(sizes[index + 1 :]))
        return Call("block", (before, Number(sizes[index]), after))

    return partial


def softmax(args: Arguments, ans: Expression, shapes: Shapes) -> Expression:
    """diag(o) − o·oᵀ; of one logit, 0."""
    return Call("softmax_jacobian", (args[0], ans)) if shapes[0] else Number(0.0)


def loss_row(slope: str) -> Partial:
    """A loss's row by its prediction: the derived operation `slope`."""
    return lambda args, ans, shapes: Call(slope, args)


def loss_target(slope: str) -> Partial:
    """A loss's row by its target."""
    return lambda args, ans, shapes: Call(slope, args)


def difference(sign: float, index: int) -> Partial:
    """∂½Σ(o − y)²: (o − y)ᵀ by o, its negative by y."""

    def partial(args: Arguments, _ans: Expression, shapes: Shapes) -> Expression:
        o, y = args
        first, second = (o, y) if sign > 0 else (y, o)
        gap = Call("sub", (first, second))
        if not shapes[0]:
            return gap
        if shapes[index]:
            return Call("row", (gap,))
        n = Number(float(size(shapes[0])))
        return Call("compose", (Call("row", (gap,)), Call("ones_column", (n,))))

    return partial
