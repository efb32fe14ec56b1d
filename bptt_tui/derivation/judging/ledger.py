"""The shape ledger: every factor of a product with its shape, where it breaks, and the order that fits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bptt_tui.derivation.formulas.tree import Formula, Multiply
from bptt_tui.derivation.judging.evaluation import Environment, Misfit, as_it_fits, shown
from bptt_tui.derivation.judging.grouping import Group
from bptt_tui.derivation.judging.repair import Measured, close
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.terms import Factor, Term
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import Ledger, LedgerLine

MAX_FACTORS = 6


def ledger_of(member: Formula, truth: Truth, misfit: Misfit | None) -> Ledger | None:
    """The ledger of the product that cannot be multiplied, or whose result has another shape than the left side."""
    formula: Formula | None = member
    env: Environment = {}
    if misfit is not None and misfit.formula is not None:
        formula, env = misfit.formula, misfit.env
    if not isinstance(formula, Multiply):
        return None
    factors = tuple(Factor(factor, env) for factor in formula.factors)
    try:
        group = Group(tuple(range(len(factors))), formula.joins)
        product = Measured(Term(1.0, factors, group, formula.span), truth.evaluator)
    except Misfit:
        return None
    breaks = misfit.index if misfit is not None and misfit.formula is formula else -1
    lines = tuple(_line(product, index, truth, breaks) for index in range(len(factors)))
    return Ledger(lines, _advice(product, truth, whole=formula is member))


def _line(product: Measured, index: int, truth: Truth, breaks: int) -> LedgerLine:
    factor, stack = product.term.factors[index], product.stacks[index]
    rows, columns = stack.shape[1:]
    remark = ""
    if index == breaks:
        before = product.stacks[index - 1].shape[1:]
        remark = f"{before[1]} columns on its left meet its {rows} rows"
    span = factor.formula.span if factor.formula.span != (0, 0) else None
    return LedgerLine(truth.spelling.factor(factor), (rows, columns), span, index == breaks, remark)


def _advice(product: Measured, truth: Truth, *, whole: bool) -> str:
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
            shapes = " · ".join(shown(stack.shape[1:]) for stack in stacks)
            return f"{text} is right: {shapes} gives {shown(due.shape[1:])}, the shape of {truth.name}"
        fitting = fitting or text
    return f"{fitting} would have the shape of {truth.name}, {shown(due.shape[1:])}" if fitting else ""


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
