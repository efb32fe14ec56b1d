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
from bptt_tui.derivation.buildup import BuildUp
from bptt_tui.derivation.chains import ChainFactor, Chains, spelled
from bptt_tui.derivation.knobs import Knob, Knobs
from bptt_tui.derivation.table import Table, lengths
from bptt_tui.derivation.truncation import Chunks, Mask, Window, truncated
from bptt_tui.errors import CommandError, NetworkError

Array = NDArray[Any]
Entry = tuple[int, ...]
Made = TypeVar("Made")
KEPT = 24

__all__ = ["Blocks", "BuildUpSum", "ChainFactor", "ChainSum", "KnobSum", "Sums", "TableSum", "TruncatedSum"]
MASKS: dict[str, type[Window] | type[Chunks]] = {"window": Window, "chunks": Chunks}


class TruncatedSum(NamedTuple):
    """What a mask leaves of the gradient: `kept` cells of the table, the gradient then, and how far off it is.

    `figure` and `true` are numbers as the table shows them: the entry, or the norm. See `derivation.truncation`.
    """

    kind: str
    k: int
    kept: NDArray[np.bool_] | None
    gradient: Array
    figure: float
    true: float
    ratio: float
    cosine: float
    error: float
    cells: tuple[int, int]


class Blocks(NamedTuple):
    """A table in blocks of `down` × `across` cells, each by its entry farthest from 0: `values`, with `places`, its row
    and column `(…, 2)`. `there`: a block has cells at all; `kept`: the mask keeps one of them (only those are looked
    at then). `levels` are decades, next to the largest entry of the whole table: 3 from 1/10 of it, 2 from 1/1000, 1
    from 1/1 000 000, 0 less; of sums, next to the largest sum.
    """

    down: int
    across: int
    values: Array
    places: NDArray[np.int64]
    there: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    levels: NDArray[np.int64]


DECADES = np.array([1e-6, 1e-3, 1e-1])


def levels(values: Array, largest: float) -> NDArray[np.int64]:
    """0 … 3: how many decades below the largest each value lies, in steps that a glyph can show."""
    with np.errstate(all="ignore"):
        share = np.abs(values) / largest if largest > 0 else np.zeros(values.shape)
    return np.asarray(np.digitize(np.where(np.isnan(share), 0.0, share), DECADES), dtype=np.int64)


