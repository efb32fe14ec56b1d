"""Whether a formula of a derivative is right, and where it is not: `judge(session, "dE/dw = …")`.

A member is right when it equals the left side at random draws of every value in one consistent reading: an identity,
not a coincidence of the session's numbers. If it is not, its terms are laid beside the true contributions, and the
change that makes a wrong term right is its explanation.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.tree import (
    Formula,
    Multiply,
    Number,
    Partial,
    Product,
    Statement,
    Sum,
    Value,
)
from bptt_tui.derivation.formulas.tree import Reading as TreeReading
from bptt_tui.derivation.judging import coincidence, everywhere, numbers
from bptt_tui.derivation.judging.alignment import TOO_SMALL, Alignment, align, overlooked
from bptt_tui.derivation.judging.draws import Draws
from bptt_tui.derivation.judging.edits import Budget
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.fingerprints import listed
from bptt_tui.derivation.judging.ledger import ledger_of
from bptt_tui.derivation.judging.reading import Reading
from bptt_tui.derivation.judging.readings import described, forms, modes, open_partials, sizes
from bptt_tui.derivation.judging.report import Explanation, explained, left_name, right_terms
from bptt_tui.derivation.judging.rewriting import as_sum, by_signs, renamed, reread, tells_apart
from bptt_tui.derivation.judging.samples import Samples, Stack
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.verdict import MemberVerdict, Outcome, Slip, Verdict
from bptt_tui.session import Session

# How many readings of a wrong formula are looked into for a reason.
MAX_READINGS = 6
# What rounding may do to an identity, of the largest entry.
IDENTITY = 1e-9
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


class _Tried(Struct):
    """Two sides in all their readings: what they are where they fit, the first misfit, and what holds."""

    readings: list[Reading]
    fitting: list[tuple[Truth, Stack | None]]
    misfit: Misfit | None = None
    holding: tuple[Truth, Stack] | None = None


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
        sentence = _overall(name, members)
        if any(map(is_number, others)):
            sentence = sentence.replace("the first, for all values", "the first, the numbers at the session's values")
        return Verdict(statement, name, worst.outcome, sentence, members)

    def holds(self, statement: Statement) -> bool:
        """Whether every member is the left side at random draws; no reason is looked for."""
        evaluator = Evaluator(self.samples, self.draws.targets, statement)
        left, *others = statement.members
        sides = [((left, member), by_signs(left, member, statement.text)) for member in others]
        return all(any(pair and self._tried(*pair, evaluator).holding for pair in either) for either in sides)

    def _member(self, left: Formula, member: Formula, evaluator: Evaluator) -> MemberVerdict:
        if is_number(member):
            return numbers.judged(left, member, evaluator, self.spelling)
        tried = self._tried(left, member, evaluator)
        if tried.holding is not None:
            small = overlooked(member, tried.holding[0])
            return self._too_small(member, *tried.holding, small) if small else self._right(member, *tried.holding)
        signed = by_signs(left, member, evaluator.statement.text)
        if signed is not None:
            apart = self._tried(*signed, evaluator)
            if apart.holding is not None and not overlooked(signed[1], apart.holding[0]):
                said = self._right(signed[1], *apart.holding)
                return replace(said, readings=(*said.readings, "∂ with the states before held, d in total"))
            if tells_apart(*signed):
                (left, member), tried = signed, apart
        return self._wrong(left, member, evaluator, tried)

    def _tried(self, left: Formula, member: Formula, evaluator: Evaluator) -> _Tried:
        """The two sides in one reading after another, up to one that holds."""
        tried = _Tried(self._readings(left, member), [])
        for reading in tried.readings:
            try:
                truth = Truth(left, evaluator.read_as(reading), self.spelling)
                value = truth.evaluator.value(member)
            except Misfit as found:
                tried.misfit = tried.misfit or found
                continue
            fitted = truth.matched(value)
            tried.fitting.append((truth, fitted))
            if fitted is not None and self._holds(truth, fitted):
                tried.holding = truth, fitted
                break
        return tried

    def _readings(self, left: Formula, member: Formula) -> list[Reading]:
        found = []
        several = list(modes(open_partials(self.samples, left, member)))
        for layout, manner in forms(self.samples):
            found += [
                Reading(layout, manner, mode.default, mode.modes, size)
                for size in sizes(self.samples, member)
                for mode in several
            ]
        return found

    def _holds(self, truth: Truth, value: Stack) -> bool:
        """Whether the member is the left side at every random draw."""
        agree = close(value, truth.value, truth.scale, IDENTITY)
        return bool(agree[1:].all()) if self.samples.count > 1 else bool(agree.all())

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
        names = listed([part.of for part in parts])
        why = f"{names} {'is' if len(parts) == 1 else 'are'} too small to show in the sum"
        alignment = align(member, truth, Budget(), thorough=True)
        said = self._said(
            "coincidence", member, truth, f"equal here, not in general, because {why}", (), value, why=why
        )
        return explained(member, truth, value, alignment).with_parts(said)

    # --- not right -----------------------------------------------------------------------------------------------

    def _wrong(
        self,
        left: Formula,
        member: Formula,
        evaluator: Evaluator,
        tried: _Tried,
    ) -> MemberVerdict:
        readings, fitting, misfit = tried.readings, tried.fitting, tried.misfit
        known = [(truth, fitted) for truth, fitted in fitting if fitted is not None]
        if known and not any(_is_finite(truth.value, fitted) for truth, fitted in known):
            sentence = "no number to compare: the value is not finite"
            first, value = known[0]
            return self._said("unknown", member, first, sentence, (), value, why="the value is not finite")
        for truth, fitted in known:
            if close(fitted, truth.value, truth.scale)[0] and np.isfinite(fitted[0]).all():
                why = self._kink(truth, fitted) or coincidence.reason(self.draws, evaluator.statement, member, truth)
                sentence = f"equal here, not in general{', because ' + why if why else ''}"
                found = self._explained(member, fitting, readings, left, evaluator)
                if not why and found is not None:
                    why = _vanishing(found, truth)
                    sentence += f", because {why}" if why else ""
                said = self._said("coincidence", member, truth, sentence, (), fitted, why=why)
                return found.with_parts(said) if found else said
        other = self._other_modes(left, member, evaluator) or self._one_sum(left, member, evaluator)
        explanation = self._explained(member, fitting, readings, left, evaluator)
        if explanation is None:
            assert misfit is not None
            raise evaluator.wrong(member, str(misfit))
        outcome: Outcome = "wrong" if fitting else "shapes"
        ledger = ledger_of(member, explanation.truth) if explanation.value is None else None
        said = self._said(outcome, member, explanation.truth, explanation.sentence, (), explanation.value)
        return explanation.with_parts(said, ledger, other)

    def _kink(self, truth: Truth, value: Stack) -> str:
        """Why a formula holds at some draws and not at others: it is that of one side of a kink."""
        agree = close(value, truth.value, truth.scale)[1:]
        if self.draws.has_kinks and agree.any() and not agree.all():
            return "relu is on one side of its kink here"
        return ""

    def _explained(
        self,
        member: Formula,
        fitting: list[tuple[Truth, Stack | None]],
        readings: list[Reading],
        left: Formula,
        evaluator: Evaluator,
    ) -> Explanation | None:
        """The best explanation over the readings: the one with the fewest terms left without a reason."""
        best: tuple[Any, Truth, Stack | None, Alignment] | None = None
        fitting = _distinct(sorted(fitting, key=lambda pair: pair[1] is None))
        known = [pair for pair in fitting if pair[1] is not None]
        tried = known or fitting or [(Truth(left, evaluator.read_as(readings[0]), self.spelling), None)]
        if not fitting:
            tried += [(Truth(left, evaluator.read_as(r), self.spelling), None) for r in readings[1:] if not r.modes]
        budget = Budget()
        for thorough in (False, True):
            for truth, fitted in tried[: MAX_READINGS - 2 * thorough]:
                try:
                    alignment = align(member, truth, budget, thorough=thorough)
                except Misfit:
                    continue
                cost = (*alignment.cost[:2], fitted is None, alignment.cost[2])
                if best is None or cost < best[0]:
                    best = cost, truth, fitted, alignment
                if alignment.found and alignment.plain and (cost[1] <= 1 or thorough):
                    break
            if best is not None and best[3].found:
                break
        if best is None:
            return None
        _, truth, fitted, alignment = best
        return explained(member, truth, fitted, alignment)

    def _other_modes(self, left: Formula, member: Formula, evaluator: Evaluator) -> Slip | None:
        """The slip of a total derivative where the immediate one is meant, and the reverse, where the text said so."""
        loss = self.samples.network.loss_name
        said = [p for p in walk(member) if isinstance(p, Partial) and p.reading and p.above.name != loss]
        if not said:
            return self._alike(left, member, evaluator)
        kinds: tuple[tuple[TreeReading, str], ...] = (
            ("immediate", "total for immediate"),
            ("total", "immediate for total"),
        )
        for meant, kind in kinds:
            if all(p.reading == meant for p in said):
                continue
            changed = reread(member, meant, loss)
            try:
                truth = Truth(left, evaluator, self.spelling)
                fitted = truth.matched(evaluator.value(changed))
            except Misfit:
                continue
            if fitted is not None and self._holds(truth, fitted):
                wrong = next(p for p in said if p.reading != meant)
                start, end = wrong.span
                written = " ".join(evaluator.statement.text[start:end].split())
                due = f"∂⁺{wrong.above.name}/∂{wrong.below.name}"
                return slip(kind, written=written, due=due)
        return None

    def _one_sum(self, left: Formula, member: Formula, evaluator: Evaluator) -> Slip | None:
        """The slip of (Σ_t a_t)(Σ_t b_t) for Σ_t a_t b_t."""
        if not isinstance(member, Multiply):
            return None
        sums = [found for factor in member.factors if (found := as_sum(factor)) is not None]
        if len(sums) < 2:
            return None
        variable = sums[0].variable
        inside = iter([renamed(one.body, one.variable, variable) for one in sums])
        factors = tuple(factor if as_sum(factor) is None else next(inside) for factor in member.factors)
        merged = replace(sums[0], body=replace(member, factors=factors))
        return slip("product of sums") if self._tried(left, merged, evaluator).holding else None

    def _alike(self, left: Formula, member: Formula, evaluator: Evaluator) -> Slip | None:
        """The slip of ∂s_t/∂w in total where the sum over time on the right side means the immediate one."""
        if not isinstance(left, Partial):
            return None
        names = left.above.name, left.below.name

        def marked(formula: Formula) -> Formula:
            if isinstance(formula, Partial):
                alike = (formula.above.name, formula.below.name) == names
                return replace(formula, reading="immediate") if alike else formula
            return rebuilt(formula, marked)

        changed = marked(member)
        if changed == member or not self._tried(replace(left, reading="total"), changed, evaluator).holding:
            return None
        first = next(p for p in walk(changed) if isinstance(p, Partial) and p.reading)
        start, end = first.span
        written = " ".join(evaluator.statement.text[start:end].split())
        return slip("total for immediate", written=written, due=f"∂⁺{names[0]}/∂{names[1]}")

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
        text = truth.evaluator.statement.text
        start, end = member.span
        written = " ".join(text[start:end].split()) or self.spelling.spell(member)
        given = None if value is None else value[0]
        return MemberVerdict(outcome, written, member.span, sentence, readings, given, truth.value[0], **more)


def is_number(member: Formula) -> bool:
    """Whether a member is made of numbers alone."""
    inside = list(walk(member))
    return any(isinstance(p, Number) for p in inside) and not any(
        isinstance(p, Value | Partial | Sum | Product) for p in inside
    )


def _overall(name: str, members: tuple[MemberVerdict, ...]) -> str:
    wrong = [member for member in members if member.outcome != "right"]
    if not wrong:
        return members[0].sentence if len(members) == 1 else "right: every member equals the first, for all values"
    worst = max(wrong, key=lambda member: _WORST.index(member.outcome))
    if len(members) == 1:
        return worst.sentence
    outcome = f"{worst.outcome}: " if worst.sentence.startswith(f"{worst.outcome}: ") else ""
    place = next(number for number, member in enumerate(members, 1) if member is worst)  # arrays do not compare
    return f"{outcome}member {place} of {len(members)}: {worst.sentence.removeprefix(outcome)}"


def _distinct(fitting: list[tuple[Truth, Stack | None]]) -> list[tuple[Truth, Stack | None]]:
    """The readings without those that give the same value for the same truth as one before in the same layout."""
    kept: list[tuple[Truth, Stack | None]] = []
    for truth, value in fitting:
        layout = truth.evaluator.reading.layout
        others = [
            v
            for other, v in kept
            if other.evaluator.reading.layout == layout and np.array_equal(other.value, truth.value, equal_nan=True)
        ]
        twins = (v is not None and value is not None and np.array_equal(v, value, equal_nan=True) for v in others)
        if not any(twins):
            kept.append((truth, value))
    return kept


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
    names = listed(list(dict.fromkeys(term.of for term in wrong)))
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
