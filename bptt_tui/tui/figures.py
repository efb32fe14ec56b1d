"""Numbers in columns: text from `numerals`, cut to a width and lined up at the decimal point.

Only text is handled here; the digits themselves come from `bptt_tui.calculus.numerals`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bptt_tui.calculus import norms, numerals
from bptt_tui.debugger.view import NOT_YET, Missing, Shown, Value
from bptt_tui.tui.ink import fitted

NOT_YET_MARK = "·"
NOTHING_LEFT = "[…]"  # of an array in a few cells
_UNBOUNDED = 1_000_000

_LEADING_ZERO = re.compile(r"(?<![\d.])0(?=\.\d)")


def figure(value: Value, width: int) -> str:
    """The value in at most `width` cells: fewer digits, then `.5` for `0.5`, then the middle elided."""
    text = ""
    digits = (6, 5, 4, 3, 2, 1) if value.ndim == 0 else (4, 3, 2, 1) if value.ndim == 1 else (3, 2)
    if value.size <= width:
        for count in digits:
            text = numerals.array(value, _UNBOUNDED, count)
            for attempt in (text, _LEADING_ZERO.sub("", text) if value.ndim else text):
                if len(attempt) <= width:
                    return attempt
    return _ends(value, width) if value.ndim else fitted(text, width)


def _ends(value: Value, width: int) -> str:
    """An array by as many of its first entries as fit and its last: `[.1 .2 … .9]`, a matrix by its corners."""
    for digits in (3, 2, 1):
        if value.ndim == 1:
            text = _LEADING_ZERO.sub("", numerals.array(value, width, digits))
            if len(text) <= width:
                return text
        corners = [float(value.flat[at]) for at in (0, -1)]
        if any(corners) or not value.any():
            text = " … ".join(numerals.number(corner, digits) for corner in corners)
        else:
            text = f"… {numerals.number(numerals.farthest(value), digits)} …"
        text = _LEADING_ZERO.sub("", f"[{text}]")
        if len(text) <= width:
            return text
    return NOTHING_LEFT


def shown(value: Shown, width: int) -> str:
    """A value, or why there is none."""
    if isinstance(value, Missing):
        return fitted("not yet", width).rstrip() if value is NOT_YET else value.value
    return figure(value, width)


def listed(vector: Value, width: int) -> list[str]:
    """All entries of a vector in columns, in lines of at most `width` cells, the first with a bracket."""
    texts = [numerals.number(float(entry), 4) for entry in vector]
    column = max((len(text) for text in texts), default=0) + 1
    across = max((width - 1) // column, 1)
    lines = ["".join(text.rjust(column) for text in texts[at : at + across]) for at in range(0, len(texts), across)]
    return [
        ("[" if at == 0 else " ") + line[1:] + ("]" if at == len(lines) - 1 else "") for at, line in enumerate(lines)
    ]


def norm(value: Value) -> Value:
    """‖·‖ of all entries."""
    return norms.norm(value, value.ndim)


def signed(text: str) -> str:
    """A number with its sign in a column of its own, so that digits stand under digits; an array has no such column."""
    return text if text.startswith(("-", "[")) else f" {text}"


def at_the_point(texts: Sequence[str]) -> list[str]:
    """The texts padded on the left so that decimal points (or the ends of integers) stand under each other.

    Texts that are no plain number (vectors, words) start where the numbers start.
    """
    before = [_before_point(text) for text in texts]
    room = max((cells for cells in before if cells is not None), default=0)
    return [
        " " * (room - cells) + text if cells is not None else text for text, cells in zip(texts, before, strict=True)
    ]


def _before_point(text: str) -> int | None:
    """Cells left of the decimal point, None for a text that is not one number."""
    match = re.match(r"-?(\d+|inf|nan)", text)
    return None if match is None else match.end()


def squeezed(value: Value) -> Value:
    """A Jacobian of one row as the row it is, one of a single entry as a number."""
    if value.size == 1:
        return value.reshape(())
    return value[0] if value.ndim == 2 and value.shape[0] == 1 else value
