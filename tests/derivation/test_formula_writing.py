"""What is written reads back as the same formula, in every style, with brackets only where they are needed."""

from __future__ import annotations

from formula_trees import Trees
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.networks import random_case

from bptt_tui.derivation.formulas.parts import bare, walk
from bptt_tui.derivation.formulas.reader import read_formula
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.derivation.formulas.tree import Partial
from bptt_tui.derivation.formulas.writing import Writer
from bptt_tui.session import load

SESSIONS = ("question", "vectors", "many-to-many", "lstm", "min-char-rnn", "answer")
SCOPES = {name: Scope.of(load(name)) for name in SESSIONS}


def round_trip(scope: Scope, seed: int) -> None:
    formula = Trees(scope, seed).tree(3)
    readings = {part.reading for part in walk(formula) if isinstance(part, Partial)}
    if "total" in readings and "immediate" not in readings:
        return  # without a ∂⁺ beside it a d says no more than a ∂
    for style in ("unicode", "plain", "latex"):
        text = Writer(scope, style).write(formula)
        assert bare(read_formula(text, scope)) == formula, text


@settings(max_examples=300)
@given(st.sampled_from(SESSIONS), st.integers(0, 10**6))
def test_bundled_networks(session: str, seed: int) -> None:
    """Random trees over the bundled networks read back as they were."""
    round_trip(SCOPES[session], seed)


@settings(max_examples=150)
@given(st.integers(0, 400), st.integers(0, 10**6))
def test_random_networks(network: int, seed: int) -> None:
    """And over random networks, whose names are u1, b_2 and θ3."""
    round_trip(Scope.of(random_case(network, longest=4).trace()), seed)
