"""The value of a formula at every draw: the tree walked once, all draws side by side.

Shapes follow paper: a scalar is 1×1, a vector a column, ∂E/∂(vector) a row. Since people write gradients in more than
one layout, a formula is evaluated in one of three:

    numerator     ∂E/∂(vector) is a row, ∂z/∂s has a row for every entry of z
    denominator   all of it transposed
    gradient      ∂E/∂(anything) has the shape of that thing, every other partial as in the numerator layout

and a product "as it fits" in one of three manners: the matrix product first, entry by entry first, or with o − y
at the head of a product taken as the row it stands for, as in (o − y)·v.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Join,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Statement,
    Sum,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.draws import Target
from bptt_tui.derivation.judging.samples import Key, Mode, Samples, Stack
from bptt_tui.errors import BpttError, FormulaError

Array = NDArray[Any]
Environment = Mapping[str, int]
Layout = Literal["numerator", "denominator", "gradient"]
Manner = Literal["matrix", "entries", "turning"]
Family = tuple[str, str, bool]

MAX_PARTS = 60_000
MAX_DEPTH = 120
NOTHING: Environment = {}


class Reading(Struct, frozen=True):
    """How a formula is read: the layout, the manner of its products, and the mode of every family of partials.

    `size` is that of an I or 𝟏 that has none of its own; 0: they do what the number 1 does.

    `modes` has (above's name, below's name, is it a whole) → mode for what the text leaves open, else `default`.
    """

    layout: Layout = "numerator"
    manner: Manner = "matrix"
    default: Mode = "total"
    modes: tuple[tuple[Family, Mode], ...] = ()
    size: int = 0

    def mode(self, partial: Partial) -> Mode:
        """The mode of one partial; what the text says goes first."""
        if partial.reading:
            return partial.reading
        return dict(self.modes).get(family(partial), self.default)


def family(partial: Partial) -> Family:
    """Partials that are read alike: those of one name by another."""
    return partial.above.name, partial.below.name, partial.below.t is None


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
            return self._value(formula, env)

    def _value(self, formula: Formula, env: Environment) -> Stack:
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

    def _has(self, formula: Formula, variable: str, env: Environment) -> bool:
        for part in parts(formula):
            if isinstance(part, Value) and part.t is not None and part.t.variable == variable:
                t = moment(part.t, env)
                if not self.samples.exists(part.name, t):
                    return False
        return True

    def _sum(self, formula: Sum, env: Environment) -> Stack:
        total: Stack | None = None
        for inner in self.steps(formula, env):
            term = self._value(formula.body, inner)
            total = term if total is None else self.added(formula, env, 0, total, term)
        return self.constant(0.0) if total is None else total

    def _repeated(self, formula: Product, env: Environment) -> Stack:
        """Π with the latest timestep leftmost."""
        stacks = [self._value(formula.body, inner) for inner in reversed(list(self.steps(formula, env)))]
        if not stacks:
            return self.constant(1.0)
        return self.product(stacks, as_it_fits(len(stacks) - 1), formula, env)

    def _add(self, formula: Add, env: Environment) -> Stack:
        total = self._value(formula.terms[0], env)
        for index, term in enumerate(formula.terms[1:], 1):
            total = self.added(formula, env, index, total, self._value(term, env))
        return total

    def added(self, formula: Formula | None, env: Environment, index: int, a: Stack, b: Stack) -> Stack:
        """a + b: one shape, a number with anything, a row with a column, a flattened matrix with the matrix."""
        fitted = like(b, a)
        if fitted is not None:
            return a + fitted
        raise Misfit(formula, env, index, a.shape[1:], b.shape[1:])

    def _multiply(self, formula: Multiply, env: Environment) -> Stack:
        stacks = [self._value(factor, env) for factor in formula.factors]
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
        return -self._value(formula.operand, env)

    def _divide(self, formula: Divide, env: Environment) -> Stack:
        top, bottom = self._value(formula.top, env), self._value(formula.bottom, env)
        if bottom.shape[1:] == (1, 1) or top.shape[1:] == (1, 1):
            return top / bottom
        fitted = like(bottom, top)
        if fitted is None:
            raise Misfit(formula, env, 1, top.shape[1:], bottom.shape[1:])
        return top / fitted

    def _power(self, formula: Power, env: Environment) -> Stack:
        base, exponent = self._value(formula.base, env), self._value(formula.exponent, env)
        if exponent.shape[1:] != (1, 1) and exponent.shape != base.shape:
            raise Misfit(formula, env, 1, base.shape[1:], exponent.shape[1:])
        return np.power(base, exponent)

    def _transpose(self, formula: Transpose, env: Environment) -> Stack:
        return self._value(formula.operand, env).transpose(0, 2, 1)

    # --- functions -----------------------------------------------------------------------------------------------

    def constant(self, value: float) -> Stack:
        """A number at every draw."""
        return np.full((self.samples.count, 1, 1), value)

    def _call(self, formula: Call, env: Environment) -> Stack:
        name = formula.function
        maker = _MAKERS.get(name)
        if maker is not None:
            return maker(self, formula, env)
        if name.endswith("'"):
            (z,) = (self._value(argument, env) for argument in formula.arguments)
            operation = OPERATIONS[name[:-1]]
            slope = operation.slope(0, operation.evaluate((z,), ((),)), (z,), ((),))
            return np.broadcast_to(slope, z.shape)
        return self._operation(formula, env)

    def _operation(self, formula: Call, env: Environment) -> Stack:
        operation = OPERATIONS.get(formula.function)
        if operation is None:
            raise self.wrong(formula, f"there is no function {formula.function}")
        raw = formula.function.endswith("cross_entropy")
        args = [
            self.samples.value(*self.key(a, env)) if raw and isinstance(a, Value) else self._value(a, env)
            for a in formula.arguments
        ]
        if operation.elementwise and len(args) == 1:
            return np.asarray(operation.evaluate((args[0],), ((),)))
        flat = [_lowered(arg) for arg in args]
        shapes = tuple(arg.shape[1:] for arg in flat)
        try:
            shape = operation.shape(*shapes)
        except Exception as error:
            raise self.wrong(formula, str(error)) from None
        result = np.asarray(operation.evaluate(tuple(flat), shapes)).reshape(self.samples.count, *shape)
        if len(shape) == 2:
            return result
        return result.reshape(self.samples.count, *(args[0].shape[1:] if args[0].shape[1] == 1 else (-1, 1)))

    def _entry(self, formula: Entry, env: Environment) -> Stack:
        operand = self._value(formula.operand, env)
        indices = [self._index(index, env) for index in formula.indices]
        draws = np.arange(self.samples.count)
        if len(indices) == 1:
            operand = operand.reshape(self.samples.count, -1)
        if len(indices) > 2 or any(
            (i < 0).any() or (i >= n).any() for i, n in zip(indices, operand.shape[1:], strict=True)
        ):
            raise self.wrong(formula, "there is no such entry", f"the shape is {shown(operand.shape[1:])}")
        return np.asarray(operand[(draws, *indices)].reshape(-1, 1, 1))

    def _index(self, formula: Formula, env: Environment) -> Array:
        # The class itself, which elsewhere stands for its one-hot vector.
        own = isinstance(formula, Value)
        value = self.samples.value(*self.key(formula, env)) if own else self._value(formula, env)  # type: ignore[arg-type]
        return np.asarray(value.reshape(self.samples.count, -1)[:, 0], dtype=int)

    def _diag(self, formula: Call, env: Environment) -> Stack:
        (a,) = (self._value(argument, env) for argument in formula.arguments)
        if 1 not in a.shape[1:]:
            return np.stack([np.diag(np.diag(one)) for one in a])
        return np.stack([np.diag(one.reshape(-1)) for one in a])

    def _outer(self, formula: Call, env: Environment) -> Stack:
        """a·bᵀ of two vectors; with a matrix, the Kronecker product."""
        a, b = (self._value(argument, env) for argument in formula.arguments)
        if 1 in a.shape[1:] and 1 in b.shape[1:]:
            a, b = (one.reshape(self.samples.count, -1) for one in (a, b))
            return a[:, :, None] * b[:, None, :]
        return self._kron(formula, env)

    def _kron(self, formula: Call, env: Environment) -> Stack:
        a, b = (self._value(argument, env) for argument in formula.arguments)
        return np.stack([np.kron(one, other) for one, other in zip(a, b, strict=True)])

    def _one_hot(self, formula: Call, env: Environment) -> Stack:
        first = formula.arguments[0]
        if not isinstance(first, Value):
            raise self.wrong(formula, "onehot takes a class", "write onehot(y)")
        name, t = self.key(first, env)
        target = self.targets.get(name)
        value = self.samples.value(name, t)
        if len(formula.arguments) > 1:
            classes = int(self._value(formula.arguments[1], env)[0, 0, 0])
        elif target is not None and target.kind == "class":
            classes = target.classes
        else:
            return value
        return one_hot(value, classes)

    def _ones(self, formula: Call, env: Environment) -> Stack:
        sizes = self._sizes(formula, env)
        return np.ones((self.samples.count, *(sizes or (self.reading.size or 1, 1))))

    def _eye(self, formula: Call, env: Environment) -> Stack:
        rows = (self._sizes(formula, env) or (self.reading.size or 1, 1))[0]
        return np.broadcast_to(np.eye(rows), (self.samples.count, rows, rows))

    def _sizes(self, formula: Call, env: Environment) -> tuple[int, int] | None:
        if not formula.arguments:
            return None
        sizes = [float(self._value(argument, env)[0, 0, 0]) for argument in formula.arguments]
        if any(n != int(n) or not 1 <= n <= 4096 for n in sizes):
            raise self.wrong(formula, "not a size", f"write {formula.function}(3)")
        return int(sizes[0]), int(sizes[1]) if len(sizes) > 1 else 1

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


def children(formula: Formula) -> tuple[Formula, ...]:
    """The parts directly inside; a partial's two values count as its own."""
    match formula:
        case Add(terms=inside):
            return inside
        case Multiply(factors=inside):
            return inside
        case Negate(operand=one) | Transpose(operand=one):
            return (one,)
        case Divide(top=a, bottom=b) | Power(base=a, exponent=b):
            return (a, b)
        case Call(arguments=inside):
            return inside
        case Entry(operand=one, indices=more):
            return (one, *more)
        case Sum(body=one) | Product(body=one):
            return (one,)
        case Partial(above=a, below=b):
            return (a, b)
    return ()


