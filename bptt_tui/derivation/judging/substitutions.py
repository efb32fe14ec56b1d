"""Changes of a product by what is not in it: a factor that is missing, or that belongs where another stands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import children, walk
from bptt_tui.derivation.formulas.tree import Join, Partial, Transpose, Value
from bptt_tui.derivation.judging.candidates import Candidate
from bptt_tui.derivation.judging.edits import Edit, is_partial, moments_of, names_it, unlike
from bptt_tui.derivation.judging.grouping import Group, with_one
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import RTOL, is_one, same, vectors_too
from bptt_tui.derivation.judging.terms import Factor
from bptt_tui.derivation.judging.trial import Trial

# What is added to the cost of a factor I ⊗ xᵀ: beside a column xᵀ is what is meant.
# A missing one stays cheaper than what is no local partial.
UNREADABLE, UNREADABLE_MISSING = 0.6, 0.34
# Slopes that are tried in pairs, and how many factors they are put between.
MAX_SLOPES, MAX_AROUND = 6, 6
MAX_FACTORS = 30
ONE_JOIN: tuple[Join, ...] = ("as it fits",)


def _equal(trial: Trial, due: Stack) -> list[tuple[int, Candidate]]:
    """The candidates that are these numbers at every draw."""
    pool = trial.pool()
    found = [c for c in pool if c.value.shape[1:] == (1, 1)]
    if not found:
        return []
    values = np.array([c.value.reshape(-1)[trial.drawn] for c in found])
    agree = (np.abs(values - due[trial.drawn]) <= 3 * RTOL * np.abs(due[trial.drawn])).all(axis=1)
    return [(int(place), found[place]) for place in np.flatnonzero(agree)]


def edges_inserted(trial: Trial) -> Iterator[Edit]:
    """Local partials that are missing: the plainest explanation there is."""
    for edit in inserted(trial):
        if edit.due is not None and edit.due.kind in ("edge", "inner") and edit.cost < 1.4:
            yield edit


def inserted(trial: Trial) -> Iterator[Edit]:
    """A factor that is missing, at any place."""
    stacks = trial.product.stacks
    if trial.ratio is not None:
        for place, candidate in _equal(trial, trial.ratio):
            cost = 1.02 + _rank(candidate) + 1e-4 * place + _written(trial, candidate) - _linked(trial, candidate)
            yield Edit("missing", _slot(trial, candidate), cost, candidate)
    if trial.due.shape[1:] == (1, 1) and all(s.shape[1:] == (1, 1) for s in stacks):
        return
    groups = list(with_one(trial.group, len(stacks)))
    if trial.group.by_entries:
        groups += [Group((trial.group, len(stacks)), ONE_JOIN), Group((len(stacks), trial.group), ONE_JOIN)]
    hopeless: set[tuple[int, tuple[int, ...]]] = set()
    for place, candidate in enumerate(trial.pool()):
        if candidate.value.shape[1:] == (1, 1):
            continue
        for value, named in _forms(candidate, turned=True):
            if _anywhere(trial, value, groups, hopeless):
                cost = 1.02 + _rank(candidate) + 1e-4 * place + _written(trial, candidate) - _linked(trial, candidate)
                yield Edit("missing", len(stacks), cost + UNREADABLE_MISSING * ("⊗" in candidate.equality), named)
                break


def _anywhere(trial: Trial, value: Stack, groups: list[Group], hopeless: set[tuple[int, tuple[int, ...]]]) -> bool:
    for slot, group in enumerate(groups):
        if (slot, value.shape) in hopeless:
            continue
        fits = trial.fits([*trial.product.stacks, value], group)
        if fits:
            return True
        if fits is None:
            hopeless.add((slot, value.shape))
    return False


def replaced(trial: Trial) -> Iterator[Edit]:
    """A factor that stands where another belongs."""
    stacks = trial.product.stacks
    for index in trial.places:
        factor, stack = trial.product.term.factors[index], stacks[index]
        if is_one(stack) and len(stacks) > 1:
            continue
        if stack.shape[1:] == (1, 1) and trial.ratio is not None:
            for place, candidate in _equal(trial, trial.ratio * stack.reshape(-1)):
                yield _replacement(trial, index, factor, place, candidate)
        hopeless: set[tuple[int, ...]] = set()
        for place, candidate in enumerate(trial.pool()):
            for value, named in _forms(candidate, turned=_is_turned(factor)):
                if value.shape[1:] == stack.shape[1:] == (1, 1) or value.shape in hopeless:
                    continue
                fits = trial.fits([*stacks[:index], value, *stacks[index + 1 :]], trial.group)
                if fits is None:
                    hopeless.add(value.shape)
                elif fits:
                    yield _replacement(trial, index, factor, place, named)


def _replacement(trial: Trial, index: int, factor: Factor, place: int, candidate: Candidate) -> Edit:
    cost = 1.25 + _rank(candidate) + 1e-4 * place + _written(trial, candidate) + unlike(factor, candidate)
    if "⊗" in candidate.equality:
        cost += UNREADABLE
    return Edit("replaced", index, cost, candidate)


def slopes_replaced(trial: Trial) -> Iterator[Edit]:
    """Several factors made of one value each, where the slopes of their timesteps belong: 1 − z₁² and 1 − z₀²."""
    factors, stacks = trial.product.term.factors, trial.product.stacks
    if len(stacks) > MAX_FACTORS:
        return
    slopes = [c for c in trial.pool() if c.function and c.above is not None]
    found: dict[int, Candidate] = {}
    for index, (factor, stack) in enumerate(zip(factors, stacks, strict=True)):
        ts = moments_of(factor)
        if len(ts) != 1 or isinstance(factor.formula, Partial | Value) or not children(factor.formula):
            continue
        near = {part.name for part in walk(factor.formula) if isinstance(part, Value)}
        due = [
            c
            for c in slopes
            if c.above is not None and c.above[1] in ts and near & {key[0] for key in (c.above, c.below) if key}
            and any(form.shape == stack.shape for form in vectors_too(c.value))
        ]  # fmt: skip
        if due and not same(stack, next(form for form in vectors_too(due[0].value) if form.shape == stack.shape)):
            found[index] = due[0]
    if len(found) < 2:
        return
    changed = list(stacks)
    for index, candidate in found.items():
        changed[index] = next(form for form in vectors_too(candidate.value) if form.shape == stacks[index].shape)
    if trial.makes(changed, trial.group):
        first = next(iter(found))
        yield Edit("replaced", first, 1.5, found[first], run=tuple(found))


def two_inserted(trial: Trial) -> Iterator[Edit]:
    """Two local partials that are missing, of scalars."""
    if trial.ratio is None:
        return
    pool = [c for c in trial.pool() if c.kind in ("edge", "inner") and c.value.shape[1:] == (1, 1)][:80]
    if not pool:
        return
    values = np.array([c.value.reshape(-1)[trial.drawn] for c in pool])
    due = trial.ratio[trial.drawn]
    agree = (np.abs(values[:, None] * values[None] - due) <= 3 * RTOL * np.abs(due)).all(axis=2)
    for i, j in np.argwhere(np.triu(agree)):
        one, other = pool[i], pool[j]
        cost = 1.45 + _written(trial, one) + _written(trial, other)
        yield Edit("missing two", _slot(trial, one), cost, one, other)


def two_slopes_inserted(trial: Trial) -> Iterator[Edit]:
    """Two slopes that are missing between matrices: W·W for a step and the one before it."""
    stacks = trial.product.stacks
    slopes = [c for c in trial.pool() if c.function and 1 < c.value.shape[1] == c.value.shape[2]][:MAX_SLOPES]
    if trial.group.by_entries or len(stacks) > MAX_AROUND:
        return
    for one, other in itertools.permutations(slopes, 2):
        if one.function != other.function or relation(one) != relation(other):
            continue
        for group in with_one(trial.group, len(stacks)):
            for inner in with_one(group, len(stacks) + 1):
                if trial.makes([*stacks, one.value, other.value], inner):
                    first, second = sorted((one, other), key=lambda c: -((c.above or ("", 0))[1] or 0))
                    yield Edit("missing two", len(stacks), 1.5, first, second)
                    return


def _written(trial: Trial, candidate: Candidate) -> float:
    """A penalty where the term has this very factor already, under its own name or as its value."""
    for factor, stack in zip(trial.product.term.factors, trial.product.stacks, strict=True):
        if is_partial(factor, candidate, trial.product.evaluator):
            return 0.5
        if stack.shape == candidate.value.shape and same(stack, candidate.value) and names_it(factor, candidate):
            return 0.02
    return 0.0


def _linked(trial: Trial, candidate: Candidate) -> float:
    """A little for what closes the chain: ∂E/∂z₂ above ∂z₂/∂a₂."""
    key = trial.product.evaluator.key
    for factor in trial.product.term.factors:
        if isinstance(factor.formula, Partial):
            above, below = key(factor.formula.above, factor.env), key(factor.formula.below, factor.env)
            if candidate.below == above or candidate.above == below:
                return 0.02
    return 0.0


def _slot(trial: Trial, candidate: Candidate) -> int:
    """Where a scalar belongs by the order of the chain: after the last factor that stands above it."""
    if candidate.above is None or candidate.above[1] is None:
        return len(trial.product.stacks)
    for index, factor in enumerate(trial.product.term.factors):
        ts = moments_of(factor)
        if ts and max(ts) < candidate.above[1]:
            return index
    return len(trial.product.stacks)


def _is_turned(factor: Factor) -> bool:
    return factor.transposed or isinstance(factor.formula, Transpose)


def _forms(candidate: Candidate, *, turned: bool) -> Iterator[tuple[Stack, Candidate]]:
    """The values that a candidate may stand with in a product, and what it is called then."""
    for value in vectors_too(candidate.value):
        yield value, candidate
    if turned and candidate.kind == "value" and candidate.value.shape[2] == 1 < candidate.value.shape[1]:
        yield candidate.value.transpose(0, 2, 1), replace(candidate, text=f"{candidate.text}ᵀ")


def relation(candidate: Candidate) -> tuple[str, str, str]:
    """What a candidate is of and by, without timesteps; of an inner factor also its place in the equation."""
    above = candidate.above[0] if candidate.above else ""
    below = candidate.below[0] if candidate.below else ""
    return above, below, candidate.function


def _rank(candidate: Candidate) -> float:
    return {"edge": 0.0, "inner": 0.05, "step": 0.15, "gradient": 0.2, "value": 0.3}[candidate.kind]
