"""A formula as it may be meant: partials total or immediate, sums over time as one, powers as matrix products."""

from __future__ import annotations

from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import bare, rebuilt, walk
from bptt_tui.derivation.formulas.tree import (
    Formula,
    Meant,
    Partial,
    Power,
    Product,
    Sum,
    Time,
    Transpose,
    Value,
)
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, Evaluator, Misfit
from bptt_tui.errors import BpttError


def reread(formula: Formula, meant: Meant, loss: str) -> Formula:
    """The formula with every partial but those of the loss read in one way."""
    if isinstance(formula, Partial):
        return formula if formula.above.name == loss else replace(formula, reading=meant)
    return rebuilt(formula, lambda part: reread(part, meant, loss))


def in_total(formula: Formula) -> Formula:
    """The formula with every ∂⁺ read as the total derivative."""
    if isinstance(formula, Partial):
        return replace(formula, reading="total") if formula.reading == "immediate" else formula
    return rebuilt(formula, in_total)


def by_signs(left: Formula, member: Formula, text: str) -> tuple[Formula, Formula] | None:
    """The two sides with every ∂ read as immediate and every d as total; None where only one of the signs is there."""
    met: set[Meant] = set()

    def read(formula: Formula) -> Formula:
        if not isinstance(formula, Partial):
            return rebuilt(formula, read)
        written = text[slice(*formula.span)]
        meant: Meant = "immediate" if "∂" in written or "partial" in written else "total"
        met.add(meant)
        return formula if formula.reading else replace(formula, reading=meant)

    sides = read(left), read(member)
    return sides if len(met) == 2 else None


def tells_apart(left: Formula, member: Formula) -> bool:
    """Whether the right side has the very partial of the left side in its other meaning."""
    if not isinstance(left, Partial):
        return False
    ends = bare(left.above), bare(left.below)
    return any(
        isinstance(part, Partial) and part.reading != left.reading and (bare(part.above), bare(part.below)) == ends
        for part in walk(member)
    )


def by_matrix_powers(formula: Formula, evaluator: Evaluator) -> Formula | None:
    """The formula with W² as W·W wherever a square matrix is raised; None where there is none.

    A power is one of every entry where it is not told otherwise: 1 − s².
    """

    def read(part: Formula, env: Environment) -> Formula:
        if isinstance(part, Sum | Product):
            # One timestep stands for all: of every one the shapes are the same.
            inner = next(evaluator.steps(part, env), None)
            return part if inner is None else replace(part, body=read(part.body, inner))
        changed = rebuilt(part, lambda inside: read(inside, env))
        return (
            replace(changed, by="matrix") if isinstance(part, Power) and _is_square(part, evaluator, env) else changed
        )

    changed = read(formula, NOTHING)
    return None if changed == formula else changed


def _is_square(power: Power, evaluator: Evaluator, env: Environment) -> bool:
    """Whether a matrix is raised that can be multiplied with itself."""
    try:
        base, exponent = evaluator.value(power.base, env), evaluator.value(power.exponent, env)
    except (Misfit, BpttError):
        return False
    return base.shape[1] == base.shape[2] > 1 and exponent.shape[1:] == (1, 1)


def as_sum(factor: Formula) -> Sum | None:
    """A factor that is a sum over time, or one transposed: (Σ_t h_t)ᵀ is Σ_t h_tᵀ."""
    if isinstance(factor, Transpose) and isinstance(factor.operand, Sum):
        return replace(factor.operand, body=replace(factor, operand=factor.operand.body))
    return factor if isinstance(factor, Sum) else None


def renamed(formula: Formula, old: str, new: str) -> Formula:
    """The formula with another letter for a timestep."""
    if isinstance(formula, Value | Time) and formula.t is not None and formula.t.variable == old:
        return replace(formula, t=replace(formula.t, variable=new))
    return rebuilt(formula, lambda part: renamed(part, old, new))
