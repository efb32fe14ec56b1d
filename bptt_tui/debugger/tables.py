"""The parts of a View that grow with time: the graph, the contributions, the strip of norms. They answer cell by
cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from bptt_tui.debugger.chain import consumer_of, links_into, links_out_of
from bptt_tui.debugger.looking import Look, Veil, scale_of
from bptt_tui.debugger.view import ABSENT, Cell, Contribution, Edge, Missing, Shown, Strip, Value


class GraphAt:
    """A `Graph` (see `view`) at one position."""

    def __init__(self, look: Look, stops: Callable[[str, int | None], bool] = lambda _name, _t: False) -> None:
        self._look = look
        self._stops = stops

    @cached_property
    def _rows(self) -> tuple[tuple[str, bool], ...]:
        """(equation, whether the row is the total), the loss on top."""
        scene = self._look.scene
        names = [scene.network.equations[e].target for e in reversed(scene.network.order)]
        rows = [(name, False) for name in names if scene.unrolled.present[scene.network.index[name]].count]
        if scene.unrolled.has_total:
            rows.insert(0, (scene.network.loss_name, True))
        return tuple(rows)

    @property
    def rows(self) -> tuple[str, ...]:
        """Equation names, the loss on top; the total of several losses first of all."""
        return tuple(f"Σ{name}" if total else name for name, total in self._rows)

    @property
    def first(self) -> int:
        """The first column: 0, or negative where initial values of nodes are read."""
        scene = self._look.scene
        before = scene.unrolled.before
        return -max((len(before.get(name, ())) for name, _ in self._rows), default=0)

    @property
    def last(self) -> int:
        """The last column, T-1."""
        return self._look.scene.trace.steps - 1

    def cell(self, row: int, t: int) -> Cell | Missing:
        """The node of a row at `t`; ABSENT where the loss does not depend on it."""
        look = self._look
        scene = look.scene
        name, total = self._rows[row]
        moment = None if total else t
        if total and t != self.last:
            return ABSENT
        value = look.value(name, moment)
        if value is ABSENT:
            return ABSENT
        return Cell(
            ref=scene.ref(name, moment),
            value=value,
            adjoint=look.adjoint(name, moment),
            current=look.is_current("total" if total else "node", name, moment),
            flag=scale_of(value) if total or t < 0 else scale_of(value, scene.operation(name, t)),
            pinned=scene.unrolled.is_pinned(name, moment),
            stop=self._stops(name, moment),
        )

    def edges(self) -> tuple[Edge, ...]:
        """The current node's edges: to its sources, and to its consumers."""
        look = self._look
        scene = look.scene
        step = look.step
        if step is None or step.t is None:
            return ()
        upward = links_into(scene, step.name, step.t)
        downward = links_out_of(scene, scene.network.index[step.name], step.t) if step.kind == "node" else ()
        taken = (look.factor or len(upward)) if step.phase == "backward" else 0
        return tuple(
            Edge(
                source=scene.ref(link.name, link.t),
                consumer=consumer_of(scene, link),
                lag=0 if link.reader is None else link.reader.lag,
                taken=number <= taken,
            )
            for number, link in enumerate((*upward, *downward), 1)
        )

    def links(self) -> tuple[tuple[int, int, int], ...]:
        """The edges between timesteps, as (source row, consumer row, lag ≥ 1)."""
        scene = self._look.scene
        place = {name: row for row, (name, total) in enumerate(self._rows) if not total}
        found = []
        for equation, reads in enumerate(scene.network.reads):
            target = scene.network.equations[equation].target
            for by in reads:
                if by.name in place and target in place and (by.offset or 0) < 0:
                    found.append((place[by.name], place[target], -(by.offset or 0)))
        return tuple(found)


class ContributionsAt:
    """A `Contributions` table (see `view`) at one position."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._names = tuple(look.scene.trace.terms)

    @property
    def rows(self) -> tuple[str, ...]:
        """Parameter names."""
        return self._names

    @property
    def steps(self) -> int:
        """T."""
        return self._look.scene.trace.steps

    def label(self, row: int) -> str:
        """`∂E/∂u`."""
        naming = self._look.scene.naming
        return naming.partial(naming.total(), self._names[row])

    def parameter(self, row: int) -> Value:
        """The parameter's own value."""
        return self._look.scene.trace.value(self._names[row])

    def cell(self, row: int, t: int) -> Contribution | Missing:
        """One use's term; ABSENT where the parameter is not used at `t`."""
        look = self._look
        name = self._names[row]
        value = look.contribution(name, t)
        if value is ABSENT:
            return ABSENT
        return Contribution(look.scene.ref(name, t), value, look.is_current("use", name, t))

    def so_far(self, row: int) -> Shown:
        """The sum of the terms taken; ABSENT for a parameter without a use."""
        return self._look.so_far(self._names[row])

    def progress(self, row: int) -> tuple[int, int]:
        """(terms taken, terms there are)."""
        return self._look.progress(self._names[row])


def strips(look: Look) -> tuple[Strip, ...]:
    """‖∂E/∂node_t‖ over time of every node that is read at a later timestep."""
    return tuple(_strip(look, name) for name in recurrent_nodes(look))


def _strip(look: Look, name: str) -> Strip:
    scene = look.scene
    norms = scene.trace.norms(name)
    known_from = scene.timeline.known_from(name, look.position - look.veil.hides_step)
    if look.veil != Veil():
        norms = np.where(np.arange(len(norms)) < known_from, np.nan, norms)
    times = scene.unrolled.present[scene.network.index[name]]
    return Strip(
        name=name,
        label=f"‖{scene.naming.partial(scene.naming.total(), name + 'ₜ')}‖",
        norms=norms,
        known_from=known_from,
        first=times.start,
        stop=times.last + 1,
    )


def recurrent_nodes(look: Look) -> list[str]:
    """The nodes read at a later timestep, in the network's order; the last carries the recurrence: h, not c."""
    scene = look.scene
    return [
        name
        for e, name in enumerate(scene.network.targets)
        if scene.unrolled.ahead.get(name) and scene.unrolled.present[e].count
    ]
