"""Forks, totals, compound equations, vectors, and numbers that go wrong: how they are shown."""

from __future__ import annotations

import numpy as np
import pytest
from seen import everything, known, make

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.transcript import text_of
from bptt_tui.debugger.view import ABSENT, NOT_YET
from bptt_tui.session import load

SCALAR = ("z = u * x[t] + w * s[t-1]", "s = tanh(z)")


def test_a_compound_equation_is_one_node_with_its_own_partials() -> None:
    """z = u·x + w·s₋ + k: ∂z₁/∂w = s₀, ∂z₁/∂s₀ = w, ∂z₁/∂k = 1, with their numbers."""
    debugger = Debugger(load("answer"))
    view = debugger.do("goto z[1]")
    shown = {factor.title: (factor.symbol, factor.value.item()) for factor in view.pane.partials}
    s0 = np.tanh(0.8 * 0.5 + 0.6 * 0.3 - 0.35)
    assert shown == {
        "∂z₁/∂u₁": ("x₁", -1.0),
        "∂z₁/∂x₁": ("u", 0.8),
        "∂z₁/∂w₁": ("s₀", pytest.approx(s0, rel=1e-15)),
        "∂z₁/∂s₀": ("w", 0.6),
        "∂z₁/∂k₁": ("1", 1.0),
    }
    assert view.pane.substituted.startswith("z₁ = 0.8·(-1) + 0.6·0.226028 + (-0.35) = ")
    debugger.do("goto dE/dz[1]")
    assert [debugger.do("next").pane.title for _ in range(4)] == ["∂E/∂u₁", "∂E/∂w₁", "∂E/∂k₁", "∂E/∂s₀"]


def test_a_fork_takes_one_factor_for_each_inflow() -> None:
    """s₁ feeds q₁ and b₂: "1 of 2", then "2 of 2", and only then is ∂E/∂s₁ known."""
    debugger = Debugger(load("many-to-many"))
    before = debugger.do("goto v[1]")
    assert (before.position, before.factors) == (37, 2)
    half = debugger.do("step")
    assert (half.position, half.factor, half.factors, half.t) == (37, 1, 2, 1)
    first, second = half.pane.inflows
    assert (first.number, first.of, first.factor.consumer.label, first.factor.current) == (1, 2, "q₁", True)
    assert (second.factor.consumer.label, second.product, second.factor.running) == ("b₂", NOT_YET, NOT_YET)
    assert half.pane.adjoint is NOT_YET
    assert (half.pane.of_total, text_of(half.pane.so_far)) == ("1 of 2", "0.565908")
    assert (half.chain.note, half.chain.factors(9)[-1].title) == ("through inflow 1 of 2", "∂q₁/∂s₁")
    assert [edge.taken for edge in half.graph.edges()] == [True, False, False]
    whole = debugger.do("step")
    assert (whole.position, whole.factor, whole.pane.of_total) == (38, 0, "2 of 2")
    assert (whole.chain.note, whole.chain.factors(9)[-1].title) == ("through inflow 2 of 2", "∂b₂/∂s₁")
    assert [text_of(inflow.product) for inflow in whole.pane.inflows] == ["0.565908", "-0.362266"]
    assert text_of(whole.pane.adjoint) == text_of(whole.pane.so_far) == "0.203642"
    assert everything(debugger.do("step back")) == everything(half)
    assert debugger.do("rewind").factor == 0 and debugger.view.position == 37


def test_the_running_product_restarts_from_the_sum_at_a_fork() -> None:
    """Below s₁ the factor is applied to both inflows' sum; `branches` says that there were two."""
    debugger = Debugger(load("many-to-many"))
    factor = debugger.do("goto dE/dz[1]").chain.factors(9)[-1]
    assert (factor.title, factor.branches) == ("∂s₁/∂z₁", 2)
    assert float(factor.running) == pytest.approx(0.203642 * 0.796279, rel=1e-5)


def test_the_chain_goes_up_through_the_recurrence() -> None:
    """Where a path forks above the current node it takes the last inflow: from a₀ up to the last loss, E₂."""
    chain = Debugger(load("many-to-many")).do("goto dE/da[0]").chain
    assert [factor.title for factor in chain.factors(30)] == (
        "∂E/∂E₂ ∂E₂/∂o₂ ∂o₂/∂q₂ ∂q₂/∂s₂ ∂s₂/∂z₂ ∂z₂/∂b₂ ∂b₂/∂s₁ ∂s₁/∂z₁ ∂z₁/∂b₁ ∂b₁/∂s₀ ∂s₀/∂z₀ ∂z₀/∂a₀".split()
    )
    assert (chain.note, chain.complete) == ("", True)


