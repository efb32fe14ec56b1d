"""Every place that a verdict names is one that `goto` finds."""

from __future__ import annotations

import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import load

FORMULAS = [
    ("question", "ds1/ds0 = w"),
    ("question", "dE/dw = dE/do * do/dq * v * ds1/dz1 * (s0 + ds0/dz0*s[-1])"),
    ("question", "dE/dw = dE/do * do/dq * v * ds0/dz0 * (s1 + w*ds0/dz0*s[-1])"),
    ("question", "dE/do = y/o"),
    ("question", "dE/ds[-1] = dE/ds0 * w"),
    ("vectors", "dE/dU = sum_t x_t * dE/dz_t"),
    ("many-to-many", "dE/dw = dE_2/dw + dE_1/dw"),
    ("many-to-many", "dE/ds_1 = dE_2/ds_2 * ds_2/ds_1"),
    ("min-char-rnn", "dloss/dWhh = sum_t (dloss/dh_t) h_{t-1}^T"),
    ("lstm", "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ (1 - f_t^2)) v_t^T"),
]


@pytest.mark.parametrize(("name", "formula"), FORMULAS)
def test_goto_takes_to_every_place_of_a_verdict(name: str, formula: str) -> None:
    """Of terms and of factors; a step of the backward pass each."""
    session = load(name)
    (member,) = judge(session, formula).members
    places = [term.place for term in member.terms]
    places += [factor.place for term in member.terms for factor in term.factors]
    places = [place for place in places if place]
    assert places or "E_2" in formula
    for place in places:
        debugger = Debugger(session)
        debugger.do(f"goto {place}")
        assert debugger.view.phase == "backward", place
