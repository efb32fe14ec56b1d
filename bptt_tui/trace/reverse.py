"""The reverse sweep: ∂E/∂(slot) for every instruction and timestep, from the loss back.

Outside recurrences an instruction pulls back all timesteps at once. Inside, the slopes of elementwise operations
are computed for all timesteps beforehand, sums pass their gradient on without a copy, and only what must be
sequential runs in the loop over time. Gradients by parameters are not taken here: they are sums over uses
(`bptt_tui.trace.terms`), made from what this sweep leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.network.timesteps import Index
from bptt_tui.trace.forward import Progress, column, matrix_times_vector
from bptt_tui.trace.loops import Column, Step, run
from bptt_tui.trace.program import Instruction, Leaf, Program, Stage
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]


@dataclass
class Adjoints:
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

    def make_ready(self, slot: int) -> None:
        """Prepare a slot of a recurrence: a node's adjoint gets rows for its initial values in front."""
        entry = self.storage.program.instruction(slot)
        name = self.storage.unrolled.network.equations[entry.equation].target
        if self.storage.program.roots[entry.equation] != slot:
            self.writable(slot)
            return
        ahead = self.storage.ahead(name)
        whole = self._zeros(slot, ahead)
        if slot in self.arrays:
            whole[ahead:] = self.arrays[slot]
        self.with_initial[name] = whole
        self.arrays[slot] = whole[ahead:]
        self._shared.discard(slot)

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


def reverse(storage: Storage, seed: Array, progress: Progress | None = None) -> Adjoints:
    """Adjoints of every slot the loss depends on; `seed` is ∂(total)/∂E_t for each loss step."""
    program = storage.program
    adjoints = Adjoints(storage)
    adjoints.add(program.roots[storage.unrolled.network.loss], seed)
    for stage in reversed(program.stages):
        if stage.loop:
            _loop(adjoints, stage, progress)
        else:
            _batch(adjoints, stage.slots[0])
    return adjoints


def _batch(adjoints: Adjoints, slot: int) -> None:
    """Pull an instruction's adjoint back to its arguments, all timesteps at once."""
    storage = adjoints.storage
    g = adjoints.flows_on(slot)
    if g is None:
        return
    entry = storage.program.instruction(slot)
    if slot in storage.program.fused:
        _fused(adjoints, slot, g)
        return
    args = storage.args(slot)
    for index, arg in enumerate(entry.args):
        if entry.operation.differentiable(index) and takes_gradient(storage, arg):
            value = entry.operation.pull(index, g, storage.arrays[slot], args, entry.shapes)
            adjoints.deposit(arg, value)


def takes_gradient(storage: Storage, arg: int) -> bool:
    """Whether an argument leads to a node: constants, inputs and parameters end the sweep."""
    entry = storage.program.slots[arg]
    return entry.timed if isinstance(entry, Instruction) else entry.source is not None


def _fused(adjoints: Adjoints, slot: int, g: Array) -> None:
    """A loss and the softmax it reads: the logits get (o − y) directly, and ∂E/∂o is kept to be shown."""
    storage = adjoints.storage
    program = storage.program
    entry = program.instruction(slot)
    fused = program.fused[slot]
    o, y = storage.args(slot)
    shown = entry.operation.pull(0, g, storage.arrays[slot], (o, y), entry.shapes)
    read = program.slots[entry.args[0]]
    rows = source_rows(storage, read) if isinstance(read, Leaf) else None
    inner = program.instruction(fused.inner)
    whole = adjoints.fused.get(fused.inner)
    if whole is None:
        whole = np.zeros((storage.times(inner.equation).count, *inner.shape), storage.dtype)
        adjoints.fused[fused.inner] = whole
    whole[slice(None) if rows is None else rows] += shown
    adjoints.deposit(inner.args[0], fused.fusion.pull(g, o, y, entry.shapes), rows)
    if entry.operation.differentiable(1) and takes_gradient(storage, entry.args[1]):
        value = entry.operation.pull(1, g, storage.arrays[slot], (o, y), entry.shapes)
        adjoints.deposit(entry.args[1], value)


