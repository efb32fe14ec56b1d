"""What `bptt-tui verify` says: how many entries agree, which is the worst, and every one that differs.

∂E/∂W[1][2]     an entry of the gradient: all uses of W nudged together
∂E/∂W₃[1][2]    an entry of one contribution: the use at t = 3 nudged alone
"""

from __future__ import annotations

import json
from typing import Any

from bptt_tui.calculus.numerals import for_json
from bptt_tui.derivation.naming import Naming
from bptt_tui.language.sanitise import visible
from bptt_tui.session import Session
from bptt_tui.trace.verify import STATUSES, Check, Report

LISTED = 20
_HOW = {
    "complex step": "complex step: the slope of the loss, exact to rounding",
    "central difference": "central differences, as not every operation is analytic",
}


def as_table(session: Session, report: Report) -> str:
    """A row of counts for every parameter, the worst entry, up to 20 entries that differ, and the verdict."""
    naming = Naming(session.trace().unrolled)
    parameters = list(session.trace().gradient)
    heads = ["", *STATUSES]
    rows = [[f"∂{naming.total()}/∂{name}", *(str(report.count(s, name)) for s in STATUSES)] for name in parameters]
    rows.append(["all", *(str(report.count(status)) for status in STATUSES)])
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [visible(session.title)] if session.title else []
    lines.append(_HOW[report.method])
    lines.append("")
    for row in [heads, *rows]:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("   ".join([row[0].ljust(widths[0]), *cells]))
    lines.append("")
    if report.skipped:
        lines.append(f"skipped: {report.skipped} entries; --budget takes more evaluations of the loss")
    if report.worst is not None:
        lines.append(f"worst: {_sentence(naming, report.worst)}")
    lines += [f"differs: {_sentence(naming, check)}" for check in report.failing[:LISTED]]
    if len(report.failing) > LISTED:
        lines.append(f"differs: {len(report.failing) - LISTED} more")
    lines += [f"note: {trouble}" for trouble in session.trace().troubles]
    lines.append(_verdict(report))
    return "\n".join(lines)


def as_json(session: Session, report: Report) -> str:
    """The same for programs; `t` is null for an entry of the gradient, a timestep for one of a contribution."""
    document = {
        "holds": report.holds,
        "method": report.method,
        "counts": {status: report.count(status) for status in STATUSES},
        "parameters": {
            name: {status: report.count(status, name) for status in STATUSES} for name in session.trace().gradient
        },
        "skipped": report.skipped,
        "worst": None if report.worst is None else _fields(report.worst),
        "differs": [_fields(check) for check in report.failing],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _verdict(report: Report) -> str:
    if report.failing:
        return "the gradient does not hold"
    if report.holds:
        return "the gradient holds" if report.checks else "there is no gradient to verify"
    return "nothing could be compared: the gradient is neither confirmed nor refuted"


def _sentence(naming: Naming, check: Check) -> str:
    """`∂E/∂w₁ is -0.55, nudging says -0.6: relative error 0.08`."""
    return (
        f"{_place(naming, check)} is {check.derived!r}, nudging says {check.nudged!r}: relative error {check.error:.3g}"
    )


def _place(naming: Naming, check: Check) -> str:
    name = check.parameter if check.t is None else naming.use(check.parameter, check.t)
    return naming.partial(naming.total(), name) + "".join(f"[{i}]" for i in check.entry)


def _fields(check: Check) -> dict[str, Any]:
    return {
        "parameter": check.parameter,
        "t": check.t,
        "entry": list(check.entry),
        "derived": for_json(check.derived),
        "nudged": for_json(check.nudged),
        "error": for_json(check.error),
    }
