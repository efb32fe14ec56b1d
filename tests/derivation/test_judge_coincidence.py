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
