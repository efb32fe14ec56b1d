"""The immediate and the total partial of a node, built up over time: ∂⁺s_t/∂p beside ∂s_t/∂p.

    built = BuildUp(trace, "s", "w")
    stage = built.at(1)
    stage.immediate                # ∂⁺s₁/∂w: through the use w₁ alone, s₀ held
    stage.total                    # ∂s₁/∂w: through every use up to t = 1
    stage.carried                  # one for every earlier node that s₁ depends on: ∂s₁/∂s₀ and ∂s₀/∂w

The total is the immediate part and what earlier states bring along,

    ∂s_t/∂p = ∂⁺s_t/∂p + Σ_r,d (∂s_t/∂r_{t-d}) · (∂r_{t-d}/∂p)

summed over the states r read d timesteps earlier, by s itself or by nodes of the same timestep that it depends on. The
first kind of partial holds every node of an earlier timestep, whether read one or several timesteps back; ∂s_t/∂r_{t-d}
holds the other earlier nodes. Initial and pinned values do not depend on p.

This is the gradient taken forward in time (real-time recurrent learning); times ∂E/∂s it is the gradient of the sweep
backward. Partials are matrices, (size of the node, size of p), flattened by rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import size
from bptt_tui.derivation.by_loss import unwatched
from bptt_tui.errors import NetworkError
from bptt_tui.language import Name
from bptt_tui.trace import Trace

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Watch

Array = NDArray[Any]
LARGEST = 1 << 24  # numbers of all totals together
MOST_NODES = 1_000_000  # on the way: about half a minute


class Carried(NamedTuple):
    """What one earlier node r_{t-d} brings along: `through` = ∂s_t/∂r_{t-d}, `total` = ∂r_{t-d}/∂p, their product."""

    name: str
    t: int
    through: Array
    total: Array
    product: Array


class BuiltUp(NamedTuple):
    """A node at `t`: `total` = `immediate` + the products of `carried`; matrices (size of the node, size of p)."""

    t: int
    immediate: Array
    carried: tuple[Carried, ...]
    total: Array


class _Inside(NamedTuple):
    """A node's partials within its timestep: by p, and by every node of an earlier timestep, (name, t)."""

    immediate: Array
    earlier: dict[tuple[str, int], Array]


class BuildUp:
    """∂node/∂p over time. Made from the first timestep on, as far as it is asked for, and kept.

    `times` are the timesteps at which the node is computed. Raises NetworkError for names that are no node or no
    parameter, and where the matrices would not fit. `watch` is asked for a callback whenever timesteps are made; that
    may raise to cancel.
    """

    def __init__(self, trace: Trace, node: str, parameter: str, watch: Watch = unwatched) -> None:
        network, unrolled = trace.unrolled.network, trace.unrolled
        if node not in network.index:
            raise NetworkError(f"there is no node {node}", hint=f"the nodes are {', '.join(network.targets)}")
        trace.terms_of(parameter)  # which refuses what is none
        self.trace, self.node, self.parameter = trace, node, parameter
        self.times: list[int] = unrolled.times[network.index[node]].array().tolist()
        self._equations = self._needed()
        self._columns = size(trace.terms[parameter].shape)
        rows = sum(size(unrolled.shapes[network.targets[e]]) for e in self._equations)
        if len(self._equations) * trace.steps > MOST_NODES:
            raise NetworkError(
                f"∂{node}/∂{parameter} would be built up over {len(self._equations) * trace.steps:,} nodes",
                hint=f"at most {MOST_NODES:,}; fewer timesteps",
            )
        if rows * self._columns * trace.steps > LARGEST:
            raise NetworkError(
                f"∂{node}/∂{parameter} would take {trace.steps:,} times {rows:,} × {self._columns:,} numbers",
                hint=f"at most {LARGEST:,} numbers; a smaller parameter or fewer timesteps",
            )
        self._totals: dict[tuple[str, int], Array] = {}
        self._stages: dict[int, BuiltUp] = {}
        self._done = -1
        self._watch = watch

    def _needed(self) -> list[int]:
        """The equations that the node depends on, in the order of one timestep."""
        network = self.trace.unrolled.network
        found, waiting = set[int](), [network.index[self.node]]
        while waiting:
            equation = waiting.pop()
            if equation not in found:
                found.add(equation)
                waiting.extend(source for source, _ in network.sources(equation))
        return [equation for equation in network.order if equation in found]

    def at(self, t: int) -> BuiltUp:
        """The node at `t`. Raises NetworkError where it is not computed then."""
        unrolled = self.trace.unrolled
        if unrolled.times[unrolled.network.index[self.node]].row(t) is None:
            raise NetworkError(f"{self.node} is not computed at t = {t}")
        with np.errstate(all="ignore"):
            progress = self._watch(t - self._done)
            while self._done < t:
                progress(1)
                self._done += 1
                self._step(self._done)
        return self._stages[t]

    def _step(self, t: int) -> None:
        """All nodes of one timestep."""
        network, times = self.trace.unrolled.network, self.trace.unrolled.times
        inside: dict[str, _Inside] = {}
        for equation in self._equations:
            name = network.targets[equation]
            if times[equation].row(t) is None:
                continue
            inside[name] = here = self._inside(equation, t, inside)
            carried = tuple(self._carried(place, through) for place, through in here.earlier.items())
            total = here.immediate
            for part in carried:
                total = total + part.product
            self._totals[name, t] = total
            if name == self.node:
                self._stages[t] = BuiltUp(t, here.immediate, carried, total)

    def _carried(self, place: tuple[str, int], through: Array) -> Carried:
        total = self._totals[place]
        return Carried(*place, through, total, through @ total)

    def _inside(self, equation: int, t: int, inside: dict[str, _Inside]) -> _Inside:
        """What a node's equation reads, by the chain rule within the timestep."""
        trace, unrolled = self.trace, self.trace.unrolled
        rows = size(unrolled.shapes[unrolled.network.targets[equation]])
        immediate: Array = np.zeros((rows, self._columns))
        earlier: dict[tuple[str, int], Array] = {}

        def add(place: tuple[str, int], partial: Array) -> None:
            earlier[place] = earlier[place] + partial if place in earlier else partial

        for by in unrolled.network.reads[equation]:
            if by.name == self.parameter:
                immediate = immediate + trace.jacobian(equation, t, by)
            elif self._depends(by, t):
                partial = trace.jacobian(equation, t, by)
                if by.offset:
                    add((by.name, t + by.offset), partial)
                    continue
                below = inside[by.name]
                immediate = immediate + partial @ below.immediate
                for place, through in below.earlier.items():
                    add(place, partial @ through)
        return _Inside(immediate, earlier)

    def _depends(self, by: Name, t: int) -> bool:
        """Whether a read is of a node that is computed, not given."""
        equation = self.trace.unrolled.network.index.get(by.name)
        moment = t + (by.offset or 0)
        return equation is not None and moment >= 0 and self.trace.unrolled.times[equation].row(moment) is not None
