"""∂E/∂p as the sum of its contributions ∂E/∂p_t, in the order the backward pass takes them: last timestep first.

A parameter meets the network where an instruction reads it; there the contribution at t is the instruction's
pullback at t. For scalars, vectors and short sequences all terms are added one after the other, so that the
numbers shown add up to the number shown. For a weight matrix over many timesteps a term per t would not fit:
terms are outer products made on demand, and the sum is taken in blocks, each one matrix product over time. Either
way the running sum after the last term is the gradient, bit for bit, because it is the same computation.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.network import Timesteps
from bptt_tui.trace.adjoints import Adjoints
from bptt_tui.trace.program import Instruction, Leaf, Program
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]
SMALL = 1 << 16
BLOCK = 512
ROW = 32  # numbers from which on adding up row by row is quicker than NumPy's accumulate


class Touch(Struct, frozen=True):
    """An instruction that varies in time, reading a value that does not and that depends on the parameter."""

    slot: int
    index: int
    equation: int


def touches(program: Program, parameter: str) -> tuple[list[Touch], set[int]]:
    """Every place where a parameter enters the timesteps, in the order of the equations.

    With the slots that depend on it and do not vary in time: itself, and values such as `W * mask`.
    """
    found: list[Touch] = []
    dependent: set[int] = set()
    for number, slot in enumerate(program.slots):
        if isinstance(slot, Leaf):
            if slot.name == parameter and not slot.read:
                dependent.add(number)
            continue
        for index, arg in enumerate(slot.args):
            if arg not in dependent or not slot.operation.differentiable(index):
                continue
            if slot.timed:
                found.append(Touch(number, index, slot.equation))
            else:
                dependent.add(number)
    return found, dependent


class Terms:
    """The contributions of one parameter."""

    def __init__(self, parameter: str, storage: Storage, adjoints: Adjoints) -> None:
        self.parameter = parameter
        self._storage = storage
        self._adjoints = adjoints
        found, self._dependent = touches(storage.program, parameter)
        found = [touch for touch in found if storage.times(touch.equation).count]
        self._equations = tuple(dict.fromkeys(touch.equation for touch in found))
        self._touches = [touch for touch in found if touch.slot in adjoints.arrays]
        self.shape: Shape = storage.unrolled.values.parameters[parameter].shape
        self.times = self._union()

    def _union(self) -> Timesteps:
        every = [self._storage.times(equation) for equation in self._equations]
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
        return self._equations

    def slots(self) -> set[int]:
        """The intermediate values that contributions are made from."""
        program = self._storage.program
        return {slot for touch in self._touches for slot in (touch.slot, *program.instruction(touch.slot).args)}

    def at(self, t: int) -> Array | None:
        """∂E/∂p_t, or None where p is not used at t."""
        place = self.times.row(t)
        if place is None:
            return None
        with np.errstate(all="ignore"):
            if self._dense and self._touches:
                # The very rows that are added up: pulled back one by one they could differ in the last bit.
                return np.asarray(self._latest_first[self.times.count - 1 - place])
            total: Array | None = None
            for touch in self._touches:
                row = self._storage.times(touch.equation).row(t)
                if row is not None:
                    term = self._pull(touch, row)
                    total = term if total is None else total + term
        return np.zeros(self.shape) if total is None else total

    @cached_property
    def _dense(self) -> bool:
        """Whether the terms are few enough to be added one after the other."""
        return self.times.count * size(self.shape) <= SMALL

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
        total = self._running_blocks(self.times.count)
        return total.copy() if any(total is kept for kept in self._prefix.values()) else total

    @cached_property
    def _latest_first(self) -> Array:
        return self._all()

    @cached_property
    def _cumulative(self) -> Array:
        result: Array = np.add.accumulate(self._latest_first, axis=0)
        return result

    def running(self, count: int) -> Array:
        """The sum of the first `count` ≥ 1 terms, latest timestep first."""
        if not self._touches:
            return np.zeros(self.shape)
        with np.errstate(all="ignore"):
            result: Array = self._cumulative[count - 1] if self._dense else self._running_blocks(count)
        return result

    def between(self, rows: slice) -> Array:
        """The terms at a run of uses, in time order, `(uses, *shape)`: some at a time where all would not fit."""
        with np.errstate(all="ignore"):
            if self._dense:
                return self._latest_first[::-1][rows]
            first, stop, _ = rows.indices(self.times.count)
            return self._between(self.times.at_row(first), self.times.at_row(stop - 1))

    def running_between(self, first: int, stop: int, before: Array | None = None) -> Array:
        """The sums of the first + 1 … stop terms, latest timestep first, `(sums, *shape)`.

        They are `running` of each but for rounding, as that adds blocks of terms for a large parameter. `before` is the
        sum of the first terms, if it is at hand.
        """
        last = self.times.count
        with np.errstate(all="ignore"):
            sums = np.array(self.between(slice(last - stop, last - first))[::-1])
            if first:
                sums[0] = (self.running(first) if before is None else before) + sums[0]
            if size(self.shape) < ROW:
                return np.asarray(np.add.accumulate(sums, axis=0))
            for earlier, later in pairwise(sums):
                np.add(earlier, later, out=later)
        return sums

    def norms(self) -> Array:
        """‖∂E/∂p_t‖ for every use, in time order; terms are made a few at a time."""
        factors = self._outer_factors()
        if factors is not None:
            with np.errstate(all="ignore"):
                return np.asarray(norm(factors[0], 1) * norm(factors[1], 1))
        moments = self.times.array()
        length = max(SMALL // size(self.shape), 1)
        norms = np.zeros(self.times.count)
        for start in range(0, self.times.count, length):
            terms = self._between(moments[start], moments[min(start + length, self.times.count) - 1])
            norms[start : start + length] = norm(terms.reshape(len(terms), -1), 1)
        return norms

    def _outer_factors(self) -> tuple[Array, Array] | None:
        """δ and x over time where every term is δ_t ⊗ x_t, so that its norm is a product of norms."""
        if len(self._touches) != 1:
            return None
        touch = self._touches[0]
        entry = self._storage.program.instruction(touch.slot)
        ranks = tuple(len(shape) for shape in entry.shapes)
        direct = isinstance(self._storage.program.slots[entry.args[0]], Leaf)
        if entry.operation.name != "matmul" or ranks != (2, 1) or touch.index != 0 or not direct:
            return None
        other = entry.args[1]
        if not self._storage.program.timed(other):
            return None
        return self._adjoints.arrays[touch.slot], self._storage.get(other)

    @property
    def outer_vectors(self) -> Array | None:
        """x `(uses, n)` where every term is g_t ⊗ x_t for the one touch's gradient g_t; None where it is not so."""
        factors = self._outer_factors()
        return None if factors is None else factors[1]

    def _between(self, early: int, late: int) -> Array:
        """The terms of timesteps early … late, in time order."""
        moments = self.times.array()
        low, high = np.searchsorted(moments, early), np.searchsorted(moments, late, side="right")
        total = np.zeros((int(high - low), *self.shape), self._storage.dtype)
        for touch in self._touches:
            own = self._storage.times(touch.equation).array()
            first, stop = np.searchsorted(own, early), np.searchsorted(own, late, side="right")
            if stop > first:
                rows = np.searchsorted(moments[low:high], own[first:stop])
                total[rows] += self._pull(touch, slice(int(first), int(stop)))
        return total

    @cached_property
    def _prefix(self) -> dict[int, Array]:
        """Sums of whole blocks, by the number of blocks; filled as they are asked for."""
        return {}

    def _block_length(self) -> int:
        return max(BLOCK, size(self.shape[:-1]))

    def _running_blocks(self, count: int) -> Array:
        """The sum of `count` terms: whole blocks counted from the last timestep, then the rest of one."""
        length = self._block_length()
        blocks, rest = divmod(count, length)
        for block in range(len(self._prefix) + 1, blocks + 1):
            self._prefix[block] = self._onto(block - 1, self._block((block - 1) * length, block * length))
        return self._prefix[blocks] if rest == 0 else self._onto(blocks, self._block(blocks * length, count))

    def _onto(self, blocks: int, rest: Array) -> Array:
        """The sum of whole blocks and `rest`, which is written over."""
        if blocks:
            rest += self._prefix[blocks]
        return rest

    def _block(self, first: int, stop: int) -> Array:
        """The sum of terms number first … stop-1, counted from the last timestep."""
        late, early = (
            self.times.at_row(self.times.count - 1 - first),
            self.times.at_row(self.times.count - stop),
        )
        total: Array | None = None
        for touch in self._touches:
            rows = self._storage.times(touch.equation).rows_between(early, late)
            if rows.stop > rows.start:
                value = self._pull_total(touch, rows)
                if total is None:
                    # What is added up here is added to in place.
                    total = value if value.flags.owndata and value.flags.writeable else value.copy()
                else:
                    total += value
        return np.zeros(self.shape, self._storage.dtype) if total is None else total

    @property
    def touches(self) -> tuple[Touch, ...]:
        """Where the parameter enters the timesteps, as far as a gradient reaches it there."""
        return tuple(self._touches)

    def pull(self, touch: Touch, row: int | slice, g: Array) -> Array:
        """g · ∂slot/∂p at one row of a touch's slot, for any g of the slot's shape behind a leading axis.

        Or at several rows, for a g per row.
        """
        _, answer, args, entry = self._at(touch, row)
        value = entry.operation.pull(touch.index, g, answer, args, entry.shapes)
        return self._through_untimed(entry.args[touch.index], value)

    def pull_total(self, touch: Touch, g: Array) -> Array:
        """Σ_t g_t · ∂slot_t/∂p over all rows of a touch's slot, for any g `(rows, *shape)`; of p's shape."""
        _, answer, args, entry = self._at(touch, slice(None))
        value = entry.operation.pull_total(touch.index, g, answer, args, entry.shapes)
        return self._through_untimed(entry.args[touch.index], value)

    def pull_totals(self, touch: Touch, g: Array, rows: slice = slice(None)) -> Array:
        """`pull_total` of several gradients at once: `(rows, several, *shape)` to `(several, *p's shape)`.

        The rows are all of the touch's slot, or some.
        """
        _, answer, args, entry = self._at(touch, rows)
        operation, ranks = entry.operation, tuple(map(len, entry.shapes))
        if operation.name == "matmul" and ranks == (2, 1) and touch.index == 0 and args[1].ndim == 2:
            # Σ_t g_t ⊗ x_t for all of them is one matrix product.
            sums = g.reshape(len(g), -1).T @ args[1]
            values = list(sums.reshape(*g.shape[1:], -1))
        else:
            pull = operation.pull_total
            values = [pull(touch.index, g[:, one], answer, args, entry.shapes) for one in range(g.shape[1])]
        through = [self._through_untimed(entry.args[touch.index], value) for value in values]
        return np.array(through).reshape(len(through), *self.shape)

    def slopes(self, touch: Touch) -> Array | None:
        """∂slot_t/∂p for all rows of a touch's slot, `(rows,)`, where both are numbers and the slot reads p itself."""
        entry = self._storage.program.instruction(touch.slot)
        direct = isinstance(self._storage.program.slots[entry.args[touch.index]], Leaf)
        if not direct or not entry.operation.elementwise or any(entry.shapes):
            return None
        return np.asarray(self.pull(touch, slice(None), np.ones(self._storage.times(touch.equation).count)))

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
        answer, args = storage.recall(touch.slot)
        if entry.operation.recalls_result:
            answer = answer[rows]
        args = tuple(a[rows] if storage.program.timed(arg) else a for a, arg in zip(args, entry.args, strict=False))
        return self._adjoints.arrays[touch.slot][rows], answer, args, entry

    def _through_untimed(self, slot: int, g: Array) -> Array:
        """From a value computed once from parameters, such as `W * mask`, on to the parameter itself."""
        entry = self._storage.program.slots[slot]
        if isinstance(entry, Leaf):
            return g
        total: Array = np.zeros(self.shape)
        args = self._storage.args(slot)
        for index, arg in enumerate(entry.args):
            if arg in self._dependent and entry.operation.differentiable(index):
                value = entry.operation.pull(index, g, self._storage.arrays[slot], args, entry.shapes)
                total = total + self._through_untimed(arg, value)
        return total
