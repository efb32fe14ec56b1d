"""The network of the Python face: equations that can be traced with values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt_tui import network
from bptt_tui.errors import NetworkError
from bptt_tui.network import unroll
from bptt_tui.network.arguments import callback
from bptt_tui.network.values import Given
from bptt_tui.trace.trace import Trace

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance


class Network(network.Network):
    """Equations and where the loss is taken; `trace` runs them.

    >>> rnn = Network(["s = tanh(w * s[t-1] + x[t])", "E = squared_error(s, y)"])
    >>> trace = rnn.trace(parameters={"w": 0.6}, inputs={"x": [0.5, -1.0]}, initial={"s": 0.3}, constants={"y": 1.0})
    >>> round(float(trace.gradient["w"]), 6)
    -0.752279
    """

    def trace(
        self,
        parameters: Given | None = None,
        inputs: Given | None = None,
        initial: Given | None = None,
        constants: Given | None = None,
        steps: int | None = None,
        progress: Advance | None = None,
        pins: Given | None = None,
    ) -> Trace:
        """Run forward and backward. Values are numbers, nested lists or arrays.

        `inputs` are sequences, first axis time; without any, `steps` says how many timesteps there are. `pins` hold
        nodes at a value, `{"s[0]": 0.1}`, which cuts them off from what their equation reads. Raises
        NetworkError, ShapeError or EquationError naming the place when the values do not fit the equations.
        """
        callback(progress)
        unrolled = unroll(self, parameters, inputs, initial, constants, steps, pins)
        values = unrolled.values
        groups = (values.parameters, values.inputs, values.initial, values.constants, values.pins)
        try:
            return Trace(unrolled, progress)
        except TypeError as error:
            if not any(value.dtype.kind == "c" for group in groups for value in group.values()):
                raise
            raise NetworkError(f"complex values do not fit every operation ({error})", hint="give real ones") from None
