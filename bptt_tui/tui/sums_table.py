"""The table of loss steps and uses as a heat map, with its sums and, laid over it, truncated BPTT.

| of the largest entry | ≥ 1/10 | ≥ 1/1000 | ≥ 1/1 000 000 | less | 0 | left out |
|---|---|---|---|---|---|---|
| two cells: positive, negative | `█+` `█-` | `▓+` `▓-` | `▒+` `▒-` | `░+` `░-` | ` 0` | ` ·` |
| one cell: it stands, it hangs | `⣶` `⠿` | `⣤` `⠛` | `⣀` `⠉` | `⡀` `⠁` | `0` | `·` |

Norms have no sign: their tiles stand, without one. A small table is written in numbers. One that has more cells than
the screen is drawn in blocks, each by its entry farthest from 0; `z` goes through it cell by cell.
"""

from __future__ import annotations

import math

from bptt_tui.debugger.sums import Blocks, Sums, TruncatedSum
from bptt_tui.debugger.sums_text import compared, value_text
from bptt_tui.errors import BpttError
from bptt_tui.tui.copying import exactly
from bptt_tui.tui.ink import Line, Run, fitted, merged, width_of, wrapped
from bptt_tui.tui.sums_page import Keys, Page, in_full, number_run

_TILES = "░▒▓█"
_STANDING, _HANGING = "⡀⣀⣤⣶", "⠁⠉⠛⠿"
_NUMBER = 11
_SUM = 12
_KINDS = ("", "window", "chunks")
_FIRST_MASK = 100  # timesteps: the work of a mask over a long sequence grows with them


