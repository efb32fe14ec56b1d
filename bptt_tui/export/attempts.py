"""The section on the attempts: every formula the learner had judged, its verdict, and why."""

from __future__ import annotations

from collections.abc import Iterator

from bptt_tui.derivation.formulas.writing import write_statement
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.lines import MAX_ENTRIES
from bptt_tui.derivation.judging.slips import SLIPS
from bptt_tui.derivation.judging.telling import GLYPHS, amiss, entry_sentence, factor_sentence, number, reason, summary
from bptt_tui.derivation.judging.verdict import Ledger, MemberVerdict, TermVerdict, Verdict
from bptt_tui.errors import FormulaError
from bptt_tui.export.document import (
    Block,
    Cell,
    Code,
    Display,
    Heading,
    Items,
    Paragraph,
    Runs,
    Strong,
    Table,
    Verbatim,
    cell,
)
from bptt_tui.export.scene import Scene


def attempts_section(scene: Scene) -> Iterator[Block]:
    """One part for every attempt; nothing where there is none."""
    attempts = scene.session.debugger.attempts
    if not attempts:
        return
    yield Heading(1, ("Attempts",))
    for count, attempt in enumerate(attempts, 1):
        yield Heading(2, (f"Attempt {count}",))
        try:
            verdict = judge(scene.session, attempt.formula)
        except FormulaError as error:
            yield Verbatim(error.caret())
            yield Paragraph((Strong("not readable:"), f" {error}"))
            continue
        yield from _attempt(scene, verdict)


def _attempt(scene: Scene, verdict: Verdict) -> Iterator[Block]:
    yield Paragraph(("As it was written: ", Code(" ".join(verdict.statement.text.split()))))
    yield Display(((write_statement(verdict.statement, scene.session, "latex"),),))
    yield Paragraph((Strong(summary(verdict)),))
    several = len(verdict.members) > 1
    for count, member in enumerate(verdict.members, 1):
        if several:
            heading = f"Member {count} of {len(verdict.members)}:"
            yield Paragraph((Strong(heading), f" {GLYPHS[member.outcome]} {reason(member.sentence)}"))
        yield from _member(verdict.left, member)


def _member(left: str, member: MemberVerdict) -> Iterator[Block]:
    remarks: list[Runs] = [(f"Read with {reading}.",) for reading in member.readings]
    if member.why:
        remarks.append((f"Because {member.why}.",))
    for slip in member.slips:
        remarks.append((Strong("slip:"), f" {SLIPS[slip.kind].title if slip.kind in SLIPS else slip.sentence}"))
    if remarks:
        yield Items(tuple(remarks))
    if member.terms:
        yield _terms(left, member)
        amended = tuple((f"{term.of}: {factor_sentence(factor)}",) for term in member.terms for factor in amiss(term))
        if amended:
            yield Items(amended)
    elif member.value is not None or member.due is not None:
        yield Paragraph((f"{left} is {number(member.due)}, the formula gives {number(member.value)}.",))
        if any(entry.index for entry in member.entries):
            yield Items(tuple((f"{entry_sentence(entry)}.",) for entry in member.entries[:MAX_ENTRIES]))
    if member.ledger is not None:
        yield from _ledger(member.ledger)


def _terms(left: str, member: MemberVerdict) -> Block:
    """The terms beside the contributions they stand for, and both sums."""
    rows = [_term(term) for term in member.terms]
    if len(rows) > 1:
        rows.append((cell("Σ"), cell(left), cell(number(member.due)), cell(number(member.value)), cell("")))
    heads: tuple[Runs, ...] = ((), ("contribution",), ("true",), ("written",), ("term",))
    return Table(heads, tuple(rows), right=frozenset({2, 3}))


def _term(term: TermVerdict) -> tuple[Cell, ...]:
    return (
        cell(GLYPHS[term.outcome]),
        cell(term.of),
        cell(number(term.due)),
        cell(number(term.value)),
        cell(term.written or "–"),
    )


def _ledger(ledger: Ledger) -> Iterator[Block]:
    """Every factor's shape, and the order that would fit."""
    rows = tuple(
        (
            cell(line.written),
            cell(f"{line.shape[0]}×{line.shape[1]}"),
            cell(line.remark or ("does not fit" if line.breaks else "")),
        )
        for line in ledger.lines
    )
    yield Table((("factor",), ("shape",), ()), rows)
    if ledger.advice:
        yield Paragraph((ledger.advice,))
