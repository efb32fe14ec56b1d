"""Paths that are missing as a whole: through which node, or over which edge, what lacks would flow."""

from __future__ import annotations

import numpy as np

from bptt_tui.derivation.judging.candidates import oriented
from bptt_tui.derivation.judging.samples import Key, Stack
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Part, Truth

# In a longer chain the paths through every node would take too long to add up.
MAX_EDGES = 800


def paths_missing(total: Stack, part: Part, truth: Truth) -> str:
    """The node or edge whose paths are all of what `total` lacks of the contribution; "" where there is none."""
    if not np.any(total[1:]) or truth.above is None or part.below is None:
        return ""
    gap = part.value - total
    samples, spelling = truth.samples, truth.spelling
    edges = truth.edges(part.below)
    if len(edges) > MAX_EDGES:
        return ""
    # Paths part and meet at states, at losses, and where the use itself is read.
    crossings = {*samples.states, samples.network.loss_name}
    crossings |= {spelling.ends(edge)[0][0] for edge in edges if spelling.ends(edge)[1] == part.below}
    nodes = dict.fromkeys(key for edge in edges for key in spelling.ends(edge) if key[0] in crossings)
    for key in nodes:
        if key != part.below and samples.key(*key) != truth.above:
            through = np.matmul(samples.partial(truth.above, key), samples.partial(key, part.below))
            if _closes(gap, through, part.below, truth):
                return spelling.name(key)
    for edge in edges:
        above, below = spelling.ends(edge)
        if crossings & {above[0], below[0]}:
            upper = np.matmul(samples.partial(truth.above, above), samples.jacobian(edge))
            if _closes(gap, np.matmul(upper, samples.partial(below, part.below)), part.below, truth):
                return spelling.edge(edge)
    return ""


def _closes(gap: Stack, through: Stack, below: Key, truth: Truth) -> bool:
    fitted = truth.matched(oriented(through, truth.evaluator.reading.layout, truth.samples.shape(below[0])))
    return fitted is not None and bool(np.any(fitted)) and bool(close(gap, fitted)[1:].all())
