"""A wrong factor outside a bracket: one mistake, in all the terms that the bracket is written out to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from msgspec import Struct

from bptt_tui.derivation.formulas.tree import Add, Formula, Multiply, Negate, Span, Sum
from bptt_tui.derivation.judging.edits import Edit, Measured
from bptt_tui.derivation.judging.evaluation import Evaluator
from bptt_tui.derivation.judging.grouping import Group
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.terms import Factor, Term
from bptt_tui.derivation.judging.truth import Part, Truth

# Longer sums have been searched term by term.
MAX_ADDENDS = 40
# How a change of a product is looked for: the product, what it should be, and of which contribution.
Look = Callable[[Measured, Stack, Part], Edit | None]


class Shared(Struct, frozen=True):
    """A change of a factor outside a bracket, which concerns all the terms that the bracket is written out to."""

    product: Measured
    edit: Edit
    span: Span

    def concerns(self, span: Span) -> bool:
        """Whether a term that stands there is one of them."""
        return self.span == (0, 0) or (span[0] < self.span[1] and span[1] > self.span[0])


def shared_change(member: Formula, truth: Truth, search: Look) -> Shared | None:
    """A change of a factor that several terms share: the products of the member are taken with their brackets closed,
    one at a time, the others being left as they are."""
    addends = list(itertools.islice(_addends(member, 1.0), MAX_ADDENDS + 1))
    if len(addends) > MAX_ADDENDS:
        return None
    closed = [_closed(formula, sign, truth.evaluator) for sign, formula in addends]
    values = [None if product.value is None else truth.matched(product.value) for product in closed]
    whole = Part(truth.name, None, truth.value, truth.parts[0].below)
    for place, ((_, formula), product) in enumerate(zip(addends, closed, strict=True)):
        if not isinstance(formula, Multiply):
            continue
        rest = [value for other, value in enumerate(values) if other != place]
        if any(value is None for value in rest):
            continue
        due = truth.value - sum(value for value in rest if value is not None)
        edit = search(product, due, whole)
        if edit is not None and not _inside(edit, formula):
            return Shared(product, edit, formula.span if len(addends) > 1 else (0, 0))
    return None


def _addends(member: Formula, sign: float) -> Iterator[tuple[float, Formula]]:
    """The terms of a sum as they stand."""
    if isinstance(member, Negate):
        yield from _addends(member.operand, -sign)
    elif isinstance(member, Add):
        for term in member.terms:
            yield from _addends(term, sign)
    else:
        yield sign, member


def _closed(formula: Formula, sign: float, evaluator: Evaluator) -> Measured:
    """A product with its brackets closed, each one factor."""
    if not isinstance(formula, Multiply):
        return Measured(Term(sign, (Factor(formula),), Group((0,)), formula.span), evaluator)
    factors = tuple(Factor(factor) for factor in formula.factors)
    return Measured(Term(sign, factors, Group(tuple(range(len(factors))), formula.joins), formula.span), evaluator)


def _inside(edit: Edit, formula: Multiply) -> bool:
    """Whether a change is of a bracket, and so of what is in it."""
    if edit.change in ("missing", "missing two", "sign", "scale"):
        return False
    return isinstance(formula.factors[min(edit.index, len(formula.factors) - 1)], Add | Sum)
