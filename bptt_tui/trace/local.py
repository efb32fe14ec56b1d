"""One node at one timestep: pulling any gradient back through its equation, on demand.

This gives what the trace does not store: the inflow over one edge, and an edge's dense Jacobian (the pullback of
the rows of an identity). An equation's inner values are computed again at that timestep; that costs microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import size
from bptt_tui.language import Name
from bptt_tui.trace.program import Instruction
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]


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

    def value(self, slot: int) -> Array:
        """A slot's value at this timestep."""
        if slot not in self._values:
            storage = self._storage
            entry = self._program.slots[slot]
            if isinstance(entry, Instruction) and slot not in storage.arrays:
                args = tuple(self.value(arg) for arg in entry.args)
                self._values[slot] = np.asarray(entry.operation.evaluate(args, entry.shapes))
            else:
                self._values[slot] = storage.at(slot, self._row)
        return self._values[slot]

    def pull(self, g: Array, by: Name, override: dict[int, Array] | None = None) -> Array:
        """g · ∂node/∂by, with g of the node's shape, possibly behind a leading axis.

        `override` replaces what flows into the first argument of a slot.
        """
        program = self._program
        flow: dict[int, Array] = {self._root: g}
        lead = g.shape[: g.ndim - len(program.slots[self._root].shape)]
        result: Array | None = None
        for slot in reversed(self._instructions):
            g_here = flow.pop(slot, None)
            if g_here is None:
                continue
            entry = program.instruction(slot)
            args = tuple(self.value(arg) for arg in entry.args)
            for index, arg in enumerate(entry.args):
                if not entry.operation.differentiable(index):
                    continue
                if override is not None and index == 0 and slot in override:
                    value = override[slot]
                else:
                    value = entry.operation.pull(index, g_here, self.value(slot), args, entry.shapes)
                source = program.slots[arg]
                if isinstance(source, Instruction):
                    flow[arg] = value if arg not in flow else flow[arg] + value
                elif source.name == by.name and source.lag == -(by.offset or 0):
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
