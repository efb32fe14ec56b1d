"""Why a formula holds at the session's numbers and not in general: one given value at a time is drawn anew."""

from __future__ import annotations

import itertools

import numpy as np

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.tree import Formula, Number, Statement
from bptt_tui.derivation.judging.draws import Draws, Givens, single_entries, targets
from bptt_tui.derivation.judging.evaluation import Evaluator, Misfit
from bptt_tui.derivation.judging.samples import Samples
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.derivation.judging.truth import Truth
from bptt_tui.errors import BpttError
from bptt_tui.language import calls
from bptt_tui.trace import Trace

Entry = tuple[str, str, int | None]

MAX_ENTRIES = 40
ORDINARY = {0.0, 1.0, 2.0, 3.0, 4.0, 0.5, -1.0}
ONE_CLASS = "the softmax has one class: o is 1, E is 0 and every gradient is 0"


def reason(draws: Draws, statement: Statement, member: Formula, truth: Truth) -> str:
    """`s₋₁ = 0`; "" where no single value, nor a pair, makes the difference."""
    entries = list(itertools.islice(single_entries(draws.givens()), MAX_ENTRIES))
    breaking = [entry for entry in entries if _breaks(draws, statement, member, truth, (entry,))]
    if not breaking and len(entries) <= 10:
        for pair in itertools.combinations(entries, 2):
            if _breaks(draws, statement, member, truth, pair):
                breaking = list(pair)
                break
    numbers = [p for p in walk(member) if isinstance(p, Number) and p.value not in ORDINARY]
    if numbers and breaking:
        texts = [truth.spelling.spell(number) for number in numbers[:3]]
        return f"{' and '.join(texts)} {'is a number' if len(texts) == 1 else 'are numbers'} of this session"
    return _said(draws, breaking, truth.spelling)


def _said(draws: Draws, breaking: list[Entry], spelling: Spelling) -> str:
    if not breaking:
        return ""
    named = [(spelling.name(_key(draws, entry)), _value(draws, entry)) for entry in breaking]
    for wanted in (0.0, 1.0):
        for name, value in named:
            if np.all(value == wanted):
                return f"{name} = {wanted:g}"
    for (name, value), (other, equal) in itertools.combinations(named, 2):
        if value.shape == equal.shape and np.array_equal(value, equal):
            return f"{other} = {name}"
    for (name, value), (other, equal) in itertools.combinations(named, 2):
        if value.shape == equal.shape and np.array_equal(value, -equal):
            return f"{other} = −{name}"
    if len(named) == 1:
        name, value = named[0]
        return f"{name} = {float(value):g}".replace("-", "−") if value.size == 1 else f"of the value of {name}"
    return f"of the values of {', '.join(name for name, _ in named[:4])}"


def _key(draws: Draws, entry: Entry) -> tuple[str, int | None]:
    group, name, t = entry
    if group == "initial":
        return name, -1
    if group == "pins":
        node, _, moment = name.partition("[")
        return node, int(moment.rstrip("]"))
    return name, t


def _value(draws: Draws, entry: Entry) -> np.ndarray:
    group, name, t = entry
    value = draws.givens()[group][name]
    return np.asarray(value if t is None else value[t])


def _breaks(draws: Draws, statement: Statement, member: Formula, truth: Truth, entries: tuple[Entry, ...]) -> bool:
    """Whether the formula fails when these values alone are others."""
    rng = np.random.default_rng(7)
    for _ in range(3):
        givens: Givens = {group: dict(named) for group, named in draws.givens().items()}
        for group, name, t in entries:
            fresh = draws.fresh(rng, group, name, givens[group][name])
            if t is None:
                givens[group][name] = fresh
            else:
                changed = givens[group][name].copy()
                changed[t] = fresh[t]
                givens[group][name] = changed
        trace = draws.traced(givens)
        if trace is not None:
            return not _holds((trace,), statement, member, truth)
    return False


def _holds(traces: tuple[Trace, ...], statement: Statement, member: Formula, truth: Truth) -> bool:
    samples = Samples(traces)
    evaluator = Evaluator(samples, targets(samples.unrolled), statement, truth.evaluator.reading)
    try:
        other = Truth(truth.left, evaluator, Spelling(samples))
        value = other.matched(evaluator.value(member))
    except (Misfit, BpttError):
        return False
    return value is not None and bool(close(value, other.value, other.scale).all())


def vacuous(draws: Draws, statement: Statement, member: Formula, truth: Truth) -> str:
    """Why both sides are 0 whatever the values, where the formula says something else of a wider network."""
    if np.any(truth.value) or not _one_class(draws):
        return ""
    traces = tuple(trace for seed in range(3) if (trace := _wider(draws, seed)) is not None)
    if traces and _holds(traces, statement, member, truth):
        return ""
    return ONE_CLASS


def _one_class(draws: Draws) -> bool:
    """Whether a softmax of the network has one logit."""
    unrolled = draws.unrolled
    within = (call for equation in unrolled.network.equations for call in calls(equation.expression))
    return any(call.operation == "softmax" and unrolled.shape_of(call) in ((), (1,)) for call in within)


def _wider(draws: Draws, seed: int) -> Trace | None:
    """The network with two entries wherever a parameter has one."""
    rng = np.random.default_rng(seed)
    givens = draws.randomised(rng)
    for group in ("parameters", "constants"):
        for name, value in givens[group].items():
            if value.ndim and value.shape[0] == 1:
                givens[group][name] = rng.normal(size=(2, *value.shape[1:]))
    return draws.traced(givens)
