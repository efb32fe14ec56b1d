"""What is wrong with one product: the smallest change of one factor that makes it what it should be.

The change is searched for by numbers: a factor left out, put in, replaced, transposed, moved, or taken at another
timestep, such that the product is right at every draw. Nothing is guessed from how the formula looks; looks only decide
between changes that all make it right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.derivation.formulas.tree import Formula, Join, Moment, Partial, Value
from bptt_tui.derivation.judging.candidates import Candidate, is_one
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit, children, moment, parts
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.terms import Factor, Term
from bptt_tui.derivation.judging.truth import Truth, largest
from bptt_tui.errors import BpttError

Change = Literal[
    "sign", "scale", "missing", "extra", "doubled", "replaced", "shifted", "transposed", "order", "join", "missing two",
    "extra two",
]  # fmt: skip
RTOL = 1e-7
MAX_TRIALS = 4_000


class Edit(Struct, frozen=True):
    """A change that makes a term right. `index` is the factor concerned, or where one is missing."""

    change: Change
    index: int
    cost: float
    due: Candidate | None = None
    second: Candidate | None = None
    factor: Factor | None = None
    ratio: float = 1.0


class Measured:
    """A term with its factors' values."""

    def __init__(self, term: Term, evaluator: Evaluator) -> None:
        self.term = term
        self.evaluator = evaluator
        self.stacks = [factor.value(evaluator) for factor in term.factors]
        self.value: Stack | None = self.tried(self.stacks, term.joins)

    def tried(self, stacks: list[Stack], joins: tuple[Join, ...]) -> Stack | None:
        """The product of these factors, None where they do not fit."""
        try:
            return self.term.sign * self.evaluator.product(stacks, joins) if stacks else None
        except Misfit:
            return None

    @property
    def moments(self) -> list[int]:
        """The timesteps that the term speaks of."""
        return sorted({t for factor in self.term.factors for t in moments_of(factor)})


def moments_of(factor: Factor) -> set[int]:
    """The timesteps in one factor."""
    return {
        moment(part.t, factor.env) for part in parts(factor.formula) if isinstance(part, Value) and part.t is not None
    }


