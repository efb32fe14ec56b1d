"""∂E/∂p as the sum of its contributions ∂E/∂p_t, in the order the backward pass takes them: last timestep first.

A parameter meets the network where an instruction reads it; there the contribution at t is the instruction's
pullback at t. For scalars, vectors and short sequences all terms are added one after the other, so that the
numbers shown add up to the number shown. For a weight matrix over many timesteps a term per t would not fit:
terms are outer products made on demand, and the sum is taken in blocks, each one matrix product over time. Either
way the running sum after the last term is the gradient, bit for bit, because it is the same computation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.network import Timesteps
from bptt_tui.trace.program import Instruction, Leaf, Program
from bptt_tui.trace.reverse import Adjoints
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]
SMALL = 1 << 16
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Touch:
    """An instruction that varies in time, reading a value that does not and that depends on the parameter."""

    slot: int
    index: int
    equation: int


def touches(program: Program, parameter: str) -> tuple[Touch, ...]:
    """Every place where a parameter enters the timesteps, in the order of the equations."""
    dependent = {
        number
        for number, slot in enumerate(program.slots)
        if isinstance(slot, Leaf) and slot.name == parameter and not slot.read
    }
    found = []
    for number, slot in enumerate(program.slots):
        if not isinstance(slot, Instruction):
            continue
        for index, arg in enumerate(slot.args):
            if arg not in dependent or not slot.operation.differentiable(index):
                continue
            if slot.timed:
                found.append(Touch(number, index, slot.equation))
            else:
                dependent.add(number)
    return tuple(found)


class Terms:
    """The contributions of one parameter."""

    def __init__(self, parameter: str, storage: Storage, adjoints: Adjoints) -> None:
        self.parameter = parameter
        self._storage = storage
        self._adjoints = adjoints
        self._touches = [
            touch
            for touch in touches(storage.program, parameter)
            if storage.times(touch.equation).count and touch.slot in adjoints.arrays
        ]
        self.shape: Shape = storage.unrolled.values.parameters[parameter].shape
        self.times = self._union()

    def _union(self) -> Timesteps:
        every = [self._storage.times(equation) for equation in self.equations()]
        if not every:
            return Timesteps(0, 0)
        first = every[0]
        if all(times == first for times in every[1:]):
            return first
        mask = np.zeros(self._storage.unrolled.steps, dtype=np.bool_)
        for times in every:
            mask[times.array()] = True
        return Timesteps.of(mask)

    def equations(self) -> tuple[int, ...]:
        """The equations that read the parameter, as far as they exist."""
        program = self._storage.program
        found = touches(program, self.parameter)
        return tuple(dict.fromkeys(touch.equation for touch in found if self._storage.times(touch.equation).count))

    def slots(self) -> set[int]:
        """The intermediate values that contributions are made from."""
        program = self._storage.program
        return {slot for touch in self._touches for slot in (touch.slot, *program.instruction(touch.slot).args)}

    def at(self, t: int) -> Array | None:
        """∂E/∂p_t, or None where p is not used at t."""
        if self.times.row(t) is None:
            return None
        total: Array | None = None
        for touch in self._touches:
            row = self._storage.times(touch.equation).row(t)
            if row is not None:
                term = self._pull(touch, row)
                total = term if total is None else total + term
        return np.zeros(self.shape) if total is None else total

    @cached_property
    def _dense(self) -> bool:
        """Whether every term can be held: no more numbers than a node's own history takes."""
        widest = max((size(self._storage.program.slots[root].shape) for root in self._storage.program.roots), default=1)
        return self.times.count * size(self.shape) <= max(SMALL, self.times.count * widest)

    def _all(self) -> Array:
        """Every term, latest timestep first, `(uses, *shape)`."""
        total: Array = np.zeros((self.times.count, *self.shape), self._storage.dtype)
        for number, touch in enumerate(self._touches):
            times = self._storage.times(touch.equation)
            terms = self._pull(touch, slice(None))
            if number == 0 and times.count == self.times.count:
                total = np.broadcast_to(terms, total.shape)
            elif times.count == self.times.count:
                total = total + terms
            else:
                total = total if total.flags.writeable else total.copy()
                total[np.searchsorted(self.times.array(), times.array())] += terms
        return total[::-1]

    @cached_property
    def total(self) -> Array:
        """∂E/∂p, of p's shape."""
        if not self._touches:
            return np.zeros(self.shape)
        if self._dense:
            return np.array(np.add.accumulate(self._all(), axis=0)[-1])
        return np.array(self._running_blocks(self.times.count))

    @cached_property
    def _cumulative(self) -> Array:
        result: Array = np.add.accumulate(self._all(), axis=0)
        return result

    def running(self, count: int) -> Array:
        """The sum of the first `count` ≥ 1 terms, latest timestep first."""
        if not self._touches:
            return np.zeros(self.shape)
        if self._dense:
            result: Array = self._cumulative[count - 1]
            return result
        return self._running_blocks(count)

    def norms(self) -> Array:
        """‖∂E/∂p_t‖ for every use, in time order."""
        if self._dense:
            flat = self._all()[::-1].reshape(self.times.count, -1)
            return np.asarray(np.sqrt(np.square(flat).sum(axis=1)))
        terms = (self.at(int(t)) for t in self.times.array())
        return np.array([np.sqrt(np.square(term).sum()) for term in terms if term is not None])

    @cached_property
    def _prefix(self) -> dict[int, Array]:
        """Sums of whole blocks, by the number of blocks; filled as they are asked for."""
        return {0: np.zeros(self.shape, self._storage.dtype)}

    def _block_length(self) -> int:
        return max(BLOCK, size(self.shape) // max(self.shape[-1], 1))

    def _running_blocks(self, count: int) -> Array:
        """The sum of `count` terms: whole blocks counted from the last timestep, then the rest of one."""
        length = self._block_length()
        blocks, rest = divmod(count, length)
        for block in range(len(self._prefix), blocks + 1):
            self._prefix[block] = self._prefix[block - 1] + self._block((block - 1) * length, block * length)
        whole = self._prefix[blocks]
        return whole if rest == 0 else whole + self._block(blocks * length, count)

    def _block(self, first: int, stop: int) -> Array:
        """The sum of terms number first … stop-1, counted from the last timestep."""
        late, early = (
            self.times.at_row(self.times.count - 1 - first),
            self.times.at_row(self.times.count - stop),
        )
        total: Array = np.zeros(self.shape, self._storage.dtype)
        for touch in self._touches:
            moments = self._storage.times(touch.equation).array()
            low, high = np.searchsorted(moments, early), np.searchsorted(moments, late, side="right")
            if high > low:
                total = total + self._pull_total(touch, slice(int(low), int(high)))
        return total

    def _pull(self, touch: Touch, rows: slice | int) -> Array:
        """The touch's terms at some rows, `(rows, *shape)`, or at one row."""
        g, answer, args, entry = self._at(touch, rows)
        value = entry.operation.pull(touch.index, g, answer, args, entry.shapes)
        return self._through_untimed(entry.args[touch.index], value)

    def _pull_total(self, touch: Touch, rows: slice) -> Array:
        g, answer, args, entry = self._at(touch, rows)
        value = entry.operation.pull_total(touch.index, g, answer, args, entry.shapes)
        return self._through_untimed(entry.args[touch.index], value)

    def _at(self, touch: Touch, rows: slice | int) -> tuple[Array, Array, tuple[Array, ...], Instruction]:
        storage = self._storage
        entry = storage.program.instruction(touch.slot)
        args = tuple(storage.get(arg)[rows] if storage.program.timed(arg) else storage.get(arg) for arg in entry.args)
        return self._adjoints.arrays[touch.slot][rows], storage.arrays[touch.slot][rows], args, entry

    def _through_untimed(self, slot: int, g: Array) -> Array:
        """From a value computed once from parameters, such as `W * mask`, on to the parameter itself."""
        entry = self._storage.program.slots[slot]
        if isinstance(entry, Leaf):
            return g if entry.name == self.parameter else np.zeros(self.shape)
        total: Array = np.zeros(self.shape)
        args = self._storage.args(slot)
        for index, arg in enumerate(entry.args):
            if entry.operation.differentiable(index):
                value = entry.operation.pull(index, g, self._storage.arrays[slot], args, entry.shapes)
                total = total + self._through_untimed(arg, value)
        return total
