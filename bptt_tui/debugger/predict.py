"""Predict mode: the next value, factor or contribution is hidden until the learner has answered.

What is asked follows from where the debugger stands: going forward the node's value, going backward the local partial
of the inflow just taken, at a use its contribution. `veil_of` says what that hides; everything a View shows is looked
up behind the veil. Moves forward wait for the answer, moves back are free. An array of more than `LARGEST` entries is
not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.calculus import numerals
from bptt_tui.calculus.shapes import size
from bptt_tui.debugger.command import Command, MisuseError, first_word, nothing
from bptt_tui.debugger.looking import Look, Scene, Veil
from bptt_tui.debugger.moving import Cursor
from bptt_tui.debugger.view import Question
from bptt_tui.errors import CommandError
from bptt_tui.session import Prediction

if TYPE_CHECKING:
    from bptt_tui.debugger.asked import Asked
    from bptt_tui.debugger.debugger import Debugger

LARGEST = 16
KINDS = ("values", "factors", "contributions")
_NOTHING = "predict on, then next, asks for a number"


class Predicting(Struct, frozen=True):
    """What is asked for, and where the questions are settled or were answered wrongly."""

    kinds: tuple[str, ...] = KINDS
    settled: frozenset[Cursor] = frozenset()
    wrong: tuple[Cursor, ...] = ()


def asked_at(predict: Predicting | None, scene: Scene, cursor: Cursor) -> Asked | None:
    """What is asked at a place, None where nothing is."""
    if predict is None or cursor in predict.settled:
        return None
    from bptt_tui.debugger.asked import asked_at_step

    asked = asked_at_step(Look(scene, cursor.position, cursor.factor), predict.kinds)
    return asked if asked is not None and size(asked.shape) <= LARGEST else None


def question_of(predict: Predicting | None, asked: Asked | None) -> Question | None:
    """The question as the View shows it."""
    if predict is None or asked is None:
        return None
    here = Cursor(asked.look.position, asked.look.factor)
    return Question(text=asked.text, kind=asked.kind, tries=predict.wrong.count(here), shape=asked.shape)


def veil_of(predict: Predicting | None, asked: Asked | None) -> Veil:
    """What a question hides; factors that will be asked for are hidden already."""
    if predict is None:
        return Veil()
    later = "factors" in predict.kinds
    if asked is None:
        return Veil(partials=later)
    return Veil(asked.kind, partials=later, whole=not asked.look.factor)


def refuse_unanswered(asked: Asked | None) -> None:
    """Going on would show what is asked for."""
    if asked is not None:
        raise CommandError(f"{asked.text} is not answered", hint="answer EXPR, hint, reveal or predict off")


# --- commands ------------------------------------------------------------------------------------------------------


def _predict(debugger: Debugger, rest: str) -> str:
    word, more = first_word(rest)
    state = debugger.state
    if word == "off":
        nothing(more)
        debugger.change(replace(state, predict=None))
        return "predict mode is off"
    if word != "on" or (more and more not in KINDS):
        raise MisuseError(f"{more or word!r} is nothing to predict" if word else "predict on or off?")
    debugger.change(replace(state, predict=Predicting((more,) if more else KINDS)))
    return f"predict mode asks for {more or 'values, factors and contributions'}; answer EXPR, hint or reveal"


def _answer(debugger: Debugger, rest: str) -> str:
    from bptt_tui.debugger.inspect import Inspector
    from bptt_tui.debugger.judging import judge

    asked = _open_question(debugger)
    if not rest:
        raise MisuseError("an answer is a number or an expression")
    verdict = judge(asked, rest, Inspector(debugger.look), debugger.state.session)
    outcome: Literal["right", "wrong"] = "right" if verdict.right else "wrong"
    _settle(debugger, asked, rest, outcome)
    return f"right: {_solved(asked)}" if verdict.right else f"wrong: {verdict.reason}"


def _reveal(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    asked = _open_question(debugger)
    _settle(debugger, asked, "", "revealed")
    return _solved(asked)


def _hint(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    return _open_question(debugger).hint()


def _score(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    given = debugger.state.predictions
    outcomes = [prediction.outcome for prediction in given]
    total = ", ".join(f"{outcomes.count(word)} {word}" for word in ("right", "wrong", "revealed"))
    lines = [f"  {one.question}  {one.answer}  {one.outcome}".replace("    ", "  ") for one in given]
    return "\n".join([total, *lines])


def _open_question(debugger: Debugger) -> Asked:
    asked = debugger.asked
    if asked is None:
        raise CommandError("nothing is asked here", hint=_NOTHING)
    return asked


def _settle(debugger: Debugger, asked: Asked, answer: str, outcome: Literal["right", "wrong", "revealed"]) -> None:
    """Keep the answer; what is right or revealed is shown from now on."""
    state, here = debugger.state, debugger.cursor
    predict = state.predict or Predicting()
    if outcome == "wrong":
        predict = replace(predict, wrong=(*predict.wrong, here))
    else:
        predict = replace(predict, settled=predict.settled | {here})
    kept = Prediction(here.position, asked.text, answer, outcome)
    debugger.change(replace(state, predict=predict, predictions=(*state.predictions, kept)))


def _solved(asked: Asked) -> str:
    """The formula and its value: `∂s₁/∂z₁ = 1 − s₁² = 0.796279`."""
    truth = asked.truth
    flat = truth.reshape(()) if truth.size == 1 else truth[0] if truth.ndim == 2 and len(truth) == 1 else truth
    shown = numerals.array(flat, 60)
    formula = asked.formula()
    return " = ".join(dict.fromkeys((asked.title, formula, shown)))


ROWS = (
    Command("predict", "predict on [KIND]|off", "ask before the next number is shown", _predict, (),
            "KIND is values, factors or contributions; without it, all of them."),
    Command("answer", "answer EXPR", "answer what predict mode asks", _answer, (),
            "A number (four digits are enough), an expression such as 1 - s[0]**2, or an array, [0.3, 1 - 0.3]."),
    Command("hint", "hint", "the formula of what is asked, without numbers", _hint),
    Command("reveal", "reveal", "show what is asked", _reveal),
    Command("score", "score", "the answers so far: right, wrong, revealed", _score),
)  # fmt: skip
