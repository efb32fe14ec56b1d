"""A member's terms beside the contributions they stand for, and what is wrong with those that do not agree.

A contribution whose terms do not add up to it has a wrong one: the term for which a single change of a factor closes
the gap, everything else being left as it is.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter

import numpy as np
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.tree import Formula, Partial, Span, Sum, Value
from bptt_tui.derivation.judging.assignment import Assignment
from bptt_tui.derivation.judging.candidates import Candidate, candidates
from bptt_tui.derivation.judging.crossings import by_reader, paths_missing, ways
from bptt_tui.derivation.judging.edits import Budget, Edit, Measured
from bptt_tui.derivation.judging.repair import completed, repaired
from bptt_tui.derivation.judging.rows import Alignment, Fault, Row
from bptt_tui.derivation.judging.samples import Key, Stack
from bptt_tui.derivation.judging.sharing import Shared, shared_change
from bptt_tui.derivation.judging.stacks import close, largest
from bptt_tui.derivation.judging.trial import Trial
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.uses import cell_of

# How many terms written out of one sum are searched in vain before its others are compared only.
MAX_FAILED = 2
# Ways left out that a term with a slip of its own is tried with.
MAX_WAYS = 14


def align(member: Formula, truth: Truth, budget: Budget, *, thorough: bool) -> Alignment:
    """The member's terms beside the truth's contributions; `thorough`: searched with all that could be due."""
    aligning = _Aligning(member, truth, budget, thorough=thorough)
    found = Alignment(tuple(aligning.rows()))
    if found.cost[:2] > (0, 1):
        shared = shared_change(member, truth, aligning.search)
        if shared is not None:
            rows = [(row, row.product) for row in found.rows]
            return Alignment(tuple(_shared(shared, row, product) for row, product in rows if product is not None))
    if not found.found and len(truth.parts) > 1 and any(isinstance(p, Sum) for p in walk(member)):
        again = _Aligning(member, truth, budget.spare, thorough=thorough, by_letter=True)
        by_letter = Alignment(tuple(again.rows()))
        found = by_letter if by_letter.cost < found.cost else found
    if thorough and not found.found and truth.cells and None not in [cell_of(p, truth) for p in aligning.products]:
        by_cell = Alignment(tuple(_Aligning(member, truth, budget, thorough=True, cells=True).rows()), cells=True)
        return by_cell if by_cell.cost[0] < found.cost[0] else found
    return found


def _shared(shared: Shared, row: Row, product: Measured) -> Row:
    """A term's row: wrong inside the product concerned, right elsewhere."""
    if shared.concerns(product.term.span):
        return Row(product, row.part, "edit", row.due, shared.edit, source=shared.product)
    return Row(product, row.part, "", row.due)


def _is_plain(edit: Edit, product: Measured) -> bool:
    """Whether a change may be told beside another slip: of one factor, by what is on the way."""
    if edit.change in ("scale", "missing two", "extra two"):
        return False
    if edit.change == "replaced" and len(product.stacks) < 2:
        names = {part.name for part in walk(product.term.factors[0].formula) if isinstance(part, Value)}
        return edit.due is not None and any(name in edit.due.formula for name in names)
    return edit.due is None or edit.due.kind in ("edge", "inner", "step")


def _time(key: Key | None) -> int | None:
    return None if key is None else key[1]


