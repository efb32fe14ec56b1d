"""A verdict as text and as data: verdict first, then why, and nothing that a terminal would obey."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from verdicts import ALL, RIGHT, SHAPES, UNKNOWN, WRONG

from bptt_tui.derivation.judging.data import as_data, as_json
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.lines import as_text, told, unreadable
from bptt_tui.derivation.judging.telling import GLYPHS, amiss, factor_sentence, headline
from bptt_tui.derivation.judging.verdict import FactorOutcome, FactorVerdict, Outcome, TermOutcome
from bptt_tui.language.cells import cells
from bptt_tui.session import load


@pytest.mark.parametrize("width", [100, 40])
@pytest.mark.parametrize("outcome", ALL)
def test_told_as_text(outcome: str, width: int, screen_golden: SnapshotAssertion) -> None:
    text = as_text(ALL[outcome], width) + "\n"
    assert all(cells(line) <= width for line in text.splitlines())
    assert text == screen_golden


@pytest.mark.parametrize("outcome", ALL)
def test_the_verdict_comes_first(outcome: str) -> None:
    assert as_text(ALL[outcome]).startswith(f"{GLYPHS[outcome]} {outcome}: ")


@pytest.mark.parametrize(
    ("formula", "headlined"),
    [
        (r"dE/dv_1 = \frac{\partial E}{\partial q} s_1 = (o - y) s_0",
         "wrong: member 2 of 2: s₀ stands where s₁ belongs: the index is off by one"),
        ("dE/dw_0 = dE/dz_0 s_{-1} = dE/dz_0 * 0.3 = -0.13",
         "wrong: member 3 of 3: ∂E/∂w₀ is −0.138979 at the session's numbers"),
    ],
)  # fmt: skip
def test_of_several_members_the_wrong_one_is_counted_out_not_quoted(formula: str, headlined: str) -> None:
    verdict = judge(load("question"), formula)
    assert headline(verdict) == headlined


def test_what_is_amiss_is_underlined_where_it_stands() -> None:
    """The wrong term under the formula as typed."""
    lines = as_text(WRONG).splitlines()
    typed, under = lines[2:4]
    assert typed == WRONG.statement.text
    assert typed[under.index("~") : under.rindex("~") + 1] == "dE/ds_1 * w * ds_0/dz_0 * s_{-1}"
    lines = as_text(SHAPES).splitlines()
    typed, under = lines[2:4]
    assert typed[under.index("^") : under.rindex("^") + 1] == "dE/dz_1"


def test_every_outcome_has_a_glyph_of_one_cell() -> None:
    outcomes = {*get_args(Outcome), *get_args(TermOutcome), *get_args(FactorOutcome)}
    assert outcomes == set(GLYPHS)
    assert all(cells(glyph) == 1 for glyph in GLYPHS.values())


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("right", ""),
        ("missing", "∂s₁/∂z₁ = 1 − s₁² is missing"),
        ("extra", "W does not belong here"),
        ("wrong", "W stands where ∂s₁/∂z₁ = 1 − s₁² belongs"),
        ("transposed", "W has to be transposed: ∂s₁/∂z₁ = 1 − s₁²"),
        ("misplaced", "W stands where ∂s₁/∂z₁ = 1 − s₁² belongs"),
    ],
)
def test_a_factor_is_told_with_what_is_due(outcome: str, sentence: str) -> None:
    factor = FactorVerdict(outcome, "" if outcome == "missing" else "W", "∂s₁/∂z₁", "1 − s₁²")
    assert factor_sentence(factor) == sentence


def test_nothing_in_a_formula_reaches_the_terminal_as_control() -> None:
    """Escapes, bidi overrides and line separators are spelt out wherever a text is told."""
    hostile = "dE/dw\x1b]0;x\x07 = \u202ew"
    member = msgspec.structs.replace(RIGHT.members[0], written=hostile, readings=(hostile,), why=hostile)
    verdict = msgspec.structs.replace(
        RIGHT, statement=msgspec.structs.replace(RIGHT.statement, text=hostile), left=hostile, sentence=hostile,
        members=(member,),
    )  # fmt: skip
    text = as_text(verdict)
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "\\x1b" in text and "\\u202e" in headline(verdict)


def test_an_unreadable_formula_has_a_caret_under_the_character() -> None:
    assert unreadable("dE/dw = * w", 8) == ("dE/dw = * w", "        ^")
    assert unreadable("dE/dw =", 7) == ("dE/dw =", "       ^")
    assert unreadable("a = b\nc = \x1b d", 10) == ("c = \\x1b d", "    ^^^^")
    text, caret = unreadable("w * " * 5000 + "# + " + "w * " * 5000, 20_000, 60)
    assert cells(text) <= 60 and text[caret.index("^")] == "#"


def test_as_data_has_everything() -> None:
    """Terms, factors with their places, slips, numbers in full."""
    document = json.loads(as_json(as_data(WRONG)))
    assert (document["outcome"], document["holds"], document["left"]) == ("wrong", False, "∂E/∂w")
    (member,) = document["members"]
    assert member["due"] == -0.69421161911
    assert [term["outcome"] for term in member["terms"]] == ["right", "wrong"]
    factor = member["terms"][1]["factors"][1]
    assert factor == {
        "outcome": "missing", "written": "", "due": "∂s₁/∂z₁", "formula": "1 − s₁²", "span": None, "place": "dE/dz[1]",
    }  # fmt: skip
    assert member["slips"][0]["kind"] == "slope missing"
    assert amiss(WRONG.members[0].terms[1])[0].due == "∂s₁/∂z₁"


def test_as_data_of_shapes_and_of_what_is_no_number() -> None:
    """JSON has no NaN: it is a text."""
    (member,) = json.loads(as_json(as_data(SHAPES)))["members"]
    assert [line["shape"] for line in member["ledger"]["lines"]] == [[3, 3], [1, 3], [3, 1]]
    (member,) = json.loads(as_json([as_data(UNKNOWN)]))[0]["members"]
    assert (member["value"], member["due"]) == ("NaN", "Infinity")


def test_a_screen_is_told_what_every_line_is_about() -> None:
    """The lines that as_text prints; an opened term has a line for every factor, with its verdict."""
    assert "\n".join(line.text for line in told(WRONG, 100)) == as_text(WRONG, 100)
    factors = WRONG.members[0].terms[1].factors
    lines = told(WRONG, 100, opened=lambda key, _term: key == (0, 1))
    assert [line.part for line in lines if len(line.key) == 3] == list(factors)
    assert [line.key for line in lines if line.part in WRONG.members[0].terms] == [(0, 0), (0, 1)]


@pytest.mark.parametrize("width", [36, 80])
def test_arrays_stand_below_where_there_is_no_room_beside(width: int) -> None:
    """Every line fits; true and written are still told."""
    verdict = judge(load("vectors"), "dE/dW = outer(dE/dz_1, s_0) + dE/ds_0 + W * dE/dz_1")
    lines = [line.text for line in told(verdict, width)]
    assert all(cells(line) <= width for line in lines)
    assert any(line.startswith("     true     [") for line in lines) == (width == 36)
