"""Which use of a parameter, or which loss, a term speaks of."""

from __future__ import annotations

import numpy as np

from bptt_tui.derivation.formulas.parts import children
from bptt_tui.derivation.formulas.tree import Partial, Value
from bptt_tui.derivation.judging.edits import Measured, moments_of
from bptt_tui.derivation.judging.evaluation import moment
from bptt_tui.derivation.judging.samples import Edge, Stack
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Part, Truth


def use_of(product: Measured, truth: Truth) -> int | None:
    """The timestep of the use that a term names, else its earliest step on the chain; None where nothing tells."""
    assert truth.below is not None
    evaluator = product.evaluator
    # Timesteps of partials, of what is made of values (1 − s₀²), and of plain values, which may be of the step before.
    earliest: list[int] = []
    composite: list[int] = []
    loose: list[int] = []
    for factor in product.term.factors:
        formula = factor.formula
        if isinstance(formula, Partial):
            name, t = evaluator.key(formula.below, factor.env)
            _, top = evaluator.key(formula.above, factor.env)
            if name == truth.below[0] and t is not None:
                return t
            if name == truth.below[0]:
                return top if evaluator.reading.mode(formula) != "total" else _voted(product, truth)
            if t is not None and name != truth.samples.network.loss_name:
                earliest.append(max(t, 0))
        elif children(formula):
            # Of tanh′(u x_t + w s_{t−1}) the later one: a step reads what is before it.
            composite += [max(0, *moments_of(factor))] if moments_of(factor) else []
        elif isinstance(formula, Value) and formula.t is not None:
            name, t = evaluator.key(formula, factor.env)
            # What a parameter is named with is the timestep of its own edge.
            if name not in truth.samples.unrolled.values.parameters and t is not None:
                loose.append(t)
    if earliest:
        return min(earliest + composite)
    voted = [] if (found := _voted(product, truth)) is None else [found]
    if composite or voted:
        return min(composite + voted)
    if loose:
        return max(min(loose), 0)
    within = {t for factor in product.term.factors for t in factor.env.values()}
    return within.pop() if len(within) == 1 else None


def cell_of(product: Measured, truth: Truth) -> tuple[int, int] | None:
    """The timesteps of the loss and of the use that a term names; None where it does not name both."""
    losses: set[int] = set()
    others: set[int] = set()
    for factor in product.term.factors:
        formula, env = factor.formula, factor.env
        if isinstance(formula, Partial) and formula.above.name == truth.samples.network.loss_name and formula.above.t:
            losses.add(moment(formula.above.t, env))
            others |= {t for variable, t in env.items() if variable != formula.above.t.variable}
    use = use_of(product, truth)
    if len(losses) != 1 or use is None:
        return None
    (t,) = losses
    # What is of the loss's own timestep may be a wrong index, beside the letter of an inner sum.
    return t, others.pop() if use == t and len(others) == 1 else use


def _voted(product: Measured, truth: Truth) -> int | None:
    """The use whose local partial stands in the term by its value."""
    found: set[int] = set()
    by_size: dict[int, list[Stack]] = {}
    for stack in product.stacks:
        by_size.setdefault(stack[0].size, []).append(stack)
    # At the last draw, flat: what cannot be equal is told at a glance.
    lasts = {size: np.array([stack[-1].reshape(-1) for stack in stacks]) for size, stacks in by_size.items()}
    for part in truth.parts:
        for edge in _use_edges(part, truth):
            local = truth.samples.jacobian(edge)
            size = local[0].size
            if size not in by_size:
                continue
            last = local[-1].reshape(-1)
            near = np.abs(lasts[size] - last).max(axis=1) <= 1e-5 * np.abs(last).max()
            alike = (by_size[size][place].reshape(local.shape) for place in np.flatnonzero(near).tolist())
            if any(close(stack, local)[1:].all() for stack in alike):
                found.add(edge[1])
    return found.pop() if len(found) == 1 else None


def _use_edges(part: Part, truth: Truth) -> list[Edge]:
    """The edges that read a contribution's use."""
    if part.below is None or part.t is None:
        return []
    samples = truth.samples
    return [
        (equation, part.t, by)
        for equation, reads in enumerate(samples.network.reads)
        for by in reads
        if by.name == part.below[0] and samples.unrolled.times[equation].row(part.t) is not None
    ]


def loss_of(product: Measured, truth: Truth) -> int | None:
    """The loss step of a term that takes ∂E_t/∂(all that the left side is by) in one."""
    evaluator = product.evaluator
    for factor in product.term.factors:
        if isinstance(factor.formula, Partial):
            name, t = evaluator.key(factor.formula.above, factor.env)
            below = evaluator.key(factor.formula.below, factor.env)
            if name == truth.samples.network.loss_name and below == truth.below:
                return t
    return None
