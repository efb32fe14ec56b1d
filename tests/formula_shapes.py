"""Trees of formulas as short texts for tests: every bracket, every index, no spans."""

from __future__ import annotations

from bptt_tui.derivation.formulas import tree as f

_JOINS = {"as it fits": " ", "matrix": " @ ", "elementwise": " ⊙ "}


def moment(at: f.Moment | None) -> str:
    if at is None:
        return ""
    if not at.variable:
        return str(at.offset)
    return at.variable + (f"{at.offset:+d}" if at.offset else "")


def sketch(formula: f.Formula) -> str:
    """∂E[1]/∂u, (a b), (a + -b), Σ[t=0…1](…)."""
    match formula:
        case f.Number():
            return f"{formula.value:g}"
        case f.Time():
            return f"#{moment(formula.t)}"
        case f.Value():
            return formula.name if formula.t is None else f"{formula.name}[{moment(formula.t)}]"
        case f.Partial():
            mark = {"": "∂", "immediate": "∂⁺", "total": "d"}[formula.reading]
            return f"{mark}{sketch(formula.above)}/{mark[0]}{sketch(formula.below)}"
        case f.Sum() | f.Product():
            sign = "Σ" if isinstance(formula, f.Sum) else "∏"
            bounds = "" if formula.first is None and formula.last is None else "="
            bounds += f"{moment(formula.first)}…{moment(formula.last)}" if bounds else ""
            return f"{sign}[{formula.variable}{bounds}]{sketch(formula.body)}"
        case f.Add():
            return "(" + " + ".join(map(sketch, formula.terms)) + ")"
        case f.Negate():
            return "-" + sketch(formula.operand)
        case f.Multiply():
            first, *rest = map(sketch, formula.factors)
            return "(" + first + "".join(_JOINS[j] + text for j, text in zip(formula.joins, rest, strict=True)) + ")"
        case f.Divide():
            return f"({sketch(formula.top)} / {sketch(formula.bottom)})"
        case f.Power():
            return f"{sketch(formula.base)}^{sketch(formula.exponent)}"
        case f.Transpose():
            return f"{sketch(formula.operand)}ᵀ"
        case f.Call():
            return f"{formula.function}({', '.join(map(sketch, formula.arguments))})"
        case f.Entry():
            return f"{sketch(formula.operand)}⟨{', '.join(map(sketch, formula.indices))}⟩"
    raise AssertionError(formula)
