"""A verdict in lines of a terminal's width: what it is, then why.

    ✗ wrong: in ∂E/∂w₀ the factor ∂s₁/∂z₁ is missing

    dE/dw = dE/ds_1 * ds_1/dw_1 + dE/ds_1 * w * ds_0/dw_0
                                  ~~~~~~~~~~~~~~~~~~~~~~~

      read as: ∂E/∂w = ∂E/∂s₁·∂s₁/∂w₁ + ∂E/∂s₁·w·∂s₀/∂w₀
         contribution  true       written    term
      ✓  ∂E/∂w₁        -0.555232  -0.555232  ∂E/∂s₁·∂s₁/∂w₁
      ✗  ∂E/∂w₀        -0.138979  -0.174536  ∂E/∂s₁·w·∂s₀/∂w₀
         ○ ∂s₁/∂z₁ = 1 − s₁² is missing

`as_text` is for print; `told` is the same line by line, with the tone of every run and what a line is about, for a
screen to colour and to move over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from bptt_tui.derivation.judging.slips import SLIPS
from bptt_tui.derivation.judging.telling import (
    GLYPHS,
    amiss,
    due_factor,
    entry_sentence,
    factor_sentence,
    headline,
    marks,
    number,
    reason,
)
from bptt_tui.derivation.judging.verdict import FactorVerdict, Ledger, MemberVerdict, TermVerdict, Verdict
from bptt_tui.language.cells import broken, cells, padded, underlined
from bptt_tui.language.sanitise import visible

WIDTH = 100
# Wrong entries of an array that are listed.
MAX_ENTRIES = 12

Tone = Literal["plain", "strong", "dim", "good", "bad", "odd", "mark"]
Run = tuple[str, Tone]
Part = TermVerdict | FactorVerdict
Key = tuple[int, ...]
Open = Callable[[Key, TermVerdict], bool]

# Of every outcome how it sounds; whatever is not here is bad.
TONES: dict[str, Tone] = {"right": "good", "coincidence": "odd", "unknown": "odd"}


class Told(NamedTuple):
    """One line. `key` is (member, term) or (member, term, factor), from 0, of the `part` it is about."""

    runs: tuple[Run, ...]
    key: Key = ()
    part: Part | None = None

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs).rstrip(" ")


def as_text(verdict: Verdict, width: int = WIDTH, understood: str = "") -> str:
    """The verdict, the formula with what is amiss underlined, how it was `understood`, and of every member why."""
    return "\n".join(line.text for line in told(verdict, width, understood))


def unreadable(text: str, column: int, width: int = WIDTH) -> tuple[str, str]:
    """Of the line in which reading stopped as much as fits around the character, and a caret under it."""
    start = text.rfind("\n", 0, column) + 1
    line = text[start:].partition("\n")[0]
    at = column - start
    head = "… " if len(line) >= width and at >= width - 1 else ""
    room = width - len(head)
    left = max(0, min(at - room * 2 // 3, len(line) + 1 - room)) if head else 0
    # A character that is spelt out is wider than one cell; then less of the line fits.
    while room > at - left + 1 and cells(visible(line[left : left + room])) > width - len(head):
        room -= 1
    shown = underlined(line[left : left + room], [((at - left, at - left + 1), "^")], 16 * width)
    return f"{head}{shown[0]}", f"{' ' * len(head)}{shown[1]}"


def told(verdict: Verdict, width: int, understood: str = "", opened: Open | None = None) -> list[Told]:
    """The verdict's lines. Of the terms that are `opened` every factor has a line, of the others what is amiss."""
    lines = _said(f"{GLYPHS[verdict.outcome]} ", headline(verdict), width, TONES.get(verdict.outcome, "bad"))
    lines.append(_BLANK)
    placed = marks(verdict.members)
    for line in underlined(verdict.statement.text.strip("\n"), placed, width):
        lines.append(_line(line, "mark" if line and not line.strip(" ~^") else "strong"))
    several = len(verdict.members) > 1
    if understood not in ("", verdict.statement.text):
        lines += [_BLANK, *_labelled("read as", understood, width)]
    elif not several:
        lines.append(_BLANK)
    for index, member in enumerate(verdict.members):
        if several:
            lines.append(_BLANK)
            head = f"{GLYPHS[member.outcome]} member {index + 1} of {len(verdict.members)}: "
            lines += _said(
                head, f"{member.outcome}: {reason(member.sentence)}", width, TONES.get(member.outcome, "bad"), indent=2
            )
        lines += _member(verdict, member, index, width, opened)
    return lines


