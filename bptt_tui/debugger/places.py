"""What is meant by `s[1]`, s₁, s1, s_1, plain `s`, `dE/ds[0]` or ∂E/∂s₀: a name, a timestep, a position.

What the screen shows can be typed back. How it may be written is said in `references`.
"""

from __future__ import annotations

from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.references import Index, read_reference, short_name
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean

EXAMPLES = "goto 17, goto s[1], goto dE/ds[0], goto u[0]"


def position_of(look: Look, text: str) -> int:
    """The position of a command's `17`, or where a node (in the present phase), ∂E/∂node or contribution is known."""
    if text.isdecimal():
        return checked_position(look.scene, text)
    found = read_reference(look.scene.unrolled.shapes, text)
    if found is None:
        raise CommandError(f"{text} is neither a position nor a node", hint=EXAMPLES)
    name, t = found.below.name, timestep(look, found.below.at)
    if found.above is None:
        return _computed_at(look, name, t, backward=_is_backward(look))
    if not is_total(look.scene, found.above.name, timestep(look, found.above.at)):
        loss = look.scene.network.loss_name
        raise CommandError(f"{text} is not a gradient of the loss {loss}", hint=f"goto d{loss}/ds[0], goto s[0]")
    return _computed_at(look, name, t, backward=True)


def checked_position(scene: Scene, digits: str) -> int:
    """A position that exists."""
    last = scene.timeline.last
    if len(digits) > 18 or int(digits) > last:
        shown = digits if len(digits) <= 18 else f"{digits[:18]}…"
        raise CommandError(f"there is no position {shown}", hint=f"the positions are 0 … {last}")
    return int(digits)


def timestep(look: Look, index: Index | None) -> int | None:
    """The timestep an index names; None where there is no index."""
    if index is None:
        return None
    return (present(look) if index.relative else 0) + index.steps


def present(look: Look) -> int:
    """The timestep of the step just taken."""
    if look.step is None or look.step.t is None:
        raise CommandError("no timestep is the present one here", hint="write it as a number, as in s[0]")
    return look.step.t


def implied(look: Look, name: str) -> int:
    """The timestep meant by a bare name: the only one it has, or the present one, or its first."""
    scene = look.scene
    only = scene.times(name)
    if only is not None and only.count == 1:
        return only.start
    if look.step is not None and look.step.t is not None:
        return look.step.t
    return 0 if only is None else only.start


def is_total(scene: Scene, name: str, t: int | None) -> bool:
    """Whether this is the E that gradients are of. L stands for it too, as in most books, unless it is a name."""
    if name == "L" and "L" not in scene.unrolled.shapes:
        name = scene.network.loss_name
    if name != scene.network.loss_name:
        return False
    return t is None or (not scene.unrolled.has_total and t == scene.unrolled.loss_times[0])


def unknown(scene: Scene, name: str) -> CommandError:
    """There is no such name."""
    names = list(scene.unrolled.shapes)
    short = short_name(names, name)
    meant = f"write {short}" if short else did_you_mean(name, names)
    return CommandError(f"there is no {name}", hint=meant or f"the names are {', '.join(names)}")


def absent(scene: Scene, name: str, t: int) -> CommandError:
    """Why a name has nothing at a timestep."""
    steps = scene.trace.steps
    if not 0 <= t < steps:
        return CommandError(f"there is no {name}[{t}]", hint=f"the timesteps are 0 … {steps - 1}")
    if name in scene.trace.terms:
        return CommandError(f"{name} is not used at t = {t}", hint=_lies(scene, name, "is used"))
    return CommandError(
        f"{name}[{t}] does not exist: the loss does not depend on it", hint=_lies(scene, name, "exists")
    )


def _lies(scene: Scene, name: str, verb: str) -> str:
    times = scene.times(name)
    if times is None or not times.count:
        return ""
    if times.count == 1:
        return f"it {verb} at t = {times.start} only"
    return f"it {verb} between t = {times.start} and t = {times.last}"


def _is_backward(look: Look) -> bool:
    return look.step is not None and look.step.phase == "backward"


def _computed_at(look: Look, name: str, t: int | None, *, backward: bool) -> int:
    """The position at which a node, its adjoint or a contribution becomes known."""
    scene, timeline = look.scene, look.scene.timeline
    if name not in scene.unrolled.shapes:
        names = [*scene.network.targets, *scene.trace.terms]
        hint = did_you_mean(name, names) or f"nodes and parameters are {', '.join(names)}"
        raise CommandError(f"there is no node {name}", hint=hint)
    if t is None and scene.unrolled.has_total and name == scene.network.loss_name:
        total = timeline.total_position("backward" if backward else "forward")
        assert total is not None
        return total
    if scene.times(name) is None:
        kind = scene.unrolled.values.kind(name)
        article = "an" if kind == "input" else "a"
        raise CommandError(
            f"{name} is {article} {kind}: it is given, no step computes it", hint=f"print {name} shows it"
        )
    t = implied(look, name) if t is None else t
    if t < 0 and name in scene.unrolled.before:
        raise CommandError(
            f"{name}[{t}] is before t = 0: no step computes it", hint=f"print {name}[-1] shows its last value there"
        )
    if name in scene.trace.terms:
        found = timeline.use_position(name, t)
    else:
        found = timeline.adjoint_position(name, t) if backward else timeline.value_position(name, t)
    if found is None:
        raise absent(scene, name, t)
    return found
