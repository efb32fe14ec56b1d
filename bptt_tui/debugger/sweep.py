"""Expressions and conditions at many positions at once: a handful of NumPy calls however many timesteps there are.

What a name in them means over a stretch of steps is told by `moments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Mismatch, Shape
from bptt_tui.debugger.applying import applied, comparison, names_in, number, then
from bptt_tui.debugger.blocks import pieces
from bptt_tui.debugger.conditions import Comparison, Condition, InPhase, Not, Some
from bptt_tui.debugger.digests import LANES, digests
from bptt_tui.debugger.extents import NUMBERS, Extents
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moments import KNOWN, PLAIN, Moments, Over, Reduction, Stretch, Unknown
from bptt_tui.debugger.places import is_total
from bptt_tui.debugger.quantities import Operand, Quantity, depends_on_present, is_gradient
from bptt_tui.debugger.timeline import Ints, Kind, Mask
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Call, Expression, Name, Number
from bptt_tui.trace.health import Phase

Array = NDArray[Any]

_DIGEST = Reduction("digest", lambda over: Over(digests(over.value, len(over.shape)), (LANES,), over.known))


class Sweep:
    """Evaluates over the stretches of a scene. `ask` is called now and then; it may raise to end the work."""

    def __init__(self, scene: Scene, ask: Callable[[], None] = lambda: None) -> None:
        self._scene = scene
        self._trace = scene.trace
        self.extents = Extents(scene)
        self._moments = Moments(scene, ask)
        self._fixed_values: dict[str, tuple[Array, int]] = {}
        self._events: dict[str, Ints | None] = {}
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
        found, other = self.extents.with_a_number(condition), self.extents.expression_with_a_number(condition)
        if found is not None:
            over = self._quantity(found[0], stretch, found[1])
        elif other is not None and stretch.t is not None:
            over = self._by_time(*other, stretch)
        else:
            left, right = self.over(condition.left, stretch), self.over(condition.right, stretch)
            over = comparison(condition.sign, left, right)
        holds = np.asarray(over.value, dtype=np.bool_)
        known = np.broadcast_to(np.asarray(over.known), stretch.positions.shape)
        return known & holds, known & ~holds

    # --- expressions ---------------------------------------------------------------------------------------------

    def over(self, operand: Operand, stretch: Stretch) -> Over:
        """An expression over a stretch."""
        return self._value(operand, operand.expression, stretch)

    def _value(self, operand: Operand, node: Expression, stretch: Stretch) -> Over:
        if isinstance(node, Number):
            return number(node)
        if isinstance(node, Name):
            return self._quantity(operand.quantity(node.name), stretch)
        found = self.extents.in_blocks(operand, node)
        if found is not None:
            return self._quantity(found[0], stretch, found[1])
        if node.operation in NUMBERS and stretch.t is not None and self.extents.by_timestep(operand, node):
            return self._by_time(operand, node, PLAIN, stretch)
        return applied(node, [self._value(operand, argument, stretch) for argument in node.arguments])

    def digest(self, operand: Operand, stretch: Stretch) -> tuple[Array, Mask]:
        """Digests `(positions, LANES)` of an expression over a stretch, and where it is known."""
        node, count = operand.expression, len(stretch.positions)
        found = self.extents.in_blocks(operand, node)
        if found is not None:
            over = self._quantity(found[0], stretch, then(found[1], _DIGEST))
        elif stretch.t is not None and self.extents.by_timestep(operand, node):
            over = self._by_time(operand, node, _DIGEST, stretch)
        else:
            over = self._some_at_a_time(operand, stretch)
        known = np.broadcast_to(np.asarray(over.known), (count,))
        return np.broadcast_to(over.value, (count, LANES)), known

    def _some_at_a_time(self, operand: Operand, stretch: Stretch) -> Over:
        """The digests of what differs from position to position, and is not kept."""
        count = len(stretch.positions)
        found, known = np.zeros((count, LANES), np.uint64), np.zeros(count, dtype=np.bool_)
        for piece in pieces(slice(0, count), self.extents.full_width(operand)):
            try:
                over = _DIGEST.apply(self._value(operand, operand.expression, stretch.at(piece)))
            except (Unknown, Mismatch):
                continue
            found[piece], known[piece] = over.value, over.known
        return Over(found, (LANES,), known)

    def _by_time(self, operand: Operand, node: Expression, reduction: Reduction, stretch: Stretch) -> Over:
        """What a reduction makes of such an expression: once per timestep, however many positions that has."""
        assert stretch.t is not None
        names = [operand.quantity(name.name) for name in names_in(node)]
        known: Mask | bool = True
        for quantity in names:
            known = np.asarray(known) & np.asarray(self._quantity(quantity, stretch, KNOWN).known)
        whole: Shape = (LANES,) if reduction is _DIGEST else ()
        kind = np.uint64 if reduction is _DIGEST else np.float64

        def make(piece: Stretch) -> Array:
            count = len(piece.positions)
            try:
                over = self._made(operand, node, reduction, piece)
            except Unknown:
                return np.zeros((count, *whole), kind)
            return np.broadcast_to(over.value, (count, *whole))

        width = max(map(self.extents.quantity_width, names))
        start = operand.expression.start  # the same text may stand anywhere in a line
        text = f"{operand.text} {node.start - start} {node.end - start} {reduction.name}"
        return Over(self._moments.by_time(text, stretch.t, width, whole, make), whole, known)

    def _made(self, operand: Operand, node: Expression, reduction: Reduction, stretch: Stretch) -> Over:
        """An expression as it is made anew, and reduced."""
        if isinstance(node, Call):
            return reduction.apply(applied(node, [self._value(operand, part, stretch) for part in node.arguments]))
        return reduction.apply(self._value(operand, node, stretch))

    def _quantity(self, quantity: Quantity, stretch: Stretch, reduction: Reduction = PLAIN) -> Over:
        """A quantity over a stretch, and what a reduction makes of it."""
        names, moments = self._scene.unrolled.shapes, self._moments
        name, above = quantity.below, quantity.above
        if above is None and name not in names:
            return self._present(name, stretch, reduction)
        if name not in names or (above is not None and above not in names and not is_total(self._scene, above, None)):
            raise Unknown
        total = is_gradient(self._scene, quantity)
        if total and name in self._trace.terms and quantity.at is None:
            return self._gradient(quantity, stretch, reduction)
        if not depends_on_present(self._scene, quantity):
            return reduction.apply(self._fixed(quantity, stretch))
        if total is None and not self._scene.unrolled.has_total:
            return self._of_the_loss(quantity, stretch, reduction)
        if above is not None and not total:
            return moments.partials(quantity, stretch, reduction)
        if above is not None:
            return self._gradient(quantity, stretch, reduction)
        return moments.values(name, moments.times(name, quantity.at, stretch), stretch, reduction)

    def _gradient(self, quantity: Quantity, stretch: Stretch, reduction: Reduction) -> Over:
        """∂E/∂node, a contribution, or the sum of the contributions so far."""
        name, moments = quantity.below, self._moments
        if name in self._trace.terms and quantity.at is None:
            return moments.sum_so_far(name, stretch, reduction)
        return moments.gradients(name, moments.times(name, quantity.at, stretch), stretch, reduction)

    def _of_the_loss(self, quantity: Quantity, stretch: Stretch, reduction: Reduction) -> Over:
        """dE[t]/ds with one loss: a gradient at the loss's timestep; there is no E at another."""
        t = self._moments.times(self._scene.network.loss_name, quantity.above_at, stretch)
        there = t == self._scene.unrolled.loss_times[0]
        over = self._gradient(quantity, stretch, reduction)
        return replace(over, known=there & np.asarray(over.known))

    def _present(self, name: str, stretch: Stretch, reduction: Reduction) -> Over:
        """`t` and `prod`."""
        if name == "t" and stretch.t is not None:
            return reduction.apply(Over(stretch.t.astype(np.float64), ()))
        if name != "prod" or stretch.phase == "forward":
            raise Unknown
        if stretch.t is None:
            return reduction.apply(Over(np.asarray(1.0), ()))
        return self._moments.gradients(stretch.name, stretch.t, stretch, reduction)

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

    # --- what changes --------------------------------------------------------------------------------------------

    def events(self, operand: Operand) -> Ints | None:
        """Where an expression of fixed quantities and sums can change; None for one that follows the present."""
        if operand.text not in self._events:
            self._events[operand.text] = self._found_events(operand)
        return self._events[operand.text]

    def _found_events(self, operand: Operand) -> Ints | None:
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
