"""Formulas as people write them: what is read, and where an unreadable one points."""

from __future__ import annotations

import pytest
from formula_shapes import sketch

from bptt_tui.derivation.formulas.reader import read
from bptt_tui.session import load

QUESTION = load("question")

PARTIAL_U0 = (
    "∂E[1]/∂o[1] ∂o[1]/∂q[1] ∂q[1]/∂s[1] ∂s[1]/∂z[1] ∂z[1]/∂b[1] ∂b[1]/∂s[0] ∂s[0]/∂z[0] ∂z[0]/∂a[0] ∂a[0]/∂u[0]"
)


def sketches(text: str, session: str = "question") -> list[str]:
    return [sketch(member) for member in read(text, load(session)).members]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (
            r"\partial E/\partial u = \partial E/\partial u_1 + \partial E/\partial u_0",
            ["∂E[1]/∂u", "(∂E[1]/∂u[1] + ∂E[1]/∂u[0])"],
        ),
        (
            r"\partial E/\partial u_1 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
            r" * \partial s_1/\partial z_1 * \partial z_1/\partial a_1 * \partial a_1/\partial u_1",
            ["∂E[1]/∂u[1]", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] ∂q[1]/∂s[1] ∂s[1]/∂z[1] ∂z[1]/∂a[1] ∂a[1]/∂u[1])"],
        ),
        (
            r"\partial E/\partial u_0 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
            r" * \partial s_1/\partial z_1 * \partial z_1/\partial b_1 * \partial b_1/\partial s_0"
            r" * \partial s_0/dz_0 * \partial z_0/\partial a_0 * \partial a_0/\partial u_0",
            ["∂E[1]/∂u[0]", f"({PARTIAL_U0})"],
        ),
        (
            r"\partial E/\partial u = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
            r" * (x_1 + w_1 * \partial s_0/\partial z_0 * x_0)",
            ["∂E[1]/∂u", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v[1] ∂s[1]/∂z[1] (x[1] + (w[1] ∂s[0]/∂z[0] x[0])))"],
        ),
        (
            r"\partial E/\partial w = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
            r" * (s_0 + w_1 * \partial s_0/\partial z_0 * s_{-1})",
            ["∂E[1]/∂w", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v[1] ∂s[1]/∂z[1] (s[0] + (w[1] ∂s[0]/∂z[0] s[-1])))"],
        ),
        (
            r"\dfrac{\partial{L}}{\partial{u}}=\sum_t \dfrac{\partial{L}}{\partial{u_t}} = "
            r"\dfrac{\partial L}{\partial o}"
            r" \dfrac{\partial o}{\partial s_1} \dfrac{\partial s_1}{\partial u_1}+\dfrac{\partial L}{\partial o}"
            r" \dfrac{\partial o}{\partial s_1}\dfrac{\partial s_1}{\partial s_0}\dfrac{\partial s_0}{\partial u_0}",
            [
                "∂E[1]/∂u",
                "Σ[t]∂E[1]/∂u[t]",
                "((∂E[1]/∂o[1] ∂o[1]/∂s[1] ∂s[1]/∂u[1]) + "
                "(∂E[1]/∂o[1] ∂o[1]/∂s[1] ∂s[1]/∂s[0] ∂s[0]/∂u[0]))",
            ],
        ),
        ("dE/du = dE/do * do/dq * v * ds1/dz1 * (x1 + w*ds0/dz0*x0)",
         ["∂E[1]/∂u", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v ∂s[1]/∂z[1] (x[1] + (w ∂s[0]/∂z[0] x[0])))"]),
        ("∂s₁/∂s₀ = w", ["∂s[1]/∂s[0]", "w"]),
        ("∂s₁/∂s₀ = f′(z₁)·w", ["∂s[1]/∂s[0]", "(tanh'(z[1]) w)"]),
    ],
)  # fmt: skip
def test_the_formulas_of_the_question_and_its_answer(text: str, members: list[str]) -> None:
    """Exactly as printed there, mixed ∂ and d, with and without subscripts."""
    assert sketches(text) == members


def test_spans_are_places_in_the_text() -> None:
    """Every part knows the characters it was read from."""
    text = r"\frac{dE}{du} = \partial E/\partial o \left( s_{-1} + 2 \right)"
    left, right = read(text, QUESTION).members
    assert text[slice(*left.span)] == r"\frac{dE}{du}"
    first, group = right.factors
    assert text[slice(*first.span)] == r"\partial E/\partial o"
    assert text[slice(*first.above.span)] == "E"
    assert [text[slice(*term.span)] for term in group.terms] == ["s_{-1}", "2"]
