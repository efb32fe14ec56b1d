"""Where a trace keeps its numbers: one array per slot, time as the leading axis.

A node's array holds a row per timestep at which the node is computed, after `ahead` rows of given values: those
pinned, then the initial ones. A read is then a slice of it. Inputs are kept the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.network import Timesteps, Unrolled
from bptt_tui.network.timesteps import Index
from bptt_tui.trace.program import Instruction, Leaf, Program

Array = NDArray[Any]
_NOTHING: Array = np.empty(0)


class Storage:
    """Forward values of a program. `with_initial[name]` has the rows before t = 0 in front.

    `rows_passing` holds, for values inside a recurrence that the next call reads and nobody after it, the one row that
    serves all timesteps.
    """

    def __init__(self, unrolled: Unrolled, program: Program) -> None:
        self.unrolled = unrolled
        self.program = program
        values = unrolled.values
        groups = (values.parameters, values.inputs, values.constants, values.initial, values.pins)
        given = [value for group in groups for value in group.values()]
        self.dtype = np.complex128 if any(value.dtype.kind == "c" for value in given) else np.float64
        self.arrays: dict[int, Array] = {}
        self.rows_passing: dict[int, Array] = {}
        self.with_initial: dict[str, Array] = {}
        self._given = _given(unrolled)
        self._every = Timesteps(0, unrolled.steps)
        for name, sequence in values.inputs.items():
            self.with_initial[name] = self._behind_initial(name, sequence)
        fixed = {**values.parameters, **values.constants}
        for number, slot in enumerate(program.slots):
            if isinstance(slot, Leaf) and not slot.read:
                value = slot.literal if slot.name is None else fixed[slot.name]
                self.arrays[number] = np.asarray(value, dtype=self.dtype)

    def times(self, equation: int) -> Timesteps:
        """When an equation's node is computed."""
        return self.unrolled.times[equation]

    def ahead(self, name: str) -> int:
        """How many given rows stand in front of a name's own."""
        return len(self._given.get(name, ()))

    def _behind_initial(self, name: str, rows: Array) -> Array:
        before = self._given.get(name)
        if before is None:
            return rows.astype(self.dtype, copy=False)
        return np.concatenate([before, rows]).astype(self.dtype, copy=False)

    def allocate(self, slot: int) -> Array:
        """An array for a timed instruction's values; a node's lies behind its initial values.

        Where that is possible it is the array of an argument, to be written over row by row: fresh memory costs more
        than the arithmetic on it.
        """
        entry = self.program.instruction(slot)
        count = self.times(entry.equation).count
        is_root = self.program.roots[entry.equation] == slot
        name = self.unrolled.network.equations[entry.equation].target
        ahead = self.ahead(name) if is_root else 0
        spent = None if ahead else self._spent(entry)
        if not is_root:
            self.arrays[slot] = np.empty((count, *entry.shape), self.dtype) if spent is None else spent
            return self.arrays[slot]
        if spent is not None:
            self.with_initial[name] = self.arrays[slot] = spent
            return spent
        whole = np.empty((ahead + count, *entry.shape), self.dtype)
        if ahead:
            whole[:ahead] = self._given[name]
        self.with_initial[name] = whole
        self.arrays[slot] = whole[ahead:]
        return self.arrays[slot]

    def _spent(self, entry: Instruction) -> Array | None:
        """The array of an argument that nobody else reads, of the result's shape; None where there is none."""
        full = (self.times(entry.equation).count, *entry.shape)
        if entry.operation.ufunc is None:
            return None
        for arg in entry.args:
            source = self.program.slots[arg]
            if not isinstance(source, Instruction) or not self.program.passing(arg) or arg not in self.arrays:
                continue
            # Other operations may hand on an argument as it is, or a view of it.
            fresh = source.operation.ufunc is not None or source.operation.held is not None
            array = self.arrays[arg]
            if fresh and array.shape == full and array.flags.owndata and array.flags.writeable:
                return array
        return None

    def allocate_row(self, slots: tuple[int, ...]) -> Array:
        """One row for a value that is only passed on within a timestep, or vectors side by side; it has no history."""
        entries = [self.program.instruction(slot) for slot in slots]
        if len(slots) == 1:
            self.rows_passing[slots[0]] = np.empty(entries[0].shape, self.dtype)
            return self.rows_passing[slots[0]]
        whole = np.empty(sum(entry.shape[0] for entry in entries), self.dtype)
        start = 0
        for slot, entry in zip(slots, entries, strict=True):
            self.rows_passing[slot] = whole[start : start + entry.shape[0]]
            start += entry.shape[0]
        return whole

    def allocate_beside(self, slots: tuple[int, ...], whole: Array | None = None) -> Array:
        """Arrays for vectors without initial values, side by side in one array, which is returned: `whole`, if given,
        to be written over."""
        entries = [self.program.instruction(slot) for slot in slots]
        count = self.times(entries[0].equation).count
        if whole is None:
            whole = np.empty((count, sum(entry.shape[0] for entry in entries)), self.dtype)
        start = 0
        for slot, entry in zip(slots, entries, strict=True):
            part = whole[:, start : start + entry.shape[0]]
            start += entry.shape[0]
            self.arrays[slot] = part
            if self.program.roots[entry.equation] == slot:
                self.with_initial[self.unrolled.network.equations[entry.equation].target] = part
        return whole

    def put(self, slot: int, value: Array) -> None:
        """Keep the values of a timed instruction computed for all timesteps at once."""
        entry = self.program.instruction(slot)
        full = (self.times(entry.equation).count, *entry.shape)
        if value.shape != full:
            value = np.broadcast_to(value, full)
        if self.program.roots[entry.equation] != slot:
            self.arrays[slot] = value
            return
        name = self.unrolled.network.equations[entry.equation].target
        if self.ahead(name) or not value.flags.writeable or value.base is not None:
            self.allocate(slot)[...] = value
        else:
            self.with_initial[name] = self.arrays[slot] = value

    def rows(self, leaf: Leaf) -> Index:
        """The rows of a read's source, one for each timestep of the reading equation, in `with_initial`."""
        assert leaf.name is not None
        own = self._every if leaf.source is None else self.times(leaf.source)
        pinned = self.unrolled.pinned.get(leaf.name)
        moments = None if pinned is None else pinned.times
        return own.rows_from(self.times(leaf.equation), leaf.lag, self.ahead(leaf.name), moments)

    def get(self, slot: int) -> Array:
        """A slot's values for all timesteps of its equation; without a time axis where they do not vary."""
        entry = self.program.slots[slot]
        if isinstance(entry, Leaf) and entry.read:
            assert entry.name is not None
            return self.with_initial[entry.name][self.rows(entry)]
        return self.arrays[slot]

    def at(self, slot: int, row: int) -> Array:
        """A slot's value at one row of its equation."""
        entry = self.program.slots[slot]
        if isinstance(entry, Leaf) and entry.read:
            assert entry.name is not None
            index = self.rows(entry)
            place = index.start + row if isinstance(index, slice) else int(index[row])
            return np.asarray(self.with_initial[entry.name][place])
        value = self.arrays[slot]
        return value[row] if self.program.timed(slot) else value

    def between(self, slot: int, rows: slice) -> Array:
        """A slot's values at a run of rows of its equation; without a time axis where they do not vary."""
        entry = self.program.slots[slot]
        if isinstance(entry, Leaf) and entry.read:
            assert entry.name is not None
            index = self.rows(entry)
            if isinstance(index, slice):
                first, stop, _ = rows.indices(index.stop - index.start)
                return self.with_initial[entry.name][index.start + first : index.start + stop]
            return self.with_initial[entry.name][index[rows]]
        value = self.arrays[slot]
        return value[rows] if self.program.timed(slot) else value

    def args(self, slot: int) -> tuple[Array, ...]:
        """The arguments of an instruction for all timesteps."""
        return tuple(self.get(arg) for arg in self.program.instruction(slot).args)

    def recall(self, slot: int) -> tuple[Array, tuple[Array, ...]]:
        """What pulling back through an instruction reads: its result and arguments, empty where it reads none."""
        operation = self.program.instruction(slot).operation
        answer = self.arrays[slot] if operation.recalls_result else _NOTHING
        return answer, self.args(slot) if operation.recalls_args else ()

    def forget_unread(self) -> None:
        """Let go of intermediate values that no pullback reads, such as the terms of a sum."""
        self.keep(set(self.program.recalled))

    def keep(self, wanted: set[int]) -> None:
        """Forget intermediate values; nodes, fixed values and `wanted` slots stay."""
        roots = set(self.program.roots)
        for slot in list(self.arrays):
            entry = self.program.slots[slot]
            if isinstance(entry, Instruction) and entry.timed and slot not in roots and slot not in wanted:
                del self.arrays[slot]


def _given(unrolled: Unrolled) -> dict[str, Array]:
    """By name, the values that are not computed: the pinned ones in order, then those before t = 0."""
    given = dict(unrolled.before)
    for name, pinned in unrolled.pinned.items():
        given[name] = np.concatenate([pinned.rows, given[name]]) if name in given else pinned.rows
    return given
