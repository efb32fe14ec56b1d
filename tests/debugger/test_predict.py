"""Predict mode: what is asked is nowhere to be seen, and an answer is judged by what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from seen import everything, make, random_session

from bptt_tui.calculus import numerals
from bptt_tui.debugger import Debugger, View
from bptt_tui.debugger.looking import Look, Veil
from bptt_tui.debugger.view import HIDDEN, Missing
from bptt_tui.errors import CommandError
from bptt_tui.session import Session, load

# --- nothing is given away -----------------------------------------------------------------------------------------


def numbers(value: Any) -> set[float]:
    """Every number in a part of a View."""
    if isinstance(value, np.ndarray):
        return {abs(float(entry)) for entry in value.reshape(-1) if np.isfinite(entry)}
    if isinstance(value, float):
        return {abs(value)}
    if isinstance(value, list | tuple):
        return set().union(*map(numbers, value))
    if isinstance(value, Struct):
        return numbers([getattr(value, name) for name in value.__struct_fields__])
    return set()


def texts(value: Any) -> str:
    """Every text in a part of a View."""
    if isinstance(value, str):
        return f"{value}\n"
    if isinstance(value, list | tuple):
        return "".join(map(texts, value))
    if isinstance(value, Struct):
        return texts([getattr(value, name) for name in value.__struct_fields__])
    return ""


def parts(view: View) -> list[Any]:
    """All that every accessor of a View gives."""
    graph, table = view.graph, view.contributions
    own = [getattr(view, n) for n in view.__struct_fields__ if n not in ("graph", "chain", "contributions")]
    cells = [graph.cell(row, t) for row in range(len(graph.rows)) for t in range(graph.first, graph.last + 1)]
    terms = [table.cell(row, t) for row in range(len(table.rows)) for t in range(table.steps)]
    sums = [table.so_far(row) for row in range(len(table.rows))]
    return [*own, cells, graph.edges(), list(view.chain.factors(400)), terms, sums]


def given_numbers(session: Session) -> set[float]:
    """What the learner was given: parameters, inputs, initial values, constants; and 0, 1."""
    fields = (session.parameters, session.inputs, session.initial, session.constants)
    values = [np.asarray(value, dtype=float) for field in fields for value in field.values()]
    literals = [float(text) for equation in session.equations for text in re.findall(r"\d+\.\d+", equation)]
    return numbers(values) | numbers(literals) | {0.0, 1.0}


def result(view: View) -> set[float]:
    """What the step of a View computes: the numbers that are new in it."""
    pane = view.pane
    assert pane is not None
    shown = [pane.value, *(factor.value for factor in pane.partials)] if view.phase == "forward" else []
    table = view.contributions
    if view.phase == "backward":
        shown = [pane.adjoint, pane.so_far, *(inflow.product for inflow in pane.inflows)]
        shown += [inflow.factor.value for inflow in pane.inflows if inflow.factor.current]
        shown += [table.so_far(row) for row in range(len(table.rows))]
    return numbers([value for value in shown if value is not None])


def given_away(session: Session, position: int, kind: str, move: str) -> set[float] | None:
    """The numbers that the move into a question computes and the asking View has; None where nothing is asked."""
    plain, asking = Debugger(session), Debugger(session)
    for debugger in (plain, asking):
        debugger.do(f"goto {position - 1}")
    known = numbers(parts(replace(plain.view, strips=()))) | given_numbers(session)
    if plain.view.strip is not None:
        known |= numbers(plain.view.strip.norms[plain.view.strip.known_from :])
    asking.do(f"predict on {kind}")
    if asking.view.question is not None:
        asking.do("reveal")
    shown, view = plain.do(move), asking.do(move)
    if view.question is None:
        return None
    assert shown.pane is not None
    # The chain above the current factor was taken before, and so were the inflows before this one.
    known |= numbers([[factor.value, factor.running] for factor in list(shown.chain.factors(400))[:-1]])
    known |= numbers([inflow.adjoint for inflow in shown.pane.inflows])
    others = [inflow for inflow in shown.pane.inflows if not inflow.factor.current]
    known |= numbers([inflow.factor.value for inflow in others])
    if view.question.kind == "factor":
        known |= numbers([inflow.product for inflow in others])
    if view.question.kind == "contribution":
        known |= numbers([inflow.factor.value for inflow in shown.pane.inflows])
    new = result(shown) - known
    words = texts(parts(view))
    written = {numerals.number(number, 6) for number in known}
    spelled = {number for number in new if len(numerals.number(number, 6)) > 5 and numerals.number(number, 6) in words}
    return (new & numbers(parts(view))) | {n for n in spelled if numerals.number(n, 6) not in written}


@settings(max_examples=80)
@given(
    st.integers(0, 3000),
    st.floats(0, 1),
    st.sampled_from(["", "values", "factors", "contributions"]),
    st.sampled_from(["step", "next"]),
)
def test_what_is_asked_is_nowhere_in_the_view(seed: int, share: float, kind: str, move: str) -> None:
    """At any position of any network, no accessor gives a number, or its text, that the step has just computed."""
    session = random_session(seed)[1]
    position = max(1, round(share * Debugger(session).last))
    assert not given_away(session, position, kind, move)


@pytest.mark.parametrize(
    ("position", "plant"),
    [
        (4, "bptt_tui.debugger.looking.Look.value"),
        (22, "bptt_tui.debugger.looking.Look.adjoint"),
        (27, "bptt_tui.debugger.looking.Look.contribution"),
        (27, "bptt_tui.debugger.looking.Look.so_far"),
        (22, "bptt_tui.debugger.looking.Veil.over"),
    ],
)
def test_a_planted_leak_is_found(position: int, plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place that hides something, made to tell it: the property above would fail."""
    session = load("question")
    assert given_away(session, position, "", "next") == set()
    owner, name = (Veil, "over") if plant.endswith("over") else (Look, plant.rpartition(".")[2])
    original = getattr(owner, name)

    def telling(self: Any, *args: Any) -> Any:
        if owner is Veil:
            return args[0]
        return original(Look(self.scene, self.position, self.factor), *args)

    monkeypatch.setattr(owner, name, telling)
    assert given_away(session, position, "", "next")