def test_several_losses_make_a_total_node() -> None:
    """E = E₀ + E₁ + E₂ is the last node forward and the first backward."""
    debugger = Debugger(load("many-to-many"))
    view = debugger.do("goto 22")
    assert (view.pane.title, view.pane.equation, view.t) == ("E", "E = E₀ + E₁ + E₂", None)
    assert view.pane.substituted == "E = 0.315132 + 0.353603 + 0.436143 = 1.10488"
    assert view.graph.rows[0] == "ΣE"
    assert (view.graph.cell(0, 0), view.graph.cell(0, 2).current) == (ABSENT, True)
    assert float(view.loss) == float(view.graph.cell(0, 2).value)
    back = debugger.do("next")
    assert (back.pane.title, float(back.pane.adjoint), back.pane.remarks[0]) == (
        "∂E/∂E", 1.0, "the backward pass starts here: ∂E/∂E = 1",
    )  # fmt: skip
    step = debugger.do("next")
    assert (step.pane.title, step.pane.inflows[0].factor.symbol) == ("∂E/∂E₂", "1")


def test_a_mean_gives_each_loss_its_share() -> None:
    """∂E/∂E_t = 1/n, shown as 1/3 and in numbers."""
    session = load("many-to-many").replace(expected=None)
    mean = session.replace(loss=type(session.loss)(at="every", reduction="mean"))
    debugger = Debugger(mean)
    view = debugger.do("goto 22")
    assert view.pane.equation == "E = (E₀ + E₁ + E₂)/3"
    factor = debugger.do("goto dE/dE[1]").pane.inflows[0].factor
    assert (factor.title, factor.symbol, factor.latex) == ("∂E/∂E₁", "1/3", r"\frac{1}{3}")
    assert float(factor.running) == factor.value.item() == 1 / 3
    thirds = np.asarray(debugger.do("end").contributions.so_far(0)) * 3
    np.testing.assert_allclose(thirds, session.trace().gradient["u"], rtol=1e-14)


def test_many_losses_are_not_all_written_out() -> None:
    """E = E₀ + … + E₉."""
    debugger = make(*SCALAR, "E = s * s", at="every", parameters={"u": 1.0, "w": 0.5}, initial={"s": 0.1},
                    inputs={"x": [0.1] * 10})  # fmt: skip
    debugger.do(f"goto {debugger.view.forward_steps}")
    assert debugger.view.pane.equation == "E = E₀ + … + E₉"


def test_listed_losses_leave_the_others_out() -> None:
    """A loss at t = 0 and 2: E₁ is absent, and so is what only it would need."""
    debugger = make(*SCALAR, "q = v * s", "E = q * q", at=(0, 2), parameters={"u": 1.0, "w": 0.5, "v": 2.0},
                    initial={"s": 0.1}, inputs={"x": [0.1, 0.2, 0.3]})  # fmt: skip
    view = debugger.do("end")
    assert view.graph.rows == ("ΣE", "E", "q", "s", "z")
    assert [view.graph.cell(1, t) is ABSENT for t in range(3)] == [False, True, False]
    assert [view.graph.cell(3, t) is ABSENT for t in range(3)] == [False, False, False]
    assert view.contributions.progress(2) == (2, 2)


def test_vectors_show_jacobians_with_their_shapes() -> None:
    """∂b₁/∂W₁ is 3×9, the recurrence is W itself, and a 0 of the structure is a plain 0."""
    debugger = Debugger(load("vectors"))
    factors = {factor.title: factor for factor in debugger.do("goto b[1]").pane.partials}
    by_w, by_s = factors["∂b₁/∂W₁"], factors["∂b₁/∂s₀"]
    assert (by_w.shape, by_w.symbol, by_w.value.shape) == ((3, 9), "I ⊗ s₀ᵀ", (3, 9))
    assert (by_s.shape, by_s.symbol) == ((3, 3), "W")
    np.testing.assert_array_equal(by_s.value, load("vectors").parameters["W"])
    assert not np.signbit(by_w.value[by_w.value == 0]).any()
    term = debugger.do("goto W[1]").pane
    assert term.adjoint.shape == (3, 3)
    assert term.prediction.startswith("nudging entry 1, 0 of W₁ alone by +0.001 changes E by ")


def test_a_jacobian_too_large_to_write_out_is_left_out() -> None:
    """70 × 70·70 entries: the formula stands, the numbers do not, the product does."""
    n = 70
    debugger = make(
        "s = tanh(W @ s[t-1])", "E = sum(s)", parameters={"W": np.eye(n)}, initial={"s": np.ones(n)}, steps=2
    )
    factor = debugger.do("goto W[0]").pane.inflows[0].factor
    assert (factor.value, factor.shape, factor.running.shape) == (None, (n, n * n), (n, n))


