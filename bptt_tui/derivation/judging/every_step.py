"""A slip made at every step of a chain: W³ for three steps, the slope of one timestep at all of them.

No change of one factor mends such a product. Its factors are compared, several in a row, with the chain between two
states in which every step shows the same slip; the true chain in their place makes the product right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.tree import Number, Partial, Power, Product, Sum, Value
from bptt_tui.derivation.judging.candidates import Candidate, oriented, within
from bptt_tui.derivation.judging.edits import Edit
from bptt_tui.derivation.judging.evaluation import Misfit
from bptt_tui.derivation.judging.grouping import Group, value_of
from bptt_tui.derivation.judging.mutations import MAX_STEPS, Kind, mutated
from bptt_tui.derivation.judging.samples import Key, Stack
from bptt_tui.derivation.judging.stacks import RTOL, same, vectors_too
from bptt_tui.derivation.judging.trial import Trial
from bptt_tui.errors import BpttError

# A group, its first and last neighbour, and what they multiply to.
Stretch = tuple[Group, int, int, Stack]

MAX_FACTORS = 40
COST = 1.2


def every_step(trial: Trial) -> Iterator[Edit]:
    """The chain between two states, where what stands there is that chain with one slip throughout."""
    samples = trial.truth.samples
    if len(trial.product.stacks) > MAX_FACTORS or trial.truth.above is None or not _may_be_a_chain(trial):
        return
    parameters = samples.unrolled.values.parameters
    inside = (part for factor in trial.product.term.factors for part in walk(factor.formula))
    weighed = any(isinstance(part, Value) and part.name in parameters for part in inside)
    stretches = list(_values(trial)) if trial.due.shape[1:] != (1, 1) or trial.ratio is None else []
    for above, below in _pairs(trial):
        try:
            due = samples.partial(above, below)
        except BpttError:
            continue
        if not np.any(due[trial.drawn]):
            continue
        at = {*trial.product.moments, above[1] or 0, (below[1] or 0) + 1}
        layout = trial.truth.evaluator.reading.layout
        shape = samples.shape(below[0])
        for kind, by, value in mutated(samples, above, below, at, weighed=weighed):
            if same(value, due) or not np.isfinite(value).all():
                continue
            wrong, wanted = oriented(value, layout, shape), oriented(due, layout, shape)
            runs = list(itertools.islice(_runs(trial, stretches, wrong, wanted), 1))
            if not runs and stretches:
                # Before a gradient in the shape of a column stands the chain transposed: Wᵀ Wᵀ δ.
                turned = wrong.transpose(0, 2, 1), wanted.transpose(0, 2, 1)
                runs = list(itertools.islice(_runs(trial, stretches, *turned), 1))
            for run in runs:
                yield _edit(trial, kind, by, above, below, due, run)
                return


def _may_be_a_chain(trial: Trial) -> bool:
    """Whether something stands there that several steps could be made of: factors by their values, or a power."""
    formulas = [factor.formula for factor in trial.product.term.factors]
    plain = [formula for formula in formulas if not isinstance(formula, Partial | Number)]
    return len(plain) > 1 or any(isinstance(formula, Power | Product | Sum) for formula in plain)


def _pairs(trial: Trial) -> list[tuple[Key, Key]]:
    """Two states, more than one timestep apart, between which a chain may stand in the product."""
    samples, truth, part = trial.truth.samples, trial.truth, trial.part
    moments = [t for t in trial.product.moments if t >= 0]
    highest = truth.above[1] if truth.above and truth.above[1] is not None else samples.unrolled.loss_times[-1]
    # Below a partial the chain goes on from where that ends.
    goes_on = moments and any(isinstance(factor.formula, Partial) for factor in trial.product.term.factors)
    tops = {t for top in (moments[-1:] if goes_on else (highest, *moments[-1:])) for t in (top, top - 1)}
    end = part.below[1] if part is not None and part.below is not None else None
    lows = {t for low in ([end] if end is not None else []) + moments[:1] for t in (low, low - 1)}
    pairs = [((a, top), (b, low)) for top in sorted(tops, reverse=True) for low in sorted(lows)
             for a in sorted(samples.states) for b in sorted(samples.states)]  # fmt: skip
    return [
        (above, below)
        for above, below in pairs
        if 1 < above[1] - below[1] <= MAX_STEPS and samples.exists(*above) and samples.exists(*below)
    ]


def _runs(trial: Trial, stretches: list[Stretch], wrong: Stack, due: Stack) -> Iterator[range]:
    """The factors in a row that are the wrong chain, and in whose place the true one is right."""
    stacks = trial.product.stacks
    if wrong.shape[1:] == (1, 1):
        ratio = trial.ratio
        if ratio is not None:
            gap = np.abs(ratio * wrong[:, 0, 0] - due[:, 0, 0])[trial.drawn]
            if (gap <= 3 * RTOL * np.abs(due[:, 0, 0])[trial.drawn]).all():
                yield range(len(stacks))
        return
    for form in vectors_too(wrong):
        for group, first, last, value in stretches:
            if same(value, form) and _mends(trial, group, first, last, due):
                leaves = sorted(_leaves(Group(group.items[first:last])))
                yield range(leaves[0], leaves[-1] + 1)


def _values(trial: Trial) -> Iterator[Stretch]:
    """Neighbours in the product with what they multiply to."""
    for group, first, last in _stretches(trial.group):
        inside = Group(group.items[first:last], group.joins[first : last - 1])
        try:
            yield group, first, last, value_of(inside, trial.product.stacks, trial.product.evaluator)
        except Misfit:
            continue


def _mends(trial: Trial, group: Group, first: int, last: int, due: Stack) -> bool:
    """Whether the product is right with this chain in the place of some of its factors."""
    number = len(trial.product.stacks)
    stacks = [*trial.product.stacks, due]
    items, joins = (*group.items[:first], number, *group.items[last:]), (*group.joins[:first], *group.joins[last - 1 :])
    if trial.makes(stacks, _put(trial.group, group, Group(items, joins[: len(items) - 1]))):
        return True
    if not group.by_entries:
        return False
    # Entry by entry a diagonal is multiplied by; the chain itself is a matrix before or after the rest.
    rest = group.items[:first] + group.items[last:]
    if not rest:
        return False
    others = Group(rest, group.joins[: len(rest) - 1])
    turned = [*trial.product.stacks, due.transpose(0, 2, 1)]
    before, behind = Group((number, others), ("as it fits",)), Group((others, number), ("as it fits",))
    return any(
        trial.makes(either, _put(trial.group, group, whole))
        for either in (turned, stacks)
        for whole in (before, behind)
    )


def _stretches(group: Group) -> Iterator[tuple[Group, int, int]]:
    """Neighbours in a group, the longest first, of this group and those inside it."""
    count = len(group.items)
    for length in range(count, 0, -1):
        for first in range(count - length + 1):
            yield group, first, first + length
    for item in group.items:
        if not isinstance(item, int):
            yield from _stretches(item)


def _put(whole: Group, old: Group, new: Group) -> Group:
    """The group with another in the place of one inside it."""
    if whole is old:
        return new
    return Group(tuple(item if isinstance(item, int) else _put(item, old, new) for item in whole.items), whole.joins)


def _leaves(group: Group) -> Iterator[int]:
    for item in group.items:
        if isinstance(item, int):
            yield item
        else:
            yield from _leaves(item)


def _edit(trial: Trial, kind: Kind, by: int, above: Key, below: Key, value: Stack, run: range) -> Edit:
    truth = trial.truth
    text, place = truth.spelling.partial(above, below), truth.spelling.place(above, below)
    due = Candidate("step", text, "", value, above, below, None, place)
    return Edit(
        "every step", run.start, COST, due, ratio=float(by), run=run, kind=kind, slopes=within(truth, above, below)
    )