def test_every_hidden_field_is_marked_at_a_factor() -> None:
    """Adjoint, product, factor, running product, cell and prediction; the strip does not reach so far."""
    debugger = Debugger(load("question"))
    debugger.do("goto 21")
    debugger.do("predict on factors")
    debugger.do("reveal")
    view = debugger.do("next")
    assert view.question is not None and view.question.text == "∂b₁/∂s₀ = ?"
    pane, last = view.pane, view.chain.factors(20)[-1]
    assert pane is not None
    (inflow,) = pane.inflows
    assert pane.adjoint is pane.so_far is inflow.product is inflow.factor.running is last.running is HIDDEN
    assert (inflow.factor.symbol, inflow.factor.latex, inflow.factor.value) == ("?", "?", None)
    assert (last.symbol, last.latex, last.value) == ("?", "?", None)
    assert pane.prediction == "" and pane.remarks == ()
    assert {partial.symbol for partial in pane.partials} == {"?"}
    row = view.graph.rows.index("s")
    cell = view.graph.cell(row, 0)
    assert not isinstance(cell, Missing) and cell.adjoint is HIDDEN
    assert view.strip is not None and view.strip.known_from == 1 and np.isnan(view.strip.norms[0])


@pytest.mark.parametrize(
    ("position", "kind", "lines"),
    [
        (4, "values", ["print s[0]", "print ds[0]/dz[0]", "answer s[0]"]),
        (
            22,
            "factors",
            ["print dE/ds[0]", "print prod", "print db[1]/ds[0]", "answer ds[0]/dz[0]"],
        ),
        (27, "contributions", ["print dE/du[0]", "print dE/du", "print prod", "answer dE/du[0]"]),
    ],
)
def test_print_and_where_do_not_tell(position: int, kind: str, lines: list[str]) -> None:
    """Neither what is asked nor what will be; after the answer all of it is printed."""
    debugger = Debugger(load("question"))
    debugger.do(f"goto {position}")
    debugger.do(f"predict on {kind}")
    for line in lines:
        with pytest.raises(CommandError, match="is hidden until it has been predicted; answer EXPR, hint, reveal"):
            debugger.do(line)
    assert debugger.do("where").message.splitlines()[1].endswith(" = ?")
    debugger.do("reveal")
    debugger.do(lines[0])