def _member(verdict: Verdict, member: MemberVerdict, index: int, width: int, opened: Open | None) -> list[Told]:
    """One member of the equalities: how it was read, its terms, its slips and its shapes."""
    lines: list[Told] = []
    for reading in member.readings:
        lines += _labelled("reading", reading, width)
    if member.why:
        lines += _labelled("because", member.why, width)
    said = f"{verdict.sentence} {member.sentence}"
    lines += _terms(verdict.left, member, index, width, said, opened)
    slips = []
    for slip in member.slips:
        title = SLIPS[slip.kind].title if slip.kind in SLIPS else slip.kind
        slips.append(title if slip.sentence in said else f"{title}: {slip.sentence}")
    for text in dict.fromkeys(slips):
        lines += _labelled("slip", text, width, "strong")
    if member.ledger is not None:
        lines += _ledger(member.ledger, width)
    return lines


_HEADS = ("contribution", "true", "written")


# --- terms ---------------------------------------------------------------------------------------------------------


def _terms(left: str, member: MemberVerdict, index: int, width: int, said: str, opened: Open | None) -> list[Told]:
    """The terms beside the contributions they stand for, and below them both sums."""
    if not member.terms:
        if member.value is None and member.due is None:
            return []
        both = f"{visible(left)} is {number(member.due)}, the formula gives {number(member.value)}"
        return _said("  ", both, width, "plain") + _entries(member, width, said)
    rows = [(visible(term.of), number(term.due), number(term.value)) for term in member.terms]
    whole = (visible(left), number(member.due), number(member.value))
    widths = [max(cells(row[i]) for row in (_HEADS, whole, *rows)) for i in range(3)]
    if sum(widths) + 9 > width:
        widths = []
    lines = _headed(widths, width)
    for at, (term, row) in enumerate(zip(member.terms, rows, strict=True)):
        key = (index, at)
        glyph: Run = (f"  {GLYPHS[term.outcome]}  ", TONES.get(term.outcome, "bad"))
        about = _figures(glyph, row, widths, visible(term.written), width)
        lines += [line._replace(key=key, part=term) for line in about]
        lines += _inside(term, key, width, said, opened is not None and opened(key, term))
    if len(member.terms) > 1:
        lines += _figures(("  Σ  ", "dim"), whole, widths, "", width)
    return lines


def _entries(member: MemberVerdict, width: int, said: str) -> list[Told]:
    """The wrong entries of an array that are not named in what is said already."""
    unsaid = [entry for entry in member.entries if entry.index and entry_sentence(entry) not in _without_names(said)]
    lines: list[Told] = []
    for entry in unsaid[:MAX_ENTRIES]:
        lines += _said(f"  {GLYPHS['wrong']}  ", entry_sentence(entry), width, "bad", indent=5, rest="plain")
    more = len(unsaid) - MAX_ENTRIES
    return lines + ([_line(f"     and {more} more", "dim")] if more > 0 else [])


def _without_names(said: str) -> str:
    """What is said, as if no entry were told whose it is: entry [1] of ∂E/∂v is …"""
    return re.sub(r"(entry \[[^]]*\]) of \S+ is", r"\1 is", said)


def _headed(widths: list[int], width: int) -> list[Told]:
    """The heads of the columns, where there are columns."""
    if not widths:
        return []
    beside = width - sum(widths) - 11 >= 20
    heads = (
        "  ".join(map(padded, (*_HEADS, "term"), (*widths, 4))) if beside else "  ".join(map(padded, _HEADS, widths))
    )
    return [_line(f"     {heads}".rstrip(" "), "dim")]


