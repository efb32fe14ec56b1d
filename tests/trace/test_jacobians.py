"""Local partials of all timesteps at once are those taken one by one, bit for bit; so are the gradients of inputs."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.networks import pinned_case, random_case

from bptt_tui.trace import Network, Trace


def every_edge(trace: Trace):
    """(equation, read, timesteps) of what is computed at all."""
    for equation, times in enumerate(trace.unrolled.times):
        for by in trace.unrolled.network.reads[equation]:
            if times.count:
                yield equation, by, times.array().tolist()


def assert_same(trace: Trace) -> None:
    for equation, by, moments in every_edge(trace):
        found = trace.jacobians(equation, by)
        assert len(found) in (1, len(moments))
        assert found[0].size <= trace.jacobian_width(equation, by)
        found = np.broadcast_to(found, (len(moments), *found.shape[1:]))
        one_by_one = np.stack([trace.jacobian(equation, t, by) for t in moments])
        assert (found.shape, found.tobytes()) == (one_by_one.shape, one_by_one.tobytes()), (equation, by)
        some = trace.jacobians(equation, by, slice(1, 3))
        assert np.broadcast_to(some, (len(moments[1:3]), *some.shape[1:])).tobytes() == one_by_one[1:3].tobytes()


@pytest.mark.parametrize("seed", range(150))
def test_jacobians_of_random_networks(seed: int) -> None:
    """Every operation, compound equations, reads 0–3 timesteps back, losses at listed steps."""
    assert_same(random_case(seed).trace())


@pytest.mark.parametrize("seed", range(50))
def test_jacobians_beside_pinned_nodes(seed: int) -> None:
    """A pinned node reads nothing; those after it read its value."""
    assert_same(pinned_case(seed).trace())


def test_jacobians_of_a_long_history() -> None:
    """Longer than what kernels take in one go; a softmax inside an equation, and one that is a node of its own."""
    rng = np.random.default_rng(5)
    network = Network(
        ["h = tanh(W @ softmax(U @ h[t-1]) + x[t])", "o = softmax(U @ h)", "E = cross_entropy(o, y)"], loss_at="every"
    )
    trace = network.trace(
        parameters={"W": rng.normal(size=(9, 9)), "U": 3 * rng.normal(size=(9, 9))},
        inputs={"x": rng.normal(size=(400, 9))}, initial={"h": np.zeros(9)}, constants={"y": 2},
    )  # fmt: skip
    assert_same(trace)


def test_a_partial_that_is_the_same_everywhere_is_given_once() -> None:
    """∂(W·h)/∂h = W at every timestep; by W it is not."""
    trace = Network(["z = W @ h[t-1]", "h = tanh(z)", "E = sum(h)"], loss_at="last").trace(
        parameters={"W": np.diag([0.5, 2.0])}, initial={"h": [1.0, -1.0]}, steps=5
    )
    by_weights, by_state = trace.unrolled.network.reads[0]
    assert trace.jacobians(0, by_state).tolist() == [[[0.5, 0.0], [0.0, 2.0]]]
    assert trace.jacobians(0, by_weights).shape == (5, 2, 4)


@pytest.mark.parametrize("seed", range(150))
def test_gradients_of_inputs(seed: int) -> None:
    """∂E/∂x of all timesteps; what reads x may be computed in one piece with its loss."""
    trace = random_case(seed).trace()
    for name in trace.unrolled.values.inputs:
        found = trace.given_adjoints(name)
        one_by_one = np.stack([trace.adjoint(name, t) for t in range(trace.steps)])
        assert (found.shape, found.tobytes()) == (one_by_one.shape, one_by_one.tobytes())


@pytest.mark.parametrize("seed", range(50))
def test_gradients_of_pinned_nodes(seed: int) -> None:
    """∂E/∂node where no step computes the node."""
    trace = pinned_case(seed).trace()
    for name, pinned in trace.unrolled.pinned.items():
        found = trace.given_adjoints(name)[pinned.times]
        assert found.tobytes() == np.stack([trace.adjoint(name, t) for t in pinned.times.tolist()]).tobytes()


@pytest.mark.parametrize(
    ("equations", "target"),
    [
        (["o = softmax(W @ x[t])", "q = o @ x[t-1]", "E = cross_entropy(o, y[t]) + q"], [0.0, 2.0, 1.0, 0.0, 2.0]),
        (["o = sigmoid(W @ x[t])", "E = binary_cross_entropy(o, y[t])"], np.eye(5)[:, :3]),
        (["E = cross_entropy(softmax(W @ x[t-1] + x[t]), y[t])"], np.full((5, 3), 1 / 3)),
    ],
)
@pytest.mark.parametrize("loss_at", ["every", "last", [0, 3]])
def test_gradients_of_inputs_through_a_fused_loss(equations: list[str], target, loss_at) -> None:
    """o − y is computed in one piece, and beside it what else reads o; at some timesteps there is no loss."""
    rng = np.random.default_rng(3)
    trace = Network(equations, loss_at=loss_at).trace(
        parameters={"W": rng.normal(size=(3, 3))}, inputs={"x": rng.normal(size=(5, 3)), "y": target},
        initial={"x": np.ones(3)},
    )  # fmt: skip
    one_by_one = np.stack([trace.adjoint("x", t) for t in range(5)])
    assert trace.program.fused and trace.given_adjoints("x").tobytes() == one_by_one.tobytes()
