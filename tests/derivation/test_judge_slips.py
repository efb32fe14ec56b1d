"""Every slip of the table is told by its name, in a formula that shows it."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.slips import SLIPS
from bptt_tui.session import Session, load

HEAD = "dE/do * do/dq * v * ds1/dz1"
DEEP = "ds1/dz1 * w * ds0/dz0 * s[-1]"
SHOWN: dict[str, tuple[str, str]] = {
    "slope missing": ("question", "ds1/ds0 = w"),
    "slopes missing": ("min-char-rnn", "dh_3/dh_0 = Whh^3"),
    "weights missing": ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(1 - h_t^2)"),
    "one step for all": ("min-char-rnn", "dh_3/dh_0 = (diag(1 - h_3^2) Whh)^3"),
    "steps shifted": ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(1 - h_{t-1}^2) Whh"),
    "steps transposed": ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(1 - h_t^2) Whh^T"),
    "steps turned": ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} Whh diag(1 - h_t^2)"),
    "steps bare": ("min-char-rnn", "dh_3/dh_0 = (Whh^T)^3"),
    "power": ("vanishing", "ds_3/ds_0 = w^4 (1 - s_1^2) (1 - s_2^2) (1 - s_3^2)"),
    "weight missing": ("question", f"dE/dw = {HEAD} * (s0 + ds0/dz0*s[-1])"),
    "factor missing": ("question", f"dE/dw_0 = {HEAD} * w * ds0/dz0"),
    "factors missing": ("question", "dE/dw_0 = dE/do * do/dq * v * w * ds0/dz0"),
    "factor extra": ("question", f"dE/dw_0 = {HEAD} * w * ds0/dz0 * s[-1] * x1"),
    "factors extra": ("question", f"dE/dw_1 = {HEAD} * s0 * x1 * w"),
    "factor doubled": ("question", f"dE/dw_0 = {HEAD} * ds1/dz1 * w * ds0/dz0 * s[-1]"),
    "factor wrong": ("question", f"dE/dw_0 = {HEAD} * u * ds0/dz0 * s[-1]"),
    "other timestep": ("question", "dE/dw_0 = dE/do * do/dq * v * ds0/dz0 * w * ds0/dz0 * s[-1]"),
    "index off by one": ("question", f"dE/dw = {HEAD} * (s1 + w*ds0/dz0*s0)"),
    "sign": ("question", "ds1/ds0 = -w*(1 - s1^2)"),
    "loss sign": ("question", "dE/ds1 = y/o^T * do/dq * v"),
    "transposed": ("vectors", "dE/ds_1 = W * dE/db_2"),
    "order": ("vectors", "ds_2/ds_1 = W diag(1 - s_2^2)"),
    "outer product turned": ("vectors", "dE/dW = sum_t s_{t-1} dE/dz_t"),
    "elementwise": ("vectors", "ds_2/ds_1 = diag(1 - s_2^2) ⊙ W"),
    "softmax diagonal": ("question", "do/dq = diag(o)"),
    "softmax twice": ("question", "dE/ds1 = (o - y)^T * do/dq * v"),
    "slopes swapped": ("question", "ds1/dz1 = s1 * (1 - s1)"),
    "slope at z": ("question", "ds1/dz1 = 1 - z1^2"),
    "slope for value": ("question", "ds1/ds0 = s1 * w"),
    "bias": ("vectors", "dE/dk = sum_t dE/dz_t * s_t"),
    "doubled": ("question", "dE/dq = 2*(o - y)"),
    "mean for sum": ("many-to-many", "dE/dw = (1/3) * (sum_t dE/ds_t * (1 - s_t^2) * s_{t-1})"),
    "sum for mean": ("mean", "dE/dw = sum_t dE_t/dw"),
    "slope at s": ("lstm", "dE/dbo = sum_t dE/dh_t ⊙ tanh(c_t) ⊙ σ'(o_t)"),
    "diagonal": ("min-char-rnn", "dh_3/dh_2 = (1 - h_3^2) Whh"),
    "product of sums": ("two-layers", "dE/dv = (Σ_t (o_t - y_t)) (Σ_k h_k)"),
    "only the last step": ("question", f"dE/dw = {HEAD} * s0"),
    "only the deepest path": ("question", f"dE/dw = dE/do * do/dq * v * {DEEP}"),
    "initial state": ("many-to-many", "dE/dw = dE/dw_2 + dE/dw_1"),
    "term missing": ("many-to-many", "dE/dw = dE/dw_2 + dE/dw_0"),
    "path missing": ("many-to-many", "dE/ds_1 = dE_2/ds_2 * ds_2/ds_1"),
    "term extra": ("question", "dE/dw_1 = dE/ds1 * ds1/dz1 * s0 + dE/ds0 * ds0/dz0 * s0"),
    "use twice": ("question", "dE/dw = dE/dw_1 + dE/dw_1 + dE/dw_0"),
    "total for immediate": ("question", "dE/dw = sum_t dE/ds_t ∂⁺s_t/∂w = sum_t dE/ds_t ds_t/dw"),
    "immediate for total": ("many-to-many", "dE/dw = sum_t ∂E_t/∂s_t ∂⁺s_t/∂w"),
}


def session(name: str) -> Session:
    """A bundled session; "mean" is many-to-many with the mean of its losses."""
    if name != "mean":
        return load(name)
    found = load("many-to-many")
    return found.replace(loss=type(found.loss)(at="every", reduction="mean"), expected=None)


def test_the_table_is_shown_completely() -> None:
    """A slip without a formula that shows it is a sentence nobody has read."""
    assert set(SHOWN) == set(SLIPS)


@pytest.mark.parametrize("kind", SHOWN)
def test_the_slip_is_named(kind: str) -> None:
    """And nothing else is; the sentence has all its names."""
    name, formula = SHOWN[kind]
    member = judge(session(name), formula).members[-1]
    assert member.outcome in ("wrong", "shapes"), member.sentence
    assert {slip.kind for slip in member.slips} == {kind}, member.sentence
    assert "{" not in member.slips[0].sentence
    assert "  " not in member.slips[0].sentence
