"""A member's terms beside the contributions they stand for, and what is wrong with those that do not agree.

First what is equal at every draw; then what a term says of itself, by the use or the earliest timestep in it. A
contribution whose terms do not add up to it has a wrong one: the term for which a single change of a factor closes the
gap, everything else being left as it is.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from bptt_tui.derivation.formulas.tree import Formula, Span
from bptt_tui.derivation.judging.candidates import Candidate, candidates
from bptt_tui.derivation.judging.crossings import paths_missing
from bptt_tui.derivation.judging.edits import Budget, Edit, Measured
from bptt_tui.derivation.judging.evaluation import NOTHING, Evaluator, Misfit
from bptt_tui.derivation.judging.repair import Search
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.sharing import Shared, shared_change
from bptt_tui.derivation.judging.stacks import close, largest
from bptt_tui.derivation.judging.terms import Factor, Term, TooMany, expand, single
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.uses import loss_of, use_of

Fault = Literal["", "edit", "missing", "extra", "twice", "path", "open"]

# How many terms written out of one sum are searched in vain before its others are compared only.
MAX_FAILED = 2
# A contribution this much smaller than the sum does not show in it.
TOO_SMALL = 1e-6


class Row(Struct, frozen=True):
    """A term and its contribution. `fault` is "" where they agree; "open" where no reason was found.

    `product` is None for a missing term, `part` None for one that stands for nothing. `due` is what the term should be,
    everything else being right.
    """

    product: Any
    part: Part | None
    fault: Fault
    due: Stack | None = None
    edit: Edit | None = None
    through: str = ""
    # The product that the change is of, where it is not the term itself but the whole member.
    source: Any = None


class Alignment(Struct, frozen=True):
    """All rows, in the order of the terms, missing ones last."""

    rows: tuple[Row, ...]

    @property
    def found(self) -> bool:
        """Whether every wrong row has a reason. A term too many beside one that is missing may be the same one."""
        faults = {row.fault for row in self.rows}
        return "open" not in faults and not {"extra", "missing"} <= faults

    @property
    def plain(self) -> bool:
        """Whether no reason is a factor I ⊗ xᵀ, which in another layout is xᵀ."""
        return not any(row.edit and row.edit.due and "⊗" in row.edit.due.equality for row in self.rows)

    @property
    def cost(self) -> tuple[int, int, float]:
        """How good an explanation this is: rows without a reason, wrong rows, what the changes cost."""
        wrong = [row for row in self.rows if row.fault]
        return (
            sum(row.fault == "open" for row in wrong),
            len(wrong),
            sum(row.edit.cost if row.edit else 1.0 for row in wrong),
        )


def align(member: Formula, truth: Truth, budget: Budget, *, thorough: bool) -> Alignment:
    """The member's terms beside the truth's contributions; `thorough`: searched with all that could be due."""
    evaluator = truth.evaluator
    products = [Measured(term, evaluator) for term in _terms(member, evaluator)]
    aligning = _Aligning(products, truth, budget, thorough=thorough)
    found = Alignment(tuple(aligning.rows()))
    if found.cost[:2] > (0, 1):
        shared = shared_change(member, truth, aligning.search)
        if shared is not None:
            return Alignment(tuple(_shared(shared, row) for row in found.rows if row.product is not None))
    return found


def _shared(shared: Shared, row: Row) -> Row:
    """A term's row: wrong inside the product concerned, right elsewhere."""
    if shared.concerns(row.product.term.span):
        return Row(row.product, row.part, "edit", row.due, shared.edit, source=shared.product)
    return Row(row.product, row.part, "", row.due)


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


