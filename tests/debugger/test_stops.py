"""Runs end exactly where stepping node by node and looking would have ended, in both directions."""

from __future__ import annotations

import operator
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from seen import everything, make, random_session

from bptt_tui.debugger import Debugger, stops
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.session import Session, load

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}
seeds = st.integers(0, 3000)


# --- a second, slow reading of conditions, made of what `print` says ---------------------------------------------


def value(text: str, look: Look) -> Any:
    try:
        return Inspector(look).evaluate(text)
    except CommandError:
        return None


def truth(tree: tuple[Any, ...], look: Look) -> bool | None:
    """Kleene's three values: (sign, left, right), ("phase", word), ("not", a), ("and", a, b), ("or", a, b)."""
    kind = tree[0]
    if kind == "phase":
        return None if look.step is None else look.step.phase == tree[1]
    if kind in SIGNS:
        left, right = value(tree[1], look), value(tree[2], look)
        if left is None or right is None:
            return None
        result = SIGNS[kind](left, right)
        return bool(np.any(result) if kind == "!=" else np.all(result))
    parts = [truth(part, look) for part in tree[1:]]
    if kind == "not":
        return None if parts[0] is None else not parts[0]
    decisive = kind == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def written(tree: tuple[Any, ...]) -> str:
    kind = tree[0]
    if kind == "phase":
        return f"phase == {tree[1]}"
    if kind in SIGNS:
        return f"{tree[1]} {kind} {tree[2]}"
    if kind == "not":
        return f"not ({written(tree[1])})"
    return f"({written(tree[1])}) {kind} ({written(tree[2])})"


def an_expression(chance: random.Random, scene: Scene) -> str:
    """Something known at some positions."""
    nodes, parameters = list(scene.network.targets), list(scene.trace.terms)
    loss, t = scene.network.loss_name, chance.randrange(scene.trace.steps)
    name = chance.choice([*nodes, *nodes, *parameters, *scene.unrolled.values.inputs])
    index = chance.choice(["", "[t-1]", "[t]", f"[{t}]", "[-1]"])
    above = chance.choice(nodes)
    atom = chance.choice(
        [f"{name}{index}", f"d{loss}/d{name}{index}", f"d{loss}/d{chance.choice(nodes)}{index}", "prod", "t",
         f"d{above}[{t}]/d{name}", f"d{above}[t]/d{name}"]
    )  # fmt: skip
    measure = chance.choice(["norm", "max", "min", "sum", "tanh", "", ""])
    return f"{measure}({atom})" if measure else atom


def a_condition(chance: random.Random, scene: Scene, depth: int = 2) -> tuple[Any, ...]:
    kind = chance.choice(["not", "and", "or", "phase", *["compare"] * 4]) if depth else "compare"
    if kind == "phase":
        return ("phase", chance.choice(["forward", "backward"]))
    if kind == "not":
        return ("not", a_condition(chance, scene, depth - 1))
    if kind in ("and", "or"):
        return (kind, a_condition(chance, scene, depth - 1), a_condition(chance, scene, depth - 1))
    left = an_expression(chance, scene)
    some = value(left, Look(scene, chance.randint(1, scene.timeline.last)))
    right = "0.1" if some is None or not np.isfinite(some).all() else repr(float(np.ravel(some)[0]))
    return (chance.choice(list(SIGNS)), left, right.replace("e-", "e-"))


def a_stop(chance: random.Random, scene: Scene) -> tuple[str, Any]:
    """A command that sets a stop, and where it is hit: a test of a position."""
    step = scene.timeline.step(chance.randint(1, scene.timeline.last))
    loss = scene.network.loss_name
    place, meant = chance.choice([
        ("", lambda s: True),
        (step.name, lambda s: s.name == step.name),
        ("*", lambda s: True),
        (f"{step.name}[*]", lambda s: s.name == step.name),
        (f"{step.name}[{step.t or 0}]", lambda s: s.name == step.name and s.t == (step.t or 0)),
        (f"*[{step.t or 0}]", lambda s: s.t == (step.t or 0)),
        (f"d{loss}/d{step.name}", lambda s: s.name == step.name and s.phase == "backward"),
    ])  # fmt: skip
    tree = a_condition(chance, scene)
    if chance.random() < 0.3:
        watched = an_expression(chance, scene)

        def changes(position: int) -> bool:
            before, here = (value(watched, Look(scene, p)) for p in (position - 1, position))
            if here is None or before is None:
                return here is not None
            return before.shape != here.shape or not np.array_equal(before, here, equal_nan=True)

        if chance.random() < 0.6:
            return f"watch {watched}", changes
        return f"watch {watched} if {written(tree)}", lambda p: changes(p) and truth(tree, Look(scene, p)) is True
    if place and chance.random() < 0.4:
        return f"break {place}", lambda p: meant(scene.timeline.step(p))
    return (
        f"break {place} if {written(tree)}",
        lambda p: meant(scene.timeline.step(p)) and truth(tree, Look(scene, p)) is True,
    )


