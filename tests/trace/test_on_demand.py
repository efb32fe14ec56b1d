"""What a trace does not store is made when asked for, exactly: terms, running sums, norms, dense Jacobians."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.errors import NetworkError
from bptt_tui.session import load
from bptt_tui.trace import Network


def layer(steps, size, seed=0):
    """A recurrent layer with a loss at every step."""
    rng = np.random.default_rng(seed)
    network = Network(["h = tanh(U @ x[t] + b + W @ h[t-1])", "E = squared_error(h, y[t])"], loss_at="every")
    return network.trace(
        parameters={
            "U": rng.normal(size=(size, 3)),
            "W": rng.normal(size=(size, size)) / 2,
            "b": rng.normal(size=size),
        },
        inputs={"x": rng.normal(size=(steps, 3)), "y": rng.normal(size=(steps, size))},
        initial={"h": rng.normal(size=size)},
    )


@pytest.mark.parametrize(("steps", "size"), [(12, 4), (700, 20)])
def test_running_sums_end_in_the_gradient(steps, size):
    """The sum down to t is what the terms down to t add up to, and at t = 0 the gradient bit for bit."""
    trace = layer(steps, size)
    for name in ("U", "W", "b"):
        assert (trace.running_sum(name, 0) == trace.gradient[name]).all()
        t = steps - steps // 3
        by_hand = sum(trace.contribution(name, moment) for moment in range(t, steps))
        np.testing.assert_allclose(trace.running_sum(name, t), by_hand, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("steps", "size"), [(12, 4), (700, 20)])
def test_norms_of_all_contributions(steps, size):
    """One norm per use, in time order, equal to the norm of the term made alone."""
    trace = layer(steps, size)
    for name in ("U", "W", "b"):
        norms = trace.contribution_norms(name)
        assert norms.shape == (steps,)
        for t in (0, steps // 2, steps - 1):
            assert norms[t] == pytest.approx(np.linalg.norm(trace.contribution(name, t)), rel=1e-13)


def test_any_edge_as_a_dense_jacobian():
    """∂h_t/∂h_t−1 = diag(1 − h²)·W and ∂h_t/∂W = diag(1 − h²)·(I ⊗ hᵀ), as numbers."""
    trace = layer(5, 4)
    h, before = trace.value("h", 3), trace.value("h", 2)
    slope = np.diag(1 - h**2)
    np.testing.assert_allclose(trace.partial("h", 3, "h"), slope @ trace.value("W"), rtol=1e-12)
    np.testing.assert_allclose(trace.partial("h", 3, "W"), slope @ np.kron(np.eye(4), before), rtol=1e-12, atol=1e-15)
    assert trace.partial("h", 3, "h", 2).shape == (4, 4)
    with pytest.raises(NetworkError, match="does not read"):
        trace.partial("h", 3, "h", 1)


def test_what_is_not_there_is_said():
    """A use, a node or a name that does not exist is an error with what there is."""
    trace = layer(5, 4)
    with pytest.raises(NetworkError, match="not used at t = 9"):
        trace.running_sum("W", 9)
    with pytest.raises(NetworkError, match="is not a parameter"):
        trace.contribution_norms("h")


@pytest.mark.parametrize("ask", ["norms", "value"])
def test_a_name_that_is_no_node_is_said_to_be_none(ask):
    with pytest.raises(NetworkError, match="there is no node r; the nodes are a, b, z, s, q, o, E"):
        getattr(load("question").trace(), ask)("r")
