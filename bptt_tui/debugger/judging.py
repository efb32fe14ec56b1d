"""Is an answer right, and if not, which slip was made?

An answer is a number, an expression over everything known at the position, or an array of both. A typed number is
right within 1e-4 of the truth, or within the digits typed (three count as typed at least), alone or in an expression;
an expression without decimals has to give the true value, and to give it with other numbers too, or to be right as a
formula: -y/o, diag(o) - o*o^T. `SLIPS` is the table of what learners get wrong: each slip is a
value that the answer would have, and the sentence that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.debugger.asked import Asked
from bptt_tui.debugger.chain import ChainAt
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene, name_at
from bptt_tui.debugger.view import Missing
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Call, Expression, Name, operands
from bptt_tui.session import Session

Array = NDArray[Any]

CLOSE = 1e-4  # relative, of a number typed
EXACT = 1e-9  # relative, of an expression
LONGEST_FORMULA = 2_000  # characters
LONGEST = 20_000  # steps of a timeline that is computed again with other numbers

_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ONE = re.compile(rf"[-+−]?\s*{_DIGITS}")
_ENTRY, _BETWEEN = rf"[-+−]?{_DIGITS}", r"[\[\],;\s]"
_ARRAY = re.compile(rf"\[{_BETWEEN}*{_ENTRY}(?:{_BETWEEN}+{_ENTRY})*{_BETWEEN}*\]")  # [1 -2] has two, [1 - 2] none
_LITERAL = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_DECIMAL = re.compile(r"\d\.\d*|\.\d|\de-?\d", re.IGNORECASE)
# The slope of an activation, from its value: s ↦ f′(z).
SLOPES: dict[str, Callable[[Array], Array]] = {"tanh": lambda s: 1 - s * s, "sigmoid": lambda s: s * (1 - s)}
_OTHER = {"tanh": "sigmoid", "sigmoid": "tanh"}


class Verdict(Struct, frozen=True):
    """Whether an answer is right; `reason` says how it is wrong."""

    right: bool
    reason: str = ""


class Given(Struct, frozen=True):
    """An answer's value in the shape of the truth, and how far from it each entry may lie."""

    value: Array
    halves: Array
    relative: float

    def is_like(self, other: Array) -> bool:
        """Whether this is `other`, as exactly as it was typed."""
        if other.shape != self.value.shape or not np.isfinite(other).all():
            return False
        allowed = np.maximum(self.relative * np.abs(other), self.halves)
        if not self.halves.any() and other.size > 1:
            allowed = np.maximum(allowed, self.relative * np.abs(other).max(initial=0.0))
        return bool((np.abs(self.value - other) <= allowed).all())


def judge(asked: Asked, text: str, inspector: Inspector, session: Session) -> Verdict:
    """Judge an answer. CommandError where it cannot be read, or is of another shape."""
    if not np.isfinite(asked.truth).all():
        raise CommandError("the answer is not a finite number", hint="reveal shows it")
    typed = _typed(text)
    if typed is None:
        relative = CLOSE if _DECIMAL.search(text) else EXACT
        try:
            value = _evaluated(text, inspector)
            _in_shape(value, np.asarray(asked.truth))
        except BpttError:
            if relative == EXACT and _right_as_formula(asked, text, session):
                return Verdict(True)
            raise
        halves = _halves(value, text, inspector)
    else:
        (value, halves), relative = typed, CLOSE
    truth = np.asarray(asked.truth, dtype=np.float64)
    given = Given(_in_shape(value, truth), _in_shape(np.broadcast_to(halves, value.shape), truth), relative)
    if given.is_like(truth):
        if relative == EXACT and not _holds_elsewhere(asked, text, session):
            return Verdict(False, "it has the right value here, but not with other numbers")
        return Verdict(True)
    if relative == EXACT and _right_as_formula(asked, text, session):
        return Verdict(True)
    for slip in SLIPS:
        for candidate, sentence in slip(asked, truth):
            value = np.asarray(candidate, dtype=np.float64)
            if value.size == truth.size and given.is_like(value.reshape(truth.shape)):
                return Verdict(False, sentence)
    return Verdict(False, _how_far(given.value, truth))


# --- reading -------------------------------------------------------------------------------------------------------


