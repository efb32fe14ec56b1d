"""The formulas of the question this project answers, judged as they were pasted."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import load

RIGHT = r"""
\partial E/\partial u = \partial E/\partial u_1 + \partial E/\partial u_0
\partial E/\partial u_1 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1 * \partial s_1/\partial z_1 * \partial z_1/\partial a_1 * \partial a_1/\partial u_1
\partial E/\partial u_0 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1 * \partial s_1/\partial z_1 * \partial z_1/\partial b_1 * \partial b_1/\partial s_0 * \partial s_0/dz_0 * \partial z_0/\partial a_0 * \partial a_0/\partial u_0
\partial E/\partial u = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1 * (x_1 + w_1 * \partial s_0/\partial z_0 * x_0)
\partial E/\partial w = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1 * (s_0 + w_1 * \partial s_0/\partial z_0 * s_{-1})
\dfrac{\partial{L}}{\partial{u}}=\sum_t \dfrac{\partial{L}}{\partial{u_t}} = \dfrac{\partial L}{\partial o} \dfrac{\partial o}{\partial s_1} \dfrac{\partial s_1}{\partial u_1}+\dfrac{\partial L}{\partial o} \dfrac{\partial o}{\partial s_1}\dfrac{\partial s_1}{\partial s_0}\dfrac{\partial s_0}{\partial u_0}
\dfrac{\partial{L}}{\partial{w}}=\sum_t \dfrac{\partial{L}}{\partial{w_t}} = \dfrac{\partial L}{\partial o} \dfrac{\partial o}{\partial s_1} \dfrac{\partial s_1}{\partial w_1}+\dfrac{\partial L}{\partial o} \dfrac{\partial o}{\partial s_1}\dfrac{\partial s_1}{\partial s_0}\dfrac{\partial s_0}{\partial w_0}
""".strip().splitlines()  # noqa: E501

HEAD = "dE/do * do/dq * v * ds1/dz1"
# Of every slip of the question: its key, as a formula, and the value it leads to on `question`.
SLIPS_OF_THE_QUESTION = [
    ("slope missing", "dE/do * do/dq * v * (ds1/dz1*s0 + w*ds0/dz0*s[-1])", "-0.729768"),
    ("only the last step", f"{HEAD} * s0", "-0.555232"),
    ("weight missing", f"{HEAD} * (s0 + ds0/dz0*s[-1])", "-0.786865"),
    ("only the deepest path", f"{HEAD} * w*ds0/dz0*s[-1]", "-0.138979"),
    ("index off by one", f"{HEAD} * (s1 + w*ds0/dz0*s0)", "0.237346"),
]


@pytest.mark.parametrize("session", ["question", "question-sigmoid"])
@pytest.mark.parametrize("formula", RIGHT)
def test_every_formula_of_the_learner_and_of_the_answer_is_right(session: str, formula: str) -> None:
    """As printed, for tanh and sigmoid."""
    verdict = judge(load(session), formula)
    assert verdict.holds, verdict.sentence
    assert all(term.outcome == "right" for member in verdict.members for term in member.terms)


def test_the_weight_that_seemed_wrong_is_said_to_belong() -> None:
    """ "My gut says w₁ should not be in here": it is ∂b₁/∂s₀."""
    assert "w₁ belongs: it is ∂b₁/∂s₀" in judge(load("question"), RIGHT[3]).sentence


def test_the_reading_of_a_whole_step_partial_is_named() -> None:
    """∂s₁/∂u₁ is the use at t = 1 only, with s₀ held."""
    (member,) = judge(load("question"), RIGHT[5]).members[1:]
    assert member.readings == ("∂s₁/∂u₁ with s₀ held: the use at t = 1 only",)


@pytest.mark.parametrize(
    ("session", "slope"), [("question", "1 − s₁²"), ("question-sigmoid", "s₁·(1 − s₁)"), ("answer", "1 − s₁²")]
)
def test_the_comment_under_the_answer_is_wrong(session: str, slope: str) -> None:
    """∂s₁/∂s₀ = w misses the factor ∂s₁/∂z₁."""
    verdict = judge(load(session), "ds1/ds0 = w")
    (member,) = verdict.members
    (term,) = member.terms
    (missing,) = [factor for factor in term.factors if factor.outcome == "missing"]
    assert verdict.outcome == "wrong"
    assert (missing.due, missing.formula, missing.place) == ("∂s₁/∂z₁", slope, "dE/dz[1]")
    assert [slip.kind for slip in member.slips] == ["slope missing"]


@pytest.mark.parametrize("session", ["question", "question-sigmoid"])
@pytest.mark.parametrize(("kind", "formula", "value"), SLIPS_OF_THE_QUESTION)
def test_every_slip_of_the_question_is_named_in_a_formula(session: str, kind: str, formula: str, value: str) -> None:
    """By the factor or the term that is wrong."""
    (member,) = judge(load(session), f"dE/dw = {formula}").members
    assert member.outcome == "wrong"
    assert {slip.kind for slip in member.slips} == {kind}


@pytest.mark.parametrize(("kind", "formula", "value"), SLIPS_OF_THE_QUESTION)
def test_every_slip_of_the_question_is_named_by_its_number(kind: str, formula: str, value: str) -> None:
    """The fingerprint of the slip, to the digits given."""
    (member,) = judge(load("question"), f"dE/dw = {value}").members
    assert member.outcome == "wrong"
    assert [slip.kind for slip in member.slips] == [kind]


def test_the_right_term_is_said_to_be_right_and_the_wrong_one_shown() -> None:
    """Term by term, with the debugger's places."""
    (member,) = judge(load("question"), f"dE/dw = {SLIPS_OF_THE_QUESTION[0][1]}").members
    assert [(term.t, term.outcome, term.of, term.place) for term in member.terms] == [
        (1, "right", "∂E/∂w₁", "dE/dw[1]"),
        (0, "wrong", "∂E/∂w₀", "dE/dw[0]"),
    ]
    assert member.sentence.startswith(
        "wrong: the t = 1 term is right; in the t = 0 term the slope ∂s₁/∂z₁ = 1 − s₁² is missing"
    )


