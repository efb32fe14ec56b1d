"""Values and partial derivatives of a network at several draws at once.

Everything is a stack `(draws, rows, columns)`: a scalar is 1×1, a vector a column n×1, a partial ∂above/∂below has as
many rows as `above` has entries and as many columns as `below` (numerator layout; matrices flattened row by row). A
partial that skips nodes is the sum over all paths between the two of the product of the edges on them.

Where `above` is reached through states of earlier timesteps, a partial can be meant in several ways:

    total       every path
    immediate   the states of timesteps before that of `above` are held: no path passes through another one
    direct      every other state is held, those of the same timestep too
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import size
from bptt_tui.errors import NetworkError
from bptt_tui.language import Name
from bptt_tui.trace import Trace

Stack = NDArray[Any]
Mode = Literal["total", "immediate", "direct"]
Key = tuple[str, int | None]
Edge = tuple[int, int, Name]  # equation, timestep, what it reads

# Edges between the two ends of a partial.
MAX_SPAN = 20_000


class Samples:
    """One network at several draws; `traces[0]` is the session's."""

    def __init__(self, traces: tuple[Trace, ...]) -> None:
        self.traces = traces
        self.unrolled = traces[0].unrolled
        self.network = self.unrolled.network
        self.order = {equation: place for place, equation in enumerate(self.network.order)}
        self._jacobians: dict[Edge, Stack] = {}
        self._diagonals: dict[Edge, Stack | None] = {}
        self._values: dict[Key, Stack] = {}
        self._reads: dict[tuple[str, int], list[tuple[Edge, Key]]] = {}
        self._sweeps: dict[tuple[Key, Mode], Sweep] = {}
        self._partials: dict[tuple[Key, Key, Mode], Stack] = {}
        # Sweeps and edges with a slip made throughout, by what was changed.
        self.changed_sweeps: dict[tuple[Key, str, int], Sweep] = {}
        self.changed_edges: dict[tuple[Edge, str, int], Stack | None] = {}

    @property
    def count(self) -> int:
        """How many draws, the session's included."""
        return len(self.traces)

    @cached_property
    def states(self) -> frozenset[str]:
        """The nodes that are read at an earlier timestep."""
        return frozenset(
            by.name
            for reads in self.network.reads
            for by in reads
            if (by.offset or 0) < 0 and by.name in self.network.index
        )

    @cached_property
    def state_equations(self) -> frozenset[int]:
        """The equations of the states."""
        return frozenset(self.network.index[name] for name in self.states)

    @cached_property
    def _feeding(self) -> frozenset[str]:
        found = set(self.states)
        waiting = list(found)
        while waiting:
            for by in self.network.reads[self.network.index[waiting.pop()]]:
                if by.name in self.network.index and by.name not in found:
                    found.add(by.name)
                    waiting.append(by.name)
        return frozenset(found)

    def feeds(self, name: str) -> bool:
        """Whether a later timestep depends on a node, and not its own loss alone."""
        return name in self._feeding

    @cached_property
    def total_key(self) -> Key:
        """The loss whose gradient is taken: E of no timestep, also where there is one loss step only."""
        return self.network.loss_name, None

    def key(self, name: str, t: int | None) -> Key:
        """A node's key; the only loss is the total."""
        unrolled = self.unrolled
        if name == self.network.loss_name and not unrolled.has_total and t in (None, unrolled.loss_times[0]):
            return self.total_key
        return name, t

    def shape(self, name: str) -> tuple[int, int]:
        """Rows × columns of a value."""
        shape = self.unrolled.shapes[name]
        return (1, 1) if not shape else (shape[0], 1) if len(shape) == 1 else (shape[0], shape[1])

    def value(self, name: str, t: int | None) -> Stack:
        """Its value at every draw. Raises NetworkError where there is none at `t`."""
        key = self.key(name, t)
        if key not in self._values:
            if key == self.total_key:
                found = [np.asarray(trace.loss) for trace in self.traces]
            else:
                found = [trace.value(name, t) for trace in self.traces]
            self._values[key] = np.stack(found).reshape(self.count, *self.shape(name))
        return self._values[key]

    def exists(self, name: str, t: int | None) -> bool:
        """Whether there is such a value: a node or use that the loss depends on, an input, an initial value."""
        unrolled = self.unrolled
        kind = unrolled.values.kind(name)
        if kind == "constant" or t is None:
            return t is None or kind != "node"
        if kind == "parameter":
            return t in self._uses[name]
        if t < 0:
            before = unrolled.before.get(name)
            return before is not None and -t <= len(before)
        if kind == "input":
            return t < unrolled.steps
        return unrolled.present[self.network.index[name]].row(t) is not None

    def uses(self, parameter: str) -> list[int]:
        """The timesteps at which a parameter is used, ascending; none of what is no parameter."""
        return sorted(self._uses.get(parameter, ()))

    @cached_property
    def _uses(self) -> dict[str, frozenset[int]]:
        return {name: frozenset(self.traces[0].uses(name)) for name in self.unrolled.values.parameters}

    def jacobian(self, edge: Edge) -> Stack:
        """The local partial of one edge."""
        if edge not in self._jacobians:
            equation, t, by = edge
            self._jacobians[edge] = np.stack([trace.jacobian(equation, t, by) for trace in self.traces])
        return self._jacobians[edge]

    def through(self, flow: Stack, edge: Edge) -> Stack:
        """flow · the local partial of one edge; most are diagonal, and cost a product by entries only."""
        if edge not in self._diagonals:
            self._diagonals[edge] = diagonal(self.jacobian(edge))
        own = self._diagonals[edge]
        return np.matmul(flow, self.jacobian(edge)) if own is None else flow * own

    def reads(self, name: str, t: int) -> list[tuple[Edge, Key]]:
        """The edges below a node and what they lead to; none below a pinned node or a given value."""
        if (name, t) not in self._reads:
            self._reads[name, t] = self._read_by(name, t)
        return self._reads[name, t]

    def _read_by(self, name: str, t: int) -> list[tuple[Edge, Key]]:
        equation = self.network.index.get(name)
        if equation is None or t < 0 or self.unrolled.times[equation].row(t) is None:
            return []
        found: list[tuple[Edge, Key]] = []
        for by in self.network.reads[equation]:
            kind = self.unrolled.values.kind(by.name)
            if kind != "constant":
                found.append(((equation, t, by), (by.name, t + (by.offset or 0))))
        return found

    def partial(self, above: Key, below: Key, mode: Mode = "total") -> Stack:
        """∂above/∂below; `below` with no timestep is a parameter as a whole. 0 where no path leads there."""
        above, below = self.key(*above), self.key(*below)
        whole = (above, below, mode)
        if whole not in self._partials:
            self._partials[whole] = self._partial(above, below, mode)
        return self._partials[whole]

    def _partial(self, above: Key, below: Key, mode: Mode) -> Stack:
        if above == below:
            return np.broadcast_to(np.eye(self._size(above)), (self.count, self._size(above), self._size(above)))
        name, t = below
        if below == self.total_key or (t is None and name not in self._uses):
            return self.zeros(above, below)  # nothing reads the total, and nothing flows to a constant
        if above == self.total_key and mode == "total":
            return self._adjoint(below)
        self._check_span(above, below)
        sweep = self.sweep(above, mode)
        if t is None and name in self._uses:
            parts = [sweep.at((name, use)) for use in self.uses(name)]
            return np.sum(parts, axis=0) if parts else self.zeros(above, below)
        return sweep.at(below)

    def _check_span(self, above: Key, below: Key) -> None:
        """Refuse a partial over so many timesteps that adding up its paths would take long. Raises NetworkError."""
        top = self.unrolled.loss_times[-1] if above[1] is None else above[1]
        low = (self.uses(below[0])[0] if self.uses(below[0]) else top) if below[1] is None else max(below[1], 0)
        if (top - low) * sum(len(reads) for reads in self.network.reads) > MAX_SPAN:
            raise NetworkError(
                f"this partial goes over {top - low:,} timesteps, and all of its paths would have to be added up",
                hint="write it as a product of shorter ones",
            )

    def _adjoint(self, below: Key) -> Stack:
        name, t = below
        if name in self._uses:
            if t is None:
                found = [trace.gradient[name] for trace in self.traces]
            elif t in self._uses[name]:
                found = [trace.contribution(name, t) for trace in self.traces]
            else:
                return self.zeros(self.total_key, below)
        else:
            assert t is not None
            found = [trace.adjoint(name, t) for trace in self.traces]
        return np.stack(found).reshape(self.count, 1, -1)

    def sweep(self, above: Key, mode: Mode) -> Sweep:
        """The partials of one node by everything below it."""
        if (above, mode) not in self._sweeps:
            self._sweeps[above, mode] = Sweep(self, above, self.passes(above, mode))
        return self._sweeps[above, mode]

    def passes(self, above: Key, mode: Mode) -> Callable[[Key], bool]:
        """Whether a path may go through a node."""
        states, top = self.states, above[1]
        if mode == "total":
            return lambda key: True
        if mode == "immediate" and top is not None:
            return lambda key: key == above or key[0] not in states or key[1] is None or key[1] >= top
        return lambda key: key == above or key[0] not in states

    def zeros(self, above: Key, below: Key) -> Stack:
        """No path."""
        return np.zeros((self.count, self._size(above), self._size(below)))

    def _size(self, key: Key) -> int:
        return size(self.unrolled.shapes[key[0]])


