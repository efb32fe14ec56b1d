"""Changes of a product that need its own factors only: one left out, turned, put elsewhere, of another timestep."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt_tui.derivation.formulas.tree import Power, Product, Sum
from bptt_tui.derivation.judging.edits import Edit, shifts
from bptt_tui.derivation.judging.evaluation import Misfit
from bptt_tui.derivation.judging.grouping import rejoined, with_one, without
from bptt_tui.derivation.judging.stacks import RTOL, is_one, on_diagonal, same
from bptt_tui.derivation.judging.terms import Factor
from bptt_tui.derivation.judging.trial import Trial
from bptt_tui.errors import BpttError


def as_a_whole(trial: Trial) -> Iterator[Edit]:
    """The sign, or a number the product must be multiplied by."""
    if trial.ratio is None:
        return
    ratios = trial.ratio[trial.drawn]
    common = float(ratios[0])
    if common == 0 or np.abs(ratios - common).max() > RTOL * abs(common):
        return
    if abs(common + 1) < RTOL:
        yield Edit("sign", 0, 1.0)
    elif abs(common - 1) > RTOL:
        yield Edit("scale", 0, 1.6, ratio=float(f"{common:.6g}"))


def one_dropped(trial: Trial) -> Iterator[Edit]:
    """A factor left out."""
    stacks = trial.product.stacks
    if len(stacks) == 1:
        if trial.hits(np.full_like(stacks[0][:, :1, :1], trial.product.term.sign)):
            yield Edit("extra", 0, 1.4)
        return
    for index in trial.places:
        stack = stacks[index]
        if is_one(stack):
            continue
        if trial.makes(stacks, without(trial.group, index)):
            twins = [i for i, s in enumerate(stacks) if i != index and s.shape == stack.shape and same(s, stack)]
            yield Edit("doubled" if twins else "extra", index, 1.0 if twins else 1.05)


def repowered(trial: Trial) -> Iterator[Edit]:
    """A power one, two or three too high or too low: w⁶⁰ for w⁵⁹."""
    if trial.ratio is None:
        return
    ratio = trial.ratio[trial.drawn]
    for index in trial.places:
        formula, env = trial.product.term.factors[index].formula, trial.product.term.factors[index].env
        if not isinstance(formula, Power) or formula.by == "matrix":
            continue
        evaluator = trial.product.evaluator
        base, exponent = evaluator.value(formula.base, env), evaluator.value(formula.exponent, env)
        if base.shape[1:] != (1, 1) or exponent.shape[1:] != (1, 1) or not np.all(exponent == exponent[0]):
            continue
        own = base.reshape(-1)[trial.drawn]
        for by in (-1, 1, -2, 2, -3, 3):
            if (np.abs(own**by - ratio) <= RTOL * np.abs(ratio)).all():
                yield Edit("power", index, 1.05 + 0.01 * abs(by), ratio=float(exponent.reshape(-1)[0] + by))
                break


def two_dropped(trial: Trial) -> Iterator[Edit]:
    """Two factors left out."""
    stacks = trial.product.stacks
    if not 2 < len(stacks) <= 12:
        return
    for i in range(len(stacks)):
        for j in range(i + 1, len(stacks)):
            fewer = without(trial.group, j)
            if fewer is not None and trial.makes(stacks, without(fewer, i)):
                yield Edit("extra two", i, 2.6, ratio=float(j))


def turned(trial: Trial) -> Iterator[Edit]:
    """A factor transposed, two exchanged, or the product the other way round."""
    stacks = trial.product.stacks
    for index in trial.places:
        stack = stacks[index]
        if stack.shape[1:] != (1, 1) and trial.makes(
            [*stacks[:index], stack.transpose(0, 2, 1), *stacks[index + 1 :]], trial.group
        ):
            yield Edit("transposed", index, 1.1 if 1 not in stack.shape[1:] else 1.3)
    if sum(stack.shape[1:] != (1, 1) for stack in stacks) < 2:
        return
    for i in range(len(stacks)):
        for j in range(i + 1, len(stacks)):
            if len(stacks) > 8 and j > i + 1:
                continue
            swapped = list(stacks)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            if trial.makes(swapped, trial.group):
                yield Edit("order", i, 1.2 + 0.01 * (j - i), ratio=float(j))
    # a bᵀ for b aᵀ: both turned and exchanged.
    for i in range(len(stacks) - 1):
        turned = list(stacks)
        turned[i], turned[i + 1] = stacks[i + 1].transpose(0, 2, 1), stacks[i].transpose(0, 2, 1)
        if trial.makes(turned, trial.group):
            yield Edit("order", i, 1.15, ratio=float(i + 1))
    if trial.product.value is not None and trial.hits(trial.product.value.transpose(0, 2, 1)):
        yield Edit("turned", 0, 1.14, ratio=float(len(stacks) - 1))


def made_diagonal(trial: Trial) -> Iterator[Edit]:
    """A vector as the diagonal matrix of its entries: (1 − s²)·W for diag(1 − s²)·W."""
    stacks = trial.product.stacks
    if all(1 in stack.shape[1:] for stack in stacks):
        return
    for index in trial.places:
        wide = on_diagonal(stacks[index])
        if wide is None:
            continue
        changed = [*stacks[:index], wide, *stacks[index + 1 :]]
        groups = (trial.group, *(group for _, group in rejoined(trial.group)))
        if any(trial.makes(changed, group) for group in groups):
            yield Edit("diagonal", index, 1.1)


def put_elsewhere(trial: Trial) -> Iterator[Edit]:
    """One factor in another place of the product, also inside a bracket: f′ ⊙ (Wᵀδ) for Wᵀ(f′ ⊙ δ)."""
    stacks = trial.product.stacks
    if not 2 < len(stacks) <= 8:
        return
    for index in trial.places:
        rest = without(trial.group, index)
        if rest is None or stacks[index].shape[1:] == (1, 1):
            continue
        wide = on_diagonal(stacks[index])
        changed = stacks if wide is None else [*stacks[:index], wide, *stacks[index + 1 :]]
        for place, group in enumerate(with_one(rest, index)):
            if trial.makes(changed, group):
                other = next(i for i in range(len(stacks)) if i != index)
                wider = [i for i, s in enumerate(stacks) if i != index and 1 not in s.shape[1:]]
                yield Edit("order", index, 1.6 + 0.01 * place, ratio=float(wider[0] if wider else other))


def joined_otherwise(trial: Trial) -> Iterator[Edit]:
    """Two neighbours multiplied entry by entry, or as matrices, where it was the other."""
    for leaf, group in rejoined(trial.group):
        if leaf in trial.places and trial.makes(trial.product.stacks, group):
            yield Edit("join", leaf, 1.5)


def shifted(trial: Trial, least: float = 0.0, most: float = 1.2) -> Iterator[Edit]:
    """A factor of a neighbouring timestep."""
    for index in trial.places:
        for cost, moved in shifts(trial.product.term.factors[index], trial.product.evaluator):
            if least < cost <= most:
                yield from _at(trial, index, moved, cost)


def shifted_on(trial: Trial) -> Iterator[Edit]:
    """One end of a whole step moved: as likely as that a step is missing."""
    return shifted(trial, 1.2, 2.0)


def shifted_far(trial: Trial) -> Iterator[Edit]:
    """One end of an edge's partial moved, so that it spans several edges: unlikely to be what was meant."""
    return shifted(trial, 2.0, 9.0)


def _at(trial: Trial, index: int, moved: Factor, cost: float) -> Iterator[Edit]:
    stacks, evaluator = trial.product.stacks, trial.product.evaluator
    formula, other = trial.product.term.factors[index].formula, moved.formula
    if isinstance(formula, Sum | Product) and isinstance(other, Sum | Product):
        before, after = (len(list(evaluator.steps(one, moved.env))) for one in (formula, other))
        if before != after:
            return  # what loses a factor when it is moved is another product
    try:
        stack = moved.value(trial.product.evaluator)
    except (BpttError, Misfit):
        return
    if not np.any(stack) or (stack.shape == stacks[index].shape and np.array_equal(stack, stacks[index])):
        return
    if trial.makes([*stacks[:index], stack, *stacks[index + 1 :]], trial.group):
        yield Edit("shifted", index, cost, factor=moved)