def largest_of(values: Array) -> float:
    """The largest finite size; 0 of nothing."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


class TableSum:
    """∂E_t'/∂p_t for every loss step (rows, ascending) and use (columns): one entry of p, or norms of arrays.

    `values` is `(rows, columns)`, `reaches` says which cells there are; `row_sums`, `column_sums` and `total` are the
    entry's sums, or the norms of the sums.
    """

    def __init__(self, scene: Scene, table: Table, entry: Entry | None) -> None:
        self._scene = scene
        self.table = table
        self.parameter = table.parameter
        self.entry = entry if entry is not None else None if table.shape else ()
        self.norms = self.entry is None
        self.losses = table.losses
        self.uses: list[int] = table.uses.tolist()
        self.values = table.norms() if self.entry is None else table.numbers(self.entry)
        self.reaches = table.reaches()
        self.row_sums = np.array([self.figure(table.row_sum(row)) for row in range(len(table.losses))])
        self.column_sums = np.array([self.figure(table.column_sum(column)) for column in range(len(table.uses))])
        self.total = float(self._figures(scene.trace.gradient[table.parameter][None])[0])

    def _figures(self, values: Array) -> Array:
        """The entry of each, or the norm."""
        if self.entry is None:
            with np.errstate(all="ignore"):
                return lengths(values, len(self.table.shape))
        index: Any = (slice(None), *self.entry)
        return np.asarray(values[index])

    def figure(self, value: Array) -> float:
        """The entry of a value of p's shape, or its norm."""
        return float(self._figures(value[None])[0])

    @property
    def name(self) -> str:
        """`w`, or `W[0,1]` for one entry."""
        return self.parameter + (f"[{','.join(map(str, self.entry))}]" if self.entry else "")

    @property
    def label(self) -> str:
        """`∂E/∂w`."""
        return self._scene.naming.partial(self._scene.naming.total(), self.parameter)

    def loss_label(self, row: int) -> str:
        """`E₅`, or `E₀…E₉` of a row of several."""
        naming, name = self._scene.naming, self._scene.network.loss_name
        group = self.losses[row]
        first = naming.node(name, group[0])
        return first if len(group) == 1 else f"{first}…{naming.node(name, group[-1])}"

    def use_label(self, column: int) -> str:
        """`w₂`."""
        return self._scene.naming.use(self.parameter, self.uses[column])

    @property
    def cells_label(self) -> str:
        """`∂E_t'/∂w_t`: what a cell is."""
        return self._scene.naming.partial(f"{self._scene.network.loss_name}_t'", f"{self.name}_t")

    def cell_label(self, row: int, column: int) -> str:
        """`∂E₅/∂w₂`."""
        return self._scene.naming.partial(self.loss_label(row), self.use_label(column))

    def row_label(self, row: int) -> str:
        """`∂E₅/∂w`."""
        return self._scene.naming.partial(self.loss_label(row), self.parameter)

    def column_label(self, column: int) -> str:
        """`∂E/∂w₂`."""
        return self._scene.naming.partial(self._scene.naming.total(), self.use_label(column))

    def blocks(self, lines: int, columns: int, kept: NDArray[np.bool_] | None = None) -> Blocks:
        """The whole table in at most `lines` × `columns` blocks."""
        rows, uses = self.values.shape
        down, across = max(-(-rows // max(lines, 1)), 1), max(-(-uses // max(columns, 1)), 1)
        asked = self.reaches if kept is None else self.reaches & kept
        size = np.where(np.isnan(self.values), np.inf, np.abs(self.values))

        def cut(cells: Array, fill: Any) -> Array:
            padded = np.full((-(-rows // down) * down, -(-uses // across) * across), fill, dtype=cells.dtype)
            padded[:rows, :uses] = cells
            blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across).swapaxes(1, 2)
            return np.asarray(blocks.reshape(*blocks.shape[:2], -1))

        there, looked_at = cut(self.reaches, False), cut(asked, False)
        rank = np.where(looked_at, cut(size, 0.0), np.where(there, -1.0, -2.0))
        place = np.argmax(rank, axis=2)
        row = np.arange(place.shape[0])[:, None] * down + place // across
        column = np.arange(place.shape[1])[None, :] * across + place % across
        inside = np.minimum(row, rows - 1), np.minimum(column, uses - 1)
        values = self.values[inside]
        exist, kept_here = np.asarray(there.any(axis=2)), np.asarray(looked_at.any(axis=2))
        sizes = levels(values, largest_of(self.values[self.reaches]))
        return Blocks(down, across, values, np.stack(inside, axis=-1), exist, kept_here, sizes)

    def sum_levels(self, columns: int) -> tuple[Array, NDArray[np.int64]]:
        """The column sums in at most `columns` blocks, each by its largest, and their levels."""
        across = max(-(-len(self.column_sums) // max(columns, 1)), 1)
        starts = range(0, len(self.column_sums), across)
        blocks = [self.column_sums[start : start + across] for start in starts]
        values = np.array([block[np.argmax(np.where(np.isnan(block), np.inf, np.abs(block)))] for block in blocks])
        return values, levels(values, largest_of(self.column_sums))

    def cell(self, row: int, column: int) -> Array:
        """One entry in full, of p's shape."""
        return self.table.entry(self.losses[row][0], self.uses[column])

    def row_sum(self, row: int) -> Array:
        """∂E_t'/∂p in full."""
        return self.table.row_sum(row)

    def column_sum(self, column: int) -> Array:
        """∂E/∂p_t in full."""
        return self.table.column_sum(column)

    @property
    def gradient(self) -> Array:
        """∂E/∂p in full."""
        return self._scene.trace.gradient[self.parameter]

    @property
    def note(self) -> str:
        """What is not as in a small table."""
        if not self.table.grouped:
            return ""
        most = max(len(group) for group in self.losses)
        return f"{len(self.losses)} rows of up to {most} loss steps each: one by one they would not fit"


class KnobSum:
    """The knobs of one parameter, a row per use; each is turned when its row is asked for."""

    def __init__(self, scene: Scene, parameter: str, entry: Entry | None) -> None:
        self._scene = scene
        self.parameter = parameter
        self._knobs = Knobs(scene.trace, parameter, entry)
        self.entry = self._knobs.entry
        self.uses = self._knobs.uses

    @property
    def name(self) -> str:
        """`w`, or `W[0,1]` for the entry of an array that is turned."""
        return self.parameter + (f"[{','.join(map(str, self.entry))}]" if self.entry else "")

    def use_label(self, row: int) -> str:
        """`w₂`, `W₂[0,1]`."""
        label = self._scene.naming.use(self.parameter, self.uses[row])
        return label + (f"[{','.join(map(str, self.entry))}]" if self.entry else "")

    def row(self, row: int) -> Knob:
        """One knob, turned."""
        return self._knobs.at(self.uses[row])

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

    def __init__(self, scene: Scene, parameter: str, node: str) -> None:
        self._scene = scene
        self.parameter, self.node = parameter, node
        self._built = BuildUp(scene.trace, node, parameter)
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

    def __init__(self, scene: Scene, name: str, t: int) -> None:
        self._scene = scene
        self.name, self.t = name, t
        self._chains = Chains(scene.trace, name, t, naming=scene.naming, partials=scene.partials)
        self.title = self._chains.title()
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
    """Everything there is to see of one set of numbers. Raises CommandError for what is not there or too large."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._made: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

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
        table: Table = self._make(("table", parameter), lambda: Table(self._scene.trace, parameter))
        return self._make(("shown", parameter, entry), lambda: TableSum(self._scene, table, entry))

    def truncated(self, parameter: str, kind: str, k: int, entry: Entry | None = None) -> TruncatedSum:
        """What a mask leaves: `kind` is window or chunks, of k timesteps."""
        shown = self.table(parameter, entry)
        return self._make(("truncated", parameter, kind, k, entry), lambda: _truncated(shown, MASKS[kind](k)))

    def knobs(self, parameter: str, entry: Entry | None = None) -> KnobSum:
        """The knobs of a parameter."""
        return self._make(("knobs", parameter, entry), lambda: KnobSum(self._scene, parameter, entry))

    def buildup(self, parameter: str, node: str) -> BuildUpSum:
        """∂node/∂p over time."""
        return self._make(("buildup", parameter, node), lambda: BuildUpSum(self._scene, parameter, node))

    def chains(self, name: str, t: int) -> ChainSum:
        """The chains to a use or a node."""
        return self._make(("chains", name, t), lambda: ChainSum(self._scene, name, t))

    def _make(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """Made once; the last few are kept."""
        if key not in self._made:
            try:
                self._made[key] = make()
            except NetworkError as error:
                raise CommandError(error.reason, hint=error.hint) from None
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        made: Made = self._made[key]
        return made


def _truncated(shown: TableSum, mask: Mask) -> TruncatedSum:
    found = truncated(shown.table, mask)
    kept = None
    if not shown.table.grouped:
        losses = np.array([group[0] for group in shown.losses], dtype=np.int64)
        kept = mask.keeps(losses, shown.table.uses)
    kind = next(name for name, made in MASKS.items() if isinstance(mask, made))
    figure, true = shown.figure(found.gradient), shown.figure(found.true)
    return TruncatedSum(
        kind,
        mask.k,
        kept,
        found.gradient,
        figure,
        true,
        found.ratio,
        found.cosine,
        found.error,
        (found.kept, found.cells),
    )
