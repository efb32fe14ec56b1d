"""Which of a member's terms stands for which contribution of the left side; nothing is searched.

First what is equal at every draw; then what a term says of itself, by the use or the earliest timestep in it.
"""

from __future__ import annotations

import functools

import numpy as np

from bptt_tui.derivation.formulas.tree import Formula
from bptt_tui.derivation.judging.edits import Measured
from bptt_tui.derivation.judging.evaluation import NOTHING, Evaluator, Misfit
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import close, largest
from bptt_tui.derivation.judging.terms import Factor, Term, TooMany, expand, single
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.uses import cell_of, loss_of, use_of

# A contribution this much smaller than the sum does not show in it.
TOO_SMALL = 1e-6


class Assignment:
    """The terms of a member with their values, and the contributions they are laid beside."""

    def __init__(self, member: Formula, truth: Truth, *, cells: bool = False, by_letter: bool = False) -> None:
        # Taken to be of the use at the timestep of the sum that it is written out of, whatever else it names.
        self.by_letter = by_letter
        self.products = [Measured(term, truth.evaluator) for term in _terms(member, truth.evaluator)]
        self.truth = truth
        self.values = [None if p.value is None else truth.matched(p.value) for p in self.products]
        self.parts = list(truth.parts)
        self.by_loss = False
        # In this order: what each loss contributes takes as many sweeps as there are losses.
        self.cells: list[tuple[int, int] | None] = []
        if cells:
            self.parts = list(truth.cells)
            self.cells = [cell_of(product, truth) for product in self.products]
        elif all(loss_of(product, truth) is not None for product in self.products) and truth.loss_parts:
            self.parts, self.by_loss = list(truth.loss_parts), True

    @functools.cached_property
    def groups(self) -> list[list[int]]:
        """By contribution, the indices of its terms; the last group stands for none."""
        groups: list[list[int]] = [[] for _ in range(len(self.parts) + 1)]
        taken: set[int] = set()
        waiting: list[int] = []
        for index, value in enumerate(self.values):
            exact = self._exact(value, taken)
            if exact is None:
                waiting.append(index)
            else:
                groups[exact].append(index)
                taken.add(exact)
        if len(self.parts) == 1:
            groups[0] = list(range(len(self.products)))
            return groups
        for index in waiting:
            groups[self._place(index, groups)].append(index)
        return groups

    def _exact(self, value: Stack | None, taken: set[int]) -> int | None:
        if value is None or not self.parts:
            return None
        last = value[-1].reshape(-1)
        near = np.abs(self._lasts - last).max(axis=1) <= 1e-5 * np.abs(last).max()
        for place in np.flatnonzero(near).tolist():
            part = self.parts[place]
            if place not in taken and np.any(part.value) and close(value, part.value)[1:].all():
                return int(place)
        return None

    @functools.cached_property
    def _lasts(self) -> Stack:
        """The contributions at the last draw, flat: what cannot be equal is told at a glance."""
        return np.array([part.value[-1].reshape(-1) for part in self.parts])

    def _place(self, index: int, groups: list[list[int]]) -> int:
        product = self.products[index]
        if self.cells:
            found = self.cells[index]
            cells = {(part.above and part.above[1], part.t): place for place, part in enumerate(self.parts)}
            return len(self.parts) if found is None else cells.get(found, len(self.parts))
        t = loss_of(product, self.truth) if self.by_loss else use_of(product, self.truth)
        letters = {when for factor in product.term.factors for when in factor.env.values()}
        if self.by_letter and len(letters) == 1:
            (t,) = letters
        places = {part.t: place for place, part in enumerate(self.parts)}
        if t in places:
            return places[t]
        empty = [place for place in range(len(self.parts)) if not groups[place]]
        return empty[0] if len(empty) == 1 and t is not None else len(self.parts)

    def total(self, indices: list[int]) -> Stack | None:
        """What these terms add up to; None where one cannot be multiplied or does not fit."""
        total: Stack | None = None
        for index in indices:
            value = self.values[index]
            if value is None:
                return None
            total = value if total is None else total + value
        return total

    def adds_up(self, members: list[int], place: int) -> bool:
        """Whether these terms are that contribution."""
        part = self.parts[place]
        total = self.total(members)
        if total is None:
            return not members and not np.any(part.value)
        known = [value for i in members if (value := self.values[i]) is not None]
        return bool(close(total, part.value, np.sum([largest(value) for value in known], axis=0))[1:].all())

    def is_equal(self, index: int, value: Stack) -> bool:
        """Whether a term has this value."""
        other = self.values[index]
        return other is not None and bool(close(other, value)[1:].all())


def assigned(member: Formula, truth: Truth) -> list[tuple[Measured, Part | None]]:
    """The terms of a right member with the contributions they belong to; nothing is searched."""
    assignment = Assignment(member, truth)
    where: dict[int, Part] = {}
    for place, members in enumerate(assignment.groups[:-1]):
        where.update(dict.fromkeys(members, assignment.parts[place]))
    return [(product, where.get(index)) for index, product in enumerate(assignment.products)]


def overlooked(member: Formula, truth: Truth) -> list[Part]:
    """Contributions that are missing or wrong in a member that equals the left side because they are so small.

    Gradients vanish: at a thousand steps the first contribution is nothing beside the last, at whatever values.
    """
    if not truth.is_whole or len(truth.parts) < 2:
        return []
    whole = largest(truth.value)[1:]
    sizes = [largest(part.value)[1:] for part in truth.parts]
    small = [bool(size.any() and (size < TOO_SMALL * whole).all()) for size in sizes]
    if not any(small):
        return []
    assignment = Assignment(member, truth)
    if assignment.by_loss or assignment.groups[-1]:
        return []
    places = range(len(truth.parts))
    right = [assignment.adds_up(assignment.groups[place], place) for place in places]
    if not all(right[place] or small[place] for place in places):
        return []  # the terms are grouped otherwise
    return [truth.parts[place] for place in places if not right[place]]


def _terms(member: Formula, evaluator: Evaluator) -> list[Term]:
    """The terms of a member; the member itself where writing it out changes what it says."""
    whole = [single(Factor(member), member.span)]
    try:
        terms = expand(member, evaluator)
    except TooMany:
        return whole
    try:
        value = evaluator.value(member)
    except Misfit:
        return terms
    try:
        total: Stack | None = None
        for term in terms:
            one = term.value(evaluator)
            total = one if total is None else evaluator.added(None, NOTHING, 0, total, one)
    except Misfit:
        return whole
    if total is None:
        total = evaluator.constant(0.0)
    agree = total.shape == value.shape and close(total, value)[1:].all()
    return terms if agree or not terms else whole
