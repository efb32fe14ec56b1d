"""What could belong into a term: the local partials on the way down, whole steps, gradients, and values.

Each candidate knows its value at every draw, so that a missing or wrong factor is found by numbers and called by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from bptt_tui.calculus.differentiation import evaluate, jacobian_value
from bptt_tui.calculus.operations import NOTATIONS, OPERATIONS
from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.derivation.judging.reading import Layout
from bptt_tui.derivation.judging.samples import Edge, Key, Samples, Stack
from bptt_tui.derivation.judging.stacks import is_one, one_hot, same
from bptt_tui.derivation.judging.truth import Part, Truth
from bptt_tui.errors import BpttError
from bptt_tui.language import Call, Expression, Name, Printer, calls, names
from bptt_tui.trace import Trace

Kind = Literal["edge", "inner", "step", "gradient", "value"]
# Whether a candidate of one of these kinds, of and by these, is asked for.
Wanted = Callable[[tuple[Kind, ...], Key | None, Key | None], bool]

MAX_CANDIDATES = 600
# Timesteps from which on only the edges near a term's own timesteps are looked at.
LONG = 100


class Candidate(Struct, frozen=True):
    """A factor that could be due: ∂above/∂below with what it is, or a value."""

    kind: Kind
    text: str
    formula: str
    value: Stack
    above: Key | None = None
    below: Key | None = None
    edge: Edge | None = None
    place: str = ""
    # Of a slope: the elementwise function, its argument and its result.
    function: str = ""
    before: Stack | None = None
    after: Stack | None = None

    @property
    def equality(self) -> str:
        """∂s₁/∂z₁ = 1 − s₁²."""
        return f"{self.text} = {self.formula}" if self.formula and self.formula != self.text else self.text


def oriented(value: Stack, layout: Layout, shape: tuple[int, int]) -> Stack:
    """A partial in numerator layout as `layout` has it; `shape` is that of what it is by."""
    if layout == "denominator":
        return value.transpose(0, 2, 1)
    if layout == "gradient" and value.shape[1] == 1:
        return value.reshape(len(value), *shape)
    return value


def candidates(truth: Truth, part: Part, moments: Iterable[int], like: Candidate | None = None) -> list[Candidate]:
    """What could belong into a term of `part`: its edges first, then whole steps and gradients near `moments`, then
    values. Factors that are 1 are left out, and so is what is the same at every draw as one before it.

    `like`: only those of the same kind and the same names, at whatever timesteps.
    """
    if truth.above is None or part.below is None:
        return []

    def wanted(kinds: tuple[Kind, ...], above: Key | None, below: Key | None) -> bool:
        return like is None or (like.kind in kinds and _names(like.above, like.below) == _names(above, below))

    near = {t + d for t in moments for d in (-1, 0, 1)}
    wide = part.value.shape[1:] != (1, 1)
    found: list[Candidate] = []
    inside: dict[str, Candidate] = {}
    for edge in truth.edges(part.below) if truth.samples.unrolled.steps <= LONG else truth.edges_at(near):
        if (wide and near and edge[1] not in near) or not wanted(("edge", "inner"), *truth.spelling.ends(edge)):
            continue
        if edge not in truth.candidates:
            truth.candidates[edge] = _on_edge(truth, edge)
        own, *more = truth.candidates[edge]
        found.append(own)
        for candidate in more:
            inside.setdefault(candidate.text, candidate)
    found += inside.values()
    found += _steps(truth, near, part, wanted)
    found += _values(truth, near, wanted)
    if wide and wanted(("value",), None, None):
        found += _multiplied(truth, near, part.below[0])
    kept = [c for c in found[:MAX_CANDIDATES] if not is_one(c.value)]
    return _distinct(kept) if wide else kept


def _names(*keys: Key | None) -> tuple[str, ...]:
    return tuple("" if key is None else key[0] for key in keys)


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """The first of those that are the same matrix at every draw."""
    seen: set[tuple[tuple[int, ...], bytes]] = set()
    kept = []
    for candidate in found:
        mark = candidate.value.shape, np.round(candidate.value[-1], 12).tobytes()
        if mark not in seen:
            seen.add(mark)
            kept.append(candidate)
    return kept


def _on_edge(truth: Truth, edge: Edge) -> list[Candidate]:
    """The local partial of an edge, then the factors inside it. One that is all of it tells whose slope it is."""
    own, *inside = of_edge(truth, edge), *_inner(truth, edge)
    if not own.function:
        for inner in inside:
            if inner.function and inner.value.shape == own.value.shape and same(inner.value, own.value):
                own = replace(own, function=inner.function, before=inner.before, after=inner.after)
                break
    return [own, *inside]


def within(truth: Truth, above: Key, below: Key) -> tuple[Candidate, ...]:
    """The slopes on all ways from one state to an earlier one, from the top."""
    samples, spelling = truth.samples, truth.spelling
    found: list[Candidate] = []
    for edge in truth.edges_at(range(below[1] or 0, (above[1] or 0) + 1)):
        start, end = spelling.ends(edge)
        if end[0] not in samples.network.index or end[1] is None or not np.any(samples.partial(above, start)):
            continue
        if not np.any(samples.partial(end, below)):
            continue
        if edge not in truth.candidates:
            truth.candidates[edge] = _on_edge(truth, edge)
        found += [c for c in truth.candidates[edge] if c.function and c.text not in {f.text for f in found}][:1]
    return tuple(found)


def of_edge(truth: Truth, edge: Edge) -> Candidate:
    """The local partial of an edge."""
    samples, spelling = truth.samples, truth.spelling
    above, below = spelling.ends(edge)
    value = oriented(samples.jacobian(edge), truth.evaluator.reading.layout, samples.shape(below[0]))
    place = spelling.place(above, below)
    function = slope_of(samples, edge)
    before, after = (samples.value(*below), samples.value(*above)) if function else (None, None)
    return Candidate(
        "edge", spelling.edge(edge), spelling.formula(edge), value, above, below, edge, place, function, before, after
    )


def slope_of(samples: Samples, edge: Edge) -> str:
    """The elementwise function whose slope an edge is, "" where it is something else."""
    expression = samples.network.equations[edge[0]].expression
    if not isinstance(expression, Call) or len(expression.arguments) != 1 or expression.operation == "neg":
        return ""
    simple = isinstance(expression.arguments[0], Name) and OPERATIONS[expression.operation].elementwise
    return expression.operation if simple else ""


def _inner(truth: Truth, edge: Edge) -> list[Candidate]:
    """The factors inside an edge whose equation does several things at once: of s = tanh(u·x + w·s[t-1]) the slope
    1 − s² and the weight w."""
    samples, spelling = truth.samples, truth.spelling
    equation, t, by = edge
    whole = samples.network.equations[equation]
    expression = whole.expression
    if not isinstance(expression, Call) or all(not isinstance(a, Call) for a in expression.arguments):
        return []
    printer = Printer(NOTATIONS, "unicode", spelling.naming.leaf(t))
    found: list[Candidate] = []
    above, below = spelling.ends(edge)
    place = spelling.place(above, below)
    turned = truth.evaluator.reading.layout == "denominator"
    for call, rows, columns, partial in _rules(expression, Name(whole.target, 0), by, samples.unrolled.shape_of):
        value = np.stack([jacobian_value(partial, _leaf(trace, t), rows, columns) for trace in samples.traces])
        value = value.transpose(0, 2, 1) if turned else value
        function, before, after = "", None, None
        operation = OPERATIONS[call.operation]
        if operation.elementwise and len(call.arguments) == 1 and call.operation != "neg":
            function = call.operation
            before = _columns(call.arguments[0], samples, t)
            after = _columns(call, samples, t)
        text = printer.print(partial)
        found.append(Candidate("inner", text, "", value, above, below, edge, place, function, before, after))
    return found


def _columns(expression: Expression, samples: Samples, t: int) -> Stack:
    """The value of part of an equation as a column, at every draw."""
    values = np.stack([evaluate(expression, _leaf(trace, t)) for trace in samples.traces])
    return values.reshape(len(values), -1, 1)


def _leaf(trace: Trace, t: int) -> Callable[[Name], Stack]:
    return lambda name: trace.value(name.name, t + (name.offset or 0))


def _rules(
    expression: Call, result: Expression, by: Name, shape_of: Callable[[Expression], Shape]
) -> Iterator[tuple[Call, int, int, Expression]]:
    """The partials of the operations between an expression and `by`: operation, rows, columns, formula."""
    operation = OPERATIONS[expression.operation]
    shapes = tuple(shape_of(argument) for argument in expression.arguments)
    for index, argument in enumerate(expression.arguments):
        rule = operation.partial(index)
        if rule is None or not any((n.name, n.offset or 0) == (by.name, by.offset or 0) for n in names(argument)):
            continue
        yield expression, size(shape_of(expression)), size(shapes[index]), rule(expression.arguments, result, shapes)
        if isinstance(argument, Call):
            yield from _rules(argument, argument, by, shape_of)


def _steps(truth: Truth, near: set[int], part: Part, wanted: Wanted) -> list[Candidate]:
    """∂s_t/∂s_{t−1}, ∂s_t/∂(what the part is by) and ∂E/∂node at the timesteps concerned."""
    samples, spelling = truth.samples, truth.spelling
    layout = truth.evaluator.reading.layout
    end = part.below
    assert end is not None
    pairs: list[tuple[Literal["step", "gradient"], Key, Key]] = []
    for t in sorted(near, reverse=True):
        for name in sorted(samples.states):
            for other in sorted(samples.states):
                # No step earlier than what the part is by can be on the way to it.
                if end[1] is not None and t - 1 < end[1]:
                    continue
                if samples.exists(name, t) and t >= 0 and samples.exists(other, t - 1):
                    pairs.append(("step", (name, t), (other, t - 1)))
        for name in samples.network.targets:
            if name == samples.network.loss_name or t < 0 or not samples.exists(name, t):
                continue
            if end[1] is not None and end[1] <= t and (name, t) != end:
                pairs.append(("step", (name, t), end))
            if truth.above == samples.total_key:
                pairs.append(("gradient", samples.total_key, (name, t)))
    if part.above is not None and part.above[1] is not None and end[1] is not None and part.above[1] > end[1] + 1:
        # From the loss's own timestep to the use's.
        top, low = part.above[1], end[1]
        pairs += [("step", (a, top), (b, low)) for a in sorted(samples.states) for b in sorted(samples.states)]
    found: list[Candidate] = []
    for kind, above, below in pairs:
        if not wanted((kind,), above, below):
            continue
        formula = _difference(truth, below) if kind == "gradient" else ""
        if (above, below) == (truth.above, end) and not formula:
            continue  # the left side itself is no reason
        try:
            value = oriented(samples.partial(above, below), layout, samples.shape(below[0]))
        except BpttError:
            continue
        text = spelling.partial(above, below)
        if np.any(value):
            found.append(Candidate(kind, text, formula, value, above, below, None, spelling.place(above, below)))
    return found


def differences(truth: Truth) -> list[Candidate]:
    """∂E/∂q = o − y at every loss step where it is that."""
    samples, spelling = truth.samples, truth.spelling
    found = []
    for t in samples.unrolled.loss_times:
        for above in samples.network.reads[samples.network.loss]:
            for _, key in samples.reads(above.name, t + (above.offset or 0)):
                formula = _difference(truth, key) if key[0] in samples.network.index else ""
                if formula:
                    value = samples.partial(samples.total_key, key)
                    text = spelling.partial(samples.total_key, key)
                    place = spelling.place(samples.total_key, key)
                    found.append(Candidate("gradient", text, formula, value, samples.total_key, key, place=place))
    return found


def _difference(truth: Truth, key: Key) -> str:
    """o − y, where that is what a gradient is: of softmax or sigmoid and the loss that goes with it."""
    samples, spelling = truth.samples, truth.spelling
    loss = samples.network.equations[samples.network.loss].expression
    if not isinstance(loss, Call) or len(loss.arguments) != 2:
        return ""
    ends: list[tuple[str, Stack]] = []
    for argument in loss.arguments:
        if not isinstance(argument, Name):
            return ""
        target = truth.evaluator.targets.get(argument.name)
        when = None if argument.offset is None else (key[1] or 0) + argument.offset
        try:
            value = samples.value(argument.name, when)
        except BpttError:
            return ""
        if target is not None and target.kind == "class":
            value = one_hot(value, target.classes)
        ends.append((spelling.name((argument.name, when)), value))
    (above, o), (below, y) = ends
    gradient = samples.partial(samples.total_key, key)
    if o.shape != y.shape or o[0].size != gradient[0].size or not same(gradient.reshape(o.shape), o - y):
        return ""
    return f"{above} − {below}"


def _multiplied(truth: Truth, near: set[int], parameter: str) -> list[Candidate]:
    """What a weight matrix is multiplied with, where that has no name of its own: concat(r₀ · h₋₁, x₀)."""
    samples, spelling = truth.samples, truth.spelling
    found = []
    for number, equation in enumerate(samples.network.equations):
        for product in calls(equation.expression):
            if product.operation != "matmul":
                continue
            matrix, other = product.arguments
            if isinstance(other, Name) or parameter not in {name.name for name in names(matrix)}:
                continue
            for t in sorted(near, reverse=True):
                if t >= 0 and samples.unrolled.times[number].row(t) is not None:
                    text = Printer(NOTATIONS, "unicode", spelling.naming.leaf(t)).print(other)
                    found.append(Candidate("value", text, "", _columns(other, samples, t)))
    return found


def _values(truth: Truth, near: set[int], wanted: Wanted) -> list[Candidate]:
    samples, spelling = truth.samples, truth.spelling
    keys: list[Key] = [(name, None) for name in samples.unrolled.values.parameters]
    for t in sorted(near, reverse=True):
        keys += [(name, t) for name in samples.unrolled.values.inputs if samples.exists(name, t)]
        keys += [
            (name, t)
            for name in samples.network.targets
            if name != samples.network.loss_name and samples.exists(name, t)
        ]
    found = []
    for key in keys:
        if not wanted(("value",), None, key):
            continue
        value = samples.value(*key)
        found.append(Candidate("value", spelling.name(key), "", value, None, key, None, ""))
    return found
