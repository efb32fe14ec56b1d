"""A formula is written back in clean Unicode, and what is written reads as the same formula."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bptt_tui.derivation.formulas.reader import read
from bptt_tui.derivation.formulas.writing import write_statement
from bptt_tui.session import load


def bare(part: Any) -> Any:
    """A tree without the places in its text."""
    if isinstance(part, msgspec.Struct):
        fields = {name: bare(getattr(part, name)) for name in part.__struct_fields__ if name not in ("span", "text")}
        return type(part).__name__, fields
    return tuple(bare(one) for one in part) if isinstance(part, tuple) else part


WRITTEN = [
    ("question", r"\partial E/\partial u = \partial E/\partial u_1 + dE/du_0", "∂E/∂u = ∂E/∂u₁ + ∂E/∂u₀"),
    ("question", "dE/dw = dE/dq * v_1 * ds_1/dz_1 * (s_0 + w_1 * ds_0/dz_0 * s_{-1})",
     "∂E/∂w = ∂E/∂q·v₁·∂s₁/∂z₁·(s₀ + w₁·∂s₀/∂z₀·s₋₁)"),
    ("question", r"\frac{dL}{dw} = \sum_t \frac{dL}{dw_t}", "∂E/∂w = Σₜ ∂E/∂wₜ"),
    ("question", "dE/dw = Σ_t dE/ds_t * ∂⁺s_t/∂w", "dE/dw = Σₜ dE/dsₜ·∂⁺sₜ/∂w"),
    ("question", "dE/dw = (Σ_t dE/dw_t) + dE/dw_0", "∂E/∂w = Σₜ ∂E/∂wₜ + ∂E/∂w₀"),
    ("question", "ds_1/dz_1 = 1 - s1**2 = 1 - tanh(z_1)**2", "∂s₁/∂z₁ = 1 − s₁² = 1 − tanh(z₁)²"),
    ("question", "dE/du = -(dE/du_1 - dE/du_0) / 2 + x_1 ** (-1)", None),
    ("question", "dE/ds_1 = (o - onehot(y)).T @ v", None),
    ("question", "dE/du = 2 * (dE/du_1 / (dE/du_0 * 3)) / 4", None),
    ("question", "dE/dq = (-1/o[y]) * (diag(o) - o @ o.T)", None),
    ("vectors", "dE/dW = outer(dE/ds_1, s_0) + (ds_1/dz_1).T ⊙ s_0", None),
    ("vectors", "dE/ds_0 = dE/ds_1 @ diag(1 - s_1**2) @ W", None),
]  # fmt: skip


@pytest.mark.parametrize(("session", "text", "written"), WRITTEN)
def test_what_is_written_reads_as_the_same_formula(session: str, text: str, written: str | None) -> None:
    loaded = load(session)
    statement = read(text, loaded)
    shown = write_statement(statement, loaded)
    if written is not None:
        assert shown == written
    assert bare(read(shown, loaded)) == bare(statement), shown


def test_the_bounds_of_a_sum() -> None:
    """Numbers below and above the sign; names in brackets."""
    session = load("question")
    statement = read("dE/dw = sum_{t=0}^1 dE/ds_1 prod_{k=t+1}^{1} ds_k/ds_{k-1} s_{t-1}", session)
    assert write_statement(statement, session) == "∂E/∂w = Σₜ₌₀¹ ∂E/∂s₁·(∏_{k=t+1}^{1} ∂sₖ/∂sₖ₋₁)·sₜ₋₁"
