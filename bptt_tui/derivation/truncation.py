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

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
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
    if mask.k < 1:
        raise NetworkError(f"{mask.k} timesteps are too few", hint="truncate to 1 or more")
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

    Raises NetworkError for k < 1, and before the sweep where it would take too long. Where the sums would not fit
    together, the parameters are swept one after the other. `progress` is told how many timesteps are done since the
    last time, and may raise to cancel.
    """
    if any(mask.k < 1 for mask in masks):
        raise NetworkError("0 timesteps are too few", hint="truncate to 1 or more")
    if not masks:
        return dict.fromkeys(parameters, ())
    found: dict[str, tuple[Truncated, ...]] = {}
    together: list[str] = []
    room = 0
    for parameter in parameters:
        needed = len(masks) * numbers_over_time(trace, _slots(trace, [parameter]))
        if together and room + needed > LARGEST:
            found.update(_together(trace, together, masks, progress))
            together, room = [], 0
        together.append(parameter)
        room += needed
    if together:
        found.update(_together(trace, together, masks, progress))
    return found


def _slots(trace: Trace, parameters: Sequence[str]) -> set[int]:
    return {touch.slot for parameter in parameters for touch in trace.terms_of(parameter).touches}


def _together(
    trace: Trace, parameters: Sequence[str], masks: Sequence[Mask], progress: Advance | None
) -> dict[str, tuple[Truncated, ...]]:
    """One sweep; of every gradient that passes, each mask sums the loss steps it keeps."""
    losses = np.array(trace.unrolled.loss_times, dtype=np.int64)
    slots, horizon = _slots(trace, parameters), max(mask.k for mask in masks)
    cost, work = pullbacks(trace, slots), min(horizon, len(losses)) * numbers_over_time(trace, slots)
    if cost > MOST_CALLS or work > MOST_WORK:
        raise NetworkError(
            f"truncating {' and '.join(parameters)} would take {cost:,} operations and pass {work:,} numbers",
            hint=f"at most {MOST_CALLS:,} and {MOST_WORK:,}; fewer timesteps to a mask",
        )
    program, times = trace.program, trace.unrolled.times
    earliest = np.stack([mask.earliest(losses)[::-1] for mask in masks])
    summed: dict[int, Array] = {}
    for slot in slots:
        entry = program.instruction(slot)
        summed[slot] = np.zeros((len(masks), times[entry.equation].count, *entry.shape), trace.storage.dtype)
    with np.errstate(all="ignore"):
        for moment in sweep(trace, slots, [(int(loss),) for loss in losses], progress, horizon):
            # The loss steps that are still followed lie at this timestep or later.
            kept = earliest[:, moment.first : moment.active] <= moment.t
            for slot, flow in moment.flows.items():
                row = times[program.instruction(slot).equation].row(moment.t)
                flat = flow.reshape(len(flow), -1)
                sums = kept.astype(flow.dtype) @ flat
                if not np.isfinite(sums).all():  # 0 · inf is not 0
                    sums = np.stack([flat[which].sum(axis=0) for which in kept])
                summed[slot][:, row] = sums.reshape(len(masks), *flow.shape[1:])
        return {name: tuple(_sums(trace, name, losses, masks, summed)) for name in parameters}


def _sums(
    trace: Trace, parameter: str, losses: NDArray[np.int64], masks: Sequence[Mask], summed: dict[int, Array]
) -> Iterator[Truncated]:
    terms = trace.terms_of(parameter)
    uses = terms.times.array()
    for number, mask in enumerate(masks):
        total: Array = np.zeros(terms.shape, trace.storage.dtype)
        for touch in terms.touches:
            total = total + terms.pull_total(touch, summed[touch.slot][number])
        yield _compared(mask, np.asarray(total), trace.gradient[parameter], *_counted(mask, losses, uses))


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
