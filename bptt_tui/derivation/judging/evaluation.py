"""The value of a formula at every draw: the tree walked once, all draws side by side.

Shapes follow paper: a scalar is 1×1, a vector a column, ∂E/∂(vector) a row. Since people write gradients in more than
one layout, a formula is evaluated in one of three:

    numerator     ∂E/∂(vector) is a row, ∂z/∂s has a row for every entry of z
    denominator   all of it transposed
    gradient      ∂E/∂(anything) has the shape of that thing, every other partial as in the numerator layout

and a product "as it fits" in one of four manners: the matrix product first, entry by entry first, with o − y at the
head of a product taken as the row it stands for, as in (o − y)·v, or two columns as their inner product, v·(o − y).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bptt_tui.derivation.formulas.parts import children, walk
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Join,
    Matrix,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Statement,
    Sum,
    Time,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.draws import Target
from bptt_tui.derivation.judging.functions import call, entry, matrix
from bptt_tui.derivation.judging.reading import Manner, Reading, turned_first
from bptt_tui.derivation.judging.samples import Key, Samples, Stack
from bptt_tui.derivation.judging.stacks import by_entries, by_inner, by_matrix, like, one_hot
from bptt_tui.errors import BpttError, FormulaError

Environment = Mapping[str, int]

MAX_PARTS = 60_000
MAX_DEPTH = 120
MAX_POWER = 1_000
NOTHING: Environment = {}


class Misfit(Exception):
    """Factors or terms that do not fit: `formula` the product or sum, `index` the part that does not fit the ones
    before it."""

    def __init__(
        self, formula: Formula | None, env: Environment, index: int, left: tuple[int, int], right: tuple[int, int]
    ):
        super().__init__(f"{left[0]}×{left[1]} meets {right[0]}×{right[1]}")
        self.formula, self.env, self.index, self.left, self.right = formula, env, index, left, right


class Evaluator:
    """Evaluates formulas at the draws of `samples`, read in one way."""

    def __init__(
        self, samples: Samples, targets: Mapping[str, Target], statement: Statement, reading: Reading | None = None
    ) -> None:
        self.samples = samples
        self.targets = targets
        self.statement = statement
        self.reading = reading or Reading()

    def read_as(self, reading: Reading) -> Evaluator:
        """The same numbers, read in another way."""
        return Evaluator(self.samples, self.targets, self.statement, reading)

    def value(self, formula: Formula, env: Environment = NOTHING) -> Stack:
        """The formula's value, `(draws, rows, columns)`. Raises Misfit, or FormulaError for what does not exist."""
        with np.errstate(all="ignore"):
            return self.inner(formula, env)

    def inner(self, formula: Formula, env: Environment) -> Stack:
        """The value of a part, within an evaluation."""
        return _RULES[type(formula)](self, formula, env)

    # --- leaves --------------------------------------------------------------------------------------------------

    def key(self, value: Value, env: Environment) -> Key:
        """The name and the timestep meant."""
        return value.name, None if value.t is None else moment(value.t, env)

    def _leaf(self, formula: Value, env: Environment) -> Stack:
        name, t = self.key(formula, env)
        target = self.targets.get(name)
        try:
            value = self.samples.value(name, t)
        except BpttError as error:
            raise self.wrong(formula, error.reason, error.hint) from None
        return one_hot(value, target.classes) if target is not None and target.kind == "class" else value

    def _partial(self, formula: Partial, env: Environment) -> Stack:
        above, below = self.key(formula.above, env), self.key(formula.below, env)
        try:
            value = self.samples.partial(above, below, self.reading.mode(formula))
        except BpttError as error:
            raise self.wrong(formula, error.reason, error.hint) from None
        layout = self.reading.layout
        if layout == "denominator":
            return value.transpose(0, 2, 1)
        if layout == "gradient" and value.shape[1] == 1:
            return value.reshape(len(value), *self.samples.shape(below[0]))
        return value

    def wrong(self, formula: Formula, reason: str, hint: str = "") -> FormulaError:
        """An error at the formula's place in the text."""
        return FormulaError(reason, text=self.statement.text, column=formula.span[0], hint=hint)

    # --- sums and products ---------------------------------------------------------------------------------------

    def steps(self, formula: Sum | Product, env: Environment) -> Iterator[dict[str, int]]:
        """The environments of a sum's terms: those from bound to bound for which the body exists."""
        last_of_all = self.samples.unrolled.steps - 1
        first = 0 if formula.first is None else moment(formula.first, env)
        last = last_of_all if formula.last is None else moment(formula.last, env)
        for t in range(first, last + 1):
            inner = {**env, formula.variable: t}
            if self._has(formula.body, formula.variable, inner):
                yield inner

    def repetitions(self, formula: Product, env: Environment) -> list[dict[str, int]]:
        """The environments of a product's factors, from the left."""
        environments = list(self.steps(formula, env))
        return environments if self.reading.layout == "denominator" else environments[::-1]

    def _has(self, formula: Formula, variable: str, env: Environment) -> bool:
        for part in walk(formula):
            if isinstance(part, Value) and part.t is not None and part.t.variable == variable:
                t = moment(part.t, env)
                if not self.samples.exists(part.name, t):
                    return False
        return True

    def _sum(self, formula: Sum, env: Environment) -> Stack:
        total: Stack | None = None
        for inner in self.steps(formula, env):
            term = self.inner(formula.body, inner)
            total = term if total is None else self.added(formula, env, 0, total, term)
        return self.constant(0.0) if total is None else total

    def _repeated(self, formula: Product, env: Environment) -> Stack:
        """Π with the latest timestep leftmost; in the denominator layout, where chains run upwards, the earliest."""
        stacks = [self.inner(formula.body, inner) for inner in self.repetitions(formula, env)]
        if not stacks:
            return self.constant(1.0)
        return self.product(stacks, as_it_fits(len(stacks) - 1), formula, env)

    def _add(self, formula: Add, env: Environment) -> Stack:
        total = self.inner(formula.terms[0], env)
        for index, term in enumerate(formula.terms[1:], 1):
            total = self.added(formula, env, index, total, self.inner(term, env))
        return total

    def added(self, formula: Formula | None, env: Environment, index: int, a: Stack, b: Stack) -> Stack:
        """a + b: one shape, a number with anything, a row with a column, a flattened matrix with the matrix."""
        fitted = like(b, a)
        if fitted is not None:
            return a + fitted
        raise Misfit(formula, env, index, a.shape[1:], b.shape[1:])

    def _multiply(self, formula: Multiply, env: Environment) -> Stack:
        stacks = [self.inner(factor, env) for factor in formula.factors]
        if self.reading.manner == "turning":
            stacks = turned_first([(factor, False) for factor in formula.factors], stacks)
        return self.product(stacks, formula.joins, formula, env)

    def product(
        self, stacks: list[Stack], joins: tuple[Join, ...], formula: Formula | None = None, env: Environment = NOTHING
    ) -> Stack:
        """Factors multiplied in the order written; where that does not fit, matrix products before products by
        entries, then from the right."""
        try:
            return self._from_left(stacks, joins, formula, env)
        except Misfit as misfit:
            for other in (self._grouped, self._from_right):
                try:
                    return other(stacks, joins, formula, env)
                except Misfit:
                    continue
            raise misfit from None

    def _from_left(
        self, stacks: list[Stack], joins: tuple[Join, ...], formula: Formula | None, env: Environment
    ) -> Stack:
        total = stacks[0]
        for index, (join, stack) in enumerate(zip(joins, stacks[1:], strict=True), 1):
            total = self.times(total, stack, join, formula, env, index)
        return total

    def _from_right(
        self, stacks: list[Stack], joins: tuple[Join, ...], formula: Formula | None, env: Environment
    ) -> Stack:
        total = stacks[-1]
        for index in range(len(stacks) - 2, -1, -1):
            total = self.times(stacks[index], total, joins[index], formula, env, index)
        return total

    def _grouped(
        self, stacks: list[Stack], joins: tuple[Join, ...], formula: Formula | None, env: Environment
    ) -> Stack:
        if "elementwise" not in joins:
            raise Misfit(formula, env, 0, (0, 0), (0, 0))
        groups: list[Stack] = []
        start = 0
        for end in [*(i + 1 for i, join in enumerate(joins) if join == "elementwise"), len(stacks)]:
            groups.append(self._from_left(stacks[start:end], joins[start : end - 1], formula, env))
            start = end
        return self._from_left(groups, tuple(join for join in joins if join == "elementwise"), formula, env)

    def times(self, a: Stack, b: Stack, join: Join, formula: Formula | None, env: Environment, index: int) -> Stack:
        """a · b."""
        if a.shape[1:] == (1, 1) or b.shape[1:] == (1, 1):
            return a * b
        product = by_entries(a, b) if join == "elementwise" else None
        if join == "matrix":
            product = by_matrix(a, b)
            if product is None and a.shape == b.shape and a.shape[2] == 1:
                product = np.matmul(a.transpose(0, 2, 1), b)
        elif join == "as it fits":
            for way in _MANNERS[self.reading.manner]:
                product = way(a, b)
                if product is not None:
                    break
        if product is None:
            raise Misfit(formula, env, index, a.shape[1:], b.shape[1:])
        return product

    def _negate(self, formula: Negate, env: Environment) -> Stack:
        return -self.inner(formula.operand, env)

    def _divide(self, formula: Divide, env: Environment) -> Stack:
        top, bottom = self.inner(formula.top, env), self.inner(formula.bottom, env)
        if bottom.shape[1:] == (1, 1) or top.shape[1:] == (1, 1):
            return top / bottom
        fitted = like(bottom, top)
        if fitted is None:
            raise Misfit(formula, env, 1, top.shape[1:], bottom.shape[1:])
        return top / fitted

    def _power(self, formula: Power, env: Environment) -> Stack:
        base, exponent = self.inner(formula.base, env), self.inner(formula.exponent, env)
        times = self.times_itself(formula, base, exponent)
        if times is not None:
            return np.linalg.matrix_power(base, times)
        if exponent.shape[1:] != (1, 1) and exponent.shape != base.shape:
            raise Misfit(formula, env, 1, base.shape[1:], exponent.shape[1:])
        return np.power(base, exponent)

    @staticmethod
    def times_itself(formula: Power, base: Stack, exponent: Stack) -> int | None:
        """How often a matrix is multiplied with itself; None where every entry is raised."""
        count = float(exponent.reshape(-1)[0])
        if formula.by != "matrix" or base.shape[1] != base.shape[2] or not np.all(exponent == count):
            return None
        return int(count) if count in range(MAX_POWER) else None

    def _transpose(self, formula: Transpose, env: Environment) -> Stack:
        return self.inner(formula.operand, env).transpose(0, 2, 1)

    # --- functions -----------------------------------------------------------------------------------------------

    def constant(self, value: float) -> Stack:
        """A number at every draw."""
        return np.full((self.samples.count, 1, 1), value)

    # --- how much it is ------------------------------------------------------------------------------------------

    def check_size(self, formula: Formula) -> None:
        """Refuse what would take too long, with the estimate. Raises FormulaError."""
        counted = self._count(formula, {}, 0)
        if counted > MAX_PARTS:
            raise self.wrong(
                formula,
                f"written out, this has about {counted:,} parts",
                f"at most {MAX_PARTS:,}: give the sums closer bounds",
            )

    def _count(self, formula: Formula, env: Environment, depth: int) -> int:
        """An upper estimate of the parts, sums written out."""
        if depth > MAX_DEPTH:
            raise self.wrong(formula, "brackets nested too deep", f"at most {MAX_DEPTH} levels")
        if isinstance(formula, Sum | Product):
            bounds = [m.offset for m in (formula.first, formula.last) if m is not None and not m.variable]
            length = self.samples.unrolled.steps
            if len(bounds) == 2:
                length = max(0, bounds[1] - bounds[0] + 1)
            return 1 + max(length, 1) * self._count(formula.body, env, depth + 1)
        return 1 + sum(self._count(child, env, depth + 1) for child in children(formula))