class Sweep:
    """∂above/∂everything, taken from `above` downwards and backwards in time, as far as it has been asked for."""

    def __init__(
        self,
        samples: Samples,
        above: Key,
        passes: Callable[[Key], bool],
        weight: Callable[[Edge], Stack] | None = None,
    ) -> None:
        self._samples = samples
        self._above = above
        self._passes = passes
        self._weight = weight
        self._found: dict[Key, Stack] = {}
        # What flows to parameters, inputs and initial values, multiplied out when it is asked for: seldom, and the
        # local partials by a weight matrix are the large ones.
        self._ends: dict[Key, list[tuple[Stack, Edge]]] = {}
        self._waiting: list[tuple[int, int, str]] = []
        self._start()

    def _start(self) -> None:
        samples, above = self._samples, self._above
        rows = samples._size(above)
        identity = np.broadcast_to(np.eye(rows), (samples.count, rows, rows))
        if above == samples.total_key:
            share = samples.traces[0].share
            for t in samples.unrolled.loss_times:
                self._arrive((above[0], t), share * identity)
        else:
            self._arrive(above, identity)

    def _arrive(self, key: Key, flow: Stack) -> None:
        name, t = key
        assert t is not None
        if key in self._found:
            self._found[key] = self._found[key] + flow
            return
        self._found[key] = flow
        equation = self._samples.network.index.get(name)
        if equation is not None and t >= 0:
            heapq.heappush(self._waiting, (-t, -self._samples.order[equation], name))

    def at(self, below: Key) -> Stack:
        """∂above/∂below."""
        name, t = below
        assert t is not None
        equation = self._samples.network.index.get(name)
        place = (-t, -self._samples.order[equation]) if equation is not None and t >= 0 else None
        early = -t if equation is not None or name in self._samples._uses else None
        while self._waiting:
            when, order, _ = self._waiting[0]
            if place is not None and (when, order) >= place:
                break
            # A use is read at its own timestep only, so later timesteps of the sweep bring nothing more.
            if place is None and early is not None and name in self._samples._uses and when > early:
                break
            _, _, node = heapq.heappop(self._waiting)
            self._expand((node, -when))
        for flow, edge in self._ends.pop(below, ()):
            self._arrive(below, self._across(flow, edge))
        found = self._found.get(below)
        return self._samples.zeros(self._above, below) if found is None else found

    def _expand(self, key: Key) -> None:
        if not self._passes(key):
            return
        name, t = key
        assert t is not None
        flow, nodes = self._found[key], self._samples.network.index
        for edge, below in self._samples.reads(name, t):
            if below[0] in nodes and below[1] is not None and below[1] >= 0:
                self._arrive(below, self._across(flow, edge))
            else:
                self._ends.setdefault(below, []).append((flow, edge))

    def _across(self, flow: Stack, edge: Edge) -> Stack:
        return np.matmul(flow, self._weight(edge)) if self._weight else self._samples.through(flow, edge)


def diagonal(jacobian: Stack) -> Stack | None:
    """The diagonal of a stack of diagonal matrices as rows, `(draws, 1, n)`; None of any other."""
    rows, columns = jacobian.shape[1:]
    if rows != columns:
        return None
    found = np.diagonal(jacobian, axis1=1, axis2=2)[:, None, :]
    return found if rows == 1 or not np.count_nonzero(jacobian - found * np.eye(rows)) else None
