"""Chains: every path, counted, listed and summed; their sum is the contribution."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from oracles.networks import random_case

from bptt_tui.derivation import chains as chains_module
from bptt_tui.derivation.chains import Chains, spelled
from bptt_tui.errors import NetworkError
from bptt_tui.session import load
from bptt_tui.trace import Network

MOST = 120


def places(case, trace, most):
    every = [(p, t) for p in trace.terms for t in trace.uses(p)]
    every += [place for place in case.nodes if place not in case.pins]
    rng = np.random.default_rng(len(every))
    return [every[i] for i in rng.permutation(len(every))[:most]]


def walked(case, trace, name, t):
    """The paths from a use or node up to the loss steps, by walking every one of them; None past MOST."""
    partials = Chains(trace, name, t)._partials
    found, waiting = 0, [(name, t)]
    nodes = set(case.nodes)
    while waiting:
        here = waiting.pop()
        found += here[0] == case.loss_name and here[1] in case.loss_times
        if found > MOST or len(waiting) > 5000:
            return None
        for target, moment in nodes:
            if (target, moment) in case.pins:
                continue
            for by in trace.unrolled.network.reads[trace.unrolled.network.index[target]]:
                equation = trace.unrolled.network.index[target]
                if (by.name, moment + (by.offset or 0)) == here and partials.flows(equation, by):
                    waiting.append((target, moment))
    return found


def faults(case, most=4):
    """Where counts, listings and sums disagree."""
    found = []
    with np.errstate(all="ignore"):
        trace = case.trace()
        for name, t in places(case, trace, most):
            chains = Chains(trace, name, t)
            want = trace.contribution(name, t) if chains.is_use else trace.adjoint(name, t)
            groups = list(chains.by_loss())
            total = sum((group.total for group in groups), np.zeros(chains.shape))
            if chains.count > MOST:
                if not np.allclose(total, want, rtol=1e-9, atol=1e-12):
                    found.append(("sum by loss step", name, t))
                continue
            listed = list(chains)
            products = [chains.product(chain) for chain in listed]
            size = max(sum((np.abs(p) for p in products), np.zeros(chains.shape)).max(), 1e-3)
            if not np.allclose(sum(products, np.zeros(chains.shape)), want, rtol=1e-9, atol=1e-12 * size):
                found.append(("sum", name, t))
            if len({chain.links for chain in listed}) != chains.count or walked(case, trace, name, t) != chains.count:
                found.append(("count", name, t))
            for group in groups:
                own = [p for chain, p in zip(listed, products, strict=True) if chain.loss == group.loss]
                if len(own) != group.chains or not np.allclose(sum(own), group.total, rtol=1e-9, atol=1e-12 * size):
                    found.append(("group", name, t))
    return found


@pytest.mark.parametrize("seed", range(50))
def test_the_chains_of_random_networks_sum_to_what_they_lead_to(seed):
    """Uses and nodes: listed, counted by dynamic programming and by walking, grouped by loss step."""
    assert faults(random_case(seed)) == []


def test_a_fault_is_found(monkeypatch):
    """Planted: the reads of the timestep before overlooked, a product too large, its sign."""
    cases = [random_case(seed) for seed in (1, 4, 6, 13)]
    assert not any(faults(case) for case in cases)
    flows, running = Chains._flows, Chains._running
    with monkeypatch.context() as patch:
        patch.setattr(Chains, "_flows", lambda self, e, by: flows(self, e, by) and by.offset != -1)
        assert any(faults(case) for case in cases)
    for plant in (
        lambda self, chain: (product * 1.001 for product in running(self, chain)),
        lambda self, chain: (-product for product in running(self, chain)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Chains, "_running", plant)
            assert any(faults(case) for case in cases)


def test_the_chain_of_the_question():
    """∂E/∂w₀: nine factors, with their formulas, shapes and running products."""
    trace = load("question").trace()
    chains = Chains(trace, "w", 0)
    assert chains.title() == "∂E/∂w₀"
    (chain,) = chains
    factors = chains.factors(chain)
    assert " · ".join(factor.title for factor in factors) == (
        "∂E/∂o · ∂o/∂q · ∂q/∂s₁ · ∂s₁/∂z₁ · ∂z₁/∂b₁ · ∂b₁/∂s₀ · ∂s₀/∂z₀ · ∂z₀/∂b₀ · ∂b₀/∂w₀"
    )
    assert [factor.shape for factor in factors[:3]] == [(1, 2), (2, 2), (2, 1)]
    assert factors[5].symbol == "w"
    assert factors[3].symbol == "1 − s₁²"
    product = np.eye(1)
    for factor in factors:
        product = product @ factor.value
        np.testing.assert_allclose(np.reshape(factor.running, -1), product.reshape(-1), rtol=1e-12, atol=1e-15)
    assert product.item() == pytest.approx(-0.1389794852, abs=1e-9)


def test_a_mean_is_a_factor_of_its_own():
    """1/3 from the total to each of three losses."""
    trace = Network(["s = tanh(w * s[t-1] + x[t])", "E = s * s"], loss_at="every", reduction="mean").trace(
        parameters={"w": 0.5}, inputs={"x": [0.1, 0.2, 0.3]}, initial={"s": 0.4}
    )
    chains = Chains(trace, "w", 1)
    assert chains.counts == {1: 1, 2: 1}
    first = chains.factors(chains.chain(0))[0]
    assert (first.title, first.symbol, first.value.item()) == ("∂E/∂E₁", "1/3", pytest.approx(1 / 3))


def test_a_number_of_chains_that_could_never_be_listed_is_exact():
    """s reads s[t-1] by two nodes: 2^T paths. Counted, and the last one found, at once."""
    network = Network(["a = w * s[t-1]", "b = tanh(s[t-1])", "s = a + b", "E = s * s"])
    trace = network.trace(parameters={"w": 0.4}, initial={"s": 0.5}, steps=300)
    chains = Chains(trace, "w", 0)
    assert chains.count == 2**299
    last = chains.chain(2**299 - 1)
    assert len(last.links) == 2 * 299 + 3
    assert last.links != chains.chain(2**299 - 2).links
    assert spelled(chains.count) == "1.02·10^90"
    with pytest.raises(NetworkError, match=r"there are 1\.02·10\^90"):
        chains.chain(2**299)


def test_paging_starts_anywhere():
    """Number 10 of a loss step's chains is the eleventh of the listing."""
    trace = load("lstm").trace()
    parameter = next(iter(trace.terms))
    chains = Chains(trace, parameter, 0)
    (loss,) = chains.counts
    page = list(itertools.islice(chains.through(loss, 10), 3))
    assert page == list(itertools.islice(chains, 10, 13))
    assert [chain.number for chain in page] == [10, 11, 12]


