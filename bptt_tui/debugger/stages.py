"""The scenes of the last few sets of numbers: made when first looked at, so that undoing an edit costs nothing."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING

from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.moving import Moves
from bptt_tui.debugger.remarks import first_troubles, one_logit
from bptt_tui.debugger.view import Comparison
from bptt_tui.session import Session
from bptt_tui.trace import Trace

if TYPE_CHECKING:
    from bptt_tui.debugger.sums import Sums
    from bptt_tui.derivation.judging.verdict import Verdict

KEPT = 8


class Stage:
    """A scene, and what is made of it once for all positions."""

    def __init__(self, trace: Trace) -> None:
        self.scene = Scene(trace)
        self.moves = Moves(self.scene)
        self.verdicts: dict[str, Verdict] = {}  # by formula

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of the network at every position."""
        return one_logit(self.scene)

    @cached_property
    def sums(self) -> Sums:
        """The gradient as a sum; seldom asked for, so its code is loaded then."""
        from bptt_tui.debugger.sums import Sums

        return Sums(self.scene)

    @cached_property
    def troubles(self) -> tuple[tuple[int, str], ...]:
        """From which position on it can be said where numbers went wrong first."""
        return first_troubles(self.scene)


class Stages:
    """The stage of a session's numbers. Sessions that differ in notes or name only share their trace, and so it."""

    def __init__(self) -> None:
        self._made: OrderedDict[int, Stage] = OrderedDict()
        self._compared: tuple[Trace, Trace, Comparison | None] | None = None

    def of(self, session: Session) -> Stage:
        """Made when it is not among the last few. Raises BpttError where the session cannot be traced."""
        trace = session.trace()
        stage = self._made.get(id(trace))  # a stage keeps its trace, so that no other can have this id
        if stage is None:
            stage = self._made[id(trace)] = Stage(trace)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(id(trace))
        return stage

    def comparison(self, before: Session, after: Session) -> Comparison | None:
        """The gradients of two sessions side by side, made once."""
        old, new = before.trace(), after.trace()
        if old is new:
            return None
        if self._compared is None or self._compared[0] is not old or self._compared[1] is not new:
            from bptt_tui.debugger.comparing import comparison

            self._compared = old, new, comparison(before, after, self.of(after).scene)
        return self._compared[2]
