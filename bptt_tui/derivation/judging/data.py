"""A verdict for programs: plain dicts, lists and numbers, and the JSON of `bptt-tui check --format json`.

Spans are half-open and count characters of `formula`; a `place` is what the debugger's `goto` takes. JSON has no NaN
and no infinities, so they are the texts "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.derivation.judging.slips import SLIPS
from bptt_tui.derivation.judging.verdict import Array, Ledger, MemberVerdict, Slip, TermVerdict, Verdict
from bptt_tui.errors import FormulaError


def as_data(verdict: Verdict) -> dict[str, Any]:
    """Everything a verdict says."""
    return {
        "formula": verdict.statement.text,
        "left": verdict.left,
        "outcome": verdict.outcome,
        "holds": verdict.holds,
        "sentence": verdict.sentence,
        "members": [_member(member) for member in verdict.members],
    }


def unreadable_as_data(error: FormulaError) -> dict[str, Any]:
    """The same for a formula that could not be read; `column` counts from 1."""
    return {
        "formula": error.text,
        "outcome": "unreadable",
        "holds": False,
        "sentence": f"{error.reason}; {error.hint}" if error.hint else error.reason,
        "column": error.column + 1,
    }


def as_json(data: dict[str, Any] | Sequence[dict[str, Any]]) -> str:
    """One verdict, or several as a list."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def _member(member: MemberVerdict) -> dict[str, Any]:
    return {
        "outcome": member.outcome,
        "written": member.written,
        "span": member.span,
        "sentence": member.sentence,
        "readings": member.readings,
        "value": _array(member.value),
        "due": _array(member.due),
        "why": member.why,
        "terms": [_term(term) for term in member.terms],
        "slips": [{"kind": slip.kind, "title": _title(slip), "sentence": slip.sentence} for slip in member.slips],
        "entries": [
            {
                "index": entry.index,
                "value": _array(np.asarray(entry.value)),
                "due": _array(np.asarray(entry.due)),
                "span": entry.span,
                "remark": entry.remark,
            }
            for entry in member.entries
        ],
        "ledger": None if member.ledger is None else _ledger(member.ledger),
    }


def _title(slip: Slip) -> str:
    return SLIPS[slip.kind].title if slip.kind in SLIPS else slip.kind


def _term(term: TermVerdict) -> dict[str, Any]:
    return {
        "outcome": term.outcome,
        "of": term.of,
        "t": term.t,
        "written": term.written,
        "sentence": term.sentence,
        "span": term.span,
        "value": _array(term.value),
        "due": _array(term.due),
        "factors": [
            {
                "outcome": factor.outcome,
                "written": factor.written,
                "due": factor.due,
                "formula": factor.formula,
                "span": factor.span,
                "place": factor.place,
            }
            for factor in term.factors
        ],
        "place": term.place,
    }


def _ledger(ledger: Ledger) -> dict[str, Any]:
    return {
        "lines": [
            {
                "written": line.written,
                "shape": line.shape,
                "span": line.span,
                "breaks": line.breaks,
                "remark": line.remark,
            }
            for line in ledger.lines
        ],
        "advice": ledger.advice,
    }


def _array(value: Array | None) -> Any:
    """A number, whatever the shape of a single one, or nested lists of numbers; None where there is none."""
    if value is None:
        return None
    array = np.asarray(value, dtype=np.float64)
    return numerals.for_json((array.reshape(()) if array.size == 1 else array).tolist())
