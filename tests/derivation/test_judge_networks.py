"""Formulas about networks people train, right and wrong: vectors, gates, several losses, several layers."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.judging.judge import judge
from bptt_tui.session import Session, load

RIGHT = [
    ("vectors", "dE/dW = dE/db_2 * db_2/dW_2 + dE/db_1 * db_1/dW_1 + dE/db_0 * db_0/dW_0"),
    ("vectors", "dE/dW = sum_t dE/db_t^T * s_{t-1}^T"),
    ("vectors", "dE/dW = sum_t dE/db_t * s_{t-1}^T"),
    ("vectors", "dE/dW = sum_t outer(dE/db_t, s_{t-1})"),
    ("vectors", "dE/ds_1 = W^T * dE/db_2"),
    ("vectors", "dE/ds_1 = dE/db_2 * W"),
    ("vectors", "dE/ds_1 = W^T (dE/ds_2 ⊙ (1 - s_2^2))"),
    ("vectors", "dE/ds_1 = dE/ds_2 * diag(1 - s_2^2) * W"),
    ("vectors", "dE/ds_1 = W^T (V^T (o - y) ⊙ (1 - s_2^2))"),
    ("vectors", "dE/dV = (o - y) s_2^T"),
    ("vectors", "dE/dk = sum_t dE/dz_t"),
    ("vectors", "db_2/dW_2 = I ⊗ s_1^T"),
    ("vectors", "dz_2/da_2 = I"),
    ("vectors", "ds_2/ds_0 = ds_2/ds_1 * ds_1/ds_0"),
    ("vectors", "ds_2/ds_1 = diag(1 - s_2^2) W"),
    ("many-to-many", "dE/dw = sum_t sum_k dE_t/ds_t ds_t/ds_k ∂⁺s_k/∂w"),
    ("many-to-many", "dE/dw = sum_t dE_t/dw"),
    ("many-to-many", "dE/dw = sum_t dE/ds_t (1-s_t^2) s_{t-1}"),
    ("many-to-many", "dE/ds_1 = dE_1/ds_1 + dE_2/ds_2 * ds_2/ds_1"),
    ("many-to-many", "dE_2/dw = dE_2/ds_2 * ds_2/dw"),
    ("many-to-many", "ds_2/dw = (1-s_2^2) (s_1 + w ds_1/dw)"),
    ("lstm", "dE/dWf = sum_t dE/df_t * df_t/dWf_t"),
    ("lstm", "dE/dc_3 = dE/dc_4 ⊙ f_4 + dE/dh_3 ⊙ o_3 ⊙ (1 - tanh(c_3)^2)"),
    ("lstm", "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ f_t ⊙ (1 - f_t)) v_t^T"),
    ("min-char-rnn", "dh_1/dh_0 = diag(1-h_1^2) Whh"),
    ("min-char-rnn", "dloss/dWhh = sum_t (dloss/dh_t ⊙ (1-h_t^2)) h_{t-1}^T"),
    ("min-char-rnn", "dloss/dh_1 = Why^T (p_1 - target_1) + Whh^T (dloss/dh_2 ⊙ (1-h_2^2))"),
    ("product-slip", "dz_1/da_1 = b_1"),
    ("lstm", "dc_4/dc_3 = f_4"),
    ("two-layers", "dE/dw = sum_t dE/dg_t dg_t/dw"),
    ("gru", "dE/dh_3 = dE/dh_4 * dh_4/dh_3"),
    ("question", "dE/dw = (o - y) * v * (1-s1^2) * (s0 + w*(1-s0^2)*s[-1])"),
    ("question", "dE/do = -y/o"),
    ("question", "do/dq = diag(o) - o*o^T"),
]
# The slip told, and where: the timestep of the wrong term, None where the left side is no sum over uses.
WRONG = [
    ("vectors", "dE/ds_1 = dE/db_2 * W^T", "transposed"),
    ("vectors", "dE/ds_1 = W^T (V (o - y) ⊙ (1 - s_2^2))", "transposed"),
    ("vectors", "dE/ds_0 = dE/ds_2 * ds_1/ds_0 * ds_2/ds_1", "order"),
    ("vectors", "dE/dV = s_2 (o - y)^T", "outer product turned"),
    ("vectors", "ds_2/ds_1 = W", "slope missing"),
    ("vectors", "ds_2/ds_1 = diag(1 - s_1^2) W", "other timestep"),
    ("vectors", "dE/dU = dE/dz_2 * x_2^T", "only the last step"),
    ("vectors", "dE/dc = (o - y) * do/dq", "softmax twice"),
    ("many-to-many", "dE/ds_1 = (o_1 - y_1) v + dE/ds_2 w", "slope missing"),
    ("many-to-many", "dE/dw = sum_t dE_t/ds_t (1-s_t^2) s_{t-1}", "factor wrong"),
    ("lstm", "dE/dc_3 = dE/dc_4 ⊙ f_3 + dE/dh_3 * o_3 * (1 - tanh(c_3)^2)", "index off by one"),
    ("lstm", "dE/dWf = sum_t (dE/dc_t ⊙ c_t ⊙ f_t ⊙ (1 - f_t)) v_t^T", "index off by one"),
    ("lstm", "dE/dWf = sum_t (dE/dc_t ⊙ c_{t-1} ⊙ (1 - f_t^2)) v_t^T", "slopes swapped"),
    ("lstm", "dE/dh_2 = dE/dh_3 * dh_3/dh_2", "path missing"),
    ("lstm", "dc_4/dc_3 = f_3", "index off by one"),
    ("lstm", "dE/dbg = sum_t dE/dc_t ⊙ i_t ⊙ g_t ⊙ (1 - g_t)", "slopes swapped"),
    ("gru", "dh_4/dh_3 = diag(z_4)", "path missing"),
    ("two-layers", "dE/du = sum_t dE_t/dh_t dh_t/dg_t (1-g_t^2) x_t", "path missing"),
    ("question", "ds_1/ds_0 = σ'(z_1) w", "slopes swapped"),
    ("min-char-rnn", "dloss/dbh = sum_t dloss/dh_t", "slope missing"),
    ("min-char-rnn", "dloss/dh_2 = Why^T (p_2 - target_2) + (1-h_3^2) ⊙ Whh^T dloss/dh_3", "order"),
    ("min-char-rnn", "dh_1/dh_0 = Whh", "slope missing"),
    ("min-char-rnn", "dloss/dWhh = sum_t (dloss/dh_t) h_{t-1}^T", "slope missing"),
    ("min-char-rnn", "dloss/dh_1 = Why^T (p_1 - target_1) + Whh (dloss/dh_2 ⊙ (1-h_2^2))", "transposed"),
]


@pytest.mark.parametrize(("name", "formula"), RIGHT)
def test_a_true_formula_is_right(name: str, formula: str) -> None:
    """In whichever layout and reading it is written."""
    verdict = judge(load(name), formula)
    assert verdict.holds, verdict.sentence


@pytest.mark.parametrize(("name", "formula", "kind"), WRONG)
def test_a_wrong_formula_shows_its_slip(name: str, formula: str, kind: str) -> None:
    """One slip, named once, also where every term of a sum shows it."""
    (member,) = judge(load(name), formula).members
    assert member.outcome == "wrong"
    assert [slip.kind for slip in member.slips] == [kind], member.sentence


@pytest.mark.parametrize(
    ("name", "formula", "readings"),
    [
        ("many-to-many", "ds_2/dw = (1-s_2^2) s_1", ("∂s₂/∂w with s₁ held",)),
        ("many-to-many", "dE_2/dw = dE_2/ds_2 * ds_2/dw", ("∂s₂/∂w in total, through the timesteps before",)),
        ("vectors", "dE/ds_1 = W^T * dE/db_2", ("gradients in the shape of what they are by",)),
        ("vectors", "dE/ds_1 = dE/db_2 * W", ()),
    ],
)
def test_the_reading_that_holds_is_named(name: str, formula: str, readings: tuple[str, ...]) -> None:
    """Where there was a choice, and only there."""
    (member,) = judge(load(name), formula).members
    assert member.readings == readings


def test_what_cannot_be_multiplied_gets_a_ledger() -> None:
    """Every factor's shape, where it breaks, and what would fit and why."""
    (member,) = judge(load("vectors"), "dE/dU = sum_t dE/dz_t * x_t").members
    assert member.outcome == "shapes" and member.ledger is not None
    assert [(line.written, line.shape, line.breaks) for line in member.ledger.lines] == [
        ("∂E/∂z₀", (3, 1), False),
        ("x₀", (2, 1), True),
    ]
    assert member.ledger.advice == "∂E/∂z₀·x₀ᵀ is right: 3×1 · 1×2 gives 3×2, the shape of ∂E/∂U"


