"""The loss-time × use-time table of a parameter: what each loss step sends to each use of it.

    table = Table(trace, "w")
    table.entry(loss=5, use=2)          # ∂E₅/∂w₂, of w's shape, weighted as E₅ is in the total
    table.row_sums()[5]                 # ∂E₅/∂w
    table.column_sums()[2]              # ∂E/∂w₂, which is trace.contribution("w", 2)
    table.total                         # ∂E/∂w, which is trace.gradient["w"]
    table.numbers((0, 1))               # one entry of a weight matrix, (loss steps, uses)
    table.norms()                       # ‖∂E_t'/∂w_t‖, (loss steps, uses)

A row stands for a loss step, a column for a use, both ascending. With a mean, every loss step counts for its share, so
that the sum of all entries is the gradient of the total. A loss step sends nothing to a later use: above the diagonal
there is nothing, not a zero (`reaches`).

Entries are not stored: kept are the gradients that arrive where the parameter is read (its cotangents), from which any
entry is one product. Where they would take more than LARGEST numbers, neighbouring loss steps share a row. Entries are
made for those columns that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import size
from bptt_tui.derivation.by_loss import numbers_over_time, pullbacks, sweep
from bptt_tui.errors import NetworkError
from bptt_tui.network import Timesteps
from bptt_tui.trace import Trace
from bptt_tui.trace.terms import Terms, Touch

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance

Array = NDArray[Any]
LARGEST = 1 << 25  # numbers kept: 256 MB
GROUPS = 128  # rows of a table whose loss steps do not fit one by one: as many as a screen has lines, and more
MOST_CALLS = 4_000_000  # operations pulled back: about half a minute
MOST_PRODUCTS = 1 << 31  # multiplications for all norms
_AT_ONCE = 1 << 20
_FEW_ROWS = 16  # rows whose sums fit wherever the parameter itself does
_FEW_COLUMNS = 64  # columns made by themselves


class Table:
    """One parameter's table. Raises NetworkError for a name that is no parameter, and, before anything is allocated,
    where the table would take too long or too much memory.

    `progress` is told how many timesteps are done since the last time, and may raise to cancel. After that it is told
    of 0 where entries take long. `only`, loss steps in ascending order, leaves out the rows of all others: their work
    is not done, and the sums over rows are sums of those there are. A table that is not `filled` waits for `take`.

    `losses` are the loss steps of each row, ascending, one or (in a long sequence) several; `uses` the timesteps at
    which the parameter is used; `shape` its shape.
    """

    def __init__(
        self,
        trace: Trace,
        parameter: str,
        progress: Advance | None = None,
        largest: int = LARGEST,
        *,
        only: Sequence[int] | None = None,
        filled: bool = True,
    ) -> None:
        self.trace = trace
        self.parameter = parameter
        self.terms: Terms = trace.terms_of(parameter)
        self.shape = self.terms.shape
        self.uses: NDArray[np.int64] = self.terms.times.array()
        self._touches = self.terms.touches
        self.losses = self._grouped(largest) if only is None else tuple((loss,) for loss in only)
        self._cotangents: dict[int, Array] = {}
        self._progress = progress
        wanted = {touch.slot for touch in self._touches}
        cost = pullbacks(trace, wanted)
        if cost > MOST_CALLS:
            raise NetworkError(
                f"the table of {parameter} would take {cost:,} operations over {trace.steps:,} timesteps",
                hint=f"at most {MOST_CALLS:,}; print dE/d{parameter}[t] gives single contributions",
            )
        if only is not None and len(only) * self.numbers_per_row > 4 * LARGEST:
            raise NetworkError(
                f"{len(only)} rows of the table of {parameter} would take {len(only) * self.numbers_per_row:,} numbers",
                hint=f"at most {4 * LARGEST:,}",
            )
        if filled and len(self.uses):
            _fill((self,), progress)

    @property
    def grouped(self) -> bool:
        """Whether a row stands for several loss steps."""
        return any(len(group) > 1 for group in self.losses)

    @property
    def size(self) -> int:
        """How many numbers are kept."""
        return sum(cotangents.size for cotangents in self._cotangents.values())

    @property
    def numbers_per_row(self) -> int:
        """How many numbers are kept for a row: the gradient that arrives wherever the parameter is read."""
        return numbers_over_time(self.trace, {touch.slot for touch in self._touches})

    def _grouped(self, largest: int) -> tuple[tuple[int, ...], ...]:
        """One row per loss step, or as many rows of neighbouring loss steps as fit."""
        steps = self.trace.unrolled.loss_times
        rows = max(largest // max(self.numbers_per_row, 1), 1)
        length = -(-len(steps) // (rows if rows >= len(steps) else min(rows, GROUPS)))
        return tuple(tuple(steps[start : start + length]) for start in range(0, len(steps), length))

    def take(self, arrived: dict[int, Array]) -> None:
        """Keep the gradients that arrived where the parameter is read."""
        self._cotangents = {touch.slot: arrived[touch.slot] for touch in self._touches}

    # --- places ------------------------------------------------------------------------------------------------------

    def row(self, loss: int) -> int:
        """The row of a loss step. Raises NetworkError where no loss is taken then."""
        for number, group in enumerate(self.losses):
            if group[0] <= loss <= group[-1] and loss in group:
                return number
        raise NetworkError(f"no loss is taken at t = {loss}", hint=f"there is one at t = {self.losses[0][0]}")

    def column(self, use: int) -> int:
        """The column of a use. Raises NetworkError where the parameter is not used then."""
        place = self.terms.times.row(use)
        if place is None:
            raise NetworkError(f"{self.parameter} is not used at t = {use}")
        return place

    def reaches(self) -> NDArray[np.bool_]:
        """Which cells there are, `(rows, columns)`: a loss step cannot reach a later use."""
        latest = np.array([group[-1] for group in self.losses])
        result: NDArray[np.bool_] = latest[:, None] >= self.uses[None, :]
        return result

    # --- entries -----------------------------------------------------------------------------------------------------

    def entry(self, loss: int, use: int) -> Array:
        """∂E_loss/∂p_use, of p's shape; of a group of loss steps their sum. 0 for a use later than the loss."""
        row, column = self.row(loss), self.column(use)
        with np.errstate(all="ignore"):
            return np.asarray(self._column(column, slice(row, row + 1))[0])

    def _column(self, column: int, rows: slice) -> Array:
        """The entries of one use for some rows, `(rows, *shape)`."""
        t = int(self.uses[column])
        total: Array = np.zeros((len(range(*rows.indices(len(self.losses)))), *self.shape), self.trace.storage.dtype)
        for touch, place in self._touched(t):
            total = total + self.terms.pull(touch, place, self._cotangents[touch.slot][place, rows])
        return total

    def _touched(self, t: int) -> Iterator[tuple[Touch, int]]:
        """Where the parameter is read at `t`, and the row of the reading equation."""
        for touch in self._touches:
            place = self.trace.unrolled.times[touch.equation].row(t)
            if place is not None:
                yield touch, place

    def _columns(self, columns: range) -> Iterator[tuple[int, slice, Array]]:
        """All entries of some columns, `(rows, *shape)` at a time: (column, rows, entries)."""
        rows = max(_AT_ONCE // size(self.shape), 1)
        with np.errstate(all="ignore"):
            for column in columns:
                for start in range(0, len(self.losses), rows):
                    if self._progress is not None:
                        self._progress(0)
                    part = slice(start, min(start + rows, len(self.losses)))
                    yield column, part, self._column(column, part)

    def _check_products(self) -> None:
        products = len(self.losses) * len(self.uses) * size(self.shape)
        if products > MOST_PRODUCTS:
            raise NetworkError(
                f"{len(self.losses):,} × {len(self.uses):,} entries of {size(self.shape):,} numbers are too many",
                hint="ask for single entries, or for row and column sums",
            )

    def numbers(self, index: tuple[int, ...] = (), columns: slice = slice(None)) -> Array:
        """One number of every entry of some columns, `(rows, columns)`: of a scalar parameter the entry itself."""
        if len(index) != len(self.shape) or not all(0 <= i < n for i, n in zip(index, self.shape, strict=True)):
            raise NetworkError(f"{list(index)} is no entry of {self.parameter}", hint=f"its shape is {self.shape}")
        outer = self._outer
        if outer is not None:
            slot, other = outer
            with np.errstate(all="ignore"):
                return np.asarray((self._cotangents[slot][columns, :, index[0]] * other[columns, index[1], None]).T)
        if self._slopes is not None:
            return self._scaled(self._slopes, columns)
        return self._each(int(np.ravel_multi_index(index, self.shape)) if index else 0, columns)

    def _scaled(self, slopes: list[Array], columns: slice) -> Array:
        """Each gradient that arrives times its slope, added up."""
        first, stop, _ = columns.indices(len(self.uses))
        # A row per use, as the gradients are kept: the other way round takes several times as long.
        by_use: Array = np.zeros((stop - first, len(self.losses)), self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch, slope in zip(self._touches, slopes, strict=True):
                rows, here = self._within(touch, first, stop)
                part = self._cotangents[touch.slot][rows] * slope[rows, None]
                if len(part) == len(by_use):
                    by_use += part
                else:
                    by_use[here] += part
        return by_use.T

    def _within(self, touch: Touch, first: int, stop: int) -> tuple[slice, Any]:
        """The rows of a touch's equation at columns first … stop - 1, and which of those columns they are."""
        own = self._columns_of(self.trace.unrolled.times[touch.equation])
        low, high = np.searchsorted(own, [first, stop])
        return slice(int(low), int(high)), own[low:high] - first

    def _each(self, place: int | None, columns: slice) -> Array:
        """Of every entry of some columns the number at a flat index, or the norm. Where many are asked for, all are."""
        if place in self._made:
            return self._made[place][:, columns]
        few = range(*columns.indices(len(self.uses)))
        if len(few) < min(_FEW_COLUMNS, len(self.uses)):
            return self._entry_by_entry(place, few)
        self._check_products()
        self._made.clear()  # one is looked at, and then another
        self._made[place] = self._entry_by_entry(place, range(len(self.uses)))
        return self._made[place][:, columns]

    def _entry_by_entry(self, place: int | None, columns: range) -> Array:
        result = np.zeros((len(self.losses), len(columns)), None if place is None else self.trace.storage.dtype)
        for column, rows, entries in self._columns(columns):
            flat = entries.reshape(len(entries), -1)
            result[rows, column - columns.start] = norm(flat, 1) if place is None else flat[:, place]
        return result

    @cached_property
    def _made(self) -> dict[int | None, Array]:
        return {}

    def norms(self, columns: slice = slice(None)) -> Array:
        """‖∂E_t'/∂p_t‖ (of a matrix, Frobenius) for some columns, `(rows, columns)`."""
        if not self.shape:
            return np.abs(self.numbers((), columns))
        outer = self._outer
        if outer is None:
            return self._each(None, columns)
        slot, other = outer
        with np.errstate(all="ignore"):
            # The norm of δ ⊗ x is ‖δ‖·‖x‖.
            return np.asarray((norm(self._cotangents[slot][columns], 1) * norm(other[columns], 1)[:, None]).T)

    @cached_property
    def _slopes(self) -> list[Array] | None:
        """Of a scalar read by scalar operations alone: by touch, ∂slot_t/∂p for all its rows, `(rows,)`."""
        if any(self._cotangents[touch.slot].ndim != 2 for touch in self._touches):
            return None
        found = [self.terms.slopes(touch) for touch in self._touches]
        return None if any(slopes is None for slopes in found) else [s for s in found if s is not None]

    @cached_property
    def _outer(self) -> tuple[int, Array] | None:
        """The slot whose cotangents, and the vectors `(uses, n)` with which, every entry is an outer product."""
        if len(self._touches) != 1:
            return None
        vectors = self.terms.outer_vectors
        return None if vectors is None else (self._touches[0].slot, vectors)

    # --- sums --------------------------------------------------------------------------------------------------------

    def row_sums(self) -> Array:
        """∂E_t'/∂p for every row, `(rows, *shape)`. Raises NetworkError where that would not fit."""
        if len(self.losses) > _FEW_ROWS and len(self.losses) * size(self.shape) > LARGEST:
            raise NetworkError(
                f"{len(self.losses):,} gradients of {size(self.shape):,} numbers would not fit",
                hint="ask for single rows",
            )
        return self._row_sums

    @cached_property
    def _row_sums(self) -> Array:
        total: Array = np.zeros((len(self.losses), *self.shape), self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch in self._touches:
                total = total + self.terms.pull_totals(touch, self._cotangents[touch.slot])
        return total

    def row_sum(self, row: int) -> Array:
        """∂E_t'/∂p of one row, of p's shape."""
        total: Array = np.zeros(self.shape, self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch in self._touches:
                total = total + self.terms.pull_total(touch, self._cotangents[touch.slot][:, row])
        return np.asarray(total)

    def column_sum(self, column: int) -> Array:
        """∂E/∂p_t of one column, of p's shape."""
        t, total = int(self.uses[column]), np.zeros(self.shape, self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch, place in self._touched(t):
                g = self._cotangents[touch.slot][place].sum(axis=0)
                total = total + self.terms.pull(touch, place, g)
        return np.asarray(total)

    def column_sums(self, columns: slice = slice(None)) -> Array:
        """∂E/∂p_t for some uses, `(uses, *shape)`. Raises NetworkError where that would not fit."""
        first, stop, _ = columns.indices(len(self.uses))
        if (stop - first) * size(self.shape) > LARGEST:
            raise NetworkError(f"{stop - first:,} contributions of {size(self.shape):,} numbers would not fit")
        total: Array = np.zeros((stop - first, *self.shape), self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch in self._touches:
                rows, here = self._within(touch, first, stop)
                if rows.stop > rows.start:
                    total[here] += self.terms.pull(touch, rows, self._cotangents[touch.slot][rows].sum(axis=1))
        return total

    @cached_property
    def total(self) -> Array:
        """The sum of all entries, of p's shape: ∂E/∂p."""
        return self.masked(np.ones((len(self.losses), len(self.uses)), dtype=np.bool_))

    def masked(self, mask: NDArray[np.bool_]) -> Array:
        """The sum of the entries where `mask` `(rows, columns)` is true, of p's shape.

        Taken in the gradients that arrive, before they meet the parameter: an entry is linear in them.
        """
        total: Array = np.zeros(self.shape, self.trace.storage.dtype)
        with np.errstate(all="ignore"):
            for touch in self._touches:
                columns = self._columns_of(self.trace.unrolled.times[touch.equation])
                cotangents = self._cotangents[touch.slot]
                kept = mask[:, columns].T.reshape(*cotangents.shape[:2], *(1,) * (cotangents.ndim - 2))
                total = total + self.terms.pull_total(touch, np.add.reduce(cotangents, axis=1, where=kept))
        return np.asarray(total)

    def _columns_of(self, times: Timesteps) -> Any:
        return np.searchsorted(self.uses, times.array())


def together(
    trace: Trace, parameters: Sequence[str], only: Sequence[int], progress: Advance | None = None
) -> dict[str, Table | NetworkError]:
    """The tables of several parameters from one sweep, with rows for the loss steps `only`.

    Where a parameter has a table that would take too long, the error that says so.
    """
    found: dict[str, Table | NetworkError] = {}
    for name in parameters:
        try:
            found[name] = Table(trace, name, progress, only=only, filled=False)
        except NetworkError as error:
            found[name] = error
    _fill([table for table in found.values() if isinstance(table, Table) and len(table.uses)], progress)
    return found


def _fill(tables: Sequence[Table], progress: Advance | None) -> None:
    """Sweep once for the tables, which have the same loss steps, and keep what arrives where each is read."""
    wanted = {touch.slot for table in tables for touch in table.terms.touches}
    if not wanted:
        return
    trace, losses = tables[0].trace, tables[0].losses
    program, times = trace.program, trace.unrolled.times
    arrived: dict[int, Array] = {}
    for slot in wanted:
        entry = program.instruction(slot)
        arrived[slot] = np.zeros((times[entry.equation].count, len(losses), *entry.shape), trace.storage.dtype)
    with np.errstate(all="ignore"):
        for moment in sweep(trace, wanted, losses, progress):
            for slot, flow in moment.flows.items():
                row = times[program.instruction(slot).equation].row(moment.t)
                # The latest loss step comes first out of the sweep, and last in the table.
                arrived[slot][row, ::-1][: moment.active] = flow
    for table in tables:
        table.take(arrived)
