"""The table of loss steps and uses, to be looked at: its cells, sums and blocks, and what a mask leaves of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import size
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.pace import Pace
from bptt_tui.derivation.table import Table
from bptt_tui.derivation.truncation import Chunks, Mask, Window, kept_by, truncated
from bptt_tui.language.labels import entry_of

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]
Entry = tuple[int, ...]
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
    from 1/1 000 000, 0 less; of sums, next to the largest sum. The first block here is number `top` from above and
    `left` from the left.
    """

    down: int
    across: int
    values: Array
    places: NDArray[np.int64]
    there: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    levels: NDArray[np.int64]
    top: int = 0
    left: int = 0


AT_ONCE = 1 << 20  # cells looked at together
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

    `row_sums`, `column_sums` and `total` are the entry's sums, or the norms of the sums. Cells are made when they are
    looked at, and of a large table some columns at a time.
    """

    def __init__(self, scene: Scene, table: Table, entry: Entry | None, pace: Pace) -> None:
        self._scene = scene
        self.table = table
        self.parameter = table.parameter
        self.entry = entry if entry is not None else None if table.shape else ()
        self.norms = self.entry is None
        self.losses = table.losses
        self.uses: list[int] = table.uses.tolist()
        self._latest = np.array([group[-1] for group in table.losses])
        self.largest = max(map(largest_of, (values[there] for _, values, there in self._in_parts(1))), default=0.0)
        self.row_sums = np.array([self.figure(table.row_sum(row)) for row in range(len(table.losses))])
        self.column_sums = self._figures_of_columns(pace)
        self.total = float(self._figures(scene.trace.gradient[table.parameter][None])[0])

    def _figures(self, values: Array) -> Array:
        """The entry of each, or the norm."""
        if self.entry is None:
            with np.errstate(all="ignore"):
                return norm(values, len(self.table.shape))
        index: Any = (slice(None), *self.entry)
        return np.asarray(values[index])

    def figure(self, value: Array) -> float:
        """The entry of a value of p's shape, or its norm."""
        return float(self._figures(value[None])[0])

    def _figures_of_columns(self, pace: Pace) -> Array:
        some = max(AT_ONCE // size(self.table.shape), 1)
        parts = [np.empty(0)]
        for start in range(0, len(self.uses), some):
            pace.check()
            parts.append(self._figures(self.table.column_sums(slice(start, start + some))))
        return np.concatenate(parts)

    # --- cells -------------------------------------------------------------------------------------------------------

    def values(self, columns: slice = slice(None)) -> Array:
        """The cells of some columns, `(rows, columns)`; what is in none is some number."""
        return self.table.norms(columns) if self.entry is None else self.table.numbers(self.entry, columns)

    def reaches(self, columns: slice = slice(None)) -> NDArray[np.bool_]:
        """Which cells there are, `(rows, columns)`: a loss step cannot reach a later use."""
        result: NDArray[np.bool_] = self._latest[:, None] >= self.table.uses[columns][None, :]
        return result

    def reached(self, row: int, column: int) -> bool:
        """Whether there is a cell."""
        return bool(self._latest[row] >= self.uses[column])

    def _in_parts(self, across: int) -> Iterator[tuple[slice, Array, NDArray[np.bool_]]]:
        """The cells of all columns, some at a time, in blocks of `across`."""
        some = max(AT_ONCE // max(len(self.losses), 1) // across, 1) * across
        for start in range(0, len(self.uses), some):
            part = slice(start, min(start + some, len(self.uses)))
            yield part, self.values(part), self.reaches(part)

    @property
    def name(self) -> str:
        """`w`, or `W[0,1]` for one entry."""
        return entry_of(self.parameter, self.entry or ())

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
        rows, uses = len(self.losses), len(self.uses)
        down, across = max(-(-rows // max(lines, 1)), 1), max(-(-uses // max(columns, 1)), 1)
        parts = []
        for part, values, there in self._in_parts(across):
            asked = there if kept is None else there & kept[:, part]
            parts.append(_cut(values, there, asked, down, across, part.start))
        values, places, exist, looked_at = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
        return Blocks(down, across, values, places, exist, looked_at, levels(values, self.largest))

    def cells(self, rows: range, columns: range, kept: NDArray[np.bool_] | None = None) -> Blocks:
        """Some neighbouring cells, as blocks of one."""
        down, across = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        values, there = self.values(across)[down], self.reaches(across)[down]
        places = np.stack(np.broadcast_arrays(np.array(rows)[:, None], np.array(columns)[None, :]), axis=-1)
        asked = there if kept is None else there & kept[down, across]
        sizes = levels(values, self.largest)
        return Blocks(1, 1, values, places, there, asked, sizes, rows.start, columns.start)

    def sum_levels(self, columns: int) -> tuple[Array, NDArray[np.int64]]:
        """The column sums in at most `columns` blocks, each by its largest, and their levels."""
        across = max(-(-len(self.column_sums) // max(columns, 1)), 1)
        padded = np.zeros(-(-len(self.column_sums) // across) * across)
        padded[: len(self.column_sums)] = self.column_sums
        blocks = padded.reshape(-1, across)
        sizes = np.where(np.isnan(blocks), np.inf, np.abs(blocks))
        values = blocks[np.arange(len(blocks)), np.argmax(sizes, axis=1)]
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


def _cut(
    values: Array, there: NDArray[np.bool_], asked: NDArray[np.bool_], down: int, across: int, first: int
) -> tuple[Array, NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """All rows of some columns, of which the first is number `first`, in blocks: values, places, there, asked for."""
    rows, uses = values.shape

    def cut(cells: Array, fill: Any) -> Array:
        padded = np.full((-(-rows // down) * down, -(-uses // across) * across), fill, dtype=cells.dtype)
        padded[:rows, :uses] = cells
        blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across).swapaxes(1, 2)
        return np.asarray(blocks.reshape(*blocks.shape[:2], -1))

    sizes = np.where(np.isnan(values), np.inf, np.abs(values))
    exist, looked_at = cut(there, False), cut(asked, False)
    rank = np.where(looked_at, cut(sizes, 0.0), np.where(exist, -1.0, -2.0))
    place = np.argmax(rank, axis=2)
    row = np.minimum(np.arange(place.shape[0])[:, None] * down + place // across, rows - 1)
    column = np.minimum(np.arange(place.shape[1])[None, :] * across + place % across, uses - 1)
    found = values[row, column]
    places = np.stack([row, column + first], axis=-1)
    return found, places, np.asarray(exist.any(axis=2)), np.asarray(looked_at.any(axis=2))


def left_by(shown: TableSum, mask: Mask, progress: Advance | None = None) -> TruncatedSum:
    """What a mask leaves of a table's gradient."""
    found = truncated(shown.table, mask, progress)
    kept = None
    if not shown.table.grouped:
        losses = np.array([group[0] for group in shown.losses], dtype=np.int64)
        kept = kept_by(mask, losses, shown.table.uses)
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