def _loop(adjoints: Adjoints, stage: Stage, progress: Progress | None) -> None:
    """A recurrence, last timestep first; then what flows out of it, all timesteps at once."""
    storage = adjoints.storage
    program = storage.program
    inside = set(stage.slots)
    feeds = _feeds(storage, stage)
    outside = {slot for slot in stage.slots if slot in adjoints.arrays}
    for slot in stage.slots:
        adjoints.make_ready(slot)
    steps: list[Step] = []
    for slot in reversed(stage.slots):
        entry = program.instruction(slot)
        for index, arg in enumerate(entry.args):
            target = loop_target(storage, arg, inside)
            if target is None or not entry.operation.differentiable(index):
                continue
            lone = feeds[target] == 1 and target not in outside
            if lone and _passes_unchanged(program, slot, index):
                adjoints.arrays[target] = adjoints.arrays[slot]
            else:
                steps.extend(_pull_steps(adjoints, slot, index, overwrite=lone))
    run(steps, storage.unrolled.times, backward=True, progress=progress)
    for slot in stage.slots:
        entry = program.instruction(slot)
        for index, arg in enumerate(entry.args):
            leaves = takes_gradient(storage, arg) and loop_target(storage, arg, inside) is None
            if leaves and entry.operation.differentiable(index):
                g = adjoints.arrays[slot]
                value = entry.operation.pull(index, g, storage.arrays[slot], storage.args(slot), entry.shapes)
                adjoints.deposit(arg, value)


def loop_target(storage: Storage, arg: int, inside: set[int]) -> int | None:
    """The slot of the same recurrence that an argument leads to, if any."""
    entry = storage.program.slots[arg]
    if isinstance(entry, Instruction):
        return arg if arg in inside else None
    if entry.source is None:
        return None
    root = storage.program.roots[entry.source]
    return root if root in inside else None


def _feeds(storage: Storage, stage: Stage) -> dict[int, int]:
    """How many edges inside the recurrence bring a gradient to each slot."""
    inside = set(stage.slots)
    feeds = dict.fromkeys(stage.slots, 0)
    for slot in stage.slots:
        entry = storage.program.instruction(slot)
        for index, arg in enumerate(entry.args):
            target = loop_target(storage, arg, inside)
            if target is not None and entry.operation.differentiable(index):
                feeds[target] += 1
    return feeds


def _passes_unchanged(program: Program, slot: int, index: int) -> bool:
    """A sum inside one equation: argument and sum can share one adjoint array."""
    entry = program.instruction(slot)
    return (
        entry.operation.elementwise
        and entry.operation.slopes[index] == 1.0
        and isinstance(program.slots[entry.args[index]], Instruction)
        and entry.shapes[index] == entry.shape
    )


def _pull_steps(adjoints: Adjoints, slot: int, index: int, *, overwrite: bool) -> list[Step]:
    """The calls that bring a gradient from `slot` to its argument, one timestep at a time."""
    storage = adjoints.storage
    entry = storage.program.instruction(slot)
    g = Column(adjoints.arrays[slot], slice(0, len(adjoints.arrays[slot])))
    result = adjoints.column(entry.args[index])
    if overwrite:
        return [_pull_step(storage, slot, index, g, result)]
    into = Column(np.empty(entry.shapes[index] or (1,), storage.dtype), None)
    add = Step(entry.equation, np.add, (result, into, result))
    return [_pull_step(storage, slot, index, g, into), add]


def _pull_step(storage: Storage, slot: int, index: int, g: Column, result: Column) -> Step:
    """One call per timestep: g · ∂ans/∂arg → result."""
    entry = storage.program.instruction(slot)
    operation, shapes = entry.operation, entry.shapes
    if operation.elementwise and shapes[index] == entry.shape:
        slope = operation.slope(index, storage.arrays[slot], storage.args(slot), shapes)
        if isinstance(slope, float):
            return Step(entry.equation, _copy if slope == 1.0 else np.negative, (g, result))
        varying = slope.ndim > len(entry.shape)
        index_ = slice(0, len(slope)) if varying else None
        if varying and slope.shape[1:] != entry.shape:
            slope = np.broadcast_to(slope, (len(slope), *entry.shape))
        return Step(entry.equation, np.multiply, (g, Column(slope, index_), result))
    if index == 1 and matrix_times_vector(storage.program, entry):
        return Step(entry.equation, storage.arrays[entry.args[0]].T.dot, (g, result))

    def call(g_row: Array, answer: Array, *arguments: Array) -> None:
        g_row = g_row if entry.shape else np.reshape(g_row, ())
        arguments[-1][...] = operation.pull(index, g_row, answer, arguments[:-1], shapes)

    columns = [column(storage, arg, cells=False) for arg in entry.args]
    answer = Column(storage.arrays[slot], slice(0, len(storage.arrays[slot])), cells=False)
    return Step(entry.equation, call, (g, answer, *columns, result))


def _copy(source: Array, target: Array) -> None:
    np.copyto(target, source)
