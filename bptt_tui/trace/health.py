"""Where numbers go wrong first: overflow, not-a-number, underflow, saturation, with node and timestep.

A value can be in order and its gradient not, so both passes are searched, each in its own order: forward from the
first timestep, backward from the last. Zeros that follow from the network (a target's other classes, a relu that
is off) are no trouble. Digits lost to subnormal numbers are, and so is a 0 where no factor of a product is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.kernels import lift
from bptt_tui.calculus.shapes import size
from bptt_tui.language import Name
from bptt_tui.trace.local import LocalStep

if TYPE_CHECKING:
    from bptt_tui.trace.trace import Trace

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Kind = Literal["nan", "overflow", "underflow", "saturated"]
Phase = Literal["forward", "backward"]
KINDS: tuple[Kind, ...] = ("nan", "overflow", "underflow", "saturated")
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
# Where an activation's slope has lost every digit against 1, the gradient through it is gone for any practical purpose.
SLOPE_LOST = float(np.finfo(np.float64).eps)
_LIMITS = {"tanh": 1.0 - SLOPE_LOST, "sigmoid": 1.0 - SLOPE_LOST}
_MAY_VANISH = ("exp", "softmax", "sigmoid")
_PRODUCTS = ("mul", "div", "power")
# Zeros looked at one by one, and the largest Jacobian made for one.
LOOKS, ENTRIES = 64, 4096


class Trouble(Struct, frozen=True):
    """The first node, in the order of its phase, at which something of a kind appears.

    `t` is None for the total of several losses, and for a parameter's whole gradient; a parameter at `t` is a use.
    """

    kind: Kind
    phase: Phase
    name: str
    t: int | None

    def __str__(self) -> str:
        going = "" if self.phase == "forward" else " going backward"
        place = "" if self.t is None else f" (t = {self.t})"
        return f"first {WORDS[self.kind]}{going}: {self.name}{place}"


WORDS: dict[Kind, str] = {"nan": "NaN", "overflow": "overflow", "underflow": "underflow", "saturated": "saturation"}


def troubled(kind: Kind, value: Array, operation: str, *, adjoint: bool = False) -> Mask:
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
    """The first trouble of each kind in each phase, in the order in which stepping meets them."""
    with np.errstate(all="ignore"):
        forward, backward = _among_nodes(trace, "forward"), _among_nodes(trace, "backward")
        if not np.isfinite(trace.loss) and not any(found.kind in ("nan", "overflow") for found in forward):
            forward.append(Trouble(_not_finite(trace.loss), "forward", trace.unrolled.network.loss_name, None))
        if not any(found.kind in ("nan", "overflow") for found in backward):
            backward.extend(_among_sums(trace))
    return (*forward, *backward)


def _among_nodes(trace: Trace, phase: Phase) -> list[Trouble]:
    """The earliest trouble of each kind forward; the latest, which is met first, backward."""
    backward = phase == "backward"
    network = trace.unrolled.network
    firsts: dict[Kind, tuple[tuple[int, int], str]] = {}
    for rank, equation in enumerate(network.order):
        times = trace.unrolled.times[equation]
        for kind, found in _masks(trace, equation, phase):
            row = times.count - 1 - int(np.argmax(found[::-1])) if backward else int(np.argmax(found))
            t = times.at_row(row)
            place = (-t, -rank) if backward else (t, rank)
            if kind not in firsts or place < firsts[kind][0]:
                firsts[kind] = place, network.equations[equation].target
    ordered = sorted(firsts.items(), key=lambda item: item[1][0])
    return [Trouble(kind, phase, name, abs(place[0])) for kind, (place, name) in ordered]


def _masks(trace: Trace, equation: int, phase: Phase) -> Iterator[tuple[Kind, Mask]]:
    """The kinds of trouble a node has, each with the rows (timesteps) at which it has it."""
    root = trace.program.roots[equation]
    backward = phase == "backward"
    rows = trace.adjoint_rows(equation) if backward else trace.storage.arrays[root]
    if rows is None or not len(rows):
        return
    operation = trace.program.instruction(root).operation.name
    if _in_order(rows, operation, adjoint=backward):
        return
    for kind in KINDS:
        found = _any(troubled(kind, rows, operation, adjoint=backward))
        if kind == "underflow":
            found |= (_lost_inflows if backward else _lost_products)(trace, equation, rows)
        if found.any():
            yield kind, found


def _lost_products(trace: Trace, equation: int, rows: Array) -> Mask:
    """Rows in which a product is 0 although no factor is."""
    root = trace.program.roots[equation]
    entry = trace.program.instruction(root)
    lost = np.zeros(len(rows), dtype=np.bool_)
    if entry.operation.name not in _PRODUCTS:
        return lost
    zero = rows == 0
    try:
        args = zip(trace.storage.args(root), entry.shapes, strict=True)
        factors = [lift(arg, shape, rows.ndim - 1) for arg, shape in args]
    except KeyError:  # a value inside the equation is not kept, so it is made again where there is a 0
        for row in np.flatnonzero(_any(zero))[:LOOKS]:
            step = LocalStep(trace.storage, equation, int(row))
            lost[row] = (zero[row] & _no_zero(entry.operation.name, [step.value(arg) for arg in entry.args])).any()
        return lost
    return _any(zero & _no_zero(entry.operation.name, factors))


def _no_zero(operation: str, args: list[Array]) -> Mask:
    """Where a·b, a/b or a^b is not 0: for a·b, b is not 0 either."""
    finite = np.isfinite(args[0]) & np.isfinite(args[1])
    return np.asarray(finite & (args[0] != 0) & ((args[1] != 0) | (operation != "mul")))


def _lost_inflows(trace: Trace, equation: int, rows: Array) -> Mask:
    """Rows in which ∂E/∂node is 0 although neither a consumer's gradient is, nor the local partial it meets."""
    network, every = trace.unrolled.network, trace.unrolled.times
    name, times = network.equations[equation].target, every[equation]
    lost = np.zeros(len(rows), dtype=np.bool_)
    zero = ~_any(rows != 0)
    for reader, reads in enumerate(network.reads):
        adjoints = trace.adjoint_rows(reader)
        if adjoints is None or not zero.any():
            continue
        for by in (by for by in reads if by.name == name):
            lag = -(by.offset or 0)
            flows = np.zeros(trace.steps + lag, dtype=np.bool_)
            flows[every[reader].array()] = _any(adjoints != 0)
            for row in np.flatnonzero(zero & flows[times.array() + lag])[::-1][:LOOKS]:
                t = times.at_row(int(row)) + lag
                place = every[reader].row(t)
                assert place is not None
                lost[row] |= _vanishes(trace, reader, t, by, adjoints[place].reshape(-1))
    return lost


