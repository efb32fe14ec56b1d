"""What is wrong with one product: the smallest change of one factor that makes it what it should be.

The change is searched for by numbers: a factor left out, put in, replaced, transposed, moved, or taken at another
timestep, such that the product is right at every draw. Nothing is guessed from how the formula looks; looks only decide
between changes that all make it right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
from msgspec.structs import replace

from bptt_tui.derivation.formulas.tree import Join, Partial, Transpose
from bptt_tui.derivation.judging.candidates import Candidate
from bptt_tui.derivation.judging.edits import Budget, Edit, Measured, is_partial, moments_of, names_it, shifts, unlike
from bptt_tui.derivation.judging.evaluation import Misfit
from bptt_tui.derivation.judging.grouping import Group, rejoined, with_one, without
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import RTOL, close, drawn, is_one, on_diagonal, same, vectors_too
from bptt_tui.derivation.judging.terms import Factor
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.errors import BpttError

# What is added to the cost of a factor I ⊗ xᵀ: beside a column xᵀ is what is meant.
# A missing one stays cheaper than what is no local partial.
UNREADABLE, UNREADABLE_MISSING = 0.6, 0.34
ONE_JOIN: tuple[Join, ...] = ("as it fits",)
# The factors that could be due, or those that are like one of them.
Pool = Callable[[Candidate | None], list[Candidate]]


class Search:
    """All single changes that turn a product into its due value.

    `pool` is called only when they are asked for.
    """

    def __init__(
        self,
        product: Measured,
        due: Stack,
        truth: Truth,
        pool: Pool,
        budget: Budget,
    ) -> None:
        self.product = product
        self.due = due
        self.truth = truth
        self.budget = budget
        self.group = product.term.group
        self.places: range = range(len(product.stacks))
        self._pool: Callable[[], list[Candidate]] = functools.partial(pool, None)
        self._pool_like = pool
        self._drawn = drawn(due)
        self._first = due[self._drawn][0]
        self._size = RTOL * max(float(np.abs(self._first).max()), 1e-300)

    def best(self, *, thorough: bool, like: Edit | None = None) -> Edit | None:
        """The most natural change, None where no single one helps. `like` is the change that helped a sibling of this
        term, which is tried first; not `thorough`: only what needs no candidates."""
        if not self.product.stacks:
            return None
        with np.errstate(all="ignore"):
            if like is not None:
                found = self._like(like)
                if found is not None:
                    return found
            for stage in self._stages(thorough=thorough):
                edits = sorted((edit for step in stage for edit in step()), key=lambda edit: edit.cost)
                if edits:
                    return edits[0]
        return None

    def _stages(self, *, thorough: bool) -> Iterator[tuple[Callable[[], Iterator[Edit]], ...]]:
        yield (self._whole,)
        yield self._dropped, self._turned, self._shifted, self._made_diagonal
        if thorough:
            yield (self._edges_inserted,)
            yield self._inserted, self._replaced, self._two_inserted, self._shifted_on
            yield self._joined, self._two_dropped, self._shifted_far, self._put_elsewhere

    def _like(self, edit: Edit) -> Edit | None:
        """The same change again: of the same factor, with a candidate of the same equation."""
        steps: dict[str, Callable[[], Iterator[Edit]]] = {
            "sign": self._whole, "scale": self._whole, "extra": self._dropped, "doubled": self._dropped,
            "transposed": self._turned, "order": self._turned, "turned": self._turned, "shifted": self._shifted,
            "join": self._joined, "missing": self._inserted, "replaced": self._replaced,
        }  # fmt: skip
        step = steps.get(edit.change)
        if step is None:
            return None
        everywhere, pool = self.places, self._pool
        if edit.change not in ("missing", "order", "turned"):
            self.places = range(edit.index, min(edit.index + 1, len(self.product.stacks)))
        if edit.due is not None:
            due = edit.due
            alike = [c for c in self._pool_like(due) if c.kind == due.kind and _relation(c) == _relation(due)]
            self._pool = lambda: alike
        try:
            found = sorted((e for e in step() if e.change == edit.change), key=lambda e: e.cost)
        finally:
            self.places, self._pool = everywhere, pool
        return found[0] if found else None

    def hits(self, value: Stack | None) -> bool:
        """Whether this is the due value, at every draw but the session's."""
        if value is None:
            return False
        fitted = self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape:
            return False
        gap = np.abs(fitted[self._drawn][0] - self._first).max()
        if not gap <= 2 * self._size:
            return False
        return bool(close(fitted, self.due)[self._drawn].all())

    def _hits(self, stacks: list[Stack], group: Group | None) -> bool:
        return group is not None and self.budget.spend() and self.hits(self.product.tried(stacks, group))

    def _fits(self, stacks: list[Stack], group: Group) -> bool | None:
        """Whether this is the due value; None where nothing of these shapes can be."""
        if not self.budget.spend():
            return False
        value = self.product.tried(stacks, group)
        if value is None:
            return None
        fitted = self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape:
            return None
        return self.hits(fitted)

    # --- the product as a whole ----------------------------------------------------------------------------------

    @functools.cached_property
    def ratio(self) -> Stack | None:
        """What the product must be multiplied by at every draw, `(draws,)`; None where no number does it."""
        value = self.product.value
        fitted = None if value is None else self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape:
            return None
        a, b = fitted.reshape(len(fitted), -1), self.due.reshape(len(fitted), -1)
        squares = (a * a).sum(axis=1)
        ratio = (a * b).sum(axis=1) / squares
        proportional = np.abs(a * ratio[:, None] - b).max(axis=1) <= RTOL * np.abs(b).max(axis=1)
        return np.asarray(ratio) if proportional[self._drawn].all() and (squares[self._drawn] > 0).all() else None

    def _whole(self) -> Iterator[Edit]:
        if self.ratio is None:
            return
        ratios = self.ratio[self._drawn]
        common = float(ratios[0])
        if common == 0 or np.abs(ratios - common).max() > RTOL * abs(common):
            return
        if abs(common + 1) < RTOL:
            yield Edit("sign", 0, 1.0)
        elif abs(common - 1) > RTOL:
            yield Edit("scale", 0, 1.6, ratio=float(f"{common:.6g}"))

    # --- one factor less, turned, elsewhere, or at another timestep ----------------------------------------------

    def _dropped(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        if len(stacks) == 1:
            if self.hits(np.full_like(stacks[0][:, :1, :1], self.product.term.sign)):
                yield Edit("extra", 0, 1.4)
            return
        for index in self.places:
            stack = stacks[index]
            if is_one(stack):
                continue
            if self._hits(stacks, without(self.group, index)):
                twins = [i for i, s in enumerate(stacks) if i != index and s.shape == stack.shape and same(s, stack)]
                yield Edit("doubled" if twins else "extra", index, 1.0 if twins else 1.05)

    def _turned(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        for index in self.places:
            stack = stacks[index]
            if stack.shape[1:] != (1, 1) and self._hits(
                [*stacks[:index], stack.transpose(0, 2, 1), *stacks[index + 1 :]], self.group
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
                if self._hits(swapped, self.group):
                    yield Edit("order", i, 1.2 + 0.01 * (j - i), ratio=float(j))
        # a bᵀ for b aᵀ: both turned and exchanged.
        for i in range(len(stacks) - 1):
            turned = list(stacks)
            turned[i], turned[i + 1] = stacks[i + 1].transpose(0, 2, 1), stacks[i].transpose(0, 2, 1)
            if self._hits(turned, self.group):
                yield Edit("order", i, 1.15, ratio=float(i + 1))
        if self.product.value is not None and self.hits(self.product.value.transpose(0, 2, 1)):
            yield Edit("turned", 0, 1.14, ratio=float(len(stacks) - 1))

    def _shifted(self, least: float = 0.0, most: float = 1.2) -> Iterator[Edit]:
        """A factor of a neighbouring timestep."""
        for index in self.places:
            for cost, moved in shifts(self.product.term.factors[index], self.product.evaluator):
                if least < cost <= most:
                    yield from self._at(index, moved, cost)

    def _shifted_on(self) -> Iterator[Edit]:
        """One end of a whole step moved: as likely as that a step is missing."""
        return self._shifted(1.2, 2.0)

    def _shifted_far(self) -> Iterator[Edit]:
        """One end of an edge's partial moved, so that it spans several edges: unlikely to be what was meant."""
        return self._shifted(2.0, 9.0)

    def _at(self, index: int, moved: Factor, cost: float) -> Iterator[Edit]:
        stacks = self.product.stacks
        try:
            stack = moved.value(self.product.evaluator)
        except (BpttError, Misfit):
            return
        if not np.any(stack) or (stack.shape == stacks[index].shape and np.array_equal(stack, stacks[index])):
            return
        if self._hits([*stacks[:index], stack, *stacks[index + 1 :]], self.group):
            yield Edit("shifted", index, cost, factor=moved)

    # --- a factor put in or replaced -----------------------------------------------------------------------------

    def _equal(self, due: Stack) -> list[tuple[int, Candidate]]:
        """The candidates that are these numbers at every draw."""
        pool = self._pool()
        found = [c for c in pool if c.value.shape[1:] == (1, 1)]
        if not found:
            return []
        values = np.array([c.value.reshape(-1)[self._drawn] for c in found])
        agree = (np.abs(values - due[self._drawn]) <= 3 * RTOL * np.abs(due[self._drawn])).all(axis=1)
        return [(int(place), found[place]) for place in np.flatnonzero(agree)]

    def _edges_inserted(self) -> Iterator[Edit]:
        """Local partials that are missing: the plainest explanation there is."""
        for edit in self._inserted():
            if edit.due is not None and edit.due.kind in ("edge", "inner") and edit.cost < 1.4:
                yield edit

    def _inserted(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        if self.ratio is not None:
            for place, candidate in self._equal(self.ratio):
                cost = 1.02 + _rank(candidate) + 1e-4 * place + self._written(candidate) - self._linked(candidate)
                yield Edit("missing", self._slot(candidate), cost, candidate)
        if self.due.shape[1:] == (1, 1) and all(s.shape[1:] == (1, 1) for s in stacks):
            return
        groups = list(with_one(self.group, len(stacks)))
        if self.group.by_entries:
            groups += [Group((self.group, len(stacks)), ONE_JOIN), Group((len(stacks), self.group), ONE_JOIN)]
        hopeless: set[tuple[int, tuple[int, ...]]] = set()
        for place, candidate in enumerate(self._pool()):
            if candidate.value.shape[1:] == (1, 1):
                continue
            for value, named in _forms(candidate, turned=True):
                if self._anywhere(value, groups, hopeless):
                    cost = 1.02 + _rank(candidate) + 1e-4 * place + self._written(candidate) - self._linked(candidate)
                    yield Edit("missing", len(stacks), cost + UNREADABLE_MISSING * ("⊗" in candidate.equality), named)
                    break

    def _anywhere(self, value: Stack, groups: list[Group], hopeless: set[tuple[int, tuple[int, ...]]]) -> bool:
        for slot, group in enumerate(groups):
            if (slot, value.shape) in hopeless:
                continue
            fits = self._fits([*self.product.stacks, value], group)
            if fits:
                return True
            if fits is None:
                hopeless.add((slot, value.shape))
        return False

    def _replaced(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        for index in self.places:
            factor, stack = self.product.term.factors[index], stacks[index]
            if is_one(stack) and len(stacks) > 1:
                continue
            if stack.shape[1:] == (1, 1) and self.ratio is not None:
                for place, candidate in self._equal(self.ratio * stack.reshape(-1)):
                    yield self._replacement(index, factor, place, candidate)
            hopeless: set[tuple[int, ...]] = set()
            for place, candidate in enumerate(self._pool()):
                for value, named in _forms(candidate, turned=_is_turned(factor)):
                    if value.shape[1:] == stack.shape[1:] == (1, 1) or value.shape in hopeless:
                        continue
                    fits = self._fits([*stacks[:index], value, *stacks[index + 1 :]], self.group)
                    if fits is None:
                        hopeless.add(value.shape)
                    elif fits:
                        yield self._replacement(index, factor, place, named)

    def _replacement(self, index: int, factor: Factor, place: int, candidate: Candidate) -> Edit:
        cost = 1.25 + _rank(candidate) + 1e-4 * place + self._written(candidate) + unlike(factor, candidate)
        if "⊗" in candidate.equality:
            cost += UNREADABLE
        return Edit("replaced", index, cost, candidate)

    def _two_inserted(self) -> Iterator[Edit]:
        if self.ratio is None:
            return
        pool = [c for c in self._pool() if c.kind in ("edge", "inner") and c.value.shape[1:] == (1, 1)][:80]
        if not pool:
            return
        values = np.array([c.value.reshape(-1)[self._drawn] for c in pool])
        due = self.ratio[self._drawn]
        agree = (np.abs(values[:, None] * values[None] - due) <= 3 * RTOL * np.abs(due)).all(axis=2)
        for i, j in np.argwhere(np.triu(agree)):
            one, other = pool[i], pool[j]
            cost = 1.45 + self._written(one) + self._written(other)
            yield Edit("missing two", self._slot(one), cost, one, other)

    def _two_dropped(self) -> Iterator[Edit]:
        stacks = self.product.stacks
        if not 2 < len(stacks) <= 12:
            return
        for i in range(len(stacks)):
            for j in range(i + 1, len(stacks)):
                fewer = without(self.group, j)
                if fewer is not None and self._hits(stacks, without(fewer, i)):
                    yield Edit("extra two", i, 2.6, ratio=float(j))

    def _made_diagonal(self) -> Iterator[Edit]:
        """A vector as the diagonal matrix of its entries: (1 − s²)·W for diag(1 − s²)·W."""
        stacks = self.product.stacks
        if all(1 in stack.shape[1:] for stack in stacks):
            return
        for index in self.places:
            wide = on_diagonal(stacks[index])
            if wide is None:
                continue
            changed = [*stacks[:index], wide, *stacks[index + 1 :]]
            groups = (self.group, *(group for _, group in rejoined(self.group)))
            if any(self._hits(changed, group) for group in groups):
                yield Edit("diagonal", index, 1.1)

    def _put_elsewhere(self) -> Iterator[Edit]:
        """One factor in another place of the product, also inside a bracket: f′ ⊙ (Wᵀδ) for Wᵀ(f′ ⊙ δ)."""
        stacks = self.product.stacks
        if not 2 < len(stacks) <= 8:
            return
        for index in self.places:
            rest = without(self.group, index)
            if rest is None or stacks[index].shape[1:] == (1, 1):
                continue
            wide = on_diagonal(stacks[index])
            changed = stacks if wide is None else [*stacks[:index], wide, *stacks[index + 1 :]]
            for place, group in enumerate(with_one(rest, index)):
                if self._hits(changed, group):
                    other = next(i for i in range(len(stacks)) if i != index)
                    wider = [i for i, s in enumerate(stacks) if i != index and 1 not in s.shape[1:]]
                    yield Edit("order", index, 1.6 + 0.01 * place, ratio=float(wider[0] if wider else other))

    def _joined(self) -> Iterator[Edit]:
        for leaf, group in rejoined(self.group):
            if leaf in self.places and self._hits(self.product.stacks, group):
                yield Edit("join", leaf, 1.5)

    # --- what decides between changes that all help --------------------------------------------------------------

    def _written(self, candidate: Candidate) -> float:
        """A penalty where the term has this very factor already, under its own name or as its value."""
        for factor, stack in zip(self.product.term.factors, self.product.stacks, strict=True):
            if is_partial(factor, candidate, self.product.evaluator):
                return 0.5
            if stack.shape == candidate.value.shape and same(stack, candidate.value) and names_it(factor, candidate):
                return 0.02
        return 0.0

    def _linked(self, candidate: Candidate) -> float:
        """A little for what closes the chain: ∂E/∂z₂ above ∂z₂/∂a₂."""
        key = self.product.evaluator.key
        for factor in self.product.term.factors:
            if isinstance(factor.formula, Partial):
                above, below = key(factor.formula.above, factor.env), key(factor.formula.below, factor.env)
                if candidate.below == above or candidate.above == below:
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


def _is_turned(factor: Factor) -> bool:
    return factor.transposed or isinstance(factor.formula, Transpose)


def _forms(candidate: Candidate, *, turned: bool) -> Iterator[tuple[Stack, Candidate]]:
    """The values that a candidate may stand with in a product, and what it is called then."""
    for value in vectors_too(candidate.value):
        yield value, candidate
    if turned and candidate.kind == "value" and candidate.value.shape[2] == 1 < candidate.value.shape[1]:
        yield candidate.value.transpose(0, 2, 1), replace(candidate, text=f"{candidate.text}ᵀ")


def _relation(candidate: Candidate) -> tuple[str, str, str]:
    """What a candidate is of and by, without timesteps; of an inner factor also its place in the equation."""
    above = candidate.above[0] if candidate.above else ""
    below = candidate.below[0] if candidate.below else ""
    return above, below, candidate.function


def _rank(candidate: Candidate) -> float:
    return {"edge": 0.0, "inner": 0.05, "step": 0.15, "gradient": 0.2, "value": 0.3}[candidate.kind]
