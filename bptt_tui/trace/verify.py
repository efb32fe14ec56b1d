"""Check a gradient against the loss itself, without the calculus table's derivatives.

Every entry of every parameter is nudged, and so is every single use of it: u₀ and u₁ become knobs of their own,
and what one of them alone does to the loss must be its contribution. Where all operations are analytic a nudge is
a complex step, exact to rounding; otherwise a central difference. The comparison is purely relative. What lies
below the noise of the method is reported as such, and so is a kink: neither counts as a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.operations import NOTATIONS, OPERATIONS
from bptt_tui.language import Call, Expression, Name, Printer, substitute
from bptt_tui.network import Network, Unrolled, unroll
from bptt_tui.trace.forward import forward
from bptt_tui.trace.program import Program, compile_program
from bptt_tui.trace.storage import Storage

if TYPE_CHECKING:
    from bptt_tui.trace.trace import Trace

Array = NDArray[Any]
Status = Literal["agrees", "differs", "cannot verify", "not differentiable here"]
Method = Literal["complex step", "central difference"]
COMPLEX_STEP = 1e-30
EPSILON = float(np.finfo(np.float64).eps)
TOLERANCES: dict[Method, float] = {"complex step": 1e-9, "central difference": 1e-5}
# Rounding as a multiple of ε: of the terms a gradient sums, and of the loss in a difference. What lies below it
# cannot be compared.
NOISE = 64.0
DIFFERENCE_NOISE = 8.0


@dataclass(frozen=True, slots=True)
class Check:
    """One entry: of ∂E/∂p (`t` None) or of the contribution of the use at `t`. `error` is relative."""

    parameter: str
    t: int | None
    entry: tuple[int, ...]
    derived: float
    nudged: float
    error: float = 0.0
    status: Status = "cannot verify"


@dataclass(frozen=True, slots=True)
class Report:
    """All checks made; `skipped` entries were left out to keep within the budget of loss evaluations."""

    method: Method
    checks: tuple[Check, ...]
    skipped: int

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not any(check.status == "differs" for check in self.checks)

    @property
    def worst(self) -> Check | None:
        """The entry with the largest relative error among those that could be compared."""
        compared = [check for check in self.checks if check.status in ("agrees", "differs")]
        return max(compared, key=lambda check: check.error, default=None)

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(check.status == status for check in self.checks)


def verify(trace: Trace, budget: int = 4000, progress: Callable[[int, int], None] | None = None) -> Report:
    """Check every entry of the gradient and of every contribution, as far as `budget` evaluations of the loss go.

    When there are more entries than that, they are taken evenly from each parameter. `progress(done, of)` is called
    along the way and may raise to cancel.
    """
    network = trace.unrolled.network
    analytic = all(_analytic(equation.expression) for equation in network.equations)
    method: Method = "complex step" if analytic else "central difference"
    wanted = list(_wanted(trace))
    stride = max(-(-len(wanted) // budget), 1)
    chosen = wanted[::stride]
    nudge = _Nudge(trace, method)
    checks = []
    for number, (parameter, t, entry) in enumerate(chosen):
        checks.append(nudge.check(parameter, t, entry))
        if progress is not None:
            progress(number + 1, len(chosen))
    return Report(method, tuple(checks), len(wanted) - len(chosen))


def _wanted(trace: Trace) -> Iterator[tuple[str, int | None, tuple[int, ...]]]:
    for name, terms in trace.terms.items():
        for entry in np.ndindex(*terms.shape):
            yield name, None, entry
        for t in trace.uses(name):
            for entry in np.ndindex(*terms.shape):
                yield name, t, entry


def _analytic(expression: Expression) -> bool:
    if not isinstance(expression, Call):
        return True
    return OPERATIONS[expression.operation].analytic and all(_analytic(a) for a in expression.arguments)


class _Nudge:
    """The loss as a function of every use of every parameter: parameters become sequences, one value per timestep."""

    def __init__(self, trace: Trace, method: Method) -> None:
        self._trace = trace
        self._method: Method = method
        self._untied = untie(trace.unrolled)
        self._program = compile_program(self._untied)

    def check(self, parameter: str, t: int | None, entry: tuple[int, ...]) -> Check:
        trace = self._trace
        array = trace.gradient[parameter] if t is None else trace.contribution(parameter, t)
        derived = float(array[entry])
        noise = NOISE * EPSILON * self._scale(parameter, t)
        if self._method == "complex step":
            nudged = float(self._loss(parameter, t, entry, complex(0.0, COMPLEX_STEP)).imag) / COMPLEX_STEP
            return self._compare(Check(parameter, t, entry, derived, nudged), noise)
        return self._difference(Check(parameter, t, entry, derived, 0.0), noise)

    def _scale(self, parameter: str, t: int | None) -> float:
        """The size of what is added up in a gradient or contribution, whose rounding its small entries share."""
        trace = self._trace
        if t is not None:
            return float(np.abs(trace.contribution(parameter, t)).max())
        if parameter not in self._scales:
            self._scales[parameter] = float(trace.terms[parameter].norms().sum())
        return self._scales[parameter]

    @cached_property
    def _scales(self) -> dict[str, float]:
        return {}

    def _difference(self, check: Check, noise: float) -> Check:
        """A central difference at h = ε^⅓·max(1, |x|), divided by the difference that was really made."""
        parameter, t, entry = check.parameter, check.t, check.entry
        value = float(self._trace.unrolled.values.parameters[parameter][entry])
        h = EPSILON ** (1 / 3) * max(1.0, abs(value))
        up, down = (value + h) - value, value - (value - h)
        high, here, low = (float(self._loss(parameter, t, entry, step).real) for step in (up, 0.0, -down))
        noise = max(noise, DIFFERENCE_NOISE * EPSILON * max(abs(high), abs(low)) / (up + down))
        found = self._compare(replace(check, nudged=(high - low) / (up + down)), noise)
        bend = abs((high - here) / up - (here - low) / down)
        # One-sided slopes of a smooth function differ by about h·E″, eight times less at h/8; at a kink they do not.
        if found.status == "differs" and bend > 4.0 * noise and self._bend(check, h / 8) > 0.5 * bend:
            return replace(found, status="not differentiable here")
        return found

    def _bend(self, check: Check, h: float) -> float:
        high, here, low = (float(self._loss(check.parameter, check.t, check.entry, step).real) for step in (h, 0.0, -h))
        return abs((high - here) / h - (here - low) / h)

    def _compare(self, check: Check, noise: float) -> Check:
        largest = max(abs(check.derived), abs(check.nudged))
        gap = abs(check.derived - check.nudged)
        if not np.isfinite(gap):
            return replace(check, error=float("nan"), status="cannot verify")
        if largest == 0.0:
            # A complex step has no noise of its own, so 0 is a derivative of exactly 0; a difference of 0 says nothing.
            return replace(check, status="agrees" if self._method == "complex step" else "cannot verify")
        tolerance = TOLERANCES[self._method]
        status: Status = "cannot verify"
        if gap <= tolerance * largest and noise <= tolerance * largest:
            status = "agrees"
        elif gap > max(noise, tolerance * largest):
            status = "differs"
        return replace(check, error=gap / largest, status=status)

    def _loss(self, parameter: str, t: int | None, entry: tuple[int, ...], step: float | complex) -> Any:
        """The loss with one use (or, t None, every use) of one entry nudged."""
        inputs = dict(self._untied.values.inputs)
        nudged: Array = inputs[parameter].astype(np.complex128 if self._method == "complex step" else np.float64)
        nudged[(slice(None) if t is None else t, *entry)] += step
        inputs[parameter] = nudged
        unrolled = replace(self._untied, values=replace(self._untied.values, inputs=inputs))
        return _loss_of(unrolled, self._program)


def _loss_of(unrolled: Unrolled, program: Program) -> Any:
    """The loss alone, forward pass only; complex where a value is."""
    storage = Storage(unrolled, program)
    with np.errstate(all="ignore"):
        forward(storage)
    losses = storage.arrays[program.roots[unrolled.network.loss]]
    total = losses.sum()
    return total / len(losses) if unrolled.network.reduction == "mean" else total


def untie(unrolled: Unrolled) -> Unrolled:
    """The same network with every parameter a sequence, so that each use can be moved alone."""
    network, values = unrolled.network, unrolled.values

    def leaf(name: Name) -> Expression:
        return Name(name.name, 0) if name.name in values.parameters else name

    printer = Printer(NOTATIONS)
    texts = [f"{e.target} = {printer.print(substitute(e.expression, leaf))}" for e in network.equations]
    sequences = {
        name: np.broadcast_to(value, (unrolled.steps, *value.shape)) for name, value in values.parameters.items()
    }
    untied = Network(texts, network.loss_at, network.reduction)
    return unroll(untied, {}, {**values.inputs, **sequences}, values.initial, values.constants)
