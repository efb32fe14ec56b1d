"""A member that is numbers: compared entry by entry to the digits written, and looked up among what slips lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.shapes import shape_text
from bptt_tui.derivation.formulas.parts import array_text
from bptt_tui.derivation.formulas.tree import Formula, Matrix, Negate, Number, Transpose, Value
from bptt_tui.derivation.judging.comparison import every_reading
from bptt_tui.derivation.judging.entries import spans_like, wrong_entries
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.fingerprints import fingerprints
from bptt_tui.derivation.judging.kinks import at_kink, other_side
from bptt_tui.derivation.judging.meanings import described
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import same
from bptt_tui.derivation.judging.telling import entry_sentence, rounded_number
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import EntryVerdict, MemberVerdict, Slip

Array = NDArray[Any]

LOOSE = 5e-4
# Digits from which on the last one may be cut off, and from which on a number tells one slip from another.
ENOUGH = 5
TELLING = 2
# So many wrong entries are named, and so many entries are shown.
NAMED, SHOWN = 3, 12


class _Given(Struct, frozen=True):
    """Numbers as written, in the shape of the left side: how far each may be off, and how many digits it has.

    All three `(rows, columns)`.
    """

    value: Array
    slack: Array
    digits: Array

    def agrees(self, due: Array) -> Array:
        """Which entries are right, `(rows, columns)` as `due`."""
        # Cut off rather than rounded: of many digits that is no mistake.
        cut = (np.abs(self.value) <= np.abs(due)) & (np.abs(self.value - due) <= 2 * self.slack)
        return np.asarray((np.abs(self.value - due) <= self.slack) | (cut & (self.digits >= ENOUGH)))


def judged(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> MemberVerdict:
    """The verdict on numbers."""
    truth = Truth(left, evaluator, spelling)
    text = evaluator.statement.text
    written = evaluator.statement.written(member) or spelling.spell(member)
    value = evaluator.value(member)
    due = truth.value[0]

    def wrong(sentence: str, given: Array, slips: tuple[Slip, ...] = ()) -> MemberVerdict:
        said = f"wrong: {sentence}"
        return MemberVerdict("wrong", written, member.span, said, (), given, due, slips=slips, entries=entries)

    if not np.isfinite(due).all():
        sentence = "no number to compare: the value is not finite"
        return MemberVerdict("unknown", written, member.span, sentence, (), value[0], due, "the value is not finite")
    slack, digits = _precision(member, text, written, value[0])
    entries: tuple[EntryVerdict, ...] = ()
    for other in _truths(left, member, evaluator, spelling):
        given = _given(other, value, slack, digits)
        if given is not None and given.agrees(other.value[0]).all():
            readings = described(other.evaluator, spelling, left, member) if other.value is not truth.value else ()
            sentence = f"right: {other.name} is {_shown(other.value[0])} at the session's numbers"
            return MemberVerdict("right", written, member.span, sentence, readings, given.value, other.value[0])
    given = _given(truth, value, slack, digits)
    if given is not None:
        spans = spans_like(member, value, truth.matched)
        entries = wrong_entries(given.value, due, given.digits, given.agrees, spans)
    if _is_transposed(truth, value, slack, digits):
        found = slip("transposed", written="the matrix")
        return wrong(f"{found.sentence}: {truth.name} is {_shown(due)}", value[0], (found,))
    if _is_transposed(truth, -value, slack, digits):
        found = slip("transposed", written="the matrix")
        return wrong(f"{found.sentence}, and its sign is wrong: {truth.name} is {_shown(due)}", value[0], (found,))
    if given is None or (value.shape[1:] == (1, 1) and due.size > 1 and np.any(value)):
        number = "one number" if value.shape[1:] == (1, 1) else shape_text(value.shape[1:])
        is_due = "one number" if due.shape == (1, 1) else shape_text(due.shape)
        return wrong(f"{truth.name} is not {number} but {is_due}", value[0])
    kink = at_kink(truth)
    if kink and (between := _between_sides(truth, given)):
        sentence = f"{truth.name} does not exist, {kink}; {between}"
        return MemberVerdict("unknown", written, member.span, sentence, (), given.value, due, kink)
    for found, print_ in fingerprints(truth) if given.digits.max() >= TELLING else ():
        if np.isfinite(print_[0]).all() and bool(np.all(np.abs(given.value - print_[0]) <= given.slack)):
            sentence = f"{truth.name} is {_shown(due)}; this value comes out when one slips: {found.sentence}"
            return wrong(sentence, given.value, (found,))
    is_what = equality(truth)
    if len(entries) < due.size:
        more = f"; {is_what}" if is_what != truth.name else ""
        return wrong(_named(entries, truth.name) + more, given.value)
    alike = {entry.remark for entry in entries}
    remark = alike.pop() if len(alike) == 1 else ""
    if due.size > 1 and remark.startswith("the sign"):
        remark = f"of every entry {remark}"
    remark = remark.replace("it is", "what is written is" if due.size == 1 else "every entry is")
    sentence = f"{is_what} is {_shown(due)} at the session's numbers"
    return wrong(f"{sentence}; {remark}" if remark else sentence, given.value)


def _truths(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Iterator[Truth]:
    """What the left side is in every reading that makes a difference, the plainest first."""
    met: list[Array] = []
    for reading in every_reading(left, member, evaluator.samples):
        try:
            truth = Truth(left, evaluator.read_as(reading), spelling)
        except Misfit:
            continue
        if not any(np.array_equal(truth.value[0], value) for value in met):
            met.append(truth.value[0])
            yield truth


def _between_sides(truth: Truth, given: _Given) -> str:
    """What comes out with either slope of a relu at its kink, where every number is one of the two or lies between."""
    other = other_side(truth)
    if other is None:
        return ""
    low, high = np.minimum(truth.value[0], other[0]), np.maximum(truth.value[0], other[0])
    inside = (given.value > low) & (given.value < high)
    if not (inside | given.agrees(low) | given.agrees(high)).all():
        return ""
    return f"with the slope 0 there it is {_shown(truth.value[0])}, as here, with 1 {_shown(other[0])}"


def _given(truth: Truth, value: Array, slack: Array, digits: Array) -> _Given | None:
    """The numbers in the shape of the left side; None where they are others in number.

    `value` is a stack `(draws, rows, columns)`, `slack` and `digits` are of one draw's, `(rows, columns)`; what comes
    back has the left side's rows and columns.
    """
    due = truth.value.shape
    fitted = truth.matched(value)
    if fitted is None:
        return None
    if value.shape[1:] == (1, 1):
        return _Given(fitted[0], *(np.full(due[1:], one) for one in (slack, digits)))
    spread = (truth.matched(np.broadcast_to(one, value.shape)) for one in (slack, digits))
    return _Given(fitted[0], *(one[0] for one in spread if one is not None))


def _is_transposed(truth: Truth, value: Array, slack: Array, digits: Array) -> bool:
    """Whether the numbers are right, with rows for columns."""
    if 1 in value.shape[1:]:
        return False
    turned = _given(truth, value.transpose(0, 2, 1), slack.T, digits.T)
    return turned is not None and bool(turned.agrees(truth.value[0]).all())


def _named(entries: tuple[EntryVerdict, ...], name: str) -> str:
    """Which entries are wrong: entry [1] of ∂E/∂v is 0.2, it should be 0.367."""
    said = [entry_sentence(entry, name if not place else "") for place, entry in enumerate(entries[:NAMED])]
    more = len(entries) - NAMED
    if more > 0:
        said.append(f"and {more} more entries are wrong" if more > 1 else "and one more entry is wrong")
    return "; ".join(said)


def equality(truth: Truth) -> str:
    """∂z₁/∂a₁ = b₁ where the left side is one edge, s₁ = tanh(z₁) where it is a value, else its name."""
    above, below, samples = truth.above, truth.below, truth.samples
    if isinstance(truth.left, Value) and truth.left.t is not None:
        return f"{truth.name} = {truth.spelling.equation(truth.left.name, truth.left.t.offset)}"
    if above is None or below is None:
        return truth.name
    tops = samples.unrolled.loss_times if above == samples.total_key else [above[1]]
    edges = [e for t in tops if t is not None for e, end in samples.reads(above[0], t) if end == below]
    if len(edges) != 1 or not same(samples.jacobian(edges[0]), samples.partial(above, below, truth.mode)):
        return truth.name
    return f"{truth.name} = {truth.spelling.formula(edges[0])}"


# --- how exactly a number is meant ------------------------------------------------------------------------------------


def _precision(member: Formula, text: str, written: str, value: Array) -> tuple[Array, Array]:
    """How far every entry may be off, and how many digits it has.

    Both `(rows, columns)`, as `value`, which is what `member` comes to at the session's numbers; `text` is the whole
    statement's and `written` the member's, for the digits of one number.
    """
    if isinstance(member, Negate | Transpose) and not isinstance(member.operand, Number):
        turns = isinstance(member, Transpose)
        slack, digits = _precision(member.operand, text, written, value.T if turns else value)
        return (slack.T, digits.T) if turns else (slack, digits)
    if not isinstance(member, Matrix):
        return np.full(value.shape, _slack(member, written, value)), np.full(value.shape, _digits(member, written))
    slacks, counts = [], []
    for entry, number in zip(member.entries, value.reshape(-1, 1, 1), strict=True):
        slack, digits = _precision(entry, text, text[slice(*entry.span)], number)
        slacks.append(slack)
        counts.append(digits)
    # A 1 or 0 beside 0.25: what prints arrays drops zeros after the point.
    halves = [half_unit(text[slice(*entry.span)]) if _is_number(entry) else None for entry in member.entries]
    whole = [half is None or not number for half, number in zip(halves, value.reshape(-1), strict=True)]
    written_out = [half for half, is_whole in zip(halves, whole, strict=True) if half is not None and not is_whole]
    for place, entry in enumerate(member.entries):
        if written_out and whole[place] and _is_number(entry):
            slacks[place] = np.full((1, 1), min(written_out))
    return np.reshape(slacks, value.shape), np.reshape(counts, value.shape)


def significant(written: str) -> int:
    """How many significant digits a number is written with."""
    match = re.search(r"\d+(?:\.\d*)?|\.\d+", written)
    return 0 if match is None else len(match[0].replace(".", "").lstrip("0"))


def half_unit(written: str) -> float | None:
    """Half a unit of a number's last digit; None of a whole number, which is exact."""
    match = re.search(r"(?:\d+(?:\.(\d+)|\.?)|\.(\d+))(?:[eE]([+-]?\d+))?", written.replace("−", "-"))
    if match is None or (match[1] is None and match[2] is None and match[3] is None):
        return None
    return float(0.505 * 10.0 ** (int(match[3] or 0) - len(match[1] or match[2] or "")))


def _is_number(member: Formula) -> bool:
    return isinstance(member.operand if isinstance(member, Negate) else member, Number)


def _digits(member: Formula, written: str) -> int:
    """The significant digits of a number, where it is one number."""
    return significant(written) if _is_number(member) else TELLING


def _slack(member: Formula, written: str, value: Array) -> float:
    """How far a number may be off: half a unit of its last digit; a sum or product of numbers, four digits."""
    inner = member.operand if isinstance(member, Negate) else member
    if isinstance(inner, Number):
        if inner.value == 0:
            return 1e-12
        half = half_unit(written)
        return 1e-9 * abs(inner.value) if half is None else half
    size = float(np.abs(value).max())
    return LOOSE * size if np.isfinite(size) else 0.0


# --- how numbers are shown --------------------------------------------------------------------------------------------


def _shown(value: Array) -> str:
    if value.size == 1:
        return rounded_number(float(value.reshape(-1)[0]))
    if 1 in value.shape or value.size > SHOWN:
        flat = [rounded_number(number, 4) for number in value.reshape(-1)[:6]]
        return f"[{', '.join(flat)}{', …' if value.size > 6 else ''}]"
    return array_text([rounded_number(number, 4) for number in value.reshape(-1)], value.shape[1])
