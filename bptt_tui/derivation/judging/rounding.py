"""Numbers of the session inside a formula, written with some digits: 0.522665 where s₀ belongs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.tree import Entry, Formula, Moment, Negate, Number, Partial, Span, Value
from bptt_tui.derivation.judging.coincidence import ORDINARY
from bptt_tui.derivation.judging.comparison import compare
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.numbers import half_unit, significant
from bptt_tui.derivation.judging.samples import Samples, Stack
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.language.labels import few

# So few digits name nothing; from so many on, a result that is right to them is no accident.
LEAST, SURE = 2, 4
# How much of the result the rounding may be for that.
SMALL = 1e-3
# Numbers in a formula, values that are looked through, those of the same digits that are tried, and choices in all.
MAX_NUMBERS, MAX_VALUES, MAX_ALIKE, MAX_CHOICES = 6, 20_000, 4, 24


class _Rounded(Struct, frozen=True):
    """A number as written, and how far it may be off."""

    number: Number
    text: str
    slack: float


def rounded(left: Formula, member: Formula, fitting: list[tuple[Truth, Stack]], evaluator: Evaluator) -> str:
    """Why a member is right to the digits written, and yet no identity: 0.522665 is a number of this session, s₀.

    Right is one that is an identity with the values themselves in place of their digits, or one that is off by no more
    than the digits that are not written. "" where it is neither.
    """
    found = list(itertools.islice(_numbers(member, evaluator.statement.text), MAX_NUMBERS + 1))
    if not found or len(found) > MAX_NUMBERS:
        return ""
    spelling = fitting[0][0].spelling
    names = _named(left, member, found, evaluator, spelling)
    texts = [one.text for one in found]
    if names:
        texts = [one.text for one in found if one.number.span in names]
        what = [names[one.number.span] for one in found if one.number.span in names]
        kind = "is a number" if len(texts) == 1 else "are numbers"
        return f"{few(texts)} {kind} of this session, {few(what)}"
    if any(_is_right(member, truth, value, found) for truth, value in fitting):
        return f"{few(texts)} {'is a number' if len(texts) == 1 else 'are numbers'} of this session"
    return ""


def _numbers(member: Formula, text: str) -> Iterator[_Rounded]:
    """The numbers that are written with digits after the point."""
    for part in walk(member):
        if isinstance(part, Number) and part.value not in ORDINARY and part.span != (0, 0):
            written = text[slice(*part.span)]
            half = half_unit(written)
            if half is not None and significant(written) >= LEAST:
                yield _Rounded(part, written, half)


# --- by the values they are the digits of ----------------------------------------------------------------------------


def _named(
    left: Formula, member: Formula, found: list[_Rounded], evaluator: Evaluator, spelling: Spelling
) -> dict[Span, str]:
    """The names of the values with which the member is an identity, by the places of their digits."""
    choices: list[list[Formula]] = [[] for _ in found]
    for formula, value in itertools.islice(_values(evaluator.samples), MAX_VALUES):
        for one, alike in zip(found, choices, strict=True):
            if len(alike) < MAX_ALIKE and abs(abs(value) - one.number.value) <= one.slack:
                alike.append(formula if value >= 0 else Negate(operand=formula))
    if not any(choices):
        return {}
    every = itertools.product(*([*alike, None] for alike in choices))
    for chosen in itertools.islice(every, MAX_CHOICES):
        put = {one.number.span: formula for one, formula in zip(found, chosen, strict=True) if formula is not None}
        if put and compare(left, _with(member, put), evaluator, spelling).holding:
            return {span: spelling.spell(formula) for span, formula in put.items()}
    return {}


def _with(formula: Formula, put: dict[Span, Formula]) -> Formula:
    """The formula with other parts where these numbers stand."""
    if isinstance(formula, Number):
        return put.get(formula.span, formula)
    return rebuilt(formula, lambda part: _with(part, put))


def _values(samples: Samples) -> Iterator[tuple[Formula, float]]:
    """What has a number in this session: values and their entries, local partials, gradients."""
    trace, unrolled = samples.traces[0], samples.unrolled
    given = unrolled.values
    timed = [(name, t) for name in samples.network.targets for t in range(unrolled.steps) if samples.exists(name, t)]
    keys: list[tuple[str, int | None]] = [(name, None) for name in (*given.parameters, *given.constants)]
    keys += timed
    keys += [(name, t) for name in given.inputs for t in range(unrolled.steps)]
    keys += [(name, -back) for name, before in unrolled.before.items() for back in range(1, len(before) + 1)]
    for name, t in keys:
        formula = Value(name=name, t=None if t is None else Moment(t))
        value = np.asarray(trace.value(name, t))
        for index in np.ndindex(value.shape):
            whole = tuple(Number(value=float(i)) for i in index)
            yield Entry(operand=formula, indices=whole) if index else formula, float(value[index])
    loss = Value(name=samples.network.loss_name, t=None if unrolled.has_total else Moment(unrolled.loss_times[0]))
    for name, t in timed:
        above = Value(name=name, t=Moment(t))
        for edge, below in samples.reads(name, t):
            jacobian = trace.jacobian(*edge)
            if np.size(jacobian) == 1:
                end = Value(name=below[0], t=Moment(below[1] or 0))
                yield Partial(above=above, below=end), float(np.reshape(jacobian, ()))
        adjoint = trace.adjoint(name, t)
        if np.size(adjoint) == 1 and name != samples.network.loss_name:
            yield Partial(above=loss, below=above), float(np.reshape(adjoint, ()))


# --- by how much the digits that are not written may make -------------------------------------------------------------


def _is_right(member: Formula, truth: Truth, value: Stack, found: list[_Rounded]) -> bool:
    """Whether the member is off by no more than what its numbers may be off; those of few digits count as exact."""
    room = np.zeros_like(value[0])
    for one in found:
        if significant(one.text) < SURE:
            continue
        changed = _with(member, {one.number.span: replace(one.number, value=one.number.value + one.slack)})
        try:
            moved = truth.matched(truth.evaluator.value(changed))
        except Misfit:
            return False
        if moved is None:
            return False
        room = room + np.abs(moved[0] - value[0])
    gap, size = np.abs(value[0] - truth.value[0]), float(np.abs(truth.value[0]).max())
    return bool(np.isfinite(room).all() and (gap <= room).all() and 0 < room.max() <= SMALL * size)
