"""Pinned nodes: given a value, cut off from what their equation reads, everything after them computed anew."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from oracles.judge import faults
from oracles.networks import QUESTION, pinned_case, random_case

from bptt_tui.errors import BpttError
from bptt_tui.trace import Network


@pytest.mark.parametrize("seed", range(200))
def test_a_network_with_pins_agrees_with_every_oracle(seed: int) -> None:
    """Loss, contributions, gradient, every adjoint (of pinned nodes too), and which nodes and uses there are."""
    assert faults(pinned_case(seed), entries=3) == []


@pytest.mark.parametrize("seed", range(1_000_000, 1_000_015))
def test_a_long_network_with_pins_agrees_with_every_oracle(seed: int) -> None:
    """The same with T up to 30."""
    assert faults(pinned_case(seed, 30), entries=3) == []


@pytest.mark.parametrize("seed", range(60))
def test_a_node_pinned_at_its_own_value_changes_no_value_after_it(seed: int) -> None:
    """The loss stays, and ∂E/∂node; only the way back into the node is cut."""
    case = random_case(seed)
    trace = case.trace()
    rng = np.random.default_rng(seed)
    name, t = case.nodes[int(rng.integers(len(case.nodes)))]
    if name == case.loss_name:
        return
    held = dataclasses.replace(case, pins={(name, t): trace.value(name, t)}).trace()
    assert held.loss == pytest.approx(trace.loss, rel=1e-12)
    np.testing.assert_allclose(held.adjoint(name, t), trace.adjoint(name, t), rtol=1e-9, atol=1e-12)


def test_a_pinned_state_cuts_the_chain_to_everything_before_it() -> None:
    """s₀ pinned in the question: u₀ and w₀ are no uses any more, w₁ reads the pinned value; by hand."""
    trace = dataclasses.replace(QUESTION, pins={("s", 0): 0.1}).trace()
    s1 = np.tanh(0.8 * -1.0 + 0.6 * 0.1)
    logits = np.array([1.2, -0.7]) * s1
    o = np.exp(logits) / np.exp(logits).sum()
    by_z1 = (o - np.array([1, 0])) @ np.array([1.2, -0.7]) * (1 - s1**2)
    assert trace.loss == pytest.approx(-np.log(o[0]), rel=1e-14)
    assert list(trace.uses("u")) == list(trace.uses("w")) == [1]
    assert trace.gradient["w"] == pytest.approx(by_z1 * 0.1, rel=1e-13)
    assert trace.gradient["u"] == pytest.approx(by_z1 * -1.0, rel=1e-13)
    assert trace.adjoint("s", 0) == pytest.approx(by_z1 * 0.6, rel=1e-13)
    assert trace.value("s", 0) == 0.1
    assert trace.norms("s")[0] == abs(trace.adjoint("s", 0))
    assert trace.exists("s", 0) and not any(trace.exists(name, 0) for name in "abz")


def test_a_pin_behind_a_pin_is_out_of_reach() -> None:
    """s₁ pinned: s₀ feeds nothing, pinned or not, and every parameter before it has no use."""
    trace = dataclasses.replace(QUESTION, pins={("s", 0): 0.1, ("s", 1): -0.2}).trace()
    assert trace.exists("s", 1) and not trace.exists("s", 0)
    assert list(trace.uses("w")) == [] and trace.gradient["w"] == 0.0
    assert trace.gradient["v"].shape == (2,)


def test_a_pinned_softmax_is_read_as_it_is() -> None:
    """o pinned: E = −log o_y from the pinned probabilities; ∂E/∂o = −1/o_y, and nothing behind it."""
    trace = dataclasses.replace(QUESTION, pins={("o", 1): [0.25, 0.75]}).trace()
    assert trace.loss == pytest.approx(-np.log(0.25), rel=1e-15)
    np.testing.assert_allclose(trace.adjoint("o", 1), [-4.0, 0.0])
    assert not trace.gradient["v"].any() and list(trace.uses("v")) == []


def test_numbers_that_overflow_behind_a_pin_do_no_harm() -> None:
    """What is cut off is not computed: no ∞·0 comes through."""
    given = {"parameters": {"w": 800.0}, "initial": {"s": 1.0}, "steps": 3}
    network = Network(["z = exp(w * s[t-1])", "s = z * z", "E = w * s"])
    assert not np.isfinite(network.trace(**given).gradient["w"])
    assert network.trace(**given, pins={"s[2]": 0.5}).gradient["w"] == 0.5


def test_a_long_sequence_with_pins_is_laid_out_at_once() -> None:
    """T = 20 000 with a pin in the middle: the gradient is that of the second half."""
    x = np.sin(np.arange(20_000.0))
    network = Network(["s = tanh(w * s[t-1] + x[t])", "E = squared_error(s, y)"])
    given = {"parameters": {"w": 0.9}, "constants": {"y": 0.5}}
    held = network.trace(**given, inputs={"x": x}, initial={"s": 0.0}, pins={"s[9999]": 0.25})
    half = network.trace(**given, inputs={"x": x[10_000:]}, initial={"s": 0.25})
    assert held.loss == half.loss
    assert held.gradient["w"] == pytest.approx(half.gradient["w"], rel=1e-12)
    assert next(iter(held.uses("w"))) == 10_000


@pytest.mark.parametrize("seed", range(20))
def test_nudging_every_use_verifies_a_network_with_pins(seed: int) -> None:
    """`verify` knows of pins too."""
    report = pinned_case(seed).trace().verify(budget=200)
    assert not report.failing


@pytest.mark.parametrize(
    ("pins", "said"),
    [
        ({"s": 0.1}, "pins[\"s\"]: 's' is not a node at a timestep; write it as s[0]"),
        ({"s[-1]": 0.1}, "pins[\"s[-1]\"]: 's[-1]' is not a node at a timestep; write it as s[0]"),
        ({"s[00]": 0.1}, "pins[\"s[00]\"]: 's[00]' is not a node at a timestep; write it as s[0]"),
        ({"r[0]": 0.1}, 'pins["r[0]"]: there is no node r; the nodes are a, b, z, s, q, o, E'),
        ({"x[0]": 0.1}, 'pins["x[0]"]: there is no node x; the nodes are a, b, z, s, q, o, E'),
        ({"E[1]": 0.1}, 'pins["E[1]"]: E is the loss, and gradients are of it; pin a node that it reads'),
        ({"s[2]": 0.1}, 'pins["s[2]"]: there is no timestep 2; the timesteps are 0 … 1'),
        ({"q[0]": [0, 1]}, 'pins["q[0]"]: q[0] does not exist: the loss does not depend on it'),
        ({"s[0]": [1, 2]}, 'pins["s[0]"]: shape (2,), but s is a scalar; give the pinned value that shape'),
        ({"s[0]": "a"}, 'pins["s[0]"]: not a number; give a number or nested lists of numbers'),
        ({"s[0]": float("nan")}, 'pins["s[0]"]: not finite; nan and inf cannot be given as values'),
    ],
)  # fmt: skip
def test_a_pin_that_cannot_be_is_refused(pins: dict[str, object], said: str) -> None:
    """The place, the reason, and what would be right."""
    network = Network(QUESTION.equations)
    with pytest.raises(BpttError) as caught:
        network.trace(QUESTION.parameters, QUESTION.inputs, QUESTION.initial, QUESTION.constants, pins=pins)
    assert str(caught.value) == said
