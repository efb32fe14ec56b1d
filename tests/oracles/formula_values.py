"""What a formula is worth at a trace's numbers, by dense Jacobians multiplied along every path.

Written for small networks and for being obviously right: a column for a vector, rows × columns for a partial, matrices
of parameters flattened row by row. Nothing is shared with the judge of derivations, which it tests.

With `loose`, rows and columns are not told apart as strictly: see `LOOSE`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.derivation.formulas import tree as f
from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.language import Call, Name
from bptt_tui.trace import Trace

Array = NDArray[np.float64]
Place = tuple[str, int | None]

_FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh'": lambda z: 1 / np.cosh(z) ** 2,
    "sigmoid'": lambda z: 1 / (2 + np.exp(z) + np.exp(-z)),
    "relu'": lambda z: (z > 0) * 1.0,
}


# Layouts in which people write gradients, and what they do where a row and a column meet the wrong way round: gradients
# as rows, everything transposed, or gradients in the shape of what they are by; products that fit or nothing, vectors
# turned until they fit, or multiplied entry by entry.
LOOSE = tuple(
    (layout, manner)
    for layout in ("numerator", "denominator", "gradient")
    for manner in ("matrix", "turning", "entries")
)


_PARTIALS: WeakKeyDictionary[Trace, Any] = WeakKeyDictionary()


class Misfit(Exception):
    """Shapes that cannot be combined."""


class Worth:
    """Values of formulas at one trace. With `local`, ∂a/∂b is the edge from b to a where there is one, or the total."""

    def __init__(self, trace: Trace, *, local: bool, loose: tuple[str, str] | None = None) -> None:
        self.trace = trace
        self.local = local
        self.loose = loose is not None
        self.layout, self.manner = loose or ("numerator", "matrix")
        self.unrolled = trace.unrolled
        self.network = trace.unrolled.network
        self.scope = Scope(trace.unrolled)
        # Partials depend on the trace alone.
        found = _PARTIALS.setdefault(trace, ({}, {}))
        self._totals: dict[tuple[Place, Place], Array] = found[0]
        self._edges: dict[tuple[Place, Place], Array | None] = found[1]

    def value(self, formula: f.Formula) -> Array:
        """Rows × columns; raises Misfit."""
        match formula:
            case f.Number(value=value):
                return np.array([[value]])
            case f.Value(name=name, t=t):
                return self._named(name, None if t is None else t.offset)
            case f.Partial():
                return self._laid_out(formula, self._partial(formula))
            case f.Sum() | f.Product():
                return self._over(formula)
            case f.Add(terms=terms):
                # A number beside a vector counts for every entry, as in 1 − s².
                values = [self.value(term) for term in terms]
                shapes = {v.shape for v, term in zip(values, terms, strict=True) if not isinstance(term, f.Number)}
                shape = shapes.pop() if len(shapes) == 1 else (1, 1)
                return self._added(
                    [
                        np.full(shape, t.value) if isinstance(t, f.Number) else v
                        for v, t in zip(values, terms, strict=True)
                    ]
                )
            case f.Negate(operand=operand):
                return -self.value(operand)
            case f.Multiply(factors=factors, joins=joins):
                result = self.value(factors[0])
                for join, factor in zip(joins, factors[1:], strict=True):
                    result = self._product(result, self.value(factor), join)
                return result
            case f.Divide(top=top, bottom=bottom):
                return _entrywise(np.divide, self.value(top), self.value(bottom))
            case f.Power(base=base, exponent=exponent):
                return _entrywise(np.power, self.value(base), self.value(exponent))
            case f.Transpose(operand=operand):
                return self.value(operand).T
            case f.Call(function=function, arguments=arguments):
                return self._called(function, arguments)
        raise AssertionError(formula)

    def _laid_out(self, partial: f.Partial, value: Array) -> Array:
        if self.layout == "denominator":
            return value.T
        if self.layout == "gradient" and value.shape[0] == 1:
            shape = self.unrolled.shapes[partial.below.name]
            return value.reshape(shape if len(shape) == 2 else (-1, 1))
        return value

    def _product(self, a: Array, b: Array, join: str) -> Array:
        if self.manner != "matrix" and join == "as it fits" and 1 not in (a.size, b.size):
            if self.manner == "entries" and (a.shape == b.shape or (1 in a.shape and a.shape == b.T.shape)):
                return a * (b if a.shape == b.shape else b.T)
            if a.shape[1] != b.shape[0] and self.manner == "turning":
                if a.shape[1] == 1 and a.shape[0] == b.shape[0]:
                    return np.asarray(a.T @ b)
                if b.shape[0] == 1 and a.shape[1] == b.shape[1]:
                    return np.asarray(a @ b.T)
        return _product(a, b, join)

    def _added(self, terms: list[Array]) -> Array:
        if self.loose:
            terms = [
                t.reshape(terms[0].shape) if t.size == terms[0].size and 1 in (*t.shape, *terms[0].shape) else t
                for t in terms
            ]
        if len({term.shape for term in terms}) > 1:
            raise Misfit
        return np.sum(terms, axis=0)

    def _named(self, name: str, t: int | None) -> Array:
        if t is None and self.scope.is_total(name):
            return np.array([[self.trace.loss]])
        value = np.asarray(self.trace.value(name, t), dtype=float)
        return value if value.ndim == 2 else value.reshape(-1, 1)

    def _called(self, function: str, arguments: tuple[f.Formula, ...]) -> Array:
        if function == "onehot":
            return np.eye(self._classes)[[int(self.value(arguments[0]).item())]].T
        values = [self.value(argument) for argument in arguments]
        if function == "diag":
            return np.diag(values[0].reshape(-1))
        if function == "outer":
            return np.outer(values[0], values[1])
        with np.errstate(all="ignore"):
            return np.asarray(_FUNCTIONS[function](values[0]))

    @cached_property
    def _classes(self) -> int:
        for equation in self.network.equations:
            call = equation.expression
            if isinstance(call, Call) and call.operation == "cross_entropy" and isinstance(call.arguments[0], Name):
                return int(np.prod(self.unrolled.shapes[call.arguments[0].name]))
        raise AssertionError("onehot without a softmax")

    def _over(self, over: f.Sum | f.Product) -> Array:
        first = 0 if over.first is None else over.first.offset
        last = self.trace.steps - 1 if over.last is None else over.last.offset
        values = []
        for t in range(first, last + 1):
            body = at_time(over.body, over.variable, t)
            if not self._there(body):
                if over.first is None and over.last is None:
                    continue
                raise Misfit
            values.append(self.value(body))
        if isinstance(over, f.Sum):
            return self._added(values)
        result = np.array([[1.0]])
        for value in values:
            result = self._product(value, result, "as it fits")
        return result

    def _there(self, formula: f.Formula) -> bool:
        return all(
            self.scope.exists(part.name, part.t.offset)
            for part in walk(formula)
            if isinstance(part, f.Value) and part.t is not None and not part.t.variable
        )

    # --- partials --------------------------------------------------------------------------------------------------

    def _partial(self, partial: f.Partial) -> Array:
        above = partial.above.name, None if partial.above.t is None else partial.above.t.offset
        below = partial.below.name, None if partial.below.t is None else partial.below.t.offset
        if partial.reading == "immediate" or (self.local and partial.reading != "total"):
            edge = self._edge(above, below)
            if edge is not None:
                return edge
            if partial.reading == "immediate":
                raise Misfit
        return self.total(above, below)

    def _edge(self, above: Place, below: Place) -> Array | None:
        key = above, below
        if key not in self._edges:
            self._edges[key] = self._edge_anew(above, below)
        return self._edges[key]

    def _edge_anew(self, above: Place, below: Place) -> Array | None:
        name, t = above
        if t is None or t < 0 or self.scope.kind(name) != "node":
            return None
        equation = self.network.index[name]
        for by in self.network.reads[equation]:
            same = by.name == below[0] and below[1] in (None, t + (by.offset or 0))
            if same and (self.scope.kind(by.name) == "parameter" or below[1] is not None):
                return np.asarray(self.trace.jacobian(equation, t, by))
        return None

    def total(self, above: Place, below: Place) -> Array:
        """The total derivative, through every path."""
        key = above, below
        if key not in self._totals:
            self._totals[key] = self._total(above, below)
        return self._totals[key]

    def _total(self, above: Place, below: Place) -> Array:
        name, t = above
        rows, columns = (int(np.prod(self.unrolled.shapes[each])) for each in (name, below[0]))
        if above == below:
            return np.eye(rows)
        result = np.zeros((rows, columns))
        if t is None:
            for step in self.unrolled.loss_times:
                result += self.trace.share * self.total((name, int(step)), below)
            return result
        if self.scope.kind(name) != "node" or t < 0:
            return result
        equation = self.network.index[name]
        for by in self.network.reads[equation]:
            kind = self.scope.kind(by.name)
            if kind == "constant":
                continue
            jacobian = np.asarray(self.trace.jacobian(equation, t, by))
            if kind == "parameter":
                if by.name == below[0] and below[1] in (None, t):
                    result += jacobian
            else:
                result += jacobian @ self.total((by.name, t + (by.offset or 0)), below)
        return result


def at_time(formula: f.Formula, variable: str, t: int) -> f.Formula:
    """The formula with a sum's variable set to a timestep."""

    def settle(moment: f.Moment | None) -> f.Moment | None:
        return f.Moment(t + moment.offset) if moment is not None and moment.variable == variable else moment

    def change(part: f.Formula) -> f.Formula:
        if isinstance(part, f.Value):
            return replace(part, t=settle(part.t)) if part.t is not None and part.t.variable == variable else part
        part = rebuilt(part, change)
        if isinstance(part, f.Sum | f.Product):
            part = replace(part, first=settle(part.first), last=settle(part.last))
        return part

    return change(formula)


