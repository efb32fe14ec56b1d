"""Verdicts made by hand, one of every outcome, for tests of what is told and drawn."""

from __future__ import annotations

import numpy as np

from bptt_tui.derivation.formulas.tree import Add, Formula, Moment, Partial, Statement, Value
from bptt_tui.derivation.judging.verdict import (
    FactorVerdict,
    Ledger,
    LedgerLine,
    MemberVerdict,
    Outcome,
    Slip,
    TermVerdict,
    Verdict,
)


def statement(text: str) -> Statement:
    """A statement of that text; its members are of no importance to who tells a verdict."""
    left: Formula = Partial(above=Value(name="E", t=Moment(1)), below=Value(name="w"))
    return Statement(text, (left, Add(terms=())))


def span(text: str, part: str) -> tuple[int, int]:
    at = text.index(part)
    return at, at + len(part)


def verdict(text: str, left: str, outcome: Outcome, sentence: str, *members: MemberVerdict) -> Verdict:
    return Verdict(statement(text), left, outcome, sentence, members)


def number(value: float) -> np.ndarray:
    return np.asarray(value)


RIGHT_TEXT = "dE/dw = dE/ds_1 * ds_1/dz_1 * s_0 + dE/ds_1 * ds_1/ds_0 * ds_0/dz_0 * s_{-1}"
RIGHT = verdict(
    RIGHT_TEXT, "∂E/∂w", "right", "an identity: equal at these numbers and at random ones",
    MemberVerdict(
        "right", "∂E/∂s₁·∂s₁/∂z₁·s₀ + ∂E/∂s₁·∂s₁/∂s₀·∂s₀/∂z₀·s₋₁", (8, len(RIGHT_TEXT)), "an identity",
        readings=("∂s₁/∂s₀ along every path",), value=number(-0.69421161911), due=number(-0.69421161911),
        terms=(
            TermVerdict("right", "∂E/∂w₁", 1, "∂E/∂s₁·∂s₁/∂z₁·s₀", "", span(RIGHT_TEXT, "dE/ds_1 * ds_1/dz_1 * s_0"),
                        number(-0.55523213392), number(-0.55523213392), place="dE/dw[1]"),
            TermVerdict("right", "∂E/∂w₀", 0, "∂E/∂s₁·∂s₁/∂s₀·∂s₀/∂z₀·s₋₁", "", (36, len(RIGHT_TEXT)),
                        number(-0.13897948517), number(-0.13897948517), place="dE/dw[0]"),
        ),
    ),
)  # fmt: skip

WRONG_TEXT = "dE/dw = dE/ds_1 * ds_1/dz_1 * s_0 + dE/ds_1 * w * ds_0/dz_0 * s_{-1}"
WRONG = verdict(
    WRONG_TEXT, "∂E/∂w", "wrong", "in ∂E/∂w₀ the factor ∂s₁/∂z₁ is missing",
    MemberVerdict(
        "wrong", "∂E/∂s₁·∂s₁/∂z₁·s₀ + ∂E/∂s₁·w·∂s₀/∂z₀·s₋₁", (8, len(WRONG_TEXT)),
        "in ∂E/∂w₀ the factor ∂s₁/∂z₁ is missing", value=number(-0.72976834), due=number(-0.69421161911),
        terms=(
            TermVerdict("right", "∂E/∂w₁", 1, "∂E/∂s₁·∂s₁/∂z₁·s₀", "", span(WRONG_TEXT, "dE/ds_1 * ds_1/dz_1 * s_0"),
                        number(-0.55523213392), number(-0.55523213392), place="dE/dw[1]"),
            TermVerdict("wrong", "∂E/∂w₀", 0, "∂E/∂s₁·w·∂s₀/∂z₀·s₋₁", "the term is 1.26 times too large",
                        (36, len(WRONG_TEXT)), number(-0.1745362), number(-0.13897948517),
                        (FactorVerdict("right", "∂E/∂s₁", "∂E/∂s₁", "", (36, 43), "dE/ds[1]"),
                         FactorVerdict("missing", "", "∂s₁/∂z₁", "1 − s₁²", None, "dE/dz[1]"),
                         FactorVerdict("right", "w", "∂b₁/∂s₀", "w", (46, 47), "dE/ds[0]"),
                         FactorVerdict("right", "∂s₀/∂z₀", "∂s₀/∂z₀", "1 − s₀²", (50, 59), "dE/dz[0]"),
                         FactorVerdict("right", "s₋₁", "∂b₀/∂w₀", "s₋₁", (62, 68), "dE/dw[0]")),
                        "dE/dw[0]"),
        ),
        slips=(Slip("slope missing", "f′ is left out of the recurrence: ∂s₁/∂s₀ is w·(1 − s₁²), not w"),),
    ),
)  # fmt: skip

COINCIDENCE_TEXT = "dE/dw = dE/ds_1 * ds_1/dz_1 * s_0"
COINCIDENCE = verdict(
    COINCIDENCE_TEXT, "∂E/∂w", "coincidence", "equal here, not in general, because s₋₁ = 0",
    MemberVerdict(
        "coincidence", "∂E/∂s₁·∂s₁/∂z₁·s₀", (8, len(COINCIDENCE_TEXT)), "equal here, not in general",
        value=number(-0.43), due=number(-0.43), why="s₋₁ = 0",
        terms=(
            TermVerdict("right", "∂E/∂w₁", 1, "∂E/∂s₁·∂s₁/∂z₁·s₀", "", (8, len(COINCIDENCE_TEXT)),
                        number(-0.43), number(-0.43), place="dE/dw[1]"),
            TermVerdict("missing", "∂E/∂w₀", 0, "", "the term of t = 0 is missing; here it is 0",
                        None, None, number(0.0), place="dE/dw[0]"),
        ),
        slips=(Slip("last step only", "only the last timestep's term is there"),),
    ),
)  # fmt: skip

SHAPES_TEXT = "dE/dW = W * dE/dz_1 * s_0"
SHAPES = verdict(
    SHAPES_TEXT, "∂E/∂W", "shapes", "W·∂E/∂z₁ cannot be multiplied: 3×3 by 1×3",
    MemberVerdict(
        "shapes", "W·∂E/∂z₁·s₀", (8, len(SHAPES_TEXT)), "W·∂E/∂z₁ cannot be multiplied: 3×3 by 1×3",
        ledger=Ledger(
            (LedgerLine("W", (3, 3), (8, 9)),
             LedgerLine("∂E/∂z₁", (1, 3), (12, 19), True, "3 columns before it, 1 row here"),
             LedgerLine("s₀", (3, 1), (22, 25))),
            "∂E/∂z₁ is a row, so it stands on the left: ∂E/∂z₁·W",
        ),
    ),
)  # fmt: skip

UNKNOWN_TEXT = "dE/dw = dE/ds_1 * ds_1/dw"
UNKNOWN = verdict(
    UNKNOWN_TEXT, "∂E/∂w", "unknown", "there is no number to compare: E is infinite",
    MemberVerdict("unknown", "∂E/∂s₁·∂s₁/∂w", (8, len(UNKNOWN_TEXT)), "no number to compare", why="E is infinite",
                  value=number(float("nan")), due=number(float("inf"))),
)  # fmt: skip

ALL = {one.outcome: one for one in (RIGHT, WRONG, COINCIDENCE, SHAPES, UNKNOWN)}
