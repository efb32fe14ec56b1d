"""Why a member is wrong: looked for in every reading it fits in, and told in the one that leaves the least open."""

from __future__ import annotations

import numpy as np

from bptt_tui.derivation.formulas.tree import Formula
from bptt_tui.derivation.judging.alignment import align
from bptt_tui.derivation.judging.comparison import Compared
from bptt_tui.derivation.judging.edits import Budget
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.report import Explanation, explained
from bptt_tui.derivation.judging.rows import Alignment
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.truth import Truth

# How many readings of a wrong formula are looked into for a reason.
MAX_READINGS = 6


def explain(
    left: Formula, member: Formula, compared: Compared, evaluator: Evaluator, spelling: Spelling
) -> Explanation | None:
    """The best explanation over the readings: the one with the fewest terms left without a reason. None where the
    member cannot be evaluated in any."""
    best: tuple[tuple[int, int, bool, float], Truth, Stack | None, Alignment] | None = None
    fitting = _distinct(sorted(compared.fitting, key=lambda pair: pair[1] is None))
    # With all other states held a partial may be 0, which is no reading to look for a reason in.
    fitting = [pair for pair in fitting if np.any(pair[0].value)] or fitting
    known = [pair for pair in fitting if pair[1] is not None]
    readings = compared.readings
    tried = known or fitting or [(Truth(left, evaluator.read_as(readings[0]), spelling), None)]
    if not fitting:
        tried += [(Truth(left, evaluator.read_as(r), spelling), None) for r in readings[1:] if not r.modes]
    budget = Budget()
    for thorough in (False, True):
        for truth, fitted in tried[: MAX_READINGS - 2 * thorough]:
            try:
                alignment = align(member, truth, budget, thorough=thorough)
            except Misfit:
                continue
            cost = (*alignment.cost[:2], fitted is None, alignment.cost[2])
            if best is None or cost < best[0]:
                best = cost, truth, fitted, alignment
            if alignment.found and alignment.plain and (cost[1] <= 1 or thorough) and not _hasty(alignment, tried):
                break
        if best is not None and best[3].found and (thorough or not _hasty(best[3], tried)):
            break
    if best is None:
        return None
    _, truth, fitted, alignment = best
    return explained(member, truth, fitted, alignment)


def _hasty(alignment: Alignment, tried: list[tuple[Truth, Stack | None]]) -> bool:
    """Whether a term too many is all that was found, where in another reading it may be one with a slip."""
    return len(tried) > 1 and any(row.fault == "extra" for row in alignment.rows)


def _distinct(fitting: list[tuple[Truth, Stack | None]]) -> list[tuple[Truth, Stack | None]]:
    """The readings without those that give the same value for the same truth as one before in the same layout."""
    kept: list[tuple[Truth, Stack | None]] = []
    for truth, value in fitting:
        layout = truth.evaluator.reading.layout
        others = [
            v
            for other, v in kept
            if other.evaluator.reading.layout == layout and np.array_equal(other.value, truth.value, equal_nan=True)
        ]
        twins = (v is not None and value is not None and np.array_equal(v, value, equal_nan=True) for v in others)
        if not any(twins):
            kept.append((truth, value))
    return kept