def _entrywise(function: np.ufunc, a: Array, b: Array) -> Array:
    if a.shape != b.shape and 1 not in (a.size, b.size):
        raise Misfit
    with np.errstate(all="ignore"):
        return np.asarray(function(a, b))


def _product(a: Array, b: Array, join: str) -> Array:
    if a.size == 1 or b.size == 1:
        if join == "matrix" and a.shape[1] != b.shape[0]:
            raise Misfit
        return a * b if join != "matrix" else a @ b
    if join != "elementwise" and a.shape[1] == b.shape[0]:
        return np.asarray(a @ b)
    if join != "matrix" and a.shape == b.shape:
        return np.asarray(a * b)
    raise Misfit


def agree(value: Array, due: Array, shape: tuple[int, ...], *, loose: bool = False) -> bool:
    """Whether a value is the due row of a partial by something of `shape`: as a row, a column, or in its shape."""
    if value.shape != due.shape:
        if value.size != due.size or (due.shape[0] != 1 and value.T.shape != due.shape):
            return False
        if due.shape[0] != 1:
            if not loose:
                return False
            value = value.T
        elif 1 not in value.shape and value.shape != shape:
            return False
        value = value.reshape(due.shape)
    if not (np.isfinite(value).all() and np.isfinite(due).all()):
        return False
    scale = np.abs(due).max() + np.abs(value).max()
    return bool(np.abs(value - due).max() <= 1e-9 * scale)
