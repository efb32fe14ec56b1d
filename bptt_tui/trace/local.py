"""One node at one timestep, or at many: pulling any gradient back through its equation, on demand.

This gives what the trace does not store: the inflow over one edge, and an edge's dense Jacobian (the pullback of
the rows of an identity). An equation's inner values are computed again at that timestep; that costs microseconds, and
for many timesteps at once not much more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import size
from bptt_tui.language import Name
from bptt_tui.trace.program import Instruction, Leaf
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]
_NOTHING: Array = np.empty(0)


class LocalStep:
    """The equation `equation` at `row`, ready to pull gradients back."""

    def __init__(self, storage: Storage, equation: int, row: int) -> None:
        self._storage = storage
        self._program = storage.program
        self._root = storage.program.roots[equation]
        self._row = row
        self._values: dict[int, Array] = {}
        self._instructions = sorted(self._reach(self._root))

    def _reach(self, root: int) -> set[int]:
        reached: set[int] = set()
        waiting = [root]
        while waiting:
            slot = waiting.pop()
            entry = self._program.slots[slot]
            if slot not in reached and isinstance(entry, Instruction):
                reached.add(slot)
                waiting.extend(entry.args)
        return reached

    def _leading(self, by: Name) -> set[int]:
        """The slots that a gradient passes on its way to `by`, that one's reads among them."""
        program = self._program
        leading: set[int] = set()
        for slot in self._instructions:
            for arg in program.instruction(slot).args:
                source = program.slots[arg]
                if isinstance(source, Leaf) and (source.name, source.lag) == (by.name, -(by.offset or 0)):
                    leading.add(arg)
            if not leading.isdisjoint(program.instruction(slot).args):
                leading.add(slot)
        return leading

    def value(self, slot: int) -> Array:
        """A slot's value at this timestep."""
        if slot not in self._values:
            storage = self._storage
            entry = self._program.slots[slot]
            if isinstance(entry, Instruction) and slot not in storage.arrays:
                args = tuple(self.value(arg) for arg in entry.args)
                self._values[slot] = np.asarray(entry.operation.evaluate(args, entry.shapes))
            else:
                self._values[slot] = self._kept(slot)
        return self._values[slot]

    def _kept(self, slot: int) -> Array:
        """A value that is not computed again."""
        return self._storage.at(slot, self._row)

    def pull(self, g: Array, by: Name, override: dict[int, Array] | None = None) -> Array:
        """g · ∂node/∂by, with g of the node's shape, possibly behind a leading axis.

        `override` replaces what flows into the first argument of a slot.
        """
        program = self._program
        flow: dict[int, Array] = {self._root: g}
        lead = g.shape[: g.ndim - len(program.slots[self._root].shape)]
        result: Array | None = None
        leading = self._leading(by)
        for slot in reversed(self._instructions):
            g_here = flow.pop(slot, None)
            if g_here is None:
                continue
            entry = program.instruction(slot)
            args = tuple(self.value(arg) for arg in entry.args) if entry.operation.recalls_args else ()
            answer = self.value(slot) if entry.operation.recalls_result else _NOTHING
            for index, arg in enumerate(entry.args):
                if arg not in leading or not entry.operation.differentiable(index):
                    continue
                if override is not None and index == 0 and slot in override:
                    value = override[slot]
                else:
                    value = entry.operation.pull(index, g_here, answer, args, entry.shapes)
                if isinstance(program.slots[arg], Instruction):
                    flow[arg] = value if arg not in flow else flow[arg] + value
                else:
                    result = value if result is None else result + value
        if result is None:
            shape = self._storage.unrolled.shapes[by.name]
            return np.zeros((*lead, *shape))
        return result

    def jacobian(self, by: Name) -> Array:
        """The dense local partial ∂node/∂by, rows × columns."""
        entry = self._program.instruction(self._root)
        rows = size(entry.shape)
        identity = np.eye(rows).reshape(rows, *entry.shape)
        # + 0.0: what is 0 because nothing connects two entries has no sign.
        return np.asarray(self.pull(identity, by, self._exact()).reshape(rows, -1) + 0.0)

    def _exact(self) -> dict[int, Array] | None:
        """The Jacobian of the node's own operation, where that has one with more digits than its pullback."""
        entry = self._program.instruction(self._root)
        jacobian = entry.operation.jacobian
        if jacobian is None or self._storage.dtype is not np.float64:
            return None
        args = tuple(self.value(arg) for arg in entry.args)
        return {self._root: jacobian(args, entry.shapes).reshape(-1, *entry.shapes[0])}


class LocalSteps(LocalStep):
    """The equation `equation` at a run of rows: values of what varies in time are `(rows, 1, *shape)`.

    The axis of length 1 is where a Jacobian's rows go. One timestep's numbers meet in the same calls and in the same
    order as in a `LocalStep`, so that the bits are the same.
    """

    def __init__(self, storage: Storage, equation: int, rows: slice) -> None:
        super().__init__(storage, equation, 0)
        self._rows = rows

    def _kept(self, slot: int) -> Array:
        value = self._storage.between(slot, self._rows)
        return value[:, None] if self._program.timed(slot) else value

    @property
    def width(self) -> int:
        """How many numbers per timestep the widest array on the way to a Jacobian has."""
        slots = self._program.slots
        reached = {arg for slot in self._instructions for arg in self._program.instruction(slot).args}
        return size(slots[self._root].shape) * max(size(slots[slot].shape) for slot in (self._root, *reached))

    def jacobian(self, by: Name) -> Array:
        """The dense local partials ∂node/∂by, `(timesteps, rows, columns)`; `(1, …)` where all are equal."""
        shape = self._program.slots[self._root].shape
        rows = size(shape)
        found = self.pull(np.eye(rows).reshape(1, rows, *shape), by, self._exact())
        return np.asarray(found.reshape(len(found), rows, size(self._storage.unrolled.shapes[by.name])) + 0.0)

    def _exact(self) -> dict[int, Array] | None:
        found = super()._exact()
        rows = size(self._program.slots[self._root].shape)
        return found and {slot: rowed.reshape(-1, rows, *rowed.shape[1:]) for slot, rowed in found.items()}
