"""The chain from E down to the current node, factor by factor, along one path.

Where a node has several consumers the path goes through the last of its inflows: through the recurrence, if there
is one. The running product at such a node is the sum of all its inflows, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from msgspec.structs import replace

from bptt_tui.debugger.looking import Look, Scene, name_at
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import DENSE_LIMIT, NOT_YET, Factor, Ref
from bptt_tui.trace import Consumer, Link

REACH = 256


def consumer_of(scene: Scene, link: Link) -> Ref:
    """Who reads what an edge leads from."""
    name = scene.network.loss_name
    if link.reader is not None:
        name = scene.network.equations[link.reader.equation].target
    return scene.ref(name, link.consumer_time)


def links_into(scene: Scene, name: str, t: int) -> tuple[Link, ...]:
    """The edges that bring a gradient to a node or use, in the order of its inflows."""
    found = [Link(name, t, consumer) for consumer in scene.consumers(name, t)]
    if scene.feeds_total(name, t):
        found.append(Link(name, t, None))
    return tuple(found)


def links_out_of(scene: Scene, equation: int, t: int) -> tuple[Link, ...]:
    """The edges from a node to everything it reads and is differentiated by; none where it is pinned."""
    if scene.unrolled.is_pinned(scene.network.equations[equation].target, t):
        return ()
    reads = scene.network.reads[equation]
    return tuple(
        Link(by.name, name_at(by, t), Consumer(equation, by)) for by in reads if scene.partials.flows(equation, by)
    )


def factor_of(scene: Scene, link: Link, *, current: bool, taken: bool) -> Factor:
    """An edge's local partial, symbol and numbers; `running` is NOT_YET unless the factor has been taken."""
    source, consumer = scene.ref(link.name, link.t), consumer_of(scene, link)
    if link.reader is None or consumer.t is None:
        return _share_of_total(scene, source, consumer, current=current, taken=taken)
    equation, by, t = link.reader.equation, link.reader.by, consumer.t
    rows, columns = scene.partials.shape(equation, by)
    return Factor(
        title=scene.naming.partial(consumer.label, source.label),
        consumer=consumer,
        source=source,
        symbol=scene.partials.text(equation, t, by),
        latex=scene.partials.text(equation, t, by, "latex"),
        shape=(rows, columns),
        value=scene.jacobian(equation, t, by) if rows * columns <= DENSE_LIMIT else None,
        running=scene.trace.inflow(equation, t, by) if taken else NOT_YET,
        current=current,
        branches=max(scene.inflow_count(consumer.name, t), 1),
    )


def _share_of_total(scene: Scene, source: Ref, total: Ref, *, current: bool, taken: bool) -> Factor:
    """∂(total)/∂E_t: 1 in a sum, one part of n in a mean."""
    mean = scene.network.reduction == "mean"
    count = len(scene.unrolled.loss_times)
    share = np.asarray(scene.trace.share)
    return Factor(
        title=scene.naming.partial(total.label, source.label),
        consumer=total,
        source=source,
        symbol=f"1/{count}" if mean else "1",
        latex=rf"\frac{{1}}{{{count}}}" if mean else "1",
        shape=(1, 1),
        value=share.reshape(1, 1),
        running=share if taken else NOT_YET,
        current=current,
    )


class ChainAt:
    """A `Chain` (see `view`) at one position."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._scene = look.scene

    @property
    def _step(self) -> Step | None:
        """The step going backward that the chain leads to."""
        step = self._look.step
        return step if step is not None and step.phase == "backward" else None

    @cached_property
    def _inflows(self) -> tuple[Link, ...]:
        step = self._step
        return () if step is None or step.t is None else links_into(self._scene, step.name, step.t)

    @property
    def title(self) -> str:
        """`∂E/∂s₀`; empty in the forward phase."""
        step = self._step
        naming = self._scene.naming
        return "" if step is None else naming.partial(naming.total(), self._scene.step_ref(step).label)

    @property
    def _number(self) -> int:
        """Which inflow the path goes through, counted from 1."""
        return self._look.factor or len(self._inflows)

    def _path(self) -> Iterator[Link]:
        """The edges from the current node up to E."""
        link = self._inflows[self._number - 1] if self._inflows else None
        while link is not None:
            yield link
            above = consumer_of(self._scene, link)
            links = () if above.t is None else links_into(self._scene, above.name, above.t)
            link = links[-1] if links else None

    @cached_property
    def _near(self) -> tuple[Link, ...]:
        return tuple(islice(self._path(), REACH + 1))

    @property
    def complete(self) -> bool:
        """Whether the path reaches E within REACH factors."""
        return len(self._near) <= REACH

    @property
    def note(self) -> str:
        """Which of several inflows the path goes through."""
        count = len(self._inflows)
        return f"through inflow {self._number} of {count}" if count > 1 else ""

    def factors(self, limit: int) -> Sequence[Factor]:
        """The last `limit` factors from E down; the current one is last."""
        before, self._scene.factors = self._scene.factors, {}
        near: list[Factor] = []
        for place, link in enumerate(islice(self._path(), min(limit, REACH))):
            factor = before.get(link) or factor_of(self._scene, link, current=False, taken=True)
            self._scene.factors[link] = factor
            near.append(factor if place else replace(factor, current=True))
        if near:
            near[0] = self._look.veil.over(near[0])
        return near[::-1]
