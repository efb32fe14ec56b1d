"""Slips of a whole member, found by reading it as it may have been meant: ∂⁺ for d, one sum for a product of sums."""

from __future__ import annotations

from msgspec.structs import replace

from bptt_tui.derivation.formulas.parts import rebuilt, walk
from bptt_tui.derivation.formulas.tree import Formula, Meant, Multiply, Partial
from bptt_tui.derivation.judging.comparison import compare, is_identity
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.rewriting import as_sum, renamed, reread
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.derivation.judging.verdict import Slip


def misread(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Slip | None:
    """The slip of a member that holds as soon as all of it is read in another way; None where it does not."""
    return _other_modes(left, member, evaluator, spelling) or _one_sum(left, member, evaluator, spelling)


def _other_modes(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Slip | None:
    """The slip of a total derivative where the immediate one is meant, and the reverse, where the text said so."""
    loss = evaluator.samples.network.loss_name
    said = [p for p in walk(member) if isinstance(p, Partial) and p.reading and p.above.name != loss]
    if not said:
        return _alike(left, member, evaluator, spelling)
    kinds: tuple[tuple[Meant, str], ...] = (
        ("immediate", "total for immediate"),
        ("total", "immediate for total"),
    )
    for meant, kind in kinds:
        if all(p.reading == meant for p in said):
            continue
        changed = reread(member, meant, loss)
        try:
            truth = Truth(left, evaluator, spelling)
            fitted = truth.matched(evaluator.value(changed))
        except Misfit:
            continue
        if fitted is not None and is_identity(truth, fitted):
            wrong = next(p for p in said if p.reading != meant)
            due = f"∂⁺{wrong.above.name}/∂{wrong.below.name}"
            return slip(kind, written=evaluator.statement.written(wrong), due=due)
    return None


def _one_sum(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Slip | None:
    """The slip of (Σ_t a_t)(Σ_t b_t) for Σ_t a_t b_t."""
    if not isinstance(member, Multiply):
        return None
    sums = [found for factor in member.factors if (found := as_sum(factor)) is not None]
    if len(sums) < 2:
        return None
    variable = sums[0].variable
    inside = iter([renamed(one.body, one.variable, variable) for one in sums])
    factors = tuple(factor if as_sum(factor) is None else next(inside) for factor in member.factors)
    merged = replace(sums[0], body=replace(member, factors=factors))
    return slip("product of sums") if compare(left, merged, evaluator, spelling).holding else None


def _alike(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Slip | None:
    """The slip of ∂s_t/∂w in total where the sum over time on the right side means the immediate one."""
    if not isinstance(left, Partial):
        return None
    names = left.above.name, left.below.name

    def marked(formula: Formula) -> Formula:
        if isinstance(formula, Partial):
            alike = (formula.above.name, formula.below.name) == names
            return replace(formula, reading="immediate") if alike else formula
        return rebuilt(formula, marked)

    changed = marked(member)
    if changed == member or not compare(replace(left, reading="total"), changed, evaluator, spelling).holding:
        return None
    first = next(p for p in walk(changed) if isinstance(p, Partial) and p.reading)
    written = evaluator.statement.written(first)
    return slip("total for immediate", written=written, due=f"∂⁺{names[0]}/∂{names[1]}")
