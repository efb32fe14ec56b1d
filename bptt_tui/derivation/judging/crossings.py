"""Paths that are missing as a whole: through which node, or over which edge, what lacks would flow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from bptt_tui.derivation.judging.candidates import oriented
from bptt_tui.derivation.judging.samples import Edge, Key, Stack, Sweep
from bptt_tui.derivation.judging.stacks import close, largest
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.language.labels import few

# In a longer chain the paths through every node would take too long to add up.
MAX_EDGES = 800
MAX_READERS = 6
PROBE = 7
# How far off the probe may be, of the largest entry times the direction: more than `close` allows for all entries.
PRECISION = 1e-6


def paths_missing(total: Stack, part: Part, truth: Truth, moments: Sequence[int] = ()) -> str:
    """The node or edge whose paths are all of what `total` lacks of the contribution; "" where there is none.
    `moments` are the timesteps of the terms that are there."""
    if not np.any(total[1:]) or truth.above is None or part.below is None or part.above is not None:
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
    probe = _Probe(gap, edges, part.below, truth)
    for key in nodes:
        if key == part.below or samples.key(*key) == truth.above:
            continue
        upper = samples.partial(truth.above, key)
        if probe.may_close(upper, key):
            through = np.matmul(upper, samples.partial(key, part.below))
            if _closes(gap, through, part.below, truth):
                return spelling.name(key)
    for edge in edges:
        above, below = spelling.ends(edge)
        if not crossings & {above[0], below[0]}:
            continue
        upper = samples.through(samples.partial(truth.above, above), edge)
        if probe.may_close(upper, below):
            through = np.matmul(upper, samples.partial(below, part.below))
            if _closes(gap, through, part.below, truth):
                return spelling.edge(edge)
    found = _all_but_one(total, part.below, truth)
    return found or next((names for names, value in ways(part, truth, moments) if close(total, value)[1:].all()), "")


def by_reader(part: Part, truth: Truth) -> list[tuple[str, str, Stack]]:
    """Of a node that several read, what flows through each: the reader, what it is called in a verdict, and how much;
    none where one alone reads it."""
    if truth.above is None or part.below is None or part.above is not None:
        return []
    edges = truth.edges(part.below)
    if len(edges) > MAX_EDGES:
        return []
    found = _through_readers(part.below, edges, truth)
    return [(truth.spelling.ends(edge)[0][0], _called(edge, truth), value) for edge, value in found.items()]


def ways(part: Part, truth: Truth, moments: Sequence[int]) -> Iterator[tuple[str, Stack]]:
    """What a contribution would be with some of its ways left out, and through what those lead: where one node is read
    by several some of them, of several losses all but one, and of what is read a timestep later some kinds at every
    step down from the latest of `moments`."""
    if truth.above is None or part.below is None or part.above is not None:
        return
    edges = truth.edges(part.below)
    if len(edges) > MAX_EDGES:
        return
    yield from _by_reader(part.below, edges, truth)
    loss = truth.samples.network.loss_name
    by_loss = {(loss, p.t): p.value for p in truth.loss_parts if np.any(p.value)} if part.below == truth.below else {}
    for key, value in by_loss.items() if len(by_loss) > 1 else ():
        yield few([truth.spelling.name(other) for other in by_loss if other != key]), value
    yield from _blocked(part, edges, truth, max(moments, default=truth.samples.unrolled.steps))


def _by_reader(below: Key, edges: Sequence[Edge], truth: Truth) -> Iterator[tuple[str, Stack]]:
    """Of several nodes that read what the left side is by, only the ways through some: ∂E/∂h₀ = ∂E/∂h₁ ⊙ z₁ of a gated
    network forgets that the gates read h₀ too."""
    found = _through_readers(below, edges, truth)
    for count in range(1, len(found)):
        for there in itertools.combinations(found, count):
            names = [_called(edge, truth) for edge in found if edge not in there]
            yield few(names), np.sum([found[edge] for edge in there], axis=0)


def _called(edge: Edge, truth: Truth) -> str:
    """What paths lead through that begin with an edge: its reader, or, where that is the left side's own, the edge."""
    reader = truth.spelling.ends(edge)[0]
    is_top = truth.samples.key(*reader) == truth.above
    return truth.spelling.edge(edge) if is_top else truth.spelling.name(reader)


def _through_readers(below: Key, edges: Sequence[Edge], truth: Truth) -> dict[Edge, Stack]:
    """By edge to a node, what flows over it; empty where there is one, or more than can be tried."""
    samples, spelling = truth.samples, truth.spelling
    assert truth.above is not None
    found: dict[Edge, Stack] = {}
    # From one state straight to the next comes first: it is what is thought of.
    for edge in sorted(edges, key=lambda edge: edge[0] not in samples.state_equations):
        above, end = spelling.ends(edge)
        if end == below:
            way = samples.through(samples.partial(truth.above, above), edge)
            fitted = truth.matched(oriented(way, truth.evaluator.reading.layout, samples.shape(below[0])))
            if fitted is not None and np.any(fitted):
                found[edge] = fitted
    return found if 1 < len(found) <= MAX_READERS else {}


