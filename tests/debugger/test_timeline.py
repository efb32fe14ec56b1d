"""The timeline against the same order written out naively: forward by timestep, backward reversed, uses in between."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.case import Case
from seen import random_session

from bptt_tui.debugger.timeline import Timeline

Steps = list[tuple[str, str, int | None, str]]


def written_out(case: Case) -> Steps:
    """(kind, name, t, phase) for every step, by loops over plain lists."""
    order: list[str] = []
    while len(order) < len(case.parsed):
        ready = [
            name
            for name in case.parsed
            if name not in order
            and all(r.name in order for r in case.reads(name) if r.name in case.parsed and not r.offset)
        ]
        order.append(ready[0])
    exists = set(case.nodes)
    forward = [(name, t) for t in range(case.T) for name in order if (name, t) in exists]
    steps: Steps = [("node", name, t, "forward") for name, t in forward]
    if len(case.loss_times) > 1:
        steps += [("total", case.loss_name, None, "forward"), ("total", case.loss_name, None, "backward")]
    for place in reversed(range(len(forward))):
        name, t = forward[place]
        steps.append(("node", name, t, "backward"))
        still_to_come = {read.name for other, s in forward[:place] if s == t for read in case.reads(other)}
        completed = dict.fromkeys(read.name for read in case.reads(name))
        steps += [
            ("use", parameter, t, "backward")
            for parameter in completed
            if parameter in case.parameters and parameter not in still_to_come
        ]
    return steps


@settings(max_examples=80)
@given(st.integers(0, 3000))
def test_every_node_and_use_has_its_place_once_per_phase(seed: int) -> None:
    """The order laid out in arrays is the order written out, and looking up a place is its inverse."""
    case, session = random_session(seed)
    timeline = Timeline(session.trace())
    expected = written_out(case)
    found = [timeline.step(number) for number in range(1, timeline.last + 1)]
    assert [(step.kind, step.name, step.t, step.phase) for step in found] == expected
    for number, step in enumerate(found, 1):
        if step.kind == "total":
            assert timeline.total_position(step.phase) == number
        elif step.kind == "use":
            assert timeline.use_position(step.name, step.t) == number  # type: ignore[arg-type]
        else:
            place = timeline.value_position if step.phase == "forward" else timeline.adjoint_position
            assert place(step.name, step.t) == number  # type: ignore[arg-type]
    assert timeline.forward_steps == sum(step.phase == "forward" for step in found)


@settings(max_examples=30)
@given(st.integers(0, 3000))
def test_how_many_terms_are_known_is_a_count_of_the_uses_passed(seed: int) -> None:
    """terms_taken and known_from agree with counting."""
    _, session = random_session(seed)
    timeline = Timeline(session.trace())
    steps = [timeline.step(number) for number in range(1, timeline.last + 1)]
    for position in range(timeline.last + 1):
        for name in session.parameters:
            taken = sum(step.kind == "use" and step.name == name for step in steps[:position])
            assert timeline.terms_taken(name, position) == taken
        for name in session.network().targets:
            passed = [s.t for s in steps[:position] if s.phase == "backward" and (s.kind, s.name) == ("node", name)]
            assert timeline.known_from(name, position) == min(passed, default=session.trace().steps)
