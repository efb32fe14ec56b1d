"""A formula written out as a sum of products: its terms, and the factors of each in the order written.

Sums over time are unrolled, products multiplied out over sums. A sum that is one thing stays one factor: 1 − s₁² is a
slope and o − y a gradient, not two terms each.
"""

from __future__ import annotations

import functools
import itertools

from msgspec import Struct

from bptt_tui.derivation.formulas.parts import children
from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Formula,
    Join,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Span,
    Sum,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, Evaluator, Misfit
from bptt_tui.derivation.judging.grouping import Group, joined, raised, turned, value_of, without
from bptt_tui.derivation.judging.reading import turned_first
from bptt_tui.derivation.judging.samples import Stack

MAX_TERMS = 1_000


class Factor(Struct, frozen=True):
    """One factor: a part of the formula with its timesteps put in, possibly transposed or in the denominator."""

    formula: Formula
    env: Environment = NOTHING
    transposed: bool = False
    inverted: bool = False

    def value(self, evaluator: Evaluator) -> Stack:
        """Its value at every draw; raises Misfit."""
        value = evaluator.value(self.formula, self.env)
        if self.transposed:
            value = value.transpose(0, 2, 1)
        return 1.0 / value if self.inverted else value


class Term(Struct, frozen=True):
    """±1 times a product: its factors from the left, and how they are bracketed."""

    sign: float
    factors: tuple[Factor, ...]
    group: Group
    span: Span

    def value(self, evaluator: Evaluator) -> Stack:
        """The term's value; raises Misfit."""
        return self.sign * value_of(self.group, self.stacks(evaluator), evaluator)

    def stacks(self, evaluator: Evaluator) -> list[Stack]:
        """The factors' values; raises Misfit where one cannot be computed itself."""
        stacks = [factor.value(evaluator) for factor in self.factors]
        if evaluator.reading.manner == "turning":
            return turned_first([(factor.formula, factor.transposed) for factor in self.factors], stacks)
        return stacks


def single(factor: Factor, span: Span) -> Term:
    """A term of one factor."""
    return Term(1.0, (factor,), Group((0,)), span)


class TooMany(Exception):
    """More terms than anybody reads."""


def expand(formula: Formula, evaluator: Evaluator) -> list[Term]:
    """The terms of a formula. Raises TooMany."""
    return _expand(formula, evaluator, NOTHING)


def _expand(formula: Formula, evaluator: Evaluator, env: Environment) -> list[Term]:
    found: list[Term]
    match formula:
        case Add(terms=terms) if not is_one_thing(formula):
            found = [inner for term in terms for inner in _expand(term, evaluator, env)]
        case Sum(body=body):
            found = [term for inner in evaluator.steps(formula, env) for term in _expand(body, evaluator, inner)]
        case Product(body=body):
            found = _repeated(formula, body, evaluator, env)
        case Power(by="matrix"):
            found = _raised(formula, evaluator, env)
        case Negate(operand=operand):
            found = [_negated(term) for term in _expand(operand, evaluator, env)]
        case Multiply():
            found = _multiplied(formula, evaluator, env)
        case Divide(top=top, bottom=bottom) if _opens(formula):
            below = [single(Factor(part, env, inverted=True), part.span) for part in _flat(bottom)]
            found = [
                functools.reduce(lambda a, b: _times(a, "as it fits", b, a.span), below, term)
                for term in _expand(top, evaluator, env)
            ]
        case Call(function="outer", arguments=(a, b)) if (pair := _columns(a, b, evaluator, env)) is not None:
            found = [
                _times(one, "matrix", _transposed(other), formula.span)
                for one in _as_columns(a, evaluator, env, row=pair[0])
                for other in _as_columns(b, evaluator, env, row=pair[1])
            ]
        case Transpose(operand=operand):
            found = [_transposed(term) for term in _expand(operand, evaluator, env)]
        case _:
            found = [single(Factor(formula, env), formula.span)]
    if len(found) > MAX_TERMS:
        raise TooMany
    return found


