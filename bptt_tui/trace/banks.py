"""Siblings inside a recurrence, computed side by side.

The four gates of an LSTM are four products with the same h, four sums, three sigmoids and a tanh: at every
timestep the same call on neighbouring numbers. A bank is such a set of slots: their arrays lie side by side in
one array, and one call per timestep serves them all. This changes no number, only how many calls a timestep
costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from msgspec import Struct

from bptt_tui.calculus import alignment
from bptt_tui.trace.loops import Column
from bptt_tui.trace.program import Instruction, Leaf, Program, Stage
from bptt_tui.trace.storage import Array, Storage


class Bank(Struct, frozen=True):
    """Slots that one call computes; most banks hold a single slot. `starts[i]` is where slot i's columns begin."""

    slots: tuple[int, ...]
    starts: tuple[int, ...] = (0,)

    @property
    def wide(self) -> bool:
        """Whether there is more than one slot."""
        return len(self.slots) > 1


class Banks:
    """The slots of a recurrence in banks, in an order in which they can be computed at one timestep."""

    def __init__(self, storage: Storage, stage: Stage) -> None:
        self._storage = storage
        self._program = storage.program
        self._inside = set(stage.slots)
        self.of: dict[int, Bank] = {}
        self.all: list[Bank] = []
        times = storage.unrolled.times
        together = len({times[self._program.slots[slot].equation] for slot in stage.slots}) == 1
        if not together:
            self._settle([(slot,) for slot in stage.slots])
            return
        for level in self._levels(stage):
            self._settle(self._grouped(level))

    def target(self, arg: int) -> tuple[int, int] | None:
        """The slot of this recurrence that an argument leads to and the timesteps between them, if any."""
        return loop_target(self._program, arg, self._inside)

    def range_of(self, slots: Sequence[int | None]) -> tuple[Bank, int, int] | None:
        """The bank in which these slots stand side by side, and the columns they take."""
        if None in slots:
            return None
        bank = self.of.get(slots[0])  # type: ignore[arg-type]
        if bank is None or slots[0] not in bank.slots:
            return None
        first = bank.slots.index(slots[0])
        if tuple(slots) != bank.slots[first : first + len(slots)]:
            return None
        last = self._program.slots[bank.slots[first + len(slots) - 1]]
        start = bank.starts[first]
        return bank, start, bank.starts[first + len(slots) - 1] + last.shape[0] if last.shape else start + 1

    def _settle(self, groups: list[tuple[int, ...]]) -> None:
        for slots in groups:
            widths = [self._program.slots[slot].shape for slot in slots]
            starts = np.cumsum([0, *(shape[0] if shape else 1 for shape in widths[:-1])])
            bank = Bank(slots, tuple(int(start) for start in starts))
            self.all.append(bank)
            self.of.update(dict.fromkeys(slots, bank))

    def _levels(self, stage: Stage) -> list[list[int]]:
        """Slots by how many slots of the same timestep must come before them."""
        level: dict[int, int] = {}
        for slot in stage.slots:
            feeding = [self.target(arg) for arg in self._program.instruction(slot).args]
            level[slot] = 1 + max((level[found[0]] for found in feeding if found and found[1] == 0), default=-1)
        return [[s for s in stage.slots if level[s] == n] for n in range(max(level.values()) + 1)]

    def _grouped(self, slots: list[int]) -> list[tuple[int, ...]]:
        kinds: dict[object, list[int]] = {}
        for slot in slots:
            kinds.setdefault(self._kind(slot), []).append(slot)
        groups: list[tuple[int, ...]] = []
        for kind, members in kinds.items():
            if kind == ("single", members[0]):
                groups.append((members[0],))
            else:
                groups.extend(self._side_by_side(members))
        return groups

    def _kind(self, slot: int) -> object:
        """Slots of one kind can share a call, as far as their arguments stand side by side."""
        entry = self._program.instruction(slot)
        network = self._storage.unrolled.network
        is_root = self._program.roots[entry.equation] == slot
        if len(entry.shape) != 1 or (is_root and self._storage.ahead(network.equations[entry.equation].target)):
            return "single", slot
        if matrix_times_vector(self._program, entry):
            vector = self._program.slots[entry.args[1]]
            key = (vector.name, vector.lag) if isinstance(vector, Leaf) else entry.args[1]
            return "matmul", key
        if entry.operation.ufunc is None or any(shape != entry.shape for shape in entry.shapes):
            return "single", slot
        classes = [self._source(arg) for arg in entry.args]
        return ("single", slot) if None in classes else (entry.operation.name, *classes)

    def _source(self, arg: int) -> object:
        """Where an argument comes from: a bank at the same timestep, or outside; None for an earlier timestep."""
        found = self.target(arg)
        if found is None:
            return "outside", self._program.timed(arg)
        return self.of[found[0]].slots if found[1] == 0 else None

    def _side_by_side(self, members: list[int]) -> list[tuple[int, ...]]:
        """Members in the order of their arguments, cut where an argument's neighbours are not neighbours."""
        places = {slot: self._places(slot) for slot in members}
        members = sorted(members, key=lambda slot: (places[slot], self._signature(slot), slot))
        runs: list[list[int]] = []
        for slot in members:
            before = runs[-1][-1] if runs else None
            if before is not None and all(b == a + 1 for a, b in zip(places[before], places[slot], strict=True)):
                runs[-1].append(slot)
            else:
                runs.append([slot])
        return [tuple(run) for run in runs]

    def _places(self, slot: int) -> tuple[int, ...]:
        """The places of a slot's arguments in their banks."""
        found = [self.target(arg) for arg in self._program.instruction(slot).args]
        return tuple(self.of[f[0]].slots.index(f[0]) for f in found if f is not None and f[1] == 0)

    def _signature(self, slot: int) -> tuple[str, ...]:
        """The operations that a slot's value goes through next, so that gates of one kind become neighbours."""
        if slot not in self._readers:
            return ()
        readers = self._readers[slot]
        if len(readers) != 1:
            return ()
        return (self._program.instruction(readers[0]).operation.name, *self._signature(readers[0]))

    @cached_property
    def _readers(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for slot in sorted(self._inside):
            for arg in self._program.instruction(slot).args:
                target = self.target(arg)
                if target is not None and target[1] == 0:
                    found.setdefault(target[0], []).append(slot)
        return found


def loop_target(program: Program, arg: int, inside: set[int]) -> tuple[int, int] | None:
    """The slot among `inside` that an argument leads to, and the lag; None where it leads out of the recurrence."""
    entry = program.slots[arg]
    if isinstance(entry, Instruction):
        return (arg, 0) if arg in inside else None
    if entry.source is None:
        return None
    root = program.roots[entry.source]
    return (root, entry.lag) if root in inside else None


def matrix_times_vector(program: Program, entry: Instruction) -> bool:
    """W @ h with one W for all timesteps, the common case inside a recurrence."""
    ranks = tuple(len(shape) for shape in entry.shapes)
    return entry.operation.held is not None and ranks == (2, 1) and not program.timed(entry.args[0])


def stacked_weights(storage: Storage, bank: Bank) -> Array:
    """The matrices of a bank of products on top of each other, `(Σm, k)`."""
    matrices = [storage.arrays[storage.program.instruction(slot).args[0]] for slot in bank.slots]
    if len(matrices) == 1:
        return matrices[0]
    rows = sum(len(matrix) for matrix in matrices)
    result: Array = np.concatenate(matrices, out=alignment.empty((rows, matrices[0].shape[1]), storage.dtype))
    return result


def beside(arrays: Sequence[Array], count: int) -> Column:
    """Vectors given outside the recurrence side by side, as one argument of a bank."""
    if all(array.ndim == 1 for array in arrays):
        return Column(np.concatenate(arrays), None)
    full = [np.broadcast_to(array, (count, array.shape[-1])) for array in arrays]
    return Column(np.concatenate(full, axis=1), slice(0, count))
