"""The old gradient and the new one, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.calculus.norms import norm
from bptt_tui.debugger.changes import words
from bptt_tui.debugger.command import Command, nothing
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.view import ABSENT, Compared, Comparison, Missing, Shown
from bptt_tui.errors import CommandError
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_WIDTH = 34


def comparison(before: Session, after: Session, scene: Scene) -> Comparison | None:
    """What has become of the loss and the gradient; None where nothing has been changed. `scene` is the new one's."""
    old, new = before.trace(), after.trace()
    if old is new:
        return None
    phrases = words(before, after)
    if not phrases:
        return None
    total = scene.naming.total()
    names = [*new.gradient, *(name for name in old.gradient if name not in new.gradient)]
    return Comparison(
        edit="; ".join(phrases),
        loss=_compared(total, np.asarray(old.loss), np.asarray(new.loss)),
        rows=tuple(
            _compared(scene.naming.partial(total, name), old.gradient.get(name), new.gradient.get(name))
            for name in names
        ),
    )


def _compared(label: str, before: np.ndarray | None, after: np.ndarray | None) -> Compared:
    difference: Shown = ABSENT
    if before is not None and after is not None and before.shape == after.shape:
        with np.errstate(all="ignore"):
            difference = np.asarray(after - before)
    return Compared(
        label,
        ABSENT if before is None else before,
        ABSENT if after is None else after,
        difference,
        None if isinstance(difference, Missing) or before is None else _relative(difference, before),
    )


def _relative(difference: np.ndarray, before: np.ndarray) -> float | None:
    """The difference by the size of what was before; scaled first, as even a norm can overflow."""
    with np.errstate(all="ignore"):
        largest = float(np.abs(before).max())
        if not 0.0 < largest < np.inf or not np.isfinite(difference).all():
            return None
        if before.ndim == 0:
            return float(difference / largest)
        return float(norm(difference / largest, before.ndim) / norm(before / largest, before.ndim))


def percent(row: Compared) -> str:
    """`+8.35 %`; of an array `8.35 %`, for its change has a size alone; – where nothing can be said."""
    if row.relative is None or isinstance(row.difference, Missing):
        return ABSENT.value
    return f"{100 * row.relative:{'' if row.difference.ndim else '+'}.3g} %"


def table(compared: Comparison) -> str:
    """The comparison as lines of text: what was changed, then a row for the loss and each parameter."""
    rows = [("", "before", "after", "difference", "relative")]
    for row in (compared.loss, *compared.rows):
        rows.append((row.label, _shown(row.before), _shown(row.after), _shown(row.difference), percent(row)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([compared.edit, *lines])


def _shown(value: Shown) -> str:
    return value.value if isinstance(value, Missing) else numerals.array(value, _WIDTH)


def _compare(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    if debugger.state.predict is not None:
        raise CommandError("whole gradients are hidden in predict mode", hint="predict off")
    found = debugger.comparison
    return "nothing has been changed: set w 0.9 would" if found is None else table(found)


ROWS = (Command("compare", "compare", "loss and gradient before the edits and after", _compare),)
