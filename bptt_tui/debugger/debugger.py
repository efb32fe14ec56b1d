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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.command import checked_text
from bptt_tui.debugger.edits import Edits
from bptt_tui.debugger.looking import Look, Scene, Veil
from bptt_tui.debugger.moving import Cursor, Moves
from bptt_tui.debugger.notes import chapter_at, in_order, notes_at
from bptt_tui.debugger.pane import pane
from bptt_tui.debugger.places import checked_position
from bptt_tui.debugger.predict import asked_at, question_of, refuse_unanswered, veil_of
from bptt_tui.debugger.recorder import Recorder
from bptt_tui.debugger.stages import Stage, Stages
from bptt_tui.debugger.state import Bookmark, State
from bptt_tui.debugger.stopping import Stopping, displays, kept, loaded, marks, rows
from bptt_tui.debugger.tables import ContributionsAt, GraphAt, strips
from bptt_tui.debugger.view import Comparison, Exhibit, View
from bptt_tui.debugger.walking import Trail
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.language.sanitise import brief
from bptt_tui.session import Session, checking
from bptt_tui.session.format import Recorded

if TYPE_CHECKING:
    from bptt_tui.debugger.asked import Asked
    from bptt_tui.debugger.attempts import Desk, Reading
    from bptt_tui.debugger.command import Command
    from bptt_tui.debugger.sums import Sums
    from bptt_tui.derivation.judging.verdict import Verdict


