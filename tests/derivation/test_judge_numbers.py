"""Numbers on the right side: single ones, vectors and matrices, entry by entry to the digits written."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bptt_tui.derivation.judging.data import as_data
from bptt_tui.derivation.judging.entries import wrong_entries
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.lines import as_text
from bptt_tui.derivation.judging.telling import marks
from bptt_tui.session import load


@pytest.mark.parametrize(
    "formula",
    [
        "dE/dv = [0.3169206, -0.3169206]",
        "dE/dv = [0.317 -0.317]",
        "dE/dv = [[0.32, -0.31692]]",
        r"\partial E/\partial v = \begin{pmatrix} 0.3169 \\ -0.3169 \end{pmatrix}",
        "dE/dv = -[-0.3169, 0.3169]",
        "dE/do = [-1/0.29785, 0]",
        "do/dq = [[0.209, -0.209], [-0.209, 0.209]]",
        "dE/dv = (o - y) s_1 = [0.3169, -0.3169]",
        "dE/dv = [(o_1 - y)[0], (o_1 - y)[1]] s_1",
    ],
)
def test_right_numbers_are_right(formula: str) -> None:
    verdict = judge(load("sessions/question.json"), formula)
    assert verdict.holds, verdict.sentence


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("dE/dv = [0.3169, 0.2]", "entry [1] of ∂E/∂v is 0.2, it should be −0.316921"),
        ("dE/dv = [0.3169, -0.3168]", "entry [1]"),
        ("do/dq = [[0.2091, -0.2091], [0.2091, 0.2091]]", "entry [1, 0] of ∂o/∂q is 0.2091, it should be −0.209134"),
        ("dE/dv = [-0.3169, 0.3169]", "the sign is wrong"),
        ("dE/dv = [0.1, 0.1]", "∂E/∂v is [0.3169, −0.3169]"),
        ("dE/dv = [0.3169, -0.3169, 0]", "∂E/∂v is not 3×1 but 1×2"),
        ("dE/dv = 0.3169", "∂E/∂v is not one number but 1×2"),
        ("dE/dw = [0.1, 0.2]", "∂E/∂w is not 2×1 but one number"),
        ("dE/do = [-1/0.4, 0]", "∂E/∂o = −y/o"),
    ],
)
def test_wrong_entries_are_named(formula: str, said: str) -> None:
    verdict = judge(load("sessions/question.json"), formula)
    assert verdict.outcome == "wrong"
    assert said in verdict.sentence


def test_arrays_that_cannot_be_multiplied_are_told_by_their_shapes() -> None:
    verdict = judge(load("sessions/vectors.json"), "b_2 = [1, 2, 3] @ [[1, 2], [3, 4]] @ [5, 6]")
    assert verdict.outcome == "shapes"
    assert verdict.members[0].ledger is not None


def test_a_matrix_as_it_is_printed() -> None:
    session = load("sessions/vectors.json")
    due = session.trace().gradient["W"]
    assert judge(session, f"dE/dW = {np.array2string(due, precision=5)}").holds
    assert judge(session, f"dE/dW = {due.round(6).tolist()}").holds
    turned = judge(session, f"dE/dW = {due.T.round(6).tolist()}")
    assert [slip.kind for slip in turned.members[0].slips] == ["transposed"]
    small = due.round(4)
    small[0, 0] = 0.00004
    assert "entry [0, 0]" in judge(session, f"dE/dW = {small.tolist()}").sentence
    off = due.round(6)
    off[2, 1] += 1
    assert "entry [2, 1] of ∂E/∂W is 1.1" in judge(session, f"dE/dW = {off.tolist()}").sentence


def test_zeros_of_a_printed_array_are_as_exact_as_its_other_entries() -> None:
    session = load("sessions/vectors.json")
    due = session.trace().value("W", None) * 0 + np.diag([1.0, 1.0, 1.0])
    assert judge(session, f"ds_2/ds_2 = {np.array2string(due)}").holds
    rounded = "[[0.99 0. 0.] [0. 1. 0.] [0. 0. 1.]]"
    assert "entry [0, 0]" in judge(session, f"ds_2/ds_2 = {rounded}").sentence
    tiny = session.replace(parameters={**session.parameters, "k": [0.0, 0.0, 9.0]}, expected=None)
    gradient = tiny.trace().gradient["k"]
    assert abs(gradient[2]) < 5e-5
    assert judge(tiny, f"dE/dk = {gradient.round(4).tolist()}").holds


def test_a_jacobian_may_be_in_either_layout_and_a_partial_in_either_meaning() -> None:
    session = load("sessions/vectors.json")
    trace = session.trace()
    slope = np.diag(1 - trace.value("s", 2) ** 2)
    jacobian = (slope @ trace.value("W", None)).round(5)
    assert judge(session, f"ds_2/ds_1 = {jacobian.tolist()}").members[0].readings == ()
    assert "denominator" in judge(session, f"ds_2/ds_1 = {jacobian.T.tolist()}").members[0].readings[0]
    question = load("sessions/question.json")
    s = [float(question.trace().value("s", t)) for t in (0, 1)]
    immediate = judge(question, f"ds_1/dw = {(1 - s[1] ** 2) * s[0]:.6f}")
    assert immediate.holds
    assert immediate.members[0].readings == ("∂s₁/∂w with s₀ held",)


@pytest.mark.parametrize(
    ("change", "remarks"),
    [
        ({(0, 1): -1.0}, {(0, 1): "the sign is wrong"}),
        ({(2, 1): 10.0}, {(2, 1): "it is 10 times too large"}),
        ({(2, 1): 0.01, (1, 0): -1.0}, {(2, 1): "it is 100 times too small", (1, 0): "the sign is wrong"}),
        ({(0, 0): -0.1}, {(0, 0): "the sign is wrong, and it is 10 times too small"}),
        ({(2, 2): 2.0}, {(2, 2): "it is twice that"}),
        ({(2, 2): 1.01}, {(2, 2): "it is off by 1 %"}),
        ({(1, 2): 3.7}, {(1, 2): ""}),
    ],
)
def test_wrong_entries_are_pointed_at_with_what_is_the_matter(
    change: dict[tuple[int, int], float], remarks: dict[tuple[int, int], str]
) -> None:
    """Each is underlined where it stands in the text, also in a transposed or negated array."""
    session = load("sessions/vectors.json")
    due = session.trace().gradient["W"].copy()
    given = due.copy()
    for place, factor in change.items():
        given[place] *= factor
    for text, array in (("{}", given), ("-{}", -given), ("{}^T", given.T)):
        formula = "dE/dW = " + text.format(array.round(6).tolist())
        member = judge(session, formula).members[0]
        assert member.outcome == "wrong"
        assert {entry.index: entry.remark for entry in member.entries} == remarks
        for entry in member.entries:
            assert entry.span is not None
            assert abs(float(formula[slice(*entry.span)])) == pytest.approx(abs(given[entry.index]), abs=1e-6)
            assert (entry.value, entry.due) == pytest.approx((given[entry.index], due[entry.index]), abs=1e-6)
        underlined = {span for span, sign in marks((member,)) if sign == "^"}
        assert underlined == {entry.span for entry in member.entries}


def test_two_entries_exchanged_are_told_as_each_others() -> None:
    session = load("sessions/vectors.json")
    given = session.trace().gradient["W"].round(6)
    given[0, 1], given[1, 0] = given[1, 0], given[0, 1]
    member = judge(session, f"dE/dW = {given.tolist()}").members[0]
    assert [(e.index, e.remark) for e in member.entries] == [
        ((0, 1), "that is entry [1, 0]"),
        ((1, 0), "that is entry [0, 1]"),
    ]


def test_what_holds_of_every_entry_is_said_once() -> None:
    session = load("sessions/vectors.json")
    due = session.trace().gradient["W"]
    tenfold = judge(session, f"dE/dW = {(due * 10).round(5).tolist()}")
    assert tenfold.sentence.endswith("every entry is 10 times too large")
    assert len(tenfold.members[0].entries) == 9
    turned = judge(session, f"dE/dW = {(-due.T).round(6).tolist()}")
    assert "should be transposed, and its sign is wrong" in turned.sentence
    one = judge(load("sessions/question.json"), "dE/dw = -0.0694212")
    assert one.sentence.endswith("what is written is 10 times too small")


def test_the_entries_are_listed_below_where_the_sentence_does_not_name_them() -> None:
    session = load("sessions/vectors.json")
    due = session.trace().gradient["W"].round(6)
    due[0] *= -1
    due[1] *= 10
    text = as_text(judge(session, f"dE/dW = {due.tolist()}"))
    assert "and 3 more entries are wrong" in " ".join(text.split())
    for place in ("[1, 0]", "[1, 1]", "[1, 2]"):
        assert f"✗  entry {place} is" in text
    assert "✗  entry [0, 0]" not in text


def test_entries_are_in_the_json() -> None:
    data = as_data(judge(load("sessions/question.json"), "dE/dv = [0.3169, 0.2]"))
    (entry,) = data["members"][0]["entries"]
    assert (entry["index"], entry["value"]) == ((1,), 0.2)
    assert entry["due"] == pytest.approx(-0.316921, abs=1e-6)
    assert data["formula"][slice(*entry["span"])] == "0.2"


def test_many_entries_near_each_other_are_not_compared_each_with_each() -> None:
    due = 1 + np.random.default_rng(0).random((40, 40)) / 50
    asked: list[int] = []

    def agrees(there: NDArray[np.float64]) -> NDArray[np.bool_]:
        asked.append(1)
        return np.abs(due * 1.02 - there) <= 5e-4 * np.abs(there)

    found = wrong_entries(due * 1.02, due, np.full(due.shape, 4), agrees, None)
    assert len(found) == due.size and len(asked) < 2 * due.size
    assert found[0].remark == "it is off by 2 %"
