"""Whatever is typed, on whatever network: positions are random access and moves have exact inverses."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import everything, known, random_session

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.view import ABSENT, NOT_YET

seeds = st.integers(0, 3000)
counts = st.integers(1, 40)
moves = st.one_of(
    st.sampled_from(
        ["next", "rewind", "step", "step back", "finish", "finish back", "start", "end", "where", "print 1"]
    ),
    st.builds("{} {}".format, st.sampled_from(["next", "rewind", "step", "step back"]), counts),
    st.builds("goto {}%".format, st.integers(0, 100)),
    st.builds("node {}%".format, st.integers(0, 100)),
)


def carry_out(debugger: Debugger, move: str) -> None:
    """A move; `goto 30%` is a position, `node 30%` the node computed there."""
    if "%" in move:
        word, share = move.rstrip("%").split()
        position = int(share) * debugger.last // 100
        step = debugger._scene.timeline.step(position) if word == "node" and position else None
        named = step is not None and step.t is not None
        move = f"goto {step.name}[{step.t}]" if named else f"goto {position}"  # type: ignore[union-attr]
    debugger.do(move)


@settings(max_examples=80)
@given(seeds, st.lists(moves, max_size=12))
def test_every_move_has_an_exact_inverse_from_wherever_a_walk_has_led(seed: int, walk: list[str]) -> None:
    """rewind undoes next, step back undoes step, and goto comes back: the same View to the last bit."""
    debugger = Debugger(random_session(seed)[1])
    for move in walk:
        carry_out(debugger, move)
    view = debugger.view
    here = everything(view)
    if view.position < debugger.last:
        debugger.do("step")
        assert everything(debugger.do("step back")) == here
        if not view.factor:
            debugger.do("next")
            assert everything(debugger.do("rewind")) == here
    if view.position or view.factor:
        debugger.do("step back")
        assert everything(debugger.do("step")) == here
    if view.position and not view.factor:
        debugger.do("rewind")
        assert everything(debugger.do("next")) == here
    debugger.do("end")
    debugger.do(f"goto {view.position}")
    if view.factor:
        debugger.do(f"step {view.factor}")
    assert everything(debugger.view) == here


@settings(max_examples=10)
@given(seeds)
def test_goto_is_as_many_nexts_and_rewinds_retrace_them(seed: int) -> None:
    """Forwards node by node, backwards node by node and by jumping: the same Views."""
    session = random_session(seed)[1]
    walker, jumper = Debugger(session), Debugger(session)
    views = [everything(walker.view)]
    while walker.view.position < walker.last:
        views.append(everything(walker.do("next")))
    for position in reversed(range(len(views))):
        assert everything(jumper.do(f"goto {position}")) == views[position]
        assert everything(walker.view) == views[position]
        walker.do("rewind")


@settings(max_examples=6)
@given(seeds)
def test_all_factors_of_a_step_make_one_next(seed: int) -> None:
    """Steps through a position take as many factors as it says, then stand where next stands."""
    session = random_session(seed)[1]
    stepper, walker = Debugger(session), Debugger(session)
    while stepper.view.position < stepper.last:
        before = stepper.view
        for taken in range(1, before.factors):
            view = stepper.do("step")
            assert (view.position, view.factor, view.factors) == (before.position, taken, before.factors)
            assert view.pane is not None and view.pane.adjoint is NOT_YET
            assert [known(inflow.product) for inflow in view.pane.inflows] == [
                number <= taken for number in range(1, view.factors + 1)
            ]
        assert stepper.do("step").position == before.position + 1
        assert everything(stepper.view) == everything(walker.do("next"))


@settings(max_examples=20)
@given(seeds)
def test_nothing_is_seen_before_its_step_and_nothing_is_lost_after(seed: int) -> None:
    """A cell has a value exactly from its forward step on, an adjoint from its backward step, a term from its use's."""
    session = random_session(seed)[1]
    debugger = Debugger(session)
    timeline = debugger._scene.timeline
    value_at, adjoint_at, term_at = {}, {}, {}
    for number in range(1, timeline.last + 1):
        step = timeline.step(number)
        where = term_at if step.kind == "use" else value_at if step.phase == "forward" else adjoint_at
        assert (step.name, step.t) not in where, "visited twice"
        where[step.name, step.t] = number
    assert value_at.keys() == adjoint_at.keys()
    for position in sorted({*range(0, timeline.last, max(timeline.last // 12, 1)), timeline.last}):
        view = debugger.do(f"goto {position}")
        graph, table = view.graph, view.contributions
        for row in range(len(graph.rows)):
            for t in range(graph.last + 1):
                cell = graph.cell(row, t)
                if cell is ABSENT:
                    continue
                key = (cell.ref.name, cell.ref.t)
                assert known(cell.value) == (value_at[key] <= position)
                assert known(cell.adjoint) == (adjoint_at[key] <= position)
        for row, name in enumerate(table.rows):
            terms = [table.cell(row, t) for t in range(table.steps)]
            assert {t for t, term in enumerate(terms) if term is not ABSENT} == {t for p, t in term_at if p == name}
            for t, term in enumerate(terms):
                assert term is ABSENT or known(term.value) == (term_at[name, t] <= position)
        if view.strip is not None:
            adjoints = {t: at for (name, t), at in adjoint_at.items() if name == view.strip.name}
            assert all(adjoints[t] <= position for t in range(view.strip.known_from, table.steps) if t in adjoints)


@settings(max_examples=40)
@given(seeds)
def test_the_last_sum_is_the_gradient_bit_for_bit_and_each_sum_adds_one_term(seed: int) -> None:
    """The contributions as shown, added in the order shown, give the total shown."""
    session = random_session(seed)[1]
    debugger = Debugger(session)
    table = debugger.do("end").contributions
    for row, name in enumerate(table.rows):
        total = session.trace().gradient[name]
        if not table.progress(row)[1]:
            assert table.so_far(row) is ABSENT and not total.any()
            continue
        so_far = table.so_far(row)
        assert isinstance(so_far, np.ndarray) and so_far.tobytes() == total.tobytes()
        added = None
        for t in reversed(range(table.steps)):
            cell = table.cell(row, t)
            if cell is not ABSENT:
                added = cell.value if added is None else added + cell.value
        assert np.asarray(added).tobytes() == total.tobytes()


@settings(max_examples=25)
@given(seeds)
def test_a_node_gets_its_gradient_after_all_its_inflows_and_they_add_up_to_it(seed: int) -> None:
    """Every consumer's adjoint is known before; the products shown sum to the adjoint, and to a use's term."""
    debugger = Debugger(random_session(seed)[1])
    debugger.do(f"goto {debugger.view.forward_steps}")
    while debugger.view.position < debugger.last:
        before = debugger.view
        pane = debugger.do("next").pane
        assert pane is not None
        known_before = {
            (cell.ref.name, cell.ref.t)
            for row in range(len(before.graph.rows))
            for t in range(before.graph.last + 1)
            if (cell := before.graph.cell(row, t)) is not ABSENT and known(cell.adjoint)
        }
        assert all((i.factor.consumer.name, i.factor.consumer.t) in known_before for i in pane.inflows)
        if not pane.inflows:
            assert float(np.asarray(pane.adjoint)) == 1.0
            continue
        total = sum(np.asarray(inflow.product) for inflow in pane.inflows)
        np.testing.assert_allclose(total, pane.adjoint, rtol=1e-12, atol=1e-14)


@settings(max_examples=25)
@given(seeds, st.floats(0, 1))
def test_every_running_product_is_the_one_above_times_its_factor(seed: int, share: float) -> None:
    """running = ∂E/∂consumer · local partial, for each factor of the chain, down to the current one."""
    session = random_session(seed)[1]
    trace = session.trace()
    debugger = Debugger(session)
    first = debugger.view.forward_steps
    view = debugger.do(f"goto {first + 1 + int(share * (debugger.last - first - 1))}")
    for factor in view.chain.factors(400):
        consumer = factor.consumer
        above = np.asarray(1.0) if consumer.t is None else trace.adjoint(consumer.name, consumer.t)
        assert factor.value is not None and factor.value.shape == factor.shape
        product = (above.reshape(1, -1) @ factor.value).reshape(np.shape(factor.running))
        np.testing.assert_allclose(factor.running, product, rtol=1e-9, atol=1e-12)
    if factors := view.chain.factors(400):
        assert factors[-1].current and not any(factor.current for factor in factors[:-1])
