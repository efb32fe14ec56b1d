"""A product that should be something else, and whether a change of its factors makes it that."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence

import numpy as np

from bptt_tui.derivation.judging.candidates import Candidate
from bptt_tui.derivation.judging.edits import Budget, Measured
from bptt_tui.derivation.judging.grouping import Group
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import RTOL, close, drawn
from bptt_tui.derivation.judging.truth import Part, Truth

# The factors that could be due, or those that are like one of them.
Pool = Callable[[Candidate | None], list[Candidate]]


class Trial:
    """A product with its due value. `places` are the factors that may be changed, `pool` gives what could be put in;
    it is called only when that is asked for."""

    def __init__(
        self, product: Measured, due: Stack, truth: Truth, pool: Pool, budget: Budget, part: Part | None = None
    ) -> None:
        self.product = product
        self.due = due
        self.truth = truth
        self.budget = budget
        self.part = part
        self.group = product.term.group
        self.places: Sequence[int] = range(len(product.stacks))
        self.pool: Callable[[], list[Candidate]] = functools.partial(pool, None)
        self.pool_like = pool
        self.drawn = drawn(due)
        self._first = due[self.drawn][0]
        self._size = RTOL * max(float(np.abs(self._first).max()), 1e-300)

    def limited(self, pool: Sequence[Candidate] | None = None, places: Sequence[int] | None = None) -> Trial:
        """The same trial, its budget shared, with only some factors to put in, or only some that may be changed."""
        found = copy.copy(self)
        if pool is not None:
            found.pool = lambda: list(pool)
        if places is not None:
            found.places = places
        return found

    def hits(self, value: Stack | None) -> bool:
        """Whether this is the due value, at every draw but the session's."""
        if value is None:
            return False
        fitted = self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape:
            return False
        gap = np.abs(fitted[self.drawn][0] - self._first).max()
        if not gap <= 2 * self._size:
            return False
        return bool(close(fitted, self.due)[self.drawn].all())

    def makes(self, stacks: list[Stack], group: Group | None) -> bool:
        """Whether the product of these factors is the due value; it costs one trial of the budget."""
        return group is not None and self.budget.spend() and self.hits(self.product.tried(stacks, group))

    def fits(self, stacks: list[Stack], group: Group) -> bool | None:
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

    @functools.cached_property
    def ratio(self) -> Stack | None:
        """What the product must be multiplied by at every draw, `(draws,)`; None where no number does it."""
        value = self.product.value
        fitted = None if value is None else self.truth.matched(value)
        if fitted is None or fitted.shape != self.due.shape or not np.any(self.due[self.drawn]):
            return None
        a, b = fitted.reshape(len(fitted), -1), self.due.reshape(len(fitted), -1)
        squares = (a * a).sum(axis=1)
        ratio = (a * b).sum(axis=1) / squares
        proportional = np.abs(a * ratio[:, None] - b).max(axis=1) <= RTOL * np.abs(b).max(axis=1)
        return np.asarray(ratio) if proportional[self.drawn].all() and (squares[self.drawn] > 0).all() else None