def test_every_partial_written_has_its_place_in_the_debugger() -> None:
    """Right ones as well: ∂s₀/∂z₀ is where ∂E/∂z₀ is computed; a value such as w has none."""
    (member,) = judge(load("question"), f"dE/dw = {SLIPS_OF_THE_QUESTION[0][1]}").members
    places = {factor.written or factor.due: factor.place for factor in member.terms[1].factors}
    assert places["∂s₀/∂z₀"] == "dE/dz[0]"
    assert places["w"] == ""


def test_a_number_is_right_to_the_digits_written() -> None:
    """−0.6942116191 to four digits and to ten."""
    assert judge(load("question"), "dE/dw = -0.6942").holds
    assert judge(load("question"), "dE/dw = -0.6942116191").holds
    assert not judge(load("question"), "dE/dw = -0.6943").holds
    assert judge(load("question"), "dE/dw = dE/dw_0 + dE/dw_1 ≈ -0.6942").holds
    assert not judge(load("question"), "dE/dw = dE/dw_0 + dE/dw_1 ≈ -0.6943").holds


@pytest.mark.parametrize(
    ("formula", "missing"),
    [
        (f"dE/dw = {HEAD} * (s0 + w*s_{{-1}})", "∂s₀/∂z₀"),
        (f"dE/dw = {HEAD} * s0 + {HEAD} * w * s_{{-1}}", "∂s₀/∂z₀"),
        (f"dE/du = {HEAD} * x1 + {HEAD} * w * x0", "∂s₀/∂z₀"),
        (f"dE/du = {HEAD} * x1 + dE/do * do/dq * v * w * ds0/dz0 * x0", "∂s₁/∂z₁"),
        (f"dE/du = {HEAD} * x1 + {HEAD} * ds0/dz0 * x0", "∂b₁/∂s₀"),
    ],
)
def test_a_term_is_told_by_its_use_though_its_last_factors_are_missing(formula: str, missing: str) -> None:
    """x₀ and s₋₁ are of the use at t = 0, whatever else the term has: it is wrong, not too many."""
    (member,) = judge(load("question"), formula).members
    assert [(term.t, term.outcome) for term in member.terms] == [(1, "right"), (0, "wrong")]
    (factor,) = [factor for factor in member.terms[1].factors if factor.outcome != "right"]
    assert (factor.outcome, factor.due) == ("missing", missing)


def test_a_number_is_as_right_as_its_digits() -> None:
    """Rounded or cut off, but not off by one; one digit tells no slip; numbers hold for no other values."""
    session = load("question")
    for right in ("-0.694212", "-0.694211", "-0.6942116", "-0.7"):
        assert judge(session, f"dE/dw = {right}").holds, right
    for wrong in ("-0.69422", "-0.694214", "-0.6"):
        assert not judge(session, f"dE/dw = {wrong}").holds, wrong
    assert not judge(session, "dE/dw = -0.6").members[0].slips
    both = judge(session, "dE/dw = -0.555232 - 0.138979 = -0.694211")
    assert both.sentence == "right: every member equals the first, the numbers at the session's values"


def test_slopes_and_signs_in_other_words() -> None:
    """sech² is the slope of tanh; y − o has the wrong sign, and that is said of o − y."""
    session = load("question")
    assert judge(session, "ds_1/ds_0 = sech²(z_1) w").holds
    verdict = judge(session, "dE/dq = y - o")
    assert verdict.sentence == "wrong: the sign of ∂E/∂q = o − y is wrong"
