"""The local partial of a compound expression: the chain rule inside one equation, symbolically.

`z = u*x[t] + w*s[t-1] + k` is one node, and its step shows ∂z/∂w = s[t-1]. The derivative is an expression again,
so it prints in every style and evaluates to the number that stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.partials import compose, plus
from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.language.expressions import Call, Expression, Name, Number


def differentiate(
    expression: Expression, by: Name, result: Expression, shape_of: Callable[[Expression], Shape]
) -> Expression | None:
    """∂expression/∂by, or None where it does not depend on `by` in a way that can be differentiated.

    `result` is how the whole expression is called (the node's name), so that ∂tanh(z)/∂z reads 1 − s². Between
    scalars a scalar expression, otherwise a Jacobian, rows × columns = size of the expression × size of `by`.
    """
    if isinstance(expression, Name):
        if (expression.name, expression.offset or 0) != (by.name, by.offset or 0):
            return None
        shape = shape_of(by)
        return Call("identity", (Number(float(size(shape))),)) if shape else Number(1.0)
    if isinstance(expression, Number):
        return None
    operation = OPERATIONS[expression.operation]
    shapes = tuple(shape_of(argument) for argument in expression.arguments)
    rows, columns = size(shape_of(expression)), size(shape_of(by))
    total: Expression | None = None
    for index, argument in enumerate(expression.arguments):
        rule = operation.partial(index)
        inner = differentiate(argument, by, argument, shape_of) if rule else None
        if rule is None or inner is None:
            continue
        outer = rule(expression.arguments, result, shapes)
        term = compose(outer, inner, rows, size(shapes[index]), columns)
        total = term if total is None else plus(total, term)
    return total


def evaluate(expression: Expression, leaf: Callable[[Name], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The value of an expression (derived operations included) with names looked up by `leaf`."""
    if isinstance(expression, Number):
        return np.asarray(expression.value)
    if isinstance(expression, Name):
        return leaf(expression)
    args = tuple(evaluate(argument, leaf) for argument in expression.arguments)
    shapes = tuple(arg.shape for arg in args)
    return np.asarray(OPERATIONS[expression.operation].evaluate(args, shapes))


def jacobian_value(
    partial: Expression, leaf: Callable[[Name], NDArray[np.float64]], rows: int, columns: int
) -> NDArray[np.float64]:
    """A symbolic local partial as numbers, rows × columns."""
    with np.errstate(all="ignore"):
        value = evaluate(partial, leaf)
    return np.broadcast_to(value.reshape(rows, columns) if value.size == rows * columns else value, (rows, columns))
