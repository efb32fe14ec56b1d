"""Random draws of all values of a session: the numbers at which an identity must hold and a coincidence does not.

The shapes and the number of timesteps stay; parameters, inputs, initial values, constants and pins are drawn anew,
from a fixed seed, so that one formula always gets one verdict. Targets stay targets: class indices stay classes,
distributions stay distributions. A draw at which something overflows, or at which every gradient is 0, is drawn
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.differentiation import evaluate
from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import size
from bptt_tui.errors import BpttError
from bptt_tui.language import Call, Expression, Name, calls, names
from bptt_tui.network import Unrolled
from bptt_tui.session import Session
from bptt_tui.trace import Trace

Array = NDArray[Any]
Givens = dict[str, dict[str, Array]]

GROUPS = ("parameters", "inputs", "initial", "constants", "pins")
SEED = 20150
ATTEMPTS = 12
# Timesteps from which on draws are chosen for gradients that do not vanish, and from which on that takes too long.
LONG = 6
VERY_LONG = 2_000


class Target(Struct, frozen=True):
    """What a name is compared with: a class of `classes`, a distribution, or a probability of each entry."""

    kind: str
    classes: int = 0


class Draws:
    """The session's own trace and traces at random values, made when asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.trace = session.trace()
        self.unrolled = self.trace.unrolled
        self.targets = targets(self.unrolled)

    @cached_property
    def traces(self) -> tuple[Trace, ...]:
        """The session's trace first, then the draws."""
        drawn = tuple(self._drawn())
        return (self.trace, *(drawn or (self.trace,)))

    @property
    def alone(self) -> bool:
        """Whether no values but the session's could be drawn: then nothing can be said of all values."""
        return all(trace is self.trace for trace in self.traces)

    @property
    def has_kinks(self) -> bool:
        """Whether there is a relu in the network."""
        return any(relus(equation.expression) for equation in self.unrolled.network.equations)

    def givens(self) -> Givens:
        """The session's values as arrays, by group and name."""
        values = self.unrolled.values
        return {group: dict(getattr(values, group)) for group in GROUPS}

    def traced(self, givens: Givens) -> Trace | None:
        """The trace at other values; None where it cannot be made or is not finite."""
        try:
            with np.errstate(all="ignore"):
                trace = self.session.network().trace(**{**givens, "steps": self.unrolled.steps})  # type: ignore[arg-type]
        except BpttError:
            return None
        return trace if finite(trace) else None

    def randomised(
        self, rng: np.random.Generator, *, near: bool = False, scales: tuple[float, float] = (1, 1)
    ) -> Givens:
        """Fresh values for everything. `near` keeps the signs and the magnitudes of the session's, for networks that
        are finite there only (a logarithm, a square root)."""
        givens = self.givens()
        return {
            group: {
                name: self.fresh(rng, group, name, value, near=near, scale=scales[group == "parameters"])
                for name, value in named.items()
            }
            for group, named in givens.items()
        }

    def fresh(
        self, rng: np.random.Generator, group: str, name: str, value: Array, *, near: bool = False, scale: float = 1.0
    ) -> Array:
        """A new value of the same shape and meaning."""
        target = self.targets.get(name)
        if target is not None and group in ("inputs", "constants"):
            return _fresh_target(rng, target, value)
        if near:
            return np.asarray(np.where(value == 0, 0.3, value) * rng.uniform(0.6, 1.5, value.shape))
        shape = value.shape[1:] if group == "inputs" else value.shape
        if group == "parameters" and len(shape) == 2:
            return np.asarray(scale * rng.normal(size=value.shape) * 1.2 / np.sqrt(shape[1]))
        # Away from 0, where a factor would vanish, and from 1, where one would hide.
        return np.asarray(scale * rng.uniform(0.35, 1.3, value.shape) * rng.choice([-1.0, 1.0], value.shape))

    def _drawn(self) -> Iterator[Trace]:
        rng = np.random.default_rng(SEED)
        wanted = self._wanted()
        found: list[Trace] = []
        for attempt in range(4 * ATTEMPTS):
            if len(found) == wanted:
                break
            near = attempt >= 2 * ATTEMPTS
            trace = (
                self._lively(rng)
                if self.unrolled.steps > LONG and not near
                else self.traced(self.randomised(rng, near=near))
            )
            if trace is not None and (_moves(trace) or attempt >= 3 * ATTEMPTS):
                found.append(trace)
        return iter([*found, *self._both_sides(rng, found)])

    def _both_sides(self, rng: np.random.Generator, found: list[Trace]) -> list[Trace]:
        """Draws at which every relu is met on the side where the draws so far have not met it, as far as a few more
        show it: what holds only while all of them are active is no identity."""
        if not self.has_kinks:
            return []
        met = {pattern for trace in found for pattern in self._patterns(trace)}
        more: list[Trace] = []
        for _ in range(4 * ATTEMPTS):
            trace = self.traced(self.randomised(rng))
            patterns = set() if trace is None else self._patterns(trace)
            if trace is not None and not patterns <= met:
                met |= patterns
                more.append(trace)
            if len(more) == ATTEMPTS:
                break
        return more

    def _patterns(self, trace: Trace) -> set[tuple[int, int, int, int, bool]]:
        """Every relu's side: equation, which of its relus, timestep, entry, active or not."""
        seen: set[tuple[int, int, int, int, bool]] = set()
        for number, equation in enumerate(self.unrolled.network.equations):
            found = relus(equation.expression)
            for t in self.unrolled.times[number].array().tolist() if found else ():
                for place, relu in enumerate(found):
                    value = evaluate(relu, lambda name, t=t: trace.value(name.name, t + (name.offset or 0)))  # type: ignore[misc]
                    seen |= {(number, place, t, entry, bool(x > 0)) for entry, x in enumerate(value.reshape(-1))}
        return seen

    def _wanted(self) -> int:
        shapes = self.unrolled.shapes
        largest = max((size(shape) for shape in shapes.values()), default=1)
        if self.unrolled.steps > VERY_LONG:
            return 2
        return 5 if largest <= 4 and self.unrolled.steps <= 200 else 3

    def _lively(self, rng: np.random.Generator) -> Trace | None:
        """In a long network gradients vanish and a forgotten step would not show: of draws at several scales, the one
        whose earliest gradient is nearest in size to the last."""
        best: tuple[float, Trace] | None = None
        for scales in ((1.0, 1.0), (0.2, 1.0), (0.3, 1.6), (0.5, 3.0))[: 1 if self.unrolled.steps > VERY_LONG else 4]:
            trace = self.traced(self.randomised(rng, scales=scales))
            if trace is None:
                continue
            liveliness = _liveliness(trace)
            if best is None or liveliness > best[0]:
                best = liveliness, trace
            if liveliness > 1e-3:
                break
        return best[1] if best else None


