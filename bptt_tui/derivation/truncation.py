"""Truncated backpropagation through time, as a mask on the loss-time × use-time table.

    truncated(Table(trace, "w"), Window(5))     # each loss step reaches the last 5 timesteps
    truncated(Table(trace, "w"), Chunks(5))     # the sequence is cut into pieces of 5 timesteps
    several(trace, ["w", "u"], [Window(5), Chunks(5)])   # the same without a table, of several at once

Both keep some entries ∂E_t'/∂p_t of the table and leave out the others:

- `Window(k)` keeps those with t > t' − k: a loss step reaches the uses of its own timestep and of the k − 1 before it.
  Window(1) is no time at all, Window(T) the true gradient. It is the gradient one gets when, for every loss step on its
  own, all nodes before t' − k + 1 are held at their values (detached).
- `Chunks(k)` keeps those with ⌊t/k⌋ = ⌊t'/k⌋: chunk c holds the timesteps c·k … c·k + k − 1, and a loss step reaches
  the uses of its own chunk. It is the gradient one gets when every value that crosses a boundary is held, as training
  loops do that detach the state every k timesteps. The total stays that of the whole sequence: with a mean, every loss
  step weighs 1/(number of loss steps), not 1/(number in its chunk).

Why a mask is enough: an equation reads nodes of its own timestep or earlier ones, so that times along a path from E_t'
down to a use at t only fall. A path to a use that is kept passes nothing that is held, and every path to one that is
left out does. This holds with delays of several timesteps, with several states and with losses that read losses. Three
things it needs:

- k counts timesteps, not trips through the recurrence: where s[t-2] is read, one trip goes two timesteps back.
- Everything that crosses is held, not the latest state only: where s[t-2] is read and a loop detaches only the last
  state of a chunk, the one before it carries a gradient across, and no mask by (t', t) describes that.
- A use belongs to the timestep of the equation that reads it: `b = w * s` read as b[t-1] uses w a timestep earlier than
  `b = w * s[t-1]` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.kernels import tall_product
from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import size
from bptt_tui.derivation.by_loss import numbers_over_time, pullbacks, sweep
from bptt_tui.derivation.table import LARGEST, MOST_CALLS, Table
from bptt_tui.errors import NetworkError
from bptt_tui.trace import Trace

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]
MOST_WORK = 1 << 31  # loss steps × numbers that a gradient per loss step passes


class Window(NamedTuple):
    """A loss step reaches the uses of its own timestep and of the k − 1 before it."""

    k: int

    def earliest(self, losses: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first timestep that each loss step reaches; the last is its own."""
        return np.asarray(losses - (self.k - 1))


