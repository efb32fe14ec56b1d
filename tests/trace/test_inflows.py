"""What the node pane shows: the inflows over a node's edges add up to ∂E/∂node, and each is its factors multiplied."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.case import Case
from oracles.judge import faults
from oracles.networks import random_case

from bptt_tui.trace import Network


@pytest.mark.parametrize("seed", range(60))
def test_inflows_add_up_to_the_adjoint(seed):
    """Over all edges into consumers, for every node but the loss itself, which starts with its share."""
    case = random_case(seed)
    trace = case.trace()
    for name, t in case.nodes:
        added = np.zeros(trace.unrolled.shapes[name])
        size = np.zeros(added.shape)
        for consumer in trace.consumers(name, t):
            inflow = trace.inflow(consumer.equation, t + consumer.lag, consumer.by)
            added, size = added + inflow, size + np.abs(inflow)
        if name == case.loss_name:
            added = added + trace.share
        assert np.all(np.abs(added - trace.adjoint(name, t)) <= 1e-12 * size + 1e-15 * np.abs(added)), (name, t)


@pytest.mark.parametrize("seed", range(30))
def test_an_inflow_is_adjoint_times_jacobian(seed):
    """∂E/∂consumer · ∂consumer/∂node as rows and matrices, where the two were not computed in one piece."""
    case = random_case(seed)
    trace = case.trace()
    for name, t in case.nodes:
        for consumer in trace.consumers(name, t):
            at = t + consumer.lag
            if trace.fusion(consumer.equation, at, consumer.by):
                continue
            row = trace.adjoint(trace.unrolled.network.equations[consumer.equation].target, at).reshape(-1)
            jacobian = trace.jacobian(consumer.equation, at, consumer.by)
            got = trace.inflow(consumer.equation, at, consumer.by).reshape(-1)
            scale = np.abs(row) @ np.abs(jacobian)
            assert np.all(np.abs(got - row @ jacobian) <= 1e-13 * scale + 1e-300)


def test_one_softmax_read_by_two_losses():
    """o − y for each loss, and the Jacobian once for whatever else reads o."""
    case = Case(
        ("h = tanh(w * h[t-1] + x)", "q = V @ h", "o = softmax(q)", "r = dot(o, k)",
         "E = cross_entropy(o, y) + 0.5 * cross_entropy(o, z) + r * r"),
        {"w": np.array(0.7), "V": np.array([[0.5, -1.0], [1.5, 0.2], [0.1, 0.4]]), "k": np.array([1.0, -2.0, 0.5])},
        {"x": np.array([[0.3, -0.2], [0.8, 0.1], [-0.5, 0.9]])},
        {"h": np.array([0.1, -0.4])},
        {"y": np.array(0), "z": np.array(2)},
        loss_at="every",
    )  # fmt: skip
    assert faults(case) == []
    trace = case.trace()
    for t in range(3):
        (consumer,) = trace.consumers("q", t)
        np.testing.assert_allclose(trace.inflow(consumer.equation, t, consumer.by), trace.adjoint("q", t), rtol=1e-13)


@pytest.mark.parametrize("loss", ["binary_cross_entropy(sigmoid(q), r)", "binary_cross_entropy(o, sigmoid(h))"])
def test_a_target_that_is_computed_takes_its_gradient(loss):
    """binary_cross_entropy differentiates by its target as well, also where it is computed together with a sigmoid."""
    case = Case(
        ("h = tanh(w * h[t-1] + x)", "r = sigmoid(u * h)", "q = v * h", "o = sigmoid(q)", f"E = {loss}"),
        {"w": np.array(0.7), "u": np.array(-1.3), "v": np.array(2.0)},
        {"x": np.array([0.3, -0.9, 0.4])},
        {"h": np.array(0.2)},
        loss_at="every",
    )
    assert faults(case) == []


def test_a_scalar_handed_on_inside_a_recurrence_is_the_one_just_computed():
    """binary_cross_entropy differentiates by its target as well, also where that is computed with a sigmoid."""
    case = Case(
        ("c = s[t-1]", "k = softmax(concat(s[t-1], 0.3 * c))", "s = tanh(w * dot(k, k) * c + x)", "E = s * s"),
        {"w": np.array(1.4)},
        {"x": np.array([0.3, -0.9, 0.4, 0.8])},
        {"s": np.array(0.2)},
    )
    assert faults(case) == []


def test_an_input_read_with_and_without_its_index():
    """`x` and `x[t]` are one read with one inflow."""
    trace = Network(["E = w * x * x[t]"]).trace(parameters={"w": 2.0}, inputs={"x": [3.0]})
    assert len(trace.consumers("x", 0)) == 1
    assert float(trace.adjoint("x", 0)) == 12.0


def test_a_parameter_beside_a_constant_that_has_no_logarithm():
    """Operations that are no single NumPy call read scalars of their own loop as they are then, not as they were."""
    trace = Network(["E = (w * c) ** 2 * x"]).trace(parameters={"w": 1.5}, constants={"c": -2.0}, inputs={"x": [1.0]})
    assert float(trace.contribution("w", 0)) == 12.0
    assert float(trace.gradient["w"]) == 12.0
