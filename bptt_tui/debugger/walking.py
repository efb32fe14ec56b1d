"""Commands that walk the network rather than the timeline: along the chain, along time, by name, and along one's trail.

Up is towards E: to a node's consumer, whose gradient flows into it. Down is towards what a node reads. Forward they
lead to where values are computed, backward to where gradients are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.debugger.chain import consumer_of, links_into, links_out_of
from bptt_tui.debugger.command import Command, MisuseError, count, is_back, nothing
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.timeline import Step
from bptt_tui.errors import CommandError
from bptt_tui.network.network import did_you_mean
from bptt_tui.trace.health import Phase

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_REMEMBERED = 100
_SHOWN = 6


class Trail(Struct, frozen=True):
    """Where the debugger has been before moves of more than one node, and where `older` came from."""

    older: tuple[Cursor, ...] = ()
    newer: tuple[Cursor, ...] = ()

    def left(self, cursor: Cursor) -> Trail:
        """With one more place behind; what was newer is gone."""
        older = tuple(place for place in self.older if place != cursor)
        return Trail((*older, cursor)[-_REMEMBERED:])


class Way(Struct, frozen=True):
    """A step that can be gone to from here: where it is taken, and what it is called."""

    position: int
    label: str


# --- along the chain ---------------------------------------------------------------------------------------------


def _step_here(debugger: Debugger) -> Step:
    step = debugger.look.step
    if step is None:
        raise CommandError("nothing is computed yet", hint="next computes the first node")
    return step


def _ways_up(scene: Scene, step: Step) -> list[Way]:
    """The consumers, in the order of the inflows."""
    if step.t is None:
        return []
    refs = [consumer_of(scene, link) for link in links_into(scene, step.name, step.t)]
    return [Way(_place(scene, ref.name, ref.t, step.phase), ref.label) for ref in refs]


def _ways_down(scene: Scene, step: Step) -> list[Way]:
    """What a node reads as far as steps compute it: nodes first, backward the uses of parameters too."""
    if step.kind == "use":
        return []
    if step.t is None:
        name = step.name
        return [Way(_place(scene, name, t, step.phase), scene.ref(name, t).label) for t in scene.unrolled.loss_times]
    links = links_out_of(scene, scene.network.index[step.name], step.t)
    nodes = [link for link in links if scene.trace.exists(link.name, link.t)]
    uses = [link for link in links if link.name in scene.trace.terms] if step.phase == "backward" else []
    return [
        Way(_place(scene, link.name, link.t, step.phase), scene.ref(link.name, link.t).label) for link in nodes + uses
    ]


def _place(scene: Scene, name: str, t: int | None, phase: Phase) -> int:
    """Where a node, a use or the total (t None) is computed in a phase."""
    timeline = scene.timeline
    if t is None:
        found = timeline.total_position(phase)
    elif name in scene.trace.terms:
        found = timeline.use_position(name, t)
    else:
        found = timeline.value_position(name, t) if phase == "forward" else timeline.adjoint_position(name, t)
    assert found is not None
    return found


def _along(debugger: Debugger, rest: str, ways: Sequence[Way], word: str, default: int, none: str) -> str:
    """Go one of several ways, and say which others there are."""
    wanted = count(rest) if rest else None
    if not ways:
        return none
    choice = " · ".join(f"{word} {number}: {way.label}" for number, way in enumerate(ways[:_SHOWN], 1))
    choice += " · …" if len(ways) > _SHOWN else ""
    if wanted is not None and wanted > len(ways):
        raise CommandError(f"there is no way {wanted} {word} from here", hint=choice)
    number = default if wanted is None else wanted
    message = debugger.go(Cursor(ways[number - 1].position))
    return message if len(ways) == 1 else f"way {number} of {len(ways)} ({choice})"


def _up(debugger: Debugger, rest: str) -> str:
    step = _step_here(debugger)
    ways = _ways_up(debugger.look.scene, step)
    return _along(debugger, rest, ways, "up", len(ways), f"{_label(debugger.look)} is the top of every chain")


def _down(debugger: Debugger, rest: str) -> str:
    step = _step_here(debugger)
    ways = _ways_down(debugger.look.scene, step)
    default = len(ways) if step.t is None else 1
    return _along(debugger, rest, ways, "down", default, f"{_label(debugger.look)} is the end of its chain")


def _label(look: Look) -> str:
    assert look.step is not None
    return look.scene.step_ref(look.step).label


# --- along time --------------------------------------------------------------------------------------------------


def _later(debugger: Debugger, rest: str) -> str:
    return _in_time(debugger, count(rest))


def _earlier(debugger: Debugger, rest: str) -> str:
    return _in_time(debugger, -count(rest))


def _in_time(debugger: Debugger, by: int) -> str:
    """The same node `by` of its timesteps later."""
    step, scene = _step_here(debugger), debugger.look.scene
    times = scene.times(step.name)
    if step.t is None or times is None:
        raise CommandError(f"{_label(debugger.look)} has no timestep", hint="down leads to the losses it adds up")
    row = times.row(step.t)
    assert row is not None
    wanted = min(max(row + by, 0), times.count - 1)
    if wanted == row:
        return f"{step.name} has no {'later' if by > 0 else 'earlier'} timestep than t = {step.t}"
    return debugger.go(Cursor(_place(scene, step.name, times.at_row(wanted), step.phase)))


# --- by name -----------------------------------------------------------------------------------------------------


def _find(debugger: Debugger, rest: str) -> str:
    """The next step whose name has a text in it, or that a pattern means; round the end to the beginning."""
    back, text = is_back(rest)
    text = text or debugger.state.sought
    if not text:
        raise MisuseError("find what?")
    scene, position = debugger.look.scene, debugger.cursor.position
    matches = _matches(scene, text)
    if back:
        place = int(np.searchsorted(matches, position)) - 1
    else:
        place = int(np.searchsorted(matches, position, side="right"))
    wrapped = not 0 <= place < len(matches)
    place %= len(matches)
    debugger.go(Cursor(int(matches[place])))
    debugger.change(replace(debugger.state, sought=text))
    return f"match {place + 1} of {len(matches)} of {text}" + (", round the end" if wrapped else "")


def _matches(scene: Scene, text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The positions of a pattern, or of everything whose name has the text in it, ascending."""
    from bptt_tui.debugger.patterns import Pattern, all_kinds, read_pattern

    pattern: Pattern | None = None
    try:
        pattern = read_pattern(scene, text)
    except CommandError:
        named = [kind for kind in all_kinds(scene) if text.casefold() in kind[1].casefold()]
        if not named:
            names = list(dict.fromkeys(kind[1] for kind in all_kinds(scene)))
            hint = did_you_mean(text, names) or f"there are {', '.join(names)}"
            raise CommandError(f"nothing is called {text}", hint=hint) from None
    else:
        named = pattern.kinds(scene)
    found = []
    for kind, name, phase in named:
        places = scene.timeline.positions(kind, name, phase)
        times = scene.times(name)
        if pattern is not None and pattern.t is not None and times is not None:
            row = times.row(pattern.t)
            places = places[:0] if row is None else places[row : row + 1]
        found.append(places)
    return np.sort(np.concatenate(found))


