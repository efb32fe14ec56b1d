"""The two sides of an equality compared, in one reading after another, up to one in which they agree for all values."""

from __future__ import annotations

from msgspec import Struct

from bptt_tui.derivation.formulas.tree import Formula
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.meanings import forms, modes, open_partials, sizes
from bptt_tui.derivation.judging.reading import Reading
from bptt_tui.derivation.judging.samples import Samples, Stack
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Truth

# What rounding may do to an identity, of the largest entry.
IDENTITY = 1e-9


class Compared(Struct):
    """Two sides in all their readings: what they are where they fit, the first misfit, and what holds."""

    readings: list[Reading]
    fitting: list[tuple[Truth, Stack | None]]
    misfit: Misfit | None = None
    holding: tuple[Truth, Stack] | None = None


def compare(left: Formula, member: Formula, evaluator: Evaluator, spelling: Spelling) -> Compared:
    """The two sides in one reading after another, up to one that holds."""
    compared = Compared(every_reading(left, member, evaluator.samples), [])
    for reading in compared.readings:
        try:
            truth = Truth(left, evaluator.read_as(reading), spelling)
            value = truth.evaluator.value(member)
        except Misfit as found:
            compared.misfit = compared.misfit or found
            continue
        fitted = truth.matched(value)
        compared.fitting.append((truth, fitted))
        if fitted is not None and is_identity(truth, fitted):
            compared.holding = truth, fitted
            break
    return compared


def is_identity(truth: Truth, value: Stack) -> bool:
    """Whether the member is the left side at every random draw."""
    agree = close(value, truth.value, truth.scale, IDENTITY)
    return bool(agree[1:].all()) if truth.samples.count > 1 else bool(agree.all())


def every_reading(left: Formula, member: Formula, samples: Samples) -> list[Reading]:
    """The readings that make sense for two sides, the plainest first."""
    found = []
    several = list(modes(open_partials(samples, left, member)))
    for layout, manner in forms(samples):
        found += [
            Reading(layout, manner, mode.default, mode.modes, size)
            for size in sizes(samples, member)
            for mode in several
        ]
    return found
