"""Whether a stop can be hit at a node at all, by what its condition says of `t` and `phase` alone.

Everything else in a condition is taken to hold and not to hold, whatever it is at some position: a mark on the graph
must not tell what has not been computed.
"""

from __future__ import annotations

from bptt_tui.debugger.applying import number
from bptt_tui.debugger.conditions import Comparison, Condition, Every, InPhase, Not, compared
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.stops import Stop
from bptt_tui.language import Number, substitute

_EITHER, _NEITHER = (True, True), (False, False)


def can_be_hit(stop: Stop, scene: Scene, t: int | None) -> bool:
    """Whether a breakpoint that names a node can be hit at its timestep `t`, forward or backward; None: the total."""
    if stop.condition is None:
        return True
    both = stop.pattern is None or stop.pattern.which == "both"
    phases = ("forward", "backward") if both else ("backward",)
    return any(_outcomes(stop.condition, scene, t, phase)[0] for phase in phases)


def _outcomes(condition: Condition, scene: Scene, t: int | None, phase: str) -> tuple[bool, bool]:
    """Whether it can hold, and whether it can fail to; neither, where it cannot be told at any position."""
    if isinstance(condition, InPhase):
        return condition.phase == phase, condition.phase != phase
    if isinstance(condition, Not):
        holds, fails = _outcomes(condition.inner, scene, t, phase)
        return fails, holds
    if isinstance(condition, Comparison):
        return _compared(condition, scene, t)
    parts = [_outcomes(part, scene, t, phase) for part in condition.parts]
    every = isinstance(condition, Every)
    holds = (all if every else any)(part[0] for part in parts)
    fails = (any if every else all)(part[1] for part in parts)
    return holds, fails


def _compared(comparison: Comparison, scene: Scene, t: int | None) -> tuple[bool, bool]:
    sides = comparison.left, comparison.right
    names = [side.quantity(name.name).text for side in sides for name in side.names()]
    if "t" in scene.unrolled.shapes or not names or any(name != "t" for name in names):
        return _EITHER
    if t is None:  # the total of several losses has no timestep
        return _NEITHER
    values = [number(substitute(side.expression, lambda _name: Number(float(t)))).value for side in sides]
    holds = compared(comparison.sign, *values)
    return holds is True, holds is False