def test_one_logit_says_that_nothing_can_be_learnt() -> None:
    """The remark stands at every position, and every gradient is 0."""
    debugger = Debugger(load("one-logit"))
    for position in (0, 5, debugger.last):
        (remark,) = debugger.do(f"goto {position}").remarks
        assert "every gradient is exactly 0" in remark
    assert not any(np.any(debugger.view.contributions.so_far(row)) for row in range(3))


def test_a_scalar_logit_keeps_its_edge() -> None:
    """∂o/∂q = 0 is an inflow like any other: the pass does not seem to start again at q."""
    debugger = make(*SCALAR, "q = v * s", "o = softmax(q)", "E = cross_entropy(o, y)",
                    parameters={"u": 0.8, "w": 0.6, "v": 1.2}, initial={"s": 0.3}, inputs={"x": [0.5, -1.0]},
                    constants={"y": 0})  # fmt: skip
    assert "every gradient is exactly 0" in debugger.view.remarks[0]
    pane = debugger.do("goto dE/dq").pane
    assert [(i.factor.title, i.factor.symbol, float(i.product)) for i in pane.inflows] == [("∂o/∂q", "0", 0.0)]
    assert not any("starts here" in remark for remark in pane.remarks)


def test_a_one_logit_softmax_beside_others_claims_no_more_than_is_true() -> None:
    """Where the loss reads something else too, gradients are not all 0, and nobody says so."""
    debugger = make(*SCALAR, "o = softmax(s)", "E = o + s * s", parameters={"u": 0.8, "w": 0.6}, initial={"s": 0.3},
                    inputs={"x": [0.5, -1.0]})  # fmt: skip
    assert debugger.view.remarks == (
        "o takes the softmax of one logit, which is the constant 1: no gradient passes through it",
    )
    assert float(debugger.do("end").contributions.so_far(0)) != 0


def test_a_zero_partial_is_shown_as_zero() -> None:
    """Multiplying by 0 is an edge with partial 0, not a missing one."""
    debugger = make("s = 0 * u + w", "E = s * s", parameters={"u": 1.0, "w": 2.0}, steps=1)
    pane = debugger.do("goto u[0]").pane
    assert [(inflow.factor.symbol, float(inflow.product)) for inflow in pane.inflows] == [("0", 0.0)]
    assert float(pane.adjoint) == 0.0


def test_a_loss_that_feeds_itself_is_only_a_loss_where_it_is_listed() -> None:
    """E reads E[t-1]: at a step that is no loss it has one inflow, from its successor, and none from the total."""
    debugger = make("s = w * s[t-1]", "E = E[t-1] / 2 + s", at=(1, 3), parameters={"w": 0.6},
                    initial={"s": 1.0, "E": 0.0}, steps=4)  # fmt: skip
    through = [[i.factor.consumer.label for i in debugger.do(f"goto dE/dE[{t}]").pane.inflows] for t in (3, 2, 1, 0)]
    assert through == [["E"], ["E₃"], ["E₂", "E"], ["E₁"]]


def test_a_fused_loss_inside_a_sum_names_its_own_target() -> None:
    """E = cross_entropy(o, y) + s²: the remark speaks of o − y, not of the rest of the equation."""
    debugger = make("s = tanh(w * s[t-1])", "q = v * s", "o = softmax(q)", "E = s * s + cross_entropy(o, y)",
                    parameters={"w": 0.6, "v": [1.0, 2.0]}, initial={"s": 0.3}, constants={"y": 1},
                    steps=1)  # fmt: skip
    (remark,) = debugger.do("goto dE/dq").pane.remarks
    assert "softmax and cross_entropy are pulled back in one piece, as o − y:" in remark
    inside = make("q = v * w", "E = cross_entropy(softmax(q), y)", parameters={"w": 0.6, "v": [1.0, 2.0]},
                  constants={"y": 1}, steps=1)  # fmt: skip
    (remark,) = inside.do("goto dE/dq").pane.remarks
    assert "as softmax(q) − y:" in remark


def test_a_logit_gap_of_800_gives_no_nan() -> None:
    """∂E/∂o overflows, ∂E/∂q does not: o − y is computed, and the remark says so."""
    debugger = make("q = v * w", "o = softmax(q)", "E = cross_entropy(o, y)", parameters={"w": 1.0, "v": [800.0, 0.0]},
                    constants={"y": 1}, steps=1)  # fmt: skip
    np.testing.assert_array_equal(debugger.do("goto dE/dq").pane.adjoint, [1.0, -1.0])
    assert float(debugger.view.loss) == 800.0