def _figures(glyph: Run, row: tuple[str, str, str], widths: list[int], text: str, width: int) -> list[Told]:
    """One row of the table, or, without columns, what it is and below it what it should be and what it is."""
    tone: Tone = "dim" if glyph[1] == "dim" else "plain"
    if widths:
        return _beside((glyph, ("  ".join(map(padded, row, widths)) + "  ", tone)), text, width)
    of, due, value = row
    lines = [Told((glyph, (of, tone)))]
    lines += [_line(f"     {line}", "plain") for line in broken(text, width - 5) if line]
    for head, figure in ((_HEADS[1], due), (_HEADS[2], value)):
        lines += _said(f"     {head.ljust(7)}  ", figure, width, "dim", indent=14, rest=tone)
    return lines


def _beside(head: tuple[Run, ...], text: str, width: int) -> list[Told]:
    """Columns and a text beside them, or below where there is no room."""
    taken = sum(cells(part) for part, _ in head)
    if width - taken < 20:
        return [Told(head), *(_line(f"     {line}", "plain") for line in broken(text, width - 5) if line)]
    first, *more = broken(text, width - taken)
    return [Told((*head, (first, "plain"))), *(_line(" " * taken + line, "plain") for line in more)]


def _inside(term: TermVerdict, key: Key, width: int, said: str, whole: bool) -> list[Told]:
    """Why a term is not right: its sentence where it is not `said` yet, and its factors, all or those amiss."""
    lines: list[Told] = []
    told_here = term.outcome != "right" and bool(term.sentence) and term.sentence not in said
    if told_here:
        lines += _said("     ", visible(term.sentence), width, "plain", indent=5)
    shown = term.factors if whole else amiss(term)
    for at, factor in enumerate(term.factors):
        if factor not in shown:
            continue
        of_it = visible(factor_sentence(factor)) or _as_it_should_be(factor)
        if told_here and not whole and of_it in visible(term.sentence):
            continue
        glyph = f"     {GLYPHS[factor.outcome]} "
        tone = TONES.get(factor.outcome, "bad")
        about = _said(glyph, of_it, width, tone, indent=9, rest="dim" if factor.outcome == "right" else "plain")
        lines += [line._replace(key=(*key, at), part=factor) for line in about]
    return lines


def _as_it_should_be(factor: FactorVerdict) -> str:
    due = visible(due_factor(factor))
    written = visible(factor.written)
    return written if due in ("", written) else due if due.startswith(f"{written} = ") else f"{written}: {due}"


# --- shapes --------------------------------------------------------------------------------------------------------


def _ledger(ledger: Ledger, width: int) -> list[Told]:
    """The shapes of a product's factors as a table, and the advice."""
    rows = [(visible(line.written), f"{line.shape[0]}×{line.shape[1]}") for line in ledger.lines]
    widths = [max(cells(row[i]) for row in (("factor", "shape"), *rows)) for i in range(2)]
    widths[0] = min(widths[0], max(width - widths[1] - 9, 6))
    lines = [_line(f"     {padded('factor', widths[0])}  shape", "dim")]
    for line, (written, shape) in zip(ledger.lines, rows, strict=True):
        remark = visible(line.remark) or ("does not fit" if line.breaks else "")
        glyph = GLYPHS["wrong"] if line.breaks else " "
        name, *more = broken(written, widths[0])
        lines += [_line(f"     {part}", "plain") for part in (name, *more[:-1]) if more]
        head = f"{padded(more[-1] if more else name, widths[0])}  {padded(shape, widths[1])}  "
        lines += _beside(((f"  {glyph}  ", "bad"), (head, "plain")), remark, width)
    return lines + (_labelled("advice", ledger.advice, width, "strong") if ledger.advice else [])


# --- lines ---------------------------------------------------------------------------------------------------------


def _line(text: str, tone: Tone) -> Told:
    return Told(((text, tone),) if text else ())


_BLANK = _line("", "plain")


def _labelled(label: str, text: str, width: int, tone: Tone = "plain") -> list[Told]:
    return _said(f"  {label}: ", visible(text), width, "dim", indent=4, rest=tone)


def _said(head: str, text: str, width: int, tone: Tone, *, indent: int = 2, rest: Tone | None = None) -> list[Told]:
    """A head and a text behind it, broken into lines that are indented from the second on."""
    rest = rest or tone
    whole = broken(text, max(width - cells(head), 8))
    first, more = whole[0], text[len(whole[0]) :].strip(" ")
    lines = [Told(((head, tone), (first, rest)))]
    return lines + ([_line(" " * indent + line, rest) for line in broken(more, width - indent)] if more else [])
