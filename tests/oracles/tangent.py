"""Forward mode: values and tangents swept together from the first timestep to the last.

A third set of derivative rules, written as differentials (d tanh z = dz / cosh² z), independent of any reverse sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from oracles.case import Case
from oracles.evaluate import FUNCTIONS, leaves_of

from bptt_tui.language import Expression, Name, Number

Pair = tuple[Any, Any]


def _d_softmax(o: Any, q: Pair) -> Any:
    return o * ((q[1][:, None] - q[1][None, :]) @ o) if np.ndim(o) else 0.0 * q[1]


def _d_cross_entropy(_e: Any, o: Pair, y: Pair) -> Any:
    if np.ndim(o[0]) == 0:
        return -o[1] / o[0]
    target = np.eye(len(o[0]))[int(y[0])] if np.ndim(y[0]) == 0 else y[0]
    return -np.sum(target * o[1] / o[0])


def _d_binary(_e: Any, o: Pair, y: Pair) -> Any:
    by_o = -y[0] / o[0] + (1 - y[0]) / (1 - o[0])
    by_y = np.log(1 - o[0]) - np.log(o[0])
    return np.sum(by_o * o[1]) + np.sum(by_y * y[1])


def _d_power(ans: Any, a: Pair, b: Pair) -> Any:
    by_base = b[0] * a[0] ** (b[0] - 1.0) * a[1]
    if not np.any(b[1]):
        return by_base
    return by_base + ans * np.log(a[0]) * b[1]


DIFFERENTIALS: dict[str, Callable[..., Any]] = {
    "add": lambda ans, a, b: a[1] + b[1],
    "sub": lambda ans, a, b: a[1] - b[1],
    "mul": lambda ans, a, b: a[1] * b[0] + a[0] * b[1],
    "div": lambda ans, a, b: (a[1] - ans * b[1]) / b[0],
    "neg": lambda ans, a: -a[1],
    "power": _d_power,
    "matmul": lambda ans, a, b: np.dot(a[1], b[0]) + np.dot(a[0], b[1]),
    "dot": lambda ans, a, b: np.dot(a[1], b[0]) + np.dot(a[0], b[1]),
    "tanh": lambda ans, z: z[1] / np.cosh(z[0]) ** 2,
    "sigmoid": lambda ans, z: ans * FUNCTIONS["sigmoid"](-z[0]) * z[1],
    "relu": lambda ans, z: np.where(z[0] > 0, z[1], 0.0),
    "exp": lambda ans, z: ans * z[1],
    "log": lambda ans, z: z[1] / z[0],
    "sqrt": lambda ans, z: z[1] / (2 * ans),
    "sum": lambda ans, a: np.sum(a[1]),
    "concat": lambda ans, *parts: np.concatenate([np.reshape(part[1], (-1,)) for part in parts]),
    "softmax": _d_softmax,
    "cross_entropy": _d_cross_entropy,
    "squared_error": lambda ans, o, y: np.sum((o[0] - y[0]) * (o[1] - y[1])),
    "binary_cross_entropy": _d_binary,
}


def _pair(expression: Expression, leaf: Callable[[Name], Pair]) -> Pair:
    if isinstance(expression, Number):
        return expression.value, 0.0
    if isinstance(expression, Name):
        return leaf(expression)
    args = [_pair(argument, leaf) for argument in expression.arguments]
    value = FUNCTIONS[expression.operation](*(arg[0] for arg in args))
    slopes = [(arg[0], np.broadcast_to(arg[1], np.shape(arg[0]))) for arg in args]
    return value, DIFFERENTIALS[expression.operation](value, *slopes)


def tangent(case: Case, direction: dict[str, Any]) -> float:
    """The derivative of the loss as all parameters move along `direction`."""
    leaves = leaves_of(case)
    pairs: dict[tuple[str, int], Pair] = {}
    for name, t in case.nodes:

        def read(read: Name, t: int = t) -> Pair:
            if read.name in case.parameters:
                return leaves["use", read.name, t], direction[read.name]
            if read.name in case.constants:
                return np.array(case.constants[read.name], dtype=float), 0.0
            known = (read.name, t + (read.offset or 0))
            return pairs[known] if known in pairs else (leaves[("value", *known)], 0.0)

        pinned = (name, t) in case.pins
        pairs[name, t] = (case.pins[name, t], 0.0) if pinned else _pair(case.parsed[name].expression, read)
    losses = [float(pairs[case.loss_name, t][1]) for t in case.loss_times]
    return sum(losses) / (len(losses) if case.reduction == "mean" else 1)
