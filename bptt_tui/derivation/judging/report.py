"""An alignment in words: what each term is, which slip the wrong ones show, and one sentence for the whole."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.derivation.formulas.tree import Formula, Partial, Span, Statement, Value
from bptt_tui.derivation.judging.assignment import assigned
from bptt_tui.derivation.judging.diagnosis import Named, name_of, place_of
from bptt_tui.derivation.judging.edits import Measured
from bptt_tui.derivation.judging.evaluation import Misfit
from bptt_tui.derivation.judging.fingerprints import fingerprints
from bptt_tui.derivation.judging.numbers import equality
from bptt_tui.derivation.judging.rows import Alignment, Row
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.verdict import FactorVerdict, Ledger, MemberVerdict, Slip, TermOutcome, TermVerdict
from bptt_tui.language.labels import few

MAX_SAID = 4
MAX_REMARKS = 2


class Explanation(Struct, frozen=True):
    """What is wrong with a member, read in the way that explains it best."""

    truth: Truth
    value: Stack | None
    sentence: str
    terms: tuple[TermVerdict, ...]
    slips: tuple[Slip, ...]

    def with_parts(self, said: MemberVerdict, ledger: Ledger | None = None, other: Slip | None = None) -> MemberVerdict:
        """The member's verdict with terms and slips; `other` speaks for the whole."""
        slips = self.slips if other is None else (other,)
        sentence = said.sentence if other is None else f"wrong: {other.sentence}"
        return replace(said, terms=self.terms, slips=slips, ledger=ledger, sentence=sentence)


def left_name(left: Formula, statement: Statement, spelling: Spelling) -> str:
    """The left side as read."""
    text = spelling.spell(left)
    return text if "…" not in text else statement.written(left)


def right_terms(member: Formula, truth: Truth) -> tuple[tuple[TermVerdict, ...], str]:
    """The terms of a right member beside their contributions, and why a parameter stands in it."""
    try:
        pairs = assigned(member, truth)
    except Misfit:
        return (), ""
    found = []
    remarks: dict[str, None] = {}
    for product, part in pairs:
        name = part.of if part is not None else truth.name
        t = part.t if part is not None else None
        factors = tuple(_right_factor(product, index, truth) for index in range(len(product.term.factors)))
        where = f"the t = {t} term is right" if t is not None and truth.is_whole else "this term is right"
        found.append(
            TermVerdict(
                "right", name, t, truth.spelling.term(product.term), where, product.term.span,
                None if product.value is None else product.value[0], None if part is None else part.value[0], factors,
                part.place if part is not None else "",
            )
        )  # fmt: skip
        for factor in product.term.factors if len(remarks) < MAX_REMARKS else ():
            if isinstance(factor.formula, Value) and len(product.term.factors) > 1:
                remark = _belongs(factor.formula, product, truth)
                if remark:
                    remarks.setdefault(remark)
    return tuple(found), "; ".join(list(remarks)[:MAX_REMARKS])


def _belongs(value: Value, product: Measured, truth: Truth) -> str:
    """w₁ belongs: it is ∂b₁/∂s₀."""
    samples, spelling = truth.samples, truth.spelling
    key = product.evaluator.key(value, next(f.env for f in product.term.factors if f.formula is value))
    if key[0] not in samples.unrolled.values.parameters or truth.above is None:
        return ""
    lowest = {
        product.evaluator.key(f.formula.below, f.env) for f in product.term.factors if isinstance(f.formula, Partial)
    }
    found = [
        (spelling.ends(edge)[0] not in lowest, edge)
        for edge in truth.weights.get(key[0], ())
        if key[1] in (None, spelling.ends(edge)[0][1])
    ]
    if not found:
        return ""
    # Of several the one right below what the term has a partial by.
    _, edge = min(found, key=lambda pair: pair[0])
    way = f"the way by which {spelling.name(spelling.ends(edge)[1])} reaches {spelling.name(truth.above)}"
    return f"{spelling.name(key)} belongs: it is {spelling.edge(edge)}, {way}"


def _right_factor(product: Measured, index: int, truth: Truth) -> FactorVerdict:
    factor = product.term.factors[index]
    text = truth.spelling.factor(factor)
    span = factor.formula.span if factor.formula.span != (0, 0) else None
    return FactorVerdict("right", text, text, "", span, place_of(product, index, truth.spelling))


