"""A trace of complex values, as a complex step makes them: inflows and gradients of inputs are complex too."""

from __future__ import annotations

import numpy as np

from bptt_tui.language import Name
from bptt_tui.trace import Network


def test_inflows_and_gradients_of_inputs_of_complex_values() -> None:
    network = Network(
        ["h = w * h[t-1] + x[t]", "q = V * h", "o = softmax(q)", "E = cross_entropy(o, y)"], loss_at="every"
    )
    given = {"inputs": {"x": [0.5, -1.0]}, "initial": {"h": 0.3}, "constants": {"y": 0}}
    plain = network.trace(parameters={"w": 0.5, "V": [1.2, -0.7]}, **given)
    turned = network.trace(parameters={"w": 0.5 + 1e-30j, "V": [1.2, -0.7]}, **given)
    equation = network.targets.index("o")
    assert np.iscomplexobj(turned.given_adjoints("x"))
    np.testing.assert_allclose(turned.given_adjoints("x").real, plain.given_adjoints("x"), rtol=1e-14)
    for t in range(2):
        inflow = turned.inflow(equation, t, Name("q"))
        np.testing.assert_allclose(inflow.real, plain.inflow(equation, t, Name("q")), rtol=1e-12)
