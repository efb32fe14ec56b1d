"""The totals of a session: loss, gradient and contributions as JSON or as a table, and against `expected`.

    E = Σ losses        ∂E/∂p        ∂E/∂p_t for every use that exists, in time order

Both texts come in pieces, made as they are asked for: the terms of a large weight matrix at a thousand
timesteps would not fit in memory together. `differences` compares with the totals a session file carries,
each entry by itself and relative to what is expected, so an expected zero must be exactly zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from bptt_tui.calculus.numerals import for_json
from bptt_tui.errors import SessionError
from bptt_tui.language.sanitise import visible
from bptt_tui.session.session import Session
from bptt_tui.session.values import shape_of

DIGITS = 10  # of the table; JSON has them all
SHOWN = 6  # entries of a row, and rows of a matrix, that the table shows
INDENT = "  "


def as_json(session: Session) -> Iterator[str]:
    """The totals as one JSON object, in pieces.

        {"loss": E, "gradient": {name: …}, "contributions": {name: [{"t": 0, "value": …}, …]}}

    Every float is the shortest text that reads back the same. JSON has no NaN or infinity; they become the
    texts "NaN", "Infinity" and "-Infinity". Where numbers go wrong there is one more field:

        "flags": [{"kind": "overflow", "phase": "forward", "node": "z", "t": 3}, …]
    """
    trace = session.trace()
    yield f'{{\n{INDENT}"loss": {_json(trace.loss)},\n{INDENT}"gradient": {{'
    for i, (name, total) in enumerate(trace.gradient.items()):
        yield f"{_entry(i, name)}{_json(total.tolist())}"
    yield f'\n{INDENT}}},\n{INDENT}"contributions": {{'
    for i, name in enumerate(trace.gradient):
        yield f"{_entry(i, name)}["
        for k, t in enumerate(trace.uses(name)):
            value = _json(trace.contribution(name, t).tolist())
            yield f'{", " if k else ""}{{"t": {t}, "value": {value}}}'
        yield "]"
    flags = [{"kind": f.kind, "phase": f.phase, "node": f.name, "t": f.t} for f in trace.troubles]
    yield f"\n{INDENT}}}"
    if flags:
        yield (
            f',\n{INDENT}"flags": [' + ",".join(f"\n{INDENT * 2}{json.dumps(flag)}" for flag in flags) + f"\n{INDENT}]"
        )
    yield "\n}\n"


def as_table(session: Session) -> Iterator[str]:
    """The same for reading: a block per parameter, one row per use and their sum, decimal points aligned.

    A note says where numbers go wrong first.
    """
    trace = session.trace()
    loss = visible(session.network().loss_name)
    over = "" if session.loss.at == "last" else f"   ({session.loss.reduction} over the loss steps)"
    if session.title:
        yield f"{visible(session.title)}\n"
    yield f"{loss} = {_number(trace.loss)}{over}\n"
    for trouble in trace.troubles:
        yield f"note: {visible(str(trouble))}\n"
    for name, total in trace.gradient.items():
        rows = [row for t in trace.uses(name) for row in _rows(f"t = {t}", trace.contribution(name, t))]
        lines = _aligned([*rows, *_rows("Σ", total)])
        yield "\n".join(["", f"∂{loss}/∂{visible(name)}", *lines, ""])


def differences(session: Session) -> list[str]:
    """Where the trace is not what the session's `expected` says, one sentence each; empty when it all holds.

    Raises SessionError where `expected` names no parameter, or gives it another shape.
    """
    expected = session.expected
    if expected is None:
        return []
    trace = session.trace()
    found = []
    if expected.loss is not UNSET:
        found += _compared("the loss", float(trace.loss), expected.loss, expected.tolerance)
    for name, want in expected.gradient.items():
        place = f"expected.gradient.{name}"
        if name not in trace.gradient:
            hint = "parameters are " + ", ".join(trace.gradient)
            raise SessionError("there is no parameter of this name", hint=hint, places=(session.name, place))
        total = trace.gradient[name]
        if shape_of(want) != total.shape:
            reason = f"shape {shape_of(want)} where the parameter has shape {total.shape}"
            raise SessionError(reason, places=(session.name, place))
        found += _compared(f"∂E/∂{name}", total.tolist(), want, expected.tolerance)
    return found


def _compared(label: str, got: Any, want: Any, tolerance: float) -> list[str]:
    if isinstance(want, list):
        pairs = enumerate(zip(got, want, strict=True))
        return [line for i, (g, w) in pairs for line in _compared(f"{label}[{i}]", g, w, tolerance)]
    difference = abs(got - want)
    if difference <= tolerance * abs(want):  # false for a NaN
        return []
    relative = f", relative difference {difference / abs(want):.3g}, tolerance {tolerance:g}" if want else ""
    return [f"{label} is {got!r}, expected {want!r}{relative}"]


def _entry(i: int, name: str) -> str:
    """The beginning of the `i`-th field of an object, on a line of its own."""
    return f"{',' if i else ''}\n{INDENT * 2}{json.dumps(name, ensure_ascii=False)}: "


def _json(value: Any) -> str:
    return json.dumps(for_json(value))


def _rows(label: str, value: NDArray[np.float64]) -> Iterator[tuple[str, list[str]]]:
    """A value's rows of printed entries, the label beside the first: one row for a scalar or vector."""
    rows = np.atleast_2d(value)
    for i, row in enumerate(rows[:SHOWN]):
        more = [f"… {len(row)} entries"] if len(row) > SHOWN else []
        yield "" if i else label, [*map(_number, row[:SHOWN].tolist()), *more]
    if len(rows) > SHOWN:
        yield "", [f"… {len(rows)} rows"]


def _number(value: float) -> str:
    return f"{value:.{DIGITS}g}"


def _aligned(rows: list[tuple[str, list[str]]]) -> list[str]:
    """Rows of (label, entries), the labels padded and the decimal points of every column under each other."""
    label_width = max(len(label) for label, _ in rows)
    columns = max(len(entries) for _, entries in rows)
    whole = [max((_whole(row[i]) for _, row in rows if i < len(row)), default=0) for i in range(columns)]
    width = [
        max((whole[i] - _whole(row[i]) + len(row[i]) for _, row in rows if i < len(row)), default=0)
        for i in range(columns)
    ]
    lines = []
    for label, entries in rows:
        cells = [(" " * (whole[i] - _whole(entry)) + entry).ljust(width[i]) for i, entry in enumerate(entries)]
        lines.append(f"{INDENT}{label.ljust(label_width)}   {'   '.join(cells)}".rstrip())
    return lines


def _whole(text: str) -> int:
    """The cells before the decimal point; none for a remark such as `… 128 entries`."""
    return 0 if text.startswith("…") else len(text.partition(".")[0].partition("e")[0])
