"""Where the gradient vanishes or explodes along the recurrence, and which factor is to blame.

Taken of the last loss alone, so that what other losses add on the way hides nothing: R(t) = ‖∂E/∂r_t‖ for a
recurrent node r (the last of them, or the one that is named: c of an LSTM, a lower layer), which is the running product
of all factors from E down to r_t. It starts at the latest t at which r exists and R is not 0. `vanish EPS` goes to the
first node, going backward, where R(t) < EPS · R(start), `explode LIMIT` to the first where R(t) > LIMIT · R(start).
Which factor is to blame is told by `bptt_tui.debugger.blame`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus import numerals
from bptt_tui.debugger.command import Command, MisuseError
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.tables import recurrent_nodes
from bptt_tui.errors import CommandError
from bptt_tui.session import Loss

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

Array = NDArray[Any]
MOST_OTHERS = 6  # recurrent nodes besides the one that is followed


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
    from bptt_tui.debugger.blame import blamed

    ratio = numerals.number(float(course.ratios[course.beyond]))
    said += f": the running product is {ratio} times its start {_end(scene, loss, course, course.start)} "
    said += f"({sign} {written})"
    guilt = blamed(scene, name, course.norms, course.beyond, course.start, shrinking=shrinking)
    return "\n".join([said, *guilt, *_others(scene, loss, nodes[1:], limit, shrinking=shrinking)])


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


ROWS = (
    Command("vanish", "vanish EPS [NODE]", "to where the running product falls below EPS times its start", _vanish, (),
            "along the recurrence, of the last loss alone: the first t going backward with ‖∂E/∂s_t‖ below EPS times "
            "its size at the last timestep; the guilty factor is the smallest of the timestep that shrinks it most · "
            "vanish 1e-3 c: along c instead of the last recurrent node"),
    Command("explode", "explode LIMIT [NODE]", "to where the running product exceeds LIMIT times its start", _explode,
            (), "explode 1e3 · explode 1e3 s1: along s1 instead of the last recurrent node"),
)  # fmt: skip