class TablePage(Page):
    """The table of one parameter, or of one entry of it."""

    keys: Keys = (("m", "mask"), ("+-", "k"), ("p", "parameter"), ("e", "entry"), ("i", "numbers"), ("z", "zoom"))

    def __init__(
        self,
        sums: Sums,
        parameter: str,
        entry: tuple[int, ...] | None,
        mask: tuple[str, int] | None,
        use: int | None = None,
    ) -> None:
        self._sums = sums
        self.parameter, self.entry = parameter, entry
        self.kind, self.k = mask or ("", 0)
        self._table = sums.table(parameter, entry)
        uses = self._table.uses
        self.row, self.column = len(self._table.losses) - 1, uses.index(use) if use in uses else len(uses) - 1
        self._numbers: bool | None = None
        self._whole, self._narrow = True, False
        self._blocks: Blocks | None = None
        self._key: tuple[int, int, str, int] | None = None
        self._known: Blocks | None = None
        self._top = self._left = 0
        self._refused = ""  # why there is no masked gradient

    @property
    def use(self) -> int:
        """The timestep of the use under the cursor."""
        return self._table.uses[self.column]

    @property
    def _mask(self) -> TruncatedSum | None:
        self._refused = ""
        if not self.kind:
            return None
        try:
            return self._sums.truncated(self.parameter, self.kind, self.k, self.entry)
        except BpttError as error:
            self._refused = str(error)
            return None

    # --- keys ------------------------------------------------------------------------------------------------------

    def move(self, down: int, right: int) -> None:
        blocks = self._blocks
        tall, wide = (1, 1) if blocks is None else (blocks.down, blocks.across)
        table = self._table
        self.row = min(max(self.row + down * tall, 0), len(table.losses) - 1)
        self.column = min(max(self.column + right * wide, 0), len(table.uses) - 1)

    def press(self, key: str) -> bool:
        if key == "m":
            self.kind = _KINDS[(_KINDS.index(self.kind) + 1) % 3]
            self.k = self.k or min(max(self._longest // 4, 1), _FIRST_MASK)
        elif key in ("plus", "minus") and self.kind:
            wider = key == "plus"
            step = 10 ** max(len(str(self.k if wider else self.k - 1)) - 2, 0)
            self.k = min(max(self.k + (step if wider else -step), 1), self._longest)
        elif key == "i":
            self._numbers = not self._numbers
        elif key == "z":
            self._whole = not self._whole
        else:
            return key in ("plus", "minus")
        return True

    @property
    def _longest(self) -> int:
        """The window that keeps everything."""
        return self._table.losses[-1][-1] + 1

    def enter(self) -> str:
        column = self._place[1]
        loss = self._table.label[1:].partition("/")[0]
        return f"goto d{loss}/d{self.parameter}[{self._table.uses[column]}]"

    def copied(self) -> str:
        row, column = self._place
        return exactly(self._table.cell(row, column)) if self._table.reached(row, column) else ""

    @property
    def _place(self) -> tuple[int, int]:
        """The cell under the cursor: in blocks, the one the block is drawn by."""
        blocks = self._blocks
        if blocks is None or blocks.down == blocks.across == 1:
            return self.row, self.column
        place = blocks.places[self.row // blocks.down - blocks.top, self.column // blocks.across - blocks.left]
        return int(place[0]), int(place[1])

    # --- drawing ---------------------------------------------------------------------------------------------------

    def lines(self, width: int, height: int) -> list[Line]:
        table, mask = self._table, self._mask
        margin = max(3, *(width_of(table.loss_label(row)) for row in (0, len(table.losses) - 1))) + 2
        tail = _SUM if width >= 60 else 0
        room = max(width - margin - tail - 1, 4)
        lines = max(height - len(self._foot(mask, width, height)) - 3, 1)
        if self._numbers is None:
            self._numbers = len(table.uses) * _NUMBER <= room and len(table.losses) <= lines
        cell = _NUMBER if self._numbers else 2 if len(table.uses) * 2 <= room else 1
        self._narrow = cell == 1
        columns = max(room // cell, 1)
        whole = self._whole and not self._numbers
        if whole:
            blocks = self._cut(lines, columns, mask)
            high, wide = blocks.values.shape
            at = self.row // blocks.down, self.column // blocks.across
        else:
            high, wide = len(table.losses), len(table.uses)
            at = self.row, self.column
        self._top = min(max(self._top, at[0] - lines + 1), at[0], max(high - lines, 0))
        self._left = min(max(self._left, at[1] - columns + 1), at[1], max(wide - columns, 0))
        rows = range(self._top, min(self._top + lines, high))
        shown = range(self._left, min(self._left + columns, wide))
        if not whole:
            blocks = table.cells(rows, shown, None if mask is None else mask.kept)
        self._blocks = blocks
        drawn: list[Line] = [self._headings(blocks, wide, shown, margin, cell, tail)]
        for row in rows:
            drawn.append(self._line(blocks, row, shown, margin, cell, tail, at))
        drawn.append(self._sums_line(wide, shown, margin, cell, tail))
        return [*self._head(blocks, width), *drawn, *self._foot(mask, width, height)]

    def _cut(self, lines: int, columns: int, mask: TruncatedSum | None) -> Blocks:
        """The table in blocks, cut once for a size and a mask."""
        key = (lines, columns, self.kind, self.k)
        if self._key != key:
            self._key, self._known = key, self._table.blocks(lines, columns, None if mask is None else mask.kept)
        assert self._known is not None
        return self._known

    def _headings(self, blocks: Blocks, wide: int, shown: range, margin: int, cell: int, tail: int) -> Line:
        """The uses, as many as have room for their labels, between ‹ and › where there are more."""
        table = self._table
        text, place = "", 0
        for column in shown:
            label = table.use_label(column * blocks.across)
            start = (column - shown.start) * cell
            if cell == _NUMBER:
                label = label.rjust(cell)
            if start >= place and start + width_of(label) <= len(shown) * cell:
                text += " " * (start - width_of(text)) + label
                place = start + width_of(label) + 2 * (cell != _NUMBER)
        text = fitted(text, len(shown) * cell)
        word = ("‖sum‖" if table.norms else "sum").rjust(tail) if tail and blocks.down == 1 else ""
        before = "‹" if shown.start else " "
        after = "›" if shown.stop < wide else " " * bool(word)
        return ((before.rjust(margin), "accent"), (text, "dim"), (after, "accent"), (word[1:], "dim"))

    def _line(
        self, blocks: Blocks, row: int, shown: range, margin: int, cell: int, tail: int, at: tuple[int, int]
    ) -> Line:
        table = self._table
        runs: list[Run] = []
        for column in shown:
            place = row - blocks.top, column - blocks.left
            if not blocks.there[place]:
                runs.append((" " * cell, "now" if (row, column) == at else "plain"))
                continue
            now = (row, column) == at
            value, level = float(blocks.values[place]), int(blocks.levels[place])
            if not blocks.kept[place]:
                runs.append(("·".rjust(cell), "now" if now else "faint"))
            elif cell == _NUMBER:
                runs.append(number_run(value, cell, now))
            else:
                runs.append(_tile(value, level, cell, table.norms, now))
        label = fitted(f" {table.loss_label(row * blocks.down)}", margin)
        total: Run = ("", "plain")
        if tail and blocks.down == 1:
            total = number_run(float(table.row_sums[row]), tail)
        return ((label, "accent" if row == at[0] else "dim"), *merged(runs), total)

    def _sums_line(self, wide: int, shown: range, margin: int, cell: int, tail: int) -> Line:
        """The contributions in `wide` blocks, and the gradient in the corner."""
        table = self._table
        values, sizes = table.sum_levels(wide)
        runs: list[Run] = []
        for column in shown:
            value = float(values[column])
            if cell == _NUMBER:
                runs.append(number_run(value, cell))
            else:
                runs.append(_tile(value, int(sizes[column]), cell, table.norms, False))
        total = number_run(table.total, tail) if tail else ("", "plain")
        return ((fitted(" Σ", margin), "accent"), *merged(runs), total)

    def _head(self, blocks: Blocks, width: int) -> list[Line]:
        table = self._table
        name = f"‖{table.cells_label}‖" if table.norms else table.cells_label
        many = f"{len(table.losses)} × {len(table.uses)}"
        if blocks.down * blocks.across > 1:
            many += f", a tile the largest of {blocks.down}×{blocks.across}"
        text = f" {name}   {many}; loss steps down, uses across" if width >= 60 else f" {name}  {many}"
        return [((text, "title"),)]

    def _foot(self, mask: TruncatedSum | None, width: int, height: int) -> list[Line]:
        """The truncated gradient beside the true one, and the legend."""
        table = self._table
        lines: list[Line] = []
        if mask is not None:
            kept, cells = mask.cells
            room = max((width - width_of(f" {mask.kind} {mask.k}  {table.label} =  true ")) // 2, 8)
            figures = f" {table.label} = {value_text(mask.gradient, room)}  true {value_text(table.gradient, room)}"
            lines.append(((f" {mask.kind} {mask.k} ", "now"), (figures, "plain")))
            lines.append(((f"   {compared(mask)}; {kept} of {cells} entries kept", "dim"),))
        elif self._refused:
            refused = wrapped(((f" {self.kind} {self.k} ", "now"), (f" {self._refused}", "error")), width, indent=3)
            lines += refused[: max(height // 4, 1)]
        elif width >= 60:
            lines.append(((f" {table.label} = {value_text(table.gradient, 48)}", "plain"),))
        if height >= 18:
            lines.append(self._legend())
            if table.note:
                lines.append(((f" {table.note}", "dim"),))
        return lines

    def _legend(self) -> Line:
        """What the tiles mean, of which this table has one kind."""
        blocks, norms = self._blocks, self._table.norms
        left_out = "  · left out" if self.kind and not self._refused else ""
        if self._numbers or blocks is None:
            return ((f"{left_out}; the sums at the edges are of all cells" if left_out else "", "faint"),)
        glyphs = (_STANDING if self._narrow else _TILES)[::-1]
        sizes = zip(glyphs, ("≥ 1/10 of the largest", "≥ 1/1000", "≥ 1e-6", "less"), strict=True)
        tiles = "  ".join(f"{tile} {size}" for tile, size in sizes)
        sign = "" if norms else "  ⠿ negative" if self._narrow else "  + -"
        return ((f" {tiles}{sign}{left_out}", "faint"),)

    def detail(self, width: int) -> list[Line]:
        table = self._table
        row, column = self._place
        label = table.cell_label(row, column)
        if not table.reached(row, column):
            return [((f" {label}: the loss cannot reach a later use", "dim"),)]
        room = max(width - width_of(label) - 6, 12)
        lines: list[Line] = [((f" {label} = ", "name"), (in_full(table.cell(row, column), room), "strong"))]
        sums = {
            table.column_label(column): value_text(table.column_sum(column), 24),
            table.row_label(row): value_text(table.row_sum(row), 24),
        }
        # Of a single loss step, or a single use, the entry is one of the sums.
        said = "   ".join(f"{name} = {value}" for name, value in sums.items() if name != label)
        return [*lines, ((f" {said}", "dim"),)] if said else lines


def _tile(value: float, level: int, cell: int, norms: bool, now: bool) -> Run:
    if not math.isfinite(value):
        return ("?" if math.isnan(value) else "∞").rjust(cell), "error"
    if value == 0:
        return "0".rjust(cell), "now" if now else "faint"
    sign = "positive" if value > 0 else "negative"
    if norms:
        text = _TILES[level] + " " if cell == 2 else _STANDING[level]
        return text, "now" if now else f"mixed-{max(level, 1)}"
    text = (_TILES[level] + ("+" if value > 0 else "-")) if cell == 2 else (_STANDING if value > 0 else _HANGING)[level]
    return text, f"now-{sign}" if now else f"heat-{sign}-{level}"
