"""The chain from E down to the current node, factor by factor, along one path.

Where a node has several consumers the path goes through the last of its inflows: through the recurrence, if there
is one. The running product at such a node is the sum of all its inflows, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from bptt_tui.debugger.looking import Look, name_at
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import DENSE_LIMIT, NOT_YET, Factor, Ref
from bptt_tui.language import Name

REACH = 256


@dataclass(frozen=True, slots=True)
class Link:
    """One edge of a path: what is read (a node, or a parameter's use) at `t`, and the equation that reads it.

    `equation` is None for the edge from the total to one of its loss steps.
    """

    name: str
    t: int
    equation: int | None
    by: Name | None

    @property
    def consumer_time(self) -> int | None:
        """When the consumer is computed; None for the total."""
        return None if self.by is None else self.t - (self.by.offset or 0)


def links_into(look: Look, name: str, t: int) -> tuple[Link, ...]:
    """The edges that bring a gradient to a node or use, in the order of its inflows."""
    scene = look.scene
    found = [Link(name, t, consumer.equation, consumer.by) for consumer in scene.consumers(name, t)]
    if scene.feeds_total(name):
        found.append(Link(name, t, None, None))
    return tuple(found)


def factor_of(look: Look, link: Link, *, current: bool, taken: bool) -> Factor:
    """An edge's local partial, symbol and numbers; `running` is NOT_YET unless the factor has been taken."""
    scene = look.scene
    source = scene.ref(link.name, link.t)
    if link.equation is None or link.by is None:
        return _share_factor(look, source, current=current, taken=taken)
    t = name_at(Name("", -(link.by.offset or 0)), link.t)
    consumer = scene.ref(scene.network.equations[link.equation].target, t)
    rows, columns = scene.partials.shape(link.equation, link.by)
    return Factor(
        title=scene.naming.partial(consumer.label, source.label),
        consumer=consumer,
        source=source,
        symbol=scene.partials.text(link.equation, t, link.by),
        latex=scene.partials.text(link.equation, t, link.by, "latex"),
        shape=(rows, columns),
        value=scene.trace.jacobian(link.equation, t, link.by) if rows * columns <= DENSE_LIMIT else None,
        running=scene.trace.inflow(link.equation, t, link.by) if taken else NOT_YET,
        current=current,
        branches=max(scene.inflow_count(consumer.name, t), 1),
    )


def _share_factor(look: Look, source: Ref, *, current: bool, taken: bool) -> Factor:
    """∂(total)/∂E_t: 1 in a sum, one part of n in a mean."""
    scene = look.scene
    total = scene.ref(source.name, None)
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

    @cached_property
    def _step(self) -> Step | None:
        step = self._look.current_step()
        return None if step is None or step.phase == "forward" or step.kind == "total" else step

    @property
    def title(self) -> str:
        """`∂E/∂s₀`; empty in the forward phase."""
        step = self._look.current_step()
        if step is None or step.phase == "forward":
            return ""
        scene = self._look.scene
        return scene.naming.partial(scene.naming.total(), scene.step_ref(step).label)

    def _path(self) -> Iterator[Link]:
        """The edges from the current node up to E."""
        step = self._step
        if step is None or step.t is None:
            return
        links = links_into(self._look, step.name, step.t)
        link = links[(self._look.factor or len(links)) - 1] if links else None
        while link is not None:
            yield link
            if link.equation is None:
                return
            above = self._look.scene.network.equations[link.equation].target
            t = link.consumer_time
            assert t is not None
            links = links_into(self._look, above, t)
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
        step = self._step
        if step is None or step.t is None:
            return ""
        count = self._look.scene.inflow_count(step.name, step.t)
        if count < 2:
            return ""
        return f"through inflow {self._look.factor or count} of {count}"

    def factors(self, limit: int) -> Sequence[Factor]:
        """The last `limit` factors from E down; the current one is last."""
        near = self._near[: min(limit, REACH)]
        return [factor_of(self._look, link, current=place == 0, taken=True) for place, link in enumerate(near)][::-1]


def equation_links(look: Look, equation: int, t: int) -> tuple[Link, ...]:
    """The edges from a node to everything it reads and differentiates."""
    scene = look.scene
    found = []
    for by in scene.network.reads[equation]:
        if scene.partials.flows(equation, by):
            found.append(Link(by.name, name_at(by, t), equation, by))
    return tuple(found)
