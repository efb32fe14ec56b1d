"""A session from typed texts: what each text means, which numbers are needed, and where a mistake is told."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bptt_tui.errors import NetworkError, SessionError
from bptt_tui.network.network import Network
from bptt_tui.session import bundled, load
from bptt_tui.session.form import EMPTY, Checked, Form, Given, check, form_of, place, wanted
from bptt_tui.session.typed import MOST, Dice, length, read_shape, sequence, spelt, value

DICE = Dice("1", 0.5)
FIRST = [[-0.1655, 0.344], [-0.2599, 0.06073], [0.03913, -0.2186]]
RNN = "z = W @ s[t-1] + U @ x[t]\ns = tanh(z)\no = softmax(V @ s)\nE = cross_entropy(o, y)"


# --- one value -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape", "numbers"),
    [
        ("0.8", None, 0.8),
        ("−1", None, -1),
        ("3", (), 3),
        ("1.2 -0.7", None, [1.2, -0.7]),
        ("1.2, -0.7", None, [1.2, -0.7]),
        ("[1.2, -0.7]", None, [1.2, -0.7]),
        ("1e-3,", None, [0.001]),
        ("1 2; 3 4", None, [[1, 2], [3, 4]]),
        ("1; 2", None, [[1], [2]]),
        ("[[1, 2],[3, 4]]", None, [[1, 2], [3, 4]]),
        ("1 2 3 4 5 6", (2, 3), [[1, 2, 3], [4, 5, 6]]),
        ("0", (2, 2), [[0, 0], [0, 0]]),
        ("0.5", (3,), [0.5, 0.5, 0.5]),
    ],
)
def test_numbers_are_read_as_they_are_meant(text: str, shape: tuple[int, ...] | None, numbers: object):
    assert value(text, "w", shape, DICE).numbers == numbers


@pytest.mark.parametrize(
    ("text", "shape", "said"),
    [
        ("", None, "there is no value yet"),
        ("x", None, "'x' is not a number"),
        ("1_0", None, "not a number"),
        ("nan", None, "not a number"),
        ("inf", None, "not a number"),
        ("1e999", None, "beyond the largest double"),
        ("[1, [2]]", None, "1 number"),
        ("1 2; 3", None, "all rows of an array have the same length"),
        ("[1, 2", None, "a bracket is not closed"),
        ("[1] 2", None, "one list is expected"),
        ("[[[[1]]]]", None, "more than 3 levels"),
        ("[]", None, "an empty list"),
        ("1 2 3", (2,), "3 numbers typed, but the shape is 2 numbers"),
        ("random -1", None, "above 0"),
        ("random x", None, "'x' is not a number"),
        ("random", (10**6, 10**6), "at most 1,000,000 here"),
        ("0", (10**9, 10**9), "at most 1,000,000 here"),
    ],
)
def test_what_is_no_value_says_why(text: str, shape: tuple[int, ...] | None, said: str):
    """Absurd sizes are refused before anything is made."""
    with pytest.raises(SessionError) as error:
        value(text, "w", shape, DICE)
    assert said in str(error.value)


def test_random_numbers_depend_on_seed_and_name_only():
    """The same everywhere, whatever else is in the form; short enough to reckon with."""
    first = value("random", "W", (3, 2), DICE).numbers
    assert first == value("random", "W", (3, 2), DICE).numbers == value("random 0.5", "W", (3, 2), DICE).numbers
    assert first != value("random", "U", (3, 2), DICE).numbers
    assert first != value("random", "W", (3, 2), Dice("2", 0.5)).numbers
    assert first == FIRST
    assert all(abs(number) <= 0.5 and len(f"{abs(number):.10g}") <= 8 for row in first for number in row)
    small = value("random 0.001", "W", (3, 2), DICE).numbers
    assert all(abs(number) <= 0.001 for row in small for number in row)


@pytest.mark.parametrize(
    ("text", "shape", "steps", "numbers", "note"),
    [
        ("0.5 -1", None, 2, [0.5, -1], ""),
        ("0.5 -1", None, 5, [0.5, -1, 0.5, -1, 0.5], "2, repeated"),
        ("1 2 3", None, 2, [1, 2], "the first 2 of 3"),
        ("1 0; 0 1", None, 2, [[1, 0], [0, 1]], ""),
        ("1 0 0 1", (2,), 2, [[1, 0], [0, 1]], ""),
        ("1 0", (2,), 3, [[1, 0]] * 3, "1, repeated"),
        ("7", None, 3, [7, 7, 7], "the same number throughout"),
        ("7", (2,), 2, [[7, 7], [7, 7]], "the same number throughout"),
    ],
)
def test_an_input_has_a_value_at_each_timestep(
    text: str, shape: tuple[int, ...] | None, steps: int, numbers: object, note: str
):
    made = sequence(text, "x", shape, steps, DICE)
    assert (made.numbers, made.note) == (numbers, note)


def test_an_input_can_be_random_and_is_never_absurd():
    made = sequence("random", "x", (2,), 3, DICE).numbers
    assert len(made) == 3 and {len(row) for row in made} == {2}
    with pytest.raises(SessionError, match="at most"):
        sequence("random", "x", None, MOST + 1, DICE)
    with pytest.raises(SessionError, match="at most"):
        sequence("1 2; 3 4", "x", None, MOST, DICE)
    with pytest.raises(SessionError, match="the shape is 3 numbers"):
        sequence("1 2; 3 4", "x", (3,), 2, DICE)


def test_how_long_an_input_is():
    assert length("1 2 3", None) == 3 and length("1 2; 3 4", None) == 2 and length("1 2 3 4", (2,)) == 2
    assert length("random", None) is None and length("7", None) is None and length("x", None) is None


@pytest.mark.parametrize("numbers", [0, -0.7, [1.2, -0.7], [[1, 2], [3, 4]], [[1.5]], [[[1], [2]], [[3], [4]]]])
def test_numbers_are_spelt_as_they_are_typed(numbers: object):
    assert value(spelt(numbers), "w", None, DICE).numbers == numbers


def test_shapes():
    assert [read_shape(text) for text in ("", "3", "2x3", "2×3", "(2, 3)", "(4,)", "scalar", "()")] == [
        None, (3,), (2, 3), (2, 3), (2, 3), (4,), (), (),
    ]  # fmt: skip
    for text in ("x", "0", "2x0", "2x3x4", "-1", "1.5", "9" * 40):
        with pytest.raises(SessionError, match="is no shape"):
            read_shape(text)


# --- the whole form ------------------------------------------------------------------------------------------------


def made(form: Form) -> Checked:
    checked = check(form)
    assert checked.session is not None, checked.errors
    return checked


@pytest.mark.parametrize("name", bundled.names())
def test_the_form_of_a_session_makes_the_session(name: str):
    """Bit for bit, but for what the debugger and the recording are."""
    session = load(name)
    again = made(form_of(session)).session
    assert again == session.replace(
        debugger=type(session.debugger)(), recording=(), expected=None, recorded_from=None, pins={}
    )
    assert again is not None and again.trace().loss == session.replace(pins={}).trace().loss


def test_what_is_needed_follows_from_the_equations():
    needs = wanted(Network(RNN.split("\n")))
    assert [(need.key, need.kinds[0]) for need in needs] == [
        ("W", "parameter"), ("U", "parameter"), ("x", "input"), ("V", "parameter"), ("y", "constant"),
        ("s[-1]", "initial"),
    ]  # fmt: skip
    (early,) = [
        need for need in wanted(Network(["s = s[t-1] + s[t-3] * x[t]", "E = s * s"])) if need.kinds[0] == "initial"
    ]
    assert early.depth == 3
    assert [need.key for need in wanted(Network(["E = x[t-1] * w"]))] == ["x", "w", "x[-1]"]


def test_from_nothing_to_a_network_that_can_be_traced():
    """Equations and shapes are enough: the rest stands there already."""
    form = EMPTY.but(
        equations=RNN,
        steps="4",
        given={
            "W": Given("parameter", "3x3", "random"),
            "U": Given("parameter", "3x2", "random"),
            "V": Given("parameter", "2x3", "random"),
            "x": Given("input", "2", "random"),
        },
    )
    checked = made(form)
    session = checked.session
    assert session is not None
    assert session.initial == {"s": [0, 0, 0]} and "shape of its node" in checked.notes["s[-1]"]
    assert len(session.inputs["x"]) == 4 and session.constants == {"y": 0}
    assert session.trace().gradient["W"].shape == (3, 3)
    assert made(form).session == session
    assert made(form.but(seed="2")).session != session
    assert made(form.but(equations=RNN.replace("tanh", "sigmoid"))).session.parameters == session.parameters  # type: ignore[union-attr]


def test_another_length_repeats_or_cuts_and_says_so():
    form = form_of(load("question"))
    longer = made(form.but(steps="5"))
    assert longer.session is not None
    assert longer.session.inputs["x"] == [0.5, -1.0, 0.5, -1.0, 0.5] and longer.notes["x"] == "2, repeated"
    assert longer.session.trace().steps == 5
    assert made(form.but(steps="1")).session.inputs["x"] == [0.5]  # type: ignore[union-attr]
    assert made(form.but(steps="")).session.inputs["x"] == [0.5, -1.0]  # type: ignore[union-attr]


def test_numbers_too_many_to_be_typed_are_kept():
    """The word for them can be written over; they are cut and repeated like others."""
    session = load("question").replace(inputs={"x": [0.001 * t for t in range(2000)]}, expected=None)
    form = form_of(session)
    assert form.given["x"].value == "unchanged" and made(form).session == session
    assert made(form.but(steps="3")).session.inputs["x"] == [0.0, 0.001, 0.002]  # type: ignore[union-attr]
    assert len(made(form.but(steps="")).session.inputs["x"]) == 2000  # type: ignore[union-attr]
    other = form.but(given={**form.given, "x": Given("input", "", "1 2")}, steps="")
    assert made(other).session.inputs["x"] == [1, 2]  # type: ignore[union-attr]
    assert (
        "not a number"
        in check(QUESTION.but(given={**QUESTION.given, "u": Given("parameter", "", "unchanged")})).errors["value u"]
    )


def test_values_before_t_0_stand_in_time_order():
    form = EMPTY.but(equations="s = s[t-1] + w * s[t-2]\nE = s * s", given={"s[-1]": Given("initial", "", "1 2")})
    session = made(form).session
    assert session is not None and session.initial == {"s": [1, 2]} and session.steps == 3
    assert made(form_of(session)).session == session


def test_a_plain_name_can_be_a_constant_or_an_input():
    form = form_of(load("question"))
    as_constant = form.but(given={**form.given, "w": Given("constant", "", "0.6")})
    assert "w" in made(as_constant).session.constants  # type: ignore[union-attr]
    as_input = form.but(given={**form.given, "w": Given("input", "", "0.6 0.7")})
    assert made(as_input).session.inputs["w"] == [0.6, 0.7]  # type: ignore[union-attr]
    with_index = form.but(equations=form.equations.replace("w * s", "w[t] * s"))
    assert made(with_index).session.inputs["w"] == [0.6, 0.6]  # type: ignore[union-attr]


QUESTION = form_of(load("question"))


def typed(key: str, text: str, shape: str = "") -> Form:
    return QUESTION.but(given={**QUESTION.given, key: Given(QUESTION.given[key].kind, shape, text)})


STILL = EMPTY.but(
    equations="a = w * u\ns = tanh(a) + sum(s[t-1])\nE = sum(s)",
    given={"w": Given("parameter", "2", "1"), "s[-1]": Given("initial", "3", "0")},
)


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        (QUESTION.but(equations=""), "equations", "no equations yet"),
        (QUESTION.but(equations="\n  \n"), "equations", "no equations yet"),
        (QUESTION.but(loss_at="sometimes"), "loss_at", "last, every, or some"),
        (QUESTION.but(loss_at="0 9"), "loss_at", "there is no timestep 9"),
        (QUESTION.but(loss_at=""), "loss_at", "no choice"),
        (QUESTION.but(steps="0"), "steps", "1 or more"),
        (QUESTION.but(steps="2.5"), "steps", "a whole number"),
        (QUESTION.but(steps="1000000000000"), "steps", "at most"),
        (QUESTION.but(steps="many"), "steps", "not a number"),
        (QUESTION.but(scale="0"), "scale", "above 0"),
        (typed("u", "eight"), "value u", "'eight' is not a number"),
        (typed("u", "1 2 3"), "equations", "line 5: "),
        (typed("s[-1]", "1 2 3"), "equations", "line 5: "),
        (STILL, "value s[-1]", "makes s a vector (2,), but its initial value is a vector (3,)"),
        (typed("v", "1 2; 3 4"), "equations", "line 6: "),
        (typed("v", "1", "two"), "shape v", "is no shape"),
        (typed("y", "7"), "value y", "y is not a class index of 2 classes"),
        (typed("x", ""), "value x", "there is no value yet"),
    ],
)
def test_a_mistake_is_told_at_its_field(form: Form, field: str, said: str):
    checked = check(form)
    assert checked.session is None
    assert said in checked.errors.get(field, ""), checked.errors


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("s = tanh(z", 10, "expected"),
        ("s = tamh(z)", 4, "did you mean 'tanh'"),
        ("s = tanh(z) $", 12, ""),
        ("s[t] = z", 1, "plain name"),
        ("t = z", 0, "the timestep"),
    ],
)
def test_a_caret_stands_under_the_character(line: str, column: int, said: str):
    """The line is counted among those typed, blank ones too."""
    lines = QUESTION.equations.split("\n")
    lines[3:4] = ["", f"  {line}"]
    checked = check(QUESTION.but(equations="\n".join(lines)))
    assert checked.wanted is None and checked.caret == (4, line, column)
    assert checked.errors["equations"].startswith("line 5: ") and said in checked.errors["equations"]


def test_no_t_and_no_input_asks_for_t():
    checked = check(EMPTY.but(equations="s = w * s[t-1]\nE = s", steps=""))
    assert checked.errors == {"steps": "how many timesteps? no input says so"}


def test_an_error_of_the_trace_finds_its_field_too():
    error = NetworkError("too small", places=("new session", "constants.y"))
    assert place(QUESTION, error) == {"value y": "too small"}
    error = NetworkError("of another shape", places=("new session", "equations[1]"))
    assert place(QUESTION, error) == {"equations": "line 2: of another shape"}


TEXTS = st.one_of(
    st.text(max_size=20),
    st.text("0123456789.-+eExX×,;[]() \n\trandom=tuvwzE@*/", max_size=30),
    st.sampled_from(["random", "random 1", "1 2; 3 4", "2x2", "[[1], [2]]", "1e308", "−1", "\0", "\ud800", "9" * 40]),
)


@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_is_a_session_or_an_error_at_a_field(
    title: str, equations: str, loss_at: str, steps: str, scale: str, shape: str, text: str
):
    """Nothing else is raised, whatever stands in which field."""
    for form in (
        QUESTION.but(given={key: Given(one.kind, shape, text) for key, one in QUESTION.given.items()}),
        QUESTION.but(title=title, steps=steps, seed=text, scale=scale, loss_at=loss_at),
        QUESTION.but(equations=equations),
    ):
        assume(len(form.steps.strip()) < 5)  # a million timesteps take their time
        checked = check(form)
        assert (checked.session is None) == bool(checked.errors)
        assert all(reason for reason in checked.errors.values())
