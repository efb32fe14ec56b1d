"""∂⁺s_t/∂p and ∂s_t/∂p: against complex steps of the network itself, and against the sweep backward."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.evaluate import H, leaves_of, node_values
from oracles.networks import random_case

from bptt_tui.derivation import buildup
from bptt_tui.derivation.buildup import BuildUp
from bptt_tui.errors import NetworkError
from bptt_tui.session import load
from bptt_tui.trace import Network


def nudged(case, name, index, times):
    """∂(every node)/∂p[index] by a complex step of the uses at `times`."""
    leaves = leaves_of(case)
    for t in times:
        shifted = np.array(leaves["use", name, t], dtype=complex)
        shifted[index] += 1j * H
        leaves["use", name, t] = shifted
    return {place: np.reshape(np.imag(value), -1) / H for place, value in node_values(case, leaves).items()}


def faults(case, most=3):
    """Where immediate and total partials of a case's nodes disagree with complex steps."""
    found = []
    with np.errstate(all="ignore"):
        trace = case.trace()
        rng = np.random.default_rng(len(case.nodes))
        names = list(case.parameters)
        for number in rng.permutation(len(names))[:most]:
            name = names[number]
            index = tuple(n // 2 for n in np.shape(case.parameters[name]))
            column = int(np.ravel_multi_index(index, np.shape(case.parameters[name]))) if index else 0
            totals = nudged(case, name, index, case.uses[name])
            alone = {t: nudged(case, name, index, [t]) for t in case.uses[name]}
            for node in case.parsed:
                built = BuildUp(trace, node, name)
                for t in built.times:
                    stage = built.at(t)
                    summed = stage.immediate + sum(part.product for part in stage.carried)
                    here = alone[t][node, t] if t in alone else np.zeros(len(stage.total))
                    size = 1e-11 * (
                        1 + np.abs(stage.immediate).max() + sum(np.abs(p.product).max() for p in stage.carried)
                    )
                    if np.abs(stage.immediate[:, column] - here).max() > size:
                        found.append(("immediate", node, t, name))
                    if np.abs(stage.total[:, column] - totals[node, t]).max() > size:
                        found.append(("total", node, t, name))
                    if np.abs(summed - stage.total).max() > size:
                        found.append(("sum", node, t, name))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_build_up_what_complex_steps_say(seed):
    """Immediate: the use at t nudged alone. Total: all uses nudged together. Delays up to 3, several states, arrays."""
    assert faults(random_case(seed)) == []


def test_the_question_written_out():
    """∂s₁/∂w = (1 − s₁²)·s₀ + (1 − s₁²)·w · ∂s₀/∂w."""
    trace = load("question").trace()
    s0, s1 = float(trace.value("s", 0)), float(trace.value("s", 1))
    stage = BuildUp(trace, "s", "w").at(1)
    assert stage.immediate.item() == pytest.approx((1 - s1**2) * s0, rel=1e-12)
    (carried,) = stage.carried
    assert (carried.name, carried.t) == ("s", 0)
    assert carried.through.item() == pytest.approx((1 - s1**2) * 0.6, rel=1e-12)
    assert carried.total.item() == pytest.approx((1 - s0**2) * 0.3, rel=1e-12)
    assert stage.total.item() == pytest.approx(stage.immediate.item() + carried.product.item(), rel=1e-15)


def test_every_state_and_every_delay_is_one_part():
    """h reads c of its own timestep, which reads both states before; and h two timesteps back."""
    network = Network(["c = c[t-1] * 0.5 + u * h[t-1]", "h = tanh(c + 0.3 * h[t-2])", "E = h * h"])
    trace = network.trace(parameters={"u": 0.7}, initial={"c": 0.1, "h": [0.3, 0.4]}, steps=4)
    stage = BuildUp(trace, "h", "u").at(3)
    assert {(part.name, part.t) for part in stage.carried} == {("c", 2), ("h", 2), ("h", 1)}


def test_the_loss_built_up_forward_is_the_gradient_swept_backward():
    """∂E_t/∂p of every loss step, forward in time, sums to the gradient."""
    for name in ("many-to-many", "lstm", "min-char-rnn"):
        trace = load(name).trace()
        for parameter, gradient in trace.gradient.items():
            built = BuildUp(trace, trace.unrolled.network.loss_name, parameter)
            total = sum(built.at(t).total for t in trace.unrolled.loss_times)
            np.testing.assert_allclose(total.reshape(gradient.shape), gradient, rtol=1e-10, atol=1e-12)


def test_a_pinned_node_brings_nothing_along():
    """It depends on nothing; what reads it has one part fewer."""
    session = load("question").replace(pins={"s[0]": 0.1})
    stage = BuildUp(session.trace(), "s", "w").at(1)
    assert stage.carried == ()
    assert stage.total == stage.immediate
    with pytest.raises(NetworkError, match="s is not computed at t = 0"):
        BuildUp(session.trace(), "s", "w").at(0)


def test_a_fault_is_found(monkeypatch):
    """Planted: a carried part left out; the delay one timestep off; the slope of the recurrence forgotten."""
    cases = [random_case(seed) for seed in (2, 5, 9)]
    assert not any(faults(case) for case in cases)
    real = buildup.BuildUp._carried
    for plant in (
        lambda self, place, through: real(self, place, through * 0),
        lambda self, place, through: real(self, place, through * 1.001),
        lambda self, place, through: real(self, place, np.sign(through)),
    ):
        monkeypatch.setattr(buildup.BuildUp, "_carried", plant)
        assert any(faults(case) for case in cases)


def test_what_is_no_node_or_too_large_is_refused(monkeypatch):
    """With the estimate, before anything is computed."""
    trace = load("question").trace()
    with pytest.raises(NetworkError, match="there is no node w"):
        BuildUp(trace, "w", "w")
    with pytest.raises(NetworkError, match="s is not a parameter"):
        BuildUp(trace, "s", "s")
    monkeypatch.setattr(buildup, "LARGEST", 3)
    with pytest.raises(NetworkError, match="∂s/∂w would take"):
        BuildUp(trace, "s", "w")