@settings(max_examples=150)
@given(seeds, st.integers(0, 10**9))
def test_continue_stops_where_stepping_and_looking_would(seed: int, choice: int) -> None:
    """Every stop on the way, in order; in reverse the same ones, from the other side."""
    debugger = Debugger(random_session(seed)[1])
    scene = debugger.look.scene
    line, hit = a_stop(random.Random(choice), scene)
    try:
        debugger.do(line)
    except CommandError:
        assume(False)
    expected = [position for position in range(1, debugger.last + 1) if hit(position)]
    met = []
    while True:
        before = debugger.cursor.position
        view = debugger.do("continue")
        if not view.stopped:
            assert view.position == debugger.last
            break
        assert view.position > before
        assert view.stopped == view.message and view.breakpoints[0].here
        met.append(view.position)
    assert met == expected, line
    assert debugger.view.breakpoints[0].hits == len(expected)
    back = []
    while (view := debugger.do("reverse-continue")).stopped:
        back.append(view.position)
    assert view.position == 0
    assert back == [p for p in reversed(expected) if p < debugger.last], line


@settings(max_examples=60)
@given(seeds, st.integers(0, 10**9), st.integers(0, 6))
def test_ignored_hits_are_counted_and_passed_over(seed: int, choice: int, ignored: int) -> None:
    """Two stops at once, the first of them ignored for a while."""
    debugger = Debugger(random_session(seed)[1])
    chance = random.Random(choice)
    lines, hits = zip(*(a_stop(chance, debugger.look.scene) for _ in range(2)), strict=True)
    try:
        for line in lines:
            debugger.do(line)
    except CommandError:
        assume(False)
    debugger.do(f"ignore 1 {ignored}")
    left, counts, position = ignored, [0, 0], 0
    while position < debugger.last:
        position += 1
        met = [hit(position) for hit in hits]
        counts = [count + one for count, one in zip(counts, met, strict=True)]
        stops = met[1] or (met[0] and not left)
        left = max(left - met[0], 0)
        if stops:
            view = debugger.do("continue")
            assert (view.position, [row.hits for row in view.breakpoints]) == (position, counts), lines
    view = debugger.do("continue")
    assert view.position == debugger.last and [row.hits for row in view.breakpoints] == counts


@settings(max_examples=30)
@example(98, 98)  # older, saved, newer: the trail is not in the file
@given(seeds, st.integers(0, 10**9))
def test_a_recording_with_stops_replays_to_the_same_state(seed: int, choice: int) -> None:
    """Set, run, forth and back, through a save in between: played from the beginning, all Views' parts are the same."""
    chance = random.Random(choice)
    debugger = Debugger(random_session(seed)[1])
    scene = debugger.look.scene
    for half in range(2):
        for _ in range(8):
            stop, _hit = a_stop(chance, scene)
            others = ["continue", "continue", "rc", "ignore 1 2", "delete 2", "disable 1", "tbreak *", "next 2", "find",
                      "older", "newer", "up", "down", "later", f"find {scene.network.targets[0]}", "enable 1",
                      "vanish 0.5", "undisplay 1", f"display {an_expression(chance, scene)}"]  # fmt: skip
            line = chance.choice([stop, stop, *others])
            before = debugger.state
            try:
                debugger.do(line)
            except CommandError:
                assert debugger.state is before
        if half == 0:
            debugger = Debugger(debugger.session)
            debugger.do("where")
    recording = debugger.session.recording
    played = Debugger(random_session(seed)[1])
    for recorded in recording:
        played.do(recorded.command)
    assert played.cursor == debugger.cursor
    assert played.view.displays == debugger.view.displays
    for one, other in zip(played.state.stopping.stops, debugger.state.stopping.stops, strict=True):
        assert (one.number, one.text, one.enabled, one.temporary, one.ignore) == (
            other.number, other.text, other.enabled, other.temporary, other.ignore
        )  # fmt: skip


