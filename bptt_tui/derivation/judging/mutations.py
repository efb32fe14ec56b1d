"""∂above/∂below of two states with one slip made at every step between them: no slopes, no weights, Wᵀ for W.

A power of W is the chain from one state to an earlier one with the slopes left out; (diag(1 − h₃²) W)³ is the chain
with the factors of one timestep at all of them. Each of these has a value, and by that it is recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np

from bptt_tui.calculus.differentiation import evaluate, jacobian_value
from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import size
from bptt_tui.derivation.judging.samples import Edge, Key, Samples, Stack, Sweep
from bptt_tui.errors import BpttError, NetworkError
from bptt_tui.language import Call, Expression, Name
from bptt_tui.trace import Trace

Kind = Literal["slopes", "weights", "transposed", "both", "frozen", "shifted", "swapped", "order"]


class Local(NamedTuple):
    """The local partial of one operation inside an equation; `after` gives the operation's result at every draw."""

    call: Call
    own: Stack
    is_weight: bool
    after: Callable[[], Stack]


# What a slip makes of it.
Rule = Callable[[Local], Stack]

MAX_STEPS = 200

_OTHER_SLOPE: dict[str, Callable[[Stack], Stack]] = {
    "tanh": lambda s: s * (1 - s),
    "sigmoid": lambda s: 1 - s**2,
}


def mutated(
    samples: Samples, above: Key, below: Key, at: set[int], *, weighed: bool
) -> Iterator[tuple[Kind, int, Stack]]:
    """The partial of one state by an earlier one with every kind of slip made throughout, and by how many timesteps it
    is off or of which timestep all of it is: one of `at`. Where there is no weight in what it is compared with, not
    `weighed`, the weights have been left out."""
    if not weighed:
        yield "weights", 0, _chained(samples, above, below, "weights", 0)
        return
    for kind in ("slopes", "transposed", "both", "swapped"):
        yield kind, 0, _chained(samples, above, below, kind, 0)
    for shift in (-1, 1):
        try:
            yield "shifted", shift, _chained(samples, above, below, "shifted", shift)
        except BpttError:
            continue
    for t in sorted(at, reverse=True):
        try:
            yield "frozen", t, _chained(samples, above, below, "frozen", t)
        except BpttError:
            continue
    turned = _other_order(samples, above, below)
    if turned is not None:
        yield "order", 0, turned


def _chained(samples: Samples, above: Key, below: Key, kind: Kind, by: int) -> Stack:
    """All paths between the two with their edges changed."""
    mark = above, kind, by
    if mark not in samples.changed_sweeps:

        def weight(edge: Edge) -> Stack:
            equation, t, read = edge
            if kind == "frozen":
                if samples.unrolled.times[equation].row(by) is None:
                    raise NetworkError("there is no such step")
                return samples.jacobian((equation, by, read))
            if (edge, kind, by) not in samples.changed_edges:
                samples.changed_edges[edge, kind, by] = changed(samples, edge, _RULES[kind], t + by)
            found = samples.changed_edges[edge, kind, by]
            return samples.jacobian(edge) if found is None else found

        samples.changed_sweeps[mark] = Sweep(samples, above, lambda key: True, weight)
    try:
        return samples.changed_sweeps[mark].at(below)
    except BpttError:
        del samples.changed_sweeps[mark]  # it has stopped half-way
        raise


def _other_order(samples: Samples, above: Key, below: Key) -> Stack | None:
    """W · slope for slope · W at every step, where a step is the one times the other."""
    name, top = above
    low = below[1]
    if name != below[0] or top is None or low is None:
        return None
    total: Stack | None = None
    for t in range(top, low, -1):
        ends = (name, t), (name, t - 1)
        slope, matrix = (_chained(samples, *ends, kind, 0) for kind in ("weights", "slopes"))
        if not np.allclose(np.matmul(slope, matrix), samples.partial(*ends)):
            return None
        step = np.matmul(matrix, slope)
        total = step if total is None else np.matmul(total, step)
    return total


# --- one edge --------------------------------------------------------------------------------------------------------


def changed(samples: Samples, edge: Edge, rule: Rule, t: int) -> Stack | None:
    """An edge's local partial with the rule for each operation inside it, at the values of timestep `t`."""
    equation, _, by = edge
    whole = samples.network.equations[equation]
    return _inside(samples, whole.expression, Name(whole.target, 0), by, rule, t)


def _inside(samples: Samples, expression: Expression, result: Expression, by: Name, rule: Rule, t: int) -> Stack | None:
    shape_of = samples.unrolled.shape_of
    if isinstance(expression, Name):
        if (expression.name, expression.offset or 0) != (by.name, by.offset or 0):
            return None
        rows = size(shape_of(expression))
        return np.broadcast_to(np.eye(rows), (samples.count, rows, rows))
    if not isinstance(expression, Call):
        return None
    operation = OPERATIONS[expression.operation]
    shapes = tuple(shape_of(argument) for argument in expression.arguments)
    rows = size(shape_of(expression))
    total: Stack | None = None

    def after() -> Stack:
        values = np.stack([evaluate(expression, _leaf(trace, t)) for trace in samples.traces])
        return values.reshape(samples.count, -1, 1)

    for index, argument in enumerate(expression.arguments):
        partial = operation.partial(index)
        inner = None if partial is None else _inside(samples, argument, argument, by, rule, t)
        if partial is None or inner is None:
            continue
        formula = partial(expression.arguments, result, shapes)
        columns = size(shapes[index])
        own = np.stack([jacobian_value(formula, _leaf(trace, t), rows, columns) for trace in samples.traces])
        other = expression.arguments[1 - index] if len(expression.arguments) == 2 else None
        is_weight = (
            expression.operation in ("matmul", "mul")
            and rows == columns
            and isinstance(other, Name)
            and other.name in samples.unrolled.values.parameters
        )
        term = np.matmul(rule(Local(expression, own, is_weight, after)), inner)
        total = term if total is None else total + term
    return total


def _leaf(trace: Trace, t: int) -> Callable[[Name], Stack]:
    return lambda name: trace.value(name.name, t + (name.offset or 0))


def is_slope(call: Call) -> bool:
    """Whether an operation is an elementwise function of one argument."""
    return OPERATIONS[call.operation].elementwise and len(call.arguments) == 1 and call.operation != "neg"


def _identity(local: Local) -> Stack:
    return np.broadcast_to(np.eye(local.own.shape[1]), local.own.shape)


def _without_slopes(local: Local) -> Stack:
    return _identity(local) if is_slope(local.call) else local.own


def _without_weights(local: Local) -> Stack:
    return _identity(local) if local.is_weight else local.own


def _transposed(local: Local) -> Stack:
    return local.own.transpose(0, 2, 1) if local.is_weight else local.own


def _both(local: Local) -> Stack:
    return _identity(local) if is_slope(local.call) else _transposed(local)


def _swapped(local: Local) -> Stack:
    other = _OTHER_SLOPE.get(local.call.operation)
    return local.own if other is None else np.asarray(other(local.after()) * np.eye(local.own.shape[1]))


_RULES: dict[Kind, Rule] = {
    "slopes": _without_slopes,
    "weights": _without_weights,
    "transposed": _transposed,
    "both": _both,
    "swapped": _swapped,
    "shifted": lambda local: local.own,
}