def _columns(a: Formula, b: Formula, evaluator: Evaluator, env: Environment) -> tuple[bool, bool] | None:
    """Which of two vectors is a row; None where one is a matrix. What cannot be multiplied is taken for a column."""
    rows = []
    for formula in (a, b):
        try:
            shape = evaluator.value(formula, env).shape[1:]
        except Misfit:
            shape = (2, 1)
        if 1 not in shape:
            return None
        rows.append(shape[0] == 1 and shape[1] > 1)
    return rows[0], rows[1]


def _as_columns(formula: Formula, evaluator: Evaluator, env: Environment, *, row: bool) -> list[Term]:
    terms = _expand(formula, evaluator, env)
    return [_transposed(term) for term in terms] if row else terms


def _times(a: Term, join: Join, b: Term, span: Span) -> Term:
    return Term(a.sign * b.sign, (*a.factors, *b.factors), joined(a.group, join, raised(b.group, len(a.factors))), span)


def _negated(term: Term) -> Term:
    return Term(-term.sign, term.factors, term.group, term.span)


def _transposed(term: Term) -> Term:
    factors = tuple(Factor(f.formula, f.env, not f.transposed, f.inverted) for f in term.factors)
    return Term(term.sign, factors, turned(term.group), term.span)


def _repeated(formula: Product, body: Formula, evaluator: Evaluator, env: Environment) -> list[Term]:
    """Π written out, as the factors of one term."""
    inside = [_expand(body, evaluator, inner) for inner in evaluator.repetitions(formula, env)]
    if any(len(terms) != 1 for terms in inside):
        return [single(Factor(formula, env), formula.span)]
    if not inside:
        return [single(Factor(Number(value=1.0, span=formula.span)), formula.span)]
    terms = [term for (term,) in inside]
    return [functools.reduce(lambda a, b: _times(a, "as it fits", b, formula.span), terms)]


def _raised(formula: Power, evaluator: Evaluator, env: Environment) -> list[Term]:
    """W³ as W·W·W."""
    base, exponent = evaluator.value(formula.base, env), evaluator.value(formula.exponent, env)
    count = evaluator.times_itself(formula, base, exponent)
    terms = _expand(formula.base, evaluator, env) if count else []
    if len(terms) != 1 or not count or count > MAX_TERMS:
        return [single(Factor(formula, env), formula.span)]
    return [functools.reduce(lambda a, b: _times(a, "matrix", b, formula.span), terms * count)]


def _multiplied(formula: Multiply, evaluator: Evaluator, env: Environment) -> list[Term]:
    found: list[Term] = []
    for place, factor in enumerate(formula.factors):
        inside = _expand(factor, evaluator, env) if _opens(factor) else [single(Factor(factor, env), factor.span)]
        if not place:
            # In a bracket multiplied out, its own part is what tells a term from its neighbours.
            found = inside if len(inside) > 1 else [Term(t.sign, t.factors, t.group, formula.span) for t in inside]
            continue
        join = formula.joins[place - 1]
        found = [_times(a, join, b, b.span if len(inside) > 1 else a.span) for a in found for b in inside]
        if len(found) > MAX_TERMS:
            raise TooMany
    return [_with_slopes(term) for term in found]


def _with_slopes(term: Term) -> Term:
    """s·(1 − s) is one factor, the slope of sigmoid."""
    for place, (first, second) in enumerate(itertools.pairwise(term.factors)):
        if not (_bell(first, second) or _bell(second, first)) or not _neighbours(term.group, place):
            continue
        spans = (first.formula.span, second.formula.span)
        span = min(start for start, _ in spans), max(end for _, end in spans)
        pair = Multiply(factors=(first.formula, second.formula), joins=(_join_after(term.group, place),), span=span)
        factors = (*term.factors[:place], Factor(pair, first.env), *term.factors[place + 2 :])
        shorter = without(term.group, place + 1)
        assert shorter is not None
        return _with_slopes(Term(term.sign, factors, _closed(shorter, place + 1), term.span))
    return term


