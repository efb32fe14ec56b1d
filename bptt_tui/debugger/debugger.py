"""The debugger: a position on a trace's timeline, moved by commands, seen as a View.

    debugger = Debugger(session)
    view = debugger.do("next")
    debugger.do("goto dE/ds[0]").pane.adjoint

Every position is random access: nothing is recomputed by moving. A command that cannot be carried out raises
CommandError and changes nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.commands import read
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.moving import Cursor, Moves
from bptt_tui.debugger.pane import pane
from bptt_tui.debugger.places import checked_position
from bptt_tui.debugger.remarks import first_troubles, one_logit
from bptt_tui.debugger.state import State
from bptt_tui.debugger.tables import ContributionsAt, GraphAt, strip
from bptt_tui.debugger.view import View
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Session
from bptt_tui.session.format import Recorded


class Debugger:
    """Stands at the session's saved position. `clock` gives seconds, for the times of recorded commands."""

    def __init__(self, session: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock() - (session.recording[-1].at if session.recording else 0.0)
        self._recording: list[Recorded] = list(session.recording)
        self._recording_leads_here = False
        self._scene = Scene(session.trace())
        self.moves = Moves(self._scene)
        self._remarks = one_logit(self._scene)
        self._troubles = first_troubles(self._scene)
        self._state = State(session, self._saved_cursor(session))
        self._message = ""
        self._view: View | None = None

    def _saved_cursor(self, session: Session) -> Cursor:
        position, factor = session.debugger.position, session.debugger.factor
        try:
            checked_position(self._scene, str(position))
        except CommandError as error:
            raise SessionError(error.reason, hint=error.hint, places=(session.name, "debugger.position")) from None
        if factor and (position == self.last or factor >= self.moves.factors_after(position)):
            raise SessionError(
                f"the step after position {position} has no factor {factor} to stop at",
                hint="leave factor out",
                places=(session.name, "debugger.factor"),
            )
        return Cursor(position, factor)

    # --- what there is to see ------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """Everything the screen shows at this position."""
        if self._view is None:
            self._view = self._build()
        return self._view

    @property
    def last(self) -> int:
        """The last position."""
        return self._scene.timeline.last

    @property
    def session(self) -> Session:
        """The session with this position and the commands given so far."""
        return self._state.session.with_state(
            position=self.cursor.position, factor=self.cursor.factor, recording=tuple(self._recording)
        )

    @property
    def recording(self) -> Sequence[Recorded]:
        """The commands given, with their times in seconds."""
        return tuple(self._recording)

    def save(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Session:
        """Write the session as it stands, to `path` or to its own file; later saves go there too."""
        saved = self.session.save(path, overwrite=overwrite)
        self._state = replace(self._state, session=saved)
        return saved

    # --- for commands --------------------------------------------------------------------------------------------

    @property
    def cursor(self) -> Cursor:
        """Where the debugger stands."""
        return self._state.cursor

    @property
    def look(self) -> Look:
        """What can be known here."""
        return Look(self._scene, self.cursor.position, self.cursor.factor)

    def go(self, cursor: Cursor) -> str:
        """Stand there, and what is to be said of it."""
        self._state = replace(self._state, cursor=cursor)
        return self.moves.message(cursor)

    def do(self, line: str) -> View:
        """Carry out one line of the command language, record it, and return what there is to see then."""
        before = self._state
        try:
            message = self._carry_out(line)
        except CommandError:
            self._state = before
            raise
        self._record(line.strip(), before.cursor)
        self._message = message
        self._view = None
        return self.view

    def _carry_out(self, line: str) -> str:
        command, rest = read(line)
        return command.run(self, rest)

    def _record(self, line: str, before: Cursor) -> None:
        latest = self._recording[-1].at if self._recording else 0.0
        if not self._recording_leads_here:
            if self._end_of_recording() != before:
                self._recording.append(Recorded(latest, f"goto {before.position}"))
                if before.factor:
                    self._recording.append(Recorded(latest, f"step {before.factor}"))
            self._recording_leads_here = True
        self._recording.append(Recorded(max(round(self._clock() - self._began, 3), latest), line))

    def _end_of_recording(self) -> Cursor | None:
        """Where the recording so far leads when it is played from the beginning; None if it cannot be played.

        Elsewhere than here when the debugger was opened at another position (`--at`, a file written by hand): the
        recording then has to go there first.
        """
        here, self._state = self._state, replace(self._state, cursor=Cursor())
        try:
            for recorded in self._recording:
                self._view = None
                self._carry_out(recorded.command)
            return self.cursor
        except CommandError:
            return None
        finally:
            self._state, self._view = here, None

    # --- views ---------------------------------------------------------------------------------------------------

    def _build(self) -> View:
        look = self.look
        step = look.step
        position = self.cursor.position
        session = self._state.session
        return View(
            title=session.title or session.name,
            phase="forward" if step is None else step.phase,
            position=position,
            factor=self.cursor.factor,
            factors=self.moves.factors_after(position),
            last=self.last,
            forward_steps=self._scene.timeline.forward_steps,
            t=None if step is None else step.t,
            steps=self._scene.trace.steps,
            pane=pane(look),
            graph=GraphAt(look),
            chain=ChainAt(look),
            contributions=ContributionsAt(look),
            strip=strip(look),
            loss=look.loss(),
            remarks=(*self._remarks, *(sentence for place, sentence in self._troubles if place <= position)),
            message=self._message,
            recording=len(self._recording),
        )
