"""The loss of a network computed one node at a time from its parsed equations, and its derivatives three ways.

    everything     the loss and its derivative by every single use, node, input and initial value, by HIPS autograd
    complex_step   ∂E/∂(one entry of a parameter) to rounding, without differentiating anything
    tangent        the directional derivative, swept forward (real-time recurrent learning)

The functions are written a second time here, with their textbook definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd import value_and_grad
from autograd.extend import defvjp, primitive
from autograd.tracer import getval
from oracles.case import Case

from bptt_tui.language import Expression, Name, Number

Key = tuple[str, str, int]
H = 1e-30


def _above(z: Any) -> Any:
    return onp.real(getval(z)) > 0


def _softmax(q: Any) -> Any:
    if np.ndim(q) == 0:
        return q * 0 + 1.0
    # oᵢ = 1 / (1 + Σ_{k≠i} e^(q_k − qᵢ)), whose derivative keeps its digits where o is nearly 1.
    others = 1.0 - onp.eye(len(q))
    return 1 / (1 + np.sum(others * np.exp(q[None, :] - q[:, None]), axis=1))


def _class(y: Any) -> int:
    return int(onp.real(getval(y)))


def _cross_entropy(o: Any, y: Any) -> Any:
    if np.ndim(y) == 0:
        return -np.log(o[_class(y)]) if np.ndim(o) else -np.log(o)
    return -np.sum(y * np.log(o))


def _binary_cross_entropy(o: Any, y: Any) -> Any:
    return -np.sum(y * np.log(o) + (1 - y) * np.log(1 - o))


def _power(a: Any, b: Any) -> Any:
    if isinstance(b, float) and b in (1.0, 2.0, 3.0, 4.0):
        product = a
        for _ in range(int(b) - 1):
            product = product * a
        return product
    return np.exp(b * np.log(a))


def _concat(*parts: Any) -> Any:
    return np.concatenate([np.reshape(part, (-1,)) for part in parts])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "power": _power,
    "matmul": np.dot,
    "dot": np.dot,
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.where(_above(z), z, 0 * z),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sum": np.sum,
    "concat": _concat,
    "softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "squared_error": lambda o, y: 0.5 * np.sum((o - y) * (o - y)),
    "binary_cross_entropy": _binary_cross_entropy,
}


def value_of(
    expression: Expression, leaf: Callable[[Name], Any], after: Callable[[Any], Any] = lambda value: value
) -> Any:
    """An expression's value with names looked up by `leaf`; every operation's result goes through `after`."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return leaf(expression)
    arguments = [value_of(argument, leaf, after) for argument in expression.arguments]
    return after(FUNCTIONS[expression.operation](*arguments))


@primitive
def _shaken(value: Any, forward: Any, _backward: Any) -> Any:
    return value * forward


# The gradient that comes back is shaken on its own, as rounding would do.
defvjp(_shaken, lambda ans, value, forward, backward: lambda g: g * backward, None, None)


def shaker(rng: onp.random.Generator, size: float = 1e-13) -> Callable[[Any], Any]:
    """Perturbs a value, and independently the gradient flowing back through it, by about `size` of itself."""

    def after(value: Any) -> Any:
        shape = onp.shape(getval(value))
        return _shaken(value, *(onp.asarray(1 + size * rng.uniform(-1, 1, shape)) for _ in range(2)))

    return after


def leaves_of(case: Case) -> dict[Key, Any]:
    """Every value that can be varied on its own: uses, inputs, initial values; and a zero to add to each node."""
    leaves: dict[Key, Any] = {}
    for name, times in case.uses.items():
        for t in times:
            leaves["use", name, t] = onp.array(case.parameters[name], dtype=float)
    for target, t in case.nodes:
        for read in case.reads_at(target, t):
            moment = t + (read.offset or 0)
            if moment < 0 and read.name not in case.parameters:
                leaves["value", read.name, moment] = case.before(read.name, moment)
            elif read.name in case.inputs:
                leaves["value", read.name, moment] = onp.array(case.inputs[read.name][moment], dtype=float)
    return leaves


def node_values(
    case: Case, leaves: Mapping[Key, Any], after: Callable[[Any], Any] = lambda value: value
) -> dict[tuple[str, int], Any]:
    """All nodes the loss depends on. A node with a leaf of its own gets that added."""
    values: dict[tuple[str, int], Any] = {}

    def read_at(t: int) -> Callable[[Name], Any]:
        def read(name: Name) -> Any:
            if name.name in case.parameters:
                return leaves["use", name.name, t]
            if name.name in case.constants:
                return onp.array(case.constants[name.name], dtype=float)
            moment = t + (name.offset or 0)
            known = (name.name, moment)
            return values[known] if known in values else leaves[("value", *known)]

        return read

    for name, t in case.nodes:
        if (name, t) in case.pins:
            value = onp.array(case.pins[name, t], dtype=float)
        else:
            value = value_of(case.parsed[name].expression, read_at(t), after)
        if ("nudge", name, t) in leaves:
            value = value + leaves["nudge", name, t]
        values[name, t] = value
    return values


def total(case: Case, values: Mapping[tuple[str, int], Any]) -> Any:
    """The loss from the nodes' values: the sum or mean over the loss steps."""
    losses = [values[case.loss_name, t] for t in case.loss_times]
    return sum(losses) / (len(losses) if case.reduction == "mean" else 1)


def everything(case: Case, noise: onp.random.Generator | None = None) -> tuple[float, dict[Key, Any]]:
    """The loss and ∂E/∂(each leaf): contributions ("use"), adjoints of nodes ("nudge"), of inputs and initial values.

    `noise` perturbs every use and every operation by about 1e-13 of itself, which shows how well the derivatives are
    conditioned.
    """
    leaves = leaves_of(case)
    for node, value in node_values(case, leaves).items():
        leaves[("nudge", *node)] = onp.zeros(onp.shape(value))
    keys = list(leaves)
    after = (lambda value: value) if noise is None else shaker(noise)

    def loss(given: list[Any]) -> Any:
        found = {k: after(value) if k[0] == "use" else value for k, value in zip(keys, given, strict=True)}
        return total(case, node_values(case, found, after)) + 0.0 * sum(np.sum(value) for value in given)

    value, gradient = value_and_grad(loss)([leaves[key] for key in keys])
    return float(value), dict(zip(keys, gradient, strict=True))


def condition(case: Case, exact: dict[Key, Any], seed: int = 0) -> dict[Key, Any]:
    """By leaf, how far derivatives move when everything is perturbed by 1e-13: what rounding may do to them."""
    moved = {key: onp.zeros(onp.shape(value)) for key, value in exact.items()}
    for n in range(3):
        _, other = everything(case, onp.random.default_rng([seed, n]))
        for key, value in exact.items():
            moved[key] = onp.maximum(moved[key], onp.abs(other[key] - value))
    return moved


def complex_step(case: Case, name: str, index: tuple[int, ...]) -> float:
    """∂E/∂p[index], all uses together: Im E(p + ih) / h."""
    leaves = leaves_of(case)
    for t in case.uses[name]:
        shifted = onp.array(leaves["use", name, t], dtype=complex)
        shifted[index] += 1j * H
        leaves["use", name, t] = shifted
    return float(onp.imag(total(case, node_values(case, leaves))) / H)