class Debugger:
    """Stands at the session's saved position. `clock` gives seconds, for the times of recorded commands."""

    interrupt: Callable[[], bool] | None = None  # asked now and then by a long run; true ends it
    tell: Callable[[float], None] | None = None  # told by a long run how much of the way it has searched, 0 … 1
    on_done: Callable[[], None] | None = None  # told after each line that was carried out

    def __init__(self, session: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not isinstance(session, Session):
            raise CommandError(f"{brief(session)} is no session", hint="load one: bptt_tui.load('question')")
        if not callable(clock):
            raise CommandError(f"clock: {brief(clock)} cannot be called", hint="give a function of seconds")
        self._recorder = Recorder(session.recording, clock)
        self._stages = Stages()
        self._state = State(session, Cursor(), Edits.of(session))
        saved = session.debugger
        self._state = State(
            session,
            self._saved_cursor(session),
            self._state.edits,
            notes=in_order(saved.notes),
            chapters=in_order(saved.chapters),
            predictions=saved.predictions,
            attempts=saved.attempts,
            stopping=loaded(self._scene, saved, session.name),
        )
        self._message = ""
        self._exhibit: Exhibit | None = None
        self._verdict: Verdict | None = None
        self._rehearsing = False
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

    @property
    def _stage(self) -> Stage:
        """What the present numbers come to."""
        return self._stages.of(self._state.session)

    @property
    def _scene(self) -> Scene:
        return self._stage.scene

    @property
    def moves(self) -> Moves:
        """Where moves lead."""
        return self._stage.moves

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
        return self.moment()()

    def moment(self) -> Callable[[], Session]:
        """This moment, of which a session is made when it is called: later, in any thread."""
        # The list is only ever added to.
        return partial(_session_of, self._state, self._recorder.entries, len(self._recorder.entries))

    @property
    def recording(self) -> Sequence[Recorded]:
        """The commands given, with their times in seconds."""
        return tuple(self._recorder.entries)

    def save(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Session:
        """Write the session as it stands, to `path` or to its own file; later saves go there too."""
        saved = self.session.save(path, overwrite=overwrite)
        self._state = replace(self._state, session=saved)
        return saved

    @property
    def comparison(self) -> Comparison | None:
        """The gradient of the baseline and the present one; None where they are of the same numbers."""
        return self._stages.comparison(self._state.edits.baseline, self._state.session)

    @property
    def sums(self) -> Sums:
        """The whole gradient as a sum, of the present numbers: table, knobs, build-up, chains."""
        return self._stage.sums

    @property
    def desk(self) -> Desk:
        """The learner's formulas, and their verdicts at the present numbers as far as they are known."""
        from bptt_tui.debugger import attempts

        return attempts.desk(self._state, self._stage.verdicts)

    def reading(self, text: str) -> Reading:
        """How a formula is understood, or where it stops being readable."""
        from bptt_tui.debugger import attempts

        return attempts.reading(self._state.session, text)

    def ponder(self, text: str) -> None:
        """Come to a verdict on a formula, so that `check` has it at hand; changes nothing else, and may take long.

        Any thread may do this. Raises CommandError where the formula cannot be read.
        """
        from bptt_tui.debugger import attempts

        verdicts = self._stage.verdicts
        if checked_text(text) not in verdicts:
            verdicts[text] = attempts.judged(self._state.session, text)

    # --- for commands --------------------------------------------------------------------------------------------

    @property
    def cursor(self) -> Cursor:
        """Where the debugger stands."""
        return self._state.cursor

    @property
    def look(self) -> Look:
        """What can be known here."""
        return Look(self._scene, self.cursor.position, self.cursor.factor, self._veil())

    @property
    def state(self) -> State:
        """Everything a command can change."""
        return self._state

    def change(self, state: State) -> None:
        """Put another state in its place."""
        self._state = state

    def exhibit(self, exhibit: Exhibit) -> None:
        """Have the next View say what is to be seen in full."""
        self._exhibit = exhibit

    def judge(self, text: str) -> str:
        """The verdict on a formula in a sentence; the next View has all of it. A rehearsal has nobody to tell."""
        if self._rehearsing:
            return ""
        from bptt_tui.derivation.judging.telling import headline

        self.ponder(text)
        self._verdict = self._stage.verdicts[text]
        return headline(self._verdict)

    @property
    def asked(self) -> Asked | None:
        """What predict mode asks here."""
        return asked_at(self._state.predict, self._scene, self.cursor)

    def _veil(self) -> Veil:
        return veil_of(self._state.predict, self.asked)

    def go(self, cursor: Cursor) -> str:
        """Stand there, and what is to be said of it. Predict mode goes on once its question is settled."""
        if not isinstance(cursor, Cursor):
            raise CommandError(f"{brief(cursor)} is no place to stand", hint="goto takes positions and nodes")
        if (cursor.position, cursor.factor) > (self.cursor.position, self.cursor.factor):
            refuse_unanswered(self.asked)
        here, state = self.cursor, self._state
        trail = state.trail.left(here) if abs(cursor.position - here.position) > 1 else state.trail
        self._state = replace(state, cursor=cursor, trail=trail, stopping=replace(state.stopping, stopped=""))
        if self.asked is not None and cursor.position == self.last:
            return "at the end: what is asked here is the last"
        return self.moves.message(cursor)

    def do(self, line: str) -> View:
        """Carry out one line of the command language, record it, and return what there is to see then."""
        self._prepare_to_go_on()
        before = self._state
        try:
            message = self._carry_out(line)
        except CommandError:
            self._state = before
            raise
        recorded = self._to_record(line.strip(), before.cursor)
        if recorded and self._recorder.on:
            self._record(recorded)
        self._message = message
        self._view = None
        if self.on_done is not None:
            self.on_done()
        return self.view

    def check(self, line: str) -> str:
        """What a line would say; everything stays as it is. CommandError says what is wrong with it."""
        self._prepare_to_go_on()
        before = self._state
        try:
            return self._carry_out(line)
        finally:
            self._state = before

    def _carry_out(self, line: str) -> str:
        command, rest = _read(line)
        self._exhibit = self._verdict = None
        return command.run(self, rest)

    def _to_record(self, line: str, before: Cursor) -> list[str]:
        """What a line is in the recording; nothing where it is not part of the walk.

        What goes by more than the recording holds (a trail, chapters) is recorded as the place that it went to.
        """
        if _read(line)[0].recorded:
            return [line]
        here = self.cursor
        if here == before:
            return []
        return [f"goto {here.position}", *([f"step {here.factor}"] if here.factor else [])]

    def _record(self, lines: list[str]) -> None:
        going_on = self._recorder.going_on
        if going_on is not None and going_on.found is not None:
            self._state = replace(self._state, edits=self._state.edits.found(going_on.found))
        self._recorder.add(lines)

    def _prepare_to_go_on(self) -> None:
        """Before the first command after opening: remember of the recording what it will remember when played."""
        if not self.rehearses:
            return
        from bptt_tui.debugger.going_on import going_on

        before = self._recorder.going_on = going_on(self, self._recorder.entries)
        if (before.trail, before.sought) != (self._state.trail, self._state.sought):
            self._state = replace(self._state, trail=before.trail, sought=before.sought)

    def rehearse(self) -> View:
        """Go through what was recorded before the session was opened, if anything was, so that no command has to.

        Over a long trace this takes long: it asks `interrupt` and raises StoppedError. Everything stays as it is.
        """
        self._prepare_to_go_on()
        return self.view

    @property
    def rehearses(self) -> bool:
        """Whether the next command will first go through what was recorded before the session was opened."""
        return self._recorder.is_opened

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Commands are tried out inside: afterwards everything is as before, and nobody has been told anything."""
        state, view, message = self._state, self._view, self._message
        shown, self._rehearsing = (self._exhibit, self._verdict), True
        try:
            yield
        finally:
            (self._exhibit, self._verdict), self._rehearsing = shown, False
            self._state, self._view, self._message = state, view, message

    # --- for replays ---------------------------------------------------------------------------------------------

    def beginning(self) -> Bookmark:
        """Where the recording is played from: nothing computed, nothing asked."""
        edits = self._state.edits.begun_again()
        session = self._state.session.with_numbers_of(edits.first)
        state = replace(self._state, session=session, cursor=Cursor(), edits=edits, predict=None, predictions=())
        state = replace(state, stopping=Stopping(), trail=Trail(), sought="")
        return replace(self.bookmark(), state=state, message="")

    def bookmark(self) -> Bookmark:
        """This state, to come back to."""
        recorder = self._recorder
        return Bookmark(self._state, tuple(recorder.entries), recorder.leads_here, recorder.on, self._message)

    def restore(self, bookmark: Bookmark) -> None:
        """Stand there again. Notes, chapters, attempts and the file are not part of the walk, and stay as now."""
        if not isinstance(bookmark, Bookmark):
            raise CommandError(f"{brief(bookmark)} is no bookmark", hint="take one with bookmark()")
        now = self._state
        session = now.session.with_numbers_of(bookmark.state.session)
        self._state = replace(
            bookmark.state, session=session, notes=now.notes, chapters=now.chapters, attempts=now.attempts
        )
        self._recorder.put_back(bookmark.recording, leads_here=bookmark.leads_here, on=bookmark.recording_on)
        self._message = bookmark.message
        self._exhibit = self._verdict = None
        self._view = None

    def follow(self, line: str) -> None:
        """Carry out a line of a recording: like `do`, without recording it or building a View."""
        before = self._state
        try:
            self._message = self._carry_out(line)
        except CommandError:
            self._state = before
            raise
        self._view = None

    def record_onto(self, recording: Sequence[Recorded] | None) -> None:
        """Record what comes behind `recording`, which leads here; None records nothing."""
        self._recorder.go_on_with(None if recording is None else checking.entries(recording, "recording"))
        self._view = None

    # --- views ---------------------------------------------------------------------------------------------------

    def _build(self) -> View:
        look = self.look
        step = look.step
        position = self.cursor.position
        session = self._state.session
        hidden = look.veil.hides_step
        known = position - hidden
        standing = self._stage.remarks if self._state.predict is None else ()
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
            graph=GraphAt(look, partial(marks, self._scene, self._state.stopping)),
            chain=ChainAt(look),
            contributions=ContributionsAt(look),
            strips=strips(look),
            loss=look.loss(),
            remarks=(*standing, *(sentence for place, sentence in self._stage.troubles if place <= known)),
            message=self._message,
            recording=len(self._recorder.entries),
            notes=notes_at(self._state.notes, position),
            chapter=chapter_at(self._state.chapters, position),
            all_notes=self._state.notes,
            chapters=self._state.chapters,
            question=question_of(self._state.predict, self.asked),
            comparison=self.comparison if self._state.predict is None else None,
            stopped=self._state.stopping.stopped,
            displays=displays(look, self._state.stopping),
            breakpoints=rows(look, self._state.stopping),
            exhibit=self._exhibit,
            verdict=self._verdict,
        )


def _read(line: str) -> tuple[Command, str]:
    """The command a line names; the table of commands is loaded with the first line, not with the first picture."""
    from bptt_tui.debugger.commands import read

    return read(line)


def _session_of(state: State, recording: Sequence[Recorded], count: int) -> Session:
    """The session that a state and the first `count` entries of a recording come to."""
    session = state.session
    session = session.found_by(state.edits.first if count else session)
    breakpoints, watches = kept(state.stopping)
    return session.with_state(
        position=state.cursor.position,
        factor=state.cursor.factor,
        recording=recording[:count],
        notes=state.notes,
        chapters=state.chapters,
        predictions=state.predictions,
        attempts=state.attempts,
        breakpoints=breakpoints,
        watches=watches,
    )
