"""Going on with a recording that was opened: what is recorded first, so that all of it leads to where one stands.

The recording is rehearsed from its beginning. Where it leads elsewhere than to what was opened (another position, other
numbers, stops or displays: a file written by hand, or things that a session does not keep), commands that put that
right come before the next one. What no command puts right is taken up from the rehearsal: the trail, and what was
sought last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.debugger.changes import words
from bptt_tui.debugger.pace import StoppedError
from bptt_tui.debugger.state import State
from bptt_tui.debugger.stopping import Stopping, alike, recreated, shown_again, shown_alike
from bptt_tui.debugger.walking import Trail
from bptt_tui.errors import CommandError
from bptt_tui.session.format import Recorded

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.session import Session


class GoingOn(Struct, frozen=True):
    """The commands that lead from a recording's end to what was opened, and what is remembered of the way.

    `found`: what the recording found is this, because the numbers were changed by hand since.
    """

    commands: tuple[str, ...]
    found: Session | None
    trail: Trail
    sought: str


def going_on(debugger: Debugger, recording: Sequence[Recorded]) -> GoingOn:
    """How a recording is gone on with from where the debugger stands; it stays there."""
    here = debugger.state
    with debugger.rehearsal():
        playable = _play(debugger, recording)
        found = here.session if playable and words(debugger.state.session, here.session) else None
        if found is not None:
            debugger.change(replace(here, edits=here.edits.found(found)))
            playable = _play(debugger, recording)
        if playable:
            commands = _put_right(debugger, here)
        else:
            stops = [] if alike(Stopping(), here.stopping) else recreated(here.stopping)
            commands = [*stops, *_to(here)]
        return GoingOn(tuple(commands), found, debugger.state.trail, debugger.state.sought)


def _play(debugger: Debugger, recording: Sequence[Recorded]) -> bool:
    """Stand where the recording leads from its beginning; or false, standing as before, where it cannot be played."""
    here, tell = debugger.state, debugger.tell
    debugger.change(debugger.beginning().state)
    try:
        for number, recorded in enumerate(recording):
            if debugger.interrupt is not None and debugger.interrupt():
                raise StoppedError("interrupted")
            if tell is not None:  # of the recording, of which the command is one part
                tell(number / len(recording))
                debugger.tell = partial(_part, tell, number, len(recording))
            debugger.follow(recorded.command)
    except StoppedError:
        raise
    except CommandError:
        debugger.change(here)
        return False
    finally:
        debugger.tell = tell
    return True


def _part(tell: Callable[[float], None], number: int, of: int, share: float) -> None:
    tell((number + share) / of)


def _put_right(debugger: Debugger, here: State) -> list[str]:
    """Give the commands that lead from the recording's end to `here`."""
    given: list[str] = []

    def give(lines: Sequence[str]) -> None:
        for line in lines:
            debugger.follow(line)
        given.extend(lines)

    if debugger.state.predict is not None:
        give(["predict off"])
    if words(debugger.state.session, here.session):
        give(["reset"])
    if words(debugger.state.edits.baseline, here.edits.baseline):
        give(["baseline"])
    if not alike(debugger.state.stopping, here.stopping):
        give(recreated(here.stopping))
    if not shown_alike(debugger.state.stopping, here.stopping):
        give(shown_again(here.stopping))
    if debugger.state.cursor != here.cursor:
        give(_to(here))
    return given


def _to(here: State) -> list[str]:
    """The commands that go to a position and a factor."""
    return [f"goto {here.cursor.position}", *[f"step {here.cursor.factor}"] * bool(here.cursor.factor)]