class Chunks(NamedTuple):
    """A loss step reaches the uses of its own piece of k timesteps; the pieces are counted from t = 0."""

    k: int

    def earliest(self, losses: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first timestep that each loss step reaches; the last is its own."""
        return np.asarray(losses // self.k * self.k)


Mask = Window | Chunks


def kept_by(mask: Mask, losses: NDArray[np.int64], uses: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cells a mask keeps, losses × uses; a use later than the loss is no cell."""
    kept: NDArray[np.bool_] = (uses[None, :] <= losses[:, None]) & (uses[None, :] >= mask.earliest(losses)[:, None])
    return kept


def _counted(mask: Mask, losses: NDArray[np.int64], uses: NDArray[np.int64]) -> tuple[int, int]:
    """How many cells it keeps, of how many there are; the uses ascend, so that none has to be looked at."""
    until = np.searchsorted(uses, losses, side="right")
    return int((until - np.searchsorted(uses, mask.earliest(losses))).sum()), int(until.sum())


class Truncated(NamedTuple):
    """A truncated gradient, of p's shape, beside the true one.

    `ratio` is ‖truncated‖/‖true‖, `cosine` the cosine of the angle between the two (1: same direction; of scalars the
    sign), `error` ‖truncated − true‖/‖true‖; nan where a norm is 0. `kept` of `cells` entries of the table are kept.
    """

    mask: Mask
    gradient: Array
    true: Array
    ratio: float
    cosine: float
    error: float
    kept: int
    cells: int


def truncated(table: Table, mask: Mask, progress: Advance | None = None) -> Truncated:
    """The gradient that truncated BPTT gives, and how far it is from the true one.

    Of a table whose rows are several loss steps it is that of `several`. Raises NetworkError for k < 1, and where that
    sweep would take too long. `progress` is told how many timesteps of it are done since the last time,
    and may raise to cancel.
    """
    _check(mask)
    if table.grouped:
        return several(table.trace, [table.parameter], [mask], progress)[table.parameter][0]
    losses = np.array([loss for group in table.losses for loss in group], dtype=np.int64)
    gradient = table.masked(kept_by(mask, losses, table.uses))
    kept, cells = _counted(mask, losses, table.uses)
    return _compared(mask, gradient, table.trace.gradient[table.parameter], kept, cells)


def several(
    trace: Trace, parameters: Sequence[str], masks: Sequence[Mask], progress: Advance | None = None
) -> dict[str, tuple[Truncated, ...]]:
    """What every mask gives for every parameter, from one sweep in which no loss step is followed further than a mask
    reaches: the work grows with T times the largest k.

    Raises NetworkError for k < 1, and before the sweep where it would take too long. `progress` is told how many
    timesteps are done since the last time, and may raise to cancel.
    """
    for mask in masks:
        _check(mask)
    if not masks:
        return dict.fromkeys(parameters, ())
    losses = np.array(trace.unrolled.loss_times, dtype=np.int64)
    slots, horizon = _slots(trace, parameters), max(mask.k for mask in masks)
    for name in parameters:
        own = _slots(trace, [name])
        cost, work = pullbacks(trace, own), min(horizon, len(losses)) * numbers_over_time(trace, own)
        if cost > MOST_CALLS or work > MOST_WORK:
            raise NetworkError(
                f"truncating {name} would take {cost:,} operations and pass {work:,} numbers",
                hint=f"at most {MOST_CALLS:,} and {MOST_WORK:,}; fewer timesteps to a mask",
            )
    earliest = np.stack([mask.earliest(losses[::-1]) for mask in masks])  # of every loss step, latest first
    sums = _Sums(trace, parameters, slots, len(masks))
    with np.errstate(all="ignore"):
        for moment in sweep(trace, slots, [(int(loss),) for loss in losses], progress, horizon):
            kept = earliest[:, moment.first : moment.active] <= moment.t  # a loss step that is there is not before t
            for slot, flow in moment.flows.items():
                flat = flow.reshape(len(flow), -1)
                by_mask = tall_product(kept.astype(flow.dtype), flat)
                if not np.isfinite(by_mask).all():  # 0 · inf is not 0
                    by_mask = np.stack([flat[which].sum(axis=0) for which in kept])
                sums.add(slot, moment.t, by_mask)
        totals = sums.totals()
    found = {}
    for name in parameters:
        uses, true = trace.terms_of(name).times.array(), trace.gradient[name]
        found[name] = tuple(
            _compared(mask, np.asarray(gradient), true, *_counted(mask, losses, uses))
            for mask, gradient in zip(masks, totals[name], strict=True)
        )
    return found


def _check(mask: Mask) -> None:
    if mask.k < 1:
        raise NetworkError(f"{mask.k} timesteps are too few", hint="truncate to 1 or more")


def _slots(trace: Trace, parameters: Sequence[str]) -> set[int]:
    return {touch.slot for parameter in parameters for touch in trace.terms_of(parameter).touches}


class _Sums:
    """What each mask keeps of the gradients that arrive, taken on to the parameters some timesteps at a time."""

    def __init__(self, trace: Trace, parameters: Sequence[str], slots: set[int], masks: int) -> None:
        self._trace, self._parameters = trace, parameters
        dtype = trace.storage.dtype
        self._totals = {name: np.zeros((masks, *trace.terms_of(name).shape), dtype) for name in parameters}
        self._times = {slot: trace.unrolled.times[trace.program.instruction(slot).equation] for slot in slots}
        shapes = {slot: trace.program.instruction(slot).shape for slot in slots}
        longest = max((times.count for times in self._times.values()), default=0)
        room = LARGEST // max(masks * sum(map(size, shapes.values())), 1)
        self._length = max(min(room, longest), 1)
        self._block = {
            slot: np.zeros((min(self._length, self._times[slot].count), masks, *shapes[slot]), dtype) for slot in slots
        }
        self._number = dict.fromkeys(slots, 0)  # of the block of rows that a slot is in, counted from the last row

    def add(self, slot: int, t: int, by_mask: Array) -> None:
        """The sums `(masks, numbers)` of what arrives at a slot at `t`; timesteps descend."""
        row = self._times[slot].row(t)
        assert row is not None
        number, place = divmod(self._times[slot].count - 1 - row, self._length)
        if number != self._number[slot]:
            self._finish(slot)
            self._number[slot] = number
        block = self._block[slot]
        block[-1 - place] = by_mask.reshape(block.shape[1:])

    def _finish(self, slot: int) -> None:
        """Take the block of rows on to the parameters, and begin an empty one."""
        block, stop = self._block[slot], self._times[slot].count - self._number[slot] * self._length
        rows = slice(max(stop - self._length, 0), stop)
        here = block[len(block) - (rows.stop - rows.start) :]
        for name in self._parameters:
            terms = self._trace.terms_of(name)
            for touch in terms.touches:
                if touch.slot == slot:
                    self._totals[name] += terms.pull_totals(touch, here, rows)
        block[:] = 0.0

    def totals(self) -> dict[str, Array]:
        """The truncated gradients `(masks, *shape)` of the parameters."""
        for slot in self._block:
            self._finish(slot)
        return self._totals


def _compared(mask: Mask, gradient: Array, true: Array, kept: int, cells: int) -> Truncated:
    with np.errstate(all="ignore"):
        a, b = gradient.reshape(-1), true.reshape(-1)
        length, true_size = float(norm(a, 1)), float(norm(b, 1))
        cosine = float(np.dot(a / length, b / true_size)) if length > 0 and true_size > 0 else float("nan")
        ratio, error = (
            float(np.divide(value, true_size)) if true_size > 0 else float("nan")
            for value in (length, float(norm(a - b, 1)))
        )
    return Truncated(mask, gradient, true, ratio, min(max(cosine, -1.0), 1.0), error, kept, cells)