def parts(formula: Formula) -> Iterator[Formula]:
    """The formula and everything inside it, from the left."""
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(children(part)))


def one_hot(value: Stack, classes: int) -> Stack:
    """Class indices as columns with one 1."""
    indices = value.reshape(len(value), -1)[:, 0].astype(int)
    return np.asarray(np.eye(classes)[np.clip(indices, 0, classes - 1)][:, :, None])


def by_matrix(a: Stack, b: Stack) -> Stack | None:
    """The matrix product, None where the inner sizes differ."""
    return np.matmul(a, b) if a.shape[2] == b.shape[1] else None


def by_entries(a: Stack, b: Stack) -> Stack | None:
    """The product by entries of equal shapes or of two vectors, None otherwise."""
    if a.shape == b.shape:
        return a * b
    if 1 in a.shape[1:] and b.shape[1:] == (a.shape[2], a.shape[1]):
        return a * b.transpose(0, 2, 1)
    return None


def turned_first(factors: Sequence[tuple[Formula, bool]], stacks: list[Stack]) -> list[Stack]:
    """The factors of a product with a gradient written by its values, o − y or −y/o, as the row it stands for.

    Only the leftmost one that is no number, and only where it is a column that nothing has transposed.
    """
    for place, ((formula, transposed), stack) in enumerate(zip(factors, stacks, strict=True)):
        if stack.shape[1:] == (1, 1):
            continue
        if stack.shape[2] == 1 and not transposed and _is_gap(formula):
            return [*stacks[:place], stack.transpose(0, 2, 1), *stacks[place + 1 :]]
        break
    return stacks


