"""Products with their values, and the changes of one factor that are looked for in a wrong one."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.tree import Formula, Moment, Partial, Span, Value
from bptt_tui.derivation.judging.candidates import Candidate
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit, moment
from bptt_tui.derivation.judging.grouping import Group, value_of
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.terms import Factor, Term

MAX_TRIALS = 6_000
LARGE = 200
Change = Literal[
    "sign", "scale", "missing", "extra", "doubled", "replaced", "shifted", "transposed", "order", "turned", "join",
    "missing two", "extra two", "diagonal", "every step", "power",
]  # fmt: skip


class Edit(Struct, frozen=True):
    """A change that makes a term right. `index` is the factor concerned, or where one is missing."""

    change: Change
    index: int
    cost: float
    due: Candidate | None = None
    second: Candidate | None = None
    factor: Factor | None = None
    ratio: float = 1.0
    # Of a slip that several factors show: in which, and, at every step of a chain, which one and the slopes on the way.
    kind: str = ""
    run: Sequence[int] = ()
    slopes: tuple[Candidate, ...] = ()
    # Where the factor concerned stands in the text, by which its like in other terms is found.
    at: Span = (0, 0)


class Measured:
    """A term with its factors' values."""

    def __init__(self, term: Term, evaluator: Evaluator) -> None:
        self.term = term
        self.evaluator = evaluator
        try:
            self.stacks = term.stacks(evaluator)
        except Misfit:
            # A factor that cannot be computed itself: there is nothing to change it for.
            self.stacks = []
        self.value: Stack | None = self.tried(self.stacks, term.group) if self.stacks else None

    def tried(self, stacks: list[Stack], group: Group) -> Stack | None:
        """The product of these factors, None where they do not fit."""
        try:
            return self.term.sign * value_of(group, stacks, self.evaluator)
        except Misfit:
            return None

    @property
    def moments(self) -> list[int]:
        """The timesteps that the term speaks of."""
        return sorted({t for factor in self.term.factors for t in moments_of(factor)})


def moments_of(factor: Factor) -> set[int]:
    """The timesteps in one factor."""
    return {
        moment(part.t, factor.env)
        for part in walk(factor.formula)
        if isinstance(part, Value) and part.t is not None and (not part.t.variable or part.t.variable in factor.env)
    }


class Budget:
    """How many products may still be tried for one formula, so that a hopeless one does not take forever."""

    def __init__(self, trials: int = MAX_TRIALS) -> None:
        self.left = trials

    @functools.cached_property
    def spare(self) -> Budget:
        """For a second attempt, with the terms assigned otherwise."""
        return Budget(MAX_TRIALS // 3)

    def spend(self) -> bool:
        """Whether one more may be tried."""
        self.left -= 1
        return self.left >= 0


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


def names_it(factor: Factor, candidate: Candidate) -> bool:
    """Whether a value that equals the candidate is of its timestep."""
    ts = moments_of(factor)
    return not ts or candidate.above is None or candidate.above[1] in ts


def unlike(factor: Factor, candidate: Candidate) -> float:
    """How little a wrong factor looks like what is due: by its names and timesteps."""
    names = {part.name for part in walk(factor.formula) if isinstance(part, Value)}
    due = {key[0] for key in (candidate.above, candidate.below) if key is not None}
    ts = moments_of(factor)
    when = {key[1] for key in (candidate.above, candidate.below) if key is not None and key[1] is not None}
    penalty = 0.0 if names & due else 0.2
    if any(name in candidate.formula for name in names):
        penalty -= 0.05
    return penalty + (0.0 if not ts or ts & when else 0.1)


def shifts(factor: Factor, evaluator: Evaluator) -> Iterator[tuple[float, Factor]]:
    """The factor at neighbouring timesteps: all of it, or one end of a partial."""
    formula = factor.formula
    if sum(1 for _ in itertools.islice(walk(formula), LARGE)) == LARGE:
        return  # what is written out of a thousand parts is no factor with a wrong index
    for by in dict.fromkeys((-1, 1, -2, 2, *_distances(factor))):
        cost = 1.03 + 0.05 * (abs(by) - 1)
        yield cost, Factor(moved(formula, by), factor.env, factor.transposed, factor.inverted)
        if isinstance(formula, Partial):
            for changed in _one_end(formula, by):
                shifted = Factor(changed, factor.env, factor.transposed, factor.inverted)
                near = _is_local(changed, factor, evaluator)
                far = not near and _is_local(formula, factor, evaluator)
                whole = not near and not _is_outermost(changed, evaluator)
                yield cost + (2.0 if far and whole else 0.25 if whole else 0.01), shifted


def _distances(factor: Factor) -> list[int]:
    """How far the timestep of a factor is from the other letters of the sums around it: of ∂E_t/∂s_t from k."""
    ts = moments_of(factor) if len(factor.env) > 1 else set()
    return [t - own for own in ts for t in factor.env.values() if t != own] if len(ts) == 1 else []


def _one_end(formula: Partial, by: int) -> Iterator[Partial]:
    if formula.above.t is not None:
        yield replace(formula, above=_moved_value(formula.above, by))
    if formula.below.t is not None:
        yield replace(formula, below=_moved_value(formula.below, by))


def _is_outermost(formula: Partial, evaluator: Evaluator) -> bool:
    """Whether a partial is of the loss or by a parameter: ∂E/∂s₁, ∂s₁/∂w₀."""
    samples = evaluator.samples
    return formula.above.name == samples.network.loss_name or formula.below.name in samples.unrolled.values.parameters


def _is_local(formula: Partial, factor: Factor, evaluator: Evaluator) -> bool:
    """Whether a partial is that of one edge."""
    name, t = evaluator.key(formula.above, factor.env)
    below = evaluator.key(formula.below, factor.env)
    return t is not None and any(end == below for _, end in evaluator.samples.reads(name, t))


def moved(formula: Formula, by: int) -> Formula:
    """The formula `by` timesteps later."""
    return _moved_value(formula, by) if isinstance(formula, Value) else rebuilt(formula, lambda part: moved(part, by))


def _moved_value(value: Value, by: int) -> Value:
    if value.t is None:
        return value
    return replace(value, t=Moment(value.t.offset + by, value.t.variable))
