"""What is too large to judge is refused with the estimate, at once; what cannot be read is the reader's error."""

from __future__ import annotations

import time

import pytest

from bptt_tui.derivation.formulas.tree import Add, Formula, Moment, Multiply, Negate, Partial, Statement, Sum, Value
from bptt_tui.derivation.judging.judge import judge, judge_statement
from bptt_tui.errors import FormulaError
from bptt_tui.session import Session, load

E = Value(name="E", t=Moment(1))
LEFT = Partial(above=E, below=Value(name="w"))


def statement(member: Formula) -> Statement:
    """∂E/∂w = member."""
    return Statement("∂E/∂w = …", (LEFT, member))


def nested(depth: int) -> Formula:
    """−−−…w."""
    formula: Formula = Value(name="w")
    for _ in range(depth):
        formula = Negate(operand=formula)
    return formula


HOSTILE = {
    "a huge sum": Sum(variable="t", body=Value(name="w"), first=Moment(0), last=Moment(10**9)),
    "sums in sums": Sum(
        variable="t", body=Sum(variable="k", body=Value(name="w"), first=Moment(0), last=Moment(9999)),
        first=Moment(0), last=Moment(9999),
    ),
    "a hundred thousand terms": Add(terms=(Value(name="w"),) * 100_000),
    "a hundred thousand factors": Multiply(factors=(Value(name="w"),) * 100_000, joins=("as it fits",) * 99_999),
    "brackets a thousand deep": nested(1000),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_formula_is_refused_at_once(what: str) -> None:
    """One line with the number and the limit; nothing is evaluated."""
    start = time.process_time()
    with pytest.raises(FormulaError, match=r"at most") as caught:
        judge_statement(load("question"), statement(HOSTILE[what]))
    assert "\n" not in str(caught.value)
    assert time.process_time() - start < 5


def test_products_of_sums_stay_one_term() -> None:
    """(a + b)(a + b)… has 2ⁿ terms written out; it is judged as it stands."""
    pair = Add(terms=(Value(name="w"), LEFT))
    verdict = judge_statement(load("question"), statement(Multiply(factors=(pair,) * 30, joins=("as it fits",) * 29)))
    assert verdict.outcome == "wrong"


def test_ten_thousand_terms_are_judged() -> None:
    """As many as fit the limit."""
    verdict = judge_statement(load("question"), statement(Add(terms=(Value(name="w"),) * 10_000)))
    assert verdict.outcome == "wrong"


def test_text_that_cannot_be_read_is_the_readers_error() -> None:
    """With its place."""
    with pytest.raises(FormulaError):
        judge(load("question"), "dE/dw = (s0 + ")


def long_session(steps: int) -> Session:
    """The question with many timesteps."""
    return load("question").replace(inputs={"x": [0.5, -1.0] * (steps // 2)}, expected=None)


def test_a_long_network_is_judged_where_it_is_asked_about() -> None:
    """∂s/∂s at the end of a thousand steps needs the end only."""
    assert judge(long_session(1000), "ds_999/ds_998 = (1 - s_999^2) * w").holds
    assert not judge(long_session(1000), "ds_999/ds_998 = w").holds


def test_a_partial_over_very_many_timesteps_is_refused() -> None:
    """Its paths would have to be added up one by one; the place in the text is told."""
    with pytest.raises(FormulaError, match="4,999 timesteps"):
        judge(long_session(5000), "ds_4999/ds_0 = w")


def test_a_sum_over_very_many_timesteps_is_judged_as_one_term() -> None:
    """Right and wrong alike, without an explanation term by term."""
    session = long_session(4000)
    assert judge(session, "dE/dw = sum_t dE/ds_t (1-s_t^2) s_{t-1}").holds
    assert judge(session, "dE/dw = sum_t dE/ds_t (1-s_t^2) s_t").outcome == "wrong"


@pytest.mark.parametrize(
    "formula", ["dE/dw = s_0/0", "dE/dw = 1/0", "dE/dw = -log(0)*s_0", "dE/dw = 1/(s_0-s_0)", "dE/dv = [1/0, 0]"]
)
def test_what_is_infinite_is_never_right(formula: str) -> None:
    assert judge(load("question"), formula).outcome in ("wrong", "unknown")