# --- on the question ---------------------------------------------------------------------------------------------


@pytest.fixture
def debugger() -> Debugger:
    return Debugger(load("question"))


def run(debugger: Debugger, *lines: str) -> list[tuple[int, str]]:
    return [(view.position, view.message) for view in map(debugger.do, lines)]


def test_the_reason_for_stopping_is_the_message(debugger: Debugger) -> None:
    """What stopped, where, and the values its condition compares; gone with the next move."""
    assert run(debugger, "break s[1]", "break dE/ds[*] if abs(prod) < 1", "watch dE/dw", *["c"] * 6)[3:] == [
        (8, "breakpoint 1 at s₁"),
        (16, "breakpoint 1 at ∂E/∂s₁"),
        (19, "watch 3 at ∂E/∂w₁: dE/dw = not yet → -0.555232"),
        (22, "breakpoint 2 at ∂E/∂s₀: abs(prod) = 0.637385"),
        (25, "watch 3 at ∂E/∂w₀: dE/dw = -0.555232 → -0.694212"),
        (27, "at the end: every contribution is known"),
    ]
    assert run(debugger, "rc", "rc")[-1] == (22, "breakpoint 2 at ∂E/∂s₀: abs(prod) = 0.637385")
    assert debugger.view.stopped and not debugger.do("next").stopped


def test_several_reasons_at_once_are_all_told(debugger: Debugger) -> None:
    run(debugger, "break s[1]", "break if t == 1 and phase == forward and s[1] < 0")
    assert debugger.do("until s[1]").message == (
        "breakpoint 2 at a₁"
        if debugger.view.position == 5
        else "breakpoint 1 at s₁; breakpoint 2 at s₁: s[1] = -0.451355; until at s₁"
    )


def test_a_half_taken_step_is_left_forwards_and_undone_backwards() -> None:
    debugger = Debugger(load("many-to-many"))
    run(debugger, "goto 37", "step", "break *")
    assert debugger.do("rc").position == 37 and debugger.view.factor == 0
    debugger.do("step")
    assert debugger.do("c").position == 38


def test_tbreak_is_gone_after_its_stop_and_info_tells_the_rest(debugger: Debugger) -> None:
    assert debugger.do("info breakpoints").message == "no breakpoints, no watches"
    run(debugger, "tbreak s", "break s[1]", "ignore 2 1", "disable 2", "c")
    assert debugger.view.position == 4 and [row.number for row in debugger.view.breakpoints] == [2]
    assert debugger.do("info b").message == "  2  breakpoint  s[1]  0 hits, 1 to ignore, off"
    assert run(debugger, "enable 2", "c", "info b") == [
        (4, "breakpoint 2 is on"), (16, "breakpoint 2 at ∂E/∂s₁"), (16, "  2  breakpoint  s[1]  2 hits"),
    ]  # fmt: skip


def test_conditions_are_changed_and_taken_off(debugger: Debugger) -> None:
    run(debugger, "break s", "condition 1 t == 1", "c")
    assert debugger.view.position == 8 and debugger.view.breakpoints[0].text == "s if t == 1"
    assert run(debugger, "condition 1", "rc")[-1] == (4, "breakpoint 1 at s₀")
    debugger.do("break if t == 1")
    with pytest.raises(CommandError, match="nothing but its condition"):
        debugger.do("condition 2")


def test_break_alone_is_a_breakpoint_here(debugger: Debugger) -> None:
    assert debugger.do("goto 22") and debugger.do("break").message == "breakpoint 1: dE/ds[0]"
    assert debugger.do("goto 4") and debugger.do("break").message == "breakpoint 2: s[0]"
    assert debugger.do("break").message == "breakpoint 2 is deleted"
    assert [row.text for row in debugger.view.breakpoints] == ["dE/ds[0]"]
    with pytest.raises(CommandError, match="nothing is computed here"):
        run(debugger, "start", "break")


