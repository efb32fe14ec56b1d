"""`bptt-tui check`: verdicts on formulas, as tables or as data."""

from __future__ import annotations

import shutil
import sys

from bptt_tui.cli.given import text_of
from bptt_tui.cli.output import refused, show, tell
from bptt_tui.derivation.formulas.pasted import Pasted, formulas
from bptt_tui.derivation.formulas.writing import write_statement
from bptt_tui.derivation.judging.data import as_data, as_json, unreadable_as_data
from bptt_tui.derivation.judging.judge import judge
from bptt_tui.derivation.judging.lines import WIDTH, as_text, unreadable
from bptt_tui.errors import CommandError, FormulaError
from bptt_tui.session import Session
from bptt_tui.session.format import FORMULA_LIMIT


def formulas_in(argument: str) -> tuple[Pasted, ...]:
    """The formulas of an argument; those of standard input where it is `-`. Raises CommandError for none."""
    pasted = formulas(text_of(argument, "the formulas are not UTF-8 text"))
    if not pasted:
        raise CommandError("there is no formula to check", hint="give an equality such as dE/dw = dE/dw_1")
    return pasted


def judged(loaded: Session, formula: str, pasted: tuple[Pasted, ...], form: str) -> int:
    """Show the verdicts on formulas that were given as `formula`; the exit status."""
    width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else WIDTH
    several = formula == "-" or len(pasted) > 1
    status, told = 0, []
    for number, one in enumerate(pasted):
        try:
            if len(one.text) > FORMULA_LIMIT:
                said = f"a formula has at most {FORMULA_LIMIT} characters"
                raise FormulaError(said, text=one.text, column=FORMULA_LIMIT)
            verdict = judge(loaded, one.text)
        except FormulaError as error:
            status = _unreadable(error.at(f"line {one.line}") if several else error, formula, width)
            told.append(unreadable_as_data(error))
            continue
        status = max(status, 0 if verdict.holds else 1)
        if form == "json":
            told.append(as_data(verdict))
        else:
            show(("\n" if number else "") + as_text(verdict, width, write_statement(verdict.statement, loaded)))
    if form == "json" and (several or status < 2):
        show(as_json(told if several else told[0]))
    return status


def _unreadable(error: FormulaError, formula: str, width: int) -> int:
    """One line with place and reason, and below it the formula with a caret."""
    status = refused(str(error.at("-" if formula == "-" else "formula")))
    tell("\n".join(f"  {line}" for line in unreadable(error.text, error.column, width - 2)))
    return status
