"""The section on the sum over time: the loss-time × use-time table, and what truncating it would give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.calculus.norms import norm
from bptt_tui.derivation.table import Array
from bptt_tui.derivation.table import Table as Sums
from bptt_tui.derivation.truncation import Chunks, Mask, Truncated, Window, several
from bptt_tui.errors import NetworkError
from bptt_tui.export.document import Block, Cell, Heading, Maths, Paragraph, Run, Table, cell
from bptt_tui.export.figures import gapped
from bptt_tui.export.scene import MOST_LOSSES, Scene
from bptt_tui.language.labels import latex_label

_ACROSS = 12  # columns written out; of a larger table the ends
_DECADES = 4.0  # over so many powers of ten a cell's colour fades


def table_section(scene: Scene) -> Iterator[Block]:
    """A table for every parameter, where there is more than one loss step."""
    if not scene.unrolled.has_total:
        return
    yield Heading(1, ("Loss time by use time",))
    yield Paragraph(
        (
            "A row for every loss step, a column for every use: ",
            Maths(rf"\partial {_loss(scene)}/\partial p_t"),
            ", as weighted in the total. Rows sum to what a loss step asks for, columns to a use's contribution, all "
            "to the gradient. Of arrays the norm is shown, sums included.",
        )
    )
    used = [parameter for parameter in scene.trace.gradient if len(scene.trace.uses(parameter))]
    truncations: dict[str, tuple[Truncated, ...]] | Paragraph
    try:
        progress = scene.watch(scene.unrolled.steps, parts=len(used))
        truncations = several(scene.trace, used, _masks(scene.unrolled.steps), progress)
    except NetworkError as error:  # too large to be computed
        truncations = Paragraph((f"Not computed: {error}.",))
    for parameter in used:
        yield from _parameter(scene, parameter, truncations)


def _parameter(
    scene: Scene, parameter: str, truncations: dict[str, tuple[Truncated, ...]] | Paragraph
) -> Iterator[Block]:
    yield Heading(2, (Maths(rf"\partial {_loss(scene)}/\partial {latex_label(parameter, 't')}"),))
    try:
        sums = scene.table(parameter)
        yield _table(scene, sums)
    except NetworkError as error:  # too large to be computed
        yield Paragraph((f"Not computed: {error}.",))
    yield truncations if isinstance(truncations, Paragraph) else _truncations(scene, parameter, truncations[parameter])


def _loss(scene: Scene) -> str:
    return latex_label(scene.network.loss_name, "t'")


def _size(value: Array) -> float:
    """A scalar itself, an array's norm."""
    return float(value) if not value.ndim else float(norm(value, value.ndim))


def _table(scene: Scene, sums: Sums) -> Block:
    losses, uses = len(scene.unrolled.loss_times), sums.uses
    down = gapped(range(losses), MOST_LOSSES, MOST_LOSSES // 2)
    across = gapped(range(len(uses)), _ACROSS, _ACROSS // 2)
    shown = {j: _column(sums, j) for j in across if j is not None}
    cells = np.stack([*shown.values()], axis=1)
    finite = np.abs(cells[np.isfinite(cells) & (cells != 0)])
    largest = float(finite.max()) if finite.size else 0.0
    reaches = sums.reaches()
    heads = [("loss",), *(("…",) if j is None else (f"t = {sums.uses[j]}",) for j in across), ("sum",)]
    rows = []
    row_sums = sums.row_sums()
    for number in down:
        if number is None:
            rows.append(tuple(cell("⋮") for _ in heads))
            continue
        i = number if number < len(sums.losses) // 2 else number - losses  # the table has the shown rows alone
        group = sums.losses[i]
        name = f"t' = {group[0]}" if len(group) == 1 else f"t' = {group[0]} … {group[-1]}"
        inside = (
            cell("…") if j is None else _entry(float(shown[j][i]), largest) if reaches[i, j] else cell("")
            for j in across
        )
        rows.append((cell(name), *inside, cell(_text(_size(row_sums[i])))))
    trace, parameter = scene.trace, sums.parameter
    last = (cell("…") if j is None else cell(_text(_size(trace.contribution(parameter, int(uses[j]))))) for j in across)
    rows.append((cell("sum"), *last, cell(_text(_size(trace.gradient[parameter])))))
    return Table(tuple(heads), tuple(rows), right=frozenset(range(1, len(heads))))


def _column(sums: Sums, number: int) -> Array:
    """The entries of one use, a row per loss step; of arrays their norms."""
    one = slice(number, number + 1)
    return np.asarray((sums.norms(one) if sums.shape else sums.numbers((), one))[:, 0])


def _entry(value: float, largest: float) -> Cell:
    return cell(_text(value), heat=_heat(value, largest))


def _heat(value: float, largest: float) -> float | None:
    """From the largest entry down, on a logarithmic scale of four decades, with the entry's sign."""
    if not value or not np.isfinite(value) or not largest:
        return None
    strength = max(1 + np.log10(abs(value) / largest) / _DECADES, 0.05)
    return float(np.copysign(strength, value))


def _text(value: float) -> Run:
    return numerals.number(value, 4)


def _masks(steps: int) -> list[Mask]:
    """Windows and chunks of growing length."""
    lengths = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if k < steps]
    return [mask for k in lengths for mask in (Window(k), Chunks(k))]


def _truncations(scene: Scene, parameter: str, found: tuple[Truncated, ...]) -> Block:
    """What each gives, beside the true gradient."""
    rows = [_truncated(each) for each in found]
    rows.append((cell("none"), cell(_text(_size(scene.trace.gradient[parameter]))), cell("1"), cell("1"), cell("")))
    heads: tuple[tuple[Run, ...], ...] = (("truncated to",), ("gradient",), ("‖·‖ ratio",), ("cosine",), ("entries",))
    return Table(heads, tuple(rows), right=frozenset({1, 2, 3, 4}))


def _truncated(found: Truncated) -> tuple[Cell, ...]:
    k = found.mask.k
    plural = "s" * (k != 1)
    what = f"a window of {k} timestep{plural}" if isinstance(found.mask, Window) else f"chunks of {k} timestep{plural}"
    return (
        cell(what),
        cell(_text(_size(found.gradient))),
        cell(_text(found.ratio)),
        cell(_text(found.cosine)),
        cell(f"{found.kept} of {found.cells}"),
    )