def as_it_fits(count: int) -> tuple[Join, ...]:
    """So many joins of the plain kind."""
    plain: Join = "as it fits"
    return (plain,) * count


def moment(t: Moment, env: Environment) -> int:
    """The timestep meant."""
    return t.offset + (env[t.variable] if t.variable else 0)


_MANNERS: dict[Manner, tuple[Callable[[Stack, Stack], Stack | None], ...]] = {
    "matrix": (by_matrix, by_entries),
    "entries": (by_entries, by_matrix),
    "turning": (by_matrix, by_entries),
    "inner": (by_matrix, by_inner, by_entries),
}


_Rule = Callable[[Evaluator, Any, Environment], Stack]
_RULES: dict[type, _Rule] = {
    Number: lambda e, f, env: e.constant(f.value),
    Value: Evaluator._leaf,
    Time: lambda e, f, env: e.constant(float(moment(f.t, env))),
    Partial: Evaluator._partial,
    Sum: Evaluator._sum,
    Product: Evaluator._repeated,
    Add: Evaluator._add,
    Negate: Evaluator._negate,
    Multiply: Evaluator._multiply,
    Divide: Evaluator._divide,
    Power: Evaluator._power,
    Transpose: Evaluator._transpose,
    Call: call,
    Entry: entry,
    Matrix: matrix,
}
