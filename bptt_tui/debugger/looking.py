"""What a trace says at one position: values and adjoints as far as they are known there.

Everything a View shows comes through here, so that nothing of a later position can be seen: what is not yet
computed is NOT_YET, what does not exist is ABSENT.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.debugger.timeline import Step, Timeline
from bptt_tui.debugger.view import ABSENT, HIDDEN, NOT_YET, Factor, Missing, Ref, Scale, Shown
from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.language import Name
from bptt_tui.network import Timesteps
from bptt_tui.trace import Consumer, Trace
from bptt_tui.trace.health import KINDS, SMALLEST_NORMAL, Phase, troubled

Array = NDArray[Any]


class Scene:
    """A trace with what belongs to it for all positions: its timeline, names and formulas."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.unrolled = trace.unrolled
        self.network = trace.unrolled.network
        self.naming = Naming(trace.unrolled)
        self.timeline = Timeline(trace)
        self.partials = Partials(trace, self.naming)
        times = trace.unrolled.loss_times
        self._loss_times = times if isinstance(times, range) else frozenset(times)
        self.factors: dict[object, Factor] = {}  # of the latest chain, by edge: the next one shares most of them

    def ref(self, name: str, t: int | None) -> Ref:
        """The node, initial value, input, parameter or constant a name stands for at `t`."""
        kind = self.unrolled.values.kind(name)
        if kind == "node" and t is None:
            return Ref(name, None, self.naming.total(), "total")
        if kind == "parameter":
            return Ref(name, t, self.naming.use(name, t or 0), "use")
        if kind == "constant":
            return Ref(name, t, name, "constant")
        label = self.naming.node(name, t)
        if kind == "input":
            return Ref(name, t, label, "input")
        return Ref(name, t, label, "node" if t is not None and t >= 0 else "initial")

    def step_ref(self, step: Step) -> Ref:
        """What a step computes."""
        return self.ref(step.name, step.t)

    def times(self, name: str) -> Timesteps | None:
        """When a node exists or a parameter is used; None for an input or constant, which no step computes."""
        if name in self.trace.terms:
            return self.trace.terms[name].times
        equation = self.network.index.get(name)
        return None if equation is None else self.unrolled.present[equation]

    def operation(self, name: str, t: int | None = None) -> str:
        """The operation that gives a node its value: tanh for `s = tanh(z)`; where it is pinned, none."""
        if self.unrolled.is_pinned(name, t):
            return ""
        program = self.trace.program
        return program.instruction(program.roots[self.network.index[name]]).operation.name

    def jacobian(self, equation: int, t: int, by: Name) -> Array:
        """An edge's dense local partial, rows × columns; of several entries, a 0 has no sign.

        The entries that are 0 by structure come out of a product, as −0 where the other factor is negative.
        """
        value = self.trace.jacobian(equation, t, by)
        return value if value.size == 1 else value + 0.0

    def consumers(self, name: str, t: int) -> tuple[Consumer, ...]:
        """Who reads a node and passes a gradient back, in the order of its inflows."""
        found = self.trace.consumers(name, t)
        return tuple(consumer for consumer in found if self.partials.flows(consumer.equation, consumer.by))

    def feeds_total(self, name: str, t: int) -> bool:
        """Whether a node is a loss step that the total of several adds up."""
        return self.unrolled.has_total and name == self.network.loss_name and t in self._loss_times

    def inflow_count(self, name: str, t: int) -> int:
        """How many inflows a node's adjoint sums; 0 only for the one loss, where the backward pass starts."""
        return len(self.consumers(name, t)) + self.feeds_total(name, t)

    def factor_count(self, step: Step) -> int:
        """How many factors a step takes: one per inflow going backward, one otherwise."""
        if step.phase == "forward" or step.t is None:
            return 1
        return max(self.inflow_count(step.name, step.t), 1)


class Veil(Struct, frozen=True):
    """What predict mode hides: what the step just taken is `asked` for, and the `partials` it asks for later.

    `whole`: the step has been taken whole, so that what it computes would be known.
    """

    asked: Literal["", "value", "factor", "contribution"] = ""
    partials: bool = False
    whole: bool = True

    @property
    def hides_step(self) -> bool:
        """Whether what the step has computed is hidden."""
        return self.asked != "" and self.whole

    def over(self, factor: Factor) -> Factor:
        """The factor just taken, without what would tell the answer."""
        if self.asked == "factor":
            return unnamed(factor, HIDDEN)
        return replace(factor, running=HIDDEN) if self.asked == "contribution" else factor


def unnamed(factor: Factor, running: Shown) -> Factor:
    """A factor of which only the title and the shape are told."""
    return replace(factor, symbol=HIDDEN.value, latex=HIDDEN.value, value=None, running=running)


_NOTHING_HIDDEN = Veil()


