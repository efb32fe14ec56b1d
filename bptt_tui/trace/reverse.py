"""The reverse sweep: ∂E/∂(slot) for every instruction and timestep, from the loss back.

Outside recurrences an instruction pulls back all timesteps at once. Inside, the slopes of elementwise operations
are computed for all timesteps beforehand, sums pass their gradient on without a copy, and only what must be
sequential runs in the loop over time. Gradients by parameters are not taken here: they are sums over uses
(`bptt_tui.trace.terms`), made from what this sweep leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.operations import Held
from bptt_tui.trace.adjoints import Adjoints, source_rows
from bptt_tui.trace.banks import Bank, Banks, beside, matrix_times_vector, stacked_weights
from bptt_tui.trace.forward import column, fused_argument
from bptt_tui.trace.loops import Column, Step, run
from bptt_tui.trace.program import Instruction, Leaf, Stage
from bptt_tui.trace.storage import Storage

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]


def reverse(storage: Storage, seed: Array, progress: Advance | None = None) -> Adjoints:
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
    answer, args = storage.recall(slot)
    for index, arg in enumerate(entry.args):
        if entry.operation.differentiable(index) and takes_gradient(storage, arg):
            adjoints.deposit(arg, entry.operation.pull(index, g, answer, args, entry.shapes))


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
    logits, read_rows = fused_argument(storage, slot)
    adjoints.deposit(inner.args[0], fused.fusion.pull(g, logits[read_rows], o, y, entry.shapes), rows)
    if entry.operation.differentiable(1) and takes_gradient(storage, entry.args[1]):
        value = entry.operation.pull(1, g, storage.arrays[slot], (o, y), entry.shapes)
        adjoints.deposit(entry.args[1], value)


def _loop(adjoints: Adjoints, stage: Stage, progress: Advance | None) -> None:
    """A recurrence, last timestep first; then what flows out of it, all timesteps at once."""
    storage = adjoints.storage
    program = storage.program
    loop = _Loop(adjoints, Banks(storage, stage), stage)
    run(loop.steps(), storage.unrolled.times, backward=True, progress=progress)
    for slot in stage.slots:
        entry = program.instruction(slot)
        for index, arg in enumerate(entry.args):
            leaves = takes_gradient(storage, arg) and loop.banks.target(arg) is None
            if leaves and entry.operation.differentiable(index):
                value = entry.operation.pull(index, adjoints.arrays[slot], *storage.recall(slot), entry.shapes)
                adjoints.deposit(arg, value)


class _Loop:
    """The calls of one timestep of a recurrence, backward.

    `feeds` counts the edges that bring a gradient to a slot inside the recurrence; a slot that has one, and
    nothing from outside, can be written to instead of added to.
    """

    def __init__(self, adjoints: Adjoints, banks: Banks, stage: Stage) -> None:
        self.adjoints = adjoints
        self.storage = adjoints.storage
        self.program = adjoints.storage.program
        self.banks = banks
        self.feeds = dict.fromkeys(stage.slots, 0)
        for slot in stage.slots:
            for target in self._targets(slot):
                if target is not None:
                    self.feeds[target[0]] += 1
        self.outside = {slot for slot in stage.slots if slot in adjoints.arrays}
        self.wholes: dict[Bank, Array] = {}
        for bank in banks.all:
            if bank.wide:
                self.wholes[bank] = adjoints.make_ready_beside(bank.slots)
            else:
                adjoints.make_ready(bank.slots[0], overwritten=self._lone(bank.slots[0]))

    def _targets(self, slot: int) -> list[tuple[int, int] | None]:
        """For every argument, the slot of this recurrence its gradient goes to, and the lag."""
        entry = self.program.instruction(slot)
        return [
            self.banks.target(arg) if entry.operation.differentiable(index) else None
            for index, arg in enumerate(entry.args)
        ]

    def _lone(self, slot: int, edges: int = 1) -> bool:
        return self.feeds[slot] == edges and slot not in self.outside

    def steps(self) -> list[Step]:
        """All calls, in order."""
        found: list[Step] = []
        for bank in reversed(self.banks.all):
            columns = zip(*(self._targets(slot) for slot in bank.slots), strict=True)
            for index, targets in enumerate(columns):
                if any(targets):
                    found.extend(self._bank_steps(bank, index, targets))
        return found

    def _bank_steps(self, bank: Bank, index: int, targets: tuple[tuple[int, int] | None, ...]) -> list[Step]:
        """The calls that bring a gradient from a bank to one argument of each of its slots."""
        operation = self.program.instruction(bank.slots[0]).operation
        if bank.wide and operation.held is not None and targets[0] is not None:
            return self._product(bank, operation.held, targets[0][0])
        if all(target is not None and target[1] == 0 and self._lone(target[0]) for target in targets):
            slots = tuple(target[0] for target in targets if target is not None)
            slope = operation.slopes[index] if operation.slopes else None
            same_shapes = all(self._keeps_shape(slot, index) for slot in bank.slots)
            if slope == 1.0 and same_shapes and self.banks.of[slots[0]].slots == slots and self._share(bank, slots):
                return []
            inner = self.banks.range_of(slots)
            if bank.wide and inner is not None and same_shapes:
                return [self._slopes(bank, index, self.wholes.get(inner[0]), inner[1:])]
        found: list[Step] = []
        for slot, target in zip(bank.slots, targets, strict=True):
            if target is not None:
                lone, alone = self._lone(target[0]), not self.banks.of[target[0]].wide
                found.extend(_pull_steps(self.adjoints, slot, index, overwrite=lone, replace=alone))
        return found

    def _keeps_shape(self, slot: int, index: int) -> bool:
        entry = self.program.instruction(slot)
        return entry.shapes[index] == entry.shape

    def _share(self, bank: Bank, slots: tuple[int, ...]) -> bool:
        """A sum and its argument have the same adjoint: let them share one array. Not with initial values in
        front."""
        names = [self.program.instruction(slot).equation for slot in slots if slot in self.program.roots]
        targets = [self.storage.unrolled.network.equations[equation].target for equation in names]
        if any(self.storage.ahead(name) for name in targets):
            return False
        if bank.wide:
            self.wholes[self.banks.of[slots[0]]] = self.wholes[bank]
        for own, slot in zip(bank.slots, slots, strict=True):
            self.adjoints.share(own, slot)
        return True

    def _product(self, bank: Bank, held: Held, target: int) -> list[Step]:
        """Several products with one vector: one product with all matrices."""
        entry = self.program.instruction(bank.slots[0])
        whole = self.wholes[bank]
        g = Column(whole, slice(0, len(whole)))
        result = self.adjoints.column(entry.args[1])
        pull = held.pull(stacked_weights(self.storage, bank))
        if self._lone(target, len(bank.slots)):
            return [Step(entry.equation, pull, (g, result))]
        into = Column(np.empty(entry.shapes[1], self.storage.dtype), None)
        return [Step(entry.equation, pull, (g, into)), Step(entry.equation, np.add, (result, into, result))]

    def _slopes(self, bank: Bank, index: int, target: Array | None, columns: tuple[int, int]) -> Step:
        """Elementwise operations side by side: one product with all their slopes."""
        assert target is not None
        storage = self.storage
        whole = self.wholes[bank]
        slopes = []
        for slot in bank.slots:
            entry = self.program.instruction(slot)
            slope = entry.operation.slope(index, *storage.recall(slot), entry.shapes)
            slopes.append(np.full(entry.shape, slope) if isinstance(slope, float) else slope)
        result = Column(target[:, columns[0] : columns[1]], slice(0, len(whole)))
        equation = self.program.instruction(bank.slots[0]).equation
        g = Column(whole, slice(0, len(whole)))
        return Step(equation, np.multiply, (g, beside(slopes, len(whole)), result))


def _pull_steps(adjoints: Adjoints, slot: int, index: int, *, overwrite: bool, replace: bool) -> list[Step]:
    """The calls that bring a gradient from `slot` to its argument, one timestep at a time.

    `overwrite`: it is all that the argument gets; `replace`: and no other array depends on where it is kept.
    """
    storage = adjoints.storage
    entry = storage.program.instruction(slot)
    arg = entry.args[index]
    g = Column(adjoints.arrays[slot], slice(0, len(adjoints.arrays[slot])))
    slope = _slope(storage, slot, index)
    if overwrite and replace and slope is not None and _expendable(storage, slot, index, slope):
        # g · slope is written over the slopes: fresh memory costs more than the product.
        adjoints.put(arg, slope)
        product = Column(slope, slice(0, len(slope)))
        return [Step(entry.equation, np.multiply, (g, product, product))]
    result = adjoints.column(arg)
    if overwrite:
        return [_pull_step(storage, slot, index, slope, g, result)]
    into = Column(np.empty(entry.shapes[index] or (1,), storage.dtype), None)
    add = Step(entry.equation, np.add, (result, into, result))
    return [_pull_step(storage, slot, index, slope, g, into), add]


def _slope(storage: Storage, slot: int, index: int) -> Array | None:
    """The slopes of an elementwise operation at all timesteps, where they have the argument's shape and vary."""
    entry = storage.program.instruction(slot)
    operation = entry.operation
    if not operation.elementwise or entry.shapes[index] != entry.shape or isinstance(operation.slopes[index], float):
        return None
    slope = operation.slope(index, *storage.recall(slot), entry.shapes)
    assert not isinstance(slope, float)
    return slope