@pytest.mark.parametrize(
    ("equation", "w", "flag", "words"),
    [
        ("s = tanh(w * s[t-1])", 50.0, "saturated", "is saturated, its slope is 0 or nearly (t = 0)"),
        ("s = sigmoid(w * s[t-1])", -800.0, "underflow", "is too small for any number but 0"),
        ("s = exp(w * s[t-1])", -740.0, "subnormal", "is below the smallest normal number, where digits are lost"),
        ("s = exp(w * s[t-1])", 800.0, "overflow", "is infinite, beyond the largest number (t = 0)"),
        ("s = log(w * s[t-1])", -1.0, "nan", "is not a number (t = 0)"),
        ("s = tanh(w * s[t-1])", 0.5, "ok", ""),
    ],
)  # fmt: skip
def test_the_node_where_numbers_go_wrong_is_flagged(equation: str, w: float, flag: str, words: str) -> None:
    """In the graph by a flag, in the pane by a sentence with the timestep."""
    view = make(equation, "E = s * s", parameters={"w": w}, initial={"s": 1.0}, steps=1).do("next")
    assert view.graph.cell(1, 0).flag == flag
    assert any(words in remark for remark in view.pane.remarks) if words else view.pane.remarks == ()


def test_a_later_trouble_names_the_first() -> None:
    """Not a number at t = 3 came from t = 2: the View says so from there on, and not before."""
    debugger = make("s = log(s[t-1] - u)", "E = s * s", parameters={"u": 1.0}, initial={"s": 5.0}, steps=4)
    assert debugger.do("goto s[1]").remarks == ()
    assert debugger.do("goto s[2]").pane.remarks == ("s₂ is not a number (t = 2)",)
    assert debugger.do("goto s[3]").pane.remarks == ("s₃ is not a number (t = 3)",)
    assert debugger.view.remarks == ("first NaN: s₂ (t = 2)",)


def test_a_product_that_underflows_going_backward_is_named() -> None:
    """Two tiny factors, neither 0, whose product is 0."""
    debugger = make("a = w * u", "b = v * a", "E = v * b", parameters={"u": 1.0, "v": 1e-170, "w": 1e-200}, steps=1)
    assert debugger.do("goto dE/da").pane.remarks == (
        "inflow 1 underflows to 0: ∂b/∂a is not 0, nor what it is multiplied with",
    )
    assert not debugger.do("goto dE/db").pane.remarks


def test_a_parameter_the_loss_does_not_depend_on_has_nothing_to_sum() -> None:
    """No use, no term, no "not yet" that would never end."""
    debugger = make(
        "d = v * v", "s = w * s[t-1]", "E = s * s", parameters={"w": 0.5, "v": 2.0}, initial={"s": 1.0}, steps=2
    )
    table = debugger.do("end").contributions
    assert (table.rows, table.progress(1), table.so_far(1), table.cell(1, 0)) == (("w", "v"), (0, 0), ABSENT, ABSENT)
    assert "d" not in debugger.view.graph.rows


def test_a_parameter_used_twice_at_a_timestep_has_one_term_with_two_inflows() -> None:
    """w read by two equations: the use comes after the last of them, and its two inflows add up."""
    debugger = make("a = w * x[t]", "b = w * a", "E = b * b", parameters={"w": 0.5}, inputs={"x": [3.0]})
    view = debugger.do("goto w[0]")
    assert (view.position, view.factor, [i.factor.consumer.label for i in view.pane.inflows]) == (7, 0, ["b", "a"])
    assert float(view.pane.adjoint) == pytest.approx(4 * 0.5**3 * 9)
    half = debugger.do("step back")
    assert (half.pane.adjoint, half.contributions.cell(0, 0).value, known(half.pane.inflows[0].product)) == (
        NOT_YET, NOT_YET, True,
    )  # fmt: skip


def test_initial_columns_reach_as_far_back_as_is_read() -> None:
    """s[t-2] opens columns -1 and -2 with the values given for them."""
    view = make("s = w * s[t-2]", "E = s", parameters={"w": 0.5}, initial={"s": [3.0, 4.0]}, steps=3).view
    row = view.graph.rows.index("s")
    assert view.graph.first == -2
    assert [(view.graph.cell(row, t).ref.label, float(view.graph.cell(row, t).value)) for t in (-2, -1)] == [
        ("s₋₂", 3.0), ("s₋₁", 4.0),
    ]  # fmt: skip
    assert view.graph.cell(view.graph.rows.index("E"), -1) is ABSENT
