"""Side by side in one process: two functions in turn, the ratio pair by pair, medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the report. Times in milliseconds; `goal` is the largest ratio that meets it, None for
    information."""

    what: str
    ours: float | None
    other: float | None
    ratio: float
    goal: float | None
    unit: str = "ms"

    def text(self) -> str:
        ours = "" if self.ours is None else f"{self.ours:.4g} {self.unit}"
        other = "" if self.other is None else f"{self.other:.4g} {self.unit}"
        goal = "" if self.goal is None else f"≤ {self.goal:g}"
        met = "" if self.goal is None else ("yes" if self.ratio <= self.goal else "NO")
        return f"{self.what:<58}{ours:>14}{other:>14}{self.ratio:>9.3f}  {goal:<8}{met}"


HEADER = f"{'what':<58}{'ours':>14}{'other':>14}{'ratio':>9}  {'goal':<8}met"


QUIET = 0.05  # seconds before each timed call: OpenMP's threads spin for a while after a call, on the other's core


def seconds(run: Callable[[], Any]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _seconds_alone(run: Callable[[], Any]) -> float:
    time.sleep(QUIET)
    return seconds(run)


def side_by_side(
    what: str, ours: Callable[[], Any], other: Callable[[], Any], goal: float | None, pairs: int, warm: int = 2
) -> Row:
    """`pairs` runs of each in turn after `warm` uncounted ones; the ratio is the median of the pairs' ratios."""
    return paired(what, partial(_seconds_alone, ours), partial(_seconds_alone, other), goal, pairs, warm)


def paired(
    what: str, ours: Callable[[], float], other: Callable[[], float], goal: float | None, pairs: int, warm: int = 2
) -> Row:
    """The same for functions that say themselves how many seconds it took."""
    for _ in range(warm):
        ours()
        other()
    timed = [(ours(), other()) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in timed)
    return Row(
        what,
        1e3 * statistics.median(a for a, _ in timed),
        1e3 * statistics.median(b for _, b in timed),
        ratio,
        goal,
    )
