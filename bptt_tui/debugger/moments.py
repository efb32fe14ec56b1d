"""Quantities at many positions at once: each is a few calls on the trace's arrays, however many timesteps there are.

A `Stretch` is a run of the steps that one node (or parameter) takes in one phase. What is large at every timestep
(local partials, terms of a matrix) is made some timesteps at a time; of that, a number per timestep such as
norm(ds[t]/dh[t-1]) is kept for all of them, because every node's stretch asks for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.debugger.blocks import RowBlocks, pieces
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.quantities import Quantity
from bptt_tui.debugger.references import Index
from bptt_tui.debugger.timeline import Ints, Kind, Mask
from bptt_tui.language import Name
from bptt_tui.network import Timesteps
from bptt_tui.trace.health import Phase

Array = NDArray[Any]


class Unknown(Exception):
    """Nowhere in this stretch is there a value."""


class Stretch(Struct, frozen=True):
    """Steps of one node in one phase: their positions, in the order of their timesteps `t` (None for the total)."""

    kind: Kind
    name: str
    phase: Phase
    t: Ints | None
    positions: Ints

    def between(self, low: int, high: int) -> Stretch:
        """Those at positions low … high."""
        if self.phase == "forward":
            first, stop = np.searchsorted(self.positions, [low, high + 1])
        else:
            first, stop = np.searchsorted(-self.positions, [-high, -low + 1])
        return self.at(slice(int(first), int(stop)))

    def at(self, which: slice | Mask) -> Stretch:
        """Some of them."""
        return replace(self, positions=self.positions[which], t=None if self.t is None else self.t[which])


class Over(Struct, frozen=True):
    """A value over a stretch: an array of `shape`, behind a leading axis where it varies; `known` likewise."""

    value: Array
    shape: Shape
    known: Mask | bool = True


class Reduction(Struct, frozen=True):
    """What is made of a quantity where it is read, as norm in norm(ds/dz). `name` tells reductions apart."""

    name: str
    apply: Callable[[Over], Over]


PLAIN = Reduction("", lambda over: over)
# Where a quantity is known, without its value.
KNOWN = Reduction("known", lambda over: Over(np.zeros(()), (), over.known))


class Moments:
    """The quantities of a scene over stretches. `ask` is called now and then; it may raise to end the work."""

    def __init__(self, scene: Scene, ask: Callable[[], None]) -> None:
        self._scene = scene
        self._trace = scene.trace
        self._ask = ask
        self._series: dict[tuple[object, ...], tuple[RowBlocks, Shape]] = {}
        self._constant: dict[tuple[int, Name], Array | None] = {}
        self._inputs: dict[str, tuple[Array, Ints]] = {}
        self._given: dict[str, Array] = {}
        self._initials: dict[tuple[str, int], tuple[Array, int]] = {}

    # --- which timesteps -----------------------------------------------------------------------------------------

    def times(self, name: str, at: Index | None, stretch: Stretch) -> Ints:
        """The timestep meant at each position."""
        if at is not None and not at.relative:
            return np.full(len(stretch.positions), at.steps)
        own = self._scene.times(name)
        only = at is None and own is not None and own.count == 1
        if stretch.t is not None and not only:
            return stretch.t + (0 if at is None else at.steps)
        if at is not None:
            raise Unknown
        return np.full(len(stretch.positions), 0 if own is None else own.start)

    # --- values and gradients ------------------------------------------------------------------------------------

    def values(self, name: str, t: Ints, stretch: Stretch, reduction: Reduction = PLAIN) -> Over:
        """A node's or input's value at each timestep `t`, initial values at t < 0; a parameter or constant."""
        scene, shape = self._scene, self._scene.unrolled.shapes[name]
        if scene.unrolled.values.kind(name) in ("parameter", "constant"):
            return reduction.apply(Over(self._trace.value(name), shape))
        given = scene.unrolled.values.inputs.get(name)
        known = self._reached(name, t, stretch, "forward") if given is None else (t >= 0) & (t < scene.trace.steps)
        before = scene.unrolled.before.get(name, ())
        early = (t < 0) & (-t <= len(before))
        known = known | early
        if reduction is KNOWN:
            return reduction.apply(Over(t, (), known))
        whole = None if given is None else np.asarray(given)
        value = self._node_values(name, t) if whole is None else whole[np.clip(t, 0, len(whole) - 1)]
        if early.any():
            value = np.array(value)
            value[early] = np.asarray(before)[t[early]]
        return reduction.apply(Over(value, shape, known))

    def _node_values(self, name: str, t: Ints) -> Array:
        scene = self._scene
        equation = scene.network.index[name]
        computed = scene.unrolled.times[equation]
        kept = self._trace.storage.arrays[self._trace.program.roots[equation]] if computed.count else None
        value = _picked(kept, computed, t, scene.unrolled.shapes[name])
        pinned = scene.unrolled.pinned.get(name)
        if pinned is not None:
            held, there = _rows(Timesteps(int(pinned.times[0]), len(pinned.times), pinned.times), t)
            value[there] = pinned.rows[held[there]]
        return value

    def _reached(self, name: str, t: Ints, stretch: Stretch, phase: Phase) -> Mask:
        """Whether the step of a node, or of a parameter's use, has been taken: False where there is none."""
        kind: Kind = "use" if name in self._trace.terms else "node"
        times = self._scene.times(name)
        if times is None or not times.count:
            return np.zeros(len(t), dtype=np.bool_)
        rows, exists = _rows(times, t)
        return exists & (self._scene.timeline.positions(kind, name, phase)[rows] <= stretch.positions)

    def gradients(self, name: str, t: Ints, stretch: Stretch, reduction: Reduction = PLAIN) -> Over:
        """∂E/∂node at each timestep `t`, of initial values too, or a parameter's contributions."""
        if name in self._trace.terms:
            return self._terms(name, t, stretch, reduction)
        equation = self._scene.network.index.get(name)
        if equation is None:
            return self._input_gradients(name, t, stretch, reduction)
        shape = self._scene.unrolled.shapes[name]
        known = self._reached(name, t, stretch, "backward")
        if reduction is KNOWN:
            self._know_initial(name, t, stretch, known)
            return reduction.apply(Over(t, (), known))
        value = _picked(self._trace.adjoint_rows(equation), self._scene.unrolled.times[equation], t, shape)
        pinned = self._scene.unrolled.pinned.get(name)
        if pinned is not None:
            held = np.isin(t, pinned.times)
            value[held] = self._given_adjoints(name)[t[held]]
        self._put_initial(name, t, value)
        self._know_initial(name, t, stretch, known)
        return reduction.apply(Over(value, shape, known))

    def _given_adjoints(self, name: str) -> Array:
        if name not in self._given:
            self._given[name] = self._trace.given_adjoints(name)
        return self._given[name]

    def _put_initial(self, name: str, t: Ints, value: Array) -> None:
        """Write in the gradients of initial values, which are few."""
        for moment, here in self._initials_among(name, t):
            value[here], _ = self._initial(name, moment)

    def _know_initial(self, name: str, t: Ints, stretch: Stretch, known: Mask) -> None:
        """Write in where those are known."""
        for moment, here in self._initials_among(name, t):
            _, since = self._initial(name, moment)
            known[here] = stretch.positions[here] >= since

    def _initials_among(self, name: str, t: Ints) -> Iterator[tuple[int, Mask]]:
        """The timesteps of initial values, and where they stand among others."""
        before = self._scene.unrolled.before.get(name, ())
        for moment in np.unique(t[(t < 0) & (t >= -len(before))]).tolist():
            yield moment, t == moment

    def _initial(self, name: str, t: int) -> tuple[Array, int]:
        """∂E/∂ an initial value, and from which position on it is known."""
        key = (name, t)
        if key not in self._initials:
            since = self._known_readers(name, t)
            never = self._scene.timeline.last + 1
            self._initials[key] = self._trace.adjoint(name, t), never if since is None else since
        return self._initials[key]

    def _known_readers(self, name: str, t: int) -> int | None:
        """From where on the adjoints of all that read an initial value are known; None where nothing does."""
        scene = self._scene
        positions = [
            scene.timeline.adjoint_position(scene.network.equations[reader.equation].target, t + reader.lag)
            for reader in scene.consumers(name, t)
        ]
        return max((position for position in positions if position is not None), default=None)

    def _input_gradients(self, name: str, t: Ints, stretch: Stretch, reduction: Reduction) -> Over:
        """∂E/∂x_t, which is known where the adjoints of all that read x_t are."""
        if name not in self._inputs:
            self._inputs[name] = self._whole_input(name)
        whole, since = self._inputs[name]
        rows, exists = np.clip(t, 0, len(whole) - 1), (t >= 0) & (t < len(whole))
        known = exists & (since[rows] <= stretch.positions)
        self._know_initial(name, t, stretch, known)
        if reduction is KNOWN:
            return reduction.apply(Over(t, (), known))
        value = whole[rows]
        self._put_initial(name, t, value)
        return reduction.apply(Over(value, self._scene.unrolled.shapes[name], known))

    def _whole_input(self, name: str) -> tuple[Array, Ints]:
        """∂E/∂x for every timestep, and from which position on each is known."""
        scene, trace = self._scene, self._trace
        found = self._given_adjoints(name)
        never = scene.timeline.last + 1
        since = np.full(trace.steps, -1)
        for reader in trace.readers(name):
            if not scene.partials.flows(reader.equation, reader.by):
                continue
            own = scene.unrolled.times[reader.equation].array()
            node = scene.network.equations[reader.equation].target
            present = scene.unrolled.present[reader.equation]
            positions = scene.timeline.positions("node", node, "backward")
            there = own >= reader.lag
            if there.any():
                moments, rows = own[there] - reader.lag, _rows(present, own[there])[0]
                inside = moments < trace.steps
                since[moments[inside]] = np.maximum(since[moments[inside]], positions[rows[inside]])
        return found, np.where(since < 0, never, since)

    # --- contributions -------------------------------------------------------------------------------------------

    def _terms(self, name: str, t: Ints, stretch: Stretch, reduction: Reduction) -> Over:
        terms = self._trace.terms[name]
        if not terms.times.count:
            raise Unknown
        known = self._reached(name, t, stretch, "backward")
        if reduction is KNOWN:
            return reduction.apply(Over(t, (), known))
        width = size(terms.shape)

        def make(rows: slice) -> Iterator[Array]:
            return map(terms.between, pieces(rows, width))

        blocks, shape = self._reduced(("term", name), terms.times.count, terms.shape, make, reduction, width)
        rows, _ = _rows(terms.times, t)
        return Over(blocks.at(rows), shape, known)

    def sum_so_far(self, name: str, stretch: Stretch, reduction: Reduction = PLAIN) -> Over:
        """Σ ∂E/∂p_t over the terms taken."""
        terms = self._trace.terms[name]
        if not terms.times.count:
            raise Unknown
        width = size(terms.shape)

        def make(rows: slice) -> Iterator[Array]:
            before = None
            for piece in pieces(rows, width):
                sums = terms.running_between(piece.start, piece.stop, before)
                before = sums[-1]
                yield sums

        blocks, shape = self._reduced(("sum", name), terms.times.count, terms.shape, make, reduction, width)
        uses = self._scene.timeline.positions("use", name, "backward")[::-1]
        taken = np.searchsorted(uses, stretch.positions, side="right")
        return Over(blocks.at(np.maximum(taken - 1, 0)), shape, taken > 0)

    # --- local partials ------------------------------------------------------------------------------------------

    def partials(self, quantity: Quantity, stretch: Stretch, reduction: Reduction = PLAIN) -> Over:
        """The local partial of one node by what it reads: at every position that of the edge meant there."""
        scene = self._scene
        equation = scene.network.index.get(quantity.above or "")
        if equation is None or not scene.unrolled.times[equation].count:
            raise Unknown
        name = scene.network.equations[equation].target
        t = self.times(name, quantity.above_at, stretch)
        below = None if quantity.at is None else self.times(quantity.below, quantity.at, stretch)
        rows, computed = _rows(scene.unrolled.times[equation], t)
        left = computed & self._reached(name, t, stretch, "forward")
        known = np.zeros(len(t), dtype=np.bool_)
        found: Over | None = None
        for by in scene.network.reads[equation]:
            if by.name != quantity.below or not scene.partials.flows(equation, by):
                continue
            here = left if below is None else left & (t + (by.offset or 0) == below)
            if not here.any():
                continue
            left, known = left & ~here, known | here
            if found is None and here.all():
                return replace(self._edge(equation, by, rows, reduction), known=known)
            part = self._edge(equation, by, rows[here], reduction)
            whole = np.zeros((len(t), *part.shape), part.value.dtype) if found is None else found.value
            whole[here] = part.value
            found = Over(whole, part.shape, known)
        if found is None:
            raise Unknown
        return replace(found, known=known)

    def _edge(self, equation: int, by: Name, rows: Ints, reduction: Reduction) -> Over:
        """∂node/∂by at some rows of the equation: rows × columns, or a number."""
        trace = self._trace
        if reduction is KNOWN:
            return reduction.apply(Over(rows, ()))
        shape: Shape = self._scene.partials.shape(equation, by)
        shape = () if shape == (1, 1) else shape
        count = self._scene.unrolled.times[equation].count
        key = (equation, by)
        if key not in self._constant:
            # Two timesteps show whether all are equal.
            few = trace.jacobians(equation, by, slice(0, min(2, count)))
            self._constant[key] = few[0].reshape(shape) if len(few) < min(2, count) else None
        constant = self._constant[key]
        if constant is not None:
            return reduction.apply(Over(constant, shape))

        width = trace.jacobian_width(equation, by)

        def make(some: slice) -> Iterator[Array]:
            for piece in pieces(some, width):
                yield trace.jacobians(equation, by, piece).reshape(-1, *shape)

        blocks, reduced = self._reduced(("edge", equation, by), count, shape, make, reduction, width)
        return Over(blocks.at(rows), reduced)

    # --- whole expressions ---------------------------------------------------------------------------------------

    def by_time(self, text: str, t: Ints, width: int, whole: Shape, make: Callable[[Stretch], Array]) -> Array:
        """What `make` gives for each timestep in `t`, of shape `whole`: made once, some timesteps at a time.

        `make` is asked over stretches at which everything is known; it handles `width` numbers per timestep.
        """
        key = ("whole", text)
        if key not in self._series:

            def made(rows: slice) -> Array:
                return np.concatenate([make(self._everything_known(piece)) for piece in pieces(rows, width)])

            self._series[key] = RowBlocks(self._trace.steps, size(whole), made, width), whole
        return self._series[key][0].at(t)

    def _everything_known(self, t: slice) -> Stretch:
        self._ask()
        moments = np.arange(t.start, t.stop)
        return Stretch("node", "", "backward", moments, np.full(len(moments), self._scene.timeline.last))

    # --- what is made some timesteps at a time -------------------------------------------------------------------

    def _reduced(
        self,
        key: tuple[object, ...],
        count: int,
        shape: Shape,
        make: Callable[[slice], Iterator[Array]],
        reduction: Reduction,
        width: int,
    ) -> tuple[RowBlocks, Shape]:
        """What is made of an array of `count` timesteps, and its shape at each.

        `make` gives a run of rows in parts, and handles `width` numbers for a row.
        """
        key = (*key, reduction.name)
        if key not in self._series:

            def reduced(part: Array) -> Over:
                self._ask()
                return reduction.apply(Over(part, shape))

            def made(rows: slice) -> Array:
                return np.concatenate([reduced(part).value for part in make(rows)])

            whole = reduced(next(make(slice(0, 1)))).shape
            self._series[key] = RowBlocks(count, size(whole), made, width), whole
        return self._series[key]


def _rows(times: Timesteps, t: Ints) -> tuple[Ints, Mask]:
    """Where timesteps stand among others, of which there is at least one, and whether they do."""
    if times.listed is None:
        rows = t - times.start
        return np.clip(rows, 0, times.count - 1), (rows >= 0) & (rows < times.count)
    rows = np.minimum(np.searchsorted(times.listed, t), times.count - 1)
    return rows, times.listed[rows] == t


def _picked(whole: Array | None, times: Timesteps, t: Ints, shape: Shape) -> Array:
    """The rows of an array at timesteps; anything where there is none, and 0 without an array."""
    if whole is None or not times.count:
        return np.zeros((len(t), *shape))
    return np.asarray(whole[_rows(times, t)[0]])
