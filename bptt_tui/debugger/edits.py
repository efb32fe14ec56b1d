"""Edits: other numbers or equations in the session's place, undone and done again exactly.

An edit is checked before it takes effect: the changed session is traced first, and an error leaves everything as it
was. One stays at one's position; where the edit makes other steps (a pin cuts nodes off), at the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.debugger.command import Command, nothing
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.walking import Trail
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.debugger.looking import Scene

TRACED = 8  # so many sessions of the past and the future keep their traces


class Edit(Struct, frozen=True):
    """The numbers on its other side, where one stood there, and where it left one."""

    words: str
    session: Session
    cursor: Cursor
    left: Cursor


class Edits(Struct, frozen=True):
    """What can be undone and redone (latest first in `future`, last in `past`).

    `first`: the numbers that the recording found; `opened`: those the session came with, for which its expected
    totals are; `baseline`: those that the gradient is compared with.
    """

    first: Session
    opened: Session
    baseline: Session
    past: tuple[Edit, ...] = ()
    future: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, session: Session) -> Edits:
        """None made yet. Raises an error where the session, or what its recording found, cannot be traced."""
        session.trace()
        first = session.as_recorded()
        try:
            first.trace()
        except BpttError as error:
            error.places = (session.name, "recorded_from", *error.places[1:])
            raise
        return cls(first, session, session)

    def found(self, session: Session) -> Edits:
        """The same, of a recording that found these numbers."""
        return replace(self, first=session)

    def begun_again(self) -> Edits:
        """None made yet, at the recording's beginning."""
        return replace(self, baseline=self.first, past=(), future=())


def edit(debugger: Debugger, changed: Session) -> str:
    """Put a changed session, from which nothing is expected, in place of the present one; say what that changes."""
    from bptt_tui.debugger.changes import words

    state = debugger.state
    edits = state.edits
    if not words(edits.opened, changed):
        changed = changed.with_numbers_of(edits.opened)
    message = "; ".join(words(state.session, changed))
    if not message:
        return "this changes nothing"
    moved = _move(debugger, changed)
    made = Edit(message, state.session, state.cursor, debugger.cursor)
    past = _with_few_traces((*edits.past, made))
    debugger.change(replace(debugger.state, edits=replace(edits, past=past, future=())))
    if state.session.expected is not None and changed.expected is None:
        message += "\nthe expected totals are for other numbers: a save leaves them out"
    return message + moved


def _told(debugger: Debugger) -> Callable[[int, int], None] | None:
    """Tells whoever waits how much of a trace is computed, and raises StoppedError where they want it no longer."""
    interrupt, tell = debugger.interrupt, debugger.tell
    if interrupt is None and tell is None:
        return None

    def told(done: int, of: int) -> None:
        if interrupt is not None and interrupt():
            from bptt_tui.debugger.pace import StoppedError

            raise StoppedError("interrupted")
        if tell is not None:
            tell(done / max(of, 1))

    return told


def _move(debugger: Debugger, changed: Session, back_to: tuple[Cursor, Cursor] | None = None) -> str:
    """Stand on the changed session's timeline, and what is to be said of that.

    At the same position where the steps are the same. `back_to` is (where the edit had left one, where it is to be
    undone to): who stands where it left one, or on other steps, goes there.
    """
    before, cursor = debugger.look.scene, debugger.cursor
    try:
        changed.trace(_told(debugger))
    except BpttError as error:
        from bptt_tui.debugger.pace import StoppedError

        kind = StoppedError if isinstance(error, StoppedError) else CommandError
        raise kind(error.reason, hint=error.hint, places=error.places[1:]) from None
    debugger.change(replace(debugger.state, session=changed))
    same = _has_steps_of(debugger.look.scene, before)
    if back_to is not None and (cursor == back_to[0] or not same):
        landed = back_to[1]
    else:
        landed = Cursor(min(cursor.position, debugger.last), cursor.factor)
        if not same or landed.factor >= debugger.moves.factors_after(landed.position):
            landed = Cursor(landed.position)
    debugger.change(replace(debugger.state, cursor=landed))
    if same:
        return ""
    debugger.change(replace(debugger.state, trail=Trail()))  # its positions were of other steps
    was = f"it was {cursor.position} of {before.timeline.last}"
    return f"\nthe steps are others now: this is position {landed.position} of {debugger.last}, {was}"


def _has_steps_of(scene: Scene, other: Scene) -> bool:
    return scene is other or scene.timeline.has_steps_of(other.timeline)


def _with_few_traces(edits: tuple[Edit, ...], *, latest: slice = slice(-TRACED, None)) -> tuple[Edit, ...]:
    """Edits of which only the latest keep what has been computed of their sessions."""
    kept = {id(one) for one in edits[latest]}
    return tuple(one if id(one) in kept else replace(one, session=one.session.without_computed()) for one in edits)


def _undo(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    edits = debugger.state.edits
    if not edits.past:
        raise CommandError("there is no edit to undo", hint="set, unset and equation make one")
    made = edits.past[-1]
    undone, moved = _swap(debugger, made)
    future = _with_few_traces((undone, *edits.future), latest=slice(TRACED))
    debugger.change(replace(debugger.state, edits=replace(edits, past=edits.past[:-1], future=future)))
    return f"undone: {made.words}{moved}"


def _redo(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    edits = debugger.state.edits
    if not edits.future:
        raise CommandError("there is no edit to do again", hint="undo takes one back")
    made = edits.future[0]
    redone, moved = _swap(debugger, made)
    past = _with_few_traces((*edits.past, redone))
    debugger.change(replace(debugger.state, edits=replace(edits, past=past, future=edits.future[1:])))
    return f"done again: {made.words}{moved}"


def _swap(debugger: Debugger, made: Edit) -> tuple[Edit, str]:
    """Go to an edit's other side; the edit that leads back, and what is to be said."""
    state = debugger.state
    moved = _move(debugger, state.session.with_numbers_of(made.session), (made.left, made.cursor))
    return Edit(made.words, state.session, state.cursor, debugger.cursor), moved


def _reset(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    state = debugger.state
    first = state.session.with_numbers_of(state.edits.first)
    from bptt_tui.debugger.changes import words

    if not words(state.session, first):
        return "every value is as it was in the beginning"
    return f"as in the beginning: {edit(debugger, first)}"


def _baseline(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    state = debugger.state
    debugger.change(replace(state, edits=replace(state.edits, baseline=state.session)))
    return "the gradient is compared with this one from now on"


ROWS = (
    Command("undo", "undo", "take the last edit back, exactly", _undo),
    Command("redo", "redo", "make the edit again that was undone", _redo),
    Command("reset", "reset", "every value and equation as in the beginning", _reset, (),
            "As the recording found them; this can be undone too."),
    Command("baseline", "baseline", "compare with the present gradient from now on", _baseline),
)  # fmt: skip