def test_displays_follow_every_command(debugger: Debugger) -> None:
    run(debugger, "display dE/dw", "display s[0]", "goto 22")
    assert debugger.view.displays == ("1: dE/dw = -0.555232", "2: s[0] = 0.522665")
    assert debugger.do("undisplay 1").displays == ("2: s[0] = 0.522665",)
    assert debugger.do("start").displays == ("2: s[0]: s[0] is not yet computed at this position",)
    assert debugger.do("undisplay").displays == ()
    assert debugger.do("display w").displays == ("1: w = 0.6",)


def test_the_graph_marks_nodes_with_enabled_breakpoints(debugger: Debugger) -> None:
    run(debugger, "break s[1]", "break dE/dz", "break a", "disable 3", "break if t == 0")
    graph = debugger.view.graph
    cells = [graph.cell(row, t) for row in range(len(graph.rows)) for t in range(2)]
    assert {(c.ref.name, c.ref.t) for c in cells if getattr(c, "stop", False)} == {("s", 1), ("z", 0), ("z", 1)}


def marked(debugger: Debugger) -> set[tuple[str, int | None]]:
    graph, last = debugger.view.graph, debugger.view.steps
    cells = [graph.cell(row, t) for row in range(len(graph.rows)) for t in range(last)]
    return {(cell.ref.name, cell.ref.t) for cell in cells if getattr(cell, "stop", False)}


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("break s if t == 0", {0}),
        ("break s if t > 0 and abs(prod) < 1e-6", {1, 2}),
        ("break s if t == 0 or abs(prod) < 1e-6", {0, 1, 2}),
        ("break s if not (t == 0 or t + 1 == 2)", {2}),
        ("break s if 0 < t <= 1 and phase == backward", {1}),
        ("break s if phase != forward", {0, 1, 2}),
        ("break dE/ds if phase == forward", set()),
        ("break s if s[t-1] > 0", {0, 1, 2}),
        ("break s if w > 100", {0, 1, 2}),
    ],
)
def test_a_condition_on_the_timestep_takes_the_mark_from_nodes_it_never_stops_at(line: str, times: set[int]) -> None:
    """What else is in a condition may hold: the mark does not tell what is not yet computed."""
    debugger = Debugger(load("many-to-many"))
    debugger.do(line)
    assert marked(debugger) == {("s", t) for t in times}


@settings(max_examples=100)
@given(seeds, st.integers(0, 10**9))
def test_where_a_breakpoint_on_a_node_is_hit_there_is_a_mark(seed: int, choice: int) -> None:
    debugger = Debugger(random_session(seed)[1])
    scene = debugger.look.scene
    line, hit = a_stop(random.Random(choice), scene)
    assume(line.startswith("break ") and not line[5:].lstrip().startswith("if "))
    try:
        debugger.do(line)
    except CommandError:
        assume(False)
    marks = marked(debugger)
    for position in range(1, scene.timeline.last + 1):
        step = scene.timeline.step(position)
        assert step.kind == "use" or not hit(position) or (step.name, step.t) in marks, (line, step)


def test_an_interrupted_run_changes_nothing(debugger: Debugger) -> None:
    """Not the position, not the hits, not the recording."""
    debugger.do("break if t < -1")
    before, recorded = debugger.state, debugger.recording
    debugger.interrupt = lambda: True
    with pytest.raises(CommandError, match="interrupted"):
        debugger.do("continue")
    assert debugger.state is before and debugger.recording == recorded
    debugger.interrupt = lambda: False
    assert debugger.do("continue").position == 27


@pytest.mark.parametrize("line", ["watch norm(ds[t]/dz) if t < 0", "watch dE/dw if t < 0", "break if s*dE/dw > 9"])
def test_a_search_asks_now_and_then_whether_to_go_on(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stops, "_FIRST_CHUNK", 300)
    monkeypatch.setattr(stops, "ENTRIES", 16 * 300)
    debugger = make("z = w * s[t-1]", "s = tanh(z)", "E = s * s", parameters={"w": 1.5}, initial={"s": 1.0}, steps=3000)
    debugger.do(line)
    interrupted_after(debugger, 5)


def interrupted_after(debugger: Debugger, questions: int) -> None:
    """A run that is wanted to end at some question whether to go on ends there, and changes nothing."""
    asked: list[int] = []
    debugger.interrupt = lambda: len(asked) > questions or asked.append(1) or False
    with pytest.raises(CommandError, match="interrupted"):
        debugger.do("continue")
    assert debugger.cursor.position == 0