class _Aligning(Assignment):
    """The search for what is wrong, contribution by contribution."""

    def __init__(
        self,
        member: Formula,
        truth: Truth,
        budget: Budget,
        *,
        thorough: bool,
        cells: bool = False,
        by_letter: bool = False,
    ) -> None:
        super().__init__(member, truth, cells=cells, by_letter=by_letter)
        self.member = member
        self.budget = budget
        self.thorough = thorough
        # By the part of the text that a term comes from, the change that helped its sibling, or how often none did.
        self.helped: dict[Span, Edit] = {}
        self.failed: Counter[Span] = Counter()
        self.paths: list[Row] = []
        self.pathless = 0

    def rows(self) -> list[Row]:
        """A row for every term, then one for every contribution without a term."""
        groups = self.groups
        found = {} if self.cells else self._moved(groups)
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
        rest = self.total(members)
        if rest is None and members:
            return None
        due = part.value if rest is None else part.value - rest
        edit = self._search(index, due, part)
        return None if edit is None else Row(self.products[index], part, "edit", due, edit)

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

    # --- what is wrong in one contribution -----------------------------------------------------------------------

    def _group(self, members: list[int], part: Part) -> list[Row]:
        total = self.total(members)
        known = [value for i in members if (value := self.values[i]) is not None]
        scale = np.sum([largest(value) for value in known], axis=0) if known else 0.0
        plain = [Row(self.products[i], part, "", self.values[i]) for i in members]
        if total is not None and close(total, part.value, scale)[1:].all():
            return plain
        wrong = self._surplus(members, part, total) or self._repaired(members, part)
        if wrong:
            return [wrong.get(i, row) for i, row in zip(members, plain, strict=True)]
        through = self._path_missing(part, total, members)
        if through:
            assert total is not None
            self.paths.append(Row(None, part, "path", part.value - total, through=through))
            return plain
        each = self._way_by_way(members, part)
        if each:
            return each
        both = self._path_and_slip(members, part)
        if both:
            return both
        due = part.value if len(members) == 1 else None
        return [Row(self.products[i], part, "open", due) for i in members]

    def _way_by_way(self, members: list[int], part: Part) -> list[Row]:
        """Several terms that stand for one way each, with a slip in more than one of them: as many terms as ways at
        most, each the one of a reader that it names."""
        if len(members) < 2 or not self.thorough or self.pathless >= MAX_FAILED:
            return []
        left = by_reader(part, self.truth)
        if not len(members) <= len(left):
            return []
        rows: dict[int, Row] = {}
        for exact in (True, False):
            for index in members:
                if index in rows:
                    continue
                found = self._as_a_way(index, left, part, exact=exact)
                if found is None:
                    if not exact:
                        self.pathless += 1
                        return []
                    continue
                way, rows[index] = found
                left = [other for other in left if other is not way]
        for _, called, value in left:
            self.paths.append(Row(None, part, "path", value, through=called))
        return [rows[index] for index in members]

    def _as_a_way(
        self, index: int, left: list[tuple[str, str, Stack]], part: Part, *, exact: bool
    ) -> tuple[tuple[str, str, Stack], Row] | None:
        """A term as one of the ways that are left: equal to it, or after a plain change."""
        product = self.products[index]
        if exact:
            equal = next((way for way in left if self.is_equal(index, way[2])), None)
            return None if equal is None else (equal, Row(product, part, "", equal[2]))
        names = {inner.name for factor in product.term.factors for inner in walk(factor.formula)
                 if isinstance(inner, Value)}  # fmt: skip
        for way in sorted(left, key=lambda way: way[0] not in names):
            edit = self.search(product, way[2], part)
            if edit is not None and _is_plain(edit, product):
                return way, Row(product, part, "edit", way[2], edit)
        return None

    def _path_and_slip(self, members: list[int], part: Part) -> list[Row]:
        """The only term with a slip of its own, where it stands for some of the paths only."""
        if len(members) != 1 or not self.thorough or self.pathless >= MAX_FAILED:
            return []
        (index,) = members
        product = self.products[index]
        if all(isinstance(factor.formula, Partial) for factor in product.term.factors):
            return []  # partials alone are in one way or the other, and not with a slip
        for names, value in itertools.islice(ways(part, self.truth, product.moments), MAX_WAYS):
            edit = self.search(product, value, part)
            if edit is not None and _is_plain(edit, product):
                self.paths.append(Row(None, part, "path", part.value - value, through=names))
                return [Row(product, part, "edit", value, edit)]
        self.pathless += 1
        return []

    def _surplus(self, members: list[int], part: Part, total: Stack | None) -> dict[int, Row]:
        """A term that stands twice, or does not belong."""
        if total is None or len(members) < 2:
            return {}
        gap = total - part.value
        for index in members:
            value = self.values[index]
            if value is None or not np.any(value) or not close(gap, value)[1:].all():
                continue
            alike = [i for i in members if i != index and self.is_equal(i, value)]
            twins, later = [i for i in alike if i < index], [i for i in alike if i > index]
            wrong = later[-1] if later else index
            fault: Fault = "twice" if twins or later else "extra"
            return {wrong: Row(self.products[wrong], part, fault, np.zeros_like(value))}
        return {}

    def _repaired(self, members: list[int], part: Part) -> dict[int, Row]:
        """The one term that a single change makes right, or all of them by a change each."""
        best: tuple[float, int, Edit, Stack] | None = None
        for index in members:
            rest = self.total([i for i in members if i != index])
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
            factors = product.term.factors
            at = factors[edit.index].formula.span if edit.index < len(factors) else (0, 0)
            self.helped.setdefault(origin, replace(edit, at=at))
        return edit

    def search(self, product: Measured, due: Stack, part: Part, like: Edit | None = None) -> Edit | None:
        """The change that makes a product its due value."""
        moments = product.moments + ([part.t] if part.t is not None else [])
        everything = functools.cache(functools.partial(candidates, self.truth, part, moments))

        def pool(alike: Candidate | None) -> list[Candidate]:
            return everything() if alike is None else candidates(self.truth, part, moments, alike)

        trial = Trial(product, due, self.truth, pool, self.budget, part)
        if part.above is not None:
            # A term that names its loss and its use lacks the chain between them before anything else.
            ends = part.above[1], part.t
            chain = [c for c in everything() if c.kind in ("step", "edge") and (_time(c.above), _time(c.below)) == ends]
            found = completed(trial, [c for c in chain if c.below != part.below])
            if found is not None:
                return found
        return repaired(trial, thorough=self.thorough, like=like)

    def _path_missing(self, part: Part, total: Stack | None, members: list[int]) -> str:
        """Through what the paths lead that are all of what is missing; looked for a few times only."""
        if total is None or self.pathless >= MAX_FAILED or not self.thorough:
            return ""
        found = paths_missing(total, part, self.truth, [t for i in members for t in self.products[i].moments])
        self.pathless += not found
        return found

    def _stray(self, index: int) -> Row:
        """A term of no contribution: wrong in a way that the whole may show."""
        value = self.values[index]
        return Row(self.products[index], None, "extra" if value is not None else "open")
