"""Check a gradient against the loss itself, without the calculus table's derivatives.

Every entry of every parameter is nudged, and so is every single use of it: u₀ and u₁ become knobs of their own,
and what one of them alone does to the loss must be its contribution. Where all operations are analytic a nudge is
a complex step, exact to rounding; otherwise a central difference. The comparison is purely relative, so a wrong
entry of 1e-9 is found beside entries of 1. What lies below the noise of the method is reported as such, and so is
a kink: neither counts as a pass.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.operations import NOTATIONS, OPERATIONS
from bptt_tui.calculus.shapes import Shape, size
from bptt_tui.language import Expression, Name, Printer, calls, substitute
from bptt_tui.network import Network, Timesteps, Unrolled, unroll
from bptt_tui.trace.forward import forward
from bptt_tui.trace.program import Instruction, Program, compile_program
from bptt_tui.trace.storage import Storage
from bptt_tui.trace.total import total as total_of

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress
    from bptt_tui.trace.trace import Trace

Array = NDArray[Any]
Status = Literal["agrees", "differs", "cannot verify", "not differentiable here"]
STATUSES: tuple[Status, ...] = ("agrees", "differs", "cannot verify", "not differentiable here")
Method = Literal["complex step", "central difference"]
COMPLEX_STEP = 1e-30
EPSILON = float(np.finfo(np.float64).eps)
# Below this the imaginary part that a complex step makes is subnormal.
VANISHED = 4.0 * float(np.finfo(np.float64).tiny) / COMPLEX_STEP
TOLERANCES: dict[Method, float] = {"complex step": 1e-9, "central difference": 1e-5}
# Rounding as a multiple of ε: of the terms a gradient sums, and of the loss in a difference. What lies below it
# cannot be compared.
NOISE = 64.0
DIFFERENCE_NOISE = 8.0
# Evaluations of the loss where the caller names no budget: so many that they take about ten seconds.
MOST, FEWEST, WORK = 4000, 32, 20_000_000
# A parameter with more numbers than this over all timesteps is nudged as a whole only.
LARGEST = 1 << 24


class Check(Struct, frozen=True):
    """One entry: of ∂E/∂p (`t` None) or of the contribution of the use at `t`. `error` is relative."""

    parameter: str
    t: int | None
    entry: tuple[int, ...]
    derived: float
    nudged: float
    error: float = 0.0
    status: Status = "cannot verify"


class Report(Struct, frozen=True):
    """All checks made; `skipped` entries were left out to keep within the budget of loss evaluations."""

    method: Method
    checks: tuple[Check, ...]
    skipped: int

    @property
    def holds(self) -> bool:
        """Whether nothing differs, and something agrees: what could not be compared at all does not hold."""
        return not self.failing and (self.count("agrees") > 0 or not self.checks)

    @property
    def failing(self) -> tuple[Check, ...]:
        """The entries that differ."""
        return tuple(check for check in self.checks if check.status == "differs")

    @property
    def worst(self) -> Check | None:
        """The entry with the largest relative error among those that could be compared."""
        compared = [check for check in self.checks if check.status in ("agrees", "differs")]
        return max(compared, key=lambda check: check.error, default=None)

    def count(self, status: Status, parameter: str | None = None) -> int:
        """How many checks, of one parameter or of all, ended so."""
        return sum(check.status == status and parameter in (None, check.parameter) for check in self.checks)


def verify(trace: Trace, budget: int | None = None, progress: Progress | None = None) -> Report:
    """Check every entry of the gradient and of every contribution, as far as `budget` evaluations of the loss go.

    Beyond that, each parameter's total and its uses get an equal share, and entries are drawn from them (the same
    ones every time). `progress(done, of)` is called along the way and may raise to cancel.
    """
    method = method_for(trace.unrolled)
    evaluations = 1 if method == "complex step" else 3
    if budget is None:
        budget = min(MOST, max(FEWEST, WORK // max(_work(trace), 1)))
    groups = [group for name in trace.terms for group in _groups(trace, name)]
    shares = _shares([group.count if group.small else 0 for group in groups], max(budget // evaluations, 1))
    total, checks = sum(shares), []
    for group, share in zip(groups, shares, strict=True):
        if share:
            nudge = Nudge(trace, method, group)
            for number in _drawn(trace, group, share):
                checks.append(nudge.check(*group.place(number)))
                if progress is not None:
                    progress(len(checks), total)
    return Report(method, tuple(checks), sum(group.count for group in groups) - total)


def _work(trace: Trace) -> int:
    """The operations of one evaluation of the loss, over all timesteps; each counts once more per thousand numbers."""
    program, times = trace.program, trace.unrolled.times
    entries = [entry for entry in program.slots if isinstance(entry, Instruction)]
    largest = [max((size(program.slots[arg].shape) for arg in entry.args), default=1) for entry in entries]
    return sum(times[e.equation].count * (1000 + numbers) for e, numbers in zip(entries, largest, strict=True)) // 1000


def method_for(unrolled: Unrolled) -> Method:
    """Complex step where every operation that the loss depends on is analytic."""
    equations = zip(unrolled.network.equations, unrolled.times, strict=True)
    computed = (call for equation, times in equations if times.count for call in calls(equation.expression))
    analytic = all(OPERATIONS[call.operation].analytic for call in computed)
    return "complex step" if analytic else "central difference"


# --- which entries ---------------------------------------------------------------------------------------------------


class Group(Struct, frozen=True):
    """The entries of one parameter, numbered: those of its total (`times` None) or those of its contributions."""

    parameter: str
    shape: Shape
    times: Timesteps | None
    steps: int

    @property
    def count(self) -> int:
        return size(self.shape) * (1 if self.times is None else self.times.count)

    @property
    def small(self) -> bool:
        """Whether every use can have a knob of its own."""
        return self.times is None or size(self.shape) * self.steps <= LARGEST

    def place(self, number: int) -> tuple[int | None, tuple[int, ...]]:
        """(t, entry) of an entry."""
        use, flat = divmod(number, size(self.shape))
        entry = tuple(int(i) for i in np.unravel_index(flat, self.shape))
        return (None if self.times is None else self.times.at_row(use)), entry


def _groups(trace: Trace, name: str) -> Iterator[Group]:
    terms = trace.terms[name]
    yield Group(name, terms.shape, None, trace.steps)
    if terms.times.count:
        yield Group(name, terms.shape, terms.times, trace.steps)


def _shares(counts: Sequence[int], budget: int) -> list[int]:
    """The budget in equal parts; what a small group does not need goes to the larger ones. None is left out."""
    shares = [0] * len(counts)
    for left, group in zip(range(len(counts), 0, -1), sorted(range(len(counts)), key=counts.__getitem__), strict=True):
        shares[group] = min(counts[group], max(budget // left, 1))
        budget = max(budget - shares[group], 0)
    return shares


def _drawn(trace: Trace, group: Group, share: int) -> Sequence[int]:
    """`share` of a group's entries, ascending: drawn, as an even stride would always meet the same entry.

    Of a long sequence, half of them where the contribution has not vanished, as there may be few such uses.
    """
    if share == group.count:
        return range(share)
    chance, entries = random.Random(group.count), size(group.shape)
    drawn: set[int] = set()
    if group.times is not None:
        with np.errstate(all="ignore"):
            live = np.flatnonzero(trace.terms[group.parameter].norms() > VANISHED)
        places = chance.sample(range(len(live) * entries), min(share // 2, len(live) * entries))
        drawn = {int(live[place // entries]) * entries + place % entries for place in places}
    while len(drawn) < share:
        drawn.add(chance.randrange(group.count))
    return sorted(drawn)


# --- nudging ---------------------------------------------------------------------------------------------------------


class Nudge:
    """Compares entries of one group: nudges a parameter as a whole, or one use of it alone.

    `loss` is the loss as a function of the nudge.
    """

    def __init__(self, trace: Trace, method: Method, group: Group) -> None:
        self._trace = trace
        self._method: Method = method
        self._parameter = group.parameter
        self.loss = NudgedLoss(trace.unrolled, group.parameter, tied=group.times is None, method=method)

    def check(self, t: int | None, entry: tuple[int, ...]) -> Check:
        """One entry, of the total or of the use at `t`."""
        trace, parameter = self._trace, self._parameter
        array = trace.gradient[parameter] if t is None else trace.contribution(parameter, t)
        found = Check(parameter, t, entry, float(array[entry]), float("nan"), float("nan"))
        if not np.isfinite(trace.loss):
            return found
        return self._step(found) if self._method == "complex step" else self._difference(found)

    # A complex step: E(p + ih) = E(p) + ih·∂E/∂p − …, without a difference that could cancel.

    def _step(self, check: Check) -> Check:
        loss, slope = self._slope(check, COMPLEX_STEP)
        check = replace(check, nudged=slope)
        if np.isfinite(slope) and not np.isfinite(check.derived):
            # A slope that is there, whatever the step, was derived wrongly; one that grows as the step shrinks
            # belongs to a point such as √0.
            there = np.isclose(self._slope(check, COMPLEX_STEP * 2**20)[1], slope, rtol=1e-3)
            return replace(check, error=float("inf"), status="differs" if there else "not differentiable here")
        largest = max(abs(check.derived), abs(slope))
        if largest == 0.0:
            # Without noise of its own, 0 means a derivative of exactly 0; unless small numbers have become 0.
            return replace(check, error=0.0, status="cannot verify" if self._underflow else "agrees")
        noise = max(self._noise(check, loss), VANISHED)
        return _compared(check, noise, TOLERANCES[self._method], below=largest <= VANISHED)

    def _slope(self, check: Check, h: float) -> tuple[float, float]:
        """The loss, and its slope by a complex step of h."""
        value = self.loss(check.t, check.entry, complex(0.0, h))
        return float(value.real), float(value.imag) / h

    # A difference: (E(p + h) − E(p − h)) / 2h, which cannot be better than the rounding of E over h.

    def _difference(self, check: Check) -> Check:
        """A central difference at h = ε^⅓·max(1, |x|); where it differs, kinks nearby are looked for."""
        value = float(self._trace.unrolled.values.parameters[self._parameter][check.entry])
        h = step_for(value)
        found, bend, noise = self._differ(check, value, h)
        if found.status != "differs":
            return found
        # Eight times closer, a curve's error is 64 times smaller, and its one-sided slopes differ eight times less.
        # At a kink they differ as much as before; if the kink lay beside p, within h, it is out of reach now.
        closer, closer_bend, _ = self._differ(check, value, h / 8)
        if closer.status != "agrees" and bend > 4.0 * noise and closer_bend > bend / 2:
            return replace(found, status="not differentiable here")
        return closer if abs(closer.derived - closer.nudged) < abs(found.derived - found.nudged) / 4 else found

    def _differ(self, check: Check, value: float, h: float) -> tuple[Check, float, float]:
        """The comparison with a central difference at h, by how much the one-sided slopes differ, and the noise."""
        up, down = exact_steps(value, h)
        high, here, low = (float(self.loss(check.t, check.entry, step)) for step in (up, 0.0, -down))
        check = replace(check, nudged=(high - low) / (up + down))
        if not np.isfinite(check.nudged):
            edge = np.isfinite(here) and np.isfinite(high) != np.isfinite(low)
            return replace(check, status="not differentiable here" if edge else "cannot verify"), 0.0, 0.0
        bend = abs((high - here) / up - (here - low) / down)
        if not np.isfinite(check.derived):
            return replace(check, error=float("inf"), status="differs"), bend, 0.0
        moved = max(abs(high), abs(low), self._flow)
        rounding = DIFFERENCE_NOISE * EPSILON * moved * self._amplified(here) / (up + down)
        noise = max(self._noise(check, here), rounding)
        tolerance = TOLERANCES[self._method]
        largest = max(abs(check.derived), abs(check.nudged))
        return _compared(check, noise, tolerance, below=noise > tolerance * largest), bend, noise

    # Noise

    def _noise(self, check: Check, loss: float) -> float:
        """What rounding may do to a derivative that is added up from larger terms, or cancels on the way here."""
        if check.t is None:
            scale = self._size
        else:
            scale = float(np.abs(self._trace.contribution(self._parameter, check.t)).max())
        # All zeros have no size of their own to take the flow per unit of.
        unit = float(np.abs(self._trace.unrolled.values.parameters[self._parameter]).max()) or 1.0
        return NOISE * EPSILON * max(scale, self._flow / unit) * self._amplified(loss)

    def _amplified(self, loss: float) -> float:
        """How much the recurrence has amplified rounding: how far off the loss is when computed another way."""
        expected = self._trace.loss
        if expected == 0.0 or not np.isfinite(loss):
            return 1.0
        return max(abs(loss - expected) / (EPSILON * abs(expected)), 1.0)

    @cached_property
    def _size(self) -> float:
        """The size of what a gradient adds up."""
        with np.errstate(all="ignore"):
            return float(self._trace.terms[self._parameter].norms().sum())

    @cached_property
    def _flow(self) -> float:
        """Every node · ∂E/∂node, as the root of their squares: the rounding of all nodes is in the loss.

        Where paths cancel, as softmax's do for what all logits have in common, nothing of a derivative is left
        but this.
        """
        trace, sizes = self._trace, [0.0]
        with np.errstate(all="ignore"):
            for equation, root in enumerate(trace.program.roots):
                adjoints = trace.adjoint_rows(equation)
                if adjoints is not None and adjoints.size:
                    flow = trace.storage.arrays[root] * adjoints
                    sizes.append(float(norm(flow, flow.ndim)))
        return math.hypot(*sizes)

    @property
    def _underflow(self) -> bool:
        return any(trouble.kind == "underflow" for trouble in self._trace.troubles)


def step_for(value: float) -> float:
    """How far to nudge a value for a central difference: ε^⅓·max(1, |value|), where both its errors are small."""
    return float(EPSILON ** (1 / 3)) * max(1.0, abs(value))


def exact_steps(value: float, h: float) -> tuple[float, float]:
    """What adding and subtracting h really does to a value, rounded as it is."""
    return (value + h) - value, value - (value - h)


def _compared(check: Check, noise: float, tolerance: float, *, below: bool) -> Check:
    """The verdict on two finite numbers; `below`: they are too small for the noise to agree."""
    largest = max(abs(check.derived), abs(check.nudged))
    gap = abs(check.derived - check.nudged)
    if largest == 0.0 or not np.isfinite(gap):
        return replace(check, error=0.0 if largest == 0.0 else float("nan"), status="cannot verify")
    status: Status = "cannot verify"
    if gap <= tolerance * largest and not below:
        status = "agrees"
    elif gap > max(noise, tolerance * largest):
        status = "differs"
    return replace(check, error=gap / largest, status=status)


class NudgedLoss:
    """The loss as a function of a nudge to one parameter: to all its uses, or (not `tied`) to one alone.

    A nudge that has been made is not computed again.
    """

    def __init__(self, unrolled: Unrolled, parameter: str, *, tied: bool, method: Method) -> None:
        self._unrolled = unrolled if tied else untie(unrolled, parameter)
        self._program = compile_program(self._unrolled)
        values = self._unrolled.values
        group = values.parameters if tied else values.inputs
        self._array: Array = group[parameter].astype(np.complex128 if method == "complex step" else np.float64)
        changed = {**group, parameter: self._array}
        values = replace(values, parameters=changed) if tied else replace(values, inputs=changed)
        self._unrolled = replace(self._unrolled, values=values)
        self._known: dict[tuple[int | None, tuple[int, ...], float | complex], Any] = {}

    def __call__(self, t: int | None, entry: tuple[int, ...], step: float | complex) -> Any:
        key = (t, entry, step) if step else (None, (), step)
        if key not in self._known:
            self._known[key] = self._nudged(t, entry, step)
        return self._known[key]

    def _nudged(self, t: int | None, entry: tuple[int, ...], step: float | complex) -> Any:
        place = entry if t is None else (t, *entry)
        before = self._array[place]
        self._array[place] = before + step
        try:
            return _loss_of(self._unrolled, self._program)
        finally:
            self._array[place] = before


def _loss_of(unrolled: Unrolled, program: Program) -> Any:
    """The loss alone, forward pass only; complex where a value is."""
    storage = Storage(unrolled, program)
    with np.errstate(all="ignore"):
        forward(storage)
        return total_of(storage)


def untie(unrolled: Unrolled, parameter: str) -> Unrolled:
    """The same network with one parameter a sequence, so that each use of it can be moved alone."""
    network, values = unrolled.network, unrolled.values

    def leaf(name: Name) -> Expression:
        return Name(name.name, 0) if name.name == parameter else name

    printer = Printer(NOTATIONS)
    texts = [f"{e.target} = {printer.print(substitute(e.expression, leaf))}" for e in network.equations]
    shared = {name: value for name, value in values.parameters.items() if name != parameter}
    value = values.parameters[parameter]
    sequence = np.broadcast_to(value, (unrolled.steps, *value.shape))
    untied = Network(texts, network.loss_at, network.reduction)
    return unroll(
        untied, shared, {**values.inputs, parameter: sequence}, values.initial, values.constants, pins=values.pins
    )
