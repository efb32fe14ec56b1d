"""The shape ledger: every factor of a product with its shape, where it breaks, and the order that fits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bptt_tui.calculus.shapes import shape_text
from bptt_tui.derivation.formulas.tree import Add, Formula, Join, Multiply, Span
from bptt_tui.derivation.judging.edits import Measured
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, Misfit, as_it_fits
from bptt_tui.derivation.judging.grouping import Group
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.terms import Factor, Term
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import Ledger, LedgerLine

MAX_FACTORS = 6


def ledger_of(member: Formula, truth: Truth) -> Ledger | None:
    """The ledger of the product that cannot be multiplied, or whose result has another shape than the left side; of
    the sum whose terms have different shapes."""
    formula, env = member, NOTHING
    try:
        truth.evaluator.value(member)
    except Misfit as misfit:
        if misfit.formula is not None:
            formula, env = misfit.formula, misfit.env
    if isinstance(formula, Add):
        return _of_sum(formula, env, truth)
    if not isinstance(formula, Multiply):
        return None
    factors = tuple(Factor(factor, env) for factor in formula.factors)
    try:
        group = Group(tuple(range(len(factors))), formula.joins)
        product = Measured(Term(1.0, factors, group, formula.span), truth.evaluator)
    except Misfit:
        return None
    if not product.stacks:
        return None
    breaks = _break(product, formula.joins) if product.value is None else -1
    lines = tuple(_line(product, index, truth, breaks) for index in range(len(factors)))
    return Ledger(lines, _advice(product, truth))


def _of_sum(formula: Add, env: Environment, truth: Truth) -> Ledger | None:
    lines: list[LedgerLine] = []
    for term in formula.terms:
        try:
            rows, columns = truth.evaluator.value(term, env).shape[1:]
        except Misfit:
            return None
        first = lines[0].shape if lines else (rows, columns)
        differs = first != (rows, columns)
        remark = f"the first term is {shape_text(first)}" if differs else ""
        lines.append(LedgerLine(truth.spelling.spell(term, env), (rows, columns), _span(term), differs, remark))
    return Ledger(tuple(lines), "the terms of a sum must have one shape")


def _break(product: Measured, joins: tuple[Join, ...]) -> int:
    """The first factor that does not fit the product of those before it."""
    for count in range(2, len(product.stacks) + 1):
        try:
            product.evaluator.product(product.stacks[:count], joins[: count - 1])
        except Misfit:
            return count - 1
    return -1


def _span(formula: Formula) -> Span | None:
    return formula.span if formula.span != (0, 0) else None


def _line(product: Measured, index: int, truth: Truth, breaks: int) -> LedgerLine:
    factor, stack = product.term.factors[index], product.stacks[index]
    rows, columns = stack.shape[1:]
    remark = ""
    if index == breaks:
        before = product.stacks[index - 1].shape[1:]
        remark = f"{before[1]} column{'s' if before[1] > 1 else ''} before it, {rows} row{'s' if rows > 1 else ''} here"
    return LedgerLine(truth.spelling.factor(factor), (rows, columns), _span(factor.formula), index == breaks, remark)


def _advice(product: Measured, truth: Truth) -> str:
    """The order and the transposes that give the left side; failing that, its shape."""
    due = truth.value
    dues = [due, *(part.value for part in truth.parts)]
    fitting = ""
    for factors, stacks in _arrangements(product):
        group = Group(tuple(range(len(stacks))), as_it_fits(len(stacks) - 1))
        value = product.tried(stacks, group)
        fitted = None if value is None else truth.matched(value)
        if fitted is None:
            continue
        text = truth.spelling.term(Term(product.term.sign, factors, group, (0, 0)))
        if any(bool(close(fitted, right)[1:].all()) for right in dues):
            shapes = " · ".join(shape_text(stack.shape[1:]) for stack in stacks)
            return f"{text} is right: {shapes} gives {shape_text(due.shape[1:])}, the shape of {truth.name}"
        fitting = fitting or text
    return f"{fitting} would have the shape of {truth.name}, {shape_text(due.shape[1:])}" if fitting else ""


def _arrangements(product: Measured) -> Iterator[tuple[tuple[Factor, ...], list[Stack]]]:
    """The factors in other orders and transposed, few changes first."""
    factors, stacks = product.term.factors, product.stacks
    count = len(factors)
    if count > MAX_FACTORS:
        return
    wide = [i for i in range(count) if stacks[i].shape[1:] != (1, 1)]
    for turned in sorted(itertools.product((False, True), repeat=len(wide)), key=sum):
        flips = dict(zip(wide, turned, strict=True))
        for order in sorted(itertools.permutations(range(count)), key=_disorder):
            yield (
                tuple(
                    Factor(f.formula, f.env, f.transposed != flips.get(i, False), f.inverted)
                    for i in order
                    for f in (factors[i],)
                ),
                [stacks[i].transpose(0, 2, 1) if flips.get(i) else stacks[i] for i in order],
            )


def _disorder(order: tuple[int, ...]) -> int:
    return sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
