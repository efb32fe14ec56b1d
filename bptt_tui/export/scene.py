"""What every section of a document is written from: a session, its trace, its names and formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.debugger.looking import Scene as Walk
from bptt_tui.derivation.by_loss import numbers_over_time
from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.derivation.table import LARGEST, Table, together
from bptt_tui.errors import NetworkError
from bptt_tui.export import figures
from bptt_tui.language import Expression, Name, Printer
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

MOST_LINES = 240  # of a section that grows with T; beyond it the middle timesteps are left out
_AT_THE_ENDS = 3  # timesteps kept at either end, at least
MOST_LOSSES = 16  # loss steps with a row of their own in a table; of more the first and last ones


class Scene:
    """A traced session, and how its formulas are written in LaTeX."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.trace = session.trace()
        self.unrolled = self.trace.unrolled
        self.network = self.unrolled.network
        self.naming = Naming(self.unrolled)
        self.partials = Partials(self.trace, self.naming)
        self.watch: Callable[..., Advance] = lambda _count, parts=0: lambda _done: None
        self._tables: dict[str, Table | NetworkError] = {}

    @cached_property
    def walk(self) -> Walk:
        """The steps as the debugger takes them."""
        return Walk(self.trace)

    @cached_property
    def shown_losses(self) -> tuple[int, ...]:
        """The loss steps that have a row in the table."""
        first, last = figures.ends(self.unrolled.loss_times, MOST_LOSSES, MOST_LOSSES // 2)
        return *first, *last

    def table(self, parameter: str) -> Table:
        """The rows of a parameter's loss-time × use-time table that a document shows: the first and last loss steps.

        Raises NetworkError where it would take too long.
        """
        if parameter not in self._tables:
            self._tables = together(
                self.trace, self._from(parameter), self.shown_losses, self.watch(self.unrolled.steps)
            )
        found = self._tables[parameter]
        if isinstance(found, NetworkError):
            raise found
        return found

    def _from(self, parameter: str) -> list[str]:
        """This parameter and as many of those behind it as have tables that fit together."""
        names = [name for name in self.trace.gradient if len(self.trace.uses(name))]
        behind = names[names.index(parameter) :]
        room, count = LARGEST, 0
        for name in behind:
            slots = {touch.slot for touch in self.trace.terms[name].touches}
            room -= numbers_over_time(self.trace, slots) * len(self.shown_losses)
            if room < 0 and count:
                break
            count += 1
        return behind[:count]

    @property
    def total(self) -> str:
        """The loss whose gradient is taken."""
        return self.naming.total("latex")

    @cached_property
    def indexed(self) -> Printer:
        """Writes an equation at any timestep: s_{t-1}."""
        return Printer(NOTATIONS, "latex")

    def at(self, t: int) -> Printer:
        """Writes an equation at a timestep: s_{0}."""
        return Printer(NOTATIONS, "latex", self.naming.leaf(t, "latex"))

    def with_numbers(self, expression: Expression, t: int) -> str:
        """An expression of scalars with its numbers put in; empty where an array is among them."""

        def leaf(name: Name) -> str:
            value = self.trace.value(name.name, t + (name.offset or 0))
            if value.ndim:
                raise _ArrayInside
            return figures.number(float(value))

        try:
            return Printer(NOTATIONS, "latex", leaf).print(expression)
        except _ArrayInside:
            return ""

    def fraction(self, above: str, below: str) -> str:
        r"""\frac{\partial above}{\partial below}"""
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"

    def shown_timesteps(self, lines_each: int) -> tuple[Sequence[int], Sequence[int]]:
        """The timesteps a section writes out, first and last ones; the second is empty where none is left out."""
        most = MOST_LINES // lines_each
        kept = max(most // 2, _AT_THE_ENDS)
        return figures.ends(range(self.unrolled.steps), max(most, 2 * kept), kept)

    def nodes_at(self, t: int) -> Iterator[int]:
        """The equations whose node exists at `t`, in the order in which they are computed."""
        present = self.unrolled.present
        return (equation for equation in self.network.order if present[equation].row(t) is not None)


class _ArrayInside(Exception):
    """An expression that is too wide with its numbers put in."""


def left_out(first: Sequence[int], last: Sequence[int]) -> str:
    """What stands between the first and the last timesteps."""
    return f"The timesteps {first[-1] + 1} to {last[0] - 1} are left out here."
