"""Local partials as formulas: what they say at a timestep, and that they evaluate to the numbers beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.networks import random_case

from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.language import Name, Number
from bptt_tui.session import load
from bptt_tui.trace import Trace


def partials_of(trace: Trace) -> Partials:
    return Partials(trace, Naming(trace.unrolled))


@settings(max_examples=60)
@given(st.integers(0, 3000))
def test_every_formula_evaluates_to_the_jacobian_beside_it(seed: int) -> None:
    """Symbolic and numeric local partial agree on every edge of random networks, in shape and in value."""
    trace = random_case(seed, longest=3).trace()
    partials = partials_of(trace)
    network = trace.unrolled.network
    for equation, reads in enumerate(network.reads):
        for t in trace.unrolled.times[equation].array().tolist():
            for by in reads:
                value, formula = trace.jacobian(equation, t, by), partials.value(equation, t, by)
                assert value.shape == formula.shape == partials.shape(equation, by)
                np.testing.assert_allclose(formula, value, rtol=1e-9, atol=1e-12)
                if not partials.flows(equation, by):
                    kind = trace.unrolled.values.kind(by.name)
                    assert kind == "constant" or partials.formula(equation, by) == Number(0.0)


@pytest.mark.parametrize(
    ("session", "node", "by", "t", "text", "latex"),
    [
        ("question", "a", "u", 1, "x₁", "x_{1}"),
        ("question", "b", "w", 0, "s₋₁", "s_{-1}"),
        ("question", "z", "a", 1, "1", "1"),
        ("question", "s", "z", 1, "1 − s₁²", "1 - s_{1}^2"),
        ("question-sigmoid", "s", "z", 0, "s₀·(1 − s₀)", r"s_{0} \, (1 - s_{0})"),
        ("question", "q", "v", 1, "s₁·I", r"s_{1} \, I"),
        ("question", "o", "q", 1, "diag(o) − o·oᵀ", r"\operatorname{diag}(o) - o o^\top"),
        ("question", "E", "o", 1, "−y/o", r"-\frac{y}{o}"),
        ("product-slip", "z", "a", 1, "b₁", "b_{1}"),
        ("vectors", "b", "W", 2, "I ⊗ s₁ᵀ", None),
        ("vectors", "b", "s", 2, "W", "W"),
        ("vectors", "s", "z", 2, "diag(1 − s₂²)", None),
    ],
)
def test_a_formula_has_its_timestep_put_in(
    session: str, node: str, by: str, t: int, text: str, latex: str | None
) -> None:
    """In Unicode for the screen, in LaTeX for export."""
    trace = load(session).trace()
    partials = partials_of(trace)
    equation = trace.unrolled.network.index[node]
    (name,) = (name for name in trace.unrolled.network.reads[equation] if name.name == by)
    assert partials.text(equation, t, name) == text
    if latex is not None:
        assert partials.text(equation, t, name, "latex") == latex


def test_where_a_gradient_flows() -> None:
    """To nodes, inputs and parameters; not to a constant, nor to what an equation does not read."""
    trace = load("question").trace()
    partials = partials_of(trace)
    index = trace.unrolled.network.index
    assert partials.flows(index["a"], Name("u")) and partials.flows(index["a"], Name("x", 0))
    assert partials.flows(index["b"], Name("s", -1))
    assert not partials.flows(index["E"], Name("y"))
    assert not partials.flows(index["b"], Name("s", 0))
    targets = load("many-to-many").trace()
    assert not partials_of(targets).flows(targets.unrolled.network.index["E"], Name("y", 0))
