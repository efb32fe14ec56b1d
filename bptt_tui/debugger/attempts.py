"""The learner's own derivations: read, judged, and kept in the session as attempts.

    debugger.do("check dE/dw = dE/ds_1 * ds_1/dw_1 + …")   the verdict in a sentence; `view.verdict` is all of it
    debugger.desk                                          the attempts so far, with the verdicts that are known
    debugger.reading("dE/dw = ")                           how a text is understood, or where it stops being readable

A verdict is of the present numbers: after `set w 0.9` it is no longer known. It shows numbers of the whole gradient,
so nothing is judged, and no verdict shown, while predict mode asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from bptt_tui.debugger.command import Command, MisuseError, checked_text, first_word
from bptt_tui.errors import CommandError, FormulaError
from bptt_tui.session.format import ATTEMPTS_LIMIT, FORMULA_LIMIT, Attempt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bptt_tui.debugger.debugger import Debugger
    from bptt_tui.debugger.state import State
    from bptt_tui.derivation.judging.verdict import Verdict
    from bptt_tui.session import Session

WAITS = "a verdict shows numbers that predict mode asks for"


class Attempted(NamedTuple):
    """An attempt by its number, as `attempts` lists them; `verdict` is None until it has been judged."""

    number: int
    formula: str
    verdict: Verdict | None


class Desk(NamedTuple):
    """The attempts in their order; `waits` says why nothing is judged now, "" where anything can be."""

    attempts: tuple[Attempted, ...]
    waits: str


class Reading(NamedTuple):
    """A text as it is understood, in Unicode; or `error`, and the `column` (from 0) where reading stopped."""

    formula: str
    understood: str
    error: str = ""
    column: int = 0


def desk(state: State, verdicts: Mapping[str, Verdict]) -> Desk:
    """What lies on the learner's desk."""
    waits = WAITS if state.predict is not None else ""
    known = {} if waits else verdicts
    return Desk(
        tuple(Attempted(n, one.formula, known.get(one.formula)) for n, one in enumerate(state.attempts, 1)), waits
    )


def reading(session: Session, text: str) -> Reading:
    """How a text is understood against the session's network."""
    from bptt_tui.derivation.formulas.reader import read
    from bptt_tui.derivation.formulas.writing import write_statement

    checked_text(text)
    try:
        return Reading(text, write_statement(read(text, session), session))
    except FormulaError as error:
        return Reading(text, "", f"{error.reason}; {error.hint}" if error.hint else error.reason, error.column)


def judged(session: Session, text: str) -> Verdict:
    """The verdict on a formula. Raises CommandError where it cannot be read."""
    from bptt_tui.derivation.judging.judge import judge

    _refuse_long(text)
    try:
        return judge(session, text)
    except FormulaError as error:
        raise CommandError(error.reason, hint=error.hint, places=error.places) from None


def _refuse_long(text: str) -> None:
    checked_text(text)
    if len(text) > FORMULA_LIMIT:
        raise CommandError(f"a formula has at most {FORMULA_LIMIT} characters, this one has {len(text)}")


def _check(debugger: Debugger, rest: str) -> str:
    if not rest or "\0" in rest:
        raise MisuseError("a formula is a text")
    _refuse_long(rest)
    state = debugger.state
    if state.predict is not None:
        raise CommandError(WAITS, hint="predict off")
    new = all(one.formula != rest for one in state.attempts)
    if new and len(state.attempts) >= ATTEMPTS_LIMIT:
        raise CommandError(f"the session keeps {ATTEMPTS_LIMIT} attempts", hint="attempts delete N makes room")
    sentence = debugger.judge(rest)
    if new:
        debugger.change(replace(state, attempts=(*state.attempts, Attempt(rest))))
    return sentence


def _attempts(debugger: Debugger, rest: str) -> str:
    word, more = first_word(rest)
    if word == "delete":
        return _delete(debugger, more)
    if word:
        raise MisuseError(f"{rest!r} is too much")
    lines = []
    for attempt in debugger.desk.attempts:
        outcome = "not judged" if attempt.verdict is None else attempt.verdict.outcome
        lines.append(f"{attempt.number}  {outcome}: {' '.join(attempt.formula.split())}")
    return "\n".join(lines) or "there is no attempt yet: check FORMULA judges one and keeps it"


def _delete(debugger: Debugger, word: str) -> str:
    state = debugger.state
    attempts = state.attempts
    if not word.isascii() or not word.isdecimal():
        raise MisuseError(f"{word!r} is not the number of an attempt" if word else "which attempt?")
    if len(word) > 9 or not 1 <= int(word) <= len(attempts):
        known = f"the attempts are 1 … {len(attempts)}" if attempts else "there is no attempt yet"
        raise CommandError(f"there is no attempt {word[:9]}", hint=known)
    place = int(word) - 1
    debugger.change(replace(state, attempts=(*attempts[:place], *attempts[place + 1 :])))
    return f"attempt {place + 1} is deleted"


ROWS = (
    Command("check", "check FORMULA", "judge a derivation, and keep it as an attempt", _check, (),
            "check dE/dw = dE/ds_1 * ds_1/dw_1 + dE/ds_1 * ds_1/ds_0 * ds_0/dw_0\n"
            "∂ or d, s_1, s1, s[1] or s₁, LaTeX, Σ_t. The answer is a sentence; D and bptt-tui check say why."),
    Command("attempts", "attempts [delete N]", "the formulas that were judged, or one of them no more", _attempts, (),
            "N counts as `attempts` lists them.", recorded=False),
)  # fmt: skip
