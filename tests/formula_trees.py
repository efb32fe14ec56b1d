"""Random formulas about a network: any tree the reader could have read, with the names and timesteps that exist."""

from __future__ import annotations

from typing import Any

import numpy as np

from bptt_tui.derivation.formulas import tree as f
from bptt_tui.derivation.formulas.scope import Scope

_LETTERS = ("t", "k", "j", "t'", "τ")


class Trees:
    """Draws formulas from a random stream."""

    def __init__(self, scope: Scope, seed: int) -> None:
        self.scope = scope
        self.rng = np.random.default_rng(seed)
        self.variables: tuple[str, ...] = ()
        names = list(scope.unrolled.shapes)
        self.timed = [(name, t) for name in names for t in range(-3, scope.steps) if scope.exists(name, t)]
        self.nodes = [(name, t) for name, t in self.timed if scope.kind(name) == "node" and t >= 0]
        self.fixed = [name for name in names if scope.kind(name) in ("parameter", "constant")]
        self.readings: tuple[f.Meant, ...] = ("", "", "immediate", "total") if self.chance(0.3) else ("",)

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def tree(self, depth: int) -> f.Formula:
        if depth <= 0:
            return self.pick([self.value, self.value, self.number, self.partial, self.entry, self.matrix])()
        forms = [
            self.add,
            self.multiply,
            self.multiply,
            self.divide,
            self.negate,
            self.power,
            self.transpose,
            self.call,
            self.over,
        ]
        return self.pick(forms)(depth - 1)

    def number(self) -> f.Formula:
        return f.Number(value=self.pick([0.0, 1.0, 2.0, 10.0, 0.5, 1e-7, 2.5e20, float(self.rng.random())]))

    def value(self) -> f.Value:
        if self.fixed and self.chance(0.3):
            name = self.pick(self.fixed)
            return f.Value(name=name)
        name, t = self.pick(self.timed)
        if self.variables and self.chance(0.5):
            return f.Value(name=name, t=f.Moment(int(self.rng.integers(-2, 2)), self.pick(self.variables)))
        return f.Value(name=name, t=f.Moment(t))

    def entry(self) -> f.Formula:
        value = self.value()
        shape = self.scope.shape(value.name)
        if not shape or self.chance(0.3):
            partial = self.partial()
            return f.Entry(operand=partial, indices=(self.whole(3),))
        count = int(self.rng.integers(1, len(shape) + 1))
        return f.Entry(operand=value, indices=tuple(self.whole(size) for size in shape[:count]))

    def matrix(self) -> f.Formula:
        columns = self.pick([1, 2, 3])
        count = columns * int(self.rng.integers(1 if columns > 1 else 2, 4))
        return f.Matrix(entries=tuple(self.number() for _ in range(count)), columns=columns)

    def whole(self, size: int) -> f.Formula:
        return f.Number(value=float(self.rng.integers(size)))

    def partial(self) -> f.Formula:
        above = f.Value(name=(node := self.pick(self.nodes))[0], t=f.Moment(node[1]))
        below = self.value()
        while self.scope.kind(below.name) == "constant":
            below = self.value()
        return f.Partial(above=above, below=below, reading=self.pick(self.readings))

    def several(self, depth: int) -> tuple[f.Formula, ...]:
        return tuple(self.tree(depth - int(self.rng.integers(2))) for _ in range(int(self.rng.integers(2, 4))))

    def add(self, depth: int) -> f.Formula:
        return f.Add(terms=self.several(depth))

    def multiply(self, depth: int) -> f.Formula:
        factors = self.several(depth)
        kinds = self.pick([("elementwise",), ("as it fits",), ("as it fits", "matrix")])
        return f.Multiply(factors=factors, joins=tuple(self.pick(kinds) for _ in factors[1:]))

    def divide(self, depth: int) -> f.Formula:
        return f.Divide(top=self.tree(depth), bottom=self.tree(depth))

    def negate(self, depth: int) -> f.Formula:
        return f.Negate(operand=self.tree(depth))

    def power(self, depth: int) -> f.Formula:
        exponent = self.pick([f.Number(value=2.0), f.Negate(operand=f.Number(value=1.0)), self.tree(depth)])
        return f.Power(base=self.tree(depth), exponent=exponent)

    def transpose(self, depth: int) -> f.Formula:
        return f.Transpose(operand=self.tree(depth))

    def call(self, depth: int) -> f.Formula:
        name = self.pick(
            ["tanh", "tanh'", "sigmoid'", "exp", "log", "softmax", "diag", "outer", "onehot", "ones", "eye", "sum"]
        )
        if name in ("ones", "eye"):
            return f.Call(function=name, arguments=())
        return f.Call(function=name, arguments=tuple(self.tree(depth) for _ in range(2 if name == "outer" else 1)))

    def over(self, depth: int) -> f.Formula:
        free = [letter for letter in _LETTERS if letter not in self.variables]
        if not free:
            return self.value()
        first = self.pick([None, self.bound()])
        last = self.pick([None, self.bound()])
        around, variable = self.variables, self.pick(free)
        self.variables = (*around, variable)
        body = self.tree(depth)
        self.variables = around
        return self.pick([f.Sum, f.Product])(variable=variable, body=body, first=first, last=last)

    def bound(self) -> f.Moment:
        if self.variables and self.chance(0.5):
            return f.Moment(int(self.rng.integers(-1, 2)), self.pick(self.variables))
        return f.Moment(int(self.rng.integers(0, self.scope.steps)))
