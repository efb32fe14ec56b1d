"""The debugger: a position on a trace's timeline, moved by commands, seen as a View.

    debugger = Debugger(session)
    view = debugger.do("next")
    debugger.do("goto dE/ds[0]").pane.adjoint

Every position is random access: nothing is recomputed by moving. A command that cannot be carried out raises
CommandError and changes nothing.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bptt_tui.calculus import numerals
from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.commands import read
from bptt_tui.debugger.inspect import Inspector, shown_in_full
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.pane import ONE_LOGIT, pane
from bptt_tui.debugger.tables import ContributionsAt, GraphAt, strip
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import Missing, Phase, View
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.network.network import did_you_mean
from bptt_tui.session import Session
from bptt_tui.session.format import Recorded

_NODE = re.compile(r"([^\W\d]\w*?)\s*(?:\[\s*(-?\d+)\s*\]|([₋₀-₉]+))?")
_ADJOINT = re.compile(r"[d∂](\w+)\s*(?:\[\s*\d+\s*\])?\s*/\s*[d∂](.*)")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋", "0123456789-")


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
        self._cursor = self._saved_cursor(session)
        self._message = ""
        self._view: View | None = None

    def _saved_cursor(self, session: Session) -> Cursor:
        position, factor = session.debugger.position, session.debugger.factor
        try:
            self._check(position)
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
        command, rest = read(line)
        before = self._cursor
        message = command.act(self, rest)
        self._record(line.strip(), before)
        self._message = message
        self._view = None
        return self.view

    def _record(self, line: str, before: Cursor) -> None:
        at = max(self._clock() - self._began, self._recording[-1].at if self._recording else 0.0)
        if not self._recording and before.position:
            # A recording plays from the beginning, so one that was begun elsewhere first goes there.
            self._recording.append(Recorded(0.0, f"goto {before.position}"))
            if before.factor:
                self._recording.append(Recorded(0.0, f"step {before.factor}"))
        self._recording.append(Recorded(round(at, 3), line))

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
        """Go to the last position of the present timestep and phase, or to the position before its first."""
        position = self._cursor.position
        if back:
            if position == 0 and not self._cursor.factor:
                return self._at_an_end(forward=False)
            here = self._group(position if not self._cursor.factor and position else position + 1)
            while position and self._group(position) == here:
                position -= 1
            return self.move_to(position)
        if position == self.last:
            return self._at_an_end(forward=True)
        here = self._group(max(position, 1) if not self._cursor.factor else position + 1)
        if position and self._group(position + 1) != here:
            here = self._group(position + 1)
        while position < self.last and self._group(position + 1) == here:
            position += 1
        return self.move_to(position)

    def _group(self, position: int) -> tuple[str, int]:
        """Phase and timestep of the step that leads to a position; the total belongs to the last timestep."""
        step = self._scene.timeline.step(position)
        return step.phase, self._scene.trace.steps - 1 if step.t is None else step.t

    def goto(self, where: str) -> str:
        """Go to a position, or to where a node, an adjoint (dE/ds[0]) or a contribution (u[1]) is computed."""
        if re.fullmatch(r"[0-9]+", where):
            if len(where) > 18:
                raise CommandError(f"there is no position {where[:18]}…", hint=f"the positions are 0 … {self.last}")
            self._check(int(where))
            return self.move_to(int(where))
        backward = self._cursor.position > self._scene.timeline.forward_steps
        adjoint = _ADJOINT.fullmatch(where)
        loss = self._scene.network.loss_name
        if adjoint is not None and adjoint[1] not in (loss, "L"):
            raise CommandError(f"{where!r} is not a gradient of {loss}", hint=f"goto d{loss}/ds[0], goto s[0]")
        position = self._locate(adjoint[2] if adjoint else where, backward=backward or adjoint is not None)
        return self.move_to(position)

    def _check(self, position: int) -> None:
        if not 0 <= position <= self.last:
            raise CommandError(f"there is no position {position}", hint=f"the positions are 0 … {self.last}")

    def _locate(self, text: str, *, backward: bool) -> int:
        """The position of `s[1]`, s₁, s1 (where s1 is no name), or `s` at the only or present timestep."""
        timeline, scene = self._scene.timeline, self._scene
        name, t = self._read_node(text)
        if name in scene.trace.terms:
            uses = scene.trace.terms[name].times
            t = self._default_time(uses.start, uses.count) if t is None else t
            found = timeline.use_position(name, t)
        elif name in scene.network.index:
            if t is None and name == scene.network.loss_name and scene.unrolled.has_total:
                found = timeline.total_position("backward" if backward else "forward")
            else:
                times = scene.unrolled.times[scene.network.index[name]]
                t = self._default_time(times.start, times.count) if t is None else t
                locate = timeline.adjoint_position if backward else timeline.value_position
                found = locate(name, t)
        else:
            names = [*scene.network.targets, *scene.trace.terms]
            hint = did_you_mean(name, names) or f"nodes and parameters are {', '.join(names)}"
            raise CommandError(f"there is no node {name}", hint=hint)
        if found is None:
            raise CommandError(self._why_absent(name, t), hint=f"the timesteps are 0 … {scene.trace.steps - 1}")
        return found

    def _why_absent(self, name: str, t: int | None) -> str:
        if t is None or not 0 <= t < self._scene.trace.steps:
            return f"{name}[{t}] is outside the unrolled network"
        if name in self._scene.trace.terms:
            return f"{name} is not used at t = {t}"
        return f"{name}[{t}] does not exist: the loss does not depend on it"

    def _read_node(self, text: str) -> tuple[str, int | None]:
        match = _NODE.fullmatch(text.strip())
        if match is None:
            raise CommandError(
                f"{text.strip()!r} is neither a position nor a node", hint="goto 17, goto s[1], goto dE/ds[0]"
            )
        name, bracketed, lowered = match.groups()
        if bracketed is not None or lowered is not None:
            digits = bracketed if bracketed is not None else lowered.translate(_DIGITS)
            if not re.fullmatch(r"-?\d{1,18}", digits):
                raise CommandError(f"{digits!r} is not a timestep", hint="goto s[1]")
            return name, int(digits)
        known = {*self._scene.network.targets, *self._scene.trace.terms}
        short = re.fullmatch(r"(.*?\D)(\d+)", name)
        if name not in known and short is not None and short[1] in known:
            return short[1], int(short[2])
        return name, None

    def _default_time(self, only: int, count: int) -> int:
        """The timestep meant by a bare name."""
        step = self._look().current_step()
        return only if count == 1 or step is None or step.t is None else step.t

    def where(self) -> str:
        """Position, phase, timestep, what has just been computed, and the chain from E."""
        view = self.view
        place = f"position {view.position} of {view.last}"
        if view.factor:
            place += f" and {view.factor} of {view.factors} factors"
        if view.pane is None:
            return f"{place}: nothing is computed yet"
        result = view.pane.adjoint if view.phase == "backward" else view.pane.value
        shown = "not yet" if isinstance(result, Missing) else numerals.array(result, 40)
        lines = [
            f"{place}, {view.phase}" + ("" if view.t is None else f", t = {view.t}"),
            f"{view.pane.title} = {shown}",
        ]
        factors = view.chain.factors(12)
        if factors:
            head = "" if len(factors) < 12 and view.chain.complete else "… · "
            lines.append(f"{view.chain.title} = {head}" + " · ".join(factor.title for factor in factors))
        return "\n".join(lines)

    def print(self, expression: str) -> str:
        """`EXPR = value`, every digit."""
        value = Inspector(self._look()).evaluate(expression)
        return f"{expression.strip()} = {shown_in_full(value)}"

    # --- views ---------------------------------------------------------------------------------------------------

    def _edge_message(self) -> str:
        if self._cursor == Cursor(0):
            return "at the start: nothing is computed yet"
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
        step = look.current_step()
        position = self._cursor.position
        return View(
            title=self._session.title or self._session.name,
            phase=_phase(step),
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
            remarks=(ONE_LOGIT,) if self._scene.one_logit() else (),
            message=self._message,
            recording=len(self._recording),
        )


def _phase(step: Step | None) -> Phase:
    return "forward" if step is None else step.phase
