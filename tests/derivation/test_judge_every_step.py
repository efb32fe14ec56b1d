"""One slip at every step of a chain, ways left out beside a slip, powers of matrices and numbers, Π in both orders."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

SLOPES = "the slopes diag(1 − h₃²), diag(1 − h₂²) and diag(1 − h₁²) are missing"


@pytest.mark.parametrize(
    ("session", "formula", "said"),
    [
        ("min-char-rnn", "dh_3/dh_0 = Whh^3", f"{SLOPES}: every step from h₃ to h₀"),
        ("min-char-rnn", "dloss_3/dh_0 = dloss_3/dh_3 Whh^3", f"{SLOPES}: every step from h₃ to h₀"),
        ("min-char-rnn", "dloss_3/dh_0 = (Whh^T)^3 dloss_3/dh_3", f"{SLOPES}: every step from h₃ to h₀"),
        ("min-char-rnn", "dh_3/dh_0 = (Whh^T)^3", f"{SLOPES}, and the weight should be transposed"),
        ("min-char-rnn", "dh_3/dh_0 = diag(1-h_3^2) Whh^3", "diag(1 − h₂²) and diag(1 − h₁²) are missing"),
        ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(1 - h_t^2)", "∂h₃/∂h₂ = diag(1 − h₃²)·Whh"),
        ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(h_t(1-h_t)) Whh", "the slope of sigmoid, but h₃ = tanh"),
        ("min-char-rnn", "dh_3/dh_0 = prod_{t=1}^{3} diag(1-h_{t-1}^2) Whh", "of the timestep before it"),
        ("vanishing", "ds_3/ds_0 = w^3", "1 − s₃², ∂s₂/∂z₂ = 1 − s₂² and ∂s₁/∂z₁ = 1 − s₁² are missing"),
        ("vanishing", "ds_3/ds_0 = (w (1 - s_3^2))^3", "the steps from s₃ to s₀ are not alike"),
        ("vanishing", "ds_59/ds_0 = w^59", "every step from s₅₉ to s₀ has a slope of its own"),
        ("vanishing", "ds_{t+5}/ds_t = w^5", "every step from"),
    ],
)
def test_one_slip_at_every_step(session: str, formula: str, said: str) -> None:
    verdict = judge(load(session), formula)
    assert verdict.outcome == "wrong"
    assert said in verdict.sentence


def test_the_slopes_named_as_missing_make_it_right() -> None:
    """And what they make is the derivative that finite differences give."""
    session = load("min-char-rnn")
    chain = "diag(1-h_3^2) Whh diag(1-h_2^2) Whh diag(1-h_1^2) Whh"
    assert judge(session, f"dh_3/dh_0 = {chain}").holds
    trace = session.trace()
    whh = np.asarray(session.parameters["Whh"])
    due = np.eye(8)
    for t in (3, 2, 1):
        due = due @ np.diag(1 - trace.value("h", t) ** 2) @ whh
    step = 1e-6
    for entry in range(8):
        ends = []
        for sign in (1, -1):
            h0 = trace.value("h", 0).copy()
            h0[entry] += sign * step
            ends.append(session.replace(pins={"h[0]": h0.tolist()}, expected=None).trace().value("h", 3))
        assert np.allclose((ends[0] - ends[1]) / (2 * step), due[:, entry], atol=1e-8)


@pytest.mark.parametrize(
    ("session", "formula", "parts"),
    [
        (
            "gru",
            "dE/dh_3 = dE/dh_4 ⊙ (1 - z_4)",
            ("1 − z₄ stands where ∂h₄/∂h₃ = diag(z₄) belongs", "the paths through n₄ and v₄ are missing"),
        ),
        (
            "gru",
            "dh_4/dh_3 = diag(1 - z_4)",
            ("diag(1 − z₄) stands where ∂h₄/∂h₃ = diag(z₄)", "the paths through n₄ and v₄ are missing"),
        ),
        (
            "min-char-rnn",
            "dloss/dh_0 = dloss/dh_3 Whh^3",
            (SLOPES, "the paths through loss₀, loss₁ and loss₂ are missing"),
        ),
    ],
)
def test_ways_left_out_beside_a_slip(session: str, formula: str, parts: tuple[str, ...]) -> None:
    """Both are told: which ways are missing, and what is wrong with the one that is there."""
    verdict = judge(load(session), formula)
    assert verdict.outcome == "wrong"
    for part in parts:
        assert part in verdict.sentence
    assert "path missing" in {slip.kind for slip in verdict.members[0].slips}


@pytest.mark.parametrize(
    ("session", "formula", "through"),
    [
        ("gru", "dE/dh_2 = dE/dh_4 ⊙ z_4 ⊙ z_3", "n₄, v₄, n₃ and v₃"),
        ("gru", "dh_4/dh_2 = diag(z_4) diag(z_3)", "n₄, v₄, n₃ and v₃"),
        ("lstm", "dE/dc_2 = dE/dc_4 ⊙ f_4 ⊙ f_3", "v₄ and v₃"),
        ("lstm", "dE/dc_0 = dE/dc_4 ⊙ prod_{t=1}^{4} f_t", "v₄, v₃, v₂ and v₁"),
    ],
)
def test_ways_left_out_at_every_step(session: str, formula: str, through: str) -> None:
    verdict = judge(load(session), formula)
    assert verdict.sentence == f"wrong: the paths through {through} are missing"


def test_the_order_of_a_product_over_time_is_that_of_its_layout() -> None:
    """Jacobians are multiplied with the latest leftmost, transposed ones with the earliest: Π does not say."""
    session = load("min-char-rnn")
    assert judge(session, "dh_t/dh_k = prod_{i=k+1}^{t} diag(1-h_i^2) Whh").holds
    assert judge(session, "dh_t/dh_k = prod_{i=k+1}^{t} Whh^T diag(1-h_i^2)").holds
    assert judge(session, "dh_3/dh_1 = Whh^T diag(1-h_2^2) Whh^T diag(1-h_3^2)").holds
    assert not judge(session, "dh_3/dh_1 = Whh^T diag(1-h_3^2) Whh^T diag(1-h_2^2)").holds


def _linear() -> Session:
    return load("lesson-sum")


@pytest.mark.parametrize(
    ("formula", "right"),
    [
        ("ds_t/ds_k = w^{t-k}", True),
        ("ds_2/dw = sum_{k=0}^{2} w^{2-k} s_{k-1}", True),
        (r"\frac{\partial s_2}{\partial w} = \sum_{k=0}^{2} w^{2-k} s_{k-1}", True),
        ("ds_2/ds_0 = w^{T-1}", True),
        ("dE/dw = (s_2 - y) sum_{k=0}^{T-1} w^{T-1-k} s_{k-1}", True),
        ("ds_t/ds_k = w^{t-k+1}", False),
        ("ds_2/ds_0 = w^T", False),
    ],
)
def test_a_timestep_in_an_exponent_is_its_number(formula: str, right: bool) -> None:
    assert judge(_linear(), formula).holds is right


def test_a_timestep_stands_for_a_number_also_beside_factors() -> None:
    """∂(w^n)/∂w = n wⁿ⁻¹: of s₂ with the inputs 0, the sum of equal terms."""
    session = _linear().replace(inputs={"x": [0.0, 0.0, 0.0]}, expected=None)
    verdict = judge(session, "ds_2/dw = T w^{T-1} s_{-1}")
    assert verdict.outcome == "coincidence"
    assert judge(session, "ds_2/dw = 2 w^{T-1} s_{-1}").outcome == "wrong"
