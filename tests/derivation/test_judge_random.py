"""Random networks: no planted mistake is judged right, no true derivation wrong; both agree with untied differences.

The figures over many networks are printed by `python -m benchmarks.planted`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from benchmarks.derivations import Known, derivations
from benchmarks.learners import random_session
from benchmarks.planted import Case, located, named, planted, written

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session

SEEDS = range(2)
SLIPS = [
    ("slope missing", "ds1/ds0 = w"),
    ("only the last step", "dE/dw = dE/do * do/dq * v * ds1/dz1 * s0"),
    ("weight missing", "dE/dw = dE/do * do/dq * v * ds1/dz1 * (s0 + ds0/dz0*s[-1])"),
    ("only the deepest path", "dE/dw = dE/do * do/dq * v * ds1/dz1 * w*ds0/dz0*s[-1]"),
    ("index off by one", "dE/dw = dE/do * do/dq * v * ds1/dz1 * (s1 + w*ds0/dz0*s0)"),
    ("slope missing", "dE/dw = dE/do * do/dq * v * (ds1/dz1*s0 + w*ds0/dz0*s[-1])"),
]


def cases(seed: int, *, vectors: bool) -> list[Case]:
    """True derivations of one network in several dialects, and mistakes planted in them."""
    session = random_session(seed, vectors=vectors)
    rng = np.random.default_rng([7, seed])
    known = Known(session)
    found: list[Case] = []
    for derivation in list(derivations(session, seed, known))[::4]:
        true = written(known, derivation, derivation.member, rng)
        assert true is not None
        found += [true, *planted(known, derivation, rng)]
    return found


@pytest.mark.parametrize("vectors", [False, True], ids=["scalars", "vectors"])
@pytest.mark.parametrize("seed", SEEDS)
def test_mistakes_are_found_and_true_derivations_stand(seed: int, vectors: bool) -> None:
    """Never the wrong way round; nearly always at the right term and by name."""
    counts: Counter[str] = Counter()
    for case in cases(seed, vectors=vectors):
        verdict = judge(case.session, case.text)
        if not case.kind:
            assert verdict.holds, (case.text, verdict.sentence)
        elif case.kind != "layout":
            assert not verdict.holds, case.text
            counts["all"] += 1
            counts["located"] += located(case, verdict)
            counts["named"] += named(case, verdict)
    assert counts["all"] > 10
    assert counts["located"] >= 0.9 * counts["all"]
    assert counts["named"] >= 0.8 * counts["all"]


def scalars(seed: int, function: str) -> Session:
    """The network of the question with random numbers."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 5))
    return Session(
        equations=(
            "a = u * x[t]", "b = w * s[t-1]", "z = a + b", f"s = {function}(z)", "q = v * s", "o = softmax(q)",
            "E = cross_entropy(o, y)",
        ),
        parameters={"u": rng.normal(), "w": rng.normal(), "v": rng.normal(size=classes)},
        inputs={"x": rng.normal(size=2)},
        initial={"s": rng.normal()},
        constants={"y": int(rng.integers(classes))},
    )  # fmt: skip


@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kind", "formula"), SLIPS)
def test_the_slips_of_the_question_are_named_whatever_the_numbers(
    seed: int, function: str, kind: str, formula: str
) -> None:
    """On random scalar networks, tanh and sigmoid."""
    (member,) = judge(scalars(seed, function), formula).members
    assert member.outcome == "wrong"
    assert {slip.kind for slip in member.slips} == {kind}


@pytest.mark.parametrize("seed", range(4))
def test_a_slip_is_named_by_its_number_alone(seed: int) -> None:
    """The value that the wrong formula has, to ten digits."""
    session = scalars(seed, "tanh")
    for kind, formula in SLIPS[1:]:
        (wrong,) = judge(session, formula).members
        assert wrong.value is not None
        (member,) = judge(session, f"dE/dw = {wrong.value.item():.10g}").members
        assert member.outcome == "wrong"
        assert [slip.kind for slip in member.slips] == [kind]


@pytest.mark.parametrize("seed", range(6))
def test_the_value_due_is_that_of_differences(seed: int) -> None:
    """`due` is the slope of the loss itself, taken with the loss alone."""
    session = scalars(seed, "tanh")
    (member,) = judge(session, "dE/dw = dE/dw_0 + dE/dw_1").members

    def loss(w: float) -> float:
        return session.replace(parameters={**session.parameters, "w": w}).trace().loss

    w, h = float(session.parameters["w"]), 1e-5
    slope = (loss(w + h) - loss(w - h)) / (2 * h)
    assert member.due is not None and member.value is not None
    np.testing.assert_allclose([member.due.item(), member.value.item()], slope, rtol=1e-5, atol=1e-9)
