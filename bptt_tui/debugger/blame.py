"""Which factor of a chain makes the gradient vanish or explode: the guilty one.

Between two timesteps of a recurrent node r, the timestep whose factors together shrink (or grow) ‖∂E/∂r_t‖ the most;
on its path from r to the earlier r (at a fork, through the largest inflow), the factor that does so most. An edge
that is several, (1 − s²)·w or diag(1 − s²)·W, is taken apart: of each, how much it changes the size of the gradient
it meets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.debugger.chain import REACH, consumer_of, factor_of, links_into
from bptt_tui.debugger.looking import Scene
from bptt_tui.language import Call, Expression, Name, Printer, operands
from bptt_tui.trace import Link

Array = NDArray[Any]
WALKED = 500  # timesteps
_ARITHMETIC = frozenset({"add", "sub", "neg", "mul", "div", "matmul", "sum", "dot", "concat"})


class Blame(Struct, frozen=True):
    """One factor: the edge it stands on, its formula and what it does to the size of what passes; why so."""

    text: str
    ratio: float
    kind: str  # slope, weight, slope and weight, gate, constant

    def __str__(self) -> str:
        return f"{self.text} ({self.kind})"


def blamed(scene: Scene, name: str, norms: Array, t: int, start: int, *, shrinking: bool) -> list[str]:
    """The worst timestep between `start` and `t`, its factors, and the worst of them, a line each.

    `norms` are ‖∂E/∂r_t‖ of the node `name` for every t, `(T,)`.
    """
    moments = np.flatnonzero(~np.isnan(norms[: start + 1]))
    moments = moments[moments >= t]
    with np.errstate(all="ignore"):
        change = norms[moments[:-1]] / norms[moments[1:]]
    change = np.where(np.isnan(change), 0.0 if shrinking else np.inf, change)
    if not len(change):
        return []
    worst = int(np.argmin(change) if shrinking else np.argmax(change))
    below = int(moments[worst])
    path = list(_path(scene, name, below))
    if not path:
        return []
    above = consumer_of(scene, path[0])
    lower = scene.ref(name, below).label
    several = "; along the largest inflow of several" * _forks(scene, path)
    if above.name != name or above.t != moments[worst + 1]:
        # The largest inflows lead past the node's next timestep, along another state.
        several += f", from {above.label}"
    upper = scene.ref(name, int(moments[worst + 1])).label
    head = f"most of all from {upper} to {lower}, × {numerals.number(float(change[worst]))}{several}:"
    factors = [blame for link in path for blame in _factors(scene, link)]
    guilty = min(factors, key=lambda f: f.ratio) if shrinking else max(factors, key=lambda f: f.ratio)
    return [head, *(f"  {factor}" for factor in factors), f"guilty: {guilty}", *_altogether(scene, name, t, start)]


def _altogether(scene: Scene, name: str, t: int, start: int) -> list[str]:
    """What the factors of each kind come to over the whole way, where it is short enough to be walked."""
    products: dict[str, float] = {}
    here, steps, forks = t, 0, False
    while here < start and steps < WALKED:
        path = _path(scene, name, here)
        if not path or consumer_of(scene, path[0]).name != name:
            return []
        forks = forks or _forks(scene, path)
        for link in path:
            for factor in _factors(scene, link):
                products[factor.kind] = products.get(factor.kind, 1.0) * factor.ratio
        later = path[0].consumer_time
        assert later is not None and later > here
        here, steps = later, steps + 1
    if here != start or not products:
        return []
    shown = (f"{kind} × {numerals.number(product)}" for kind, product in products.items() if product != 1.0)
    # Where several inflows add up, the factors along one of them do not multiply to the whole.
    return [f"altogether{' along the largest inflows' * forks}: " + ", ".join(shown)]


def _forks(scene: Scene, path: list[Link]) -> bool:
    """Whether a node on the way has more than one inflow."""
    return any(len(links_into(scene, link.name, link.t)) > 1 for link in path)


def _path(scene: Scene, name: str, t: int) -> list[Link]:
    """The edges from a recurrent node up to itself at a later timestep, in order from E."""
    found: list[Link] = []
    here: tuple[str, int] | None = (name, t)
    while here is not None and len(found) < REACH:
        links = links_into(scene, *here)
        if not links:
            break
        link = max(links, key=lambda link: _size(_inflow(scene, link)))
        found.append(link)
        above = consumer_of(scene, link)
        here = None if above.t is None or above.name == name else (above.name, above.t)
    return found[::-1]


def _inflow(scene: Scene, link: Link) -> Array:
    """What flows over an edge."""
    if link.reader is None:
        return np.asarray(scene.trace.share)
    return scene.trace.inflow(link.reader.equation, link.t + link.reader.lag, link.reader.by)


def _size(value: Array) -> float:
    size = float(norm(value, value.ndim))
    return math.inf if math.isnan(size) else size


def _factors(scene: Scene, link: Link) -> Iterator[Blame]:
    """What an edge multiplies by: every factor of its formula, and what each does to the size of the gradient."""
    factor = factor_of(scene, link, current=False, taken=False)
    reader = link.reader
    if reader is None or link.consumer_time is None:
        yield Blame(_equated(factor.title, factor.symbol, scene.trace.share), scene.trace.share, "constant")
        return
    equation, at = reader.equation, link.consumer_time
    formula = scene.partials.formula(equation, reader.by)
    target = scene.network.equations[equation].target
    gradient, flow = scene.trace.adjoint(target, at).reshape(1, -1), _inflow(scene, link)
    taken = _taken_apart(scene, formula, gradient, flow, at) if factor.value is not None else []
    printer = Printer(NOTATIONS, "unicode", scene.naming.leaf(at, "unicode"))
    for part, value, ratio in taken:
        kind = _kind(scene, equation, part)
        if len(taken) > 1:
            yield Blame(f"{_shown(printer.print(part), value, ratio)} in {factor.title}", ratio, kind)
        else:
            yield Blame(f"{factor.title} = {_shown(factor.symbol, value, ratio)}", ratio, kind)
    if not taken:
        with np.errstate(all="ignore"):
            ratio = float(np.divide(_size(flow), _size(gradient)))
        text = f"{factor.title} = {factor.symbol}, × {numerals.number(ratio)} in size"
        yield Blame(text, ratio, _kind(scene, equation, formula))


def _taken_apart(
    scene: Scene, formula: Expression, gradient: Array, flow: Array, at: int
) -> list[tuple[Expression, Array, float]]:
    """The factors of a formula, their values, and by how much each changes the size of the gradient it meets."""
    found: list[tuple[Expression, Array, float]] = []
    with np.errstate(all="ignore"):
        for part in operands(formula, "mul", "compose"):
            value = evaluate(part, lambda name: scene.trace.value(name.name, at + (name.offset or 0)))
            if value.ndim == 2 and value.shape[0] == gradient.shape[1]:
                after = gradient @ value
            elif value.size == 1:
                after = gradient * value.reshape(())
            else:
                return []
            ratio = (
                abs(float(value.reshape(()))) if value.size == 1 else float(np.divide(_size(after), _size(gradient)))
            )
            found.append((part, value, ratio))
            gradient = after
    whole = gradient.size == flow.size and np.allclose(gradient.reshape(-1), flow.reshape(-1), rtol=1e-6, atol=0)
    return found if whole else []


def _shown(symbol: str, value: Array, ratio: float) -> str:
    """`w = 0.8`, `diag(1 − s₁²), × 0.4 in size`."""
    if value.size == 1:
        return _equated("", symbol, float(value.reshape(())))
    return f"{symbol}, × {numerals.number(ratio)} in size"


def _equated(title: str, symbol: str, value: float) -> str:
    """`∂s₁/∂z₁ = 1 − s₁² = 0.42`, nothing said twice."""
    number = numerals.number(value)
    return " = ".join(dict.fromkeys(part for part in (title, symbol, number) if part))


def _kind(scene: Scene, equation: int, formula: Expression) -> str:
    """Slope of an activation, weight, both, or the value of another node (a gate)."""
    target = scene.network.equations[equation].target
    bends, read = False, set[str]()
    waiting = [formula]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            read.add(node.name)
        elif isinstance(node, Call) and node.operation.endswith("_slope"):
            bends = True  # what stands in it is where the slope is taken
        elif isinstance(node, Call):
            waiting.extend(node.arguments)
    bends |= target in read or (
        bool(read) and scene.operation(target) not in _ARITHMETIC and not read & set(scene.trace.terms)
    )
    weighs = bool(read & set(scene.trace.terms))
    if bends:
        return "slope and weight" if weighs else "slope"
    return "weight" if weighs else "gate" if read else "constant"
