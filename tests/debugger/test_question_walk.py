"""The walk through the question's network: every position's title, formula and number, as in question.md."""

from __future__ import annotations

import numpy as np
import pytest
from seen import known

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.transcript import text_of
from bptt_tui.debugger.view import ABSENT, NOT_YET
from bptt_tui.session import load

FORWARD = [
    # position, title, equation, numbers put in
    (1, "a₀", "a₀ = u·x₀", "a₀ = 0.8·0.5 = 0.4"),
    (2, "b₀", "b₀ = w·s₋₁", "b₀ = 0.6·0.3 = 0.18"),
    (3, "z₀", "z₀ = a₀ + b₀", "z₀ = 0.4 + 0.18 = 0.58"),
    (4, "s₀", "s₀ = tanh(z₀)", "s₀ = tanh(0.58) = 0.522665"),
    (5, "a₁", "a₁ = u·x₁", "a₁ = 0.8·(-1) = -0.8"),
    (6, "b₁", "b₁ = w·s₀", "b₁ = 0.6·0.522665 = 0.313599"),
    (7, "z₁", "z₁ = a₁ + b₁", "z₁ = -0.8 + 0.313599 = -0.486401"),
    (8, "s₁", "s₁ = tanh(z₁)", "s₁ = tanh(-0.486401) = -0.451355"),
    (9, "q", "q = v·s₁", "q = [1.2 -0.7]·(-0.451355) = [-0.5416 0.3159]"),
    (10, "o", "o = softmax(q)", "o = softmax([-0.5416 0.3159]) = [0.2978 0.7022]"),
    (11, "E", "E = cross_entropy(o, y)", "E = cross_entropy([0.2978 0.7022], 0) = 1.21118"),
]

BACKWARD = [
    # position, title, through, ∂E/∂consumer, local partial, its formula and number, the product
    (13, "∂E/∂o", "E", "1", "∂E/∂o", "−y/o", "[-3.36 0]", "[-3.357 0]"),
    (14, "∂E/∂q", "o", "[-3.357 0]", "∂o/∂q", "diag(o) − o·oᵀ", "[0.209 -0.209; -0.209 0.209]", "[-0.7022 0.7022]"),
    (15, "∂E/∂v₁", "q", "[-0.7022 0.7022]", "∂q/∂v₁", "s₁·I", "[-0.451 0; 0 -0.451]", "[0.3169 -0.3169]"),
    (16, "∂E/∂s₁", "q", "[-0.7022 0.7022]", "∂q/∂s₁", "v", "[1.2; -0.7]", "-1.33409"),
    (17, "∂E/∂z₁", "s₁", "-1.33409", "∂s₁/∂z₁", "1 − s₁²", "[0.796]", "-1.06231"),
    (18, "∂E/∂b₁", "z₁", "-1.06231", "∂z₁/∂b₁", "1", "[1]", "-1.06231"),
    (19, "∂E/∂w₁", "b₁", "-1.06231", "∂b₁/∂w₁", "s₀", "[0.523]", "-0.555232"),
    (20, "∂E/∂a₁", "z₁", "-1.06231", "∂z₁/∂a₁", "1", "[1]", "-1.06231"),
    (21, "∂E/∂u₁", "a₁", "-1.06231", "∂a₁/∂u₁", "x₁", "[-1]", "1.06231"),
    (22, "∂E/∂s₀", "b₁", "-1.06231", "∂b₁/∂s₀", "w", "[0.6]", "-0.637385"),
    (23, "∂E/∂z₀", "s₀", "-0.637385", "∂s₀/∂z₀", "1 − s₀²", "[0.727]", "-0.463265"),
    (24, "∂E/∂b₀", "z₀", "-0.463265", "∂z₀/∂b₀", "1", "[1]", "-0.463265"),
    (25, "∂E/∂w₀", "b₀", "-0.463265", "∂b₀/∂w₀", "s₋₁", "[0.3]", "-0.138979"),
    (26, "∂E/∂a₀", "z₀", "-0.463265", "∂z₀/∂a₀", "1", "[1]", "-0.463265"),
    (27, "∂E/∂u₀", "a₀", "-0.463265", "∂a₀/∂u₀", "x₀", "[0.5]", "-0.231632"),
]


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def test_at_the_start_nothing_is_computed(debugger: Debugger) -> None:
    """Position 0 knows what was given and nothing else: unknown is not zero."""
    view = debugger.view
    assert (view.position, view.last, view.forward_steps, view.phase, view.pane) == (0, 27, 11, "forward", None)
    assert view.loss is NOT_YET
    assert view.graph.rows == ("E", "o", "q", "s", "z", "b", "a")
    assert (view.graph.first, view.graph.last) == (-1, 1)
    for row, name in enumerate(view.graph.rows):
        for t in (0, 1):
            cell = view.graph.cell(row, t)
            assert cell is ABSENT if t == 0 and name in "Eoq" else cell.value is NOT_YET
    initial = view.graph.cell(3, -1)
    assert (initial.ref.label, initial.ref.kind, float(initial.value), initial.adjoint) == (
        "s₋₁",
        "initial",
        0.3,
        ABSENT,
    )
    assert [view.contributions.so_far(row) for row in range(3)] == [NOT_YET] * 3


