"""Pinned nodes: `{"s[0]": 0.1}` holds s₀ at 0.1, whatever its equation says.

A pin makes a node a given value, as an initial value is one: everything that reads it is computed anew, its own
equation is not evaluated at that timestep, and no gradient flows through it to what the equation reads. Uses of
parameters there do not exist. ∂E/∂node is the sum of the inflows from its readers, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import Shape, spell
from bptt_tui.errors import NetworkError, ShapeError
from bptt_tui.network.network import Network, did_you_mean
from bptt_tui.network.timesteps import Timesteps

_PLACE = re.compile(r"([^\W\d]\w*)\[(0|[1-9]\d{0,17})\]")


class Pinned(Struct, frozen=True, eq=False):
    """One name's pins: ascending timesteps, and the values held there, `(pins, *shape)`."""

    times: NDArray[np.int64]
    rows: NDArray[Any]


def places(network: Network, pins: Mapping[str, Any], steps: int) -> dict[str, dict[int, str]]:
    """By name and timestep, the key of each pin. Raises NetworkError for what is no node, or the loss."""
    found: dict[str, dict[int, str]] = {}
    for key in pins:
        match = _PLACE.fullmatch(key)
        if match is None:
            raise NetworkError(f"{key!r} is not a node at a timestep", hint="write it as s[0]", places=(at(key),))
        name, t = match[1], int(match[2])
        if name not in network.index:
            hint = did_you_mean(name, network.targets) or f"the nodes are {', '.join(network.targets)}"
            raise NetworkError(f"there is no node {name}", hint=hint, places=(at(key),))
        if name == network.loss_name:
            raise NetworkError(
                f"{name} is the loss, and gradients are of it", hint="pin a node that it reads", places=(at(key),)
            )
        if t >= steps:
            raise NetworkError(
                f"there is no timestep {t}", hint=f"the timesteps are 0 … {steps - 1}", places=(at(key),)
            )
        found.setdefault(name, {})[t] = key
    return found


def check_needed(network: Network, keys: dict[str, dict[int, str]], without_pins: tuple[Timesteps, ...]) -> None:
    """Every pinned node feeds the loss when nothing is pinned; another pin may cut it off."""
    for name, moments in keys.items():
        for t, key in moments.items():
            if without_pins[network.index[name]].row(t) is None:
                raise NetworkError(f"{key} does not exist: the loss does not depend on it", places=(at(key),))


def held(
    network: Network,
    keys: dict[str, dict[int, str]],
    values: Mapping[str, NDArray[Any]],
    shapes: Mapping[str, Shape],
    present: tuple[Timesteps, ...],
) -> dict[str, Pinned]:
    """The pins of nodes that the loss depends on, by name. Raises ShapeError where a value does not fit."""
    found = {}
    for name, moments in keys.items():
        for key in moments.values():
            if values[key].shape != shapes[name]:
                raise ShapeError(
                    f"shape {values[key].shape}, but {name} is {spell(shapes[name])}",
                    hint="give the pinned value that shape",
                    places=(at(key),),
                )
        times = sorted(t for t in moments if present[network.index[name]].row(t) is not None)
        if times:
            rows = np.stack([values[moments[t]] for t in times])
            found[name] = Pinned(np.asarray(times, dtype=np.int64), rows)
    return found


def at(key: str) -> str:
    """A pin's place in a session file: `pins["s[0]"]`."""
    import json  # for an error's place alone

    return f"pins[{json.dumps(key, ensure_ascii=False)}]"
