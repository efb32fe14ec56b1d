"""`s`, `s[3]`, s₃, `dE/ds[*]`, `u`, `*[3]`: which steps of the timeline are meant.

A node stands for the step that computes its value and the one that computes its gradient, `dE/ds` for the latter
only, a parameter for its contributions. `*` is any name or any timestep.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.places import absent, is_total
from bptt_tui.debugger.references import Named, read_reference
from bptt_tui.debugger.timeline import Kind, Step
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean
from bptt_tui.trace.health import Phase

EXAMPLES = "s, s[3], dE/ds[*], u[0]"
Which = Literal["both", "backward"]


class Pattern(Struct, frozen=True):
    """Steps by name and timestep (None: any), in both phases or backward only."""

    name: str
    t: int | None
    which: Which = "both"

    def named(self, name: str) -> bool:
        """Whether a name is meant."""
        if "*" not in self.name:
            return name == self.name
        return re.fullmatch(".*".join(map(re.escape, self.name.split("*"))), name) is not None

    def covers(self, step: Step) -> bool:
        """Whether a step is meant."""
        return (
            self.named(step.name)
            and (self.t is None or step.t == self.t)
            and (self.which == "both" or step.phase == "backward")
        )

    def kinds(self, scene: Scene) -> list[tuple[Kind, str, Phase]]:
        """What computes steps that are meant."""
        return [
            (kind, name, phase)
            for kind, name, phase in all_kinds(scene)
            if self.named(name)
            and (self.which == "both" or phase == "backward")
            and not (kind == "total" and self.t is not None)
        ]


def all_kinds(scene: Scene) -> list[tuple[Kind, str, Phase]]:
    """Everything that takes steps: nodes and the total in both phases, parameters backward."""
    found: list[tuple[Kind, str, Phase]] = []
    for equation, name in enumerate(scene.network.targets):
        if scene.unrolled.present[equation].count:
            found += [("node", name, "forward"), ("node", name, "backward")]
    found += [("use", name, "backward") for name, terms in scene.trace.terms.items() if terms.times.count]
    if scene.unrolled.has_total:
        name = scene.network.loss_name
        found += [("total", name, "forward"), ("total", name, "backward")]
    return found


def read_pattern(scene: Scene, text: str) -> Pattern:
    """The steps that a text means; CommandError where there is none."""
    found = read_reference(scene.unrolled.shapes, text, pattern=True)
    if found is None:
        raise CommandError(f"{text} is no node", hint=f"such as {EXAMPLES}")
    above, below = found.above, found.below
    if above is None:
        return _checked(scene, below.name, _timestep(below), "both")
    if above.every or not is_total(scene, above.name, _timestep(above)):
        loss = scene.network.loss_name
        raise CommandError(
            f"{text} is not a gradient of the loss {loss}", hint=f"write d{loss}/d{below.name}, or {below.name}"
        )
    return _checked(scene, below.name, _timestep(below), "backward")


def _timestep(named: Named) -> int | None:
    if named.at is not None and named.at.relative:
        raise CommandError(
            f"the timestep of {named.name}[t] changes with the position", hint="write a number as in s[3], or s[*]"
        )
    return None if named.at is None else named.at.steps


def _checked(scene: Scene, name: str, t: int | None, which: Which) -> Pattern:
    pattern = Pattern(name, t, which)
    steppers = list(dict.fromkeys(stepper for _, stepper, _ in all_kinds(scene)))
    if "*" in name:
        if not any(pattern.named(stepper) for stepper in steppers):
            raise CommandError(f"no node or parameter is called {name}", hint=f"there are {', '.join(steppers)}")
        if t is not None and not 0 <= t < scene.trace.steps:
            raise CommandError(f"there is no timestep {t}", hint=f"the timesteps are 0 … {scene.trace.steps - 1}")
        return pattern
    if name not in scene.unrolled.shapes:
        hint = did_you_mean(name, steppers) or f"nodes and parameters are {', '.join(steppers)}"
        raise CommandError(f"there is no node {name}", hint=hint)
    times = scene.times(name)
    if times is None:
        kind = scene.unrolled.values.kind(name)
        article = "an" if kind == "input" else "a"
        raise CommandError(f"{name} is {article} {kind}: it is given, no step computes it", hint=f"such as {EXAMPLES}")
    if t is not None and times.row(t) is None:
        raise absent(scene, name, t)
    if not times.count:
        raise CommandError(
            f"no step computes {name}: the loss does not depend on it", hint=f"there are {', '.join(steppers)}"
        )
    return pattern
