"""The reverse sweep of every loss step at once: one gradient flows back per loss step instead of their sum.

At each timestep, last to first, every operation is pulled back once for all loss steps that can reach it, as a batch
with the loss steps as its leading axis. So T loss steps cost as many calls as one, on larger arrays. What a sum of
losses hides is then visible: which loss sent what.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.kernels import tall_product
from bptt_tui.calculus.shapes import size
from bptt_tui.trace import Trace
from bptt_tui.trace.program import Instruction, Leaf, Program

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]
Pull = Callable[[int, int, Array, dict[int, Array]], None]
_NOTHING: Array = np.empty(0)


def unwatched(_count: int) -> Advance:
    """Nobody waits to hear."""
    return lambda _done: None


class Moment(NamedTuple):
    """What has arrived at timestep `t`: by slot, `(active, *shape)`, a row per group of loss steps, latest first.

    The groups whose loss steps all lie before `t` have no row, nor have those beyond a sweep's horizon: the rows are
    those of groups number `first` … `active` − 1, counted from the latest.
    """

    t: int
    active: int
    flows: dict[int, Array]
    first: int = 0


def sweep(
    trace: Trace,
    wanted: set[int],
    groups: Sequence[Sequence[int]],
    progress: Advance | None = None,
    horizon: int | None = None,
) -> Iterator[Moment]:
    """∂(Σ over a group of ∂total/∂E_t'·E_t')/∂slot for the `wanted` slots, from the last timestep to the first.

    `groups` are ascending sets of loss steps, latest group last; a row's gradient is that of its group's share of the
    total. Yields a Moment for each timestep at which a wanted slot is reached. With a `horizon` a group is followed
    over that many timesteps from its earliest loss step back, that one counted, and then given up: the work grows with
    the horizon, not with the number of loss steps. `progress` is told how many timesteps are done since the last time,
    and may raise to cancel.
    """
    return _Sweep(trace, wanted, groups, horizon).moments(progress)


def pullbacks(trace: Trace, wanted: set[int]) -> int:
    """How many operations a sweep pulls back, every timestep counted: what it costs."""
    program, times = trace.program, trace.unrolled.times
    return sum(times[program.instruction(slot).equation].count for slot in _leading_to(program, wanted))


def numbers_over_time(trace: Trace, slots: set[int]) -> int:
    """How many numbers the gradients by some slots are, over all timesteps: what one loss step's take to keep."""
    times = trace.unrolled.times
    entries = [trace.program.instruction(slot) for slot in slots]
    return sum(times[entry.equation].count * size(entry.shape) for entry in entries)


