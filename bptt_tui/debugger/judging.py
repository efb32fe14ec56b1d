"""Is an answer right, and if not, which slip was made?

A typed number is right within 1e-4 of the truth, or within the digits typed; an expression without decimals has to
give the true value, and to give it with other numbers too, or to be right as a formula: -y/o, diag(o) - o*o^T.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from bptt_tui.debugger.answer_slips import SLIPS
from bptt_tui.debugger.answers import CLOSE, EXACT, Array, Given, evaluated, in_shape, read_answer, tolerance
from bptt_tui.debugger.asked import Asked
from bptt_tui.debugger.inspect import Inspector
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.session import Session

LONGEST_FORMULA = 2_000  # characters
LONGEST = 20_000  # steps of a timeline that is computed again with other numbers


class Verdict(Struct, frozen=True):
    """Whether an answer is right; `reason` says how it is wrong."""

    right: bool
    reason: str = ""


def judge(asked: Asked, text: str, inspector: Inspector, session: Session) -> Verdict:
    """Judge an answer. CommandError where it cannot be read, or is of another shape."""
    if not np.isfinite(asked.truth).all():
        raise CommandError("the answer is not a finite number", hint="reveal shows it")
    truth, exact = np.asarray(asked.truth, dtype=np.float64), tolerance(text) == EXACT
    try:
        given = read_answer(text, truth, inspector)
    except BpttError:
        if exact and _right_as_formula(asked, text, session):
            return Verdict(True)
        raise
    if given.is_like(truth):
        if exact and not _holds_elsewhere(asked, text, session):
            return Verdict(False, "it has the right value here, but not with other numbers")
        return Verdict(True)
    if exact and _right_as_formula(asked, text, session):
        return Verdict(True)
    for slip in SLIPS:
        for candidate, sentence in slip(asked, truth):
            value = np.asarray(candidate, dtype=np.float64)
            if value.size == truth.size and given.is_like(value.reshape(truth.shape)):
                return Verdict(False, sentence)
    return Verdict(False, _how_far(given.value, truth))


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
            value = in_shape(evaluated(text, Inspector(look)), there.truth)
        except BpttError:
            continue
        if not Given(value, np.zeros(value.shape), 1e-7).is_like(np.asarray(there.truth, dtype=np.float64)):
            return False
    return True


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
