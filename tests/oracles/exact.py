"""A derivative to as many digits as wanted: the loss in mpmath, and a difference so small that nothing else counts.

Slow, and for single numbers only: it decides where two answers in floats differ and one of them must be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from oracles.case import Case
from oracles.evaluate import Key, leaves_of, total

from bptt_tui.language import Expression, Name, Number

DIGITS = 700
STEP = mpmath.mpf(10) ** -330


def exactly(value: Any) -> Any:
    """Floats as numbers of many digits, in an object array or alone."""
    return np.frompyfunc(mpmath.mpf, 1, 1)(np.asarray(value, dtype=float))


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    return np.frompyfunc(function, 1, 1)


def _softmax(q: Any) -> Any:
    if np.ndim(q) == 0:
        return mpmath.mpf(1)
    powers = _each(mpmath.exp)(q)
    return powers / powers.sum()


def _cross_entropy(o: Any, y: Any) -> Any:
    if np.ndim(y) == 0:
        return -mpmath.log(o[int(y)] if np.ndim(o) else o)
    return -sum(share * mpmath.log(p) for share, p in zip(y, o, strict=True) if share)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "power": lambda a, b: a**b,
    "matmul": np.dot,
    "dot": np.dot,
    "tanh": _each(mpmath.tanh),
    "sigmoid": _each(lambda z: 1 / (1 + mpmath.exp(-z))),
    "relu": _each(lambda z: z if z > 0 else 0 * z),
    "exp": _each(mpmath.exp),
    "log": _each(mpmath.log),
    "sqrt": _each(mpmath.sqrt),
    "sum": np.sum,
    "concat": lambda *parts: np.concatenate([np.reshape(part, (-1,)) for part in parts]),
    "softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "squared_error": lambda o, y: np.sum((o - y) * (o - y)) / 2,
    "binary_cross_entropy": lambda o, y: -np.sum(y * _each(mpmath.log)(o) + (1 - y) * _each(mpmath.log)(1 - o)),
}


def _value(expression: Expression, leaf: Callable[[Name], Any]) -> Any:
    if isinstance(expression, Number):
        return mpmath.mpf(expression.value)
    if isinstance(expression, Name):
        return leaf(expression)
    return FUNCTIONS[expression.operation](*(_value(argument, leaf) for argument in expression.arguments))


def _loss(case: Case, leaves: Mapping[Key, Any]) -> Any:
    values: dict[tuple[str, int], Any] = {}

    def read_at(t: int) -> Callable[[Name], Any]:
        def read(name: Name) -> Any:
            if name.name in case.parameters:
                return leaves["use", name.name, t]
            if name.name in case.constants:
                return exactly(case.constants[name.name])
            moment = t + (name.offset or 0)
            known = (name.name, moment)
            return values[known] if known in values else leaves[("value", *known)]

        return read

    for name, t in case.nodes:
        values[name, t] = _value(case.parsed[name].expression, read_at(t))
    return total(case, values)


def slope(case: Case, moved: list[Key], index: tuple[int, ...]) -> float:
    """∂E/∂(entry `index` of leaves that move together): one use, or all uses of a parameter, or an initial value."""
    with mpmath.workdps(DIGITS):
        leaves = {key: exactly(value) for key, value in leaves_of(case).items()}
        ends = []
        for step in (STEP, -STEP):
            shifted = dict(leaves)
            for key in moved:
                shifted[key] = np.array(leaves[key], dtype=object)
                shifted[key][index] += step
            ends.append(_loss(case, shifted))
        return float((ends[0] - ends[1]) / (2 * STEP))