class _Sweep:
    def __init__(
        self, trace: Trace, wanted: set[int], groups: Sequence[Sequence[int]], horizon: int | None = None
    ) -> None:
        self._unrolled = trace.unrolled
        self._storage = trace.storage
        self._program = trace.program
        self._wanted = wanted
        self._share = trace.share
        latest_first = groups[::-1]
        self._waits = [-max(group) for group in latest_first]  # ascending, to find those at t or later
        self._ends = [-min(group) for group in latest_first]
        self._horizon = horizon
        self._number = {t: number for number, group in enumerate(latest_first) for t in group}
        useful = _leading_to(self._program, wanted)
        times = self._unrolled.times
        # Slots are numbered in an order that computes everything before it is read at the same timestep.
        self._slots = sorted((s for s in useful if times[self._program.instruction(s).equation].count), reverse=True)
        self._useful = set(self._slots)
        self._values: dict[int, Array] = {}
        self._pulls = {slot: self._pulls_of(slot) for slot in self._slots}
        self._waiting: dict[tuple[int, int], Array] = {}

    def moments(self, progress: Advance | None) -> Iterator[Moment]:
        program, waiting = self._program, self._waiting
        loss = program.roots[self._unrolled.network.loss]
        # Looked up once: this is the inner loop of every table.
        rows = [(slot, self._unrolled.times[program.instruction(slot).equation].row) for slot in self._slots]
        steps = [(slot, row, self._pulls[slot], slot in self._wanted) for slot, row in rows]
        for t in range(-self._waits[0], -1, -1):
            active, first = self._active(t), self._first(t)
            arrived: dict[int, Array] = {}
            if t in self._number and loss in self._useful:
                self._arrivals(loss, t)[self._number[t] - first] += self._share
            shown: dict[int, Array] = {}
            for slot, row_of, pulls, wanted in steps:
                g = waiting.pop((slot, t), None)
                row = row_of(t)
                if row is None or g is None or not len(g):
                    continue
                for pull in pulls:
                    pull(t, row, g, shown)
                if wanted:
                    arrived[slot] = g
            for slot, part in shown.items():
                arrived[slot] = arrived[slot] + part if slot in arrived else part
            if arrived:
                yield Moment(t, active, arrived, first)
            if progress is not None:
                progress(1)

    def _active(self, t: int) -> int:
        """How many groups have a loss step at `t` or later."""
        return bisect_right(self._waits, -t)

    def _first(self, t: int) -> int:
        """How many of them are given up at `t`."""
        return 0 if self._horizon is None else bisect_right(self._ends, -(t + self._horizon))

    def _arrivals(self, slot: int, t: int) -> Array:
        """Where the gradient by a slot at `t` is collected, `(rows at t, *shape)`."""
        found = self._waiting.get((slot, t))
        if found is None:
            shape = self._program.instruction(slot).shape
            rows = self._active(t) - self._first(t)
            found = self._waiting[slot, t] = np.zeros((rows, *shape), self._storage.dtype)
        return found

    def _arrive(self, slot: int, t: int, value: Array) -> None:
        """Add a gradient of the latest groups to what a slot at `t` has collected."""
        found = self._waiting.get((slot, t))
        if found is None:
            if len(value) == self._active(t) - self._first(t):
                # What 0 + value is, in one pass; a new array, as the value may be another slot's gradient.
                self._waiting[slot, t] = value + 0.0
                return
            found = self._arrivals(slot, t)
        found[: len(value)] += value

    def _value(self, slot: int) -> Array:
        """A slot's values for all timesteps of its equation; the trace keeps only some of them."""
        entry = self._program.slots[slot]
        if isinstance(entry, Leaf):
            return self._storage.get(slot)
        if slot in self._storage.arrays:
            return self._storage.arrays[slot]
        if slot not in self._values:
            value = entry.operation.evaluate(tuple(self._value(arg) for arg in entry.args), entry.shapes)
            count = self._unrolled.times[entry.equation].count
            self._values[slot] = np.broadcast_to(value, (count, *entry.shape))
        return self._values[slot]

    # --- one call per argument that leads on ----------------------------------------------------------------------

    def _pulls_of(self, slot: int) -> list[Pull]:
        entry = self._program.instruction(slot)
        found = []
        for index, arg in enumerate(entry.args):
            if not entry.operation.differentiable(index):
                continue
            if index == 0 and slot in self._program.fused:
                found.append(self._fused(slot))
            elif self._leads_on(arg):
                found.append(self._plain(slot, index, self._target(arg)))
        return found

    def _leads_on(self, arg: int) -> bool:
        entry = self._program.slots[arg]
        if isinstance(entry, Instruction):
            return arg in self._useful
        return entry.source is not None and self._program.roots[entry.source] in self._useful

    def _target(self, arg: int) -> Callable[[int, Array], None]:
        """Adds to the gradient by an argument, given the timestep of what reads it."""
        entry = self._program.slots[arg]
        if isinstance(entry, Instruction):

            def add(t: int, value: Array) -> None:
                self._arrive(arg, t, value)

            return add
        assert entry.source is not None
        root, lag, times = self._program.roots[entry.source], entry.lag, self._unrolled.times[entry.source]
        bounded = self._horizon is not None

        def add_earlier(t: int, value: Array) -> None:
            # Initial and pinned values end the sweep.
            if times.row(t - lag) is not None:
                still = value[self._first(t - lag) - self._first(t) :] if bounded else value
                self._arrive(root, t - lag, still)

        return add_earlier

    def _plain(self, slot: int, index: int, add: Callable[[int, Array], None]) -> Pull:
        entry = self._program.instruction(slot)
        operation, shapes = entry.operation, entry.shapes
        answer = self._value(slot) if operation.recalls_result else None
        args = tuple(self._value(arg) for arg in entry.args) if operation.recalls_args else ()
        if operation.elementwise:
            slope = operation.slope(index, _NOTHING if answer is None else answer, args, shapes)
            rank = max(len(shape) for shape in shapes)
            varies = isinstance(slope, np.ndarray) and slope.ndim > rank
            axes = tuple(range(-rank, 0)) if rank and not shapes[index] else ()

            def multiply(t: int, row: int, g: Array, _shown: dict[int, Array]) -> None:
                value = g * (slope[row] if varies else slope)  # type: ignore[index]
                add(t, value.sum(axis=axes) if axes else value)

            return multiply
        timed = tuple(self._program.timed(arg) for arg in entry.args)
        if operation.name == "matmul" and index == 1 and not timed[0] and tuple(map(len, shapes)) == (2, 1):
            matrix = args[0]

            def pull_through(t: int, row: int, g: Array, _shown: dict[int, Array]) -> None:
                add(t, tall_product(g, matrix))

            return pull_through

        def call(t: int, row: int, g: Array, _shown: dict[int, Array]) -> None:
            here = tuple(a[row] if varies else a for a, varies in zip(args, timed, strict=False))
            add(t, operation.pull(index, g, _NOTHING if answer is None else answer[row], here, shapes))

        return call

    def _fused(self, outer: int) -> Pull:
        """A loss and the softmax it reads: the logits get o − y at once."""
        program = self._program
        entry, fused = program.instruction(outer), program.fused[outer]
        inner = program.instruction(fused.inner)
        times = self._unrolled.times[inner.equation]
        logits, probabilities = self._value(inner.args[0]), self._value(fused.inner)
        target, target_varies = self._value(entry.args[1]), program.timed(entry.args[1])
        add = self._target(inner.args[0]) if self._leads_on(inner.args[0]) else None
        wanted = fused.inner in self._wanted

        def call(t: int, row: int, g: Array, shown: dict[int, Array]) -> None:
            place = times.row(t)
            assert place is not None
            y = target[row] if target_varies else target
            o = probabilities[place]
            if add is not None:
                add(t, fused.fusion.pull(g, logits[place], o, y, entry.shapes))
            if wanted:
                part = entry.operation.pull(0, g, _NOTHING, (o, y), entry.shapes)
                shown[fused.inner] = shown[fused.inner] + part if fused.inner in shown else part

        return call


def _leading_to(program: Program, wanted: set[int]) -> set[int]:
    """The timed slots that read a wanted slot, now or later, directly or not; and those themselves."""
    readers: dict[int, list[int]] = {}
    for slot, entry in enumerate(program.slots):
        if not isinstance(entry, Instruction) or not entry.timed:
            continue
        for arg in entry.args:
            source = program.slots[arg]
            if isinstance(source, Instruction):
                readers.setdefault(arg, []).append(slot)
            elif source.source is not None:
                readers.setdefault(program.roots[source.source], []).append(slot)
    found = set(wanted)
    waiting = list(wanted)
    while waiting:
        for reader in readers.get(waiting.pop(), ()):
            if reader not in found:
                found.add(reader)
                waiting.append(reader)
    return found
