"""What is wrong with one product: the smallest change of one factor that makes it what it should be.

The change is searched for by numbers: a factor left out, put in, replaced, transposed, moved, or taken at another
timestep, such that the product is right at every draw. Nothing is guessed from how the formula looks; looks only decide
between changes that all make it right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bptt_tui.derivation.judging import rearrangements as own
from bptt_tui.derivation.judging import substitutions as other
from bptt_tui.derivation.judging.candidates import Candidate
from bptt_tui.derivation.judging.edits import Edit
from bptt_tui.derivation.judging.every_step import every_step
from bptt_tui.derivation.judging.trial import Trial

Step = Callable[[Trial], Iterator[Edit]]

# What is tried together, the plainest first; the later ones only where a search is thorough.
_PLAIN: tuple[tuple[Step, ...], ...] = (
    (own.as_a_whole,),
    (own.one_dropped, own.turned, own.shifted, own.made_diagonal, own.repowered),
)
_THOROUGH: tuple[tuple[Step, ...], ...] = (
    (other.edges_inserted,),
    (every_step,),
    (
        other.inserted,
        other.replaced,
        other.two_inserted,
        other.two_slopes_inserted,
        other.slopes_replaced,
        own.shifted_on,
    ),
    (own.joined_otherwise, own.two_dropped, own.shifted_far, own.put_elsewhere),
)
# By the change that helped a term, what to try on its sibling.
_AGAIN: dict[str, Step] = {
    "sign": own.as_a_whole, "scale": own.as_a_whole, "extra": own.one_dropped, "doubled": own.one_dropped,
    "transposed": own.turned, "order": own.turned, "turned": own.turned, "shifted": own.shifted,
    "join": own.joined_otherwise, "power": own.repowered, "missing": other.inserted, "replaced": other.replaced,
}  # fmt: skip


def repaired(trial: Trial, *, thorough: bool, like: Edit | None = None) -> Edit | None:
    """The most natural change, None where no single one helps. `like` is the change that helped a sibling of this
    term, which is tried first; not `thorough`: only what needs no candidates."""
    if not trial.product.stacks:
        return None
    with np.errstate(all="ignore"):
        if like is not None:
            found = _alike(trial, like)
            if found is not None:
                return found
        for stage in (*_PLAIN, *_THOROUGH) if thorough else _PLAIN:
            found = min((edit for step in stage for edit in step(trial)), key=lambda edit: edit.cost, default=None)
            if found is not None:
                return found
    return None


def completed(trial: Trial, links: list[Candidate]) -> Edit | None:
    """One of these factors put in, where that is all that is missing."""
    if not trial.product.stacks:
        return None
    with np.errstate(all="ignore"):
        return min(other.inserted(trial.limited(pool=links)), key=lambda edit: edit.cost, default=None)


def _places(trial: Trial, edit: Edit) -> Sequence[int]:
    """The factors that stand where the one concerned stood: of sums and products over time, in whichever place."""
    factors = trial.product.term.factors
    if edit.at != (0, 0):
        alike = [index for index, factor in enumerate(factors) if factor.formula.span == edit.at]
        if alike:
            return alike
    return range(edit.index, min(edit.index + 1, len(trial.product.stacks)))


def _alike(trial: Trial, edit: Edit) -> Edit | None:
    """The same change again: of the same factor, with a candidate of the same equation."""
    step = _AGAIN.get(edit.change)
    if step is None:
        return None
    if edit.change not in ("missing", "order", "turned"):
        trial = trial.limited(places=_places(trial, edit))
    if edit.due is not None:
        due = edit.due
        alike = [c for c in trial.pool_like(due) if c.kind == due.kind and other.relation(c) == other.relation(due)]
        trial = trial.limited(pool=alike)
    return min((e for e in step(trial) if e.change == edit.change), key=lambda e: e.cost, default=None)