class _Aligning:
    def __init__(
        self, products: list[Measured], truth: Truth, budget: Budget | None = None, *, thorough: bool = False
    ) -> None:
        self.budget = budget or Budget()
        self.thorough = thorough
        # By the part of the text that a term comes from, the change that helped its sibling, or how often none did.
        self.helped: dict[Span, Edit] = {}
        self.failed: Counter[Span] = Counter()
        self.products = products
        self.truth = truth
        self.values = [None if p.value is None else truth.matched(p.value) for p in products]
        self.parts = list(truth.parts)
        self.by_loss = False
        # In this order: what each loss contributes takes as many sweeps as there are losses.
        if all(loss_of(product, truth) is not None for product in products) and truth.loss_parts:
            self.parts, self.by_loss = list(truth.loss_parts), True
        self.paths: list[Row] = []
        self.pathless = 0

    def rows(self) -> list[Row]:
        """A row for every term, then one for every contribution without a term."""
        groups = self.groups
        found = self._moved(groups)
        missing: list[Row] = []
        for place, part in enumerate(self.parts):
            members = [index for index in groups[place] if index not in found]
            settled = [found[index] for index in groups[place] if index in found]
            if settled:
                # Its gap is closed by the term that was moved here.
                found.update({i: Row(self.products[i], part, "", self.values[i]) for i in members})
                continue
            found.update(zip(members, self._group(members, part), strict=True))
            if not members and np.any(part.value):
                missing.append(Row(None, part, "missing", part.value))
        for index in groups[len(self.parts)]:
            found.setdefault(index, self._stray(index))
        strays = {i for i in groups[len(self.parts)] if not found[i].fault or found[i].part is None}
        if strays and missing:
            # What does not belong anywhere may well stand for what is missing.
            found.update({i: Row(self.products[i], None, "open") for i in strays})
        return [found[index] for index in sorted(found)] + missing + self.paths

    def _moved(self, groups: list[list[int]]) -> dict[int, Row]:
        """Terms that are too many where they say they belong and close the gap of another contribution when changed:
        they are of that one, with a wrong index."""
        found: dict[int, Row] = {}
        gaps = [place for place in range(len(self.parts)) if not self.adds_up(groups[place], place)]
        for place, members in enumerate(groups):
            for index in reversed(list(members)):
                others = [gap for gap in gaps if gap != place]
                if not others or not self._too_many(index, members, place):
                    continue
                for gap in others:
                    moved = self._into(index, groups[gap], gap)
                    if moved is None:
                        continue
                    members.remove(index)
                    groups[gap].append(index)
                    gaps.remove(gap)
                    found[index] = moved
                    break
        return found

    def _into(self, index: int, members: list[int], place: int) -> Row | None:
        """The term as one of another contribution, where a change makes it close the gap there."""
        part = self.parts[place]
        rest = self._sum(members)
        if rest is None and members:
            return None
        due = part.value if rest is None else part.value - rest
        edit = self._search(index, due, part)
        return None if edit is None else Row(self.products[index], part, "edit", due, edit)

    def adds_up(self, members: list[int], place: int) -> bool:
        """Whether these terms are that contribution."""
        part = self.parts[place]
        total = self._sum(members)
        if total is None:
            return not members and not np.any(part.value)
        known = [value for i in members if (value := self.values[i]) is not None]
        return bool(close(total, part.value, np.sum([largest(value) for value in known], axis=0))[1:].all())

    def _too_many(self, index: int, members: list[int], place: int) -> bool:
        """Whether the others of its group add up without this term, or it stands for nothing."""
        if place == len(self.parts):
            return True
        value = self.values[index]
        if value is None:
            return False
        rest = [i for i in members if i != index]
        return (
            (not np.any(value) or len(members) > 1)
            and (bool(rest) or not np.any(value))
            and (not np.any(value) or self.adds_up(rest, place))
        )

    # --- which term stands for which contribution ----------------------------------------------------------------

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
        t = loss_of(product, self.truth) if self.by_loss else use_of(product, self.truth)
        places = {part.t: place for place, part in enumerate(self.parts)}
        if t in places:
            return places[t]
        empty = [place for place in range(len(self.parts)) if not groups[place]]
        return empty[0] if len(empty) == 1 and t is not None else len(self.parts)

    # --- what is wrong in one contribution -----------------------------------------------------------------------

    def _sum(self, indices: list[int]) -> Stack | None:
        total: Stack | None = None
        for index in indices:
            value = self.values[index]
            if value is None:
                return None
            total = value if total is None else total + value
        return total

    def _group(self, members: list[int], part: Part) -> list[Row]:
        total = self._sum(members)
        known = [value for i in members if (value := self.values[i]) is not None]
        scale = np.sum([largest(value) for value in known], axis=0) if known else 0.0
        plain = [Row(self.products[i], part, "", self.values[i]) for i in members]
        if total is not None and close(total, part.value, scale)[1:].all():
            return plain
        wrong = self._surplus(members, part, total) or self._repaired(members, part)
        if wrong:
            return [wrong.get(i, row) for i, row in zip(members, plain, strict=True)]
        through = self._path_missing(part, total)
        if through:
            assert total is not None
            self.paths.append(Row(None, part, "path", part.value - total, through=through))
            return plain
        due = part.value if len(members) == 1 else None
        return [Row(self.products[i], part, "open", due) for i in members]

    def _surplus(self, members: list[int], part: Part, total: Stack | None) -> dict[int, Row]:
        """A term that stands twice, or does not belong."""
        if total is None or len(members) < 2:
            return {}
        gap = total - part.value
        for index in members:
            value = self.values[index]
            if value is None or not np.any(value) or not close(gap, value)[1:].all():
                continue
            alike = [i for i in members if i != index and self._equal(i, value)]
            twins, later = [i for i in alike if i < index], [i for i in alike if i > index]
            wrong = later[-1] if later else index
            fault: Fault = "twice" if twins or later else "extra"
            return {wrong: Row(self.products[wrong], part, fault, np.zeros_like(value))}
        return {}

    def _equal(self, index: int, value: Stack) -> bool:
        other = self.values[index]
        return other is not None and bool(close(other, value)[1:].all())

    def _repaired(self, members: list[int], part: Part) -> dict[int, Row]:
        """The one term that a single change makes right, or all of them by a change each."""
        best: tuple[float, int, Edit, Stack] | None = None
        for index in members:
            rest = self._sum([i for i in members if i != index])
            if rest is None and len(members) > 1:
                continue
            due = part.value if rest is None else part.value - rest
            edit = self._search(index, due, part)
            if edit is not None and (best is None or edit.cost < best[0]):
                best = edit.cost, index, edit, due
        if best is None:
            return {}
        _, index, edit, due = best
        return {index: Row(self.products[index], part, "edit", due, edit)}

    def _search(self, index: int, due: Stack, part: Part) -> Edit | None:
        product = self.products[index]
        origin = product.term.span
        if self.failed[origin] >= MAX_FAILED:
            return None
        edit = self.search(product, due, part, self.helped.get(origin))
        if edit is None:
            self.failed[origin] += 1
        else:
            self.helped.setdefault(origin, edit)
        return edit

    def search(self, product: Measured, due: Stack, part: Part, like: Edit | None = None) -> Edit | None:
        """The change that makes a product its due value."""
        moments = product.moments + ([part.t] if part.t is not None else [])
        everything = functools.cache(functools.partial(candidates, self.truth, part, moments))

        def pool(alike: Candidate | None) -> list[Candidate]:
            return everything() if alike is None else candidates(self.truth, part, moments, alike)

        search = Search(product, due, self.truth, pool, self.budget)
        return search.best(thorough=self.thorough, like=like)

    def _path_missing(self, part: Part, total: Stack | None) -> str:
        """Through what the paths lead that are all of what is missing; looked for a few times only."""
        if total is None or self.pathless >= MAX_FAILED or not self.thorough:
            return ""
        found = paths_missing(total, part, self.truth)
        self.pathless += not found
        return found

    def _stray(self, index: int) -> Row:
        """A term of no contribution: wrong in a way that the whole may show."""
        value = self.values[index]
        return Row(self.products[index], None, "extra" if value is not None else "open")


def assigned(member: Formula, truth: Truth) -> list[tuple[Measured, Part | None]]:
    """The terms of a right member with the contributions they belong to; nothing is searched."""
    aligning = _plain(member, truth)
    where: dict[int, Part] = {}
    for place, members in enumerate(aligning.groups[:-1]):
        where.update(dict.fromkeys(members, aligning.parts[place]))
    return [(product, where.get(index)) for index, product in enumerate(aligning.products)]


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
    aligning = _plain(member, truth)
    if aligning.by_loss or aligning.groups[-1]:
        return []
    places = range(len(truth.parts))
    right = [aligning.adds_up(aligning.groups[place], place) for place in places]
    if not all(right[place] or small[place] for place in places):
        return []  # the terms are grouped otherwise
    return [truth.parts[place] for place in places if not right[place]]


def _plain(member: Formula, truth: Truth) -> _Aligning:
    terms = _terms(member, truth.evaluator)
    return _Aligning([Measured(term, truth.evaluator) for term in terms], truth)
