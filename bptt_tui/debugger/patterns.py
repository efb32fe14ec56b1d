"""`s`, `s[3]`, s₃, `dE/ds[*]`, `u`, `*[3]`: which steps of the timeline are meant.

A node stands for the step that computes its value and the one that computes its gradient, `dE/ds` for the latter
only, a parameter for its contributions. `*` is any name or any timestep.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.places import absent, is_total, read_index, short_index
from bptt_tui.debugger.timeline import Kind, Step
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean
from bptt_tui.trace.health import Phase

_GLOB = r"((?:[^\W\d]|\*)[\w*]*?)"
_AT = r"(?:\s*\[([^][]*)\]|([₋₀-₉]+))?"
_NODE = re.compile(_GLOB + _AT)
_DERIVATIVE = re.compile(rf"[d∂]{_GLOB}{_AT}\s*/\s*[d∂]{_GLOB}{_AT}")
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
    names = scene.unrolled.shapes
    if text in names:
        return _checked(scene, text, None, "both")
    derivative = _DERIVATIVE.fullmatch(text)
    if derivative is not None and f"d{derivative[1]}" not in names:
        above, bracketed, lowered, name, below, low = derivative.groups()
        index = read_index(bracketed, lowered)
        if not is_total(scene, above, None if index is None else index.steps):
            loss = scene.network.loss_name
            raise CommandError(f"{text} is not a gradient of the loss {loss}", hint=f"write d{loss}/d{name}, or {name}")
        short = short_index(names, name) if (below, low) == (None, None) else None
        return _checked(scene, *(short or (name, _timestep(below, low))), "backward")
    node = _NODE.fullmatch(text)
    if node is not None and (node[1] in names or (node[2], node[3]) != (None, None) or "*" in node[1]):
        return _checked(scene, node[1], _timestep(node[2], node[3]), "both")
    short = short_index(names, text)
    if short is not None:
        return _checked(scene, *short, "both")
    if node is None:
        raise CommandError(f"{text} is no node", hint=f"such as {EXAMPLES}")
    return _checked(scene, text, None, "both")


def _timestep(bracketed: str | None, lowered: str | None) -> int | None:
    if bracketed is not None and bracketed.strip() == "*":
        return None
    index = read_index(bracketed, lowered)
    if index is not None and index.relative:
        raise CommandError(f"[{bracketed}] changes with the position", hint="write a number as in s[3], or s[*]")
    return None if index is None else index.steps


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
