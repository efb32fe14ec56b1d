"""The words and figures of a verdict: what screens, texts and documents that show one have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.derivation.judging.verdict import Array, EntryVerdict, FactorVerdict, MemberVerdict, TermVerdict, Verdict
from bptt_tui.language.cells import Mark
from bptt_tui.language.sanitise import visible

NUMBER = 20
OUTCOME = re.compile(r"^(right|wrong|coincidence|shapes|unknown): ")

# Of formulas, members, terms and factors. Each is one cell wide and says without colour what came out.
GLYPHS: Mapping[str, str] = {
    "right": "✓",
    "wrong": "✗",
    "coincidence": "≈",
    "shapes": "⊠",
    "unknown": "?",
    "missing": "○",
    "extra": "+",
    "transposed": "ᵀ",
    "misplaced": "↔",
}


def number(value: Array | None, width: int = NUMBER) -> str:
    """A number or array on one line; `–` where there is none."""
    if value is None:
        return "–"
    array = np.asarray(value, dtype=np.float64)
    text = numerals.array(array.reshape(()) if array.size == 1 else array, width)
    if array.ndim == 2 and len(array) > 1 and len(text) > width:
        return f"{numerals.array(array[0], width - 3, numerals.SHORT).removesuffix(']')}; …]"
    return text


def headline(verdict: Verdict) -> str:
    """`wrong: in ∂E/∂w₀ the factor ∂s₁/∂z₁ is missing` on one line."""
    return f"{verdict.outcome}: {reason(verdict.sentence)}"


def reason(sentence: str) -> str:
    """A sentence without the outcome that it may begin with."""
    return OUTCOME.sub("", visible(sentence))


def due_factor(factor: FactorVerdict) -> str:
    """The factor that belongs there and its formula: `∂s₁/∂z₁ = 1 − s₁²`."""
    return factor.due if factor.formula in ("", factor.due) else f"{factor.due} = {factor.formula}"


def factor_sentence(factor: FactorVerdict) -> str:
    """What is wrong with a factor, and what would be right: `∂s₁/∂z₁ = 1 − s₁² is missing`; "" for a right one."""
    due = due_factor(factor)
    match factor.outcome:
        case "missing":
            return f"{due} is missing"
        case "extra":
            return f"{factor.written} does not belong here"
        case "wrong":
            return f"{factor.written} stands where {due} belongs" if due else f"{factor.written} is wrong"
        case "transposed":
            return f"{factor.written} has to be transposed" + (f": {due}" if due else "")
        case "misplaced":
            return f"{factor.written} stands " + (f"where {due} belongs" if due else "in another place than it belongs")
        case "right":
            return ""


def rounded_number(value: float, digits: int = 6) -> str:
    """A number of a sentence, to so many digits."""
    return f"{value + 0.0:.{digits}g}".replace("-", "−")


def entry_sentence(entry: EntryVerdict, of: str = "") -> str:
    """`entry [1] of ∂E/∂v is 0.2, it should be −0.316921: the sign is wrong`; of a single number without its place."""
    place = f"entry {list(entry.index)}" + (f" of {of}" if of else "") if entry.index else "it"
    text = f"{place} is {rounded_number(entry.value)}, it should be {rounded_number(entry.due)}"
    return f"{text} ({entry.remark})" if entry.remark else text


def amiss(term: TermVerdict) -> tuple[FactorVerdict, ...]:
    """The factors of a term that are not right."""
    return tuple(factor for factor in term.factors if factor.outcome != "right")


def marks(members: Sequence[MemberVerdict]) -> list[Mark]:
    """What to underline in the formula: `~` terms that are not right, `^` factors, entries, where a product breaks."""
    terms = [term for member in members for term in member.terms if term.outcome not in ("right", "unknown")]
    factors = [factor.span for term in terms for factor in amiss(term)]
    entries = [entry.span for member in members for entry in member.entries]
    breaks = [line.span for member in members if member.ledger for line in member.ledger.lines if line.breaks]
    return [
        *((term.span, "~") for term in terms if term.span is not None),
        *((span, "^") for span in (*factors, *breaks, *entries) if span is not None),
    ]


def summary(verdict: Verdict) -> str:
    """`✗ wrong: …`: the verdict on one line, behind its glyph."""
    return f"{GLYPHS[verdict.outcome]} {headline(verdict)}"
