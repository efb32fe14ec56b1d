"""What a reverse sweep collects: ∂E/∂slot for every instruction and timestep, and where it is kept.

A gradient that arrives is added to what is there; whole arrays are taken over without a copy, and two slots whose
adjoints are one share an array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from bptt_tui.network.timesteps import Index
from bptt_tui.trace.loops import Column
from bptt_tui.trace.program import Instruction, Leaf
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]


class Adjoints(Struct):
    """∂E/∂slot, `(rows, *shape)` by slot; a slot without an entry has gradient 0 everywhere.

    `fused` is the part of a softmax's (or sigmoid's) adjoint that arrives from a loss computed together with it:
    it is part of ∂E/∂o, but what flows on from it goes straight to the logits. `with_initial` holds, for nodes
    inside recurrences, the same arrays with the rows of initial values in front.
    """

    storage: Storage
    arrays: dict[int, Array] = field(default_factory=dict)
    fused: dict[int, Array] = field(default_factory=dict)
    with_initial: dict[str, Array] = field(default_factory=dict)
    _shared: set[int] = field(default_factory=set)

    def flows_on(self, slot: int) -> Array | None:
        """The adjoint that the slot's own operation pulls back."""
        return self.arrays.get(slot)

    def whole(self, slot: int) -> Array | None:
        """∂E/∂slot, all of it."""
        part, fused = self.arrays.get(slot), self.fused.get(slot)
        if part is None or fused is None:
            return fused if part is None else part
        result: Array = part + fused
        return result

    def _zeros(self, slot: int, ahead: int = 0) -> Array:
        entry = self.storage.program.instruction(slot)
        count = self.storage.times(entry.equation).count
        return np.zeros((ahead + count, *entry.shape), self.storage.dtype)

    def writable(self, slot: int) -> Array:
        """The slot's adjoint as an array that may be added to in place."""
        if slot not in self.arrays:
            self.arrays[slot] = self._zeros(slot)
        elif slot in self._shared:
            self.arrays[slot] = self.arrays[slot].copy()
        self._shared.discard(slot)
        return self.arrays[slot]

    def make_ready(self, slot: int, *, overwritten: bool = False) -> None:
        """Prepare a slot of a recurrence: a node's adjoint gets rows for its initial values in front.

        `overwritten`: an intermediate value's adjoint is written to before it is read.
        """
        entry = self.storage.program.instruction(slot)
        name = self.storage.unrolled.network.equations[entry.equation].target
        if self.storage.program.roots[entry.equation] != slot:
            if overwritten:
                count = self.storage.times(entry.equation).count
                self.put(slot, np.empty((count, *entry.shape), self.storage.dtype))
            else:
                self.writable(slot)
            return
        ahead = self.storage.ahead(name)
        if slot in self.arrays:
            whole = np.empty((ahead + len(self.arrays[slot]), *entry.shape), self.storage.dtype)
            whole[:ahead] = 0.0
            whole[ahead:] = self.arrays[slot]
        else:
            whole = self._zeros(slot, ahead)
        self.with_initial[name] = whole
        self.arrays[slot] = whole[ahead:]
        self._shared.discard(slot)

    def make_ready_beside(self, slots: tuple[int, ...]) -> Array:
        """The same for vectors without initial values that stand side by side in one array, which is returned."""
        program = self.storage.program
        entries = [program.instruction(slot) for slot in slots]
        count = self.storage.times(entries[0].equation).count
        whole = np.zeros((count, sum(entry.shape[0] for entry in entries)), self.storage.dtype)
        start = 0
        for slot, entry in zip(slots, entries, strict=True):
            part = whole[:, start : start + entry.shape[0]]
            start += entry.shape[0]
            if slot in self.arrays:
                part[...] = self.arrays[slot]
            self.put(slot, part)
        return whole

    def share(self, slot: int, other: int) -> None:
        """Let `other` have the very array of `slot`: the two adjoints are one."""
        self.put(other, self.arrays[slot])

    def put(self, slot: int, array: Array) -> None:
        """Keep the adjoint of a slot of a recurrence that has no initial values in front."""
        entry = self.storage.program.instruction(slot)
        self.arrays[slot] = array
        self._shared.discard(slot)
        if self.storage.program.roots[entry.equation] == slot:
            self.with_initial[self.storage.unrolled.network.equations[entry.equation].target] = array

    def column(self, arg: int) -> Column:
        """Where the gradient by an argument is collected, for each row of the equation that reads it."""
        entry = self.storage.program.slots[arg]
        if isinstance(entry, Leaf):
            assert entry.name is not None
            return Column(self.with_initial[entry.name], self.storage.rows(entry))
        return Column(self.arrays[arg], slice(0, len(self.arrays[arg])))

    def add(self, slot: int, value: Array, rows: Any = None) -> None:
        """Add to a slot's adjoint, at some of its rows or (None) at all; whole arrays are taken over without a
        copy."""
        if rows is None:
            entry = self.storage.program.instruction(slot)
            full = (self.storage.times(entry.equation).count, *entry.shape)
            if slot not in self.arrays and value.shape == full:
                self.arrays[slot] = value
                self._shared.add(slot)
                return
            self.writable(slot)[...] += value
        else:
            self.writable(slot)[rows] += value

    def keep(self, wanted: set[int]) -> None:
        """Forget intermediate adjoints; those of nodes, of fused losses and of `wanted` slots stay."""
        stay = wanted | set(self.storage.program.roots)
        for fused in self.storage.program.fused.values():
            stay |= {fused.outer, fused.inner}
        for slot in list(self.arrays):
            if slot not in stay:
                del self.arrays[slot]

    def deposit(self, arg: int, value: Array, rows: Any = None) -> None:
        """Add what flows into an argument: an instruction, or the node behind a read; anything else takes none.

        `value` has a row per timestep of the argument's equation, or one per entry of `rows` of it.
        """
        program = self.storage.program
        entry = program.slots[arg]
        if isinstance(entry, Instruction):
            if entry.timed:
                self.add(arg, value, rows)
            return
        if entry.source is None:
            return
        root = program.roots[entry.source]
        index = source_rows(self.storage, entry)
        if rows is not None:
            index = np.arange(index.start, index.stop)[rows] if isinstance(index, slice) else index[rows]
        if isinstance(index, slice):
            skip = max(-index.start, 0)
            index, value = slice(max(index.start, 0), index.stop), value[skip:]
            if index.start == 0 and index.stop == self.storage.times(entry.source).count:
                self.add(root, value)
                return
        else:
            inside = index >= 0
            index, value = index[inside], value[inside]
        if len(value):
            self.add(root, value, index)


def source_rows(storage: Storage, leaf: Leaf) -> Index:
    """The rows of the node a leaf reads, counted without its initial values (those are negative)."""
    assert leaf.name is not None
    rows = storage.rows(leaf)
    ahead = storage.ahead(leaf.name)
    return slice(rows.start - ahead, rows.stop - ahead) if isinstance(rows, slice) else rows - ahead
