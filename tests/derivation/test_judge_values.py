"""Left sides that are values of the network, s_1 = tanh(z_1): judged like a partial is."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import load


@pytest.mark.parametrize(
    ("session", "formula"),
    [
        ("question", "s_1 = tanh(u x_1 + w s_0)"),
        ("question", "s_t = tanh(u x_t + w s_{t-1})"),
        ("question", "s_0 = 0.5227"),
        ("question", "o = [0.2978, 0.7022]"),
        ("question", "E = cross_entropy(o, y) = 1.21118"),
        ("many-to-many", "E = sum_t E_t"),
        ("many-to-many", "E_t = -log(o_t[y_t])"),
        ("lstm", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t"),
        ("lstm", "v_3 = [h_2, x_3]"),
        ("lstm", "f_3 = σ(Wf [h_2; x_3] + bf)"),
        ("lstm", "dE/dWf = sum_t (dE/df_t ⊙ f_t ⊙ (1-f_t)) [h_{t-1}, x_t]^T"),
    ],
)
def test_a_right_value_is_right(session: str, formula: str) -> None:
    verdict = judge(load(session), formula)
    assert verdict.holds, verdict.sentence


@pytest.mark.parametrize(
    ("session", "formula", "said"),
    [
        ("question", "s_1 = tanh(u x_1 + w s_1)", "s₁ = tanh(z₁)"),
        ("question", "z_1 = a_1 - b_1", "z₁ = a₁ + b₁"),
        ("question", "q = s_0 v", "s₀ stands where s₁ belongs"),
        ("question", "s_1 = 0.4514", "s₁ = tanh(z₁) is −0.451355 at the session's numbers"),
        ("lstm", "c_t = f_t ⊙ c_{t-1} + i_t", "2 terms do not add up to c₂ = f₂·c₁ + i₂·g₂"),
        ("lstm", "dE/dWf = sum_t (dE/df_t ⊙ f_t ⊙ (1-f_t)) [h_t, x_t]^T", "concat(h₀, x₀)ᵀ stands where v₀ᵀ belongs"),
    ],
)
def test_a_wrong_value_is_told_beside_its_equation(session: str, formula: str, said: str) -> None:
    verdict = judge(load(session), formula)
    assert verdict.outcome == "wrong"
    assert said in verdict.sentence


def test_a_value_is_a_coincidence_where_it_is_one() -> None:
    verdict = judge(load("question"), "E = -log((o)[0])")
    assert verdict.outcome == "coincidence"
    assert verdict.members[0].why == "y = 0"
