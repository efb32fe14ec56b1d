"""Whether a formula of a derivative is right, and where it is not: `judge(session, "dE/dw = …")`.

A member is right when it equals the left side at random draws of every value in one consistent reading: an identity,
not a coincidence of the session's numbers. If it is not, its terms are laid beside the true contributions, and the
change that makes a wrong term right is its explanation.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.reach import factors_of, other_reaches
from bptt_tui.derivation.formulas.tree import Formula, Number, Partial, Product, Statement, Sum, Value
from bptt_tui.derivation.judging import coincidence, everywhere, numbers
from bptt_tui.derivation.judging.alignment import align
from bptt_tui.derivation.judging.assignment import TOO_SMALL, overlooked
from bptt_tui.derivation.judging.comparison import Compared, compare
from bptt_tui.derivation.judging.draws import Draws
from bptt_tui.derivation.judging.edits import Budget
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.explaining import explain
from bptt_tui.derivation.judging.kinks import at_kink, one_side
from bptt_tui.derivation.judging.ledger import ledger_of
from bptt_tui.derivation.judging.meanings import described
from bptt_tui.derivation.judging.misreadings import misread
from bptt_tui.derivation.judging.report import Explanation, explained, left_name, right_terms
from bptt_tui.derivation.judging.rewriting import by_matrix_powers, by_signs, in_total, tells_apart
from bptt_tui.derivation.judging.rounding import rounded
from bptt_tui.derivation.judging.samples import Samples, Stack
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.verdict import MemberVerdict, Outcome, Verdict
from bptt_tui.language.labels import few
from bptt_tui.session import Session

_WORST: tuple[Outcome, ...] = ("right", "unknown", "coincidence", "wrong", "shapes")


def judge(session: Session, text: str) -> Verdict:
    """The verdict on a formula as people write them: `dE/dw = dE/ds1 * ds1/dw`.

    Raises FormulaError for text that cannot be read against the session's network, or that is too large to judge, and
    the session's own errors where it has no trace.
    """
    from bptt_tui.derivation.formulas.reader import read

    return judge_statement(session, read(text, session))


def judge_statement(session: Session, statement: Statement) -> Verdict:
    """The verdict on a statement already read: every member against the first."""
    # What overflows at a draw is a value like any other, and judged as one.
    with np.errstate(all="ignore"):
        judging = _judging(session)
        return everywhere.judged(judging, statement) if statement.variables else judging.verdict(statement)


class Judging:
    """What one session's formulas are judged with: its numbers at all draws, made once."""

    def __init__(self, session: Session) -> None:
        self.draws = Draws(session)
        self.samples = Samples(self.draws.traces)
        self.spelling = Spelling(self.samples)

    def verdict(self, statement: Statement) -> Verdict:
        """The whole formula."""
        evaluator = Evaluator(self.samples, self.draws.targets, statement)
        for member in statement.members:
            evaluator.check_size(member)
        left, *others = statement.members
        members = tuple(self._member(left, member, evaluator) for member in others)
        worst = max(members, key=lambda verdict: _WORST.index(verdict.outcome))
        name = left_name(left, statement, self.spelling)
        sentence = _overall(members)
        if any(map(is_number, others)):
            sentence = sentence.replace("the first, for all values", "the first, the numbers at the session's values")
        return Verdict(statement, name, worst.outcome, sentence, members)

    def holds(self, statement: Statement) -> bool:
        """Whether every member is the left side at random draws; no reason is looked for."""
        evaluator = Evaluator(self.samples, self.draws.targets, statement)
        left, *others = statement.members
        return all(
            any(
                pair and compare(*pair, evaluator, self.spelling).holding
                for pair in self._meant(left, member, statement)
            )
            for member in others
        )

    def _meant(self, left: Formula, member: Formula, statement: Statement) -> Iterator[tuple[Formula, Formula] | None]:
        """The two sides as they are read, and as they may be meant."""
        yield left, member
        yield by_signs(left, member, statement.text)
        for other, _ in other_reaches(member, statement.text):
            yield left, other

    def _member(self, left: Formula, member: Formula, evaluator: Evaluator) -> MemberVerdict:
        said = self._verdict(left, member, evaluator)
        if not self.draws.has_kinks:
            return said
        kink = at_kink(Truth(left, evaluator, self.spelling))
        if not kink or said.outcome == "unknown":
            return said
        told = f"{kink}, where there is no derivative: its slope is taken as 0"
        sentence = f"{said.sentence}; {told}" if said.outcome == "right" else said.sentence
        return replace(said, sentence=sentence, readings=(*said.readings, told))

    def _verdict(self, left: Formula, member: Formula, evaluator: Evaluator) -> MemberVerdict:
        with contextlib.suppress(Misfit):  # arrays that cannot be multiplied are told like any other product
            if is_number(member):
                return numbers.judged(left, member, evaluator, self.spelling)
        compared = compare(left, member, evaluator, self.spelling)
        if compared.holding is not None:
            truth, value = compared.holding
            small = overlooked(member, truth)
            return self._too_small(member, truth, value, small) if small else self._right(member, truth, value)
        signed = by_signs(left, member, evaluator.statement.text)
        if signed is not None:
            apart = compare(*signed, evaluator, self.spelling)
            if apart.holding is not None and not overlooked(signed[1], apart.holding[0]):
                said = self._right(signed[1], *apart.holding)
                return replace(said, readings=(*said.readings, "∂ with the states before held, d in total"))
            if tells_apart(*signed):
                (left, member), compared = signed, apart
        ordered = self._ordered(left, member, evaluator, compared)
        if ordered is not None:
            left, member, compared = ordered
            if compared.holding is not None and not overlooked(member, compared.holding[0]):
                said = self._right(member, *compared.holding)
                return replace(said, readings=(*said.readings, "∂⁺ as the ordered derivative, through every path"))
        powers = by_matrix_powers(member, evaluator)
        if powers is not None:
            member, compared = powers, compare(left, powers, evaluator, self.spelling)
            if compared.holding is not None and not overlooked(member, compared.holding[0]):
                said = self._right(member, *compared.holding)
                return replace(said, readings=(*said.readings, "a power of a matrix as a matrix product"))
        for other, product in other_reaches(member, evaluator.statement.text):
            farther = compare(left, other, evaluator, self.spelling)
            if farther.holding is not None and not overlooked(other, farther.holding[0]):
                said = self._right(other, *farther.holding)
                inside = evaluator.statement.written(factors_of(product.body)[-1])
                return replace(said, readings=(*said.readings, f"the product over {product.variable} up to {inside}"))
        return self._wrong(left, member, evaluator, compared)

    def _ordered(
        self, left: Formula, member: Formula, evaluator: Evaluator, compared: Compared
    ) -> tuple[Formula, Formula, Compared] | None:
        """The two sides with ∂⁺ as Werbos has it, the total derivative, where the left side is such a one of the loss
        and they agree in that reading, or the immediate one is 0 and nothing to derive."""
        loss = evaluator.samples.network.loss_name
        if not isinstance(left, Partial) or left.reading != "immediate" or left.above.name != loss:
            return None
        sides = in_total(left), in_total(member)
        found = compare(*sides, evaluator, self.spelling)
        is_nothing = not any(np.any(truth.value) for truth, _ in compared.fitting)
        return (*sides, found) if found.holding is not None or is_nothing else None

    # --- right ---------------------------------------------------------------------------------------------------

    def _right(self, member: Formula, truth: Truth, value: Stack) -> MemberVerdict:
        statement = truth.evaluator.statement
        readings = described(truth.evaluator, self.spelling, truth.left, member)
        terms, remark = right_terms(member, truth)
        vacuous = coincidence.vacuous(self.draws, statement, member, truth)
        if vacuous:
            sentence = f"equal here, not in general, because {vacuous}"
            return self._said("coincidence", member, truth, sentence, readings, value, why=vacuous, terms=terms)
        here = value[0]
        if self.draws.alone:
            why = "at no other values that were tried is everything finite"
            sentence = f"equal at the session's numbers; {why}"
            return self._said("unknown", member, truth, sentence, readings, value, why=why, terms=terms)
        sentence = f"right: it equals {truth.name} for all values, not only these"
        if remark:
            sentence += f"; {remark}"
        if not (np.isfinite(here).all() and np.isfinite(truth.value[0]).all()):
            sentence += "; at the session's own numbers the value is not finite"
        return self._said("right", member, truth, sentence, readings, value, terms=terms)

    def _too_small(self, member: Formula, truth: Truth, value: Stack, parts: list[Part]) -> MemberVerdict:
        """Equal to the last digit, and yet not all there."""
        names = few([part.of for part in parts])
        why = f"{names} {'is' if len(parts) == 1 else 'are'} too small to show in the sum"
        alignment = align(member, truth, Budget(), thorough=True)
        said = self._said(
            "coincidence", member, truth, f"equal here, not in general, because {why}", (), value, why=why
        )
        return explained(member, truth, value, alignment).with_parts(said)

    # --- not right -----------------------------------------------------------------------------------------------

    def _wrong(self, left: Formula, member: Formula, evaluator: Evaluator, compared: Compared) -> MemberVerdict:
        known = [(truth, fitted) for truth, fitted in compared.fitting if fitted is not None]
        if known and not any(_is_finite(truth.value, fitted) for truth, fitted in known):
            sentence = "no number to compare: the value is not finite"
            first, value = known[0]
            return self._said("unknown", member, first, sentence, (), value, why="the value is not finite")
        for truth, fitted in known:
            if close(fitted, truth.value, truth.scale)[0] and np.isfinite(fitted[0]).all():
                why = self._kink(truth, fitted) or coincidence.reason(self.draws, evaluator.statement, member, truth)
                sentence = f"equal here, not in general{', because ' + why if why else ''}"
                found = explain(left, member, compared, evaluator, self.spelling)
                if not why and found is not None:
                    why = _vanishing(found, truth)
                    sentence += f", because {why}" if why else ""
                said = self._said("coincidence", member, truth, sentence, (), fitted, why=why)
                return found.with_parts(said) if found else said
        why = rounded(left, member, known, evaluator) if known else ""
        if why:
            sentence = f"equal here to the digits written, not in general: {why}"
            found = explain(left, member, compared, evaluator, self.spelling)
            said = self._said("coincidence", member, known[0][0], sentence, (), known[0][1], why=why)
            return found.with_parts(said) if found else said
        other = misread(left, member, evaluator, self.spelling)
        explanation = explain(left, member, compared, evaluator, self.spelling)
        if explanation is None:
            assert compared.misfit is not None
            raise evaluator.wrong(member, str(compared.misfit))
        outcome: Outcome = "wrong" if compared.fitting else "shapes"
        ledger = ledger_of(member, explanation.truth) if explanation.value is None else None
        said = self._said(outcome, member, explanation.truth, explanation.sentence, (), explanation.value)
        return explanation.with_parts(said, ledger, other)

    def _kink(self, truth: Truth, value: Stack) -> str:
        """Why a formula holds at some draws and not at others: it is that of one side of a kink."""
        agree = close(value, truth.value, truth.scale)[1:]
        if self.draws.has_kinks and agree.any() and not agree.all():
            return one_side(truth, agree)
        return ""

    def _said(
        self,
        outcome: Outcome,
        member: Formula,
        truth: Truth,
        sentence: str,
        readings: tuple[str, ...],
        value: Stack | None,
        **more: Any,
    ) -> MemberVerdict:
        written = truth.evaluator.statement.written(member) or self.spelling.spell(member)
        given = None if value is None else value[0]
        return MemberVerdict(outcome, written, member.span, sentence, readings, given, truth.value[0], **more)


