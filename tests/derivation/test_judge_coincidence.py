"""Equal here, not in general: a verdict of its own, with its reason."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

LAST = "dE/dw = dE/do * do/dq * v * ds1/dz1 * s0"
WHOLE = "dE/dw = dE/do * do/dq * v * ds1/dz1 * (s0 + w*ds0/dz0*s[-1])"


def question(**changes: object) -> Session:
    """The question with other numbers."""
    return load("question").replace(**changes, expected=None)


@pytest.mark.parametrize(
    ("session", "formula", "why"),
    [
        (question(initial={"s": 0.0}), LAST, "s₋₁ = 0"),
        (question(inputs={"x": [0.5, 0.5]}), "dE/du_1 = dE/ds_1 * ds_1/dz_1 * x_0", "x₁ = x₀"),
        (question(inputs={"x": [0.5, -0.5]}), "dE/du_1 = -dE/ds_1 * ds_1/dz_1 * x_0", "x₁ = −x₀"),
        (load("question"), "dE/du_1 = dE/ds_1 * ds_1/dz_1 * -1", "x₁ = −1"),
        (load("question"), "ds_1/ds_0 = (1-s_1^2)*0.6", "0.6 is a number of this session"),
        (question(parameters={"u": 0.8, "w": 1.0, "v": [1.2, -0.7]}), "ds1/ds0 = ds1/dz1", "w = 1"),
        (load("one-logit"), LAST, "the softmax has one class: o is 1, E is 0 and every gradient is 0"),
    ],
)
def test_a_coincidence_is_neither_right_nor_wrong(session: Session, formula: str, why: str) -> None:
    """The formula holds at the session's numbers only; what makes it so is named."""
    verdict = judge(session, formula)
    assert verdict.outcome == "coincidence" and not verdict.holds
    assert verdict.members[0].why == why
    assert verdict.sentence == f"equal here, not in general, because {why}"


def test_with_one_class_a_true_formula_stays_right() -> None:
    """Everything is 0, and in a network with two classes it would still be true."""
    assert judge(load("one-logit"), WHOLE).holds


def test_where_the_missing_term_is_not_zero_the_formula_is_wrong() -> None:
    """The same formula at the question's own numbers."""
    assert judge(load("question"), LAST).outcome == "wrong"


def test_a_formula_is_right_where_its_own_numbers_overflow() -> None:
    """An identity is one at every draw; that nothing is finite here is said."""
    session = question(parameters={"u": 0.8, "w": 0.6, "v": [1e200, -1e200]})
    verdict = judge(session, "dE/ds1 = dE/do * do/dq * v")
    assert verdict.outcome in ("right", "unknown")


def _rounded(formula: str) -> str:
    """With the numbers of the session put in: s₀, the slope at t = 1, ∂E/∂s₁."""
    trace = load("sessions/question.json").trace()
    s0, s1 = (float(trace.value("s", t)) for t in (0, 1))
    return formula.format(s0=s0, slope=1 - s1**2, above=float(trace.adjoint("s", 1)), both=(1 - s1**2) * s0)


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("dE/dw_1 = (o - y)*v*(1 - s_1^2) * {s0:.6f}", "0.522665 is a number of this session, s₀"),
        ("dE/dw_1 = (o - y)*v*(1 - s_1^2) * {s0:.2f}", "0.52 is a number of this session, s₀"),
        ("dE/dw_1 = (o - y)*v*{slope:.5f}*s_0", "is a number of this session, ∂s₁/∂z₁"),
        ("dE/dw_1 = {above:.5f}*{slope:.5f}*s_0", "are numbers of this session, −∂E/∂s₁ and ∂s₁/∂z₁"),
        ("dE/dw_1 = dE/ds_1 * {both:.6f}", f"{_rounded('{both:.6f}')} is a number of this session"),
    ],
)
def test_a_rounded_number_is_said_to_be_one(formula: str, said: str) -> None:
    verdict = judge(load("sessions/question.json"), _rounded(formula))
    assert verdict.outcome == "coincidence"
    assert verdict.sentence.startswith("equal here to the digits written, not in general: ")
    assert verdict.sentence.endswith(said)


@pytest.mark.parametrize(
    "formula",
    [
        "dE/dw_1 = (o - y)*v*(1 - s_1^2) * 0.522666",
        "dE/dw_1 = (o - y)*v*(1 - s_1^2) * 0.523665",
        "dE/dw_1 = (o - y)*v*(1 - s_1^2) * 0.53",
        "dE/dw_1 = (o - y)*v*{slope:.5f} * 0.522635",
        "dE/dw_1 = dE/ds_1 * 0.4163",
        "dE/dw_0 = (o - y)*v*(1 - s_1^2) * {s0:.6f}",
    ],
)
def test_a_wrong_digit_is_wrong(formula: str) -> None:
    assert judge(load("sessions/question.json"), _rounded(formula)).outcome == "wrong"
