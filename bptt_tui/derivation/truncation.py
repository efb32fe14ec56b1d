"""Truncated backpropagation through time, as a mask on the loss-time × use-time table.

    truncated(Table(trace, "w"), Window(5))     # each loss step reaches the last 5 timesteps
    truncated(Table(trace, "w"), Chunks(5))     # the sequence is cut into pieces of 5 timesteps

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

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.derivation.by_loss import Progress, sweep
from bptt_tui.derivation.table import Table
from bptt_tui.errors import NetworkError

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


def truncated(table: Table, mask: Mask, progress: Progress | None = None) -> Truncated:
    """The gradient that truncated BPTT gives, and how far it is from the true one.

    A table whose rows are several loss steps is swept again, one gradient per loss step. Raises NetworkError for k < 1,
    and where that sweep would take too long. `progress` is told how many timesteps of it are done since the last time,
    and may raise to cancel.
    """
    if mask.k < 1:
        raise NetworkError(f"{mask.k} timesteps are too few", hint="truncate to 1 or more")
    losses = np.array([loss for group in table.losses for loss in group], dtype=np.int64)
    gradient = (
        _swept(table, losses, mask, progress) if table.grouped else table.masked(kept_by(mask, losses, table.uses))
    )
    kept, cells = _counted(mask, losses, table.uses)
    return _compared(mask, gradient, table.trace.gradient[table.parameter], kept, cells)


def _compared(mask: Mask, gradient: Array, true: Array, kept: int, cells: int) -> Truncated:
    with np.errstate(all="ignore"):
        a, b = gradient.reshape(-1), true.reshape(-1)
        size, true_size = float(norm(a, 1)), float(norm(b, 1))
        cosine = float(np.dot(a / size, b / true_size)) if size > 0 and true_size > 0 else float("nan")
        ratio, error = (
            float(np.divide(value, true_size)) if true_size > 0 else float("nan")
            for value in (size, float(norm(a - b, 1)))
        )
    return Truncated(mask, gradient, true, ratio, min(max(cosine, -1.0), 1.0), error, kept, cells)


def _swept(table: Table, losses: NDArray[np.int64], mask: Mask, progress: Progress | None) -> Array:
    """The masked sum without a table: the gradients per loss step are summed as they pass."""
    trace, terms = table.trace, table.terms
    work = len(losses) * table.numbers_per_row
    if work > MOST_WORK:
        raise NetworkError(
            f"truncating {len(losses):,} loss steps one by one would pass {work:,} numbers",
            hint=f"at most {MOST_WORK:,}",
        )
    program, times = trace.program, trace.unrolled.times
    slots = {touch.slot for touch in terms.touches}
    summed: dict[int, Array] = {}
    for slot in slots:
        entry = program.instruction(slot)
        summed[slot] = np.zeros((times[entry.equation].count, *entry.shape), trace.storage.dtype)
    with np.errstate(all="ignore"):
        for moment in sweep(trace, slots, [(int(loss),) for loss in losses], progress):
            reached = losses[::-1][: moment.active]
            kept = kept_by(mask, reached, np.array([moment.t]))[:, 0]
            for slot, flow in moment.flows.items():
                row = times[program.instruction(slot).equation].row(moment.t)
                summed[slot][row] = flow[kept].sum(axis=0)
        total: Array = np.zeros(table.shape, trace.storage.dtype)
        for touch in terms.touches:
            total = total + terms.pull_total(touch, summed[touch.slot])
    return np.asarray(total)
