"""What if: values set, nodes pinned, equations edited; undone, done again, compared, recorded and saved."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import everything, make, random_session

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.view import ABSENT, Cell
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Expected, Found, Recorded, Session, load


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def played(session: Session) -> Debugger:
    """A debugger to which the session's recording has been given from its beginning."""
    debugger = Debugger(session.as_recorded())
    for recorded in session.recording:
        debugger.do(recorded.command)
    return debugger


def cell(debugger: Debugger, row: str, t: int) -> Cell:
    graph = debugger.view.graph
    found = graph.cell(graph.rows.index(row), t)
    assert isinstance(found, Cell)
    return found


# --- set ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "field", "now", "said"),
    [
        ("set w 0.9", "parameters", {"u": 0.8, "w": 0.9, "v": [1.2, -0.7]}, "w: 0.6 → 0.9"),
        ("set w = 2 * w", "parameters", {"u": 0.8, "w": 1.2, "v": [1.2, -0.7]}, "w: 0.6 → 1.2"),
        ("set w=-u", "parameters", {"u": 0.8, "w": -0.8, "v": [1.2, -0.7]}, "w: 0.6 → -0.8"),
        ("set v[0] = 1.5", "parameters", {"u": 0.8, "w": 0.6, "v": [1.5, -0.7]}, "v[0]: 1.2 → 1.5"),
        ("set v [0] = 1.5", "parameters", {"u": 0.8, "w": 0.6, "v": [1.5, -0.7]}, "v[0]: 1.2 → 1.5"),
        ("set v [1, 2*u]", "parameters", {"u": 0.8, "w": 0.6, "v": [1.0, 1.6]}, "v[0]: 1.2 → 1; v[1]: -0.7 → 1.6"),
        ("set v = -v", "parameters", {"u": 0.8, "w": 0.6, "v": [-1.2, 0.7]}, "v[0]: 1.2 → -1.2; v[1]: -0.7 → 0.7"),
        ("set x[1] = -0.5", "inputs", {"x": [0.5, -0.5]}, "x[1]: -1 → -0.5"),
        ("set x₀ 1", "inputs", {"x": [1.0, -1.0]}, "x[0]: 0.5 → 1"),
        ("set x [1, 2]", "inputs", {"x": [1.0, 2.0]}, "x[0]: 0.5 → 1; x[1]: -1 → 2"),
        ("set s[-1] = 0.1", "initial", {"s": 0.1}, "s[-1]: 0.3 → 0.1"),
        ("set s₋₁ 0.1", "initial", {"s": 0.1}, "s[-1]: 0.3 → 0.1"),
        ("set y 1", "constants", {"y": 1}, "y: 0 → 1"),
        ("set s[0] = 0.1", "pins", {"s[0]": 0.1}, "s[0] pinned at 0.1"),
        ("set s₀ w", "pins", {"s[0]": 0.6}, "s[0] pinned at 0.6"),
        ("set q [1, 2]", "pins", {"q[1]": [1.0, 2.0]}, "q[1] pinned at [1 2]"),
    ],
)  # fmt: skip
def test_set_changes_one_value(debugger: Debugger, line: str, field: str, now: Any, said: str) -> None:
    """The message says what; the numbers are those of a session that had them from the start."""
    view = debugger.do(line)
    assert view.message.splitlines()[0] == said
    assert getattr(debugger.session, field) == now
    fresh = load("question").replace(**{field: now})
    assert debugger.look.scene.trace.loss == fresh.trace().loss
    for name, total in fresh.trace().gradient.items():
        np.testing.assert_array_equal(debugger.look.scene.trace.gradient[name], total)


def test_set_reaches_entries_of_matrices_and_of_vectors_over_time() -> None:
    """W[1,2], a row W[1], x[1,0], x[t-1], s[-1,2], one entry of a pinned vector."""
    debugger = Debugger(load("vectors"))
    start = debugger.session
    assert np.shape(start.parameters["W"]) == (3, 3)
    debugger.do("set W[1,2] = 0.25")
    assert debugger.session.parameters["W"][1][2] == 0.25
    debugger.do("set W[0] [1, 2, 3]")
    assert debugger.session.parameters["W"][0] == [1, 2, 3]
    debugger.do("set x[1,0] = 0.5")
    assert debugger.session.inputs["x"][1] == [0.5, start.inputs["x"][1][1]]
    debugger.do("goto s[1]")
    debugger.do("set x[t-1] = [7, 8]")
    assert debugger.session.inputs["x"][0] == [7, 8]
    debugger.do("set s[-1,2] = 0.75")
    assert debugger.session.initial["s"][2] == 0.75
    value = debugger.look.scene.trace.value("s", 0)
    debugger.do("set s[0,1] = 0.125")
    assert debugger.session.pins == {"s[0]": [value[0], 0.125, value[2]]}


