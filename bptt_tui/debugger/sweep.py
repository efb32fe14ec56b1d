"""Expressions and conditions at many positions at once.

A `Stretch` is a run of the steps that one node (or parameter) takes in one phase; over it, every quantity is a slice
of the trace's arrays, and a condition is a handful of NumPy calls however many timesteps there are. What has no such
form (a local partial at a moving timestep, terms of a large matrix) raises `OneByOne`: it is evaluated where it is
needed, position by position.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.calculus.kernels import lift
from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import Mismatch, Shape, broadcast, size
from bptt_tui.debugger.conditions import SIGNS, Comparison, Condition, InPhase, Not, Some
from bptt_tui.debugger.inspect import MEASURES, Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.places import Index, is_total
from bptt_tui.debugger.quantities import Operand, Quantity, depends_on_present, is_gradient
from bptt_tui.debugger.timeline import Kind, Phase
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Expression, Name, Number

Array = NDArray[Any]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
ENTRIES = 1 << 22  # numbers handled at once


class OneByOne(Exception):
    """There is no array form of this; ask position by position."""


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


class Sweep:
    """Evaluates over the stretches of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._trace = scene.trace
        self._sums: dict[str, Array] = {}
        self._fixed_values: dict[str, tuple[Array, int]] = {}
        self._stretches: dict[tuple[Kind, str, Phase], Stretch] = {}

    def stretch(self, kind: Kind, name: str, phase: Phase) -> Stretch:
        """All the steps of one node in one phase."""
        key = (kind, name, phase)
        if key not in self._stretches:
            times = self._scene.times(name)
            assert times is not None
            t = None if kind == "total" else times.array()
            self._stretches[key] = Stretch(kind, name, phase, t, self._scene.timeline.positions(kind, name, phase))
        return self._stretches[key]

    @cached_property
    def width(self) -> int:
        """Of the values stepped through, the size of the largest."""
        return max(size(shape) for shape in self._scene.unrolled.shapes.values())

    # --- conditions ----------------------------------------------------------------------------------------------

    def met(self, condition: Condition, stretch: Stretch) -> Mask:
        """Where a condition holds."""
        return self._truth(condition, stretch)[0]

    def _truth(self, condition: Condition, stretch: Stretch) -> tuple[Mask, Mask]:
        """(where it holds, where it does not); neither, where that cannot be told."""
        nowhere = np.zeros(len(stretch.positions), dtype=np.bool_)
        if isinstance(condition, InPhase):
            return (~nowhere, nowhere) if stretch.phase == condition.phase else (nowhere, ~nowhere)
        if isinstance(condition, Not):
            yes, no = self._truth(condition.inner, stretch)
            return no, yes
        if isinstance(condition, Comparison):
            try:
                return self._compared(condition, stretch)
            except (Unknown, Mismatch):
                return nowhere, nowhere
        some = isinstance(condition, Some)
        yes, no = (nowhere, ~nowhere) if some else (~nowhere, nowhere)
        for part in condition.parts:
            more_yes, more_no = self._truth(part, stretch)
            yes, no = (yes | more_yes, no & more_no) if some else (yes & more_yes, no | more_no)
        return yes, no

    def _compared(self, condition: Comparison, stretch: Stretch) -> tuple[Mask, Mask]:
        a, b = self.over(condition.left, stretch), self.over(condition.right, stretch)
        rank = len(broadcast(a.shape, b.shape))
        entries = np.asarray(SIGNS[condition.sign](lift(a.value, a.shape, rank), lift(b.value, b.shape, rank)))
        axes = tuple(range(-rank, 0))
        result = np.asarray(entries.any(axis=axes) if condition.sign == "!=" else entries.all(axis=axes))
        known = np.broadcast_to(np.asarray(a.known) & np.asarray(b.known), stretch.positions.shape)
        return known & result, known & ~result

    # --- expressions ---------------------------------------------------------------------------------------------

    def over(self, operand: Operand, stretch: Stretch) -> Over:
        """An expression over a stretch."""
        return self._value(operand, operand.expression, stretch)

    def _value(self, operand: Operand, node: Expression, stretch: Stretch) -> Over:
        if isinstance(node, Number):
            return Over(np.asarray(node.value), ())
        if isinstance(node, Name):
            return self._quantity(operand.quantity(node.name), stretch)
        args = [self._value(operand, argument, stretch) for argument in node.arguments]
        known: Mask | bool = True
        for arg in args:
            known = np.asarray(known) & np.asarray(arg.known)
        with np.errstate(all="ignore"):
            if node.operation in MEASURES:
                shape = args[0].shape
                value = MEASURES[node.operation](args[0].value, len(shape))
                return Over(np.asarray(value), shape if node.operation == "abs" else (), known)
            operation = OPERATIONS[node.operation]
            shapes = tuple(arg.shape for arg in args)
            value = operation.evaluate(tuple(arg.value for arg in args), shapes)
            return Over(np.asarray(value), operation.shape(*shapes), known)

    def _quantity(self, quantity: Quantity, stretch: Stretch) -> Over:
        names = self._scene.unrolled.shapes
        name, above = quantity.below, quantity.above
        if above is None and name not in names:
            return self._present(name, stretch)
        if name not in names or (above is not None and above not in names and not is_total(self._scene, above, None)):
            raise Unknown
        total = is_gradient(self._scene, quantity)
        if total and name in self._trace.terms and quantity.at is None:
            return self._sum_so_far(name, stretch)
        if not depends_on_present(self._scene, quantity):
            return self._fixed(quantity, stretch)
        if above is not None and not total:
            raise OneByOne
        t = self._times(name, quantity.at, stretch)
        return self._values(name, t, stretch) if above is None else self._gradients(name, t, stretch)

    def _present(self, name: str, stretch: Stretch) -> Over:
        """`t` and `prod`."""
        if name == "t" and stretch.t is not None:
            return Over(stretch.t.astype(np.float64), ())
        if name != "prod" or stretch.phase == "forward":
            raise Unknown
        if stretch.t is None:
            return Over(np.asarray(1.0), ())
        if stretch.kind == "use":
            return self._terms(stretch.name, stretch.t)
        return self._gradients(stretch.name, stretch.t, stretch)

    def _fixed(self, quantity: Quantity, stretch: Stretch) -> Over:
        """A quantity that is the same at every position from the one on where it is known."""
        found = self._fixed_values.get(quantity.text)
        if found is None:
            try:
                value = Inspector(Look(self._scene, self._scene.timeline.last)).evaluate(quantity.text)
            except BpttError:
                raise Unknown from None
            found = self._fixed_values[quantity.text] = value, self._known_from(quantity)
        return Over(found[0], found[0].shape, stretch.positions >= found[1])

    def _known_from(self, quantity: Quantity) -> int:
        """The first position at which a fixed quantity is known: by bisection, for what is known stays known."""
        low, high = 0, self._scene.timeline.last
        while low < high:
            middle = (low + high) // 2
            try:
                Inspector(Look(self._scene, middle)).evaluate(quantity.text)
                high = middle
            except CommandError:
                low = middle + 1
        return low

    def _times(self, name: str, at: Index | None, stretch: Stretch) -> Ints:
        """The timestep meant at each position."""
        if at is not None and not at.relative:
            return np.full(len(stretch.positions), at.steps)
        if stretch.t is not None:
            return stretch.t + (0 if at is None else at.steps)
        if at is not None:
            raise Unknown
        times = self._scene.times(name)
        return np.full(len(stretch.positions), 0 if times is None else times.start)

    def _rows(self, name: str, t: Ints) -> tuple[Ints, Mask]:
        """Where a node's timesteps stand in its arrays, and whether they do."""
        if name in self._scene.unrolled.pinned:
            raise OneByOne
        times = self._scene.times(name)
        if times is None or not times.count:
            raise Unknown
        if times.listed is None:
            rows = t - times.start
            return np.clip(rows, 0, max(times.count - 1, 0)), (rows >= 0) & (rows < times.count)
        rows = np.minimum(np.searchsorted(times.listed, t), times.count - 1)
        return rows, times.listed[rows] == t

    def _values(self, name: str, t: Ints, stretch: Stretch) -> Over:
        scene, shape = self._scene, self._scene.unrolled.shapes[name]
        if scene.unrolled.values.kind(name) in ("parameter", "constant"):
            return Over(self._trace.value(name), shape)
        if name in scene.unrolled.values.inputs:
            rows, known = np.clip(t, 0, scene.trace.steps - 1), (t >= 0) & (t < scene.trace.steps)
            value = np.asarray(scene.unrolled.values.inputs[name])[rows]
        elif not scene.unrolled.times[scene.network.index[name]].count:  # only its initial values are read
            value, known = np.zeros((len(t), *shape)), np.zeros(len(t), dtype=np.bool_)
        else:
            rows, exists = self._rows(name, t)
            value = self._trace.storage.arrays[self._trace.program.roots[scene.network.index[name]]][rows]
            known = exists & (scene.timeline.positions("node", name, "forward")[rows] <= stretch.positions)
        before = scene.unrolled.before.get(name)
        early = t < 0
        if before is not None and early.any():
            there = early & (-t <= len(before))
            value = np.array(value)
            value[there] = before[t[there]]
            known = known | there
        return Over(value, shape, known)

    def _gradients(self, name: str, t: Ints, stretch: Stretch) -> Over:
        scene = self._scene
        if name not in scene.network.index or (t < 0).any():
            raise OneByOne
        rows, exists = self._rows(name, t)
        known = exists & (scene.timeline.positions("node", name, "backward")[rows] <= stretch.positions)
        whole = self._trace.adjoint_rows(scene.network.index[name])
        shape = scene.unrolled.shapes[name]
        return Over(np.zeros(shape) if whole is None else whole[rows], shape, known)

    def _every_term(self, name: str) -> Array:
        """All contributions of a parameter, in time order."""
        terms = self._trace.terms[name]
        if terms.times.count * size(terms.shape) > ENTRIES:
            raise OneByOne
        if name not in self._sums:
            self._sums[name] = terms.in_time_order()
        return self._sums[name]

    def _terms(self, name: str, t: Ints) -> Over:
        every = self._every_term(name)
        moments = self._trace.terms[name].times.array()
        return Over(every[np.searchsorted(moments, t)], every.shape[1:])

    def _sum_so_far(self, name: str, stretch: Stretch) -> Over:
        key = f"Σ{name}"
        if key not in self._sums:
            with np.errstate(all="ignore"):
                self._sums[key] = np.add.accumulate(self._every_term(name)[::-1], axis=0)
        sums = self._sums[key]
        if not len(sums):
            raise Unknown
        uses = self._scene.timeline.positions("use", name, "backward")[::-1]
        taken = np.searchsorted(uses, stretch.positions, side="right")
        return Over(sums[np.maximum(taken - 1, 0)], sums.shape[1:], taken > 0)

    # --- what changes --------------------------------------------------------------------------------------------

    def events(self, operand: Operand) -> Ints | None:
        """Where an expression of fixed quantities and sums can change; None for one that follows the present."""
        found: list[Ints] = []
        for name in operand.names():
            quantity = operand.quantity(name.name)
            summed = quantity.at is None and quantity.below in self._trace.terms
            if summed and is_gradient(self._scene, quantity):
                found.append(self._scene.timeline.positions("use", quantity.below, "backward"))
                continue
            if depends_on_present(self._scene, quantity):
                return None
            found.append(np.array([self._known_from(quantity)]))
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