def test_going_on_waits_for_the_answer_and_going_back_does_not() -> None:
    """next, goto and end would show it; rewind may be typed, and next asks again."""
    debugger = Debugger(load("question"))
    debugger.do("predict on values")
    view = debugger.do("next")
    for line in ("next", "step", "finish", "end", "goto 9"):
        with pytest.raises(CommandError, match="a₀ = \\? is not answered; answer EXPR, hint, reveal or predict off"):
            debugger.do(line)
        assert debugger.view is view
    assert debugger.do("rewind").question is None
    assert debugger.do("next").question == view.question
    debugger.do("answer u * x[0]")
    assert debugger.do("next").question is not None
    assert debugger.do("rewind").question is None


@settings(max_examples=15)
@given(st.integers(0, 3000))
def test_revealed_and_switched_off_the_view_is_the_plain_one(seed: int) -> None:
    """Step by step through a network, everything that was hidden is there afterwards."""
    session = random_session(seed)[1]
    plain, asking = Debugger(session), Debugger(session)
    asking.do("predict on")
    while plain.view.position < plain.last:
        plain.do("step")
        asking.do("step")
        if asking.view.question is not None:
            asking.do("reveal")
    asking.do("predict off")
    assert everything(asking.view) == everything(plain.view)


# --- answers -------------------------------------------------------------------------------------------------------


def asked(name_or_debugger: str | Debugger, place: str, kind: str = "") -> Debugger:
    debugger = Debugger(load(name_or_debugger)) if isinstance(name_or_debugger, str) else name_or_debugger
    debugger.do(f"goto {place}")
    debugger.do(f"predict on {kind}")
    assert debugger.view.question is not None
    return debugger


RIGHT = [
    ("s[0]", "", "0.522665"), ("s[0]", "", "0.523"), ("s[0]", "", "tanh(z[0])"), ("s[0]", "", "5.22665e-1"),
    ("dE/dz[1]", "", "1 - s[1]**2"), ("dE/dz[1]", "", "0.7963"), ("dE/dz[1]", "", "(1 - s[1]) * (1 + s[1])"),
    ("dE/ds[0]", "", "w"), ("dE/ds[0]", "", "0.6"), ("dE/db[1]", "", "1"), ("dE/dw[1]", "factors", "s[0]"),
    ("dE/dw[1]", "", "dE/db[1] * s[0]"), ("dE/dw[1]", "", "−0.555232"), ("dE/dv[1]", "", "[0.3169, -0.3169]"),
    ("dE/do", "", "[-3.3574, 0]"), ("dE/dq", "", "[[0.20913, -0.20913], [-0.20913, 0.20913]]"),
    ("dE/ds[1]", "", "v"), ("o", "", "softmax(q)"), ("E", "", "-log(0.2978463187)"),
    ("dE/do", "", "[-1/0.2978, 0]"), ("dE/do", "", "[-(1 / 0.2978); 0 * s[1]]"), ("o", "", "[0.2978, 1 - 0.2978]"),
    ("o", "", "[0.2978 0.7022]"), ("o", "", "[1-0.7022, 0.7022]"), ("dE/dv[1]", "", "[0.3169 -0.3169]"),
    ("dE/dv[1]", "", "[(0.2978 - 1) * s[1], 0.7022 * s[1]]"),
    ("dE/dq", "", "[[0.2978*(1-0.2978), -0.2978*0.7022], [-0.2978*0.7022, 0.7022*(1-0.7022)]]"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "kind", "text"), RIGHT)
