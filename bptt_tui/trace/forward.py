"""The forward pass: every node's value, all timesteps at once wherever no recurrence forbids it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.trace.banks import Bank, Banks, beside, matrix_times_vector, stacked_weights
from bptt_tui.trace.loops import Column, Step, run
from bptt_tui.trace.program import Instruction, Leaf
from bptt_tui.trace.storage import Storage

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]


def forward(storage: Storage, progress: Advance | None = None) -> None:
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
            _batch(storage, slot, entry)


def _batch(storage: Storage, slot: int, entry: Instruction) -> None:
    """An instruction for all timesteps of its equation in one call."""
    fused = storage.program.fused.get(slot)
    if fused is not None:
        logits, rows = fused_argument(storage, slot)
        storage.put(slot, fused.fusion.evaluate(logits[rows], storage.get(entry.args[1]), entry.shapes))
    elif entry.operation.ufunc is not None:
        entry.operation.evaluate_into(storage.args(slot), entry.shapes, storage.allocate(slot))
    else:
        storage.put(slot, entry.operation.evaluate(storage.args(slot), entry.shapes))


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
    if slot in storage.rows_passing:
        return Column(storage.rows_passing[slot], None, cells)
    array = storage.arrays[slot]
    return Column(array, slice(0, len(array)) if storage.program.timed(slot) else None, cells)


def _steps(storage: Storage, banks: Banks) -> list[Step]:
    """The calls that compute one timestep of a recurrence, one per bank."""
    wholes: dict[Bank, Array] = {}
    given: dict[Bank, dict[int, Column]] = {}
    for bank in banks.all:
        if bank.wide:
            given[bank] = _given(storage, banks, bank)
        if all(storage.program.passing(slot) and storage.program.slots[slot].shape for slot in bank.slots):
            wholes[bank] = storage.allocate_row(bank.slots)
        elif bank.wide:
            spent = (column.array for column in given[bank].values() if column.index is not None)
            wholes[bank] = storage.allocate_beside(bank.slots, next(spent, None))
        else:
            storage.allocate(bank.slots[0])
    return [
        _bank_step(storage, banks, bank, wholes, given[bank]) if bank.wide else _step(storage, bank.slots[0])
        for bank in banks.all
    ]


def _given(storage: Storage, banks: Banks, bank: Bank) -> dict[int, Column]:
    """The arguments of a bank that come from outside, by their place: each side by side in an array of its own."""
    entries = [storage.program.instruction(slot) for slot in bank.slots]
    found: dict[int, Column] = {}
    if entries[0].operation.held is not None:
        return found
    for place, args in enumerate(zip(*(entry.args for entry in entries), strict=True)):
        if all(banks.target(arg) is None for arg in args):
            found[place] = beside([storage.get(arg) for arg in args], storage.times(entries[0].equation).count)
            for arg in args:
                if storage.program.passing(arg):
                    del storage.arrays[arg]
    return found


def _bank_step(storage: Storage, banks: Banks, bank: Bank, wholes: dict[Bank, Array], given: dict[int, Column]) -> Step:
    """One call for all slots of a bank."""
    program = storage.program
    entries = [program.instruction(slot) for slot in bank.slots]
    result = _part(wholes[bank])
    operation = entries[0].operation
    if operation.held is not None:
        vector = column(storage, entries[0].args[1])
        product = operation.held.evaluate(stacked_weights(storage, bank))
        return Step(entries[0].equation, product, (vector, result))
    assert operation.ufunc is not None
    columns = []
    for place, args in enumerate(zip(*(entry.args for entry in entries), strict=True)):
        if place in given:
            columns.append(given[place])
            continue
        inner = banks.range_of([target[0] if target else None for target in map(banks.target, args)])
        assert inner is not None
        source, start, stop = inner
        columns.append(_part(wholes[source][..., start:stop]))
    return Step(entries[0].equation, operation.ufunc, (*columns, result))


def _part(whole: Array) -> Column:
    """Numbers of a bank as an argument: a row per timestep, or the one row of what is only passed on."""
    return Column(whole, None if whole.ndim == 1 else slice(0, len(whole)))


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