def explained(member: Formula, truth: Truth, value: Stack | None, alignment: Alignment) -> Explanation:
    """The rows of an alignment as verdicts."""
    slips: dict[str, Slip] = {}
    terms: list[TermVerdict] = []
    unsaid: list[TermVerdict] = []
    alike: dict[tuple[str, Span | str], list[tuple[TermVerdict, Slip, str]]] = {}
    missing = [row for row in alignment.rows if row.fault == "missing" and row.part is not None]
    whole = whole_slip(truth, value, alignment, missing)
    for row in alignment.rows:
        verdict, found = _term(row, truth)
        terms.append(verdict)
        if found is None and verdict.outcome != "right":
            unsaid.append(verdict)
        if found is not None and not (whole is not None and row.fault == "missing"):
            where = _where(row.part, truth)
            plain = found.sentence.replace(where, "", 1) if where else found.sentence
            # Terms written out of one sum show one slip, each with its own timestep.
            origin: Span | str = row.product.term.span if row.product is not None and row.fault == "edit" else plain
            if row.fault in ("missing", "path") or (row.fault == "extra" and alignment.cells):
                origin = ""
            alike.setdefault((found.kind, origin), []).append((verdict, found, plain))
    slips = {shared.sentence: shared for shared in (_shared(group, terms, alignment) for group in alike.values())}
    if whole is not None:
        slips = {whole.sentence: whole, **slips}
    sentence = _sentence(terms, unsaid, whole, truth, slips, alignment)
    return Explanation(truth, value, sentence, tuple(terms), tuple(slips.values()))


def _shared(alike: list[tuple[TermVerdict, Slip, str]], terms: list[TermVerdict], alignment: Alignment) -> Slip:
    """One slip for all the terms that show it."""
    first, found, plain = alike[0]
    if len(alike) < 2:
        return found
    if found.kind == "term missing":
        names = [verdict.of for verdict, _, _ in alike]
        return Slip(found.kind, f"the terms {few(names)} are missing")
    concerned = [verdict for verdict, _, _ in alike]
    if found.kind == "term extra":
        return Slip(found.kind, f"the terms {few([verdict.written for verdict in concerned])} do not belong")
    where = f"in the terms of {_named(concerned, alignment)}" if len(alike) < len(terms) else "in every term"
    same = all(other == plain for _, _, other in alike)
    example = f"as in that of {first.of}" if alignment.cells else f"as at t = {first.t}"
    return Slip(found.kind, f"{where} {plain}" if same else f"{where}, {example}, {plain}")


def _named(terms: list[TermVerdict], alignment: Alignment) -> str:
    """Which terms: t = 0 and 1; told apart by loss too, ∂E₁/∂w₀ and ∂E₂/∂w₁."""
    if alignment.cells:
        return few(list(dict.fromkeys(term.of for term in terms)))
    return f"t = {_times(terms)}"


def whole_slip(truth: Truth, value: Stack | None, alignment: Alignment, missing: list[Row]) -> Slip | None:
    """A slip that speaks for the whole formula: terms of the sum over time forgotten, or a known fingerprint."""
    if value is None or not np.any(value):
        return None
    only_missing = all(row.fault in ("", "missing") for row in alignment.rows)
    if (missing and only_missing) or any(row.fault in ("open", "extra") for row in alignment.rows):
        for found, print_ in fingerprints(truth):
            if close(value, print_, truth.scale)[1:].all():
                return found
    return None


def _where(part: Part | None, truth: Truth) -> str:
    if part is not None and part.above is not None:
        return f"in the term of {part.of} "
    return f"in the t = {part.t} term " if part is not None and part.t is not None and truth.is_whole else ""


def _term(row: Row, truth: Truth) -> tuple[TermVerdict, Slip | None]:
    part: Part | None = row.part
    name = part.of if part is not None else truth.name
    t = part.t if part is not None else None
    where = _where(part, truth)
    label = where.removeprefix("in ").rstrip() or "the term"
    if row.product is None:
        due = None if row.due is None else row.due[0]
        if row.fault == "path":
            found = slip("path missing", where=where, due=row.through)
        else:
            found = slip("term missing", missing=name)
        outcome: TermOutcome = "missing"
        return TermVerdict(outcome, name, t, "", found.sentence, None, None, due, (), part.place if part else ""), found
    product = row.product
    written = truth.spelling.term(product.term)
    span = product.term.span if product.term.span != (0, 0) else None
    value = None if product.value is None else product.value[0]
    due_value = None if row.due is None else row.due[0]
    place = part.place if part is not None else ""
    named: Named | None = None
    verdict: TermOutcome = "wrong"
    factors = [_right_factor(product, index, truth) for index in range(len(product.term.factors))]
    slip_: Slip | None = None
    if row.fault == "":
        verdict, sentence = "right", f"{label} is right"
    elif row.fault == "twice":
        verdict, slip_ = "extra", slip("use twice", written=written)
        sentence = slip_.sentence
    elif row.fault == "extra":
        verdict, slip_ = "extra", slip("term extra", where=where, written=written)
        sentence = slip_.sentence
    elif row.fault == "edit" and row.edit is not None:
        source: Measured = row.source or product
        named = name_of(row.edit, source, truth, where)
        if row.source is not None:
            factors = [_right_factor(source, index, truth) for index in range(len(source.term.factors))]
        slip_, sentence = named.slip, named.slip.sentence
        factors = _factors(factors, named)
    else:
        sentence = f"{label} is wrong" if value is not None else f"{label} cannot be multiplied"
    if value is None and verdict == "wrong":
        verdict = "shapes"
    return TermVerdict(verdict, name, t, written, sentence, span, value, due_value, tuple(factors), place), slip_


