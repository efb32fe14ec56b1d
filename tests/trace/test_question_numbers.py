"""The two-step network of the question, to the digits that hand derivation, PyTorch and finite differences agree on."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.case import Case
from oracles.judge import faults
from oracles.networks import QUESTION

from bptt_tui.trace import Network

COMPOUND = ("s = tanh(u * x[t] + w * s[t-1])", "E = cross_entropy(softmax(v * s), y)")
SLIPS = {
    "f′ left out of the recurrence": -0.729768,
    "only the last time step": -0.555232,
    "w left out of the chain": -0.786865,
    "only the deepest path": -0.138979,
    "s_t where s_{t−1} belongs": +0.237346,
}


@pytest.fixture(params=[QUESTION.equations, COMPOUND], ids=["small steps", "compound"])
def trace(request):
    return Network(request.param).trace(**QUESTION.values)


@pytest.mark.parametrize(
    ("parameter", "late", "early", "total"),
    [
        ("u", 1.0623088928, -0.2316324753, 0.8306764175),
        ("w", -0.5552321339, -0.1389794852, -0.6942116191),
    ],
)
def test_totals_and_terms_have_the_published_digits(trace, parameter, late, early, total):
    """∂E/∂u and ∂E/∂w to 10 digits, whole and by timestep, however finely the equations are cut."""
    assert float(trace.contribution(parameter, 1)) == pytest.approx(late, abs=6e-11)
    assert float(trace.contribution(parameter, 0)) == pytest.approx(early, abs=6e-11)
    assert float(trace.gradient[parameter]) == pytest.approx(total, abs=1.1e-10)


def test_v_is_used_at_the_last_timestep_only(trace):
    """∂E/∂v is ±0.3169206 and has one term."""
    assert trace.gradient["v"] == pytest.approx([-0.3169206, 0.3169206], abs=5e-8) or trace.gradient[
        "v"
    ] == pytest.approx([0.3169206, -0.3169206], abs=5e-8)
    assert list(trace.uses("v")) == [1]


@pytest.mark.parametrize("slip", SLIPS)
def test_no_fingerprint_of_a_slip_is_produced(trace, slip):
    """∂E/∂w is none of the wrong numbers learners arrive at."""
    assert abs(float(trace.gradient["w"]) - SLIPS[slip]) > 1e-3


def test_the_slips_are_the_products_with_a_factor_missing(trace):
    """The wrong numbers come from this trace's own factors, so the fingerprints belong to this network."""
    running = float(trace.adjoint("s", 1))
    s = [float(trace.value("s", t)) for t in (-1, 0, 1)]
    slope = [1 - value**2 for value in s]
    last = running * slope[2] * s[1]
    deep = running * slope[2] * 0.6 * slope[1] * s[0]
    assert last + deep == pytest.approx(-0.6942116191, abs=1e-9)
    assert last + running * 0.6 * slope[1] * s[0] == pytest.approx(SLIPS["f′ left out of the recurrence"], abs=1e-6)
    assert last == pytest.approx(SLIPS["only the last time step"], abs=1e-6)
    assert last + deep / 0.6 == pytest.approx(SLIPS["w left out of the chain"], abs=1e-6)
    assert deep == pytest.approx(SLIPS["only the deepest path"], abs=1e-6)
    wrong = running * slope[2] * (s[2] + 0.6 * slope[1] * s[1])
    assert wrong == pytest.approx(SLIPS["s_t where s_{t−1} belongs"], abs=1e-6)


@pytest.mark.parametrize("equations", [QUESTION.equations, COMPOUND])
def test_every_node_agrees_with_the_oracles(equations):
    """Adjoints, inputs and the initial value too."""
    assert faults(Case(equations, **QUESTION.values)) == []


def test_separate_knobs_add_up():
    """Nudging one use of w alone changes the loss by its contribution; the terms add to the gradient."""
    trace = Network(QUESTION.equations).trace(**QUESTION.values)
    assert trace.contribution("w", 1) + trace.contribution("w", 0) == trace.gradient["w"]
    assert np.shape(trace.gradient["w"]) == ()