def _expendable(storage: Storage, slot: int, index: int, slope: Array) -> bool:
    """Whether slopes are numbers of their own, not a value of the network, and can become an adjoint."""
    entry = storage.program.instruction(slot)
    full = (storage.times(entry.equation).count, *entry.shape)
    if not isinstance(storage.program.slots[entry.args[index]], Instruction) or slope.shape != full:
        return False
    answer, args = storage.recall(slot)
    owned = slope.flags.owndata and slope.dtype == storage.dtype
    return owned and not any(np.may_share_memory(slope, array) for array in (answer, *args))


def _pull_step(storage: Storage, slot: int, index: int, slope: Array | None, g: Column, result: Column) -> Step:
    """One call per timestep: g · ∂ans/∂arg → result."""
    entry = storage.program.instruction(slot)
    operation, shapes = entry.operation, entry.shapes
    if slope is not None:
        varying = slope.ndim > len(entry.shape)
        rows = slice(0, len(slope)) if varying else None
        if varying and slope.shape[1:] != entry.shape:
            slope = np.broadcast_to(slope, (len(slope), *entry.shape))
        return Step(entry.equation, np.multiply, (g, Column(slope, rows), result))
    if operation.elementwise and shapes[index] == entry.shape:
        return Step(entry.equation, _copy if operation.slopes[index] == 1.0 else np.negative, (g, result))
    if index == 1 and operation.held is not None and matrix_times_vector(storage.program, entry):
        return Step(entry.equation, operation.held.pull(storage.arrays[entry.args[0]]), (g, result))

    recalled = [column(storage, arg, cells=False) for arg in entry.args] if operation.recalls_args else []
    if operation.recalls_result:
        recalled.insert(0, Column(storage.arrays[slot], slice(0, len(storage.arrays[slot])), cells=False))

    def call(g_row: Array, *arguments: Array) -> None:
        g_row = g_row if entry.shape else np.reshape(g_row, ())
        answer = arguments[0] if operation.recalls_result else g_row
        args = arguments[1:-1] if operation.recalls_result else arguments[:-1]
        arguments[-1][...] = operation.pull(index, g_row, answer, args, shapes)

    return Step(entry.equation, call, (g, *recalled, result))


def _copy(source: Array, target: Array) -> None:
    np.copyto(target, source)
