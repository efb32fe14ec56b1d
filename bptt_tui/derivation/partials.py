"""Local partials of a network as formulas, with timesteps put in.

An edge's formula does not depend on the timestep, so it is derived once per edge of the network; what changes
from step to step is only how its names are written.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bptt_tui.calculus.differentiation import differentiate, jacobian_value
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.calculus.shapes import size
from bptt_tui.derivation.naming import Naming
from bptt_tui.language import Expression, Name, Number, Printer
from bptt_tui.language.labels import Style
from bptt_tui.trace import Trace

Array = NDArray[Any]


class Partials:
    """The symbolic side of a trace's edges."""

    def __init__(self, trace: Trace, naming: Naming) -> None:
        self._trace = trace
        self._unrolled = trace.unrolled
        self._naming = naming
        self._formulas: dict[tuple[int, Name], Expression | None] = {}

    def formula(self, equation: int, by: Name) -> Expression:
        """∂node/∂by as an expression in the names of the equation; 0 where no gradient flows."""
        found = self._derived(equation, by)
        return Number(0.0) if found is None else found

    def _derived(self, equation: int, by: Name) -> Expression | None:
        key = (equation, by)
        if key not in self._formulas:
            whole = self._unrolled.network.equations[equation]
            self._formulas[key] = differentiate(whole.expression, by, Name(whole.target, 0), self._unrolled.shape_of)
        return self._formulas[key]

    def text(self, equation: int, t: int, by: Name, style: Style = "unicode") -> str:
        """The formula at timestep `t`: `1 − s₁²`."""
        printer = Printer(NOTATIONS, style, self._naming.leaf(t, style))
        return printer.print(self.formula(equation, by))

    def shape(self, equation: int, by: Name) -> tuple[int, int]:
        """The Jacobian's rows × columns: the sizes of node and `by`."""
        network = self._unrolled.network
        shapes = self._unrolled.shapes
        return size(shapes[network.equations[equation].target]), size(shapes[by.name])

    def flows(self, equation: int, by: Name) -> bool:
        """Whether a gradient flows over the edge: to nodes, initial values, inputs and parameters, not to
        constants and not to a target. A partial that is 0 flows too, and its 0 is worth seeing."""
        return self._unrolled.values.kind(by.name) != "constant" and self._derived(equation, by) is not None

    def value(self, equation: int, t: int, by: Name) -> Array:
        """The formula evaluated with the numbers of timestep `t`, rows × columns."""
        rows, columns = self.shape(equation, by)
        formula = self.formula(equation, by)
        return jacobian_value(formula, lambda name: self._trace.value(name.name, t + (name.offset or 0)), rows, columns)