def _factors(factors: list[FactorVerdict], named: Named) -> list[FactorVerdict]:
    """The term's factors with the faulty ones marked, or the missing ones put in."""
    if named.factor is None:
        if not named.due:
            return factors
        more = [FactorVerdict("missing", "", due.text, due.formula, None, due.place) for due in named.missing]
        return [*factors, FactorVerdict("missing", "", named.due, named.formula, None, named.place), *more]
    due = "" if named.outcome == "extra" else named.due
    marked = list(factors)
    for index in (named.factor, *named.factors):
        marked[index] = replace(
            factors[index],
            outcome=named.outcome,
            due=due,
            formula=named.formula,
            place=named.place,
        )
    return marked


def _sentence(
    terms: list[TermVerdict],
    unsaid: list[TermVerdict],
    whole: Slip | None,
    truth: Truth,
    slips: dict[str, Slip],
    alignment: Alignment,
) -> str:
    """One sentence: what is right, then what is not."""
    if whole is not None:
        return f"wrong: {whole.sentence}"
    right = [term for term in terms if term.outcome == "right"]
    wrong = [term for term in terms if term.outcome != "right"]
    said = []
    if right and wrong and truth.is_whole:
        said.append(_right_ones(right, wrong, alignment))
    said += [found.sentence for found in slips.values()][:MAX_SAID]
    unsaid_ones = _open_ones(unsaid, truth)
    said += unsaid_ones[:MAX_SAID]
    more = len(unsaid_ones) - MAX_SAID
    if more > 0:
        said.append(f"and {more} more terms are wrong" if more > 1 else "and one more term is wrong")
    return "wrong: " + "; ".join(said) if said else f"wrong: it is not {truth.name}"


def _open_ones(terms: list[TermVerdict], truth: Truth) -> list[str]:
    """The terms without a reason, those of one contribution together; of a single one what the left side is."""
    together: dict[str, list[TermVerdict]] = {}
    for term in terms:
        together.setdefault(term.of if len(terms) > 1 else "", []).append(term)
    is_what = equality(truth) if terms else truth.name
    if len(terms) == 1 and is_what != truth.name:
        return [f"{terms[0].sentence}: {is_what}"]
    found = []
    alone: dict[str, list[TermVerdict]] = {}
    for of, some in together.items():
        if len(some) > 1 and of:
            found.append(f"{len(some)} terms do not add up to {is_what if of == truth.name else of}")
        else:
            told = some[0].sentence.removeprefix(f"the t = {some[0].t} term ")
            alone.setdefault(told if truth.is_whole else some[0].sentence, []).append(some[0])
    for told, alike in alone.items():
        if len(alike) == 1:
            found.append(alike[0].sentence)
        else:
            many = told.replace("is wrong", "are wrong")
            every = len(alike) == len(terms) == len(truth.parts)
            if "cannot be multiplied" in told and every:
                found.append(told.replace("cannot", "no term can").strip())
            else:
                found.append(
                    f"{'every term' if every else f'the terms of t = {_times(alike)}'} {told if every else many}"
                )
    return found


def _right_ones(right: list[TermVerdict], wrong: list[TermVerdict], alignment: Alignment) -> str:
    """The timesteps, or the contributions, of which every term is right."""
    if alignment.cells:
        faulty_ones = {term.of for term in wrong}
        whole = [term for term in right if term.of not in faulty_ones]
    else:
        faulty = {term.t for term in wrong}
        whole = [term for term in right if term.t is not None and term.t not in faulty]
    if not whole:
        return "the other terms are right"
    if len({term.of if alignment.cells else term.t for term in whole}) == 1:
        return f"the {f'term of {whole[0].of}' if alignment.cells else f't = {whole[0].t} term'} is right"
    return f"the terms of {_named(whole, alignment)} are right"


def _times(terms: list[TermVerdict]) -> str:
    """0, 1 and 3; a long run as 0 … 19."""
    times = sorted({term.t for term in terms if term.t is not None})
    if len(times) < 2:
        return "".join(map(str, times))
    if len(times) > MAX_SAID and times == list(range(times[0], times[-1] + 1)):
        return f"{times[0]} … {times[-1]}"
    return ", ".join(map(str, times[:-1])) + f" and {times[-1]}"
