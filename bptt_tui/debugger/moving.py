"""Moving along the timeline: by node, by factor, by timestep, to an end or to a place.

A cursor is a position and, within the step that follows it, how many factors have been taken. Moving is pure: a
`Moves` tells where a cursor leads, the debugger goes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bptt_tui.debugger.command import Command, count, is_back, nothing
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.places import EXAMPLES, position_of
from bptt_tui.errors import CommandError

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


class Cursor(Struct, frozen=True):
    """A position, and how many factors of the next step have been taken (fewer than it has)."""

    position: int = 0
    factor: int = 0


class Moves:
    """Where each move leads in a scene. The ends hold: a move beyond them leads to them."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.last = scene.timeline.last

    def by_nodes(self, cursor: Cursor, steps: int) -> Cursor:
        """`steps` node steps on (or back); a step half taken is finished or undone first."""
        if steps < 0 and cursor.factor:
            steps += 1
        return Cursor(min(max(cursor.position + steps, 0), self.last))

    def by_factors(self, cursor: Cursor, factors: int) -> Cursor:
        """`factors` factors on (or back)."""
        for _ in range(abs(factors)):
            after = self._after(cursor) if factors > 0 else self._before(cursor)
            if after is None:
                break
            cursor = after
        return cursor

    def _after(self, cursor: Cursor) -> Cursor | None:
        if cursor.position == self.last:
            return None
        more = cursor.factor + 1 < self.factors_after(cursor.position)
        return Cursor(cursor.position, cursor.factor + 1) if more else Cursor(cursor.position + 1)

    def _before(self, cursor: Cursor) -> Cursor | None:
        if cursor.factor:
            return Cursor(cursor.position, cursor.factor - 1)
        if cursor.position == 0:
            return None
        return Cursor(cursor.position - 1, self.factors_after(cursor.position - 1) - 1)

    def factors_after(self, position: int) -> int:
        """How many factors the step after a position takes; 1 at the end, where there is none."""
        return 1 if position == self.last else self._scene.factor_count(self._scene.timeline.step(position + 1))

    def finish(self, cursor: Cursor, *, back: bool) -> Cursor:
        """The last position of the next step's timestep and phase, or the one before the first of the last step's."""
        position = cursor.position
        if back and position:
            here = self._group(position + (cursor.factor > 0))
            while position and self._group(position) == here:
                position -= 1
        elif not back and position < self.last:
            here = self._group(position + 1)
            while position < self.last and self._group(position + 1) == here:
                position += 1
        return Cursor(position)

    def _group(self, position: int) -> tuple[str, int]:
        """Phase and timestep of the step that leads to a position; the total belongs to the last loss."""
        step = self._scene.timeline.step(position)
        return step.phase, self._scene.unrolled.loss_times[-1] if step.t is None else step.t

    def message(self, cursor: Cursor) -> str:
        """What is to be said of a place: the ends, and where the backward pass begins."""
        if cursor == Cursor():
            return "at the start: nothing is computed yet"
        if cursor == Cursor(self._scene.timeline.forward_steps):
            return "the forward pass is complete; the next step starts the backward pass"
        return "at the end: every contribution is known" if cursor.position == self.last else ""


def _next(debugger: Debugger, rest: str) -> str:
    return debugger.go(debugger.moves.by_nodes(debugger.cursor, count(rest)))


def _rewind(debugger: Debugger, rest: str) -> str:
    return debugger.go(debugger.moves.by_nodes(debugger.cursor, -count(rest)))


def _step(debugger: Debugger, rest: str) -> str:
    back, more = is_back(rest)
    return debugger.go(debugger.moves.by_factors(debugger.cursor, -count(more) if back else count(more)))


def _finish(debugger: Debugger, rest: str) -> str:
    back, more = is_back(rest)
    nothing(more)
    return debugger.go(debugger.moves.finish(debugger.cursor, back=back))


def _start(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    return debugger.go(Cursor())


def _end(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    return debugger.go(Cursor(debugger.last))


def _goto(debugger: Debugger, rest: str) -> str:
    if not rest:
        raise CommandError("goto where?", hint=EXAMPLES)
    return debugger.go(Cursor(position_of(debugger.look, rest)))


ROWS = (
    Command("next", "next [COUNT]", "compute the next node", _next, ("n",)),
    Command("rewind", "rewind [COUNT]", "undo the last node, exactly", _rewind, ("p", "rn")),
    Command("step", "step [back] [COUNT]", "take the next factor: one local partial", _step, ("s",),
            "A node with several consumers takes one factor for each; every other step is one factor."),
    Command("finish", "finish [back]", "to the end of this timestep (back: to its start)", _finish, ("f",)),
    Command("start", "start", "to the beginning, nothing computed", _start),
    Command("end", "end", "to the end, every contribution known", _end),
    Command("goto", "goto POSITION|NODE", "to a position, or where a node is computed", _goto, ("g", "jump", "j"),
            "goto 17 · goto s[1], s₁ or s[t-1] (in the present phase) · goto dE/ds[0] (backward) · goto u[0]"),
)  # fmt: skip
