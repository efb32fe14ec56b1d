"""The gradient as a sum, to be looked at: the table of loss steps and uses, separate knobs, the build-up, the chains.

`Sums` belongs to one set of numbers and makes each part when it is first asked for. What it gives is immutable, or
answers cell by cell and row by row, as the growing parts of a `View` do. It speaks of the whole backward pass, whatever
the position; what it cannot make, it refuses with a CommandError that gives the estimate.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.pace import Pace
from bptt_tui.debugger.sums_table import MASKS, Blocks, Entry, TableSum, TruncatedSum, left_by
from bptt_tui.derivation.buildup import BuildUp
from bptt_tui.derivation.chains import ChainFactor, Chains, spelled
from bptt_tui.derivation.knobs import Knob, Knobs
from bptt_tui.derivation.table import LARGEST, Table
from bptt_tui.errors import CommandError, NetworkError
from bptt_tui.language.labels import entry_of

Array = NDArray[Any]
Made = TypeVar("Made")
KEPT = 24
LONG = 20_000  # positions from which on a part may take long to make
MANY = 1 << 21  # timesteps × numbers of the parameters, likewise
_OF_TABLES = ("table", "shown", "truncated")

__all__ = ["Blocks", "BuildUpSum", "ChainFactor", "ChainSum", "KnobSum", "Sums", "TableSum", "TruncatedSum"]


class KnobSum:
    """The knobs of one parameter, a row per use; each is turned when its row is asked for."""

    def __init__(self, scene: Scene, parameter: str, entry: Entry | None, pace: Pace) -> None:
        self._scene, self._pace = scene, pace
        self.parameter = parameter
        self._knobs = Knobs(scene.trace, parameter, entry)
        self.entry = self._knobs.entry
        self.uses = self._knobs.uses

    @property
    def name(self) -> str:
        """`w`, or `W[0,1]` for the entry of an array that is turned."""
        return entry_of(self.parameter, self.entry or ())

    def use_label(self, row: int) -> str:
        """`w₂`, `W₂[0,1]`."""
        return entry_of(self._scene.naming.use(self.parameter, self.uses[row]), self.entry or ())

    def row(self, row: int) -> Knob:
        """One knob, turned."""
        self._pace.check()
        return self._knobs.at(self.uses[row])

    def turn(self, rows: range) -> None:
        """Turn several knobs, saying how far it is."""
        progress = self._pace.over(len(rows))
        for row in rows:
            self.row(row)
            progress(1)

    @property
    def total(self) -> float:
        """The entry of the gradient: what the contributions add up to."""
        return float(self._scene.trace.gradient[self.parameter][self.entry])


class Part(NamedTuple):
    """What one earlier state brings along: ∂s_t/∂r, ∂r/∂p, and their product, with their labels."""

    through_label: str
    through: Array
    total_label: str
    total: Array
    product: Array


class BuiltRow(NamedTuple):
    """∂s_t/∂p at one timestep: immediate, what the `parts` bring along (`carried`), and their sum."""

    t: int
    immediate_label: str
    immediate: Array
    parts: tuple[Part, ...]
    carried: Array
    total_label: str
    total: Array


class BuildUpSum:
    """∂⁺s_t/∂p and ∂s_t/∂p over time, a row per timestep."""

    def __init__(self, scene: Scene, parameter: str, node: str, pace: Pace) -> None:
        self._scene = scene
        self.parameter, self.node = parameter, node
        self._built = BuildUp(scene.trace, node, parameter, pace.over)
        self.times = self._built.times

    def row(self, row: int) -> BuiltRow:
        """One timestep."""
        naming, t = self._scene.naming, self.times[row]
        stage = self._built.at(t)
        here = naming.node(self.node, t)

        def label(above: str, below: str) -> str:
            return naming.partial(above, below)

        parts = tuple(
            Part(
                label(here, naming.node(part.name, part.t)),
                part.through,
                label(naming.node(part.name, part.t), self.parameter),
                part.total,
                part.product,
            )
            for part in stage.carried
        )
        immediate = f"∂⁺{here}/∂{self.parameter}"
        carried = sum((part.product for part in stage.carried), np.zeros(stage.total.shape))
        return BuiltRow(t, immediate, stage.immediate, parts, carried, label(here, self.parameter), stage.total)


class ChainGroup(NamedTuple):
    """The chains through one loss step: how many, in words, and their sum."""

    loss: int
    label: str
    chains: str
    total: Array


class ChainSum:
    """The chains to one use or node: counted, grouped by loss step, one at a time."""

    def __init__(self, scene: Scene, name: str, t: int, pace: Pace) -> None:
        self._scene = scene
        self.name, self.t = name, t
        self._chains = Chains(scene.trace, name, t, naming=scene.naming, partials=scene.partials, watch=pace.over)
        self.title = self._chains.title()
        self.loss_label = scene.naming.total()
        self.is_use = self._chains.is_use

    @cached_property
    def losses(self) -> tuple[int, ...]:
        """The loss steps with chains, ascending."""
        return tuple(self._chains.counts)

    @cached_property
    def count(self) -> int:
        """How many there are, exactly."""
        return self._chains.count

    @property
    def spelled(self) -> str:
        """How many there are, as it is printed."""
        return spelled(self.count)

    @property
    def total(self) -> Array:
        """What they all sum to: the contribution, or ∂E/∂node."""
        trace = self._scene.trace
        return trace.contribution(self.name, self.t) if self.is_use else trace.adjoint(self.name, self.t)

    def group(self, number: int) -> ChainGroup:
        """The chains of one loss step, by its number among those that have any."""
        loss = self.losses[number]
        count = self._chains.counts[loss]
        label = self._scene.naming.node(self._scene.network.loss_name, loss)
        return ChainGroup(loss, label, spelled(count), self._chains.sum(loss))

    def count_through(self, loss: int) -> int:
        """How many go through one loss step."""
        return self._chains.counts.get(loss, 0)

    def factors(self, number: int, loss: int | None = None) -> tuple[ChainFactor, ...]:
        """The factors of a chain, from E down: of all chains, or of those through one loss step, from 0."""
        if loss is None:
            return self._chains.factors(self._chains.chain(number))
        found = next(islice(self._chains.through(loss, number), 1), None)
        if found is None:
            raise CommandError(f"there is no chain {spelled(number + 1)} through t = {loss}")
        return self._chains.factors(found)


class Sums:
    """Everything there is to see of one set of numbers. Raises CommandError for what is not there or too large.

    What takes long tells `pace`, by which it can be stopped; then nothing is kept of it.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._made: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self.pace = Pace()

    @cached_property
    def large(self) -> bool:
        """Whether a part may take so long to make that whoever waits wants to see how far it is."""
        trace = self._scene.trace
        numbers = sum(int(np.prod(terms.shape, dtype=np.int64)) for terms in trace.terms.values())
        return self._scene.timeline.last >= LONG or trace.steps * numbers >= MANY

    @property
    def parameters(self) -> tuple[str, ...]:
        """Those that are used."""
        return tuple(name for name, terms in self._scene.trace.terms.items() if terms.times.count)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that are computed, in the order of the equations."""
        scene = self._scene
        return tuple(n for n, times in zip(scene.network.targets, scene.unrolled.times, strict=True) if times.count)

    @cached_property
    def recurrent(self) -> str:
        """The node that carries the recurrence; without one, the loss."""
        scene = self._scene
        found = [name for name in self.nodes if scene.unrolled.ahead.get(name)]
        return found[-1] if found else scene.network.loss_name

    @cached_property
    def default(self) -> str:
        """The parameter looked at first: one that multiplies the recurrent node's earlier self, or is used often.

        Raises CommandError where no parameter is used.
        """
        scene, names = self._scene, self.parameters
        if not names:
            raise CommandError("the network has no parameter that is used")
        reading = {
            e
            for e, reads in enumerate(scene.network.reads)
            for by in reads
            if by.name == self.recurrent and (by.offset or 0) < 0
        }
        several = [name for name in names if scene.trace.terms[name].times.count > 1]
        weights = [name for name in several if reading & set(scene.trace.terms[name].equations())]
        return weights[-1] if weights else (several or list(names))[0]

    def uses(self, parameter: str) -> list[int]:
        """The timesteps at which a parameter is used."""
        return list(self._scene.trace.uses(parameter))

    def next_entry(self, parameter: str, entry: Entry | None) -> Entry | None:
        """Entry after entry of an array, then none of them."""
        shape = self.shape(parameter)
        count = int(np.prod(shape, dtype=np.int64))
        flat = -1 if entry is None or not shape else int(np.ravel_multi_index(entry, shape))
        if not shape or flat + 1 == count:
            return None
        return tuple(int(i) for i in np.unravel_index(flat + 1, shape))

    def next_target(self, name: str, t: int) -> tuple[str, int]:
        """The same parameter's next use, or the node's next timestep; after the last, the first."""
        scene = self._scene
        times = scene.times(name)
        assert times is not None
        row = times.row(t)
        assert row is not None
        return name, times.at_row((row + 1) % times.count)

    def shape(self, parameter: str) -> tuple[int, ...]:
        """A parameter's shape."""
        return self._scene.trace.terms[parameter].shape

    def table(self, parameter: str, entry: Entry | None = None) -> TableSum:
        """The table of a parameter: of one entry of an array, or of norms."""

        def make() -> Table:
            return Table(self._scene.trace, parameter, self.pace.over(self._scene.trace.steps))

        table: Table = self._make(("table", parameter), make)
        return self._make(("shown", parameter, entry), lambda: TableSum(self._scene, table, entry, self.pace))

    def truncated(self, parameter: str, kind: str, k: int, entry: Entry | None = None) -> TruncatedSum:
        """What a mask leaves: `kind` is window or chunks, of k timesteps."""
        shown = self.table(parameter, entry)

        def make() -> TruncatedSum:
            return left_by(shown, MASKS[kind](k), self.pace.over(self._scene.trace.steps))

        return self._make(("truncated", parameter, kind, k, entry), make)

    def knobs(self, parameter: str, entry: Entry | None = None) -> KnobSum:
        """The knobs of a parameter."""
        return self._make(("knobs", parameter, entry), lambda: KnobSum(self._scene, parameter, entry, self.pace))

    def buildup(self, parameter: str, node: str) -> BuildUpSum:
        """∂node/∂p over time."""
        return self._make(("buildup", parameter, node), lambda: BuildUpSum(self._scene, parameter, node, self.pace))

    def chains(self, name: str, t: int) -> ChainSum:
        """The chains to a use or a node."""
        return self._make(("chains", name, t), lambda: ChainSum(self._scene, name, t, self.pace))

    def _make(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """Made once; the last few are kept."""
        if key not in self._made:
            try:
                self._made[key] = make()
            except NetworkError as error:
                raise CommandError(error.reason, hint=error.hint) from None
            self._made.move_to_end(key)
            self._forget()
        self._made.move_to_end(key)
        made: Made = self._made[key]
        return made

    def _forget(self) -> None:
        """The oldest parts go, and the tables of parameters looked at long ago, with what is shown of them."""
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        numbers = 0
        for key, made in reversed(list(self._made.items())):
            if isinstance(made, Table):
                numbers += made.size
                if numbers > LARGEST and numbers > made.size:
                    for other in [other for other in self._made if other[0] in _OF_TABLES and other[1] == key[1]]:
                        del self._made[other]
