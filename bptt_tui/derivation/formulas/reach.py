"""How far a Π reaches, where no bracket says it.

In ∂E/∂s₂ · Π_{j=k+1}^{2} ∂s_j/∂s_{j−1} · ∂s_k/∂w the last factor stands behind the product, not in it: it is at
another timestep. In Π_j diag(1 − s_j²) · W the W is in it. For a Σ it makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import children, rebuilt, walk
from bptt_tui.derivation.formulas.tree import Formula, Multiply, Product, Time, Value


def reach(body: Formula, variables: tuple[str, ...]) -> int:
    """How many factors of what follows a Π over `variables` are in it: those before the first that is at a timestep,
    but no more at one of theirs."""
    factors = factors_of(body)
    least = _least(factors, variables)
    behind = [place for place in range(least, len(factors)) if _letters(factors[place])]
    return behind[0] if least and behind else len(factors)


def _least(factors: tuple[Formula, ...], variables: tuple[str, ...]) -> int:
    """Up to and with the last factor that has one of the variables, which mean nothing behind the Π; 0: none has."""
    own = [place for place, factor in enumerate(factors) if not _letters(factor).isdisjoint(variables)]
    return own[-1] + 1 if own else 0


def _letters(factor: Formula) -> set[str]:
    """The variables of its timesteps; "" for one that is a number."""
    return {part.t.variable for part in walk(factor) if isinstance(part, Value | Time) and part.t is not None}


def factors_of(formula: Formula) -> tuple[Formula, ...]:
    """The factors of a product, or the formula alone."""
    return formula.factors if isinstance(formula, Multiply) else (formula,)


def parted(body: Formula, count: int) -> tuple[Formula, tuple[Formula, ...]]:
    """The first factors as the body of a Π, and those behind it."""
    if not isinstance(body, Multiply) or count >= len(body.factors):
        return body, ()
    inside, behind = body.factors[:count], body.factors[count:]
    if count == 1:
        return inside[0], behind
    span = inside[0].span[0], inside[-1].span[1]
    return Multiply(factors=inside, joins=body.joins[: count - 1], span=span), behind


def other_reaches(formula: Formula, text: str) -> Iterator[tuple[Formula, Product]]:
    """The formula with a Π, one at a time, that reaches less far or farther than it was read to, as far as the text
    leaves it open; and that Π."""
    if isinstance(formula, Product):
        yield from _respread(Multiply(factors=(formula,), joins=(), span=formula.span), text)
    if isinstance(formula, Multiply):
        yield from _respread(formula, text)
    for part in children(formula):
        if isinstance(formula, Multiply) and isinstance(part, Product):
            continue  # what is behind it counts too: done above
        for other, product in other_reaches(part, text):
            yield _with(formula, part, other), product


def _with(formula: Formula, part: Formula, other: Formula) -> Formula:
    return rebuilt(formula, lambda own: other if own is part else own)


def _respread(multiply: Multiply, text: str) -> Iterator[tuple[Formula, Product]]:
    """A product with another reach of each Π among its factors."""
    for place, product in enumerate(multiply.factors):
        if not isinstance(product, Product):
            continue
        own, rest = factors_of(product.body), multiply.factors[place + 1 :]
        inside = product.body.joins if isinstance(product.body, Multiply) else ()
        row = Multiply(factors=(*own, *rest), joins=(*inside, *multiply.joins[place:]))
        if len({join == "elementwise" for join in row.joins}) > 1:
            continue
        bracketed = text[product.span[0] : product.body.span[0]].rstrip().endswith(("(", "["))
        least = len(own) if bracketed else max(_least(own, (product.variable,)), 1)
        closed = rest and any(bracket in text[product.span[1] : rest[0].span[0]] for bracket in ")]")
        most = len(own) if closed else len(row.factors)
        for count in range(least, most + 1):
            if count != len(own):
                body, behind = parted(row, count)
                spread = replace(product, body=body, span=(product.span[0], body.span[1]))
                factors = (*multiply.factors[:place], spread, *behind)
                joins = (*multiply.joins[:place], *row.joins[count - 1 :])
                whole = Multiply(factors=factors, joins=joins, span=multiply.span)
                yield (whole if len(factors) > 1 else spread), spread
