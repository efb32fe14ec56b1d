"""Statements about every timestep, ∂s_t/∂s_{t−1} = …: judged wherever all that they name exists."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.formulas.reader import read
from bptt_tui.derivation.formulas.writing import write_statement
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.errors import FormulaError
from bptt_tui.session import load

TOLD = [
    (
        "question",
        "ds_t/ds_{t-1} = w(1-s_t^2)",
        "right: it equals ∂sₜ/∂sₜ₋₁ at every t from 0 to 1, for all values, not only these",
    ),
    (
        "question",
        "ds_t/ds_{t-1} = w",
        "wrong: as at t = 1, the slope ∂s₁/∂z₁ = 1 − s₁² is missing: s₁ = tanh(z₁), so it changes f′ times as much as "
        "z₁",
    ),
    ("question", "dE/ds_k = (o-y)v", "wrong: it holds at k = 1; at k = 0, the factor ∂s₁/∂s₀ is missing"),
    (
        "question",
        "dE/ds_t = -0.637385",
        "wrong: it holds at t = 0; at t = 1, ∂E/∂s₁ is −1.33409 at the session's numbers",
    ),
    (
        "min-char-rnn",
        "dL/dh_t = Why^T (p_t - target_t) + Whh^T ((1-h_{t+1}^2) ⊙ dL/dh_{t+1})",
        "right: it equals ∂loss/∂hₜ at every t from 0 to 2, for all values, not only these",
    ),
    (
        "min-char-rnn",
        "dL/dh_t = Why^T (p_t - target_t)",
        "wrong: it holds at t = 3; as at t = 1, the paths through h₂ are missing",
    ),
    (
        "min-char-rnn",
        "dh_t/dh_k = Π_{i=k+1}^{t} diag(1-h_i^2) Whh",
        "right: it equals ∂hₜ/∂hₖ at every t and k, for all values, not only these",
    ),
    (
        "min-char-rnn",
        "dh_t/dh_k = Π_{i=k}^{t} diag(1-h_i^2) Whh",
        "wrong: as at t = 2, k = 1, the factors Whh and diag(1 − h₁²) do not belong",
    ),
    (
        "min-char-rnn",
        "dh_t/dWhh = Σ_{k=0}^{t} dh_t/dh_k dh_k/dWhh",
        "wrong: it holds at t = 0; as at t = 2, dh_k/dWhh is the total derivative, through all earlier timesteps, and "
        "a sum over time counts those again: ∂⁺h/∂Whh is meant",
    ),
    (
        "lstm",
        "dc_t/dc_{t-1} = f_t",
        "right: it equals ∂cₜ/∂cₜ₋₁ at every t from 0 to 4, for all values, not only these",
    ),
]


@pytest.mark.parametrize(("name", "formula", "sentence"), TOLD)
def test_every_timestep_is_judged_and_one_is_told(name: str, formula: str, sentence: str) -> None:
    """Right where it is right everywhere, else an example and where it holds."""
    verdict = judge(load(name), formula)
    assert verdict.sentence == sentence
    assert verdict.holds == sentence.startswith("right")
    assert verdict.members[0].sentence == sentence


def test_an_open_timestep_is_of_the_left_side() -> None:
    """A letter that only the right side has is still refused, and so is one at which nothing exists."""
    session = load("question")
    with pytest.raises(FormulaError, match="t is not a timestep here"):
        judge(session, "dE/du = dE/ds_t")
    with pytest.raises(FormulaError, match="at no timestep t is there all of this"):
        judge(session, "ds_t/ds_{t-5} = w")
    statement = read("ds_t/ds_{t-1} = w", session)
    assert statement.variables == ("t",)
    assert write_statement(statement, session) == "∂sₜ/∂sₜ₋₁ = w"


def test_total_and_immediate_are_told_apart_by_their_signs() -> None:
    """ds/dw = ∂s/∂w + ∂s/∂s · ds/dw is right as it is meant, and only then."""
    session = load("question")
    for formula in (
        "ds_t/dw = ∂s_t/∂w + ∂s_t/∂s_{t-1} ds_{t-1}/dw",
        r"\frac{ds_1}{dw} = \frac{\partial s_1}{\partial w} + w(1-s_1^2) \frac{ds_0}{dw}",
    ):
        verdict = judge(session, formula)
        assert verdict.holds, verdict.sentence
        assert verdict.members[0].readings[-1] == "∂ with the states before held, d in total"
    verdict = judge(session, r"\frac{ds_1}{dw} = \frac{\partial s_1}{\partial w} + w \frac{ds_0}{dw}")
    assert not verdict.holds
    assert [slip.kind for slip in verdict.members[0].slips] == ["slope missing"]
