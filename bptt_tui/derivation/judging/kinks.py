"""Where a relu is exactly at its kink at the session's numbers: there is no derivative, and a side has to be taken.

The trace takes relu's slope at 0 as 0. A formula with relu′ in it takes it so too; a number may be that of the other
side.
"""

from __future__ import annotations

import numpy as np

from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.calculus.operations import NOTATIONS, OPERATIONS
from bptt_tui.derivation.judging.candidates import oriented
from bptt_tui.derivation.judging.draws import relus
from bptt_tui.derivation.judging.mutations import Local, changed
from bptt_tui.derivation.judging.samples import Edge, Samples, Stack, Sweep
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.language import Call, Expression, Name, Printer
from bptt_tui.language.labels import few

MAX_SIDES = 4


def at_kink(truth: Truth) -> str:
    """`z₀ = 0 is at relu's kink`, at the session's numbers, on the ways of the left side; "" where nothing is."""
    found: dict[str, None] = {}
    for edge in _edges(truth):
        equation, t, by = edge
        for kink in relus(truth.samples.network.equations[equation].expression):
            if _reads(kink, by) and _at_zero(truth.samples, kink, t)[0].any():
                found.setdefault(f"{_argument(truth, kink, t)} = 0")
    if not found:
        return ""
    return f"{few(list(found))} {'is' if len(found) == 1 else 'are'} at relu's kink"


def other_side(truth: Truth) -> Stack | None:
    """What the left side would be with the slope 1 at every kink; None where it has no ways of its own."""
    samples = truth.samples
    if truth.above is None:
        return None

    def weight(edge: Edge) -> Stack:
        found = changed(samples, edge, lambda local: _other_slope(samples, edge[1], local), edge[1])
        return samples.jacobian(edge) if found is None else found

    sweep = Sweep(samples, truth.above, samples.passes(truth.above, truth.mode), weight)
    total: Stack | None = None
    for part in truth.parts:
        if part.below is None or part.below[1] is None:
            return None
        below = part.below
        value = oriented(sweep.at(below), truth.evaluator.reading.layout, samples.shape(below[0]))
        fitted = truth.matched(value)
        if fitted is None:
            return None
        total = fitted if total is None else total + fitted
    return total


def one_side(truth: Truth, agree: Stack) -> str:
    """Which relu is on the side of its kink on which alone a formula holds; `agree`: whether it does, at every random
    draw."""
    plain = "relu is on one side of its kink here"
    sides: dict[str, Stack] = {}
    for edge in _edges(truth):
        equation, t, by = edge
        for kink in relus(truth.samples.network.equations[equation].expression):
            if _reads(kink, by):
                active = (_values(truth.samples, kink, t) > 0)[:, :, 0]
                side = "> 0" if active[0].all() else "≤ 0" if not active[0].any() else "on both sides of 0"
                sides[f"{_argument(truth, kink, t, plain=True)} {side}"] = (active == active[0]).all(axis=1)[1:]
    for told, alike in sides.items():
        if np.array_equal(alike, agree):
            return f"{plain}: {told}"
    if sides and len(sides) <= MAX_SIDES and np.array_equal(np.logical_and.reduce(list(sides.values())), agree):
        return f"{plain}: {few(list(sides))}"
    return plain


def _other_slope(samples: Samples, t: int, local: Local) -> Stack:
    if OPERATIONS[local.call.operation].analytic:
        return local.own
    return local.own + _at_zero(samples, local.call, t) * np.eye(local.own.shape[1])


def _edges(truth: Truth) -> list[Edge]:
    if truth.above is None:
        return []
    belows = [part.below for part in truth.parts if part.below is not None]
    return list(dict.fromkeys(edge for below in belows for edge in truth.edges(below)))


def _at_zero(samples: Samples, kink: Call, t: int) -> Stack:
    return np.asarray(_values(samples, kink, t) == 0)


def _values(samples: Samples, kink: Call, t: int) -> Stack:
    """What it is of, as a column at every draw."""
    argument = kink.arguments[0]
    values = [
        evaluate(argument, lambda name, trace=trace: trace.value(name.name, t + (name.offset or 0)))  # type: ignore[misc]
        for trace in samples.traces
    ]
    return np.stack(values).reshape(samples.count, -1, 1)


def _reads(expression: Expression, by: Name) -> bool:
    if isinstance(expression, Name):
        return (expression.name, expression.offset or 0) == (by.name, by.offset or 0)
    return isinstance(expression, Call) and any(_reads(argument, by) for argument in expression.arguments)


def _argument(truth: Truth, kink: Call, t: int, *, plain: bool = False) -> str:
    """z₀, an entry of z₀ where it is not meant as a whole, or what stands in the brackets."""
    argument = kink.arguments[0]
    text = Printer(NOTATIONS, "unicode", truth.spelling.naming.leaf(t)).print(argument)
    wide = bool(truth.samples.unrolled.shape_of(argument)) and not plain
    return f"an entry of {text}" if wide else text