@pytest.mark.parametrize(("position", "title", "equation", "numbers"), FORWARD)
def test_a_forward_step_shows_the_equation_with_numbers_put_in(
    debugger: Debugger, position: int, title: str, equation: str, numbers: str
) -> None:
    """`s₀ = tanh(z₀)`, then `s₀ = tanh(0.58) = 0.522665`; no gradient anywhere."""
    for _ in range(position):
        view = debugger.do("next")
    assert (view.position, view.phase, view.t) == (position, "forward", 0 if position < 5 else 1)
    assert (view.pane.title, view.pane.equation, view.pane.substituted) == (title, equation, numbers)
    assert (view.pane.inflows, view.pane.adjoint, view.chain.title) == ((), NOT_YET, "")
    assert not view.chain.factors(10)


def test_forward_local_partials(debugger: Debugger) -> None:
    """What b₁ reads, and the two partials of the product rule: ∂b₁/∂w₁ = s₀ and ∂b₁/∂s₀ = w."""
    partials = debugger.do("goto b[1]").pane.partials
    assert [(factor.title, factor.symbol, float(factor.value.item())) for factor in partials] == [
        ("∂b₁/∂w₁", "s₀", pytest.approx(0.5226654296858209, rel=1e-15)),
        ("∂b₁/∂s₀", "w", 0.6),
    ]
    assert all(factor.running is NOT_YET for factor in partials)


def test_the_backward_pass_starts_with_one(debugger: Debugger) -> None:
    """Position 12 is ∂E/∂E = 1, and says so."""
    view = debugger.do("goto 12")
    assert (view.phase, view.pane.title, float(view.pane.adjoint)) == ("backward", "∂E/∂E", 1.0)
    assert view.pane.inflows == () and not view.chain.factors(10)
    assert view.pane.remarks == ("the backward pass starts here: ∂E/∂E = 1",)


@pytest.mark.parametrize(("position", "title", "through", "above", "partial", "symbol", "number", "product"), BACKWARD)
def test_a_backward_step_shows_its_one_inflow(
    debugger: Debugger, position: int, title: str, through: str, above: str, partial: str, symbol: str, number: str,
    product: str,
) -> None:  # fmt: skip
    """∂E/∂consumer × local partial = the running product, symbol and number."""
    view = debugger.do(f"goto {position}")
    assert (view.pane.title, view.phase, view.t) == (title, "backward", 1 if position < 22 else 0)
    (inflow,) = view.pane.inflows
    factor = inflow.factor
    assert (factor.consumer.label, text_of(inflow.adjoint), factor.title) == (through, above, partial)
    assert (factor.symbol, text_of(factor.value)) == (symbol, number if number != "[1]" else "[1]")
    assert text_of(inflow.product) == text_of(view.pane.adjoint) == product
    last = view.chain.factors(30)[-1]
    assert (view.chain.title, last.title, last.current, text_of(last.running)) == (title, partial, True, product)


def test_the_chain_to_u0_is_the_questions_own_formula(debugger: Debugger) -> None:
    """∂E/∂u₀ as the learner wrote it, factor by factor, with shapes: the dimensions work, and w belongs."""
    factors = debugger.do("end").chain.factors(30)
    assert [factor.title for factor in factors] == (
        "∂E/∂o ∂o/∂q ∂q/∂s₁ ∂s₁/∂z₁ ∂z₁/∂b₁ ∂b₁/∂s₀ ∂s₀/∂z₀ ∂z₀/∂a₀ ∂a₀/∂u₀".split()
    )
    assert [factor.shape for factor in factors] == [(1, 2), (2, 2), (2, 1), *[(1, 1)] * 6]
    assert [factor.symbol for factor in factors] == (
        ["−y/o", "diag(o) − o·oᵀ", "v", "1 − s₁²", "1", "w", "1 − s₀²", "1", "x₀"]
    )
    assert factors[1].latex == r"\operatorname{diag}(o) - o o^\top"


def test_a_single_path_multiplies_out_to_the_gradient(debugger: Debugger) -> None:
    """The product of the factors' values down the one path is the adjoint or the contribution."""
    debugger.do("goto 12")
    while debugger.view.position < debugger.last:
        view = debugger.do("next")
        product = np.eye(1)
        for factor in view.chain.factors(30):
            product = product @ factor.value
            np.testing.assert_allclose(product.reshape(factor.running.shape), factor.running, rtol=1e-13)
        np.testing.assert_allclose(product.reshape(view.pane.adjoint.shape), view.pane.adjoint, rtol=1e-13)


