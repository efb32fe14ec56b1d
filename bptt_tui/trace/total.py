"""The total loss: the sum or mean over the loss steps, and how much each of them counts.

The loss node can exist at more timesteps than those where the loss is taken, if the network reads it (E[t-1]); only
the loss steps count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.operations import sequential_sum
from bptt_tui.trace.storage import Storage

Array = NDArray[Any]


def share(storage: Storage) -> float:
    """∂(total)/∂E_t at a loss step: 1 in a sum, 1/(number of loss steps) in a mean."""
    unrolled = storage.unrolled
    return 1.0 / len(unrolled.loss_times) if unrolled.network.reduction == "mean" else 1.0


def total(storage: Storage) -> Any:
    """The total loss, its terms added in the order of time."""
    losses = storage.arrays[storage.program.roots[storage.unrolled.network.loss]][_rows(storage)]
    summed = sequential_sum(losses, 0)
    return summed / len(losses) if storage.unrolled.network.reduction == "mean" else summed


def seed(storage: Storage) -> Array:
    """∂(total)/∂E for every timestep at which the loss node exists."""
    times = storage.times(storage.unrolled.network.loss)
    result = np.zeros(times.count, dtype=storage.dtype)
    result[_rows(storage)] = share(storage)
    return result


def _rows(storage: Storage) -> Any:
    """The rows of the loss steps among the loss node's own."""
    times, steps = storage.times(storage.unrolled.network.loss), storage.unrolled.loss_times
    if times.count == len(steps):
        return slice(None)
    return np.searchsorted(times.array(), np.asarray(steps))
