"""Where numbers go wrong first: overflow, not-a-number, underflow, saturation, with node and timestep.

A value can be in order and its gradient not, so both passes are searched, each in its own order: forward from the
first timestep, backward from the last. Zeros that follow from the network (a target's other classes, a relu that
is off) are no trouble; digits lost to subnormal numbers are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bptt_tui.trace.trace import Trace

Kind = Literal["nan", "overflow", "underflow", "saturated"]
KINDS: tuple[Kind, ...] = ("nan", "overflow", "underflow", "saturated")
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
# Where an activation's slope has lost every digit against 1, the gradient through it is gone for any practical purpose.
SLOPE_LOST = float(np.finfo(np.float64).eps)
_LIMITS = {"tanh": 1.0 - SLOPE_LOST, "sigmoid": 1.0 - SLOPE_LOST}
_MAY_VANISH = ("exp", "softmax", "sigmoid")


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first node, in the order of its phase, at which something of a kind appears."""

    kind: Kind
    phase: Literal["forward", "backward"]
    name: str
    t: int


def troubled(kind: Kind, value: NDArray[Any], operation: str, *, adjoint: bool = False) -> NDArray[np.bool_]:
    """Entry by entry, whether a value computed by `operation` (or an adjoint) shows trouble of a kind."""
    magnitude = np.abs(value)
    nothing = np.zeros(value.shape, dtype=np.bool_)
    if kind == "nan":
        return np.asarray(np.isnan(value))
    if kind == "overflow":
        return np.asarray(np.isinf(value))
    if kind == "underflow":
        lost = (magnitude > 0) & (magnitude < SMALLEST_NORMAL)
        vanished = magnitude == 0 if operation in _MAY_VANISH and not adjoint else nothing
        return np.asarray(lost | vanished)
    if adjoint or operation not in _LIMITS:
        return nothing
    low = magnitude < SLOPE_LOST if operation == "sigmoid" else nothing
    return np.asarray((magnitude >= _LIMITS[operation]) | low)


def troubles(trace: Trace) -> tuple[Trouble, ...]:
    """The first trouble of each kind in each phase."""
    found = []
    for kind in KINDS:
        for phase in ("forward", "backward"):
            first = _first(trace, kind, phase == "backward")
            if first is not None:
                found.append(first)
    return tuple(found)


def _first(trace: Trace, kind: Kind, backward: bool) -> Trouble | None:
    """The earliest trouble forward, the latest (first met) backward."""
    best: tuple[int, int] | None = None
    name = ""
    network = trace.unrolled.network
    for rank, equation in enumerate(network.order):
        times = trace.unrolled.times[equation]
        root = trace.program.roots[equation]
        rows = trace.adjoint_rows(equation) if backward else trace.storage.arrays[root]
        if times.count == 0 or rows is None:
            continue
        operation = trace.program.instruction(root).operation.name
        found = troubled(kind, rows, operation, adjoint=backward)
        mask = np.asarray(found.reshape(times.count, -1).any(axis=1))
        if not mask.any():
            continue
        row = times.count - 1 - int(np.argmax(mask[::-1])) if backward else int(np.argmax(mask))
        key = (-times.at_row(row), -rank) if backward else (times.at_row(row), rank)
        if best is None or key < best:
            best, name = key, network.equations[equation].target
    if best is None:
        return None
    return Trouble(kind, "backward" if backward else "forward", name, abs(best[0]))
