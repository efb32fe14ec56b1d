"""Which nodes the loss depends on, equation by equation and timestep by timestep.

`"at": "last"` makes a many-to-one network by this alone: the output layer exists at the last timestep only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bptt_tui.network.network import Network
from bptt_tui.network.timesteps import Timesteps

LONGEST_PERIOD = 1 << 12

Consumers = Sequence[Sequence[tuple[int, int]]]


def needed(
    network: Network,
    steps: int,
    loss_times: NDArray[np.int64],
    pinned: Mapping[int, Sequence[int]] | None = None,
) -> tuple[Timesteps, ...]:
    """For every equation, the timesteps at which its node feeds a loss at one of `loss_times`.

    A node that is `pinned`, by equation and timestep, needs nothing: it does not read what its equation names.
    """
    consumers = network.consumers
    masks = np.zeros((len(network.equations), steps), dtype=np.bool_)
    reads = np.ones_like(masks)
    for equation, moments in (pinned or {}).items():
        reads[equation, moments] = False
    masks[network.loss, loss_times] = True
    for component in network.consumers_first:
        members = set(component)
        for equation in component:
            for consumer, lag in consumers[equation]:
                if consumer not in members:
                    _add_shifted(masks[equation], masks[consumer] & reads[consumer], lag)
        if len(component) > 1 or any(c in members for c, _ in consumers[component[0]]):
            _close(masks, reads, component, consumers)
    return tuple(Timesteps.of(mask) for mask in masks)


def _add_shifted(mask: NDArray[np.bool_], consumer: NDArray[np.bool_], lag: int) -> None:
    """What a consumer at t needs `lag` earlier."""
    if lag < len(mask):
        mask[: len(mask) - lag] |= consumer[lag:]


def _close(masks: NDArray[np.bool_], reads: NDArray[np.bool_], component: list[int], consumers: Consumers) -> None:
    """Needs inside a recurrent core, from the last timestep down.

    What is needed at t follows from as many later timesteps as the longest delay inside the core, the window. Once
    every member is needed, and reads, in all of it, all earlier ones are needed too; once no need comes from outside
    any more and a window returns, the needs between repeat (a core that reads only s[t-2] skips every other timestep).
    Either way the rest is filled at once: down to the next timestep with a pin.
    """
    steps = masks.shape[1]
    inner = [
        (e, [(c, lag) for c, lag in consumers[e] if c in set(component)]) for e in _readers_first(component, consumers)
    ]
    reach = max(lag for _, edges in inner for _, lag in edges)
    pinned: NDArray[np.bool_] = np.asarray(~reads[component].all(axis=0))
    stops = np.flatnonzero(pinned)
    outside = np.flatnonzero(masks[component].any(axis=0))
    quiet = int(outside[0]) if len(outside) else steps
    seen: dict[bytes, int] = {}
    filled, t = 0, steps - 1
    while t >= 0:
        for equation, edges in inner:
            if not masks[equation, t]:
                masks[equation, t] = any(
                    t + lag < steps and masks[c, t + lag] and reads[c, t + lag] for c, lag in edges
                )
        filled = filled + 1 if all(masks[e, t] and reads[e, t] for e in component) else 0
        if pinned[t]:
            seen.clear()
        t -= 1
        period = 1 if filled >= reach else 0
        if not period and t < quiet and len(seen) < LONGEST_PERIOD:
            after = slice(t + 1, t + 1 + reach)
            window = (masks[component, after] & reads[component, after]).tobytes()
            period = seen.setdefault(window, t) - t
        if period:
            below = int(np.searchsorted(stops, t, side="right")) - 1
            stop = int(stops[below]) if below >= 0 else -1
            again = np.arange(stop - t, 0) % period
            masks[component, stop + 1 : t + 1] = masks[component, t + 1 : t + 1 + period][:, again]
            t = stop
            seen.clear()


def _readers_first(component: list[int], consumers: Consumers) -> list[int]:
    """The members so that each comes after those that read it at the same timestep."""
    members = set(component)
    ordered: list[int] = []
    waiting = {e: {c for c, lag in consumers[e] if lag == 0 and c in members} for e in component}
    while waiting:
        ready = next(e for e, readers in waiting.items() if not readers - set(ordered))
        ordered.append(ready)
        del waiting[ready]
    return ordered
