"""A verdict in words: what it is, then why, as text for a terminal.

    ✗ wrong: in ∂E/∂w₀ the factor ∂s₁/∂z₁ is missing

    dE/dw = dE/ds_1 * ds_1/dw_1 + dE/ds_1 * w * ds_0/dw_0
                                  ~~~~~~~~~~~~~~~~~~~~~~~

      read as: ∂E/∂w = ∂E/∂s₁·∂s₁/∂w₁ + ∂E/∂s₁·w·∂s₀/∂w₀
         contribution  true       written    term
      ✓  ∂E/∂w₁        -0.555232  -0.555232  ∂E/∂s₁·∂s₁/∂w₁
      ✗  ∂E/∂w₀        -0.138979  -0.174536  ∂E/∂s₁·w·∂s₀/∂w₀
         ○ ∂s₁/∂z₁ = 1 − s₁² is missing

The pieces are for others that tell a verdict too: `GLYPHS`, `number`, `factor_sentence`, `ledger_rows`, `marks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.derivation.judging.verdict import Array, FactorVerdict, Ledger, MemberVerdict, TermVerdict, Verdict
from bptt_tui.errors import PlacedError
from bptt_tui.language.cells import Mark, broken, cells, padded, underlined
from bptt_tui.language.sanitise import visible

WIDTH = 100
NUMBER = 24

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
    return "–" if value is None else numerals.array(np.asarray(value, dtype=np.float64), width)


def headline(verdict: Verdict) -> str:
    """`✗ wrong: …` on one line."""
    sentence = visible(verdict.sentence)
    said = "" if sentence.startswith(verdict.outcome) else f"{verdict.outcome}: "
    return f"{GLYPHS[verdict.outcome]} {said}{sentence}"


def factor_sentence(factor: FactorVerdict) -> str:
    """What is wrong with a factor, and what would be right: `∂s₁/∂z₁ = 1 − s₁² is missing`; "" for a right one."""
    same = factor.formula in ("", factor.due)
    due = factor.due if same else f"{factor.due} = {factor.formula}"
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
            return f"{factor.written} stands at another place than it belongs" + (f": {due}" if due else "")
        case "right":
            return ""


def amiss(term: TermVerdict) -> tuple[FactorVerdict, ...]:
    """The factors of a term that are not right."""
    return tuple(factor for factor in term.factors if factor.outcome != "right")


def marks(members: Sequence[MemberVerdict]) -> list[Mark]:
    """What to underline in the formula: `~` terms that are not right, `^` factors, and where a product breaks."""
    terms = [term for member in members for term in member.terms if term.outcome not in ("right", "unknown")]
    factors = [factor.span for term in terms for factor in amiss(term)]
    breaks = [line.span for member in members if member.ledger for line in member.ledger.lines if line.breaks]
    return [
        *((term.span, "~") for term in terms if term.span is not None),
        *((span, "^") for span in (*factors, *breaks) if span is not None),
    ]


def ledger_rows(ledger: Ledger) -> list[tuple[str, str, str]]:
    """Of every factor what it is, its shape, and what is to be said of it."""
    return [
        (visible(line.written), f"{line.shape[0]}×{line.shape[1]}", visible(line.remark or "does not fit"))
        if line.breaks
        else (visible(line.written), f"{line.shape[0]}×{line.shape[1]}", visible(line.remark))
        for line in ledger.lines
    ]


def unreadable(error: PlacedError, width: int = WIDTH) -> list[str]:
    """The text of an error with a caret under the character where reading stopped."""
    return underlined(error.text, [((error.column, error.column + 1), "^")], width)


def as_text(verdict: Verdict, width: int = WIDTH) -> str:
    """The verdict, the formula with what is amiss underlined, and of every member why; several lines."""
    lines = [*_broken(headline(verdict), width, "  "), ""]
    lines += underlined(verdict.statement.text.strip("\n"), _placed(verdict), width)
    several = len(verdict.members) > 1
    for count, member in enumerate(verdict.members, 1):
        head = f"member {count} of {len(verdict.members)}" if several else ""
        lines += ["", *_member(verdict, member, head, width)]
    return "\n".join(line.rstrip(" ") for line in lines)


def _placed(verdict: Verdict) -> list[Mark]:
    """The marks where the text was read from something; a formula that was made has no places."""
    return marks(verdict.members) if verdict.statement.text else []


def _member(verdict: Verdict, member: MemberVerdict, head: str, width: int) -> list[str]:
    """One member of the equalities: how it was read, its terms, its slips and its shapes."""
    lines = []
    if head:
        lines += _broken(f"{GLYPHS[member.outcome]} {head}: {visible(member.sentence)}", width, "  ")
    lines += _labelled("read as", f"{visible(verdict.left)} = {visible(member.written)}", width)
    for reading in member.readings:
        lines += _labelled("reading", visible(reading), width)
    if member.why:
        lines += _labelled("because", visible(member.why), width)
    lines += _terms(verdict.left, member, width)
    for slip in member.slips:
        lines += _labelled("slip", f"{visible(slip.sentence)}", width)
    if member.ledger is not None:
        lines += _ledger(member.ledger, width)
    return lines


def _terms(left: str, member: MemberVerdict, width: int) -> list[str]:
    """The terms beside the contributions they stand for, and below them both sums."""
    if not member.terms:
        if member.value is None and member.due is None:
            return []
        return [f"  {visible(left)} is {number(member.due)}, the formula gives {number(member.value)}"]
    head = ("", "contribution", "true", "written", "term")
    rows = [
        (GLYPHS[term.outcome], visible(term.of), number(term.due), number(term.value), visible(term.written))
        for term in member.terms
    ]
    whole = ("Σ", visible(left), number(member.due), number(member.value), "")
    summed = [whole] if len(member.terms) > 1 else []
    widths = [max(cells(row[i]) for row in (head, *rows, *summed)) for i in range(4)]
    lines = _row(head, widths, width)
    for term, row in zip(member.terms, rows, strict=True):
        lines += _row(row, widths, width)
        if term.outcome != "right":
            lines += _reasons(term, width)
    for row in summed:
        lines += _row(row, widths, width)
    return lines


def _row(row: Sequence[str], widths: Sequence[int], width: int) -> list[str]:
    """Cells in their columns; the last one may take several lines."""
    first = "  " + "  ".join(padded(cell, room) for cell, room in zip(row[:4], widths, strict=True)) + "  "
    indent = cells(first)
    if width - indent < 20:
        return [first.rstrip(" "), *(f"     {line}" for line in broken(row[4], width - 5) if row[4])]
    last, *more = broken(row[4], width - indent)
    return [first + last, *(" " * indent + line for line in more)]


def _reasons(term: TermVerdict, width: int) -> list[str]:
    """Why a term is not right: its sentence, and every factor that is amiss."""
    lines = _broken(visible(term.sentence), width - 5, "") if term.sentence else []
    for factor in amiss(term):
        said = visible(factor_sentence(factor))
        if said not in term.sentence:
            lines += _broken(f"{GLYPHS[factor.outcome]} {said}", width - 5, "  ")
    return [f"     {line}" for line in lines]


def _ledger(ledger: Ledger, width: int) -> list[str]:
    """The shapes of a product's factors as a table, and the advice."""
    rows = [("factor", "shape", ""), *ledger_rows(ledger)]
    glyphs = [" ", *(GLYPHS["wrong"] if line.breaks else " " for line in ledger.lines)]
    widths = [max(cells(row[i]) for row in rows) for i in range(2)]
    lines = []
    for glyph, (written, shape, remark) in zip(glyphs, rows, strict=True):
        head = f"  {glyph}  {padded(written, widths[0])}  {padded(shape, widths[1])}  "
        first, *more = broken(remark, max(width - cells(head), 20))
        lines += [head + first, *(" " * cells(head) + line for line in more)]
    return [*lines, *_labelled("advice", visible(ledger.advice), width)]


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _broken(f"  {label}: {text}", width, "    ")


def _broken(text: str, width: int, indent: str) -> list[str]:
    first, *more = broken(text, width)
    rest = broken(" ".join(more), width - cells(indent)) if more else []
    return [first, *(indent + line for line in rest)]