def test_a_right_answer_shows_what_was_hidden(place: str, kind: str, text: str) -> None:
    """A number with the digits typed, or an expression; the question is settled then."""
    debugger = asked(at_node(place), place_of(place), kind)
    view = debugger.do(f"answer {text}")
    assert view.message.startswith("right: ") and view.question is None
    assert debugger.state.predictions[-1].outcome == "right"


def at_node(place: str) -> Debugger:
    debugger = Debugger(load("question"))
    if place.startswith("dE/d") and place.removeprefix("dE/d") in ("w[1]", "v[1]"):
        debugger.do("goto 12")
    return debugger


def place_of(place: str) -> str:
    inner = place.removeprefix("dE/d")
    return inner if inner in ("w[1]", "v[1]") else place


WRONG = [
    ("question", "s[0]", "", "-0.522665", "the sign is the other one"),
    ("question", "s[0]", "", "z[0]", "tanh is missing: this is what goes into it"),
    ("question", "s[0]", "", "sigmoid(z[0])", "this is sigmoid; the activation is tanh"),
    ("question", "s[0]", "", "1 / 0.522665", "it is the reciprocal"),
    ("question", "z[1]", "", "a[1]", "this is only one term of the sum, a₁"),
    ("question", "z[1]", "", "a[1] + b[0]", "the index is off by one: it has b₀ in place of b₁"),
    ("question", "z[1]", "", "a[0] + b[0]", "the index is off by one: it has a₀ in place of a₁ and b₀ in place of b₁"),
    ("question", "dE/dz[1]", "", "1", "the slope f′ of tanh is missing"),
    ("question", "dE/dz[1]", "", "s[1] * (1 - s[1])", "this has the slope of sigmoid; the activation is tanh"),
    ("question-sigmoid", "dE/dz[1]", "", "1 - s[1]**2", "this has the slope of tanh; the activation is sigmoid"),
    ("question", "dE/dz[1]", "", "1 - s[0]**2", "the index is off by one: it has t = 0 in place of t = 1"),
    ("question", "dE/dz[1]", "", "-1.06231", "this is the running product; asked is its last factor alone"),
    ("question", "w[1]", "factors", "s[1]", "the index is off by one: it has s₁ in place of s₀"),
    ("question", "w[1]", "", "dE/db[1] * s[1]", "the index is off by one: it has s₁ in place of s₀"),
    ("question", "u[0]", "", "dE/da[0]", "the factor ∂a₀/∂u₀ is missing"),
    ("question", "u[0]", "", "-0.386054", "the factor ∂b₁/∂s₀ is missing"),
    ("question", "u[0]", "", "-0.318693", "the factor ∂s₀/∂z₀, the slope f′ of tanh, is missing"),
    ("question", "u[0]", "", "0.830676", "this is the sum of the terms so far; asked is the last of them"),
    ("question", "u[0]", "", "-0.463265 * 2", "it is 4 times too large"),
    ("question", "u[0]", "", "0.1158", "it is 2 times too small, and the sign is the other one"),
    ("question", "u[0]", "", "0", "it is not 0"),
    ("question", "v[1]", "", "[0.3169, 0.3169]", "1 of 2 entries are right"),
    ("question", "v[1]", "", "[0.7022 * s[1], 0.7022 * s[1]]", "1 of 2 entries are right"),
    ("question", "dE/do", "", "[1 / 0.2978, 0]", "the sign is the other one"),
    ("question", "dE/ds[1]", "", "[6/5, -7/10]", "the right value here, but not with other numbers"),
    ("question", "dE/ds[0]", "", "0.6 + 0.001", "it is close, but not within the digits given"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "place", "kind", "text", "said"), WRONG)
