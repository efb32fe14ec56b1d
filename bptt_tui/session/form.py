"""A session made by filling in a form: what the fields say, which numbers the equations need, what is wrong where.

    form = form_of(load("question"))
    checked = check(form.but(steps="10"))
    checked.session          # None while something is wrong: checked.errors says what, by field
    checked.wanted           # the names that the equations read, each to be given a value

Everything is checked as a session file is. Errors are found by field: `equations`, `loss_at`, `steps`, `seed`,
`scale`, and `value w` or `shape w` for a name; `s[-1]` is what s is before t = 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct, structs

from bptt_tui.calculus.shapes import Shape
from bptt_tui.errors import BpttError, EquationError, SessionError
from bptt_tui.language import Name, calls
from bptt_tui.network import unroll
from bptt_tui.network.network import Network
from bptt_tui.session.format import Loss
from bptt_tui.session.session import Session
from bptt_tui.session.typed import (
    MOST,
    Dice,
    Value,
    length,
    over_time,
    read_number,
    read_scale,
    read_shape,
    sequence,
    spelt,
    value,
)
from bptt_tui.session.values import shape_of

Kind = Literal["input", "parameter", "constant", "initial"]

NAME = "new session"  # what errors call it until it has a file
_GROUPS: dict[str, Kind] = {"inputs": "input", "parameters": "parameter", "constants": "constant", "initial": "initial"}
_TARGETS = ("cross_entropy", "squared_error", "binary_cross_entropy")
_INITIAL = re.compile(r" makes (\w+) .*, but its initial value is ")
_UNCHANGED = "unchanged"
_MOST_TYPED = 500
_MOST_STEPS = 20_000_000


class Given(Struct, frozen=True):
    """What is typed for one name."""

    kind: Kind
    shape: str = ""
    value: str = ""


class Wanted(NamedTuple):
    """A name that needs a value: what it can be, and how many timesteps before t = 0 (of an `initial`)."""

    key: str
    name: str
    kinds: tuple[Kind, ...]
    depth: int = 0

    def first(self) -> Given:
        """What stands there before anything is typed. A target is a constant, and so is a class index."""
        kind = self.kinds[0]
        return Given(kind, value="random" if kind in ("input", "parameter") else "0")


class Form(Struct, frozen=True):
    """What is typed, all of it text; `given` by key, also for names that no equation reads just now.

    Numbers that are too many to be typed are `kept` by key, and their text is the word `unchanged`.
    """

    title: str = ""
    equations: str = ""
    loss_at: str = "last"
    reduction: str = "sum"
    steps: str = ""
    seed: str = "1"
    scale: str = "0.5"
    given: dict[str, Given] = {}
    kept: dict[str, Any] = {}

    def but(self, **changes: Any) -> Form:
        """The form with other texts in some fields."""
        return structs.replace(self, **changes)


class Checked(NamedTuple):
    """A session, or what is wrong by field; what is to be said of the values by key; where an equation is wrong."""

    session: Session | None
    errors: Mapping[str, str]
    notes: Mapping[str, str]
    wanted: tuple[Wanted, ...] | None  # None where the equations cannot be read
    caret: tuple[int, str, int] | None = None  # the line among the typed ones, its text, the column


EMPTY = Form(equations="", loss_at="last", steps="3")


def form_of(session: Session) -> Form:
    """The form as it would have been filled in for this session."""
    given: dict[str, Given] = {}
    kept: dict[str, Any] = {}
    for group, kind in _GROUPS.items():
        for name, numbers in getattr(session, group).items():
            key = f"{name}[-1]" if kind == "initial" else name
            if _count(numbers) > _MOST_TYPED:
                kept[key] = numbers
            shape = shape_of(numbers)[1:] if kind == "input" else shape_of(numbers)
            if kind == "initial" and _depth(session, name) > 1:
                shape = shape[1:]
            given[key] = Given(kind, "x".join(map(str, shape)), _UNCHANGED if key in kept else spelt(numbers))
    lengths = [len(numbers) for numbers in session.inputs.values()]
    at = session.loss.at
    return Form(
        title=session.title,
        equations="\n".join(" ".join(text.split()) for text in session.equations),
        loss_at=at if isinstance(at, str) else " ".join(map(str, at)),
        reduction=session.loss.reduction,
        steps=str(lengths[0] if lengths else session.steps or ""),
        given=given,
        kept=kept,
    )


def _depth(session: Session, name: str) -> int:
    return max([-(read.offset or 0) for reads in session.network().reads for read in reads if read.name == name])


def wanted(network: Network) -> tuple[Wanted, ...]:
    """The names that equations read and none defines, and those read before t = 0, in the order of reading."""
    plain: dict[str, bool] = {}
    depths: dict[str, int] = {}
    targets = set(_loss_targets(network))
    for reads in network.reads:
        for name in reads:
            if name.name not in network.index:
                plain[name.name] = plain.get(name.name, True) and name.offset is None
            if (name.offset or 0) < 0:
                depths[name.name] = max(depths.get(name.name, 0), -(name.offset or 0))
    found = []
    for key, once in plain.items():
        kinds: tuple[Kind, ...] = ("parameter", "constant", "input") if once else ("input",)
        if once and key in targets:
            kinds = ("constant", "input", "parameter")
        found.append(Wanted(key, key, kinds))
    found += [Wanted(f"{key}[-1]", key, ("initial",), depth) for key, depth in depths.items()]
    return tuple(found)


def _loss_targets(network: Network) -> list[str]:
    """The names that stand where a loss function takes its target."""
    losses = (
        call for equation in network.equations for call in calls(equation.expression) if call.operation in _TARGETS
    )
    return [call.arguments[1].name for call in losses if isinstance(call.arguments[1], Name)]


def check(form: Form) -> Checked:
    """Everything that can be said of the form without computing a trace."""
    errors: dict[str, str] = {}
    lines = [(number, text.strip()) for number, text in enumerate(form.equations.split("\n")) if text.strip()]
    network, caret = _network(form, lines, errors)
    if network is None:
        return Checked(None, errors, {}, None, caret)
    needs = wanted(network)
    notes: dict[str, str] = {}
    groups: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
    given = {need.key: _given(form, need) for need in needs}
    dice = _dice(form, errors)
    shapes = {key: _caught(errors, f"shape {key}", read_shape, one.shape) for key, one in given.items()}
    steps = _steps(form, given, shapes, errors)
    adapting = []
    for need in needs:
        one, shape = given[need.key], shapes[need.key]
        if f"shape {need.key}" in errors or dice is None or steps is None:
            continue
        if one.kind == "initial" and shape is None and not _unchanged(form, need.key, one) and _adapts(one.value):
            adapting.append(need)
        made = _caught(errors, f"value {need.key}", _value, form, need, shape, steps, dice)
        if made is not None:
            groups[_group(one.kind)][need.name] = made.numbers
            notes[need.key] = made.note
    if errors or dice is None or steps is None:
        return Checked(None, errors, notes, needs, caret)
    if math.fsum(_count(numbers) for group in groups.values() for numbers in group.values()) > 4 * MOST:
        errors[""] = "all values together are more than a session file holds"
        return Checked(None, errors, notes, needs, caret)
    alone = None if groups["inputs"] else steps
    worst: BpttError | None = None
    for shape in [None, *_shapes_about(groups)] if adapting else [None]:
        if shape is not None:
            for need in adapting:
                groups["initial"][need.name] = _value(form, need, shape, steps, dice).numbers
        try:
            unroll(network, groups["parameters"], groups["inputs"], groups["initial"], groups["constants"], alone)
        except BpttError as error:
            if worst is None or _rank(error) > _rank(worst):
                worst = error
            continue
        if shape is not None:
            notes |= {need.key: f"{math.prod(shape)} numbers: the shape of its node" for need in adapting}
        return _done(form, lines, groups, alone, notes, needs, errors)
    assert worst is not None
    return Checked(None, errors, notes, needs, _place(worst, lines, errors))


def _rank(error: BpttError) -> int:
    """How far the equations were all right: with a shape that fits, what is wrong beyond it comes to light."""
    match = re.fullmatch(r"equation (\d+)", error.places[0]) if error.places else None
    return int(match[1]) if match else 1_000_000


def _done(
    form: Form,
    lines: list[tuple[int, str]],
    groups: dict[str, dict[str, Any]],
    steps: int | None,
    notes: dict[str, str],
    needs: tuple[Wanted, ...],
    errors: dict[str, str],
) -> Checked:
    try:
        session = Session(
            equations=tuple(text for _, text in lines),
            title=form.title.strip(),
            loss=Loss(_loss_at(form.loss_at), "mean" if form.reduction == "mean" else "sum"),
            parameters=groups["parameters"],
            initial=groups["initial"],
            inputs=groups["inputs"],
            constants=groups["constants"],
            steps=steps,
            name=NAME,
        )
    except SessionError as error:
        errors[""] = str(error)
        return Checked(None, errors, notes, needs)
    return Checked(session, {}, notes, needs)


def place(form: Form, error: BpttError) -> Mapping[str, str]:
    """An error that tracing the session ended with, by field."""
    errors: dict[str, str] = {}
    error.places = tuple(part for part in error.places if part != NAME)
    error.places = tuple(
        f"equation {int(match[1]) + 1}" if (match := re.fullmatch(r"equations\[(\d+)\]", part)) else part
        for part in error.places
    )
    lines = [(number, text.strip()) for number, text in enumerate(form.equations.split("\n")) if text.strip()]
    _place(error, lines, errors)
    return errors


def _network(
    form: Form, lines: list[tuple[int, str]], errors: dict[str, str]
) -> tuple[Network | None, tuple[int, str, int] | None]:
    at = _caught(errors, "loss_at", _loss_at, form.loss_at)
    if not lines:
        errors["equations"] = "no equations yet: s = tanh(u * x[t] + w * s[t-1]), and last the loss, E = …"
        return None, None
    try:
        return Network([text for _, text in lines], at or "last", form.reduction), None  # type: ignore[arg-type]
    except BpttError as error:
        return None, _place(error, lines, errors)


def _loss_at(text: str) -> Any:
    word = text.strip().strip("[]").strip()
    if word in ("last", "every"):
        return word
    steps = re.split(r"[\s,]+", word)
    if not all(re.fullmatch(r"\d{1,9}", step) for step in steps):
        raise SessionError(f"{text.strip()[:30]!r} is no choice of timesteps", hint="last, every, or some: 0 2")
    return tuple(sorted({int(step) for step in steps}))


def _given(form: Form, need: Wanted) -> Given:
    """What is typed for a name; of a kind that it can be."""
    typed = form.given.get(need.key)
    if typed is None:
        return need.first()
    return typed if typed.kind in need.kinds else structs.replace(typed, kind=need.kinds[0])


def given(form: Form, need: Wanted) -> Given:
    """What is typed for a name, or what stands there before."""
    return _given(form, need)


def _dice(form: Form, errors: dict[str, str]) -> Dice | None:
    scale = _caught(errors, "scale", read_scale, form.scale)
    return None if scale is None else Dice(form.seed.strip() or "0", scale)


def _steps(
    form: Form, given: Mapping[str, Given], shapes: Mapping[str, Shape | None], errors: dict[str, str]
) -> int | None:
    """T: as typed, or the length of the longest input."""
    if form.steps.strip():
        number = _caught(errors, "steps", read_number, form.steps)
        if number is None:
            return None
        if not isinstance(number, int) or number < 1:
            errors["steps"] = "a whole number of timesteps, 1 or more"
            return None
        if number > _MOST_STEPS:
            errors["steps"] = f"at most {_MOST_STEPS:,} timesteps"
            return None
        return number
    lengths = [
        len(form.kept[key]) if _unchanged(form, key, one) else length(one.value, shapes[key])
        for key, one in given.items()
        if one.kind == "input"
    ]
    known = [count for count in lengths if count]
    if not known:
        errors["steps"] = "how many timesteps? no input says so"
        return None
    return max(known)


def _unchanged(form: Form, key: str, one: Given) -> bool:
    return one.value.strip() == _UNCHANGED and key in form.kept


def _value(form: Form, need: Wanted, shape: Shape | None, steps: int, dice: Dice) -> Value:
    one = _given(form, need)
    if _unchanged(form, need.key, one):
        numbers = form.kept[need.key]
        if shape is not None and shape_of(numbers)[1 if one.kind == "input" or need.depth > 1 else 0 :] != shape:
            raise SessionError("these numbers have another shape", hint="leave the shape as it was, or type others")
        return over_time(numbers, steps) if one.kind == "input" else Value(numbers, f"{_count(numbers):,} numbers")
    if one.kind == "input":
        return sequence(one.value, need.key, shape, steps, dice)
    if need.depth > 1:  # in time order, as in a file
        return sequence(one.value, need.key, shape, need.depth, dice)
    return value(one.value, need.key, shape, dice)


def _adapts(text: str) -> bool:
    """Whether a value has whatever shape is asked for: one number, or random."""
    return length(text, None) is None


def _shapes_about(groups: Mapping[str, Mapping[str, Any]]) -> list[Shape]:
    """Shapes that a node can have next to these values: of their axes."""
    sizes: dict[int, None] = {}
    for group in ("parameters", "inputs", "constants"):
        for numbers in groups[group].values():
            sizes |= dict.fromkeys(shape_of(numbers)[1 if group == "inputs" else 0 :])
    return [(size,) for size in sizes]


def _group(kind: Kind) -> str:
    return "initial" if kind == "initial" else f"{kind}s"


def _count(numbers: Any) -> int:
    return math.prod(shape_of(numbers))


def _caught(errors: dict[str, str], field: str, make: Any, *arguments: Any) -> Any:
    """What is made of a field's text; None, and the reason among the errors, where it cannot be."""
    try:
        return make(*arguments)
    except BpttError as error:
        errors[field] = str(error)
        return None


def _place(error: BpttError, lines: list[tuple[int, str]], errors: dict[str, str]) -> tuple[int, str, int] | None:
    """Put an error to its field; where it is in an equation, the place for a caret."""
    first = error.places[0] if error.places else ""
    reason = f"{error.reason}; {error.hint}" if error.hint else error.reason
    group, _, name = first.partition(".")
    if match := _INITIAL.search(error.reason):
        errors[f"value {match[1]}[-1]"] = reason
    elif match := re.fullmatch(r"equation (\d+)", first):
        number, text = lines[int(match[1]) - 1]
        errors["equations"] = f"line {number + 1}: {reason}"
        if isinstance(error, EquationError):
            return number, text, error.column
        column = re.match(r"column (\d+): ", error.reason)
        return (number, text, int(column[1]) - 1) if column else None
    elif group in _GROUPS and name:
        errors[f"value {name}[-1]" if group == "initial" else f"value {name}"] = reason
    elif first in ("loss.at", "steps"):
        errors["loss_at" if first == "loss.at" else "steps"] = reason
    elif first:
        errors[""] = str(error)
    else:
        errors["equations"] = reason
    return None
