"""Every chain from E down to a use or a node: counted, listed one at a time, summed.

    chains = Chains(trace, "w", 0)
    chains.count                       # how many there are, exactly, without listing them
    for chain in chains: …             # one at a time, earliest loss step first
    chains.chain(10**20)               # any one of them at once
    chains.by_loss()                   # for every loss step, how many go through it and what they sum to

A chain is a path along which a change of the use reaches the loss, as the product of the local partials on its edges.
The product of one chain is its part of ∂E/∂w₀; the sum over all chains is ∂E/∂w₀. Where a node is read by several
others chains multiply: an LSTM has more over 50 timesteps than can ever be listed. They are counted by dynamic
programming, every node's number being the sum of its readers', and the same numbers find the n-th chain in as many
steps as it has factors.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.derivation.by_loss import sweep, unwatched
from bptt_tui.derivation.naming import Naming
from bptt_tui.derivation.partials import Partials
from bptt_tui.errors import NetworkError
from bptt_tui.network import Timesteps
from bptt_tui.trace import Consumer, Link, Trace
from bptt_tui.trace.program import Leaf

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Watch

Array = NDArray[Any]
Place = tuple[str, int]
DENSE_LIMIT = 4096  # numbers of a Jacobian that is written out
FARTHEST = 4096  # timesteps between a loss step and what its chains lead to, for single chains
_AT_ONCE = 1 << 27


class ChainFactor(NamedTuple):
    """One factor of a chain: ∂consumer/∂source, its formula and numbers, and the product from E down to here.

    `shape` is rows × columns; `value` the Jacobian, None where it has more than DENSE_LIMIT numbers; `running` has the
    shape of what is read.
    """

    link: Link
    title: str
    symbol: str
    latex: str
    shape: tuple[int, int]
    value: Array | None
    running: Array


class Chain(NamedTuple):
    """One path: its number among those of its loss step (from 0), and its edges from E down."""

    loss: int
    number: int
    links: tuple[Link, ...]


class Group(NamedTuple):
    """The chains through one loss step: how many, and what they sum to, in the shape of what they lead to."""

    loss: int
    chains: int
    total: Array


class Chains:
    """The chains to the use of a parameter at `t`, or to a node.

    Raises NetworkError for what the loss does not depend on, or is not used at `t`. `watch` is asked for a callback
    whenever counting or summing passes over timesteps; that may raise to cancel.
    """

    def __init__(
        self,
        trace: Trace,
        name: str,
        t: int,
        *,
        naming: Naming | None = None,
        partials: Partials | None = None,
        watch: Watch = unwatched,
    ) -> None:
        self.trace, self.name, self.t = trace, name, t
        self._network = trace.unrolled.network
        self._naming = naming or Naming(trace.unrolled)
        self._partials = partials or Partials(trace, self._naming)
        self._watch = watch
        self.is_use = name in trace.terms
        if self.is_use:
            trace.contribution(name, t)
            self.shape = trace.terms[name].shape
        else:
            trace.adjoint(name, t)
            if name not in self._network.index:
                raise NetworkError(f"{name} is no node and no parameter")
            self.shape = trace.unrolled.shapes[name]
        self._upward: dict[int, dict[Place, int]] = {}
        self._sums: dict[int, dict[int, Array]] = {}
        self._loss_name = self._network.loss_name

    # --- counting ----------------------------------------------------------------------------------------------------

    @cached_property
    def counts(self) -> dict[int, int]:
        """By loss step, the number of chains through it; loss steps without one are left out."""
        trace, network = self.trace, self._network
        steps = trace.unrolled.loss_times
        losses = steps if isinstance(steps, range) else frozenset(steps)
        # By equation: when it is computed, which equations it reads how far back, and how often it reads the use.
        rules: list[tuple[int, Timesteps, list[tuple[int, int]], int]] = []
        longest = 0
        for equation in network.order:
            reads = [by for by in network.reads[equation] if self._flows(equation, by)]
            sources = [(network.index[by.name], -(by.offset or 0)) for by in reads if by.name in network.index]
            longest = max(longest, *(lag for _, lag in sources), 0)
            own = sum(by.name == self.name for by in reads) if self.is_use else 0
            rules.append((equation, trace.unrolled.times[equation], sources, own))
        found: dict[int, int] = {}
        nothing = [0] * len(rules)
        before = deque([nothing] * (longest + 1), longest + 1)  # paths to each node, this timestep and those before
        progress = self._watch(trace.steps - self.t)
        for t in range(self.t, trace.steps):
            progress(1)
            paths = nothing.copy()
            before.appendleft(paths)
            if t == self.t and not self.is_use:
                paths[network.index[self.name]] = 1
            for equation, times, sources, own in rules:
                if paths[equation] or times.row(t) is None:
                    continue
                total = own if t == self.t else 0
                for source, lag in sources:
                    total += before[lag][source]
                paths[equation] = total
            if t in losses and paths[network.loss]:
                found[t] = paths[network.loss]
        return found

    @property
    def count(self) -> int:
        """The number of all chains, exactly."""
        return sum(self.counts.values())

    def _flows(self, equation: int, by: Any) -> bool:
        return self._partials.flows(equation, by)

    def _consumers(self, name: str, t: int) -> Iterator[tuple[Consumer, Place]]:
        """The readers of a node or use that pass a gradient back, and where they are."""
        for consumer in self.trace.consumers(name, t):
            if self._flows(consumer.equation, consumer.by):
                yield consumer, (self._network.targets[consumer.equation], t + consumer.lag)

    def _paths(self, loss: int) -> dict[Place, int]:
        """By node, the number of paths from it up to a loss step."""
        if loss not in self._upward:
            if loss - self.t > FARTHEST:
                raise NetworkError(
                    f"the chains through t = {loss} have more than {loss - self.t:,} factors each",
                    hint=f"single chains over at most {FARTHEST:,} timesteps",
                )
            found: dict[Place, int] = {(self._loss_name, loss): 1}
            for t in range(loss, self.t - 1, -1):
                for equation in reversed(self._network.order):
                    place = (self._network.targets[equation], t)
                    if place not in found and self.trace.exists(*place):
                        paths = sum(found.get(above, 0) for _, above in self._consumers(*place))
                        if paths:
                            found[place] = paths
            if self.is_use:
                found[self.name, self.t] = sum(found.get(p, 0) for _, p in self._consumers(self.name, self.t))
            self._upward[loss] = found
        return self._upward[loss]

    # --- one at a time -----------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Chain]:
        for loss in self.counts:
            yield from self.through(loss)

    def through(self, loss: int, start: int = 0) -> Iterator[Chain]:
        """The chains through one loss step, from number `start` on."""
        number, count = start, self.counts.get(loss, 0)
        while number < count:
            yield self._numbered(loss, number)
            number += 1

    def chain(self, number: int) -> Chain:
        """One of all chains, numbered from 0, earliest loss step first. Raises NetworkError past the last."""
        left = number
        for loss, count in self.counts.items():
            if 0 <= left < count:
                return self._numbered(loss, left)
            left -= count
        raise NetworkError(f"there is no chain {spelled(number + 1)}", hint=f"there are {spelled(self.count)}")

    def _numbered(self, loss: int, number: int) -> Chain:
        """Up from the target: at every node, into the reader among whose paths the number lies."""
        paths = self._paths(loss)
        here, left = (self.name, self.t), number
        links: list[Link] = []
        while here != (self._loss_name, loss):
            for consumer, above in self._consumers(*here):
                through = paths.get(above, 0)
                if left < through:
                    links.append(Link(*here, consumer))
                    here = above
                    break
                left -= through
            else:
                raise AssertionError("a path was counted that is not there")
        if self.trace.unrolled.has_total:
            links.append(Link(*here, None))
        return Chain(loss, number, tuple(reversed(links)))

    # --- factors -----------------------------------------------------------------------------------------------------

    def title(self) -> str:
        """`∂E/∂w₀`."""
        naming = self._naming
        label = naming.use(self.name, self.t) if self.is_use else naming.node(self.name, self.t)
        return naming.partial(naming.total(), label)

    def product(self, chain: Chain) -> Array:
        """The product of a chain's factors, in the shape of what it leads to."""
        running: Array = np.asarray(1.0)
        for product in self._running(chain):
            running = product
        return running

    def factors(self, chain: Chain) -> tuple[ChainFactor, ...]:
        """The factors of a chain, from E down."""
        return tuple(
            self._factor(link, running) for link, running in zip(chain.links, self._running(chain), strict=True)
        )

    def _factor(self, link: Link, running: Array) -> ChainFactor:
        naming, partials = self._naming, self._partials
        source = naming.use(link.name, link.t) if link.name in self.trace.terms else naming.node(link.name, link.t)
        reader, at = link.reader, link.consumer_time
        if reader is None or at is None:
            count = len(self.trace.unrolled.loss_times)
            mean = self._network.reduction == "mean"
            symbol, latex = (f"1/{count}", rf"\frac{{1}}{{{count}}}") if mean else ("1", "1")
            title = naming.partial(naming.total(), source)
            return ChainFactor(link, title, symbol, latex, (1, 1), np.full((1, 1), self.trace.share), running)
        equation, by = reader.equation, reader.by
        rows, columns = partials.shape(equation, by)
        return ChainFactor(
            link,
            naming.partial(naming.node(self._network.targets[equation], at), source),
            partials.text(equation, at, by),
            partials.text(equation, at, by, "latex"),
            (rows, columns),
            self.trace.jacobian(equation, at, by) if rows * columns <= DENSE_LIMIT else None,
            running,
        )

    def _running(self, chain: Chain) -> Iterator[Array]:
        """The products from E down, one for each factor."""
        trace = self.trace
        running: Array = np.asarray(1.0)
        above: tuple[Link, Array] | None = None
        for link in chain.links:
            before = running
            with np.errstate(all="ignore"):
                if link.reader is None or link.consumer_time is None:
                    running = np.asarray(trace.share)
                else:
                    override = self._fused(above, link, running)
                    step = trace.local(link.reader.equation, link.consumer_time)
                    running = np.asarray(step.pull(running, link.reader.by, override))
                    running = running.reshape(trace.unrolled.shapes[link.name])
            above = link, before
            yield running

    def _fused(self, above: tuple[Link, Array] | None, link: Link, running: Array) -> dict[int, Array] | None:
        """g·(o − y), to flow into the logits where an edge ends behind a softmax that its loss is computed with.

        The product of their partials, −y/o and diag(o) − ooᵀ, can overflow. The loss is the edge's own equation, or
        that of the edge `above` it, with the product before that.
        """
        assert link.reader is not None and link.consumer_time is not None
        program = self.trace.program
        own = program.roots[link.reader.equation]
        if own in program.fused:
            inner, g, loss = program.fused[own].inner, running, link
            if program.instruction(inner).equation != link.reader.equation:
                return None
        else:
            if above is None or above[0].reader is None:
                return None
            loss, g = above
            inner = own
        assert loss.reader is not None and loss.consumer_time is not None
        outer = program.roots[loss.reader.equation]
        fused = program.fused.get(outer)
        if fused is None or fused.inner != inner:
            return None
        entry, lower = program.instruction(outer), self.trace.local(link.reader.equation, link.consumer_time)
        target = program.slots[entry.args[1]]
        if loss is not link and (not isinstance(target, Leaf) or target.name == loss.name):
            return None  # the loss reads the softmax as its target too
        y = self.trace.local(loss.reader.equation, loss.consumer_time).value(entry.args[1])
        q, o = lower.value(program.instruction(inner).args[0]), lower.value(inner)
        return {inner: np.asarray(fused.fusion.pull(g, q, o, y, entry.shapes))}

    # --- sums --------------------------------------------------------------------------------------------------------

    def by_loss(self, start: int = 0, stop: int | None = None) -> Iterator[Group]:
        """For every loss step that has chains (number `start` … `stop` − 1 of them), their number and their sum."""
        for loss in list(self.counts)[start:stop]:
            yield Group(loss, self.counts[loss], self.sum(loss))

    def sum(self, loss: int) -> Array:
        """The sum of the chains through one loss step, in the shape of what they lead to: swept, not listed."""
        if loss not in self.counts:
            return np.zeros(self.shape)
        total: Array = np.zeros(self.shape)
        with np.errstate(all="ignore"):
            flows = self._flows_of(loss)
            if not self.is_use:
                return next(iter(flows.values()), total).reshape(self.shape)
            terms = self.trace.terms[self.name]
            for touch in terms.touches:
                row = self.trace.unrolled.times[touch.equation].row(self.t)
                if row is not None and touch.slot in flows:
                    total = total + terms.pull(touch, row, flows[touch.slot])
        return np.asarray(total)

    def _flows_of(self, loss: int) -> dict[int, Array]:
        """What one loss step sends to where the target is read, by slot; made for as many neighbours as fit at once."""
        if loss not in self._sums:
            program = self.trace.program
            if self.is_use:
                wanted = {touch.slot for touch in self.trace.terms[self.name].touches}
            else:
                wanted = {program.roots[self._network.index[self.name]]}
            losses = list(self.counts)
            numbers = sum(int(np.prod(program.instruction(slot).shape)) for slot in wanted)
            length = max(_AT_ONCE // ((losses[-1] - self.t + 1) * max(numbers, 1)), 1)
            # Counted from the last one, where a list of them begins to be read.
            stop = len(losses) - (len(losses) - 1 - bisect_left(losses, loss)) // length * length
            together = losses[max(stop - length, 0) : stop]
            found: dict[int, Array] = {}
            progress = self._watch(together[-1] - self.t + 1)
            for moment in sweep(self.trace, wanted, [(each,) for each in together], progress):
                if moment.t <= self.t:
                    found = moment.flows if moment.t == self.t else {}
                    break
            for number, each in enumerate(reversed(together)):
                self._sums[each] = {slot: flow[number] for slot, flow in found.items()}
        return self._sums[loss]


def spelled(count: int) -> str:
    """A count in digits, or by its size where it has more than 21: `1.27·10^30`."""
    if count < 10**21:
        return f"{count:,}".replace(",", " ")
    # Python refuses to spell integers of thousands of digits; the logarithm of the leading bits is enough.
    shift = max(count.bit_length() - 64, 0)
    logarithm = float(np.log10(float(count >> shift)) + shift * np.log10(2.0))
    exponent = int(logarithm)
    mantissa = 10 ** (logarithm - exponent)
    return f"{mantissa:.3g}·10^{exponent}"