def test_a_search_through_large_matrices_is_interrupted_within_a_chunk() -> None:
    """Jacobians are made some timesteps at a time, and between them it is asked."""
    debugger = make("h = tanh(W @ h[t-1])", "E = sum(h)", parameters={"W": np.eye(64) / 2}, initial={"h": np.ones(64)},
                    steps=200)  # fmt: skip
    debugger.do("break if norm(dh[t]/dh[t-1]) > 9e9")
    interrupted_after(debugger, 8)


def test_stops_are_kept_in_the_session_and_loaded_again(debugger: Debugger, tmp_path: Path) -> None:
    """Strings exactly as given; numbered anew, nothing hit yet."""
    run(
        debugger,
        "break  dE/ds[*]  if abs(prod)<1",
        "tbreak s₁",
        "watch norm(dE/dw)",
        "break u",
        "disable 4",
        "delete 2",
    )
    saved = debugger.save(tmp_path / "stops.json")
    assert saved.debugger.breakpoints == ("dE/ds[*]  if abs(prod)<1", "disabled u")
    assert saved.debugger.watches == ("norm(dE/dw)",)
    again = Debugger(load(tmp_path / "stops.json"))
    assert [(row.number, row.text, row.enabled) for row in again.view.breakpoints] == [
        (1, "dE/ds[*]  if abs(prod)<1", True), (2, "u", False), (3, "norm(dE/dw)", True),
    ]  # fmt: skip
    assert again.session.debugger == saved.debugger
    assert everything(again.do("where"))["breakpoints"] == everything(again.view)["breakpoints"]
    assert again.recording[-1].command == "where"


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("breakpoints", "nope", "there is no node nope; nodes and parameters are "),
        ("breakpoints", "", "an empty line is no breakpoint; "),
        ("breakpoints", "s if t = 3", "column 3: unexpected '='; write =="),
        ("watches", "s[9]", "column 1: there is no s[9]; the timesteps are 0 … 1"),
    ],
)
def test_a_bad_stop_in_a_file_is_an_error_with_its_place(field: str, text: str, said: str) -> None:
    session: Session = load("question").with_state(**{field: ("s[1]", text)})  # type: ignore[arg-type]
    with pytest.raises(SessionError) as caught:
        Debugger(session)
    assert str(caught.value).startswith(f"question: debugger.{field}[1]: {said}")


def test_a_recording_that_does_not_set_the_stops_of_its_file_sets_them_first() -> None:
    """Opened with breakpoints written by hand: the recording then begins with them."""
    debugger = Debugger(load("question").with_state(breakpoints=("disabled s", "s[1]"), watches=("dE/dw",)))
    assert debugger.do("c").position == 8
    assert [r.command for r in debugger.recording] == [
        "delete",
        "break s",
        "disable 1",
        "break s[1]",
        "watch dE/dw",
        "c",
    ]
    played = Debugger(load("question"))
    for recorded in debugger.recording:
        played.do(recorded.command)
    assert everything(played.view) == everything(debugger.view)


def test_a_run_over_a_hundred_thousand_timesteps_evaluates_no_node_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed. t changes at every timestep of both passes, except where the passes meet."""
    inputs = np.sin(np.arange(100_000) * 0.7)
    debugger = Debugger(load("question").replace(inputs={"x": inputs}, expected=None))
    run(debugger, "break dE/ds if abs(prod) > 1e9", "break if t == -1 and phase == backward",
        "watch dE/dw if dE/dw > 1e9", "break if norm(s[t-1]) > 2 or max(prod) > 1e9 or dE/du[7] > 1e9",
        "watch t", "ignore 5 99999999", "break if ds[t]/dz[t] < 0 or norm(do[t]/dq[t]) > 9 or dE/du[t] > 1e9",
        "break if dE/dx[t] > 1e9 or dE/ds[t-1] > 1e9 or ds/dz[9] > 9")  # fmt: skip
    calls = []
    original = Inspector.evaluate
    monkeypatch.setattr(Inspector, "evaluate", lambda self, text: calls.append(text) or original(self, text))
    view = debugger.do("continue")
    assert view.position == debugger.last and view.breakpoints[4].hits == 199_999
    assert len(calls) < 100
