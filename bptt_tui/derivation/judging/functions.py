"""The functions of formulas at every draw: diag, outer, onehot, slopes, entries, and the operations of the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import shape_text
from bptt_tui.derivation.formulas.tree import Call, Entry, Formula, Matrix, Value
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import lowered, one_hot

if TYPE_CHECKING:
    from bptt_tui.derivation.judging.evaluation import Environment, Evaluator

Array = NDArray[Any]
_Rule = Callable[["Evaluator", Any, "Environment"], Stack]


def call(e: Evaluator, formula: Call, env: Environment) -> Stack:
    """A function of its arguments: of formulas, a slope f′(z), or an operation of the language."""
    name = formula.function
    maker = _MAKERS.get(name)
    if maker is not None:
        return maker(e, formula, env)
    if name.endswith("'"):
        (z,) = (e.inner(argument, env) for argument in formula.arguments)
        operation = OPERATIONS[name[:-1]]
        slope = operation.slope(0, operation.evaluate((z,), ((),)), (z,), ((),))
        return np.broadcast_to(slope, z.shape)
    return _operation(e, formula, env)


def _operation(e: Evaluator, formula: Call, env: Environment) -> Stack:
    operation = OPERATIONS.get(formula.function)
    if operation is None:
        raise e.wrong(formula, f"there is no function {formula.function}")
    raw = formula.function.endswith("cross_entropy")
    args = [
        e.samples.value(*e.key(a, env)) if raw and isinstance(a, Value) else e.inner(a, env) for a in formula.arguments
    ]
    if operation.elementwise and len(args) == 1:
        return np.asarray(operation.evaluate((args[0],), ((),)))
    flat = [lowered(arg) for arg in args]
    shapes = tuple(arg.shape[1:] for arg in flat)
    try:
        shape = operation.shape(*shapes)
    except Exception as error:
        raise e.wrong(formula, str(error)) from None
    result = np.asarray(operation.evaluate(tuple(flat), shapes)).reshape(e.samples.count, *shape)
    if len(shape) == 2:
        return result
    if not shape:
        return result.reshape(e.samples.count, 1, 1)
    return result.reshape(e.samples.count, *(args[0].shape[1:] if args[0].shape[1] == 1 else (-1, 1)))


def entry(e: Evaluator, formula: Entry, env: Environment) -> Stack:
    """One entry of an array."""
    operand = e.inner(formula.operand, env)
    indices = [_index(e, index, env) for index in formula.indices]
    draws = np.arange(e.samples.count)
    if len(indices) == 1:
        operand = operand.reshape(e.samples.count, -1)
    if len(indices) > 2 or any(
        (i < 0).any() or (i >= n).any() for i, n in zip(indices, operand.shape[1:], strict=True)
    ):
        raise e.wrong(formula, "there is no such entry", f"the shape is {shape_text(operand.shape[1:])}")
    return np.asarray(operand[(draws, *indices)].reshape(-1, 1, 1))


def matrix(e: Evaluator, formula: Matrix, env: Environment) -> Stack:
    """Numbers side by side."""
    entries = [e.inner(part, env) for part in formula.entries]
    for part, value in zip(formula.entries, entries, strict=True):
        if value.shape[1:] != (1, 1):
            raise e.wrong(
                part, f"an entry is one number, and this is {shape_text(value.shape[1:])}", "as in [0.5, -0.5]"
            )
    return np.concatenate(entries, axis=1).reshape(e.samples.count, -1, formula.columns)


def _index(e: Evaluator, formula: Formula, env: Environment) -> Array:
    # The class itself, which elsewhere stands for its one-hot vector.
    own = isinstance(formula, Value)
    value = e.samples.value(*e.key(formula, env)) if own else e.inner(formula, env)  # type: ignore[arg-type]
    return np.asarray(value.reshape(e.samples.count, -1)[:, 0], dtype=int)


def _diag(e: Evaluator, formula: Call, env: Environment) -> Stack:
    (a,) = (e.inner(argument, env) for argument in formula.arguments)
    if 1 not in a.shape[1:]:
        return np.stack([np.diag(np.diag(one)) for one in a])
    return np.stack([np.diag(one.reshape(-1)) for one in a])


def _outer(e: Evaluator, formula: Call, env: Environment) -> Stack:
    """a·bᵀ of two vectors; with a matrix, the Kronecker product."""
    a, b = (e.inner(argument, env) for argument in formula.arguments)
    if 1 in a.shape[1:] and 1 in b.shape[1:]:
        a, b = (one.reshape(e.samples.count, -1) for one in (a, b))
        return a[:, :, None] * b[:, None, :]
    return _kron(e, formula, env)


def _kron(e: Evaluator, formula: Call, env: Environment) -> Stack:
    a, b = (e.inner(argument, env) for argument in formula.arguments)
    return np.stack([np.kron(one, other) for one, other in zip(a, b, strict=True)])


def _one_hot(e: Evaluator, formula: Call, env: Environment) -> Stack:
    first = formula.arguments[0]
    if not isinstance(first, Value):
        raise e.wrong(formula, "onehot takes a class", "write onehot(y)")
    name, t = e.key(first, env)
    target = e.targets.get(name)
    value = e.samples.value(name, t)
    if len(formula.arguments) > 1:
        classes = int(e.inner(formula.arguments[1], env)[0, 0, 0])
    elif target is not None and target.kind == "class":
        classes = target.classes
    else:
        return value
    return one_hot(value, classes)


def _ones(e: Evaluator, formula: Call, env: Environment) -> Stack:
    sizes = _sizes(e, formula, env)
    return np.ones((e.samples.count, *(sizes or (e.reading.size or 1, 1))))


def _eye(e: Evaluator, formula: Call, env: Environment) -> Stack:
    rows = (_sizes(e, formula, env) or (e.reading.size or 1, 1))[0]
    return np.broadcast_to(np.eye(rows), (e.samples.count, rows, rows))


def _sizes(e: Evaluator, formula: Call, env: Environment) -> tuple[int, int] | None:
    if not formula.arguments:
        return None
    sizes = [float(e.inner(argument, env)[0, 0, 0]) for argument in formula.arguments]
    if any(n != int(n) or not 1 <= n <= 4096 for n in sizes):
        raise e.wrong(formula, "not a size", f"write {formula.function}(3)")
    return int(sizes[0]), int(sizes[1]) if len(sizes) > 1 else 1


def _sech(e: Evaluator, formula: Call, env: Environment) -> Stack:
    (z,) = (e.inner(argument, env) for argument in formula.arguments)
    return np.asarray(1.0 / np.cosh(z))


_MAKERS: dict[str, _Rule] = {
    "diag": _diag,
    "outer": _outer,
    "kron": _kron,
    "onehot": _one_hot,
    "ones": _ones,
    "eye": _eye,
    "sech": _sech,
}