def is_number(member: Formula) -> bool:
    """Whether a member is made of numbers alone."""
    inside = list(walk(member))
    return any(isinstance(p, Number) for p in inside) and not any(
        isinstance(p, Value | Partial | Sum | Product) for p in inside
    )


def _overall(members: tuple[MemberVerdict, ...]) -> str:
    wrong = [member for member in members if member.outcome != "right"]
    if not wrong:
        return members[0].sentence if len(members) == 1 else "right: every member equals the first, for all values"
    worst = max(wrong, key=lambda member: _WORST.index(member.outcome))
    if len(members) == 1:
        return worst.sentence
    outcome = f"{worst.outcome}: " if worst.sentence.startswith(f"{worst.outcome}: ") else ""
    place = next(number for number, member in enumerate(members, 1) if member is worst)  # arrays do not compare
    return f"{outcome}member {place} of {len(members)}: {worst.sentence.removeprefix(outcome)}"


def _is_finite(*stacks: Stack) -> bool:
    """At every draw but the session's."""
    return all(bool(np.isfinite(stack[1:]).all()) for stack in stacks)


def _vanishing(found: Explanation, truth: Truth) -> str:
    """`∂E/∂w₀ is too small to show`, where all that is wrong is that small at the session's numbers."""
    wrong = [term for term in found.terms if term.outcome != "right"]
    whole = float(np.abs(truth.value[0]).max())
    dues = [float(np.abs(term.due).max()) for term in wrong if term.due is not None]
    if not wrong or len(dues) < len(wrong) or max(dues) > TOO_SMALL * whole:
        return ""
    names = few(list(dict.fromkeys(term.of for term in wrong)))
    return f"{names} {'is' if len(wrong) == 1 else 'are'} too small to show in the sum"


_recent: list[tuple[weakref.ref[Any], Judging]] = []


def _judging(session: Session) -> Judging:
    """The numbers of the session judged last are kept: a learner tries again."""
    trace = session.trace()
    for kept, judging in _recent:
        if kept() is trace:
            return judging
    judging = Judging(session)
    _recent[:] = [(weakref.ref(trace), judging)]
    return judging
