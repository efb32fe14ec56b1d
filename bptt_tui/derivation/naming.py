"""What nodes, uses and partials are called: s₁, u₁, plain q where there is only one, ∂E/∂s₀."""

from __future__ import annotations

from collections.abc import Callable

from bptt_tui.language import Name, label
from bptt_tui.language.labels import Style
from bptt_tui.network import Unrolled


class Naming:
    """Labels for one unrolled network.

    A node that exists at one timestep only, and is not read at another, goes without an index, as on paper: q, o
    and E in a many-to-one network. Uses always have theirs.
    """

    def __init__(self, unrolled: Unrolled) -> None:
        self._unrolled = unrolled
        network = unrolled.network
        self._single = {
            name
            for name, equation in network.index.items()
            if unrolled.present[equation].count == 1 and not unrolled.ahead.get(name)
        }
        self._kinds = {name: unrolled.values.kind(name) for name in unrolled.shapes}

    def node(self, name: str, t: int | None, style: Style = "unicode") -> str:
        """A node, an initial value, an input or (t None) the total loss."""
        single = name in self._single or self._kinds.get(name) in ("parameter", "constant")
        return label(name, None if single else t, style)

    def use(self, parameter: str, t: int, style: Style = "unicode") -> str:
        """A parameter as read at `t`."""
        return label(parameter, t, style)

    def total(self, style: Style = "unicode") -> str:
        """The loss whose gradient is taken: the only E, or the total of several."""
        network = self._unrolled.network
        if self._unrolled.has_total:
            return label(network.loss_name, None, style)
        return self.node(network.loss_name, self._unrolled.loss_times[0], style)

    def partial(self, above: str, below: str) -> str:
        """∂above/∂below."""
        return f"∂{above}/∂{below}"

    def leaf(self, t: int, style: Style = "unicode") -> Callable[[Name], str]:
        """How an equation's names are written when its node is at `t`; parameters and constants stay bare."""

        def write(name: Name) -> str:
            return self.node(name.name, t + (name.offset or 0), style)

        return write