def test_a_wrong_answer_is_told_how_it_is_wrong(name: str, place: str, kind: str, text: str, said: str) -> None:
    """The slip by its name, else how far off; the question stays open, and the try is counted."""
    debugger = Debugger(load(name))
    view = asked(debugger, place, kind).do(f"answer {text}")
    assert view.message.startswith("wrong: ") and said in view.message
    assert view.question is not None and view.question.tries == 1
    assert debugger.state.predictions[-1].outcome == "wrong"
    assert debugger.do(f"answer {text}").question.tries == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[-1/0.2978, , 0]", "column 12: an entry of the array is missing"),
        ("[-1/0.2978, 0 +]", "column 16: "),
        ("[-1/0.2978, v]", "v is not a scalar"),
        ("[-1/0.2978, 0, 0]", "the answer has 2 entries, not 3"),
        ("[-1/0.2978, 0", "column "),
        ("[-1/0.2978, 0] + [0, 1]", "column "),
        ("[]", "an entry of the array is missing"),
    ],
)
def test_an_array_that_cannot_be_read_says_where_and_counts_as_no_try(text: str, said: str) -> None:
    debugger = asked(Debugger(load("question")), "dE/do")
    with pytest.raises(CommandError) as error:
        debugger.do(f"answer {text}")
    assert said in str(error.value) and not debugger.state.predictions


def test_the_slope_left_out_of_a_whole_step_is_named() -> None:
    """∂s₁/∂s₀ = w, as in the answer's comment; and the slope alone."""
    given = {"parameters": {"u": 0.8, "w": 0.6}, "initial": {"s": 0.3}, "inputs": {"x": [0.5, -1.0]},
             "constants": {"y": 1.0}}  # fmt: skip
    debugger = make("s = tanh(u * x[t] + w * s[t-1])", "E = squared_error(s, y)", **given)
    asked(debugger, "dE/ds[0]")
    assert debugger.do("answer w").message == "wrong: the slope f′ of tanh is missing"
    assert "slope f′ of tanh alone" in debugger.do("answer 1 - s[1]**2").message
    assert debugger.do("answer w * (1 - s[1]**2)").message.startswith("right: ∂s₁/∂s₀ = ")


def test_only_one_of_two_inflows_is_named() -> None:
    """A parameter read twice at one timestep."""
    given = {"parameters": {"w": 0.6}, "initial": {"s": 0.3}, "inputs": {"x": [0.5, -1.2]}, "constants": {"y": 1.0}}
    debugger = make("a = w * x[t]", "b = w * s[t-1]", "s = tanh(a + b)", "E = squared_error(s, y)", **given)
    asked(debugger, "w[1]")
    assert "this is inflow " in debugger.do("answer dE/da[1] * x[1]").message
    assert debugger.do("answer dE/da[1] * x[1] + dE/db[1] * s[0]").message.startswith("right")


def test_a_transposed_jacobian_is_named() -> None:
    """Columns for rows; a slope per entry and the number 1 stand for a diagonal and the identity."""
    columns = np.asarray(load("vectors").parameters["V"]).T.tolist()
    debugger = asked("vectors", "dE/ds[2]")
    assert debugger.do(f"answer {columns}").message.startswith("wrong: it is transposed")
    assert debugger.do("answer V").message.startswith("right")
    assert asked("vectors", "dE/dz[2]").do("answer 1 - s[2]**2").message.startswith("right")


def test_a_coincidence_is_not_right() -> None:
    """An expression that gives the value only with these numbers."""
    debugger = make("s = w * s[t-1]", "E = squared_error(s, y)", parameters={"w": 0.5}, initial={"s": 0.5},
                    constants={"y": 1.0}, steps=1)  # fmt: skip
    asked(debugger, "w[0]", "factors")
    assert debugger.do("answer w").message == "wrong: it has the right value here, but not with other numbers"
    assert debugger.do("answer s[-1]").message.startswith("right")


