"""What is meant by `s[1]`, s₁, s1, s_1, plain `s`, `dE/ds[0]` or ∂E/∂s₀: a name, a timestep, a position.

What the screen shows can be typed back. An index stands in brackets (`[1]`, `[-1]`, or counted from the present
timestep: `[t]`, `[t-1]`) or is written in subscript digits.
"""

from __future__ import annotations

import re
from collections.abc import Container

from msgspec import Struct

from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean

_NAME = r"([^\W\d]\w*?)"
_INDEX = r"(?:\s*\[([^][]*)\]|([₋₀-₉]+)(?!\w))"
# As text: what is compiled at the first use does not hold up the first picture.
NODE = rf"{_NAME}{_INDEX}"
DERIVATIVE = rf"[d∂]{_NAME}(?:{_INDEX})?\s*/\s*[d∂]{_NAME}(?:{_INDEX}|(?!\w))"
_SHORT = r"(.*?\D)_?(\d{1,18})"
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋", "0123456789-")
EXAMPLES = "goto 17, goto s[1], goto dE/ds[0], goto u[0]"


def position_of(look: Look, text: str) -> int:
    """The position of a command's `17`, or where a node (in the present phase), ∂E/∂node or contribution is known."""
    if text.isdecimal():
        return checked_position(look.scene, text)
    derivative = re.fullmatch(DERIVATIVE, text)
    if derivative is None:
        return _computed_at(look, *_read_node(look, text), backward=_is_backward(look))
    above, (below, t) = derivative[1], _indexed(look, derivative)
    if not is_total(look.scene, above, timestep(look, derivative[2], derivative[3])):
        loss = look.scene.network.loss_name
        raise CommandError(f"{text} is not a gradient of the loss {loss}", hint=f"goto d{loss}/ds[0], goto s[0]")
    return _computed_at(look, below, t, backward=True)


def _indexed(look: Look, derivative: re.Match[str]) -> tuple[str, int | None]:
    """What a derivative is by: `s[1]`, s₁, s1, s_1 or plain `s`."""
    below, t = derivative[4], timestep(look, derivative[5], derivative[6])
    short = short_index(look.scene.unrolled.shapes, below) if t is None else None
    return short or (below, t)


def checked_position(scene: Scene, digits: str) -> int:
    """A position that exists."""
    last = scene.timeline.last
    if len(digits) > 18 or int(digits) > last:
        shown = digits if len(digits) <= 18 else f"{digits[:18]}…"
        raise CommandError(f"there is no position {shown}", hint=f"the positions are 0 … {last}")
    return int(digits)


def short_index(names: Container[str], text: str) -> tuple[str, int] | None:
    """Name and timestep of s1 or s_1; None where that is a name itself, or s none."""
    short = re.fullmatch(_SHORT, text)
    if text in names or short is None or short[1] not in names:
        return None
    return short[1], int(short[2])


class Index(Struct, frozen=True):
    """`[3]`, or `[t-1]`, counted from the present timestep."""

    relative: bool
    steps: int


def read_index(bracketed: str | None, lowered: str | None) -> Index | None:
    """The index in brackets or in subscript digits; None where there is none."""
    if bracketed is None and lowered is None:
        return None
    text = "".join(bracketed.split()) if bracketed is not None else (lowered or "").translate(_DIGITS)
    match = re.fullmatch(r"(t)?((?(1)[+-]|-?)\d{1,18})?", text)
    if match is None or not text:
        raise CommandError(f"[{text[:20]}] is not a timestep", hint="write s[0], s[t] or s[t-1]")
    return Index(match[1] is not None, int(match[2] or 0))


def timestep(look: Look, bracketed: str | None, lowered: str | None) -> int | None:
    """The timestep an index names; None where there is no index."""
    index = read_index(bracketed, lowered)
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
    short = short_index(names, name)
    meant = f"write {short[0]}[{short[1]}]" if short is not None else did_you_mean(name, names)
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


def _read_node(look: Look, text: str) -> tuple[str, int | None]:
    """`s[1]`, s₁, s1 or s_1 (where that is no name) or a bare name."""
    names = look.scene.unrolled.shapes
    if text in names:
        return text, None
    match = re.fullmatch(NODE, text)
    if match is not None:
        return match[1], timestep(look, match[2], match[3])
    short = short_index(names, text)
    if short is not None:
        return short
    if re.fullmatch(r"[^\W\d]\w*", text) is None:
        raise CommandError(f"{text} is neither a position nor a node", hint=EXAMPLES)
    return text, None


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