def test_a_sequence_of_matrices_is_set_by_timestep() -> None:
    """More numbers than a line holds are counted."""
    debugger = make("s = sum(x[t]) * w + s[t-1]", "E = s * s", parameters={"w": 0.5}, initial={"s": 1.0},
                    inputs={"x": [[[1.0, 2.0], [3.0, 4.0]]]})  # fmt: skip
    assert debugger.do("set x[0] = x[0] * 2").message == "x: 4 of 4 numbers"
    assert debugger.do("set x[0,1,0] = 0").message == "x[0,1,0]: 6 → 0"


def test_initial_values_further_back_are_set_by_their_timestep() -> None:
    """s[-2] is the first of two; a value that no equation reads yet can be given."""
    debugger = make("s = w * s[t-2] + x[t]", "r = s * 2", "E = r * s", parameters={"w": 0.5}, initial={"s": [1.0, 2.0]},
                    inputs={"x": [1.0, 2.0, 3.0]})  # fmt: skip
    debugger.do("set s[-2] 5")
    assert debugger.session.initial == {"s": [5, 2]}
    debugger.do("set r[-1] = 0.5")
    assert debugger.session.initial["r"] == 0.5
    debugger.do("equation r = s * 2 + r[t-1]")
    assert debugger.look.scene.trace.value("r", 0) == 2 * (0.5 * 5 + 1) + 0.5


def test_whole_numbers_stay_whole_and_a_value_set_to_itself_is_no_edit(debugger: Debugger) -> None:
    """A class index is saved as 1; what changes nothing cannot be undone."""
    debugger.do("set y 1")
    assert debugger.session.constants == {"y": 1} and isinstance(debugger.session.constants["y"], int)
    debugger.do("undo")
    assert debugger.do("set w 0.6").message == "this changes nothing"
    with pytest.raises(CommandError, match="no edit to undo"):
        debugger.do("undo")