def _typed(text: str) -> tuple[Array, Array] | None:
    """The numbers of `-1.0623`, `[0.3, 0.7]` or `[[1, 2], [3, 4]]`, and half a unit of their last digits."""
    text = text.strip()
    if not (_ONE.fullmatch(text) or _ARRAY.fullmatch(text)):
        return None
    numbers = [re.sub(r"\s", "", number).replace("−", "-") for number in _ONE.findall(text)]
    values, halves = np.array([float(number) for number in numbers]), np.array([_half(number) for number in numbers])
    if not text.startswith("["):
        return values.reshape(()), halves.reshape(())
    return values, halves


def _half(number: str) -> float:
    """Half a unit of the last digit typed, of the third where fewer are."""
    mantissa, _, exponent = number.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0.5 * 10.0 ** (power - len(fraction)) if len(fraction) >= 3 else 0.0
    place = power - len(fraction)
    leading = place + len(digits) - 1
    return float(0.5 * 10.0 ** max(min(place, leading - 2), -320)) * (1 + 1e-9)


def _evaluated(text: str, inspector: Inspector) -> Array:
    """The value of an expression, or of an array of them, `[-1/0.2978, 0]`, as its entries one after the other."""
    if _inside(text) is None:
        return inspector.evaluate(text)
    values = []
    for start, end in _entries(text, 0, len(text)):
        if not text[start:end].strip():
            raise CommandError(f"column {start + 1}: an entry of the array is missing", hint="write [0.3, 0.7]")
        value = inspector.evaluate(" " * start + text[start:end])  # so that columns in errors are those of the text
        if value.size != 1:
            raise CommandError(f"{text[start:end].strip()} is not a scalar", hint="each entry of an array is one")
        values.append(float(value.reshape(())))
    return np.array(values)


