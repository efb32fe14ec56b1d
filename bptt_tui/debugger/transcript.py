"""One position as plain text: what the headless runner prints after every command."""

from __future__ import annotations

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Missing, Pane, Shown, View
from bptt_tui.language import visible

WIDTH = 60


def describe(view: View) -> str:
    """Position, what was computed and from what, and the sums so far; several lines."""
    place = f"step {view.position} of {view.last}  {view.phase}"
    if view.factor:
        place += f"  factor {view.factor} of {view.factors}"
    if view.t is not None:
        place += f"  t = {view.t}"
    if view.chapter:
        place += f"  · {view.chapter}"
    lines = [place]
    if view.pane is not None:
        lines += [f"  {line}" for line in (_backward(view.pane) if view.phase == "backward" else _forward(view.pane))]
    if view.phase == "backward":
        lines += [f"  {line}" for line in _sums(view)]
    lines += [f"  note: {remark}" for remark in view.remarks]
    if not view.factor:
        lines += [f"  │ {line}".rstrip() for note in view.notes for line in note.split("\n")]
    if view.question is not None:
        lines.append(f"  asked: {view.question.text}")
    lines += [f"  {line}" for line in (*view.displays, *view.message.splitlines())]
    return visible("\n".join(lines), newlines=True)


def answer(before: View, after: View) -> str:
    """What a command has to say: where it did not move, only its message; otherwise the new position."""
    stayed = (before.position, before.factor) == (after.position, after.factor)
    return visible(after.message, newlines=True) if stayed and after.message else describe(after)


def text_of(value: Shown) -> str:
    """A value on one line, `not yet` or `–`."""
    return value.value if isinstance(value, Missing) else numerals.array(np.asarray(value), WIDTH)


def _forward(pane: Pane) -> list[str]:
    lines = [pane.equation, pane.substituted]
    lines += [_partial_line(factor.title, factor.symbol, factor.value) for factor in pane.partials]
    return lines + [f"note: {remark}" for remark in pane.remarks]


def _partial_line(title: str, symbol: str, value: Shown | None) -> str:
    if value is None:
        return f"{title} = {symbol}"
    scalar = np.asarray(value).reshape(()) if not isinstance(value, Missing) and value.size == 1 else value
    number = text_of(scalar)
    return f"{title} = {symbol}" if number == symbol else f"{title} = {symbol} = {number}"


def _backward(pane: Pane) -> list[str]:
    lines = []
    for inflow in pane.inflows:
        head = f"inflow {inflow.number} of {inflow.of}, through {inflow.factor.consumer.label}: "
        partial = _partial_line(inflow.factor.title, inflow.factor.symbol, inflow.factor.value)
        lines.append(f"{head}{text_of(inflow.adjoint)} × {partial} → {text_of(inflow.product)}")
    if len(pane.inflows) > 1 and pane.ref.kind != "use" and isinstance(pane.adjoint, Missing):
        lines.append(f"{pane.title} so far, {pane.of_total} inflows: {text_of(pane.so_far)}")
    else:
        lines.append(f"{pane.title} = {text_of(pane.adjoint)}")
    return lines + [f"note: {remark}" for remark in pane.remarks]


def _sums(view: View) -> list[str]:
    table = view.contributions
    lines = []
    for row in range(len(table.rows)):
        taken, count = table.progress(row)
        lines.append(f"{table.label(row)}: {text_of(table.so_far(row))}  ({taken} of {count} terms)")
    return lines