WRONG = [
    ("set wq 1", "there is no wq; did you mean 'w'?"),
    ("set", "set what?; usage: set NAME [=] VALUE"),
    ("set 3", "'3' begins with no name; usage: set NAME [=] VALUE"),
    ("set w", "set w to what?; usage: set NAME [=] VALUE"),
    ("set w/2", "'/2' is not a value; usage: set NAME [=] VALUE"),
    ("set w 1/0", "w: a number beyond the largest double (1.8e308) is not a finite number; give finite numbers"),
    ("set w log(-1)", "w: NaN is not a finite number; give finite numbers"),
    ("set w nope", "there is no nope; the names are"),
    ("set w [1, 2]", "w is a scalar, not a vector (2,); as in 0.5"),
    ("set v 1", "v is a vector (2,), not a scalar; as in [0.5, 0.5]"),
    ("set v [1, 2, 3]", "v is a vector (2,), not a vector (3,); as in [0.5, 0.5]"),
    ("set v [1, , 2]", "a list has an empty place; write [1, 2]"),
    ("set v [1, [2]]", "v[1]: 1 number where v[0] has a single number"),
    ("set v[2] 1", "there is no v[2]; it is a vector (2,): its entries are [0] … [1]"),
    ("set v[-1] 1", "[-1] is no entry of v; entries are counted from 0: v[0], W[1,2]"),
    ("set w[0] 1", "there is no w[0]; it is a scalar"),
    ("set x[2] 1", "there is no x[2]; the timesteps are 0 … 1"),
    ("set x[-1] 1", "x[-1] is read by no equation"),
    ("set x[0,0] 1", "there is no x[0,0]; it is a scalar"),
    ("set x[t] 1", "no timestep is the present one here; write it as a number, as in s[0]"),
    ("set x [1, 2, 3]", "x is a vector (2,), not a vector (3,); as in [0.5, 0.5]"),
    ("set s 1", "s has a value at each timestep; say which: set s[0] = …, set s[t] = …"),
    ("set s[2] 1", "there is no s[2]; the timesteps are 0 … 1"),
    ("set s[-2] 1", "s[-2] is read by no equation; s[-1] is the last value before t = 0"),
    ("set s[0] [1]", "s[0] is a scalar, not a vector (1,); as in 0.5"),
    ("set q[0] [1, 2]", "q[0] does not exist: the loss does not depend on it; it exists at t = 1 only"),
    ("set E 1", "E is the loss, and gradients are of it; pin a node that it reads, or equation E = …"),
    ("set E[1] 1", "E is the loss, and gradients are of it; pin a node that it reads, or equation E = …"),
    ("set y 2", "constants.y: y is not a class index of 2 classes; give a whole number from 0 to 1"),
    ("set s[0] s[1]", "s[1] is not yet computed at this position; step on, or goto s[1]"),
    ("unset s[0]", "s[0] is not pinned; pinned is nothing"),
    ("unset", "set what?; usage: unset NODE"),
    ("equation", "which equation?; usage: equation NAME = EXPRESSION|delete NAME"),
    ("equation s = tahn(z)", "equations[3]: column 5: there is no function 'tahn'; did you mean 'tanh'?"),
    ("equation s = tanh(z", "column 11"),
    ("equation s = tanh(zz)", "equations[3]: column 10: zz is never defined; did you mean 'z'?"),
    ("equation z = s", "z and s need each other at the same timestep"),
    ("equation w = s[t-1]", "w is a parameter; set w changes its value"),
    ("equation x = s[t-1]", "x is an input; set x changes its value"),
    ("equation E = q", "equations[6]: the loss E is a vector (2,); the last equation must be a scalar"),
    ("equation s = s[t-2]", "initial.s: shape (), but s is a scalar; give 2 values in time order"),
    ("set equation s = tahn(z)", "equations[3]: column 5: there is no function 'tahn'; did you mean 'tanh'?"),
    ("equation delete", "delete which equation?; usage"),
    ("equation delete qq", "there is no equation of qq; did you mean 'q'?"),
    ("equation delete E", "E is the loss; change it: equation E = …"),
    ("equation delete q", "equations[4]: column 13: q is never defined"),
    ("undo", "there is no edit to undo; set, unset and equation make one"),
    ("redo", "there is no edit to do again; undo takes one back"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_what_cannot_be_set_is_said_with_what_would_be_right(debugger: Debugger, line: str, said: str) -> None:
    """One line with place, reason and hint; numbers, position, View and recording are as they were."""
    before, session = debugger.view, debugger.session
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert str(caught.value).startswith(said)
    assert debugger.view is before and debugger.session == session and debugger.recording == ()


# --- pins --------------------------------------------------------------------------------------------------------


def test_a_pinned_node_is_shown_as_pinned_and_released(debugger: Debugger) -> None:
    """It is still a step of both phases: the value it holds, the inflows that meet there; behind it is nothing."""
    before = everything(debugger.view)
    debugger.do("set s[0] = 0.1")
    assert cell(debugger, "s", 0).pinned and not cell(debugger, "s", 1).pinned
    graph = debugger.view.graph
    assert graph.cell(graph.rows.index("z"), 0) is ABSENT
    pane = debugger.do("goto s[0]").pane
    assert pane is not None and (pane.equation, pane.substituted, pane.partials) == ("s₀ is pinned", "s₀ = 0.1", ())
    assert float(pane.value) == 0.1 and any("its equation is cut" in remark for remark in pane.remarks)  # type: ignore[arg-type]
    assert debugger.view.graph.edges()[0].source.label == "s₀"
    pane = debugger.do("goto dE/ds[0]").pane
    assert pane is not None and [inflow.factor.title for inflow in pane.inflows] == ["∂b/∂s₀"]
    assert debugger.view.chain.title == "∂E/∂s₀"
    assert debugger.do("print dE/ds[0] - dE/db[1] * w").message == "dE/ds[0] - dE/db[1] * w = 0.0"
    with pytest.raises(CommandError, match=r"s\[0\] is pinned, and reads nothing; unset s\[0\] releases it"):
        debugger.do("print ds[0]/dz[0]")
    with pytest.raises(CommandError, match=r"z\[0\] does not exist"):
        debugger.do("goto z[0]")
    debugger.do("start")
    assert debugger.do("unset s[0]").message.splitlines()[0] == "s[0] released"
    assert everything(debugger.view) == before


@settings(max_examples=30)
@given(st.integers(0, 3000), st.integers(0, 10**6), st.floats(-0.9, 0.9))
def test_every_position_of_a_network_with_a_pin_can_be_looked_at(seed: int, pick: int, value: float) -> None:
    """Each step forward and backward, factor by factor; the last sums are the gradient bit for bit."""
    case, session = random_session(seed)
    nodes = [node for node in case.nodes if node[0] != case.loss_name]
    if not nodes:
        return
    name, t = nodes[pick % len(nodes)]
    shape = session.trace().value(name, t).shape
    debugger = Debugger(session.replace(pins={f"{name}[{t}]": np.full(shape, value)}))
    trace = debugger.look.scene.trace
    for _ in range(400):
        everything(debugger.view)
        if debugger.view.position == debugger.last:
            break
        debugger.do("step")
    debugger.do("end")
    for row, parameter in enumerate(debugger.view.contributions.rows):
        total = debugger.view.contributions.so_far(row)
        if total is not ABSENT:
            np.testing.assert_array_equal(total, trace.gradient[parameter])
    assert cell(debugger, name, t).pinned


# --- equations -----------------------------------------------------------------------------------------------------


def test_an_edited_equation_takes_effect(debugger: Debugger) -> None:
    """`set equation` is the same; the totals are those of the network written so from the start."""
    debugger.do("goto 9")
    view = debugger.do("equation s = sigmoid(z)")
    assert view.position == 9 and view.message.splitlines()[0] == "equation s = sigmoid(z)"
    fresh = load("question").replace(equations=debugger.session.equations).trace()
    assert debugger.look.scene.trace.loss == fresh.loss
    debugger.do("set equation s = tanh(z)")
    assert debugger.session.equations == load("question").equations


def test_an_equation_is_added_and_deleted(debugger: Debugger) -> None:
    """A new one stands in front of the loss; what is not read any more goes, and undo brings it back."""
    debugger.do("equation c = 0.5")
    debugger.do("equation b = w * s[t-1] + c")
    assert debugger.session.equations[-2:] == ("c = 0.5", "E = cross_entropy(o, y)")
    assert debugger.look.scene.trace.exists("c", 0)
    debugger.do("equation z = a + c")
    assert debugger.do("equation delete b").message.startswith("equation b deleted; w left out")
    assert "w" not in debugger.session.parameters
    for _ in range(4):
        debugger.do("undo")
    assert debugger.session.parameters == load("question").parameters


def test_without_its_inputs_a_network_keeps_its_length(debugger: Debugger) -> None:
    """The number of timesteps was theirs."""
    debugger.do("equation a = u * s[t-1]")
    assert (debugger.session.inputs, debugger.session.steps) == ({}, 2)
    debugger.do("undo")
    assert debugger.session.steps is None


# --- side by side --------------------------------------------------------------------------------------------------


def test_old_and_new_gradient_stand_side_by_side(debugger: Debugger) -> None:
    """In the View and as a table; from the beginning, or from where `baseline` was given."""
    assert debugger.view.comparison is None
    assert debugger.do("compare").message == "nothing has been changed: set w 0.9 would"
    compared = debugger.do("set w 0.9").comparison
    assert compared is not None and compared.edit == "w: 0.6 → 0.9"
    old, new = load("question").trace(), debugger.look.scene.trace
    assert [row.label for row in compared.rows] == ["∂E/∂u", "∂E/∂w", "∂E/∂v"]
    assert (float(compared.loss.before), float(compared.loss.after)) == (old.loss, new.loss)  # type: ignore[arg-type]
    for name, row in zip(("u", "w", "v"), compared.rows, strict=True):
        np.testing.assert_array_equal(row.before, old.gradient[name])
        np.testing.assert_array_equal(row.after, new.gradient[name])
        np.testing.assert_array_equal(row.difference, new.gradient[name] - old.gradient[name])
    assert debugger.do("next").comparison is compared
    assert debugger.do("baseline").comparison is None
    compared = debugger.do("set w 0.6").comparison
    assert compared is not None and compared.edit == "w: 0.9 → 0.6"
    assert debugger.do("compare").message.splitlines()[:3] == [
        "w: 0.9 → 0.6",
        "       before            after             difference        relative",
        "E      0.978503          1.21118           0.232674          +23.8 %",
    ]
    (row,) = [line for line in debugger.do("compare").message.splitlines() if line.startswith("∂E/∂v")]
    assert re.search(r"\]  \d+(\.\d+)? %$", row)  # of an array the size of the change, which has no sign


def test_a_parameter_that_is_gone_has_no_new_gradient(debugger: Debugger) -> None:
    """Its row has only the old one."""
    debugger.do("equation b = s[t-1]")
    compared = debugger.view.comparison
    assert compared is not None
    (row,) = [row for row in compared.rows if row.label == "∂E/∂w"]
    assert row.after is ABSENT and row.difference is ABSENT


# --- undo, redo, reset ---------------------------------------------------------------------------------------------


def test_undo_and_redo_of_an_edit_with_other_steps_return_to_the_position(debugger: Debugger) -> None:
    """Clamped by a pin, and back where one was; redo lands where the edit had."""
    debugger.do("goto 25")
    before = everything(debugger.view)
    pinned = debugger.do("set s[0] 0.1")
    assert (pinned.position, pinned.last) == (19, 19)
    assert "this is position 19 of 19, it was 25 of 27" in pinned.message
    assert everything(debugger.do("undo")) == before
    assert everything(debugger.do("redo")) == everything(pinned)
    debugger.do("start")
    assert debugger.do("undo").position == 25
    assert debugger.do("rewind 20").position == 5
    assert debugger.do("set w 0.1").position == 5
    with pytest.raises(CommandError):
        debugger.do("redo")


def test_reset_is_an_edit_that_goes_back_to_the_beginning(debugger: Debugger) -> None:
    """All edits at once, also those of an earlier sitting; it can be undone."""
    assert debugger.do("reset").message == "every value is as it was in the beginning"
    debugger.do("set w 0.9")
    debugger.do("set u 0.1")
    changed = everything(debugger.view)
    again = Debugger(debugger.session)
    for one in (debugger, again):
        message = one.do("reset").message
        assert message.startswith("as in the beginning: u: 0.1 → 0.8; w: 0.9 → 0.6")
        assert one.session.parameters == load("question").parameters
        assert {**everything(one.do("undo")), "comparison": 0} == {**changed, "comparison": 0}


def edits_of(session: Session) -> list[str]:
    """Lines that edit a random network, most of them possible."""
    lines = []
    for name, value in session.parameters.items():
        lines += [f"set {name} {name} * 0.9 + 0.01", f"set {name} = -{name}"]
        if np.ndim(value):
            lines.append(f"set {name}[{','.join('0' * np.ndim(value))}] = 0.25")
    lines += [f"set {name}[0] = {name}[0] * 0.5" for name in session.inputs]
    lines += [f"set {name}[-1] = {name}[-1] * 0.5" for name in session.initial]
    for name in session.trace().unrolled.network.targets[:-1]:
        lines += [f"set {name}[{t}] = {name}[{t}] * 0.8" for t in range(session.trace().steps)]
        lines += [f"unset {name}[0]", f"equation {name} = {name}[t-1]", f"equation delete {name}"]
    target = session.trace().unrolled.network.loss_name
    return [*lines, f"equation extra = {target} * 2", "reset", "baseline", "undo", "redo", "compare"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3000), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=7))
