"""What a trace says at one position: values and adjoints as far as they are known there.

Everything a View shows comes through here, so that nothing of a later position can be seen: what is not yet
computed is NOT_YET, what does not exist is ABSENT.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.debugger.timeline import Step, Timeline
from bptt_tui.debugger.view import ABSENT, NOT_YET, Missing, Ref, Scale, Shown
from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.language import Name
from bptt_tui.trace import Consumer, Trace

Array = NDArray[Any]
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)


class Scene:
    """A trace with what belongs to it for all positions: its timeline, names and formulas."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.unrolled = trace.unrolled
        self.network = trace.unrolled.network
        self.naming = Naming(trace.unrolled)
        self.timeline = Timeline(trace)
        self.partials = Partials(trace, self.naming)

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

    def consumers(self, name: str, t: int) -> tuple[Consumer, ...]:
        """Who reads a node and passes a gradient back, in the order of its inflows."""
        found = self.trace.consumers(name, t)
        return tuple(consumer for consumer in found if self.partials.flows(consumer.equation, consumer.by))

    def feeds_total(self, name: str) -> bool:
        """Whether a node is a loss step that the total of several adds up."""
        return self.unrolled.has_total and name == self.network.loss_name

    def inflow_count(self, name: str, t: int) -> int:
        """How many inflows a node's adjoint sums; 0 only for the one loss, where the backward pass starts."""
        return len(self.consumers(name, t)) + self.feeds_total(name)

    def factor_count(self, step: Step) -> int:
        """How many factors a step takes: one per inflow going backward, one otherwise."""
        if step.phase == "forward" or step.kind == "total":
            return 1
        assert step.t is not None
        return max(self.inflow_count(step.name, step.t), 1)

    def one_logit(self) -> bool:
        """Whether some softmax has a single logit."""
        slots = self.trace.program.slots
        return any(
            getattr(slot, "operation", None) is not None
            and slot.operation.name == "softmax"  # type: ignore[union-attr]
            and int(np.prod(slot.shape)) == 1
            for slot in slots
        )


class Look:
    """A scene at one position; `factor` inflows of the next step have been taken too."""

    def __init__(self, scene: Scene, position: int, factor: int) -> None:
        self.scene = scene
        self.position = position
        self.factor = factor

    def current_step(self) -> Step | None:
        """The step just taken, or being taken factor by factor; None at position 0."""
        if self.factor:
            return self.scene.timeline.step(self.position + 1)
        return self.scene.timeline.step(self.position) if self.position else None

    def value(self, name: str, t: int | None) -> Shown:
        """A node's, input's or fixed value."""
        scene = self.scene
        if scene.unrolled.values.kind(name) != "node":
            return scene.trace.value(name, t) if t is None or t < scene.trace.steps else ABSENT
        if t is None:
            place = scene.timeline.total_position("forward")
            known = place is not None and place <= self.position
            return np.asarray(scene.trace.loss) if known else NOT_YET
        if t < 0:
            before = scene.unrolled.before.get(name)
            return ABSENT if before is None or -t > len(before) else np.asarray(before[len(before) + t])
        place = scene.timeline.value_position(name, t) if t < scene.trace.steps else None
        if place is None:
            return ABSENT
        return scene.trace.value(name, t) if place <= self.position else NOT_YET

    def adjoint(self, name: str, t: int | None) -> Shown:
        """∂E/∂node."""
        scene = self.scene
        if t is None:
            place = scene.timeline.total_position("backward")
            return np.asarray(1.0) if place is not None and place <= self.position else NOT_YET
        if t < 0 or t >= scene.trace.steps:
            return ABSENT
        place = scene.timeline.adjoint_position(name, t)
        if place is None:
            return ABSENT
        return scene.trace.adjoint(name, t) if place <= self.position else NOT_YET

    def contribution(self, parameter: str, t: int) -> Shown:
        """∂E/∂p_t."""
        place = self.scene.timeline.use_position(parameter, t)
        if place is None:
            return ABSENT
        return np.asarray(self.scene.trace.contribution(parameter, t)) if place <= self.position else NOT_YET

    def so_far(self, parameter: str) -> Shown:
        """The sum of the contributions taken, in the order taken."""
        taken = self.scene.timeline.terms_taken(parameter, self.position)
        return self.scene.trace.terms[parameter].running(taken) if taken else NOT_YET

    def loss(self) -> Shown:
        """The loss whose gradient is taken."""
        scene = self.scene
        if scene.unrolled.has_total:
            return self.value(scene.network.loss_name, None)
        return self.value(scene.network.loss_name, scene.unrolled.loss_times[0])


def name_at(by: Name, t: int) -> int:
    """The timestep at which an equation at `t` reads a name."""
    return t + (by.offset or 0)


def scale_of(value: Shown, operation: str) -> Scale:
    """What is remarkable about a value: not finite, subnormal, or an activation at its limit."""
    if isinstance(value, Missing):
        return "ok"
    if np.isnan(value).any():
        return "nan"
    if np.isinf(value).any():
        return "overflow"
    magnitude = np.abs(value)
    if ((magnitude > 0) & (magnitude < SMALLEST_NORMAL)).any():
        return "subnormal"
    limits = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}.get(operation)
    if limits is not None and ((value == limits[0]) | (value == limits[1])).any():
        return "saturated"
    return "ok"