def _entries(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the entries stand that commas and semicolons separate, those of rows in brackets too."""
    inside = _inside(text[start:end])
    if inside is None:
        yield start, end
        return
    depth, begun = 0, start + inside[0]
    for at in range(begun, start + inside[1]):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0 and text[at] in ",;":
            yield from _entries(text, begun, at)
            begun = at + 1
    yield from _entries(text, begun, start + inside[1])


def _inside(text: str) -> tuple[int, int] | None:
    """What stands between the brackets around a text; None where there are none around all of it."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if end - start < 2 or text[start] != "[" or text[end - 1] != "]":
        return None
    depth = 0
    for at in range(start, end):
        depth += (text[at] == "[") - (text[at] == "]")
        if depth == 0 and at < end - 1:
            return None
    return (start + 1, end - 1) if depth == 0 else None


def _halves(value: Array, text: str, inspector: Inspector) -> Array:
    """How far an expression may lie from its value: each decimal in it by half a unit of its last digit."""
    halves = np.zeros(value.shape)
    for number in _LITERAL.finditer(text):
        moved = f"{float(number[0]) + _half(number[0]):.17g}"
        try:
            there = _evaluated(text[: number.start()] + moved + text[number.end() :], inspector)
        except BpttError:
            continue
        halves = halves + np.abs(there - value)
    return np.where(np.isfinite(halves), halves, 0.0)


def _right_as_formula(asked: Asked, text: str, session: Session) -> bool:
    """Whether it is a formula of what is asked for all values; one with partials could be the question itself."""
    if asked.kind == "value" or len(text) > LONGEST_FORMULA:
        return False
    from bptt_tui.derivation.formulas.parts import walk
    from bptt_tui.derivation.formulas.reader import read
    from bptt_tui.derivation.formulas.tree import Partial
    from bptt_tui.derivation.judging.judge import judge_statement

    try:
        statement = read(f"{asked.title} = {text}", session)
        if any(isinstance(part, Partial) for member in statement.members[1:] for part in walk(member)):
            return False
        return judge_statement(session, statement).holds
    except BpttError:
        return False


def _in_shape(value: Array, truth: Array) -> Array:
    """The answer in the truth's shape: a slope per entry is a diagonal, a number times the identity a number."""
    value = np.asarray(value, dtype=np.float64)
    square = truth.ndim == 2 and truth.shape[0] == truth.shape[1]
    if value.size == truth.size:
        return value.reshape(truth.shape)
    if square and value.ndim == 1 and len(value) == len(truth):
        return np.diag(value)
    if square and value.ndim == 0:
        return np.eye(len(truth)) * value
    raise CommandError(
        f"the answer has {truth.size} entr{'y' if truth.size == 1 else 'ies'}, not {value.size}",
        hint="of a vector write [0.3, 0.7], of a matrix its rows one after the other",
    )


def _holds_elsewhere(asked: Asked, text: str, session: Session) -> bool:
    """Whether an expression gives the true value with other parameters and initial values too."""
    if asked.scene.timeline.last > LONGEST:
        return True
    random = np.random.default_rng(7)
    for _ in range(2):
        try:
            changed = {
                field: {
                    name: np.asarray(value, dtype=float) * random.uniform(0.6, 1.4, np.shape(value))
                    for name, value in getattr(session, field).items()
                }
                for field in ("parameters", "initial")
            }
            scene = Scene(session.replace(**changed).trace())
            look = Look(scene, asked.look.position, asked.look.factor)
            there = Asked(look, asked.step, asked.kind, asked.links)
            value = _in_shape(_evaluated(text, Inspector(look)), there.truth)
        except BpttError:
            continue
        if not Given(value, np.zeros(value.shape), 1e-7).is_like(np.asarray(there.truth, dtype=np.float64)):
            return False
    return True


# --- slips ---------------------------------------------------------------------------------------------------------

Candidates = Iterator[tuple[Array, str]]


def _sign(_asked: Asked, truth: Array) -> Candidates:
    yield -truth, "the sign is the other one"


def _transposed(_asked: Asked, truth: Array) -> Candidates:
    if truth.ndim == 2 and 1 not in truth.shape:
        yield truth.T, "it is transposed: a Jacobian has a row for each entry of what is differentiated"


def _without_activation(asked: Asked, truth: Array) -> Candidates:
    """f(z) for z; the slope f′ left out of a partial or term; the slope alone."""
    activation = _activation(asked)
    if activation is None:
        return
    name, inside, slope = activation
    if asked.kind == "value":
        yield evaluate(inside, asked.leaf), f"{name} is missing: this is what goes into it"
        return
    with np.errstate(all="ignore"):
        rest = _scaled(truth, 1 / slope)
    yield rest, f"the slope f′ of {name} is missing"
    if asked.kind == "factor":
        alone = np.diag(slope.reshape(-1)) if slope.size > 1 else slope
        yield alone, f"this is the slope f′ of {name} alone: the factor inside it is missing"


def _swapped_activation(asked: Asked, truth: Array) -> Candidates:
    """The slope of tanh where sigmoid's belongs, and the other way round."""
    activation = _activation(asked)
    if activation is None:
        return
    name, inside, slope = activation
    if asked.kind == "value":
        z = evaluate(inside, asked.leaf)
        value = np.tanh(z) if name == "sigmoid" else 1 / (1 + np.exp(-z))
        yield value, f"this is {_OTHER[name]}; the activation is {name}"
        return
    s = asked.scene.trace.value(asked.factors[0].consumer.name, asked.time)
    with np.errstate(all="ignore"):
        other = _scaled(truth, SLOPES[_OTHER[name]](s) / slope)
    yield other, f"this has the slope of {_OTHER[name]}; the activation is {name}"


def _off_by_one(asked: Asked, _truth: Array) -> Candidates:
    """s_t for s_{t−1}: one name, or all of them, at the timestep before or after."""
    if asked.expression is None:
        return
    reads = asked.reads()
    for shift in (1, -1):
        for moved in [(name,) for name in reads] + ([reads] if len(reads) > 1 else []):
            leaf = _shifted(asked, moved, shift)
            if leaf is None:
                continue
            labels = [(asked.scene.ref(n.name, name_at(n, asked.time) + shift).label, asked.printed(n)) for n in moved]
            written = " and ".join(f"{there} in place of {here}" for there, here in labels)
            if asked.kind == "factor" and not all(here in asked.formula() for _, here in labels):  # 1 − s₁², for z₁
                written = f"t = {asked.time + shift} in place of t = {asked.time}"
            yield asked.with_leaf(leaf), f"the index is off by one: it has {written}"


def _shifted(asked: Asked, moved: tuple[Name, ...], shift: int) -> Callable[[Name], Array] | None:
    """What names read when some are read a step later or earlier; None where nothing is there."""
    there = {name: asked.look.value(name.name, name_at(name, asked.time) + shift) for name in moved}
    values = {name: np.asarray(value) for name, value in there.items() if not isinstance(value, Missing)}
    if len(values) < len(there):
        return None
    return lambda name: values[name] if name in values else asked.leaf(name)


def _one_term(asked: Asked, _truth: Array) -> Candidates:
    """Only one of the inflows, or one of the terms of a sum."""
    if asked.kind == "contribution" and len(asked.links) > 1:
        for number, factor in enumerate(asked.factors, 1):
            if not isinstance(factor.running, Missing):
                count = len(asked.links)
                yield (
                    factor.running,
                    f"this is inflow {number} of {count} only, the one through {factor.consumer.label}",
                )
    if asked.kind == "value" and isinstance(asked.expression, Call) and asked.expression.operation in ("add", "sub"):
        for term in operands(asked.expression, "add", "sub"):
            yield evaluate(term, asked.leaf), f"this is only one term of the sum, {asked.printed(term)}"


def _whole_product(asked: Asked, _truth: Array) -> Candidates:
    """The running product for its last factor; the sum for one of its terms."""
    if asked.kind == "factor" and not isinstance(asked.factors[0].running, Missing):
        yield asked.factors[0].running, "this is the running product; asked is its last factor alone"
    if asked.kind == "contribution":
        terms = asked.scene.trace.terms[asked.step.name]
        taken, _ = asked.look.progress(asked.step.name)
        yield np.asarray(terms.running(taken)), "this is the sum of the terms so far; asked is the last of them"


def _factor_missing(asked: Asked, truth: Array) -> Candidates:
    """A contribution without one of the factors of its chain."""
    if asked.kind != "contribution" or len(asked.links) > 1:
        return
    for factor in reversed(ChainAt(asked.look).factors(256)):
        if factor.value is not None and factor.value.size == 1:
            number = float(factor.value.reshape(()))
            if number not in (0.0, 1.0):
                activation = asked.scene.operation(factor.consumer.name) if factor.consumer.kind == "node" else ""
                slope = f", the slope f′ of {activation}," if activation in SLOPES else ""
                yield truth / number, f"the factor {factor.title}{slope} is missing"
        if factor.branches > 1:
            return


def _reciprocal(_asked: Asked, truth: Array) -> Candidates:
    if truth.all():
        with np.errstate(all="ignore"):
            yield 1 / truth, "it is the reciprocal: one divided by the answer"


SLIPS: tuple[Callable[[Asked, Array], Candidates], ...] = (
    _sign,
    _transposed,
    _without_activation,
    _swapped_activation,
    _one_term,
    _off_by_one,
    _whole_product,
    _factor_missing,
    _reciprocal,
)


def _activation(asked: Asked) -> tuple[str, Expression, Array] | None:
    """An equation's outermost activation: its name, what goes into it, and its slope there."""
    equation = asked.equation
    if equation is None:
        return None
    expression = asked.scene.network.equations[equation].expression
    if not isinstance(expression, Call) or expression.operation not in SLOPES:
        return None
    target = asked.scene.network.equations[equation].target
    value = asked.scene.trace.value(target, asked.time)
    return expression.operation, expression.arguments[0], np.asarray(SLOPES[expression.operation](value))


def _scaled(truth: Array, by: Array) -> Array:
    """A partial or term with the rows of its consumer scaled; only a number scales a term."""
    if by.size == 1:
        return np.asarray(truth * by.reshape(()))
    return np.asarray(truth * by.reshape(-1, 1)) if truth.ndim == 2 and len(truth) == by.size else truth


def _how_far(value: Array, truth: Array) -> str:
    """Of a number its ratio to the truth, to three digits; of an array how many entries are right."""
    if truth.size > 1:
        right = int(np.isclose(value, truth, rtol=CLOSE, atol=0).sum())
        return f"{right} of {truth.size} entries are right"
    given, true = float(value.reshape(())), float(truth.reshape(()))
    if true == 0:
        return "it is exactly 0"
    if given == 0 or not np.isfinite(given):
        return "it is a finite number other than 0" if given else "it is not 0"
    ratio = abs(given / true)
    times = f"{ratio:.3g} times too large" if ratio > 1 else f"{1 / ratio:.3g} times too small"
    if f"{max(ratio, 1 / ratio):.3g}" == "1":
        times = "close, but not within the digits given"
    return f"it is {times}" + (", and the sign is the other one" if given * true < 0 else "")
