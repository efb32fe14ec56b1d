"""A relu exactly at its kink: there is no derivative, and the verdict says which side is taken."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

TAKEN = "z₀ = 0 is at relu's kink, where there is no derivative: its slope is taken as 0"


@pytest.fixture
def session() -> Session:
    """s = relu(z) with z₀ = 0 and z₁ > 0."""
    return load("vanishing").replace(
        equations=["z = u * x[t] + w * s[t-1]", "s = relu(z)", "E = squared_error(s, y)"],
        parameters={"u": 0.8, "w": 0.6},
        initial={"s": 0.0},
        inputs={"x": [0.0, 1.0]},
        constants={"y": 2.0},
        expected=None,
    )


@pytest.mark.parametrize(
    "formula",
    [
        "ds_0/dz_0 = relu'(z_0)",
        "dE/dw = (s_1 - y) relu'(z_1) (s_0 + w relu'(z_0) s_{-1})",
        "dE/dz_0 = (s_1 - y) relu'(z_1) w relu'(z_0)",
        "ds_0/dz_0 = 0",
        "dE/dz_0 = 0",
    ],
)
def test_what_is_right_with_the_side_taken_says_so(session: Session, formula: str) -> None:
    verdict = judge(session, formula)
    assert verdict.holds
    assert TAKEN in verdict.sentence
    assert TAKEN in verdict.members[0].readings


@pytest.mark.parametrize(
    ("formula", "either"),
    [
        ("ds_0/dz_0 = 1", "with the slope 0 there it is 0, as here, with 1 1"),
        ("ds_0/dz_0 = 0.5", "with the slope 0 there it is 0, as here, with 1 1"),
        ("dE/dz_0 = -0.72", "with the slope 0 there it is 0, as here, with 1 −0.72"),
    ],
)
def test_a_number_of_the_other_side_is_neither_right_nor_wrong(session: Session, formula: str, either: str) -> None:
    """The one-sided differences of the loss are the two numbers told."""
    verdict = judge(session, formula)
    assert verdict.outcome == "unknown"
    assert either in verdict.sentence
    if formula.startswith("dE"):
        step = 1e-6
        at, up, down = (session.replace(pins={"z[0]": z}, expected=None).trace().loss for z in (0.0, step, -step))
        assert (up - at) / step == pytest.approx(-0.72, abs=1e-5)
        assert (at - down) / step == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("formula", ["ds_0/dz_0 = 2", "dE/dz_0 = 0.72", "ds_0/dz_0 = -0.5"])
def test_a_number_of_neither_side_is_wrong(session: Session, formula: str) -> None:
    assert judge(session, formula).outcome == "wrong"


def test_away_from_the_kink_nothing_is_said(session: Session) -> None:
    verdict = judge(session, "ds_1/dz_1 = relu'(z_1)")
    assert verdict.holds
    assert "kink" not in verdict.sentence
    assert judge(session, "ds_1/dz_1 = 0").outcome == "wrong"


@pytest.mark.parametrize(
    ("formula", "sides"),
    [("dE/ds_0 = (s_1 - y) w", "z₁ > 0"), ("dE/dw = (s_1 - y) s_0 + (s_1 - y) w s_{-1} relu'(z_0)", "z₁ > 0")],
)
def test_a_formula_of_one_side_names_it(session: Session, formula: str, sides: str) -> None:
    verdict = judge(session, formula)
    assert verdict.outcome == "coincidence"
    assert verdict.members[0].why == f"relu is on one side of its kink here: {sides}"


def test_several_kinks_are_at_theirs(session: Session) -> None:
    verdict = judge(session.replace(parameters={"u": 0.0, "w": 0.0}), "dE/dw = 0")
    assert "z₀ = 0 are at relu's kink" in verdict.sentence and "is at relu's kink" not in verdict.sentence