def test_undo_is_exact_and_a_recording_with_edits_replays(seed: int, choices: list[tuple[int, int]]) -> None:
    """undo after an edit is the identity on the View, redo brings the edited one back; saved, reopened, replayed."""
    session = random_session(seed)[1]
    debugger = Debugger(session)
    lines = edits_of(session)
    for place, choice in choices:
        debugger.do(f"goto {place % (debugger.last + 1)}")
        line = lines[choice % len(lines)]
        before, made = everything(debugger.view), len(debugger.state.edits.past)
        try:
            after = everything(debugger.do(line))
        except CommandError:
            assert everything(debugger.view) == before
            continue
        if len(debugger.state.edits.past) > made:
            edited = line not in ("redo", "undo")
            assert everything(debugger.do("undo")) == before or not edited
            assert everything(debugger.do("redo")) == after or not edited
    assert everything(played(debugger.session).view) == everything(debugger.view)
    again = Debugger(debugger.session)
    assert everything(again.view)["cells"] == everything(debugger.view)["cells"]
    for line in ("where", lines[0], lines[-5]):
        with contextlib.suppress(CommandError):
            again.do(line)
    assert everything(played(again.session).view) == everything(again.view)


def test_undoing_computes_nothing(debugger: Debugger) -> None:
    """The scenes of the last few numbers are kept; of many, the old ones are made anew."""
    first = debugger.look.scene
    debugger.do("set w 0.9")
    second = debugger.look.scene
    debugger.do("undo")
    assert debugger.look.scene is first
    debugger.do("redo")
    assert debugger.look.scene is second
    for n in range(20):
        debugger.do(f"set u {n}")
    assert sum("_trace" in edit.session.__dict__ for edit in debugger.state.edits.past) <= 9
    for _ in range(21):
        debugger.do("undo")
    assert everything(debugger.view) == everything(Debugger(load("question")).view)


