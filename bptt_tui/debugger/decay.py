"""Where the gradient vanishes or explodes along the recurrence, and which factor is to blame.

Taken of the last loss alone, so that what other losses add on the way hides nothing: R(t) = ‖∂E/∂r_t‖ for a
recurrent node r (the last of them, or the one that is named: c of an LSTM, a lower layer), which is the running product
of all factors from E down to r_t. It starts at the latest t at which r
exists and R is not 0. `vanish EPS` goes to the first node, going backward, where R(t) < EPS · R(start), `explode LIMIT`
to the first where R(t) > LIMIT · R(start).

The guilty factor: between the start and there, the timestep whose factors together shrink (or grow) R the most; on
its path from r to the earlier r (at a fork, through the largest inflow), the factor that does so most. An edge that is
several, (1 − s²)·w or diag(1 − s²)·W, is taken apart: of each, how much it changes the size of the gradient it meets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.debugger.chain import REACH, consumer_of, factor_of, links_into
from bptt_tui.debugger.command import Command, MisuseError
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.tables import recurrent_nodes
from bptt_tui.errors import CommandError
from bptt_tui.language import Call, Expression, Name, Printer, operands
from bptt_tui.session import Loss
from bptt_tui.trace import Link

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

Array = NDArray[Any]
WALKED = 500  # timesteps
MOST_OTHERS = 6  # recurrent nodes besides the one that is followed
_ARITHMETIC = frozenset({"add", "sub", "neg", "mul", "div", "matmul", "sum", "dot", "concat"})


class Blame(Struct, frozen=True):
    """One factor: the edge it stands on, its formula and what it does to the size of what passes; why so."""

    text: str
    ratio: float
    kind: str  # slope, weight, slope and weight, gate, constant

    def __str__(self) -> str:
        return f"{self.text} ({self.kind})"


def _vanish(debugger: Debugger, rest: str) -> str:
    return _run(debugger, rest, shrinking=True)


def _explode(debugger: Debugger, rest: str) -> str:
    return _run(debugger, rest, shrinking=False)


def _asked(debugger: Debugger, rest: str) -> tuple[str, list[str]]:
    """The limit as written, and the recurrent nodes, the one to follow first."""
    limit, _, name = rest.partition(" ")
    _limit(limit)
    name, nodes = name.strip(), recurrent_nodes(debugger.look)[::-1]
    if not nodes:
        raise CommandError(
            "no node is read at a later timestep", hint="a gradient vanishes or explodes along a recurrence"
        )
    if name and name not in nodes:
        raise CommandError(f"no later timestep reads a node {name!r}", hint=f"there is {', '.join(nodes)}")
    return limit, sorted(nodes, key=lambda node: node != (name or nodes[0]))


def _limit(rest: str) -> float:
    if not rest:
        raise MisuseError("by how much?")
    if not re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", rest, re.ASCII) or not 0 < float(rest) < math.inf:
        raise MisuseError(f"{rest!r} is not a positive number")
    return float(rest)


class Course(Struct, frozen=True):
    """How a node's R(t) goes from `start` back: in units of R(start), the first t beyond the limit, and the extreme."""

    name: str
    start: int
    norms: Array
    ratios: Array
    beyond: int | None
    extreme: int


def _course(scene: Scene, name: str, limit: float, *, shrinking: bool) -> Course | None:
    norms = scene.trace.norms(name)
    there = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    if not len(there):
        return None
    start = int(there[-1])
    with np.errstate(all="ignore"):
        ratios = norms[: start + 1] / norms[start]
        beyond = np.flatnonzero(ratios < limit if shrinking else ~(ratios <= limit) & ~np.isnan(norms[: start + 1]))
    extreme = int(np.nanargmin(ratios) if shrinking else np.nanargmax(ratios))
    return Course(name, start, norms, ratios, int(beyond[-1]) if len(beyond) else None, extreme)