def test_contributions_sum_to_the_table_of_the_question(debugger: Debugger) -> None:
    """The per-timestep terms and sums of question.md, to ten digits."""
    table = debugger.do("end").contributions
    assert [table.label(row) for row in range(3)] == ["∂E/∂u", "∂E/∂w", "∂E/∂v"]
    u, w = ([float(table.cell(row, t).value) for t in (1, 0)] for row in (0, 1))
    assert u == pytest.approx([1.0623088928, -0.2316324753], abs=1e-10)
    assert w == pytest.approx([-0.5552321339, -0.1389794852], abs=1e-10)
    assert [float(table.so_far(row)) for row in (0, 1)] == pytest.approx([0.8306764175, -0.6942116191], abs=1e-10)
    assert table.cell(2, 0) is ABSENT
    np.testing.assert_allclose(table.so_far(2), [0.3169206, -0.3169206], atol=1e-7)


def test_the_sum_grows_right_behind_the_running_product(debugger: Debugger) -> None:
    """Position 21 takes ∂E/∂u₁, "1 of 2"; at 22 it stays; at 27 the second term arrives."""
    steps = {position: debugger.do(f"goto {position}") for position in (20, 21, 22, 27)}
    assert [text_of(steps[at].contributions.so_far(0)) for at in (20, 21, 22, 27)] == [
        "not yet", "1.06231", "1.06231", "0.830676",
    ]  # fmt: skip
    assert [steps[at].contributions.progress(0) for at in (20, 21, 27)] == [(0, 2), (1, 2), (2, 2)]
    assert [steps[at].contributions.cell(0, 1).current for at in (20, 21, 22)] == [False, True, False]
    pane = steps[21].pane
    assert (pane.equation, pane.substituted) == ("∂E/∂u = Σₜ ∂E/∂uₜ", "u₁ is u as read at t = 1")
    assert (pane.of_total, text_of(pane.so_far)) == ("1 of 2", "1.06231")
    assert pane.prediction == "nudging u₁ alone by +0.001 changes E by 0.00106"


def test_predictions_hold(debugger: Debugger) -> None:
    """Nudging w₁ (or all of w) by 0.001 does what the pane says, to first order."""
    debugger.do("goto w[1]")
    assert debugger.view.pane.prediction == "nudging w₁ alone by +0.001 changes E by -0.000555"
    session = load("question")
    nudged = session.replace(parameters={**session.parameters, "w": 0.6 + 0.001})
    change = nudged.trace().loss - session.trace().loss
    assert change == pytest.approx(0.001 * float(debugger.do("end").contributions.so_far(1)), rel=2e-3)


def test_softmax_and_cross_entropy_say_that_they_are_pulled_back_as_one(debugger: Debugger) -> None:
    """Both factors are shown; the remark says which form was computed."""
    (remark,) = debugger.do("goto dE/dq").pane.remarks
    assert "in one piece, as o − y" in remark
    assert debugger.do("goto E").pane.title == "∂E/∂E"
    assert "no logarithm of a vanishing probability" in debugger.do("goto 11").pane.remarks[0]


def test_the_current_nodes_edges(debugger: Debugger) -> None:
    """Going backward the edge to the consumer is taken, the ones to the sources are still to come."""
    edges = debugger.do("goto dE/ds[0]").graph.edges()
    assert [(edge.source.label, edge.consumer.label, edge.lag, edge.taken) for edge in edges] == [
        ("s₀", "b₁", 1, True),
        ("z₀", "s₀", 0, False),
    ]
    forward = debugger.do("goto 4").graph.edges()
    assert [(edge.source.label, edge.consumer.label, edge.taken) for edge in forward] == [
        ("s₀", "b₁", False), ("z₀", "s₀", False),
    ]  # fmt: skip
    assert debugger.view.graph.links() == ((3, 5, 1),)


def test_the_strip_knows_from_where_the_backward_pass_has_come(debugger: Debugger) -> None:
    """‖∂E/∂s_t‖ is known from t = 1 at position 16, from t = 0 at 22, nowhere before."""
    known_from = [debugger.do(f"goto {at}").strip.known_from for at in (0, 11, 15, 16, 21, 22, 27)]
    assert known_from == [2, 2, 2, 1, 1, 0, 0]
    assert debugger.view.strip.label == "‖∂E/∂sₜ‖"
    np.testing.assert_allclose(debugger.view.strip.norms, [0.637385, 1.334092], atol=1e-6)


def test_one_cell_is_current_at_every_node_step(debugger: Debugger) -> None:
    """The graph marks the node just computed, the table the use; never both."""
    for position in range(1, debugger.last + 1):
        view = debugger.do(f"goto {position}")
        cells = [view.graph.cell(row, t) for row in range(7) for t in (-1, 0, 1)]
        terms = [view.contributions.cell(row, t) for row in range(3) for t in (0, 1)]
        current = [thing.ref.label for thing in (*cells, *terms) if known(thing) and thing.current]
        assert current == [view.pane.ref.label]