# --- saving and recording ------------------------------------------------------------------------------------------


def test_a_save_keeps_the_numbers_and_drops_totals_of_others(debugger: Debugger, tmp_path: Path) -> None:
    """The message says so; with the old numbers back, the totals are back too."""
    expected = load("question").expected
    assert expected is not None
    message = debugger.do("set w 0.9").message
    assert message.splitlines()[1] == "the expected totals are for other numbers: a save leaves them out"
    assert "expected" not in debugger.do("set u 0.7").message
    debugger.save(tmp_path / "edited.json")
    edited = load(tmp_path / "edited.json")
    assert edited.expected is None and edited.parameters["w"] == 0.9
    assert edited.recorded_from == Found(parameters={"u": 0.8, "w": 0.6, "v": [1.2, -0.7]})
    assert everything(played(edited).view) == everything(debugger.view)
    debugger.do("set w 0.6")
    debugger.do("set u 0.8")
    assert debugger.session.expected == expected and debugger.session.recorded_from is None


def test_a_pin_is_saved_and_opened(debugger: Debugger, tmp_path: Path) -> None:
    """With its value, exactly."""
    debugger.do("set s[0] = 1/3")
    debugger.save(tmp_path / "pinned.json")
    again = Debugger(load(tmp_path / "pinned.json"))
    assert again.session.pins == {"s[0]": 1 / 3}
    assert again.view.comparison is None  # it is compared with what was opened
    assert {**everything(again.view), "comparison": 0} == {**everything(debugger.view), "comparison": 0}