class Search:
    """All single changes that turn a product into its due value."""

    def __init__(self, product: Measured, due: Stack, truth: Truth, pool: list[Candidate]) -> None:
        self.product = product
        self.due = due
        self.truth = truth
        self.pool = pool
        self.trials = 0
        self.joins = product.term.joins

    def best(self) -> Edit | None:
        """The most natural change, None where no single one helps."""
        with np.errstate(all="ignore"):
            found = sorted(self._all(), key=lambda edit: edit.cost)
        return found[0] if found else None

    def _all(self) -> list[Edit]:
        found = [*self._whole()]
        if found:
            return found
        found = [*self._dropped(), *self._turned(), *self._shifted(), *self._inserted(), *self._replaced()]
        if not found:
            found = [*self._joined(), *self._two_inserted(), *self._two_dropped()]
        return found

    def hits(self, value: Stack | None) -> bool:
        """Whether this is the due value, at every draw but the session's."""
        if value is None:
            return False
        fitted = self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape:
            return False
        return bool(close(fitted, self.due)[_drawn(self.due)].all())

    def _hits(self, stacks: list[Stack], joins: tuple[Join, ...]) -> bool:
        self.trials += 1
        return self.trials < MAX_TRIALS and self.hits(self.product.tried(stacks, joins))

    # --- the product as a whole ----------------------------------------------------------------------------------

    def _whole(self) -> Iterator[Edit]:
        value = self.product.value
        fitted = None if value is None else self.truth.matched(value)
        if fitted is None or not np.any(fitted):
            return
        if close(-fitted, self.due)[_drawn(self.due)].all():
            yield Edit("sign", 0, 1.0)
        for ratio in self._ratios():
            if close(ratio * fitted, self.due)[_drawn(self.due)].all():
                yield Edit("scale", 0, 1.6, ratio=ratio)

    def _ratios(self) -> list[float]:
        steps, losses = self.truth.samples.unrolled.steps, len(self.truth.samples.unrolled.loss_times)
        counts = {float(n) for n in (2, 3, 4, steps, losses) if n > 1}
        ratios = [r for n in sorted(counts) for r in (n, 1 / n)]
        return [*ratios, *(-r for r in ratios)]

    # --- one factor less, turned, elsewhere, or at another timestep ----------------------------------------------

    def _dropped(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        if len(stacks) == 1:
            if self.hits(np.full_like(stacks[0][:, :1, :1], self.product.term.sign)):
                yield Edit("extra", 0, 1.4)
            return
        for index, stack in enumerate(stacks):
            if is_one(stack):
                continue
            if self._hits(stacks[:index] + stacks[index + 1 :], without(self.joins, index)):
                twins = [i for i, s in enumerate(stacks) if i != index and s.shape == stack.shape and same(s, stack)]
                yield Edit("doubled" if twins else "extra", index, 1.0 if twins else 1.05)

    def _turned(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        for index, stack in enumerate(stacks):
            if stack.shape[1:] != (1, 1) and self._hits(
                [*stacks[:index], stack.transpose(0, 2, 1), *stacks[index + 1 :]], self.joins
            ):
                yield Edit("transposed", index, 1.1 if 1 not in stack.shape[1:] else 1.3)
        if all(stack.shape[1:] == (1, 1) for stack in stacks):
            return
        for i in range(len(stacks)):
            for j in range(i + 1, len(stacks)):
                if len(stacks) > 8 and j > i + 1:
                    continue
                swapped = list(stacks)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                if self._hits(swapped, self.joins):
                    yield Edit("order", i, 1.2 + 0.01 * (j - i), ratio=float(j))
        # a bᵀ for b aᵀ: both turned and exchanged.
        for i in range(len(stacks) - 1):
            turned = list(stacks)
            turned[i], turned[i + 1] = stacks[i + 1].transpose(0, 2, 1), stacks[i].transpose(0, 2, 1)
            if self._hits(turned, self.joins):
                yield Edit("order", i, 1.15, ratio=float(i + 1))
        if len(stacks) > 1 and self.product.value is not None and self.hits(self.product.value.transpose(0, 2, 1)):
            yield Edit("order", 0, 1.14, ratio=float(len(stacks) - 1))

    def _shifted(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        for index, factor in enumerate(self.product.term.factors):
            for cost, moved in shifts(factor):
                try:
                    stack = moved.value(self.product.evaluator)
                except (BpttError, Misfit):
                    continue
                if same(stack, stacks[index]):
                    continue
                if self._hits([*stacks[:index], stack, *stacks[index + 1 :]], self.joins):
                    yield Edit("shifted", index, cost, factor=moved)

    # --- a factor put in or replaced -----------------------------------------------------------------------------

    def _inserted(self) -> Iterator[Edit]:
        value, stacks = self.product.value, self.product.stacks
        scalar = value is not None and value.shape[1:] == (1, 1) == self.due.shape[1:]
        for place, candidate in enumerate(self.pool):
            cost = 1.02 + _rank(candidate) + 1e-4 * place + self._written(candidate)
            if candidate.value.shape[1:] == (1, 1):
                fits = value is not None and self.hits(value * candidate.value)
                if fits:
                    yield Edit("missing", self._slot(candidate), cost, candidate)
                continue
            if scalar and all(s.shape[1:] == (1, 1) for s in stacks):
                continue
            for slot in range(len(stacks) + 1):
                if self._hits([*stacks[:slot], candidate.value, *stacks[slot:]], with_one(self.joins, slot)):
                    yield Edit("missing", slot, cost, candidate)
                    break

    def _replaced(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        value = self.product.value
        for index, (factor, stack) in enumerate(zip(self.product.term.factors, stacks, strict=True)):
            if is_one(stack) and len(stacks) > 1:
                continue
            for place, candidate in enumerate(self.pool):
                if same(candidate.value, stack):
                    continue
                if value is not None and candidate.value.shape[1:] == stack.shape[1:] == (1, 1):
                    hit = self.hits(value / stack * candidate.value)
                else:
                    hit = self._hits([*stacks[:index], candidate.value, *stacks[index + 1 :]], self.joins)
                if hit:
                    cost = 1.25 + _rank(candidate) + 1e-4 * place + self._written(candidate) + unlike(factor, candidate)
                    yield Edit("replaced", index, cost, candidate)

    def _two_inserted(self) -> Iterator[Edit]:
        value = self.product.value
        if value is None or value.shape[1:] != (1, 1) or self.due.shape[1:] != (1, 1):
            return
        pool = [c for c in self.pool if c.kind == "edge" and c.value.shape[1:] == (1, 1)][:80]
        for i, one in enumerate(pool):
            for other in pool[i:]:
                if self.hits(value * one.value * other.value):
                    yield Edit(
                        "missing two", self._slot(one), 2.5 + self._written(one) + self._written(other), one, other
                    )

    def _two_dropped(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        if len(stacks) > 12:
            return
        for i in range(len(stacks)):
            for j in range(i + 1, len(stacks)):
                if len(stacks) > 2 and self._hits(
                    [s for k, s in enumerate(stacks) if k not in (i, j)], without(without(self.joins, j), i)
                ):
                    yield Edit("extra two", i, 2.6, ratio=float(j))

    def _joined(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        for index, join in enumerate(self.joins):
            others: tuple[Join, ...] = ("matrix",) if join == "elementwise" else ("elementwise",)
            for other in others:
                if self._hits(stacks, (*self.joins[:index], other, *self.joins[index + 1 :])):
                    yield Edit("join", index, 1.5)

    # --- what decides between changes that all help --------------------------------------------------------------

    def _written(self, candidate: Candidate) -> float:
        """A penalty where the term has this very factor already, under its own name or as its value."""
        for factor, stack in zip(self.product.term.factors, self.product.stacks, strict=True):
            if is_partial(factor, candidate, self.product.evaluator):
                return 0.5
            if stack.shape == candidate.value.shape and same(stack, candidate.value) and _names_it(factor, candidate):
                return 0.02
        return 0.0

    def _slot(self, candidate: Candidate) -> int:
        """Where a scalar belongs by the order of the chain: after the last factor that stands above it."""
        if candidate.above is None or candidate.above[1] is None:
            return len(self.product.stacks)
        for index, factor in enumerate(self.product.term.factors):
            ts = moments_of(factor)
            if ts and max(ts) < candidate.above[1]:
                return index
        return len(self.product.stacks)


def _rank(candidate: Candidate) -> float:
    return {"edge": 0.0, "inner": 0.05, "step": 0.15, "gradient": 0.2, "value": 0.3}[candidate.kind]


def is_partial(factor: Factor, candidate: Candidate, evaluator: Evaluator) -> bool:
    """Whether a factor is this partial by name."""
    formula = factor.formula
    if not isinstance(formula, Partial) or candidate.above is None or candidate.below is None:
        return False
    samples = evaluator.samples
    below = evaluator.key(formula.below, factor.env)
    return (
        samples.key(*evaluator.key(formula.above, factor.env)) == samples.key(*candidate.above)
        and below == candidate.below
    )


def _names_it(factor: Factor, candidate: Candidate) -> bool:
    """Whether a value that equals the candidate is of its timestep."""
    ts = moments_of(factor)
    return not ts or candidate.above is None or candidate.above[1] in ts


def unlike(factor: Factor, candidate: Candidate) -> float:
    """How little a wrong factor looks like what is due: by its names and timesteps."""
    names = {part.name for part in parts(factor.formula) if isinstance(part, Value)}
    due = {key[0] for key in (candidate.above, candidate.below) if key is not None}
    ts = moments_of(factor)
    when = {key[1] for key in (candidate.above, candidate.below) if key is not None and key[1] is not None}
    penalty = 0.0 if names & due else 0.2
    if any(name in candidate.formula for name in names):
        penalty -= 0.05
    return penalty + (0.0 if not ts or ts & when else 0.1)


def shifts(factor: Factor) -> Iterator[tuple[float, Factor]]:
    """The factor at neighbouring timesteps: all of it, or one end of a partial."""
    formula = factor.formula
    for by in (-1, 1, -2, 2):
        cost = 1.08 + 0.05 * (abs(by) - 1)
        yield cost, Factor(moved(formula, by), factor.env, factor.transposed, factor.inverted)
        if isinstance(formula, Partial):
            if formula.above.t is not None:
                above = replace(formula, above=_moved_value(formula.above, by))
                yield cost + 0.1, Factor(above, factor.env, factor.transposed, factor.inverted)
            if formula.below.t is not None:
                below = replace(formula, below=_moved_value(formula.below, by))
                yield cost + 0.1, Factor(below, factor.env, factor.transposed, factor.inverted)


def moved(formula: Formula, by: int) -> Formula:
    """The formula `by` timesteps later."""
    if isinstance(formula, Value):
        return _moved_value(formula, by)
    if not children(formula):
        return formula
    changes: dict[str, Any] = {}
    for field in formula.__struct_fields__:
        inside = getattr(formula, field)
        if isinstance(inside, Formula):
            changes[field] = moved(inside, by)
        elif isinstance(inside, tuple) and inside and isinstance(inside[0], Formula):
            changes[field] = tuple(moved(part, by) for part in inside)
    return replace(formula, **changes)


def _moved_value(value: Value, by: int) -> Value:
    if value.t is None:
        return value
    return replace(value, t=Moment(value.t.offset + by, value.t.variable))


def without(joins: tuple[Join, ...], index: int) -> tuple[Join, ...]:
    """The joins when factor `index` is left out."""
    cut = max(index - 1, 0)
    return (*joins[:cut], *joins[cut + 1 :])


def with_one(joins: tuple[Join, ...], slot: int) -> tuple[Join, ...]:
    """The joins when a factor is put in before factor `slot`."""
    cut = max(slot - 1, 0)
    return (*joins[:cut], "as it fits", *joins[cut:])


def _drawn(value: Stack) -> slice:
    return slice(1, None) if len(value) > 1 else slice(None)


def close(a: Stack, b: Stack, scale: Stack | float = 0.0) -> Stack:
    """At which draws two values are one, up to rounding, `(draws,)`; `scale` is the size of what was added up."""
    with np.errstate(all="ignore"):
        gap = largest(a - b)
        return np.asarray(gap <= RTOL * np.maximum(largest(a), largest(b)) + 1e-11 * np.asarray(scale))


def same(a: Stack, b: Stack) -> bool:
    """Whether two values agree at every random draw."""
    return a.shape == b.shape and bool(close(a, b)[_drawn(a)].all())