@pytest.mark.parametrize(
    "output",
    [
        ["q = v * s", "o = softmax(q)", "E = cross_entropy(o, y)"],
        ["o = softmax(v * s)", "E = cross_entropy(o, y)"],
        ["E = cross_entropy(softmax(v * s), y)"],
    ],
)
def test_a_chain_through_a_saturated_softmax_is_finite(output):
    """−y/o is infinite at a logit gap of 1600; with diag(o) − ooᵀ it is o − y, however the equations are cut."""
    trace = Network(["s = w * s[t-1] + x[t]", *output]).trace(
        parameters={"w": 0.5, "v": [800.0, -800.0]}, inputs={"x": [1.0, 1.0]}, initial={"s": 0.0}, constants={"y": 1}
    )
    chains = Chains(trace, "w", 1)
    (chain,) = chains
    assert np.isfinite(trace.contribution("w", 1))
    assert chains.product(chain) == pytest.approx(trace.contribution("w", 1), rel=1e-12)


def test_a_softmax_that_is_its_own_target_too_is_not_fused():
    """The loss then reads it twice, and the edge between them is the sum of both."""
    network = Network(["s = w * s[t-1] + x[t]", "o = sigmoid(s)", "E = binary_cross_entropy(o, o)"])
    trace = network.trace(parameters={"w": 0.5}, inputs={"x": [1.0, 0.3]}, initial={"s": 0.2})
    chains = Chains(trace, "w", 1)
    (chain,) = chains
    assert chains.product(chain) == pytest.approx(trace.contribution("w", 1), rel=1e-12)


def test_counts_are_spelled():
    """In digits as far as they can be read, then by their size."""
    assert [spelled(count) for count in (1, 12345, 10**20)] == ["1", "12 345", "100 000 000 000 000 000 000"]
    assert spelled(2**100_000) == "9.99·10^30102"


def test_what_has_no_chains_is_refused(monkeypatch):
    """Not used, not there; and single chains over too many timesteps."""
    trace = load("question").trace()
    with pytest.raises(NetworkError, match="v is not used at t = 0"):
        Chains(trace, "v", 0)
    with pytest.raises(NetworkError, match="does not exist"):
        Chains(trace, "q", 0)
    with pytest.raises(NetworkError, match="x is no node"):
        Chains(trace, "x", 0)
    monkeypatch.setattr(chains_module, "FARTHEST", 0)
    with pytest.raises(NetworkError, match="single chains over at most 0 timesteps"):
        Chains(trace, "w", 0).chain(0)