def targets(unrolled: Unrolled) -> dict[str, Target]:
    """The names that a loss compares with, and what they must stay to be compared with."""
    found: dict[str, Target] = {}

    def _note(name: Name, predicted: Expression, target: Expression, operation: str) -> None:
        if unrolled.values.kind(name.name) not in ("constant", "input"):
            return
        if operation == "binary_cross_entropy":
            found[name.name] = Target("probability")
        elif unrolled.shapes[name.name]:
            found[name.name] = Target("distribution")
        else:
            found[name.name] = Target("class", size(unrolled.shape_of(predicted)))

    for equation in unrolled.network.equations:
        for call in calls(equation.expression):
            if call.operation in ("cross_entropy", "binary_cross_entropy"):
                predicted, target = call.arguments
                for name in names(target):
                    _note(name, predicted, target, call.operation)
    return found


def relus(expression: Expression) -> list[Call]:
    """The parts of an expression with a kink."""
    return [call for call in calls(expression) if not OPERATIONS[call.operation].analytic]


def finite(trace: Trace) -> bool:
    """Whether loss, gradients and every stored node are finite."""
    return bool(np.isfinite(trace.loss)) and all(bool(np.isfinite(g).all()) for g in trace.gradient.values())


def _fresh_target(rng: np.random.Generator, target: Target, value: Array) -> Array:
    if target.kind == "class":
        return np.asarray(rng.integers(0, target.classes, value.shape), dtype=float)
    if target.kind == "distribution":
        weights = rng.uniform(0.2, 1.0, value.shape)
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
    return np.asarray(rng.uniform(0.1, 0.9, value.shape))


def _moves(trace: Trace) -> bool:
    return any(bool(np.any(g)) for g in trace.gradient.values()) or not trace.gradient


def _liveliness(trace: Trace) -> float:
    """The smallest over the largest contribution norm of the parameters used at many timesteps."""
    ratios = [1.0]
    for name in trace.gradient:
        norms = trace.contribution_norms(name)
        if len(norms) > 1:
            top = norms.max()
            ratios.append(float(norms.min() / top) if top > 0 else 0.0)
    return min(ratios)


def single_entries(givens: Mapping[str, Mapping[str, Array]]) -> Iterator[tuple[str, str, int | None]]:
    """Every given value that can be varied alone: (group, name, timestep of an input or None)."""
    for group, named in givens.items():
        for name, value in named.items():
            if group == "inputs":
                yield from ((group, name, t) for t in range(len(value)))
            else:
                yield group, name, None