def test_terms_stand_beside_the_losses_where_they_are_written_so() -> None:
    """∂E/∂w as a sum over losses, one of them forgotten."""
    (member,) = judge(load("many-to-many"), "dE/dw = dE_2/dw + dE_1/dw").members
    assert [(term.of, term.outcome) for term in member.terms] == [
        ("∂E₂/∂w", "right"),
        ("∂E₁/∂w", "right"),
        ("∂E₀/∂w", "missing"),
    ]


def relu() -> Session:
    """A network with a kink, every unit active at its own numbers."""
    return Session(
        equations=("z = w * s[t-1] + u * x[t]", "s = relu(z)", "E = squared_error(s, y)"),
        parameters={"w": 0.7, "u": 0.5},
        inputs={"x": [1.0, 2.0, 0.5]},
        initial={"s": 0.4},
        constants={"y": 1.0},
    )


def test_what_holds_while_every_relu_is_active_is_no_identity() -> None:
    """∂s₂/∂s₁ = w on one side of the kink only; with its slope it is right on both."""
    assert judge(relu(), "ds_2/ds_1 = relu'(z_2) * w").holds
    verdict = judge(relu(), "ds_2/ds_1 = w")
    assert verdict.outcome == "coincidence"
    assert verdict.members[0].why == "relu is on one side of its kink here: z₂ > 0"
    assert [slip.kind for slip in verdict.members[0].slips] == ["slope missing"]


