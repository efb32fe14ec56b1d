"""Whatever can be read is judged, or refused with a place: no formula ends in a traceback."""

from __future__ import annotations

import random

import pytest
from formula_trees import Trees
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.derivation.formulas.tree import Partial
from bptt_tui.derivation.formulas.writing import Writer
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.lines import as_text
from bptt_tui.errors import FormulaError
from bptt_tui.session import load

SESSIONS = {name: load(name) for name in ("question", "vectors", "many-to-many", "lstm", "min-char-rnn", "two-layers")}
SCOPES = {name: Scope.of(session) for name, session in SESSIONS.items()}


@settings(max_examples=150)
@given(st.sampled_from(sorted(SESSIONS)), st.integers(0, 10**6))
def test_any_formula_has_a_verdict(name: str, seed: int) -> None:
    trees, writer = Trees(SCOPES[name], seed), Writer(SCOPES[name])
    partials = (part for _ in range(20) for part in walk(trees.tree(3)) if isinstance(part, Partial))
    left = next(partials, None)
    if left is None:
        return
    text = f"{writer.write(left)} = {writer.write(trees.tree(random.Random(seed).choice([1, 2, 3])))}"
    try:
        assert as_text(judge(SESSIONS[name], text))
    except FormulaError as error:
        assert error.reason


@pytest.mark.parametrize(
    ("name", "formula", "outcome"),
    [
        ("question", "ds_0/dE = 0", "right"),
        ("many-to-many", "dE_0/dE = 0", "right"),
        ("question", "dE/dE = 1", "right"),
        ("many-to-many", "db_0/du = 0", "right"),
        ("many-to-many", "db_0/du = a_1", "wrong"),
        ("vectors", "ds_0/dc = s_0", "wrong"),
        ("question-sigmoid", "dq/db_1 = sum(dE/dq)", "wrong"),
        ("lstm", "dg_1/dv_0 = df_1/dc_1", "wrong"),
    ],
)
def test_partials_along_no_path(name: str, formula: str, outcome: str) -> None:
    assert judge(load(name), formula).outcome == outcome