def _blocked(part: Part, edges: Sequence[Edge], truth: Truth, top: int) -> Iterator[tuple[str, Stack]]:
    """Without the edges of some kinds at every step up to `top`: what is read of the timestep before, and, of losses on
    the way, what is read for them."""
    samples, spelling = truth.samples, truth.spelling
    assert truth.above is not None and part.below is not None
    nodes = samples.network.index
    recurrent = list(dict.fromkeys(
        (equation, by) for equation, _, by in edges if (by.offset or 0) < 0 and by.name in nodes
    ))  # fmt: skip
    outputs = {
        (equation, by)
        for equation, _, by in edges
        if not (by.offset or 0) and by.name in samples.states and not samples.feeds(samples.network.targets[equation])
    }
    if len(recurrent) > MAX_READERS or len({t for _, t, _ in edges}) < 2:
        return
    single = [{kind} for kind in recurrent]
    choices = [*single, *(set(recurrent) - one for one in single)] if len(recurrent) > 1 else []
    if len(samples.unrolled.loss_times) > 1:
        choices = [set(), *choices]
    for choice in choices:
        wrong = {e for e in edges if (e[0], e[2]) in choice and e[1] <= top}
        if len(samples.unrolled.loss_times) > 1:
            wrong |= {e for e in edges if (e[0], e[2]) in outputs and e[1] < top}
        if not wrong:
            continue

        def weight(edge: Edge, wrong: set[Edge] = wrong) -> Stack:
            jacobian = samples.jacobian(edge)
            return np.zeros_like(jacobian) if edge in wrong else jacobian

        sweep = Sweep(samples, truth.above, samples.passes(truth.above, truth.mode), weight)
        value = oriented(sweep.at(part.below), truth.evaluator.reading.layout, samples.shape(part.below[0]))
        fitted = truth.matched(value)
        if fitted is not None and np.any(fitted) and not close(fitted, part.value).all():
            names = [spelling.edge(e) if e[0] in samples.state_equations else spelling.name(spelling.ends(e)[0])
                     for e in edges if e in wrong]  # fmt: skip
            yield few(list(dict.fromkeys(names))), fitted


def _all_but_one(total: Stack, below: Key, truth: Truth) -> str:
    """Of several ways that begin side by side, one alone is there: those to the other losses, or, beside the edge from
    the left side's numerator straight down, those through whatever else it reads."""
    samples = truth.samples
    assert truth.above is not None
    ways: dict[Key, Stack]
    if truth.above == samples.total_key:
        loss = samples.network.loss_name
        share = samples.traces[0].share
        ways = {(loss, t): share * samples.partial((loss, t), below) for t in samples.unrolled.loss_times}
    else:
        name, t = truth.above
        if t is None or truth.mode != "total":
            return ""
        ways = {
            end: np.matmul(samples.jacobian(edge), samples.partial(end, below)) for edge, end in samples.reads(name, t)
        }
    leading = {key: way for key, way in ways.items() if np.any(way)}
    for key, way in leading.items():
        if len(leading) > 1 and _closes(total, way, below, truth):
            return few([truth.spelling.name(other) for other in leading if other != key])
    return ""


class _Probe:
    """The gap along one random direction of what it is by: nearly all paths are ruled out by that, for a few products
    with a vector where the whole partial takes a sweep of its own."""

    def __init__(self, gap: Stack, edges: Sequence[Edge], below: Key, truth: Truth) -> None:
        samples = truth.samples
        rows = 1 if truth.above is None else math.prod(samples.shape(truth.above[0]))
        columns = math.prod(samples.shape(below[0]))
        # In another layout the entries of a matrix stand elsewhere, and along other paths partials are others.
        self._blind = truth.mode != "total" or gap[0].size != rows * columns or (rows > 1 and columns > 1)
        if self._blind:
            return
        along = np.random.default_rng(PROBE).uniform(0.5, 1.5, (columns, 1))
        flat = gap.reshape(len(gap), rows, columns)
        self._due = np.matmul(flat, along)
        self._slack = PRECISION * largest(gap)[:, None, None] * along.sum()
        self._rises: dict[Key, Stack] = {below: along}
        for edge in reversed(edges):  # from below upwards: whoever is read comes before the reader
            above, read = truth.spelling.ends(edge)
            if read in self._rises:
                rise = np.matmul(samples.jacobian(edge), self._rises[read])
                self._rises[above] = self._rises[above] + rise if above in self._rises else rise

    def may_close(self, upper: Stack, key: Key) -> bool:
        """Whether what flows through a node could be the gap; `upper` is the partial down to that node."""
        if self._blind or key not in self._rises:
            return True
        return bool((np.abs(np.matmul(upper, self._rises[key]) - self._due) <= self._slack)[1:].all())


def _closes(gap: Stack, through: Stack, below: Key, truth: Truth) -> bool:
    fitted = truth.matched(oriented(through, truth.evaluator.reading.layout, truth.samples.shape(below[0])))
    return fitted is not None and bool(np.any(fitted)) and bool(close(gap, fitted)[1:].all())
