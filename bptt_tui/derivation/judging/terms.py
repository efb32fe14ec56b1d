"""A formula written out as a sum of products: its terms, and the factors of each in the order written.

Sums over time are unrolled, products multiplied out over sums. A sum that is one thing stays one factor: 1 − s₁² is a
slope and o − y a gradient, not two terms each.
"""

from __future__ import annotations

from msgspec import Struct

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
    Product,
    Span,
    Sum,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, Evaluator, as_it_fits, children
from bptt_tui.derivation.judging.samples import Stack

MAX_TERMS = 2_000


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
    """±1 times a product."""

    sign: float
    factors: tuple[Factor, ...]
    joins: tuple[Join, ...]
    span: Span

    def value(self, evaluator: Evaluator) -> Stack:
        """The term's value; raises Misfit."""
        return self.sign * evaluator.product([factor.value(evaluator) for factor in self.factors], self.joins)


class TooMany(Exception):
    """More terms than anybody reads."""


def expand(formula: Formula, evaluator: Evaluator) -> list[Term]:
    """The terms of a formula. Raises TooMany."""
    return _expand(formula, evaluator, NOTHING)


def _expand(formula: Formula, evaluator: Evaluator, env: Environment) -> list[Term]:
    found: list[Term]
    match formula:
        case Add(terms=terms):
            found = [inner for term in terms for inner in _expand(term, evaluator, env)]
        case Sum(body=body):
            found = [term for inner in evaluator.steps(formula, env) for term in _expand(body, evaluator, inner)]
        case Product(body=body):
            found = _repeated(formula, body, evaluator, env)
        case Negate(operand=operand):
            found = [_negated(term) for term in _expand(operand, evaluator, env)]
        case Multiply():
            found = _multiplied(formula, evaluator, env)
        case Divide(top=top, bottom=bottom) if not _is_sum(bottom):
            below = [Factor(part, env, inverted=True) for part in _flat(bottom)]
            found = [
                Term(t.sign, (*t.factors, *below), (*t.joins, *as_it_fits(len(below))), t.span)
                for t in _expand(top, evaluator, env)
            ]
        case Transpose(operand=operand):
            found = [_transposed(term) for term in _expand(operand, evaluator, env)]
        case _:
            found = [Term(1.0, (Factor(formula, env),), (), formula.span)]
    if len(found) > MAX_TERMS:
        raise TooMany
    return found


def _negated(term: Term) -> Term:
    return Term(-term.sign, term.factors, term.joins, term.span)


def _transposed(term: Term) -> Term:
    turned = tuple(Factor(f.formula, f.env, not f.transposed, f.inverted) for f in reversed(term.factors))
    return Term(term.sign, turned, tuple(reversed(term.joins)), term.span)


def _repeated(formula: Product, body: Formula, evaluator: Evaluator, env: Environment) -> list[Term]:
    """Π with the latest timestep leftmost, as the factors of one term."""
    inside = [_expand(body, evaluator, inner) for inner in reversed(list(evaluator.steps(formula, env)))]
    if any(len(terms) != 1 for terms in inside):
        return [Term(1.0, (Factor(formula, env),), (), formula.span)]
    if not inside:
        return [Term(1.0, (Factor(Number(value=1.0, span=formula.span)),), (), formula.span)]
    found = inside[0][0]
    for (term,) in inside[1:]:
        found = Term(
            found.sign * term.sign,
            (*found.factors, *term.factors),
            (*found.joins, "as it fits", *term.joins),
            formula.span,
        )
    return [found]


def _multiplied(formula: Multiply, evaluator: Evaluator, env: Environment) -> list[Term]:
    found = [Term(1.0, (), (), formula.span)]
    for place, factor in enumerate(formula.factors):
        join: tuple[Join, ...] = (formula.joins[place - 1],) if place else ()
        inside = (
            _expand(factor, evaluator, env) if _opens(factor) else [Term(1.0, (Factor(factor, env),), (), factor.span)]
        )
        found = [
            Term(
                a.sign * b.sign,
                (*a.factors, *b.factors),
                (*a.joins, *join, *b.joins),
                # In a bracket multiplied out, its own part is what tells a term from its neighbours.
                formula.span if len(inside) == 1 and len(found) == 1 else a.span if len(inside) == 1 else b.span,
            )
            for a in found
            for b in inside
        ]
        if len(found) > MAX_TERMS:
            raise TooMany
    return [_with_slopes(term) for term in found]


def _with_slopes(term: Term) -> Term:
    """s·(1 − s) is one factor, the slope of sigmoid."""
    factors, joins = list(term.factors), list(term.joins)
    place = 0
    while place + 1 < len(factors):
        first, second = factors[place : place + 2]
        if _bell(first, second) or _bell(second, first):
            pair = Multiply(
                factors=(first.formula, second.formula),
                joins=(joins[place],),
                span=(
                    min(first.formula.span[0], second.formula.span[0]),
                    max(first.formula.span[1], second.formula.span[1]),
                ),
            )
            factors[place : place + 2] = [Factor(pair, first.env)]
            del joins[place]
        place += 1
    return Term(term.sign, tuple(factors), tuple(joins), term.span)


def _bell(first: Factor, second: Factor) -> bool:
    if first.transposed or second.transposed or first.inverted or second.inverted or first.env != second.env:
        return False
    match first.formula, second.formula:
        case Value(name=name, t=t), Add(terms=(Number(value=1.0), Negate(operand=Value(name=other, t=when)))):
            return (name, t) == (other, when)
    return False


def _opens(factor: Formula) -> bool:
    """Whether a factor is written out: a product, or a sum of several things."""
    match factor:
        case Add():
            return not is_one_thing(factor)
        case Negate(operand=operand) | Transpose(operand=operand):
            return _opens(operand) or isinstance(factor, Negate)
        case Multiply() | Sum() | Product():
            return True
        case Divide(bottom=bottom):
            return not _is_sum(bottom)
    return False


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

    names = [_names(term) for term in formula.terms]
    if not all(plain(term) for term in formula.terms) or len(moments) > 1:
        return False
    has_number = any(_is_number(term) for term in formula.terms)
    return has_number or _is_difference(formula) or any(a & b for i, a in enumerate(names) for b in names[i + 1 :])


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