class Look:
    """A scene at one position; `factor` inflows of the next step have been taken too. `veil` is what is hidden."""

    def __init__(self, scene: Scene, position: int, factor: int = 0, veil: Veil = _NOTHING_HIDDEN) -> None:
        self.scene = scene
        self.position = position
        self.factor = factor
        self.veil = veil

    @cached_property
    def step(self) -> Step | None:
        """The step just taken, or being taken factor by factor; None at position 0."""
        number = self.position + 1 if self.factor else self.position
        return self.scene.timeline.step(number) if number else None

    def is_current(self, kind: str, name: str, t: int | None) -> bool:
        """Whether the step just taken computed this."""
        step = self.step
        return step is not None and (step.kind, step.name, step.t) == (kind, name, t)

    def _hides(self, phase: Phase, kind: str, name: str, t: int | None) -> bool:
        """Whether this is what predict mode asks for."""
        step = self.step
        return self.veil.hides_step and step is not None and step == Step(kind, name, t, phase)  # type: ignore[arg-type]

    def value(self, name: str, t: int | None) -> Shown:
        """A node's, input's, initial or fixed value; `t` None for the total of several losses."""
        scene = self.scene
        kind = scene.unrolled.values.kind(name)
        if kind in ("parameter", "constant"):
            return scene.trace.value(name)
        if self._hides("forward", "node" if t is not None else "total", name, t):
            return HIDDEN
        if t is None:
            return np.asarray(scene.trace.loss) if self._reached(scene.timeline.total_position("forward")) else NOT_YET
        if t < 0:
            before = scene.unrolled.before.get(name)
            return ABSENT if before is None or -t > len(before) else np.asarray(before[t])
        if t >= scene.trace.steps:
            return ABSENT
        if kind == "input":
            return scene.trace.value(name, t)
        place = scene.timeline.value_position(name, t)
        if place is None:
            return ABSENT
        return scene.trace.value(name, t) if self._reached(place) else NOT_YET

    def adjoint(self, name: str, t: int | None) -> Shown:
        """∂E/∂node; `t` None for the total of several losses."""
        scene = self.scene
        if t is None:
            return np.asarray(1.0) if self._reached(scene.timeline.total_position("backward")) else NOT_YET
        if not 0 <= t < scene.trace.steps:
            return ABSENT
        place = scene.timeline.adjoint_position(name, t)
        if place is None:
            return ABSENT
        if self._hides("backward", "node", name, t):
            return HIDDEN
        return scene.trace.adjoint(name, t) if self._reached(place) else NOT_YET

    def adjoint_of_given(self, name: str, t: int) -> Shown:
        """∂E/∂x_t of an input or initial value: no step computes it, it is known when all who read it are."""
        scene = self.scene
        if self.value(name, t) is ABSENT:
            return ABSENT
        readers = [
            self.adjoint(scene.network.equations[reader.equation].target, t + reader.lag)
            for reader in scene.consumers(name, t)
        ]
        known = readers and not any(isinstance(reader, Missing) for reader in readers)
        return scene.trace.adjoint(name, t) if known else NOT_YET

    def contribution(self, parameter: str, t: int) -> Shown:
        """∂E/∂p_t."""
        place = self.scene.timeline.use_position(parameter, t)
        if place is None:
            return ABSENT
        if self._hides("backward", "use", parameter, t):
            return HIDDEN
        return np.asarray(self.scene.trace.contribution(parameter, t)) if self._reached(place) else NOT_YET

    def so_far(self, parameter: str) -> Shown:
        """The sum of the contributions taken, in the order taken; ABSENT for a parameter without a use."""
        taken, count = self.progress(parameter)
        if not count:
            return ABSENT
        if self.veil.hides_step and self.step is not None and (self.step.kind, self.step.name) == ("use", parameter):
            return HIDDEN
        return np.asarray(self.scene.trace.terms[parameter].running(taken)) if taken else NOT_YET

    def progress(self, parameter: str) -> tuple[int, int]:
        """(contributions taken, contributions there are)."""
        scene = self.scene
        return scene.timeline.terms_taken(parameter, self.position), scene.trace.terms[parameter].times.count

    def loss(self) -> Shown:
        """The loss whose gradient is taken."""
        scene = self.scene
        return self.value(scene.network.loss_name, None if scene.unrolled.has_total else scene.unrolled.loss_times[0])

    def _reached(self, place: int | None) -> bool:
        return place is not None and place <= self.position


def name_at(by: Name, t: int) -> int:
    """The timestep at which an equation at `t` reads a name."""
    return t + (by.offset or 0)


def scale_of(value: Shown, operation: str = "", *, adjoint: bool = False) -> Scale:
    """What is remarkable about a value: not finite, lost to underflow, or an activation at its limit."""
    if isinstance(value, Missing):
        return "ok"
    for kind in KINDS:
        found = troubled(kind, value, operation, adjoint=adjoint)
        if found.any():
            lost = kind == "underflow" and ((value != 0) & (np.abs(value) < SMALLEST_NORMAL)).any()
            return "subnormal" if lost else kind
    return "ok"
