"""The forward pass: every node's value, all timesteps at once wherever no recurrence forbids it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.trace.banks import Bank, Banks, beside, matrix_times_vector, stacked_weights
from bptt_tui.trace.loops import Column, Step, run
from bptt_tui.trace.program import Instruction, Leaf
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]
Progress = Callable[[int], None]


def forward(storage: Storage, progress: Progress | None = None) -> None:
    """Fill `storage` with the value of every slot."""
    program = storage.program
    for slot in program.untimed:
        entry = program.instruction(slot)
        storage.arrays[slot] = entry.operation.evaluate(storage.args(slot), entry.shapes)
    for stage in program.stages:
        if stage.loop:
            run(_steps(storage, Banks(storage, stage)), storage.unrolled.times, progress=progress)
            continue
        (slot,) = stage.slots
        entry = program.instruction(slot)
        if storage.times(entry.equation).count == 0:
            storage.put(slot, np.empty((0, *entry.shape), storage.dtype))
        else:
            storage.put(slot, _batch(storage, slot, entry))


def _batch(storage: Storage, slot: int, entry: Instruction) -> Array:
    """An instruction for all timesteps of its equation in one call."""
    fused = storage.program.fused.get(slot)
    if fused is not None:
        logits, rows = fused_argument(storage, slot)
        return fused.fusion.evaluate(logits[rows], storage.get(entry.args[1]), entry.shapes)
    return entry.operation.evaluate(storage.args(slot), entry.shapes)


def fused_argument(storage: Storage, outer: int) -> tuple[Array, Any]:
    """The argument of the softmax (or sigmoid) that a fused loss reads, and the rows of it that the loss uses."""
    program = storage.program
    fused = program.fused[outer]
    inner = program.instruction(fused.inner)
    read = program.slots[program.instruction(outer).args[0]]
    rows: Any = slice(None)
    if isinstance(read, Leaf):
        rows = storage.times(inner.equation).rows_from(storage.times(read.equation), 0, 0)
    return storage.get(inner.args[0]), rows


def column(storage: Storage, slot: int, *, cells: bool = True) -> Column:
    """A slot as an argument of the calls in a loop over its equation's rows."""
    entry = storage.program.slots[slot]
    if isinstance(entry, Leaf) and entry.read:
        assert entry.name is not None
        return Column(storage.with_initial[entry.name], storage.rows(entry), cells)
    array = storage.arrays[slot]
    return Column(array, slice(0, len(array)) if storage.program.timed(slot) else None, cells)


def _steps(storage: Storage, banks: Banks) -> list[Step]:
    """The calls that compute one timestep of a recurrence, one per bank."""
    wholes: dict[Bank, Array] = {}
    for bank in banks.all:
        if bank.wide:
            wholes[bank] = storage.allocate_beside(bank.slots)
        else:
            storage.allocate(bank.slots[0])
    return [
        _bank_step(storage, banks, bank, wholes) if bank.wide else _step(storage, bank.slots[0]) for bank in banks.all
    ]


def _bank_step(storage: Storage, banks: Banks, bank: Bank, wholes: dict[Bank, Array]) -> Step:
    """One call for all slots of a bank."""
    program = storage.program
    entries = [program.instruction(slot) for slot in bank.slots]
    count = storage.times(entries[0].equation).count
    result = Column(wholes[bank], slice(0, count))
    operation = entries[0].operation
    if operation.held is not None:
        vector = column(storage, entries[0].args[1])
        product = operation.held.evaluate(stacked_weights(storage, bank))
        return Step(entries[0].equation, product, (vector, result))
    assert operation.ufunc is not None
    columns = []
    for args in zip(*(entry.args for entry in entries), strict=True):
        found = [banks.target(arg) for arg in args]
        inner = banks.range_of([target[0] if target else None for target in found])
        if inner is None:
            columns.append(beside([storage.get(arg) for arg in args], count))
        else:
            source, start, stop = inner
            columns.append(Column(wholes[source][:, start:stop], slice(0, count)))
    return Step(entries[0].equation, operation.ufunc, (*columns, result))


def _step(storage: Storage, slot: int) -> Step:
    entry = storage.program.instruction(slot)
    operation = entry.operation
    ufunc = operation.ufunc
    result = column(storage, slot)
    if ufunc is not None:
        return Step(entry.equation, ufunc, (*(column(storage, arg) for arg in entry.args), result))
    if operation.held is not None and matrix_times_vector(storage.program, entry):
        weights, vector = entry.args
        product = operation.held.evaluate(storage.arrays[weights])
        return Step(entry.equation, product, (column(storage, vector), result))
    shapes = entry.shapes

    def call(*arguments: Array) -> None:
        arguments[-1][...] = operation.evaluate(arguments[:-1], shapes)

    columns = (column(storage, arg, cells=False) for arg in entry.args)
    return Step(entry.equation, call, (*columns, result))
