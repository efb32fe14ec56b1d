"""Separate knobs: every use nudged alone moves the loss by its contribution."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.networks import random_case

from bptt_tui.derivation.knobs import Knobs, largest_entry
from bptt_tui.errors import NetworkError
from bptt_tui.session import load


def test_the_knobs_of_the_question():
    """u₀ and u₁, turned one at a time, give the two terms of the question."""
    knobs = Knobs(load("question").trace(), "u")
    early, late = knobs.at(0), knobs.at(1)
    assert (early.slope, late.slope) == pytest.approx((-0.2316324753, 1.0623088928), abs=1e-8)
    assert (early.contribution, late.contribution) == pytest.approx((-0.2316324753, 1.0623088928), abs=1e-9)
    assert (early.status, late.status) == ("agrees", "agrees")
    assert late.up == pytest.approx(late.loss + late.step * late.slope, abs=1e-10)
    assert late.slope == (late.up - late.down) / (2 * late.step)


@pytest.mark.parametrize("seed", range(40))
def test_no_knob_of_a_random_network_differs_from_its_contribution(seed):
    """Delays, shared parameters, arrays, kinks: agreeing, or below the noise of a difference, or at a kink."""
    with np.errstate(all="ignore"):
        trace = random_case(seed).trace()
        found = [Knobs(trace, name).at(t) for name in trace.terms for t in trace.uses(name)]
    assert [knob for knob in found if knob.status == "differs"] == []


def test_most_knobs_of_random_networks_can_be_compared():
    """The check above is not empty: nearly all knobs that do something agree."""
    agree, live = 0, 0
    with np.errstate(all="ignore"):
        for seed in range(20):
            trace = random_case(seed).trace()
            found = [Knobs(trace, name).at(t) for name in trace.terms for t in trace.uses(name)]
            live += sum(abs(knob.contribution) > 1e-4 for knob in found)
            agree += sum(knob.status == "agrees" for knob in found if abs(knob.contribution) > 1e-4)
    assert live > 150
    assert agree > 0.97 * live


def test_a_wrong_contribution_differs(monkeypatch):
    """Planted: a thousandth too large, the wrong sign, the neighbour's."""
    trace = load("question").trace()
    real = type(trace).contribution
    for plant in (
        lambda self, p, t: real(self, p, t) * 1.001,
        lambda self, p, t: -real(self, p, t),
        lambda self, p, t: real(self, p, 1 - t),
    ):
        monkeypatch.setattr(type(trace), "contribution", plant)
        assert Knobs(trace, "w").at(0).status == "differs"


def test_of_an_array_the_entry_with_the_largest_gradient_is_turned():
    """Or any other that is named."""
    trace = load("vectors").trace()
    entry = largest_entry(trace, "W")
    assert abs(trace.gradient["W"][entry]) == np.abs(trace.gradient["W"]).max()
    assert Knobs(trace, "W").at(1).entry == entry
    other = Knobs(trace, "W", (0, 2)).at(1)
    assert other.contribution == trace.contribution("W", 1)[0, 2]
    assert other.status == "agrees"


def test_what_is_no_knob_is_refused():
    """A node, an entry that is not there, a timestep without a use."""
    trace = load("question").trace()
    with pytest.raises(NetworkError, match="s is not a parameter"):
        Knobs(trace, "s")
    with pytest.raises(NetworkError, match="no entry of v"):
        Knobs(trace, "v", (2,))
    with pytest.raises(NetworkError, match="v is not used at t = 0"):
        Knobs(trace, "v").at(0)