@pytest.mark.parametrize(
    ("position", "answer", "right"),
    [
        ("dE/do", "-y/o", True),  # y is a class here; in formulas it is its distribution
        ("dE/do", "y/o", False),
        ("dE/dq", "diag(o) - o*o^T", True),
        ("dE/dz[1]", "1 - s_1^2", True),
        ("dE/dz[1]", "s_1 * (1 - s_1)", False),
        ("E", "-log(0.2978)", True),  # as many digits as the screen shows
        ("E", "-log(0.2970)", False),
    ],
)
def test_an_answer_may_be_written_as_a_formula(position: str, answer: str, right: bool) -> None:
    """As the hint gives it, and as a derivation would."""
    debugger = Debugger(load("question"))
    for line in (f"goto {position}", "predict on"):
        debugger.do(line)
    assert debugger.do(f"answer {answer}").message.startswith("right" if right else "wrong")


@pytest.mark.parametrize(
    "answer", [r"\mathrm{d}s_1/\mathrm{d}z_1", "ds_1/dz_1", "∂s₁/∂z₁", r"\frac{\partial s_1}{\partial z_1}"]
)
def test_the_question_is_no_answer(answer: str) -> None:
    debugger = Debugger(load("question"))
    for line in ("goto dE/dz[1]", "predict on"):
        debugger.do(line)
    with pytest.raises(CommandError):
        debugger.do(f"answer {answer}")
    assert debugger.view.question is not None


@pytest.mark.parametrize(
    ("text", "right"),
    [("0.796", True), ("0.7963", True), ("0.797", False), ("0.7962", True), ("0.795", False), ("0.80", False),
     ("0.8", False), ("0.79628", True), ("0.79620", True), ("0.79650", False)],
)  # fmt: skip
def test_as_many_digits_as_were_typed_are_judged_and_three_at_least(text: str, right: bool) -> None:
    """∂s₁/∂z₁ = 0.7962786: a number is right to its own digits, or within 1e-4."""
    message = asked("question", "dE/dz[1]").do(f"answer {text}").message
    assert message.startswith("right" if right else "wrong"), message


def test_hint_gives_the_formula_without_numbers() -> None:
    """For a factor that is a number itself: how to come to it."""
    assert asked("question", "s[0]").do("hint").message == "s₀ = tanh(z₀)"
    assert asked("question", "dE/dz[1]").do("hint").message == "∂s₁/∂z₁ = 1 − s₁²"
    assert asked("question", "u[0]").do("hint").message == "∂E/∂u₀ = ∂E/∂a₀ · x₀"
    assert asked("question", "dE/db[1]").do("hint").message == "differentiate z₁ = a₁ + b₁ by b₁"


def test_score_and_answers_are_kept_in_the_session(tmp_path: Path) -> None:
    """Saved, loaded, and gone on with."""
    debugger = asked("question", "s[0]", "values")
    assert debugger.do("answer 0.4").message == "wrong: it is 1.31 times too small"
    debugger.do("answer tanh(z[0])")
    debugger.do("next")
    assert debugger.do("reveal").message == "a₁ = u·x₁ = -0.8"
    listed = "1 right, 1 wrong, 1 revealed\n  s₀ = ?  0.4  wrong\n  s₀ = ?  tanh(z[0])  right\n  a₁ = ?  revealed"
    assert debugger.do("score").message == listed
    debugger.save(tmp_path / "p.json")
    again = Debugger(load(tmp_path / "p.json"))
    assert again.do("score").message == listed
    assert again.session.debugger.predictions == debugger.session.debugger.predictions
    assert [p.outcome for p in again.session.debugger.predictions] == ["wrong", "right", "revealed"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predict", "predict on or off?; usage: predict on [KIND]|off"),
        ("predict on everything", "'everything' is nothing to predict; usage: predict on [KIND]|off"),
        ("predict off now", "'now' is too much; usage: predict on [KIND]|off"),
        ("answer", "an answer is a number or an expression; usage: answer EXPR"),
        ("answer 1 +", "column 4: unexpected end of the line"),
        ("answer [1, 2]", "the answer has 1 entry, not 2"),
        ("answer nowhere", "there is no nowhere"),
        ("hint 1", "'1' is too much; usage: hint"),
        ("reveal 1", "'1' is too much; usage: reveal"),
        ("score 1", "'1' is too much; usage: score"),
    ],
)
def test_a_wrong_line_leaves_question_and_score_as_they_are(line: str, said: str) -> None:
    """What cannot be read is not counted as an answer."""
    debugger = asked("question", "s[0]")
    view, state = debugger.view, debugger.state
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert str(caught.value).startswith(said)
    assert debugger.state is state and debugger.view is view