def _vanishes(trace: Trace, reader: int, t: int, by: Name, g: Array) -> bool:
    """Whether g · ∂reader/∂by is 0 only because its products are too small; a sum that cancels is no loss."""
    if g.size * size(trace.unrolled.shapes[by.name]) > ENTRIES:
        return False
    jacobian = np.abs(trace.jacobian(reader, t, by))
    if not (np.isfinite(g).all() and np.isfinite(jacobian).all()):
        return False
    meet = (g != 0).astype(np.float64) @ (jacobian != 0)
    return bool(((meet > 0) & (np.abs(g) @ jacobian == 0)).any())


def _any(mask: Mask) -> Mask:
    """Row by row, whether an entry is true."""
    return np.asarray(mask.any(axis=tuple(range(1, mask.ndim))))


def _in_order(rows: Array, operation: str, *, adjoint: bool) -> bool:
    """Whether a look at the smallest and the largest magnitude is enough to say that nothing is wrong."""
    magnitude = np.abs(rows)
    limit = np.inf if adjoint else _LIMITS.get(operation, np.inf)
    smallest = SLOPE_LOST if operation == "sigmoid" and not adjoint else SMALLEST_NORMAL
    return bool(magnitude.min() >= smallest and magnitude.max() < limit)  # false for a NaN


def _among_sums(trace: Trace) -> Iterator[Trouble]:
    """A gradient that is not finite although every adjoint is: the use that made it so, or their sum."""
    for name, total in trace.gradient.items():
        wrong = total[~np.isfinite(total)]
        if wrong.size:
            for t in reversed(trace.uses(name)):
                term = trace.contribution(name, t)
                if not np.isfinite(term).all():
                    yield Trouble("nan" if np.isnan(term).any() else "overflow", "backward", name, t)
                    return
            yield Trouble(_not_finite(float(wrong[0])), "backward", name, None)
            return


def _not_finite(number: float) -> Kind:
    return "nan" if np.isnan(number) else "overflow"
