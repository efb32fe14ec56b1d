"""Functions and comparisons of values over a stretch: one NumPy call each, with what is known of the result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.kernels import lift
from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import broadcast
from bptt_tui.debugger.conditions import SIGNS
from bptt_tui.debugger.inspect import MEASURES
from bptt_tui.debugger.moments import Over, Reduction
from bptt_tui.debugger.quantities import Operand
from bptt_tui.language import Call, Expression, Name, Number

Mask = NDArray[np.bool_]


def compared_with(number: Over, sign: str, inner: Reduction, *, left: bool) -> Reduction:
    """What `inner` makes of a quantity compared with a number, on the left or the right of the sign."""

    def apply(over: Over) -> Over:
        value = inner.apply(over)
        return comparison(sign, value, number) if left else comparison(sign, number, value)

    return Reduction(f"{inner.name} {sign} {number.value} {left}", apply)


def then(first: Reduction, second: Reduction) -> Reduction:
    """One after the other."""
    return Reduction(f"{second.name} {first.name}", lambda over: second.apply(first.apply(over)))


def names_in(node: Expression) -> list[Name]:
    """The names an expression reads."""
    return Operand("", node).names()


def number(node: Expression) -> Over:
    """An expression that reads nothing."""
    if isinstance(node, Call):
        return applied(node, [number(argument) for argument in node.arguments])
    assert isinstance(node, Number)
    return Over(np.asarray(node.value), ())


def comparison(sign: str, a: Over, b: Over) -> Over:
    """Whether all entries compare so (!=: not all are equal)."""
    rank = len(broadcast(a.shape, b.shape))
    entries = np.asarray(SIGNS[sign](lift(a.value, a.shape, rank), lift(b.value, b.shape, rank)))
    axes = tuple(range(-rank, 0))
    holds = np.asarray(entries.any(axis=axes) if sign == "!=" else entries.all(axis=axes))
    return Over(holds, (), np.asarray(a.known) & np.asarray(b.known))


def applied(call: Call, args: list[Over]) -> Over:
    """A function of values over a stretch."""
    known: Mask | bool = True
    for arg in args:
        known = np.asarray(known) & np.asarray(arg.known)
    with np.errstate(all="ignore"):
        if call.operation in MEASURES:
            shape = args[0].shape
            value = MEASURES[call.operation](args[0].value, len(shape))
            return Over(np.asarray(value), shape if call.operation == "abs" else (), known)
        operation = OPERATIONS[call.operation]
        shapes = tuple(arg.shape for arg in args)
        shape = operation.shape(*shapes)  # before the values: shapes that do not fit are a Mismatch
        value = operation.evaluate(tuple(arg.value for arg in args), shapes)
        return Over(np.asarray(value), shape, known)