def test_where_nothing_is_asked_there_is_nothing_to_answer() -> None:
    """Off, at the start, and where the backward pass begins."""
    debugger = Debugger(load("question"))
    for place in ("goto 5", "predict on", "start", "predict off", "goto 12", "predict on"):
        if place == "start":
            debugger.do("reveal")
        debugger.do(place)
        if debugger.view.question is None:
            for line in ("answer 1", "hint", "reveal"):
                with pytest.raises(CommandError, match="nothing is asked here; predict on, then next"):
                    debugger.do(line)


def test_large_arrays_are_not_asked_for() -> None:
    """More than sixteen entries are shown at once."""
    debugger = Debugger(load("lstm"))
    debugger.do("end")
    debugger.do("predict on")
    debugger.do("rewind")
    sizes = set()
    while debugger.view.position:
        pane, question = debugger.view.pane, debugger.view.question
        assert pane is not None
        if question is not None and question.kind != "factor":
            sizes.add(int(np.prod(pane.shape)))
        debugger.do("rewind")
    assert sizes and max(sizes) <= 16


def test_a_trouble_is_not_told_before_the_answer() -> None:
    """That a value saturates says what it is."""
    debugger = make("s = tanh(w * s[t-1])", "E = squared_error(s, y)", parameters={"w": 900.0}, initial={"s": 1.0},
                    constants={"y": 0.5}, steps=1)  # fmt: skip
    plain = debugger.do("next")
    assert plain.pane is not None and plain.pane.remarks and plain.remarks
    debugger.do("predict on")
    view = debugger.view
    assert view.pane is not None and view.pane.remarks == () and view.remarks == ()
    assert debugger.do("answer 1").message.startswith("right") and debugger.view.remarks == plain.remarks


def test_stops_displays_and_vanish_do_not_tell() -> None:
    """A watch that stops, a displayed expression and the search for the vanishing gradient keep the answer back."""
    debugger = Debugger(load("question"))
    for line in ("goto 18", "watch dE/dw", "display prod", "predict on contributions"):
        debugger.do(line)
    view = debugger.do("continue")
    assert view.position == 19 and view.question is not None
    assert view.stopped == "watch 1 at ∂E/∂w₁: dE/dw = not yet → ?"
    assert "0.555" not in "".join(view.displays) + view.message
    debugger = Debugger(load("vanishing"))
    for line in ("goto dE/ds[50]", "predict on factors", "reveal"):
        debugger.do(line)
    view = debugger.do("vanish 1e-6")
    assert view.question is not None and view.message == "vanished at ∂E/∂s₂₃, 36 timesteps on"
    with pytest.raises(CommandError, match="whole gradients are hidden in predict mode; predict off"):
        debugger.do("compare")


def test_at_the_end_a_contribution_that_is_asked_is_not_called_known() -> None:
    debugger = Debugger(load("question"))
    for line in ("goto 26", "predict on", "reveal"):
        debugger.do(line)
    assert debugger.do("next").message == "at the end: what is asked here is the last"
    debugger.do("reveal")
    assert debugger.do("goto 27").message == "at the end: every contribution is known"
