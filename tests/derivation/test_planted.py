"""The generator of true derivations and planted mistakes is itself right, and the judge holds against a few of them."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.derivations import DIALECTS, Known, derivations
from benchmarks.learners import random_session
from benchmarks.planted import PLANTS, Case, planted, written
from oracles.formula_values import Worth

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

SESSIONS = [load("question"), random_session(0, vectors=False), random_session(4, vectors=True)]


def cases_of(session: Session) -> list[Case]:
    known, rng = Known(session), np.random.default_rng(5)
    found = []
    for derivation in derivations(session, 5, known):
        true = written(known, derivation, derivation.member, rng)
        assert true is not None
        found += [true, *planted(known, derivation, rng, tries=1)]
    return found


CASES = [case for session in SESSIONS for case in cases_of(session)]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_totals_by_dense_jacobians_are_the_gradient(session: Session) -> None:
    """What the generator takes for the truth is what the engine computes."""
    trace = session.trace()
    loss = trace.unrolled.network.loss_name, None if trace.unrolled.has_total else int(trace.unrolled.loss_times[0])
    worth = Worth(trace, local=False)
    for name, gradient in trace.gradient.items():
        np.testing.assert_allclose(
            worth.total(loss, (name, None)).reshape(gradient.shape), gradient, rtol=1e-10, atol=1e-15
        )


def test_every_dialect_and_every_mistake_occurs() -> None:
    """Nothing is left out because a condition is never met."""
    assert {case.dialect for case in CASES} == set(DIALECTS)
    assert {case.kind for case in CASES} == {"", "layout", *PLANTS}


def test_the_judge_tells_true_from_planted() -> None:
    """A part of what `tests/benchmarks/planted.py` prints; no exception is allowed here."""
    chosen = np.random.default_rng(1).permutation(len(CASES))[:60]
    for case in (CASES[i] for i in chosen if CASES[i].kind != "layout"):
        assert (judge(case.session, case.text).outcome == "right") == (case.kind == ""), case.text
