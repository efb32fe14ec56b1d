"""Reasons for what is wrong in several terms at once: by loss and use, by ways left out, by powers of matrices."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import load

LINEAR = ["a = W @ h[t-1]", "h = a + x[t]", "q = V @ h", "o = softmax(q)", "E = cross_entropy(o, y)"]


@pytest.mark.parametrize(
    ("session", "formula", "right", "missing"),
    [
        (
            "many-to-many",
            "dE/dw = sum_t sum_{k≤t} dE_t/ds_t ∂⁺s_k/∂w",
            "the terms of ∂E₀/∂w₀, ∂E₁/∂w₁ and ∂E₂/∂w₂ are right",
            "in the terms of ∂E₁/∂w₀, ∂E₂/∂w₀ and ∂E₂/∂w₁, as in that of ∂E₁/∂w₀, the factor ∂s₁/∂s₀ is missing",
        ),
        (
            "min-char-rnn",
            "dloss/dWhh = sum_t sum_{k≤t} dloss_t/dh_t ∂⁺h_k/∂Whh",
            "the terms of ∂loss₀/∂Whh₀, ∂loss₁/∂Whh₁, ∂loss₂/∂Whh₂ and ∂loss₃/∂Whh₃ are right",
            "the factor ∂h₁/∂h₀ = diag(1 − h₁²)·Whh is missing",
        ),
        (
            "many-to-many",
            "dE/dw = sum_t sum_k dE_t/ds_t ∂⁺s_k/∂w",
            "the terms of ∂E₀/∂w₀, ∂E₁/∂w₁ and ∂E₂/∂w₂ are right",
            "the terms ∂E₀/∂s₀·∂⁺s₁/∂w, ∂E₀/∂s₀·∂⁺s₂/∂w and ∂E₁/∂s₁·∂⁺s₂/∂w do not belong",
        ),
        (
            "many-to-many",
            "dE/dw = sum_t sum_{k≤t} dE_t/do_t do_t/ds_t ds_t/ds_k ∂⁺s_t/∂w",
            "the terms of ∂E₀/∂w₀, ∂E₁/∂w₁ and ∂E₂/∂w₂ are right",
            "∂⁺s₁/∂w is of another timestep: ∂⁺s₀/∂w belongs there",
        ),
    ],
)
def test_wrong_terms_are_told_apart_by_loss_and_use(session: str, formula: str, right: str, missing: str) -> None:
    verdict = judge(load(session), formula)
    assert verdict.outcome == "wrong"
    assert right in verdict.sentence
    assert missing in verdict.sentence


@pytest.mark.parametrize(
    ("formula", "missing"),
    [
        ("dE/dh_3 = dE/dh_4 ⊙ z_4", "the paths through n₄ and v₄ are missing"),
        ("dE/dh_3 = dE/dh_4 ⊙ z_4 + dE/dv_4 * dv_4/dh_3", "the paths through n₄ are missing"),
        ("dE/dh_{t-1} = dE/dh_t ⊙ z_t", "the paths through n₂ and v₂ are missing"),
    ],
)
def test_the_gates_read_the_state_too(formula: str, missing: str) -> None:
    verdict = judge(load("gru"), formula)
    assert verdict.sentence.endswith(missing) or missing.replace("n₄", "∂n₄/∂h₃") in verdict.sentence
    assert [slip.kind for slip in verdict.members[0].slips] == ["path missing"]


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("dh_2/dh_0 = Whh^2", "the slopes diag(1 − h₂²) and diag(1 − h₁²) are missing: every step"),
        ("dh_2/dh_0 = diag(1 - h_2^2) Whh^2", "the slope diag(1 − h₁²) is missing"),
        (
            "dh_2/dh_0 = diag(1 - h_2^2) diag(1 - h_1^2) Whh^2",
            "the order is wrong: diag(1 − h₁²) and Whh are exchanged",
        ),
    ],
)
def test_a_power_of_a_matrix_is_a_matrix_product(formula: str, said: str) -> None:
    verdict = judge(load("min-char-rnn"), formula)
    assert verdict.outcome == "wrong"
    assert said in verdict.sentence


def test_a_right_power_of_a_matrix_says_how_it_was_read() -> None:
    session = load("vectors").replace(
        equations=LINEAR,
        initial={"h": [0.1, 0.2, 0.3]},
        parameters={
            "W": [[0.1, 0.2, -0.3], [0.4, -0.5, 0.6], [0.7, 0.8, 0.9]],
            "V": [[1.0, 2.0, 3.0], [0.5, 1.5, -1.0]],
        },
        inputs={"x": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]},
        constants={"y": 1},
        expected=None,
    )
    member = judge(session, "dh_2/dh_0 = W^2").members[0]
    assert member.outcome == "right"
    assert "a power of a matrix as a matrix product" in member.readings
    assert judge(session, "dh_2/dh_0 = W^3").outcome == "wrong"
