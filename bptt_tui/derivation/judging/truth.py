"""What the left side is in truth: its value at every draw, its contributions, and the edges on the way down."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from bptt_tui.derivation.formulas.tree import Formula, Partial
from bptt_tui.derivation.judging.evaluation import NOTHING, Evaluator
from bptt_tui.derivation.judging.samples import Edge, Key, Mode, Samples, Stack
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import largest

if TYPE_CHECKING:
    from bptt_tui.derivation.judging.candidates import Candidate

MAX_LOSSES = 500
MAX_EDGES = 4_000
MAX_CELLS = 400


class Part(Struct, frozen=True):
    """A contribution: `of` is its name, `t` its timestep, `value` a stack in the shape of the whole."""

    of: str
    t: int | None
    value: Stack
    below: Key | None = None
    place: str = ""
    # The loss that it is of, where the contributions are told apart by loss and by use.
    above: Key | None = None


class Truth:
    """The left side of a statement, read in one way."""

    def __init__(self, left: Formula, evaluator: Evaluator, spelling: Spelling) -> None:
        self.left = left
        self.evaluator = evaluator
        self.samples: Samples = evaluator.samples
        self.spelling = spelling
        self.name = spelling.spell(left)
        self.value = self._shaped(evaluator.value(left))
        # What could be due on each edge, made once.
        self.candidates: dict[Edge, list[Candidate]] = {}
        self._edges: dict[Key, list[Edge]] = {}

    @cached_property
    def above(self) -> Key | None:
        """What is differentiated, where the left side is a partial."""
        if not isinstance(self.left, Partial):
            return None
        return self.samples.key(*self.evaluator.key(self.left.above, NOTHING))

    @cached_property
    def below(self) -> Key | None:
        """By what."""
        return self.evaluator.key(self.left.below, NOTHING) if isinstance(self.left, Partial) else None

    @cached_property
    def mode(self) -> Mode:
        """Which paths count."""
        return self.evaluator.reading.mode(self.left) if isinstance(self.left, Partial) else "total"

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is a partial by a parameter as a whole, a sum over its uses."""
        return (
            self.below is not None
            and self.below[1] is None
            and self.below[0] in self.samples.unrolled.values.parameters
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The contributions of the uses, in time order; the whole itself where it is not a sum over uses."""
        if self.above is None or self.below is None:
            return (Part(self.name, None, self.value),)
        if not self.is_whole:
            place = self.spelling.place(self.above, self.below)
            return (Part(self.name, self.below[1], self.value, self.below, place),)
        found: list[Part] = []
        for t in self.samples.uses(self.below[0]):
            use = (self.below[0], t)
            value = self._shaped(self._oriented(self.samples.partial(self.above, use, self.mode)))
            if np.any(value) or self.above == self.samples.total_key:
                found.append(
                    Part(self.spelling.partial(self.above, use), t, value, use, self.spelling.place(self.above, use))
                )
        # What no use reaches is one part, 0.
        return tuple(found) or (Part(self.name, None, self.value),)

    @cached_property
    def weights(self) -> dict[str, list[Edge]]:
        """By parameter, the edges into an earlier timestep that are its value, from the top, on all ways down."""
        found: dict[str, dict[Edge, None]] = {}
        for part in self.parts:
            for edge in self.edges(part.below) if part.below is not None else ():
                above, below = self.spelling.ends(edge)
                if (below[1] or 0) < (above[1] or 0):
                    formula = self.spelling.formula(edge)
                    if formula in self.samples.unrolled.values.parameters:
                        found.setdefault(formula, {}).setdefault(edge)
        return {name: list(edges) for name, edges in found.items()}

    @cached_property
    def loss_parts(self) -> tuple[Part, ...]:
        """The contributions of the losses, ∂E_t/∂below, where the left side is of the total of several; else none,
        and none of more losses than can be swept one by one."""
        samples = self.samples
        if self.above != samples.total_key or self.below is None or not samples.unrolled.has_total:
            return ()
        if len(samples.unrolled.loss_times) > MAX_LOSSES:
            return ()
        found: list[Part] = []
        share = samples.traces[0].share
        for t in samples.unrolled.loss_times:
            loss = (samples.network.loss_name, t)
            value = self._shaped(self._oriented(share * samples.partial(loss, self.below)))
            found.append(Part(self.spelling.partial(loss, self.below), t, value, self.below))
        return tuple(found)

    @cached_property
    def cells(self) -> tuple[Part, ...]:
        """What every loss contributes by every use, ∂E_t/∂w_k, where the left side is of several losses and by a whole
        parameter; else none, and none where they are too many."""
        samples = self.samples
        if not self.loss_parts or not self.is_whole or self.below is None:
            return ()
        uses, share = samples.uses(self.below[0]), samples.traces[0].share
        if len(uses) * len(self.loss_parts) > MAX_CELLS:
            return ()
        found: list[Part] = []
        for t in samples.unrolled.loss_times:
            loss = (samples.network.loss_name, t)
            for use in ((self.below[0], k) for k in uses if k <= t):
                value = self._shaped(self._oriented(share * samples.partial(loss, use)))
                if np.any(value):
                    place = self.spelling.place(self.above or loss, use)
                    found.append(Part(self.spelling.partial(loss, use), use[1], value, use, place, loss))
        return tuple(found)

    @cached_property
    def scale(self) -> Stack:
        """The size of the terms at every draw, `(draws,)`: what rounding is measured against."""
        return np.asarray(np.sum([largest(part.value) for part in self.parts], axis=0) + largest(self.value))

    def _oriented(self, value: Stack) -> Stack:
        layout = self.evaluator.reading.layout
        if layout == "gradient" and value.shape[1] == 1 and self.below is not None:
            return value.reshape(len(value), *self.samples.shape(self.below[0]))
        return value.transpose(0, 2, 1) if layout == "denominator" else value

    def _shaped(self, value: Stack) -> Stack:
        """The gradient of a scalar has the shape of what it is by."""
        if not isinstance(self.left, Partial) or self.above is None or self.below is None:
            return value
        if 1 not in value.shape[1:]:
            return value
        shape = self.samples.shape(self.below[0])
        above = self.samples.shape(self.above[0])
        if above == (1, 1) and 1 not in shape:
            return value.reshape(len(value), *shape)
        return value

    def matched(self, member: Stack) -> Stack | None:
        """A member's value in the shape of the left side; a row stands for a column, c for c·I, a vector for a diagonal
        matrix. None: does not fit."""
        due = self.value
        if member.shape == due.shape:
            return member
        rows, columns = due.shape[1:]
        if member.shape[1:] == (1, 1):
            if rows == columns:
                return np.asarray(member * np.eye(rows))
            return np.zeros_like(due) if not np.any(member) else None
        if member.shape[1] * member.shape[2] == rows * columns and (1 in member.shape[1:] or 1 in (rows, columns)):
            return member.reshape(due.shape)
        if rows == columns == member.shape[1] * member.shape[2] and 1 in member.shape[1:]:
            return np.asarray(member.reshape(len(member), rows, 1) * np.eye(rows))
        return None

    # --- the way down --------------------------------------------------------------------------------------------

    def edges(self, below: Key) -> list[Edge]:
        """The edges on all paths from the left side's numerator down to `below`, from the top; at most MAX_EDGES."""
        if below not in self._edges:
            self._edges[below] = self._edges_to(below)
        return self._edges[below]

    def _edges_to(self, below: Key) -> list[Edge]:
        assert self.above is not None
        samples = self.samples
        passes = samples.passes(self.above, self.mode)
        name, loss = self.above
        tops: list[Key] = [(name, t) for t in samples.unrolled.loss_times] if loss is None else [(name, loss)]
        lowest = below[1] if below[1] is not None else 0
        order: list[Key] = []
        down: dict[Key, list[tuple[Edge, Key]]] = {}
        waiting = list(reversed(tops))
        while waiting and len(order) < MAX_EDGES:
            node = waiting.pop()
            if node in down:
                continue
            down[node] = []
            order.append(node)
            if node in tops or passes(node):
                down[node] = [
                    (edge, end)
                    for edge, end in samples.reads(node[0], node[1] if node[1] is not None else 0)
                    if end == below or (end[0] in samples.network.index and end[1] is not None and end[1] >= lowest)
                ]
                waiting.extend(end for _, end in down[node] if end not in down)
        leads = self._leading(order, down, below)
        ranked = sorted((key for key in order if key in leads), key=self._rank)
        return [edge for key in ranked for edge, end in down[key] if end == below or end in leads]

    def edges_at(self, moments: Iterable[int]) -> list[Edge]:
        """The edges at these timesteps, from the top, whether or not they are on a way down."""
        samples = self.samples
        names = [samples.network.targets[equation] for equation in reversed(samples.network.order)]
        return [edge for t in sorted(moments, reverse=True) for name in names for edge, _ in samples.reads(name, t)]

    def _leading(self, order: list[Key], down: dict[Key, list[tuple[Edge, Key]]], below: Key) -> set[Key]:
        leads: set[Key] = set()
        for key in sorted(order, key=self._rank, reverse=True):
            if any(end == below or end in leads for _, end in down[key]):
                leads.add(key)
        return leads

    def _rank(self, key: Key) -> tuple[int, int]:
        name, t = key
        return -(t or 0), -self.samples.order.get(self.samples.network.index.get(name, -1), -1)
