"""A trace: every value, adjoint and contribution of one run, ready to be looked at anywhere.

Made once, forward and backward; after that any position is random access. What would be too large to keep
(Jacobians, a weight matrix's term at each timestep) is made when asked for, from the rows that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import size
from bptt_tui.errors import NetworkError
from bptt_tui.language import Name
from bptt_tui.language.sanitise import brief, called
from bptt_tui.network import Unrolled
from bptt_tui.network.arguments import callback, equation_number, read_name, text, timestep, unknown
from bptt_tui.network.network import did_you_mean
from bptt_tui.trace.forward import forward
from bptt_tui.trace.health import Trouble, troubles
from bptt_tui.trace.local import LocalStep, LocalSteps
from bptt_tui.trace.program import compile_program
from bptt_tui.trace.reverse import reverse
from bptt_tui.trace.storage import Storage
from bptt_tui.trace.terms import Terms
from bptt_tui.trace.total import seed, share, total

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance, Progress
    from bptt_tui.trace.verify import Report

Array = NDArray[Any]


class Consumer(Struct, frozen=True):
    """An equation that reads a node, and the name by which it does: (b, `s[t-1]`) reads s one timestep later."""

    equation: int
    by: Name

    @property
    def lag(self) -> int:
        return -(self.by.offset or 0)


class Link(Struct, frozen=True):
    """One edge of a path: what is read at `t` (a node, a parameter's use, an input), and who reads it.

    `reader` is None for the edge from the total to one of its loss steps.
    """

    name: str
    t: int
    reader: Consumer | None

    @property
    def consumer_time(self) -> int | None:
        """When the consumer is computed; None for the total."""
        return None if self.reader is None else self.t + self.reader.lag


class Gradient(dict[str, Array]):
    """∂E/∂p by parameter; NetworkError for what is no parameter."""

    def __missing__(self, name: object) -> Array:
        unknown(text(name), "parameter", self)


class Trace:
    """Values, adjoints and contributions of a network with its values.

    `loss` is a float; `gradient[p]` has the shape of parameter p. Timesteps are 0 … T-1; initial values stand at
    t < 0.
    """

    def __init__(self, unrolled: Unrolled, progress: Advance | None = None) -> None:
        if not isinstance(unrolled, Unrolled):
            raise NetworkError(f"{brief(unrolled)} is no unrolled network", hint="Network(…).trace(…) makes a trace")
        self.unrolled = unrolled
        self.program = compile_program(unrolled)
        self.storage = Storage(unrolled, self.program)
        with np.errstate(all="ignore"):
            forward(self.storage, progress)
            self.storage.forget_unread()
            self._share = share(self.storage)
            self._total = total(self.storage)
            self.adjoints = reverse(self.storage, seed(self.storage), progress)
            self.terms = {name: Terms(name, self.storage, self.adjoints) for name in unrolled.values.parameters}
            self.gradient: dict[str, Array] = Gradient((name, terms.total) for name, terms in self.terms.items())
        kept = {slot for terms in self.terms.values() for slot in terms.slots()}
        self.storage.keep(kept)
        self.adjoints.keep(kept)

    @property
    def loss(self) -> float:
        """The total loss."""
        return self._total.item() if self._total.dtype.kind == "c" else float(self._total)

    @property
    def steps(self) -> int:
        """T."""
        return self.unrolled.steps

    @property
    def share(self) -> float:
        """∂(total)/∂E_t: 1 for a sum, 1/(number of loss steps) for a mean."""
        return self._share

    def verify(self, budget: int | None = None, progress: Progress | None = None) -> Report:
        """Check the gradient and every contribution against the loss itself; see `bptt_tui.trace.verify`."""
        from bptt_tui.trace.verify import verify  # seldom wanted, and a debugger should open at once

        callback(progress)
        if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int)):
            raise NetworkError(f"budget: {brief(budget)} is no number of evaluations", hint="give 1 or more, or None")
        return verify(self, budget, progress)

    # --- looking things up ---------------------------------------------------------------------------------------

    def exists(self, name: str, t: int) -> bool:
        """Whether the loss depends on node `name` at `t`."""
        equation, t = self.unrolled.network.index.get(text(name)), timestep(t)
        return equation is not None and self.unrolled.present[equation].row(t) is not None

    def value(self, name: str, t: int | None = None) -> Array:
        """The value of a node or input at `t` (initial values at t < 0), or of a parameter or constant."""
        values, t = self.unrolled.values, None if t is None else timestep(t)
        text(name)
        for fixed in (values.parameters, values.constants):
            if name in fixed:
                return fixed[name]
        if t is None:
            if name not in values.inputs:
                self._equation(name)
            raise NetworkError(f"{name} has a value per timestep", hint=f"say which, as in {name}[0]")
        if t < 0:
            before = self.unrolled.before.get(name)
            if before is None or -t > len(before):
                raise NetworkError(f"{name} has no value at t = {t}")
            return np.asarray(before[len(before) + t])
        if name in values.inputs:
            if t >= self.steps:
                raise self._no_such_step(t)
            return np.asarray(values.inputs[name][t])
        pinned = self.unrolled.pin(name, t)
        if pinned is not None:
            return pinned
        equation, row = self._place(name, t)
        return np.asarray(self.storage.arrays[self.program.roots[equation]][row])

    def adjoint(self, name: str, t: int) -> Array:
        """∂E/∂node, in the node's shape; of an input, an initial value or a pinned node too."""
        t = timestep(t)
        if text(name) in self.unrolled.network.index and t >= 0 and not self.unrolled.is_pinned(name, t):
            equation, row = self._place(name, t)
            whole = self.adjoint_rows(equation)
            return np.zeros(self.unrolled.shapes[name]) if whole is None else np.asarray(whole[row])
        self.value(name, t)
        total = np.zeros(self.unrolled.shapes[name])
        for consumer in self.consumers(name, t):
            total = total + self.inflow(consumer.equation, t + consumer.lag, consumer.by)
        return total

    def contribution(self, parameter: str, t: int) -> Array:
        """∂E/∂p_t: the term of use p[t] in ∂E/∂p, of p's shape."""
        value = self.terms_of(parameter).at(timestep(t))
        if value is None:
            raise NetworkError(f"{parameter} is not used at t = {t}", hint=self._uses_hint(parameter))
        return value

    def uses(self, parameter: str) -> Sequence[int]:
        """The timesteps at which a parameter is used, ascending."""
        result: list[int] = self.terms_of(parameter).times.array().tolist()
        return result

    def running_sum(self, parameter: str, t: int) -> Array:
        """Σ ∂E/∂p_t' over t' ≥ t, as the backward pass has it when it has taken the use at `t`; of p's shape."""
        times = self.terms_of(parameter).times
        row = times.row(timestep(t))
        if row is None:
            raise NetworkError(f"{parameter} is not used at t = {t}", hint=self._uses_hint(parameter))
        return self.terms_of(parameter).running(times.count - row)

    def contribution_norms(self, parameter: str) -> Array:
        """‖∂E/∂p_t‖ for every use, in time order, `(uses,)`; no contribution is stored for it."""
        with np.errstate(all="ignore"):
            return self.terms_of(parameter).norms()

    def partial(self, node: str, t: int, by: str, by_t: int | None = None) -> Array:
        """The dense local partial ∂node_t/∂by, rows × columns = sizes of node and `by`, matrices flattened by rows.

        `by` is anything the node's equation reads; `by_t` tells two reads of one name apart (s[t-1] from s[t-2]).
        """
        equation, _ = self._place(node, t)
        text(by)
        by_t = None if by_t is None else timestep(by_t)
        for read in self.unrolled.network.reads[equation]:
            if read.name == by and by_t in (None, t + (read.offset or 0)):
                return self.jacobian(equation, t, read)
        names = ", ".join(dict.fromkeys(read.name for read in self.unrolled.network.reads[equation]))
        raise NetworkError(
            f"{node}[{t}] does not read {called(by) if by_t is None else f'{called(by)}[{by_t}]'}",
            hint=f"it reads {names}" if names else "it reads nothing",
        )

    def norms(self, name: str) -> Array:
        """‖∂E/∂node_t‖ for every timestep 0 … T-1; nan where the node does not exist. NetworkError for no node."""
        if text(name) not in self._norms:
            equation = self._equation(name)
            times = self.unrolled.times[equation]
            norms = np.full(self.steps, np.nan)
            whole = self.adjoint_rows(equation)
            if times.count:
                flat = np.zeros((times.count, 1)) if whole is None else whole.reshape(times.count, -1)
                norms[times.array()] = norm(flat, 1)
            if name in self.unrolled.pinned:
                for t in self.unrolled.pinned[name].times.tolist():
                    norms[t] = norm(self.adjoint(name, t).reshape(-1), 1)
            self._norms[name] = norms
        return self._norms[name]

    @cached_property
    def _norms(self) -> dict[str, Array]:
        return {}

    def terms_of(self, parameter: str) -> Terms:
        """The contributions of a parameter; NetworkError where there is none of the name."""
        if text(parameter) not in self.terms:
            unknown(parameter, "parameter", self.terms)
        return self.terms[parameter]

    def _uses_hint(self, parameter: str) -> str:
        times = self.terms_of(parameter).times
        return f"its uses lie between t = {times.start} and t = {times.last}" if times.count else "it has no use"

    def _no_such_step(self, t: int) -> NetworkError:
        return NetworkError(f"there is no timestep {t}", hint=f"the timesteps are 0 … {self.steps - 1}")

    def _equation(self, name: str) -> int:
        network = self.unrolled.network
        if text(name) not in network.index:
            hint = did_you_mean(name, network.targets) or f"the nodes are {', '.join(network.targets)}"
            raise NetworkError(f"there is no node {called(name)}", hint=hint)
        return network.index[name]

    def _place(self, name: str, t: int) -> tuple[int, int]:
        equation, t = self._equation(name), timestep(t)
        if not 0 <= t < self.steps:
            raise self._no_such_step(t)
        row = self.unrolled.times[equation].row(t)
        if row is None:
            raise NetworkError(f"{name}[{t}] does not exist: the loss does not depend on it")
        return equation, row

    def adjoint_rows(self, equation: int) -> Array | None:
        """∂E/∂node for every timestep at which the equation's node exists, `(count, *shape)`; None: 0 everywhere."""
        equation_number(self.unrolled.network, equation)
        if equation not in self._adjoints:
            self._adjoints[equation] = self.adjoints.whole(self.program.roots[equation])
        return self._adjoints[equation]

    @cached_property
    def _adjoints(self) -> dict[int, Array | None]:
        return {}

    @cached_property
    def troubles(self) -> tuple[Trouble, ...]:
        """The first node, forward and backward, that overflows, underflows, saturates or is not a number."""
        return troubles(self)

    # --- edges ---------------------------------------------------------------------------------------------------

    @cached_property
    def _consumers(self) -> dict[str, tuple[Consumer, ...]]:
        """By name, the equations that read it, in the order the backward pass meets them at one timestep."""
        found: dict[str, list[Consumer]] = {}
        network = self.unrolled.network
        for equation in reversed(network.order):
            for by in network.reads[equation]:
                found.setdefault(by.name, []).append(Consumer(equation, by))
        return {name: tuple(sorted(c, key=lambda consumer: consumer.lag)) for name, c in found.items()}

    def readers(self, name: str) -> tuple[Consumer, ...]:
        """All equations that read a name, at whatever timestep, in that order."""
        return self._consumers.get(text(name), ())

    def consumers(self, name: str, t: int) -> tuple[Consumer, ...]:
        """Who reads node `name` of timestep `t`, in the order in which the backward pass brings their inflows."""
        times, t = self.unrolled.times, timestep(t)
        return tuple(c for c in self.readers(name) if times[c.equation].row(t + c.lag) is not None)

    def local(self, equation: int, t: int) -> LocalStep:
        """The equation's step at `t`."""
        return LocalStep(self.storage, equation, self._row(equation, t))

    def _row(self, equation: int, t: int) -> int:
        """The row of an equation at `t`."""
        network, t = self.unrolled.network, timestep(t)
        row = self.unrolled.times[equation_number(network, equation)].row(t)
        if row is not None:
            return row
        if not 0 <= t < self.steps:
            raise self._no_such_step(t)
        name = network.equations[equation].target
        why = "it is pinned" if self.unrolled.is_pinned(name, t) else "the loss does not depend on it"
        raise NetworkError(f"{name}[{t}] is not computed: {why}")

    def _read(self, by: Name) -> Name:
        return read_name(by, self.unrolled.shapes)

    def jacobian(self, equation: int, t: int, by: Name) -> Array:
        """The dense local partial ∂node/∂by at `t`, rows × columns."""
        with np.errstate(all="ignore"):
            return self.local(equation, t).jacobian(self._read(by))

    def jacobians(self, equation: int, by: Name, rows: slice = slice(None)) -> Array:
        """The dense local partials ∂node/∂by at many timesteps, `(timesteps, rows, columns)`.

        `rows` is a run of the timesteps at which the node is computed, `unrolled.times[equation]`; where a formula has
        the same value at all of them, as ∂(w·s)/∂s, it is given once, `(1, rows, columns)`. A matrix per timestep is
        large: `jacobian_width` says how many numbers one takes. What the equation does not read has partials of 0.
        """
        equation_number(self.unrolled.network, equation)
        if not isinstance(rows, slice):
            raise NetworkError(f"{brief(rows)} is no run of rows", hint="give a slice, as in slice(0, 10)")
        with np.errstate(all="ignore"):
            return LocalSteps(self.storage, equation, rows).jacobian(self._read(by))

    def jacobian_width(self, equation: int, by: Name) -> int:
        """How many numbers per timestep `jacobians` handles at once."""
        equation_number(self.unrolled.network, equation)
        columns = size(self.unrolled.shapes[self._read(by).name])
        rows = size(self.unrolled.shapes[self.unrolled.network.equations[equation].target])
        return max(LocalSteps(self.storage, equation, slice(0, 0)).width, rows * columns)

    def inflow(self, equation: int, t: int, by: Name) -> Array:
        """∂E/∂node · ∂node/∂by: what flows over one edge, in the shape of what is read."""
        row = self._row(equation, t)
        self._read(by)
        whole = self.adjoint_rows(equation)
        if whole is None:
            return np.zeros(self.unrolled.shapes[by.name])
        if equation in self._with_fused:
            found = self._inflows(equation, by, whole, slice(row, row + 1))
        else:  # asked for with every step of the debugger: a single row costs less
            with np.errstate(all="ignore"):
                found = LocalStep(self.storage, equation, row).pull(whole[row], by)
        return np.asarray(found).reshape(self.unrolled.shapes[by.name])

    def given_adjoints(self, name: str) -> Array:
        """∂E/∂x_t of an input for every timestep, `(T, *shape)`: the sum of what flows in from its readers.

        Of a node it is ∂E/∂node where the node is pinned.
        """
        if text(name) not in self.unrolled.shapes:
            unknown(name, "name", self.unrolled.shapes)
        total = np.zeros((self.steps, *self.unrolled.shapes[name]), self.storage.dtype)
        for reader in self.readers(name):
            whole = self.adjoint_rows(reader.equation)
            moments = self.unrolled.times[reader.equation].array() - reader.lag
            inside = (moments >= 0) & (moments < self.steps)
            if whole is not None and inside.any():
                inflows = self._inflows(reader.equation, reader.by, whole, slice(0, len(moments)))
                with np.errstate(all="ignore"):
                    total[moments[inside]] += inflows[inside, 0]
        return total

    def _inflows(self, equation: int, by: Name, adjoints: Array, rows: slice) -> Array:
        """What flows over one edge at a run of an equation's rows, `(rows, 1, *shape)`."""
        with np.errstate(all="ignore"):
            step = LocalSteps(self.storage, equation, rows)
            return step.pull(adjoints[rows][:, None], by, self._overrides(equation, step, rows))

    @cached_property
    def _with_fused(self) -> frozenset[int]:
        """The equations with a softmax or sigmoid that is pulled back in one piece with the loss behind it."""
        return frozenset(self.program.instruction(fused.inner).equation for fused in self.program.fused.values())

    def _overrides(self, equation: int, step: LocalSteps, rows: slice) -> dict[int, Array] | None:
        """What flows into the logits of a fused softmax: o − y from the loss, the Jacobian for the rest.

        For a run of the equation's rows, `(rows, 1, *shape)`.
        """
        overrides: dict[int, Array] = {}
        for fused in self.program.fused.values():
            inner, outer = self.program.instruction(fused.inner), self.program.instruction(fused.outer)
            if inner.equation != equation:
                continue
            own = self.unrolled.times[equation].array(rows)
            q, o = step.value(inner.args[0]), step.value(fused.inner)
            value = overrides.get(fused.inner, np.zeros((len(own), 1, *inner.shape), self.storage.dtype))
            plain, g = self.adjoints.arrays.get(fused.inner), self.adjoints.arrays.get(fused.outer)
            if plain is not None and outer.equation != equation and fused.inner not in overrides:
                value = value + inner.operation.pull(0, plain[rows][:, None], o, (q,), inner.shapes)
            if g is not None:
                read = self.unrolled.times[outer.equation].rows_between(int(own[0]), int(own[-1]))
                theirs = self.unrolled.times[outer.equation].array(read)
                y = LocalSteps(self.storage, outer.equation, read).value(outer.args[1])
                _, here, there = np.intersect1d(own, theirs, assume_unique=True, return_indices=True)
                y = y[there] if self.program.timed(outer.args[1]) else y
                value[here] += fused.fusion.pull(g[read][there][:, None], q[here], o[here], y, outer.shapes)
            overrides[fused.inner] = value
        return overrides or None

    def fusion(self, equation: int, t: int, by: Name) -> Literal["", "through", "from"]:
        """Whether an edge's inflow was computed in one piece with its neighbour.

        "through": the node is a softmax read by a fused loss, and what it passes on is o − y. "from": the node is the
        loss itself with the softmax inside.
        """
        equation_number(self.unrolled.network, equation)
        t = timestep(t)
        self._read(by)
        for fused in self.program.fused.values():
            inner = self.program.instruction(fused.inner)
            outer = self.program.instruction(fused.outer)
            if inner.equation == equation and self._reaches(equation, by):
                if outer.equation == equation:
                    return "from"
                if self.unrolled.times[outer.equation].row(t) is not None:
                    return "through"
        return ""

    def _reaches(self, equation: int, by: Name) -> bool:
        """Only node-valued and parameter reads take a gradient."""
        return by in self.unrolled.network.reads[equation]
