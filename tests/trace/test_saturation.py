"""Losses far outside the range of probabilities: nothing overflows and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.trace import Network


def softmax_network(inline: bool) -> list[str]:
    if inline:
        return ["E = cross_entropy(softmax(q), y)"]
    return ["l = 1 * q", "o = softmax(l)", "E = cross_entropy(o, y)"]


@pytest.mark.parametrize("inline", [True, False], ids=["one equation", "three equations"])
@pytest.mark.parametrize(("y", "loss", "gradient"), [(0, 0.0, [0.0, 0.0]), (1, 800.0, [1.0, -1.0])])
def test_softmax_cross_entropy_at_a_gap_of_800(inline, y, loss, gradient):
    """o − y, where −y/o alone is infinite; the loss is the logit gap."""
    steps = ["k = x * q", *(line.replace("q", "k") for line in softmax_network(inline))]
    trace = Network(steps).trace(parameters={"q": [800.0, 0.0]}, inputs={"x": [1.0]}, constants={"y": y})
    assert trace.loss == loss
    assert trace.gradient["q"].tolist() == gradient


@pytest.mark.parametrize("gap", [1.0, 40.0, 700.0])
def test_a_class_that_is_nearly_certain_keeps_its_gradient(gap):
    """Where o rounds to 1, o − 1 is still minus the sum of the other probabilities."""
    trace = Network(["k = x * q", "o = softmax(k)", "E = cross_entropy(o, y)"]).trace(
        parameters={"q": [gap, 0.0, 0.0]}, inputs={"x": [1.0]}, constants={"y": 0}
    )
    other = np.exp(-gap) / (1 + 2 * np.exp(-gap))
    np.testing.assert_allclose(trace.gradient["q"], [-2 * other, other, other], rtol=1e-15)
    assert trace.loss == pytest.approx(np.log1p(2 * np.exp(-gap)), rel=1e-15)


@pytest.mark.parametrize("inline", [True, False], ids=["one equation", "two equations"])
@pytest.mark.parametrize(
    ("z", "y", "loss", "slope"), [(800.0, 1.0, 0.0, 0.0), (800.0, 0.0, 800.0, 1.0), (-800.0, 1.0, 800.0, -1.0)]
)
def test_sigmoid_binary_cross_entropy_at_800(inline, z, y, loss, slope):
    """The same for one probability."""
    tail = (
        ["E = binary_cross_entropy(sigmoid(k), y)"] if inline else ["o = sigmoid(k)", "E = binary_cross_entropy(o, y)"]
    )
    trace = Network(["k = x * q", *tail]).trace(parameters={"q": z}, inputs={"x": [1.0]}, constants={"y": y})
    assert trace.loss == loss
    assert float(trace.gradient["q"]) == slope


@pytest.mark.parametrize("v", [1.2, [1.2]], ids=["scalar", "vector of one"])
def test_one_logit_has_no_gradient_at_all(v):
    """softmax of one logit is the constant 1: the loss is 0 and every gradient exactly 0."""
    trace = Network(
        ["s = tanh(u * x[t] + w * s[t-1])", "q = v * s", "o = softmax(q)", "E = cross_entropy(o, y)"], loss_at="every"
    ).trace(parameters={"u": 0.8, "w": 0.6, "v": v}, inputs={"x": [0.5, -1.0]}, initial={"s": 0.3}, constants={"y": 0})
    assert trace.loss == 0.0
    for name in "uwv":
        assert np.all(trace.gradient[name] == 0.0)
        assert all(np.all(trace.contribution(name, t) == 0.0) for t in (0, 1))


def test_the_shown_factors_multiply_to_the_computed_one():
    """∂E/∂o is −y/o, ∂o/∂q the Jacobian; their product is the o − y that was computed in one piece."""
    trace = Network(["q = v * x", "o = softmax(q)", "E = cross_entropy(o, y)"]).trace(
        parameters={"v": [1.2, -0.7, 0.1]}, inputs={"x": [0.8]}, constants={"y": 2}
    )
    row = trace.adjoint("o", 0)
    jacobian = trace.jacobian(1, 0, trace.unrolled.network.reads[1][0])
    assert row == pytest.approx([0.0, 0.0, -1 / trace.value("o", 0)[2]], rel=1e-15)
    np.testing.assert_allclose(row @ jacobian, trace.adjoint("q", 0), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(trace.adjoint("q", 0), trace.value("o", 0) - [0, 0, 1], rtol=1e-13)


def test_softmax_ignores_what_its_gradient_has_in_common():
    """Σ softmax is 1 whatever the logits: its gradient is exactly 0."""
    trace = Network(["k = x * q", "E = sum(softmax(k))"]).trace(
        parameters={"q": [30.0, 1.0, -2.0]}, inputs={"x": [1.0]}
    )
    assert np.all(trace.gradient["q"] == 0.0)


def test_vanishing_is_not_zero():
    """Forty saturated timesteps leave a gradient of 1e-300 or less, and its norm, above 0."""
    trace = Network(["s = tanh(5 * s[t-1] + w)", "E = s"]).trace(parameters={"w": 1.0}, initial={"s": 1.0}, steps=60)
    norms = trace.norms("s")
    assert 0 < norms[0] < 1e-200
    assert np.all(np.diff(np.log(norms)) > 0)


def test_an_overflow_is_a_value_and_not_a_warning():
    """exp(800) is inf, and what follows is nan where it must be; nothing is raised."""
    trace = Network(["s = exp(w * s[t-1])", "E = s - s"]).trace(parameters={"w": 800.0}, initial={"s": 1.0}, steps=3)
    assert np.isinf(trace.value("s", 2))
    assert np.isnan(trace.loss)
    assert np.isnan(trace.contribution("w", 0))
    assert np.isnan(trace.terms["w"].running(3))
    assert np.isnan(trace.terms["w"].norms()).any()
