"""Beside the numbers: a question to answer, notes, displayed expressions, stops, and what an edit changed."""

from __future__ import annotations

from bptt_tui.calculus.shapes import Shape
from bptt_tui.debugger.view import Compared, Comparison, View
from bptt_tui.tui.figures import shown
from bptt_tui.tui.ink import Line, wrapped

_NUMBER = 12


def question(view: View, width: int) -> list[Line]:
    """What predict mode asks, and how to answer it."""
    if view.question is None:
        return []
    how = f": answer {_example(tuple(n for n in view.question.shape if n > 1))}, answer w, hint, reveal"
    tries = f"  {view.question.tries} wrong so far" if view.question.tries else ""
    asked = wrapped(((view.question.text, "now"), (tries, "dim")), width)
    return [*asked, *wrapped(((how, "dim"),), width), ()]


def _example(shape: Shape) -> str:
    """How an answer of this shape is written: `0.6`, `[0.6, 0.1]`, `[[0.6, …], …]`."""
    if not shape:
        return "0.6"
    if len(shape) == 1:
        return "[0.6, 0.1]" if shape[0] == 2 else "[0.6, 0.1, …]"
    return f"[{_example(shape[1:])}, …]"


def asides(view: View, width: int, *, notes: bool = True) -> list[Line]:
    """Chapter and notes of this position, displays, stops that are met here, and the comparison."""
    lines: list[Line] = []
    if view.notes and notes:
        from bptt_tui.tui.markdown import rendered

        lines += [(), ((view.chapter, "title"),)] if view.chapter else [()]
        for note in view.notes:
            lines += [(("│ ", "accent"), *line) for line in rendered(note, max(width - 2, 1))]
    if view.displays:
        lines += [(), *(line for text in view.displays for line in wrapped(((text, "plain"),), width, indent=2))]
    here = [row for row in view.breakpoints if row.here]
    if here:
        lines.append(())
        for row in here:
            lines += wrapped((("● ", "warning"), (f"{row.kind} {row.number}: {row.text}", "dim")), width, indent=2)
    if view.comparison is not None:
        lines += _comparison(view.comparison, width)
    return lines


def _comparison(comparison: Comparison, width: int) -> list[Line]:
    """Before and after, one line for the loss and one for each gradient."""
    lines: list[Line] = [(), *wrapped((("changed: ", "title"), (comparison.edit, "plain")), width, indent=2)]
    label = max(len(row.label) for row in (comparison.loss, *comparison.rows))
    lines += [_compared(row, label, width) for row in (comparison.loss, *comparison.rows)]
    return lines


def _compared(row: Compared, label: int, width: int) -> Line:
    from bptt_tui.debugger.comparing import percent

    before, after = shown(row.before, _NUMBER), shown(row.after, _NUMBER)
    return (
        (row.label.ljust(label), "dim"),
        (f"  {before.rjust(_NUMBER)}", "plain"),
        ("  → ", "dim"),
        (after.ljust(_NUMBER), "strong"),
        (f"  {percent(row)}" if label + 2 * _NUMBER + 16 <= width else "", "dim"),
    )
