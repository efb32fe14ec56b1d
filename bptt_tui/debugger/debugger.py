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
from dataclasses import dataclass

from bptt_tui.calculus import numerals
from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.commands import read
from bptt_tui.debugger.inspect import Inspector, shown_in_full
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.pane import pane
from bptt_tui.debugger.places import checked_position, position_of
from bptt_tui.debugger.remarks import first_troubles, one_logit
from bptt_tui.debugger.tables import ContributionsAt, GraphAt, strip
from bptt_tui.debugger.view import Missing, View
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Session
from bptt_tui.session.format import Recorded

_CHAIN = 12  # factors that `where` writes out


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position, and how many factors of the next step have been taken (fewer than it has)."""

    position: int = 0
    factor: int = 0


class Debugger:
    """Stands at the session's saved position. `clock` gives seconds, for the times of recorded commands."""

    def __init__(self, session: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._scene = Scene(session.trace())
        self._clock = clock
        self._began = clock() - (session.recording[-1].at if session.recording else 0.0)
        self._recording: list[Recorded] = list(session.recording)
        self._recording_leads_here = False
        self._remarks = one_logit(self._scene)
        self._troubles = first_troubles(self._scene)
        self._cursor = self._saved_cursor(session)
        self._message = ""
        self._view: View | None = None

    def _saved_cursor(self, session: Session) -> Cursor:
        position, factor = session.debugger.position, session.debugger.factor
        try:
            checked_position(self._scene, str(position))
        except CommandError as error:
            raise SessionError(error.reason, hint=error.hint, places=(session.name, "debugger.position")) from None
        if factor and (position == self.last or factor >= self._factors_after(position)):
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
        return self._session.with_state(
            position=self._cursor.position, factor=self._cursor.factor, recording=tuple(self._recording)
        )

    @property
    def recording(self) -> Sequence[Recorded]:
        """The commands given, with their times in seconds."""
        return tuple(self._recording)

    def save(self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> Session:
        """Write the session as it stands, to `path` or to its own file; later saves go there too."""
        self._session = self.session.save(path, overwrite=overwrite)
        return self._session

    # --- commands ------------------------------------------------------------------------------------------------

    def do(self, line: str) -> View:
        """Carry out one line of the command language, record it, and return what there is to see then."""
        before = self._cursor
        message = self._carry_out(line)
        self._record(line.strip(), before)
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
        here, self._cursor = self._cursor, Cursor()
        try:
            for recorded in self._recording:
                self._view = None
                self._carry_out(recorded.command)
            return self._cursor
        except CommandError:
            return None
        finally:
            self._cursor, self._view = here, None

    def move_to(self, position: int) -> str:
        """Go to a whole position."""
        self._cursor = Cursor(position)
        return self._edge_message()

    def move_by(self, count: int) -> str:
        """Take `count` node steps, or undo that many; a step half taken is finished or undone first."""
        position, factor = self._cursor.position, self._cursor.factor
        if count < 0 and factor:
            count += 1
        wanted = position + count
        if (wanted > self.last and position == self.last) or (wanted < 0 and position == 0 and not factor):
            return self._at_an_end(forward=count > 0)
        return self.move_to(min(max(wanted, 0), self.last))

    def move_by_factor(self, count: int) -> str:
        """Take `count` factors, or undo that many."""
        moved = False
        for _ in range(abs(count)):
            cursor = self._after_factor() if count > 0 else self._before_factor()
            if cursor is None:
                break
            self._cursor, moved = cursor, True
        return self._edge_message() if moved else self._at_an_end(forward=count > 0)

    def _after_factor(self) -> Cursor | None:
        position, factor = self._cursor.position, self._cursor.factor
        if position == self.last:
            return None
        return Cursor(position, factor + 1) if factor + 1 < self._factors_after(position) else Cursor(position + 1)

    def _before_factor(self) -> Cursor | None:
        position, factor = self._cursor.position, self._cursor.factor
        if factor:
            return Cursor(position, factor - 1)
        if position == 0:
            return None
        return Cursor(position - 1, self._factors_after(position - 1) - 1)

    def _factors_after(self, position: int) -> int:
        """How many factors the step after a position takes."""
        return self._scene.factor_count(self._scene.timeline.step(position + 1))

    def finish(self, *, back: bool) -> str:
        """Go to the last position of the next step's timestep and phase, or to before the first of the last's."""
        position, factor = self._cursor.position, self._cursor.factor
        if back:
            if position == 0:
                return self._at_an_end(forward=False)
            here = self._group(position + (factor > 0))
            while position and self._group(position) == here:
                position -= 1
        else:
            if position == self.last:
                return self._at_an_end(forward=True)
            here = self._group(position + 1)
            while position < self.last and self._group(position + 1) == here:
                position += 1
        return self.move_to(position)

    def _group(self, position: int) -> tuple[str, int]:
        """Phase and timestep of the step that leads to a position; the total belongs to the last loss."""
        step = self._scene.timeline.step(position)
        return step.phase, self._scene.unrolled.loss_times[-1] if step.t is None else step.t

    def goto(self, where: str) -> str:
        """Go to a position, or to where a node, an adjoint (dE/ds[0]) or a contribution (u[1]) is computed."""
        return self.move_to(position_of(self._look(), where))

    def where(self) -> str:
        """Position, phase, timestep, what has just been computed, and the chain from E."""
        view = self.view
        place = f"position {view.position} of {view.last}"
        if view.factor:
            place += f" and {view.factor} of {view.factors} factors"
        if view.pane is None:
            return f"{place}: nothing is computed yet"
        result = view.pane.adjoint if view.phase == "backward" else view.pane.value
        shown = result.value if isinstance(result, Missing) else numerals.array(result, 40)
        lines = [
            f"{place}, {view.phase}" + ("" if view.t is None else f", t = {view.t}"),
            f"{view.pane.title} = {shown}",
        ]
        factors = [factor.title for factor in view.chain.factors(_CHAIN + 1)]
        if len(factors) > 1:
            product = " · ".join(["…", *factors[1:]] if len(factors) > _CHAIN else factors)
            note = f"  ({view.chain.note})" if view.chain.note else ""
            lines.append(f"{view.chain.title} = {product}{note}")
        return "\n".join(lines)

    def print(self, expression: str) -> str:
        """`EXPR = value`, every digit, and what is not whole about it."""
        inspector = Inspector(self._look())
        value = inspector.evaluate(expression)
        return "\n".join([f"{expression.strip()} = {shown_in_full(value)}", *inspector.notes])

    # --- views ---------------------------------------------------------------------------------------------------

    def _edge_message(self) -> str:
        if self._cursor == Cursor():
            return self._at_an_end(forward=False)
        if self._cursor.position == self._scene.timeline.forward_steps and not self._cursor.factor:
            return "the forward pass is complete; the next step starts the backward pass"
        return self._at_an_end(forward=True) if self._cursor.position == self.last else ""

    def _at_an_end(self, *, forward: bool) -> str:
        if forward:
            return "at the end: every contribution is known"
        return "at the start: nothing is computed yet"

    def _look(self) -> Look:
        return Look(self._scene, self._cursor.position, self._cursor.factor)

    def _build(self) -> View:
        look = self._look()
        step = look.step
        position = self._cursor.position
        return View(
            title=self._session.title or self._session.name,
            phase="forward" if step is None else step.phase,
            position=position,
            factor=self._cursor.factor,
            factors=1 if position == self.last else self._factors_after(position),
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