def _run(debugger: Debugger, rest: str, *, shrinking: bool) -> str:
    written, nodes = _asked(debugger, rest)
    limit, scene, name = _limit(written), _of_the_last_loss(debugger), nodes[0]
    course = _course(scene, name, limit, shrinking=shrinking)
    if course is None:
        raise CommandError(f"no gradient reaches {name}", hint="print dE/dw shows what there is")
    loss = _loss_label(debugger.look.scene)
    if course.beyond is None:
        said = f"the running product {_stays(scene, loss, course, shrinking)}"
        others = [] if debugger.asked is not None else _others(scene, loss, nodes[1:], limit, shrinking=shrinking)
        return "\n".join([said, *others])
    position = debugger.look.scene.timeline.adjoint_position(name, course.beyond)
    assert position is not None
    debugger.go(Cursor(position))
    word, sign = ("vanished", "<") if shrinking else ("exploded", ">")
    said = f"{word} at {_reached(scene, loss, course)}"
    if debugger.asked is not None:  # predict mode asks for the last factor of this product
        return said
    ratio = numerals.number(float(course.ratios[course.beyond]))
    said += f": the running product is {ratio} times its start {_end(scene, loss, course, course.start)} "
    said += f"({sign} {written})"
    blamed = _blamed(scene, name, course.norms, course.beyond, course.start, shrinking=shrinking)
    return "\n".join([said, *blamed, *_others(scene, loss, nodes[1:], limit, shrinking=shrinking)])


def _end(scene: Scene, loss: str, course: Course, t: int) -> str:
    """`∂E/∂s₅₉`."""
    return scene.naming.partial(loss, scene.ref(course.name, t).label)


def _reached(scene: Scene, loss: str, course: Course) -> str:
    """`∂E/∂s₂₃, 36 timesteps on`."""
    assert course.beyond is not None
    far = course.start - course.beyond
    return f"{_end(scene, loss, course, course.beyond)}, {far} timestep{'s' * (far != 1)} on"


def _stays(scene: Scene, loss: str, course: Course, shrinking: bool) -> str:
    """`falls to no less than 0.3 times its start ∂E/∂s₅₉, at ∂E/∂s₀`."""
    word = "falls to no less than" if shrinking else "grows to no more than"
    ratio = numerals.number(float(course.ratios[course.extreme]))
    start, end = (_end(scene, loss, course, t) for t in (course.start, course.extreme))
    return f"{word} {ratio} times its start {start}, at {end}"


def _others(scene: Scene, loss: str, nodes: list[str], limit: float, *, shrinking: bool) -> list[str]:
    """What the gradient does along the other recurrent nodes, a line each: a cell state, the layers below."""
    lines = []
    for name in nodes[:MOST_OTHERS]:
        course = _course(scene, name, limit, shrinking=shrinking)
        if course is not None:
            beyond = course.beyond is not None
            what = f"at {_reached(scene, loss, course)}" if beyond else _stays(scene, loss, course, shrinking)
            lines.append(f"along {name}: {what}")
    return lines


def _of_the_last_loss(debugger: Debugger) -> Scene:
    """The scene, of the last loss alone."""
    scene = debugger.look.scene
    if not scene.unrolled.has_total:
        return scene
    session = debugger.state.session
    return Scene(session.replace(loss=Loss(at=(scene.unrolled.loss_times[-1],))).trace())


def _loss_label(scene: Scene) -> str:
    """The loss followed: E₂₉₉ where there are several, whose sum is E."""
    unrolled = scene.unrolled
    if not unrolled.has_total:
        return scene.naming.total()
    return scene.ref(scene.network.loss_name, unrolled.loss_times[-1]).label


def _blamed(scene: Scene, name: str, norms: Array, t: int, start: int, *, shrinking: bool) -> list[str]:
    """The worst timestep, its factors, and the worst of them."""
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
    taken = _taken_apart(scene, equation, formula, gradient, flow, at) if factor.value is not None else []
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
    scene: Scene, equation: int, formula: Expression, gradient: Array, flow: Array, at: int
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


ROWS = (
    Command("vanish", "vanish EPS [NODE]", "to where the running product falls below EPS times its start", _vanish, (),
            "along the recurrence, of the last loss alone: the first t going backward with ‖∂E/∂s_t‖ below EPS times "
            "its size at the last timestep; the guilty factor is the smallest of the timestep that shrinks it most · "
            "vanish 1e-3 c: along c instead of the last recurrent node"),
    Command("explode", "explode LIMIT [NODE]", "to where the running product exceeds LIMIT times its start", _explode,
            (), "explode 1e3 · explode 1e3 s1: along s1 instead of the last recurrent node"),
)  # fmt: skip
