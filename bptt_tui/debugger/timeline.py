"""Positions: the order in which nodes are computed forward, and adjoints and contributions backward.

Position 0 is before anything is computed. Step i (1 … last) leads from position i-1 to i. Forward, a timestep's
nodes follow in the network's order, timestep after timestep, then the total where there are several losses.
Backward is the exact reverse, and each use comes right after the node that completes it, so that a contribution
appears behind the running product it comes from. The order is laid out once in arrays: looking up any position or
node costs the same at every length.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.trace import Trace
from bptt_tui.trace.health import Phase

Kind = Literal["node", "use", "total"]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
_KINDS: tuple[Kind, ...] = ("node", "use", "total")


class Step(Struct, frozen=True):
    """What one step computes: a node's value, an adjoint or a contribution. `name` is a node's or parameter's."""

    kind: Kind
    name: str
    t: int | None
    phase: Phase


class Timeline:
    """The steps of a trace. `forward_steps` of them are forward, `last` is their number in all."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        unrolled = trace.unrolled
        network = unrolled.network
        self._names = network.targets
        self._parameters = tuple(unrolled.values.parameters)
        rank = {equation: place for place, equation in enumerate(network.order)}
        moments = [times.array() for times in unrolled.present]
        computed = [times.array() for times in unrolled.times]
        nodes = _Entries.join([_Entries.of(0, e, t, np.full(len(t), rank[e])) for e, t in enumerate(moments)])
        uses = [self._uses(p, name, rank, computed) for p, name in enumerate(self._parameters)]
        order = np.lexsort((nodes.rank, nodes.t))
        self._total = unrolled.has_total
        self.forward_steps = len(order) + self._total
        everything = _Entries.join([nodes, *uses])
        # Latest first; a use (kind 1) stands behind the node of its rank.
        back = np.lexsort((everything.tie, everything.kind, -everything.rank, -everything.t))
        self._forward = nodes.take(order)
        self._backward = everything.take(back)
        self._value_at = _positions(order, 1)
        adjoint_at = _positions(back, self.forward_steps + 1 + self._total)
        starts = np.cumsum([0, *(len(t) for t in moments)])
        self._node_start = starts
        self._adjoint_at = adjoint_at[: len(nodes.t)]
        # A node's adjoints become known from the last timestep on: negated positions ascend and can be searched.
        self._adjoint_keys = -self._adjoint_at
        self._use_keys: dict[str, Ints] = {}
        place = len(nodes.t)
        for name, entries in zip(self._parameters, uses, strict=True):
            self._use_keys[name] = -adjoint_at[place : place + len(entries.t)]
            place += len(entries.t)
        self.last = self.forward_steps + len(back) + self._total

    def _uses(self, p: int, name: str, rank: dict[int, int], moments: list[Ints]) -> _Entries:
        """A parameter's uses, each with the rank of the equation that is last to use it going backward."""
        terms = self._trace.terms[name]
        t = terms.times.array()
        lowest = np.full(len(t), len(self._names))
        tie = np.zeros(len(t), dtype=np.int64)
        for equation in terms.equations():
            reads = [read.name for read in self._trace.unrolled.network.reads[equation]]
            here = np.searchsorted(t, moments[equation])
            better = here[lowest[here] > rank[equation]]
            lowest[better] = rank[equation]
            tie[better] = reads.index(name)
        return _Entries(np.ones(len(t), dtype=np.int64), np.full(len(t), p), t, lowest, tie)

    def has_steps_of(self, other: Timeline) -> bool:
        """Whether every position means the same step as in another timeline."""
        named = (self._names, self._parameters, self._total) == (other._names, other._parameters, other._total)
        return named and self._forward.equal(other._forward) and self._backward.equal(other._backward)

    def step(self, number: int) -> Step:
        """Step 1 … last."""
        if number <= self.forward_steps:
            if self._total and number == self.forward_steps:
                return Step("total", self._names[-1], None, "forward")
            return self._entry(self._forward, number - 1, "forward")
        place = number - self.forward_steps - 1
        if self._total:
            if place == 0:
                return Step("total", self._names[-1], None, "backward")
            place -= 1
        return self._entry(self._backward, place, "backward")

    def _entry(self, entries: _Entries, place: int, phase: Phase) -> Step:
        kind = _KINDS[int(entries.kind[place])]
        index = int(entries.index[place])
        name = self._names[index] if kind == "node" else self._parameters[index]
        return Step(kind, name, int(entries.t[place]), phase)

    def positions(self, kind: Kind, name: str, phase: Phase) -> Ints:
        """Where a node's values or adjoints, a parameter's contributions or the total are computed, in the order of t.

        Ascending positions forward, descending ones backward.
        """
        if kind == "total":
            return np.array([self.forward_steps + (phase == "backward")] if self._total else [], dtype=np.int64)
        if kind == "use":
            return -self._use_keys[name] if phase == "backward" else np.empty(0, dtype=np.int64)
        equation = self._trace.unrolled.network.index[name]
        rows = slice(int(self._node_start[equation]), int(self._node_start[equation + 1]))
        return self._value_at[rows] if phase == "forward" else self._adjoint_at[rows]

    def value_position(self, name: str, t: int) -> int | None:
        """Where a node's value becomes known, or None if it does not exist."""
        row = self._row(name, t)
        return None if row is None else int(self._value_at[row])

    def adjoint_position(self, name: str, t: int) -> int | None:
        """Where ∂E/∂node becomes known."""
        row = self._row(name, t)
        return None if row is None else int(self._adjoint_at[row])

    def _row(self, name: str, t: int) -> int | None:
        equation = self._trace.unrolled.network.index[name]
        row = self._trace.unrolled.present[equation].row(t)
        return None if row is None else int(self._node_start[equation]) + row

    def total_position(self, phase: Phase) -> int | None:
        """Where the total of several losses is computed, or its adjoint."""
        if not self._total:
            return None
        return self.forward_steps if phase == "forward" else self.forward_steps + 1

    def use_position(self, parameter: str, t: int) -> int | None:
        """Where the contribution of p_t becomes known."""
        row = self._trace.terms[parameter].times.row(t)
        return None if row is None else -int(self._use_keys[parameter][row])

    def terms_taken(self, parameter: str, position: int) -> int:
        """How many contributions of a parameter are known at a position."""
        keys = self._use_keys[parameter]
        return len(keys) - int(np.searchsorted(keys, -position))

    def known_from(self, name: str, position: int) -> int:
        """The earliest timestep from which on all of a node's adjoints are known (T where none is)."""
        equation = self._trace.unrolled.network.index[name]
        first, stop = int(self._node_start[equation]), int(self._node_start[equation + 1])
        place = int(np.searchsorted(self._adjoint_keys[first:stop], -position))
        times = self._trace.unrolled.present[equation]
        return times.at_row(place) if place < times.count else self._trace.steps


class _Entries(Struct, frozen=True):
    """Columns of a table: kind (0 node, 1 use), index of the equation or parameter, timestep, rank, place of a
    use."""

    kind: Ints
    index: Ints
    t: Ints
    rank: Ints
    tie: Ints

    @classmethod
    def of(cls, kind: int, index: int, t: Ints, rank: Ints) -> _Entries:
        return cls(np.full(len(t), kind), np.full(len(t), index), t, rank, np.zeros(len(t), dtype=np.int64))

    @classmethod
    def join(cls, parts: list[_Entries]) -> _Entries:
        columns = ("kind", "index", "t", "rank", "tie")
        return cls(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))

    def equal(self, other: _Entries) -> bool:
        """Whether the entries are the same, in the same order."""
        columns = ("kind", "index", "t")
        return all(np.array_equal(getattr(self, column), getattr(other, column)) for column in columns)

    def take(self, order: Ints) -> _Entries:
        return _Entries(self.kind[order], self.index[order], self.t[order], self.rank[order], self.tie[order])


def _positions(order: Ints, first: int) -> Ints:
    """For each entry, the position at which its step has been taken."""
    positions = np.empty(len(order), dtype=np.int64)
    positions[order] = np.arange(first, first + len(order))
    return positions
