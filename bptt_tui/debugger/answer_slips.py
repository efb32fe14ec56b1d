"""The slips that learners make with a node, a partial or a contribution.

`SLIPS` is the table: each slip is a value that the answer would have, and the sentence that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.debugger.answers import Array
from bptt_tui.debugger.asked import Asked
from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.looking import name_at
from bptt_tui.debugger.view import Missing
from bptt_tui.language import Call, Expression, Name, operands

# The slope of an activation, from its value: s ↦ f′(z).
SLOPES: dict[str, Callable[[Array], Array]] = {"tanh": lambda s: 1 - s * s, "sigmoid": lambda s: s * (1 - s)}
_OTHER = {"tanh": "sigmoid", "sigmoid": "tanh"}

Candidates = Iterator[tuple[Array, str]]


def _sign(_asked: Asked, truth: Array) -> Candidates:
    yield -truth, "the sign is the other one"


def _transposed(_asked: Asked, truth: Array) -> Candidates:
    if truth.ndim == 2 and 1 not in truth.shape:
        yield truth.T, "it is transposed: a Jacobian has a row for each entry of what is differentiated"


def _without_activation(asked: Asked, truth: Array) -> Candidates:
    """f(z) for z; the slope f′ left out of a partial or term; the slope alone."""
    activation = _activation(asked)
    if activation is None:
        return
    name, inside, slope = activation
    if asked.kind == "value":
        yield evaluate(inside, asked.leaf), f"{name} is missing: this is what goes into it"
        return
    with np.errstate(all="ignore"):
        rest = _scaled(truth, 1 / slope)
    yield rest, f"the slope f′ of {name} is missing"
    if asked.kind == "factor":
        alone = np.diag(slope.reshape(-1)) if slope.size > 1 else slope
        yield alone, f"this is the slope f′ of {name} alone: the factor inside it is missing"


def _swapped_activation(asked: Asked, truth: Array) -> Candidates:
    """The slope of tanh where sigmoid's belongs, and the other way round."""
    activation = _activation(asked)
    if activation is None:
        return
    name, inside, slope = activation
    if asked.kind == "value":
        z = evaluate(inside, asked.leaf)
        value = np.tanh(z) if name == "sigmoid" else 1 / (1 + np.exp(-z))
        yield value, f"this is {_OTHER[name]}; the activation is {name}"
        return
    s = asked.scene.trace.value(asked.factors[0].consumer.name, asked.time)
    with np.errstate(all="ignore"):
        other = _scaled(truth, SLOPES[_OTHER[name]](s) / slope)
    yield other, f"this has the slope of {_OTHER[name]}; the activation is {name}"


def _off_by_one(asked: Asked, _truth: Array) -> Candidates:
    """s_t for s_{t−1}: one name, or all of them, at the timestep before or after."""
    if asked.expression is None:
        return
    reads = asked.reads()
    for shift in (1, -1):
        for moved in [(name,) for name in reads] + ([reads] if len(reads) > 1 else []):
            leaf = _shifted(asked, moved, shift)
            if leaf is None:
                continue
            labels = [(asked.scene.ref(n.name, name_at(n, asked.time) + shift).label, asked.printed(n)) for n in moved]
            written = " and ".join(f"{there} in place of {here}" for there, here in labels)
            if asked.kind == "factor" and not all(here in asked.formula() for _, here in labels):  # 1 − s₁², for z₁
                written = f"t = {asked.time + shift} in place of t = {asked.time}"
            yield asked.with_leaf(leaf), f"the index is off by one: it has {written}"


def _shifted(asked: Asked, moved: tuple[Name, ...], shift: int) -> Callable[[Name], Array] | None:
    """What names read when some are read a step later or earlier; None where nothing is there."""
    there = {name: asked.look.value(name.name, name_at(name, asked.time) + shift) for name in moved}
    values = {name: np.asarray(value) for name, value in there.items() if not isinstance(value, Missing)}
    if len(values) < len(there):
        return None
    return lambda name: values[name] if name in values else asked.leaf(name)


def _one_term(asked: Asked, _truth: Array) -> Candidates:
    """Only one of the inflows, or one of the terms of a sum."""
    if asked.kind == "contribution" and len(asked.links) > 1:
        for number, factor in enumerate(asked.factors, 1):
            if not isinstance(factor.running, Missing):
                count = len(asked.links)
                yield (
                    factor.running,
                    f"this is inflow {number} of {count} only, the one through {factor.consumer.label}",
                )
    if asked.kind == "value" and isinstance(asked.expression, Call) and asked.expression.operation in ("add", "sub"):
        for term in operands(asked.expression, "add", "sub"):
            yield evaluate(term, asked.leaf), f"this is only one term of the sum, {asked.printed(term)}"


def _whole_product(asked: Asked, _truth: Array) -> Candidates:
    """The running product for its last factor; the sum for one of its terms."""
    if asked.kind == "factor" and not isinstance(asked.factors[0].running, Missing):
        yield asked.factors[0].running, "this is the running product; asked is its last factor alone"
    if asked.kind == "contribution":
        terms = asked.scene.trace.terms[asked.step.name]
        taken, _ = asked.look.progress(asked.step.name)
        yield np.asarray(terms.running(taken)), "this is the sum of the terms so far; asked is the last of them"


def _factor_missing(asked: Asked, truth: Array) -> Candidates:
    """A contribution without one of the factors of its chain."""
    if asked.kind != "contribution" or len(asked.links) > 1:
        return
    for factor in reversed(ChainAt(asked.look).factors(256)):
        if factor.value is not None and factor.value.size == 1:
            number = float(factor.value.reshape(()))
            if number not in (0.0, 1.0):
                activation = asked.scene.operation(factor.consumer.name) if factor.consumer.kind == "node" else ""
                slope = f", the slope f′ of {activation}," if activation in SLOPES else ""
                yield truth / number, f"the factor {factor.title}{slope} is missing"
        if factor.branches > 1:
            return


def _reciprocal(_asked: Asked, truth: Array) -> Candidates:
    if truth.all():
        with np.errstate(all="ignore"):
            yield 1 / truth, "it is the reciprocal: one divided by the answer"


SLIPS: tuple[Callable[[Asked, Array], Candidates], ...] = (
    _sign,
    _transposed,
    _without_activation,
    _swapped_activation,
    _one_term,
    _off_by_one,
    _whole_product,
    _factor_missing,
    _reciprocal,
)


def _activation(asked: Asked) -> tuple[str, Expression, Array] | None:
    """An equation's outermost activation: its name, what goes into it, and its slope there."""
    equation = asked.equation
    if equation is None:
        return None
    expression = asked.scene.network.equations[equation].expression
    if not isinstance(expression, Call) or expression.operation not in SLOPES:
        return None
    target = asked.scene.network.equations[equation].target
    value = asked.scene.trace.value(target, asked.time)
    return expression.operation, expression.arguments[0], np.asarray(SLOPES[expression.operation](value))


def _scaled(truth: Array, by: Array) -> Array:
    """A partial or term with the rows of its consumer scaled; only a number scales a term."""
    if by.size == 1:
        return np.asarray(truth * by.reshape(()))
    return np.asarray(truth * by.reshape(-1, 1)) if truth.ndim == 2 and len(truth) == by.size else truth