def test_numbers_changed_behind_the_recording_mend_it(debugger: Debugger) -> None:
    """A recording that leads to other numbers than those opened first resets to them."""
    session = load("question").with_state(recording=[Recorded(0.5, "set w 0.9"), Recorded(1.0, "next")], position=1)
    for opened in (session, session.replace(recorded_from=Found(parameters={"u": 1.0, "w": 2.0, "v": [0.0, 1.0]}))):
        other = Debugger(opened)
        other.do("set u 0.5")
        assert [one.command for one in other.recording] == ["set w 0.9", "next", "reset", "set u 0.5"]
        assert everything(played(other.session).view) == everything(other.view)


def test_what_a_recording_found_is_checked_when_it_is_opened() -> None:
    """The place says in which part of the file it stands."""
    session = load("question").replace(recorded_from=Found(parameters={"u": 0.8, "v": [1.2, -0.7]}))
    with pytest.raises(Exception, match=r"^question: recorded_from: equations\[1\]: column 5: w is never defined"):
        Debugger(session)


def test_expected_totals_of_the_opened_numbers_are_kept_by_edits_that_come_back() -> None:
    """A session that is expected to give something, and was recorded from other numbers."""
    session = load("question").replace(expected=Expected(loss=1.0), recorded_from=Found(pins={"s[0]": 0.2}))
    debugger = Debugger(session)
    debugger.do("set w 0.1")
    debugger.do("set w 0.6")
    assert debugger.session.expected == Expected(loss=1.0)


def test_a_pin_that_is_no_node_is_refused_with_its_place_in_the_file() -> None:
    """As everything that is wrong in a session."""
    with pytest.raises(SessionError) as caught:
        load("question").replace(pins={"s[0]": float("nan")})
    assert str(caught.value) == 'pins["s[0]"]: NaN is not a finite number'