def _is_gap(formula: Formula) -> bool:
    if isinstance(formula, Negate):
        return _is_gap(formula.operand)
    if any(isinstance(part, Partial | Transpose) for part in parts(formula)):
        return False
    return isinstance(formula, Divide) or (
        isinstance(formula, Add) and any(isinstance(term, Negate) for term in formula.terms)
    )


_MANNERS: dict[Manner, tuple[Callable[[Stack, Stack], Stack | None], ...]] = {
    "matrix": (by_matrix, by_entries),
    "entries": (by_entries, by_matrix),
    "turning": (by_matrix, by_entries),
}


def like(b: Stack, a: Stack) -> Stack | None:
    """`b` in the shape of `a` where it is the same thing written otherwise: a row for a column, a matrix row by row.

    A number goes with anything; None where the two do not fit.
    """
    if a.shape == b.shape or (1, 1) in (a.shape[1:], b.shape[1:]):
        return b
    entries = a.shape[1] * a.shape[2]
    if b.shape[1] * b.shape[2] == entries and (1 in b.shape[1:] or 1 in a.shape[1:]):
        return b.reshape(a.shape)
    return None


def _lowered(stack: Stack) -> Stack:
    """A stack in the ranks of the language: scalars (draws,), vectors (draws, n)."""
    draws, rows, columns = stack.shape
    if rows == columns == 1:
        return stack.reshape(draws)
    return stack.reshape(draws, -1) if 1 in (rows, columns) else stack


def shown(shape: tuple[int, ...]) -> str:
    """3×1."""
    return "×".join(map(str, shape))


_Rule = Callable[[Evaluator, Any, Environment], Stack]
_RULES: dict[type, _Rule] = {
    Number: lambda e, f, env: e.constant(f.value),
    Value: Evaluator._leaf,
    Partial: Evaluator._partial,
    Sum: Evaluator._sum,
    Product: Evaluator._repeated,
    Add: Evaluator._add,
    Negate: Evaluator._negate,
    Multiply: Evaluator._multiply,
    Divide: Evaluator._divide,
    Power: Evaluator._power,
    Transpose: Evaluator._transpose,
    Call: Evaluator._call,
    Entry: Evaluator._entry,
}
_MAKERS: dict[str, _Rule] = {
    "diag": Evaluator._diag,
    "outer": Evaluator._outer,
    "kron": Evaluator._kron,
    "onehot": Evaluator._one_hot,
    "ones": Evaluator._ones,
    "eye": Evaluator._eye,
}
