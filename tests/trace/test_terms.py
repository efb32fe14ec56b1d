"""Contributions: summed in the order shown they are the total shown, bit for bit, in memory or in blocks."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.networks import random_case

from bptt_tui.errors import NetworkError
from bptt_tui.trace import Network, terms


@pytest.mark.parametrize("seed", range(150))
def test_contributions_added_last_to_first_are_the_gradient(seed):
    """The numbers of the contributions pane, added in the order they appear, equal the total to the last bit."""
    trace = random_case(seed).trace()
    for name, total in trace.gradient.items():
        uses = list(trace.uses(name))
        added = None
        for count, t in enumerate(reversed(uses), 1):
            term = trace.contribution(name, t)
            added = term if added is None else added + term
            assert np.array_equal(added, trace.terms[name].running(count))
        if uses:
            assert np.array_equal(added, total)


def long_network(steps: int, n: int):
    rng = np.random.default_rng(3)
    network = Network(
        ["h = tanh(W @ h[t-1] + U @ x[t] + b)", "o = softmax(V @ h + W @ h)", "E = cross_entropy(o, y)"],
        loss_at="every",
    )
    return network.trace(
        parameters={
            "W": rng.normal(size=(n, n)) / n**0.5,
            "U": rng.normal(size=(n, 3)),
            "V": rng.normal(size=(n, n)),
            "b": rng.normal(size=n),
        },
        inputs={"x": rng.normal(size=(steps, 3)), "y": rng.integers(0, n, size=steps)},
        initial={"h": np.zeros(n)},
    )


@pytest.fixture(scope="module")
def blocks():
    """A 20 × 20 matrix over 600 timesteps: too many numbers to hold every term."""
    return long_network(600, 20)


def test_a_large_matrix_is_summed_in_blocks(blocks):
    """The block form is the one under test here."""
    assert not blocks.terms["W"]._dense
    assert blocks.terms["b"]._dense


@pytest.mark.parametrize("name", ["W", "U", "V", "b"])
def test_the_last_running_sum_is_the_gradient(blocks, name):
    """Whatever the form of the sum, nothing is left between the last running sum and the total."""
    assert np.array_equal(blocks.terms[name].running(600), blocks.gradient[name])


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 511, 512, 513, 599])
@pytest.mark.parametrize("name", ["W", "U", "V", "b"])
def test_running_sums_are_the_sums_of_the_terms(blocks, name, count):
    """At and around the edges of a block, to rounding."""
    late = [blocks.contribution(name, t) for t in range(600 - count, 600)]
    scale = np.sum(np.abs(late), axis=0)
    assert np.all(np.abs(blocks.terms[name].running(count) - np.sum(late, axis=0)) <= 1e-13 * scale)


def test_blocks_and_single_terms_agree(monkeypatch):
    """The same network summed both ways."""
    dense = long_network(300, 4)
    monkeypatch.setattr(terms, "SMALL", 0)
    blocked = long_network(300, 4)
    for name in dense.gradient:
        assert dense.terms[name]._dense
        assert not blocked.terms[name]._dense
        np.testing.assert_allclose(blocked.gradient[name], dense.gradient[name], rtol=1e-11, atol=1e-14)
        assert np.array_equal(blocked.terms[name].running(300), blocked.gradient[name])


@pytest.mark.parametrize("seed", range(60))
def test_norms_are_the_norms_of_the_contributions(seed):
    """‖∂E/∂p_t‖ for every use, without making every term."""
    trace = random_case(seed).trace()
    for name in trace.gradient:
        want = [np.linalg.norm(trace.contribution(name, t)) for t in trace.uses(name)]
        np.testing.assert_allclose(trace.terms[name].norms(), want, rtol=1e-12, atol=1e-300)


def test_norms_of_a_large_matrix(blocks):
    """The same where terms are outer products."""
    for name in ("W", "U", "V"):
        want = [np.linalg.norm(blocks.contribution(name, t)) for t in range(600)]
        np.testing.assert_allclose(blocks.terms[name].norms(), want, rtol=1e-12)


def test_a_use_that_does_not_exist_is_named(blocks):
    """Asking for a term outside the uses says where they lie."""
    with pytest.raises(NetworkError, match="W is not used at t = 600; its uses lie between t = 0 and t = 599"):
        blocks.contribution("W", 600)


def test_what_is_not_a_parameter_is_named(blocks):
    """Asking for the contribution of a node lists the parameters."""
    with pytest.raises(NetworkError, match="h is not a parameter; the parameters are W, U, V, b"):
        blocks.contribution("h", 0)