def test_a_pinned_node_is_a_given_value() -> None:
    """With s₀ held there is no use before it, and the last term is all of ∂E/∂w."""
    session = load("question").replace(pins={"s[0]": 0.1}, expected=None)
    assert judge(session, "dE/dw = dE/do * do/dq * v * ds1/dz1 * s0").holds


SAID = [
    (
        "question",
        "∂E/∂w = (o−y)v(1−s₁²)(s₀ + w²(1−s₀²)s₋₁)",
        "in the t = 0 term w² stands where w belongs: the power is one too high",
    ),
    ("gru", "dE/dz_2 = dE/dh_2 ⊙ h_1", "h₁ stands where ∂h₂/∂z₂ = diag(h₁) − diag(n₂) belongs"),
    ("min-char-rnn", "dL/dp_2 = -1/p_2", "the term is wrong: ∂loss/∂p₂ = −target₂/p₂"),
    ("min-char-rnn", "dL/dWhy = Σ_t (p_t - target_t)", "in every term, as at t = 0, the factor h₀ᵀ is missing"),
    (
        "min-char-rnn",
        "dL/dWhh = Σ_t dL/dh_t ⊙ (1-h_t²)",
        "in every term, as at t = 0, the factor h₋₁ᵀ is missing",
    ),
    (
        "min-char-rnn",
        "dL/dbh = Σ_t dL/dh_t ⊙ tanh'(Wxh x_t + Whh h_{t-1})",
        "in every term, as at t = 0, tanh′(Wxh·x₀ + Whh·h₋₁) stands where ∂h₀/∂bh₀ = diag(1 − h₀²) belongs",
    ),
    (
        "lstm",
        "dE/dWo = Σ_t (dE/dh_t ⊙ tanh(c_t) ⊙ o_t ⊙ (1-o_t)) h_{t-1}^T",
        "in every term, as at t = 0, h₋₁ᵀ stands where v₀ᵀ belongs",
    ),
    (
        "gru",
        "dE/dWn = Σ_t (dE/dh_t ⊙ (1-z_t) ⊙ (1-n_t²)) concat(h_{t-1}, x_t)^T",
        "in every term, as at t = 0, concat(h₋₁, x₀)ᵀ stands where concat(r₀·h₋₁, x₀)ᵀ belongs",
    ),
    ("gru", "dh_4/dh_3 = diag(z_4)", "the paths through z₄ and n₄ are missing"),
    ("question", "dE/dq = o - 1", "o − 1 stands where ∂E/∂q = o − y belongs"),
    ("question", "dE/do = -1/o", "the term is wrong: ∂E/∂o = −y/o"),
    ("question", "dE/dw = dE/dw_1", "∂E/∂w₀ is missing, which reaches the loss through s₀"),
    ("two-layers", "dE/dv = (o_3 - y_3) h_3", "only the last timestep is there: ∂E/∂v₀, ∂E/∂v₁ and ∂E/∂v₂ are missing"),
    (
        "two-layers",
        "dE/dg_3 = dE/dh_3 p",
        "the slope 1 − h₃² is missing: h₃ = tanh(…), so it changes f′ times as much as what tanh is of",
    ),
]


@pytest.mark.parametrize(("name", "formula", "sentence"), SAID)
def test_what_is_said_is_true_and_no_circle(name: str, formula: str, sentence: str) -> None:
    """The reason names what belongs there, not the left side over again, and ways that exist."""
    verdict = judge(load(name), formula)
    assert verdict.outcome == "wrong"
    assert verdict.sentence.endswith(sentence), verdict.sentence