# --- along the trail ---------------------------------------------------------------------------------------------


def _older(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    here, trail = debugger.cursor, debugger.state.trail
    if not trail.older:
        return "there is no older place"
    return _retrace(debugger, trail.older[-1], Trail(trail.older[:-1], (*trail.newer, here)))


def _newer(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    here, trail = debugger.cursor, debugger.state.trail
    if not trail.newer:
        return "there is no newer place"
    return _retrace(debugger, trail.newer[-1], Trail((*trail.older, here), trail.newer[:-1]))


def _retrace(debugger: Debugger, cursor: Cursor, trail: Trail) -> str:
    if cursor.position > debugger.last or (
        cursor.factor and cursor.factor >= debugger.moves.factors_after(cursor.position)
    ):
        cursor = Cursor(min(cursor.position, debugger.last))  # the network has changed since
    message = debugger.go(cursor)
    debugger.change(replace(debugger.state, trail=trail))
    return message or f"{len(trail.older)} older, {len(trail.newer)} newer"


ROWS = (
    Command("up", "up [N]", "along the chain towards E; at a fork, the Nth inflow", _up, ("u",),
            "without N the way the chain goes: the last inflow"),
    Command("down", "down [N]", "along the chain away from E: to the Nth of what the node reads", _down, ("d",)),
    Command("later", "later [COUNT]", "the same node at its next timestep", _later),
    Command("earlier", "earlier [COUNT]", "the same node at the timestep before", _earlier),
    Command("find", "find [back] [TEXT]", "the next node or use with TEXT in its name, or that TEXT means", _find, (),
            "find s · find s[3] · find dE/d* · find goes on with the last TEXT"),
    Command("older", "older", "back to where a move of more than one node began", _older,
            recorded=False),
    Command("newer", "newer", "forward again, after older", _newer, recorded=False),
)  # fmt: skip
