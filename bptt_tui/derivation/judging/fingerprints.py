"""The values that known slips lead to: the true derivation with one mistake made throughout.

A wrong number says nothing of how it came about, but each slip leaves its own: for ∂E/∂w of the question, −0.729768 is
f′ left out of the recurrence, −0.786865 is w left out of the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bptt_tui.derivation.judging.candidates import oriented, slope_of
from bptt_tui.derivation.judging.diagnosis import is_slope
from bptt_tui.derivation.judging.samples import Edge, Key, Stack, Sweep
from bptt_tui.derivation.judging.slips import slip
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.derivation.judging.verdict import Slip
from bptt_tui.errors import BpttError
from bptt_tui.language import Name
from bptt_tui.language.labels import few

Weigh = Callable[[Edge, int], "Stack | None"]

MAX_STEPS = 40


def fingerprints(truth: Truth) -> Iterator[tuple[Slip, Stack]]:
    """Slips and the values they give, the commonest first; made one by one."""
    if truth.above is None or truth.below is None:
        return
    parts = truth.parts
    if truth.is_whole and len(parts) > 1:
        yield from _forgotten(truth, parts)
    if truth.samples.unrolled.steps <= MAX_STEPS:
        yield from _mutated(truth, parts)
    yield slip("sign"), -truth.value
    for count in sorted({2, len(parts), len(truth.samples.unrolled.loss_times)}):
        if count > 1:
            kind = "mean for sum" if count == len(parts) else "doubled"
            yield slip(kind, count=str(count), ratio=f"1/{count} of"), truth.value / count
            yield slip("doubled", ratio="twice" if count == 2 else f"{count} times"), truth.value * count
    if truth.is_whole and len(parts) > 1:
        for part in parts:
            yield slip("use twice", written=part.of), truth.value + part.value


def _forgotten(truth: Truth, parts: tuple[Part, ...]) -> Iterator[tuple[Slip, Stack]]:
    first, last = parts[0], parts[-1]
    state = few([truth.spelling.name(key) for key in _held(truth, last)])
    rest = [part.of for part in parts[:-1]]
    way = f", which {'reaches' if len(rest) == 1 else 'reach'} the loss through {state or 'the states'}"
    if len(truth.samples.unrolled.loss_times) > 1:
        way = ""  # there are losses at their own timesteps too
    yield slip("only the last step", missing=few(rest), verb=_verb(rest), way=way), last.value
    rest = [part.of for part in parts[1:]]
    yield slip("only the deepest path", missing=few(rest), verb=_verb(rest)), first.value
    for part in parts:
        initial = _initial(truth, part) if part is first else ""
        if initial:
            yield slip("initial state", missing=part.of, initial=initial), truth.value - part.value
        else:
            yield slip("term missing", missing=part.of), truth.value - part.value


def _held(truth: Truth, part: Part) -> list[Key]:
    t = part.t or 0
    return [(name, t - 1) for name in sorted(truth.samples.states) if truth.samples.exists(name, t - 1)]


def _initial(truth: Truth, part: Part) -> str:
    """The initial value that the local partial of the first use is made of."""
    samples, spelling = truth.samples, truth.spelling
    assert part.below is not None
    for edge in truth.edges(part.below):
        if edge[2].name == part.below[0] and edge[1] == part.t:
            for by in samples.network.reads[edge[0]]:
                t = edge[1] + (by.offset or 0)
                if t < 0 and spelling.name((by.name, t)) in spelling.formula(edge):
                    return spelling.name((by.name, t))
    return ""


def _mutated(truth: Truth, parts: tuple[Part, ...]) -> Iterator[tuple[Slip, Stack]]:
    """The chain rule with one kind of edge changed wherever it occurs."""
    samples, spelling = truth.samples, truth.spelling
    steps = [edge for part in parts if part.below is not None for edge in truth.edges(part.below)]
    slopes = [edge for edge in steps if is_slope(samples, edge) and spelling.ends(edge)[0][0] in samples.states]
    weights = [
        edge
        for edge in steps
        if (edge[2].offset or 0) < 0 and spelling.formula(edge) in samples.unrolled.values.parameters
    ]
    mutations: list[tuple[Slip, Weigh]] = []
    if slopes:
        above, below = spelling.ends(slopes[0])
        names = {
            "due": spelling.equality(slopes[0]),
            "above": spelling.name(above),
            "below": spelling.name(below),
            "inside": spelling.name(below),
            "function": slope_of(samples, slopes[0]),
        }
        keys = {(edge[0], edge[2]) for edge in slopes}
        found = slip("slope missing", where="in the recurrence ", **names)
        mutations.append((found, _flattened(truth, keys, later=True)))
        everywhere = slip("slope missing", where="everywhere ", **names)
        mutations.append((everywhere, _flattened(truth, keys, later=False)))
    if weights:
        above, below = spelling.ends(weights[0])
        names = {"due": spelling.equality(weights[0]), "above": spelling.name(above), "below": spelling.name(below)}
        keys = {(edge[0], edge[2]) for edge in weights}
        mutations.append((slip("weight missing", **names), _flattened(truth, keys, later=False)))
    for shift in (1, -1):
        found, weigh = _moved(truth, shift)
        if weigh is not None:
            mutations.append((found, weigh))
    for found, weigh in mutations:
        value = _summed(truth, parts, weigh)
        if value is not None:
            yield found, value


def _flattened(truth: Truth, keys: set[tuple[int, Name]], *, later: bool) -> Weigh:
    """Edges of these equations count as 1, all of them or those of later timesteps than the use."""

    def weigh(edge: Edge, use: int) -> Stack | None:
        if (edge[0], edge[2]) not in keys or (later and edge[1] <= use):
            return None
        jacobian = truth.samples.jacobian(edge)
        rows, columns = jacobian.shape[1:]
        return np.broadcast_to(np.eye(rows, columns), jacobian.shape) if rows == columns else None

    return weigh


def _moved(truth: Truth, shift: int) -> tuple[Slip, Weigh | None]:
    """The use's own edge at a neighbouring timestep: s_t where s_{t−1} belongs."""
    samples, spelling = truth.samples, truth.spelling
    below = truth.below
    assert below is not None
    name = below[0]
    last = truth.parts[-1]
    use_edges = [edge for edge in truth.edges(last.below) if edge[2].name == name] if last.below is not None else []
    if name not in samples.unrolled.values.parameters or not use_edges:
        return slip("sign"), None
    edge = use_edges[0]
    reads = [
        by
        for by in samples.network.reads[edge[0]]
        if by.name != name and by.name not in samples.unrolled.values.parameters
    ]
    if len(reads) != 1:
        return slip("sign"), None
    (by,) = reads
    t = edge[1] + (by.offset or 0)
    written, due = spelling.name((by.name, t + shift)), spelling.name((by.name, t))

    def weigh(at: Edge, _use: int) -> Stack | None:
        if (at[0], at[2]) != (edge[0], edge[2]):
            return None
        try:
            value = samples.value(by.name, at[1] + (by.offset or 0) + shift)
            own = samples.value(by.name, at[1] + (by.offset or 0))
        except BpttError:
            return np.zeros_like(samples.jacobian(at))
        jacobian = samples.jacobian(at)
        if own.shape[1:] != (1, 1) or jacobian.shape[1:] != (1, 1) or not np.allclose(jacobian, own):
            return None
        return value

    return slip("index off by one", written=written, due=due, shift="one"), weigh


def _summed(truth: Truth, parts: tuple[Part, ...], weigh: Weigh) -> Stack | None:
    """The left side with edges weighed otherwise."""
    samples = truth.samples
    assert truth.above is not None
    total: Stack | None = None
    for part in parts:
        if part.below is None or part.below[1] is None:
            return None
        use = part.below[1]

        def weight(edge: Edge, use: int = use) -> Stack:
            changed = weigh(edge, use)
            return samples.jacobian(edge) if changed is None else changed

        sweep = Sweep(samples, truth.above, samples.passes(truth.above, truth.mode), weight)
        value = oriented(sweep.at(part.below), truth.evaluator.reading.layout, samples.shape(part.below[0]))
        fitted = truth.matched(value)
        if fitted is None:
            return None
        total = fitted if total is None else total + fitted
    return total


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
