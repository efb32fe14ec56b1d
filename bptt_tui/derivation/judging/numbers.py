"""A member that is a number: compared to the digits written, and looked up among the values that slips lead to."""

from __future__ import annotations

import re

import numpy as np

from bptt_tui.derivation.formulas.tree import Formula, Negate, Number
from bptt_tui.derivation.judging.evaluation import Evaluator
from bptt_tui.derivation.judging.fingerprints import fingerprints
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import same
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import MemberVerdict

LOOSE = 5e-4
# Digits from which on the last one may be cut off, and from which on a number tells one slip from another.
ENOUGH = 5
TELLING = 2


def judged(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> MemberVerdict:
    """The verdict on a number."""
    truth = Truth(left, evaluator, spelling)
    text = evaluator.statement.text
    start, end = member.span
    written = " ".join(text[start:end].split()) or spelling.spell(member)
    value = evaluator.value(member)
    fitted = truth.matched(value)
    due = truth.value[0]
    if not np.isfinite(due).all():
        sentence = "no number to compare: the value is not finite"
        return MemberVerdict("unknown", written, member.span, sentence, (), value[0], due, "the value is not finite")
    if fitted is None:
        sentence = f"wrong: {truth.name} is not one number but {due.shape[0]}×{due.shape[1]}"
        return MemberVerdict("wrong", written, member.span, sentence, (), value[0], due)
    given = fitted[0]
    slack = _slack(member, written, given)
    digits = _digits(member, written)
    # Cut off rather than rounded: of many digits that is no mistake.
    cut = digits >= ENOUGH and bool(np.all((np.abs(given) <= np.abs(due)) & (np.abs(given - due) <= 2 * slack)))
    if cut or bool(np.all(np.abs(given - due) <= slack)):
        sentence = f"right: {truth.name} is {_shown(due)} at the session's numbers"
        return MemberVerdict("right", written, member.span, sentence, (), given, due)
    for found, print_ in fingerprints(truth) if digits >= TELLING else ():
        if np.isfinite(print_[0]).all() and bool(np.all(np.abs(given - print_[0]) <= slack)):
            sentence = f"wrong: {truth.name} is {_shown(due)}; this value comes out when one slips: {found.sentence}"
            return MemberVerdict("wrong", written, member.span, sentence, (), given, due, slips=(found,))
    sentence = f"wrong: {equality(truth)} is {_shown(due)} at the session's numbers"
    return MemberVerdict("wrong", written, member.span, sentence, (), given, due)


def equality(truth: Truth) -> str:
    """∂z₁/∂a₁ = b₁ where the left side is one edge, else its name."""
    above, below, samples = truth.above, truth.below, truth.samples
    if above is None or below is None:
        return truth.name
    tops = samples.unrolled.loss_times if above == samples.total_key else [above[1]]
    edges = [e for t in tops if t is not None for e, end in samples.reads(above[0], t) if end == below]
    if len(edges) != 1 or not same(samples.jacobian(edges[0]), samples.partial(above, below, truth.mode)):
        return truth.name
    return f"{truth.name} = {truth.spelling.formula(edges[0])}"


def _digits(member: Formula, written: str) -> int:
    """The significant digits of a number, where it is one number."""
    inner = member.operand if isinstance(member, Negate) else member
    match = re.search(r"\d+(?:\.\d*)?", written)
    if not isinstance(inner, Number) or match is None:
        return TELLING
    return len(match[0].replace(".", "").lstrip("0"))


def _slack(member: Formula, written: str, value: np.ndarray) -> float:
    """How far a number may be off: half a unit of its last digit; a sum or product of numbers, four digits."""
    inner = member.operand if isinstance(member, Negate) else member
    match = re.search(r"\d+(?:\.(\d*))?(?:[eE]([+-]?\d+))?", written.replace("−", "-"))
    if isinstance(inner, Number) and match is not None:
        if inner.value == 0:
            return 1e-12
        if match[1] is None and match[2] is None:
            return 1e-9 * abs(inner.value)
        return float(0.505 * 10.0 ** (int(match[2] or 0) - len(match[1] or "")))
    return float(LOOSE * np.abs(value).max())


def _shown(value: np.ndarray) -> str:
    flat = value.reshape(-1)
    if len(flat) == 1:
        return f"{flat[0]:.6g}".replace("-", "−")
    inside = " ".join(f"{number:.4g}" for number in flat[:6]).replace("-", "−")
    return f"[{inside}{' …' if len(flat) > 6 else ''}]"