def _closed(group: Group, gap: int) -> Group:
    """The numbers after a gap moved down."""
    items = tuple((i - (i > gap) if isinstance(i, int) else _closed(i, gap)) for i in group.items)
    return Group(items, group.joins)


def _neighbours(group: Group, leaf: int) -> bool:
    """Whether factors `leaf` and `leaf + 1` stand side by side in one group."""
    if any((a, b) == (leaf, leaf + 1) for a, b in itertools.pairwise(group.items)):
        return True
    return any(_neighbours(item, leaf) for item in group.items if not isinstance(item, int))


def _join_after(group: Group, leaf: int) -> Join:
    for place, item in enumerate(group.items):
        if item == leaf:
            return group.joins[place]
    return "elementwise" if group.by_entries else "as it fits"


def _bell(first: Factor, second: Factor) -> bool:
    if first.transposed or second.transposed or first.inverted or second.inverted or first.env != second.env:
        return False
    match first.formula, second.formula:
        case Value(name=name, t=t), Add(terms=(Number(value=1.0), Negate(operand=Value(name=other, t=when)))):
            return (name, t) == (other, when)
    return False


def _opens(factor: Formula) -> bool:
    """Whether a factor of a product is written out: a product, or a sum of several things; not −y/o or o − y."""
    match factor:
        case Add():
            return not is_one_thing(factor)
        case Negate(operand=operand):
            return _opens(operand)
        case Transpose(operand=operand):
            return isinstance(operand, Value | Partial) or _opens(operand)
        case Multiply() | Sum() | Product() | Call(function="outer") | Power(by="matrix"):
            return True
        case Divide(top=top, bottom=bottom):
            return not _is_sum(bottom) and (_opens(top) or _has_partial(factor))
    return False


def _has_partial(formula: Formula) -> bool:
    return isinstance(formula, Partial) or any(map(_has_partial, children(formula)))


def _is_sum(formula: Formula) -> bool:
    return isinstance(formula, Add | Sum)


def _flat(formula: Formula) -> tuple[Formula, ...]:
    if isinstance(formula, Multiply) and all(join == "as it fits" for join in formula.joins):
        return tuple(part for factor in formula.factors for part in _flat(factor))
    return (formula,)


def is_one_thing(formula: Add) -> bool:
    """Whether a sum is one factor: its terms are made of numbers, and of values of one timestep, without partials."""
    moments: set[tuple[str, int]] = set()

    def plain(part: Formula) -> bool:
        if isinstance(part, Partial | Sum):
            return False
        if isinstance(part, Value):
            if part.t is not None:
                moments.add((part.t.variable, part.t.offset))
            return True
        return all(plain(child) for child in children(part))

    if any(_count(term) > 2 for term in formula.terms):
        return False
    names = [_names(term) for term in formula.terms]
    if not all(plain(term) for term in formula.terms) or len(moments) > 1:
        return False
    has_number = any(_is_number(term) for term in formula.terms)
    return has_number or _is_difference(formula) or any(a & b for i, a in enumerate(names) for b in names[i + 1 :])


def _count(formula: Formula) -> int:
    """How many values a part is made of."""
    return 1 if isinstance(formula, Value) else sum(map(_count, children(formula)))


def _names(formula: Formula) -> set[str]:
    if isinstance(formula, Value):
        return {formula.name}
    return set().union(*(_names(child) for child in children(formula))) if children(formula) else set()


def _is_number(formula: Formula) -> bool:
    match formula:
        case Negate(operand=operand):
            return _is_number(operand)
        case Number():
            return True
    return isinstance(formula, Call) and formula.function in ("ones", "eye")


def _is_difference(formula: Add) -> bool:
    """o − y."""
    return len(formula.terms) == 2 and isinstance(formula.terms[1], Negate)
