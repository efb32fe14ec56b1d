"""The gradient as a sum, in lines of text: what `table`, `knobs`, `buildup` and `chains` answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bptt_tui.calculus import numerals
from bptt_tui.calculus.norms import norm
from bptt_tui.calculus.shapes import shape_text

if TYPE_CHECKING:
    from bptt_tui.debugger.sums import BuildUpSum, BuiltRow, ChainSum, KnobSum, TableSum, TruncatedSum

SHOWN = 12  # rows and columns of a table
LISTED = 5  # chains written out where all of them are asked for
_WIDTH = 40
_FACTOR = 24
_ENTRIES = 6  # of a matrix written out


def value_text(value: Any, width: int = _WIDTH) -> str:
    """A value on one line."""
    return numerals.array(value, width)


def table(shown: TableSum) -> list[str]:
    """The last rows and columns, with all sums."""
    top, left = max(len(shown.losses) - SHOWN, 0), max(len(shown.uses) - SHOWN, 0)
    what = f"‖∂{_loss(shown)}_t'/∂{shown.name}_t‖" if shown.norms else f"∂{_loss(shown)}_t'/∂{shown.name}_t"
    summed = "‖sum‖" if shown.norms else "sum"
    rows = [("", *(shown.use_label(c) for c in range(left, len(shown.uses))), summed)]
    last = shown.cells(range(top, len(shown.losses)), range(left, len(shown.uses)))
    for row in range(top, len(shown.losses)):
        cells = [
            numerals.number(value) if there else ""
            for value, there in zip(last.values[row - top], last.there[row - top], strict=True)
        ]
        rows.append((shown.loss_label(row), *cells, numerals.number(shown.row_sums[row])))
    sums = (numerals.number(shown.column_sums[c]) for c in range(left, len(shown.uses)))
    rows.append((summed, *sums, numerals.number(shown.total)))
    lines = [
        f"{what}: a row per loss step, a column per use; all of it sums to {shown.label} = {value_text(shown.gradient)}"
    ]
    lines += [shown.note] if shown.note else []
    lines += _aligned(rows)
    lines += _left_out(top, len(shown.losses), "rows") + _left_out(left, len(shown.uses), "columns")
    return lines


def _loss(shown: TableSum) -> str:
    return shown.label[1:].partition("/")[0]


def truncated(shown: TableSum, found: TruncatedSum) -> list[str]:
    """The truncated gradient beside the true one."""
    kept, cells = found.cells
    piece = "every loss step reaches back over" if found.kind == "window" else "the sequence is cut into pieces of"
    timesteps = f"{found.k} timestep{'s' * (found.k != 1)}"
    return [
        f"{found.kind} {found.k}: {piece} {timesteps}; {kept} of {cells} entries kept",
        f"{shown.label} truncated = {value_text(found.gradient)}, true = {value_text(shown.gradient)}",
        compared(found),
    ]


def compared(found: TruncatedSum) -> str:
    """`0.7998 of its size, cosine 1, off by 20 %`."""
    if found.ratio != found.ratio:
        return "the true gradient is 0"
    angle = "no direction" if found.cosine != found.cosine else f"cosine {numerals.number(found.cosine, 4)}"
    return f"{numerals.number(found.ratio, 4)} of its size, {angle}, relative error {numerals.number(found.error, 3)}"


def _aligned(rows: Sequence[Iterable[str]]) -> list[str]:
    """Columns to the right, the first to the left."""
    table = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _left_out(first: int, count: int, what: str) -> list[str]:
    return [f"the last {count - first} of {count} {what}"] if first else []


def knobs(found: KnobSum) -> list[str]:
    """The last knobs, and what all contributions sum to."""
    rows: list[tuple[str, ...]] = [("", "loss if nudged up", "slope", "contribution", "")]
    first = max(len(found.uses) - SHOWN, 0)
    for row in range(first, len(found.uses)):
        knob = found.row(row)
        numbers = (knob.up, knob.slope, knob.contribution)
        rows.append((found.use_label(row), *(numerals.number(number, 9) for number in numbers), knob.status))
    step = numerals.number(found.row(len(found.uses) - 1).step, 3)
    return [
        f"{found.name} untied: each use nudged alone, up and down by {step}",
        *_aligned(rows),
        *_left_out(first, len(found.uses), "uses"),
        f"{summed(len(found.uses))} {numerals.number(found.total, 9)}",
    ]


def summed(count: int) -> str:
    """What stands before the sum of so many contributions."""
    return "its only contribution is" if count == 1 else f"all {count} contributions sum to"


def buildup(found: BuildUpSum) -> list[str]:
    """The last timesteps: the total partial, and under it the immediate one and what earlier states bring along."""
    first = max(len(found.times) - SHOWN, 0)
    node, parameter = found.node, found.parameter
    lines = [f"∂{node}/∂{parameter} = ∂⁺{node}/∂{parameter}, earlier nodes held, + what they bring along"]
    for row in range(first, len(found.times)):
        lines += _built_lines(found.row(row))
    return [*lines, *_left_out(first, len(found.times), "timesteps")]


def _built_lines(row: BuiltRow) -> list[str]:
    """`∂s₁/∂w = 0.52`, and the terms it is the sum of."""
    terms = [f"{row.immediate_label} = {partial_text(row.immediate)}"]
    for part in row.parts:
        product = f"{partial_text(part.through)} · {partial_text(part.total)} = {partial_text(part.product)}"
        terms.append(f"{part.through_label} · {part.total_label} = {product}")
    return [f"t = {row.t}  {row.total_label} = {partial_text(row.total)}", *(f"    {term}" for term in terms)]


def partial_text(value: Any) -> str:
    """A matrix of partials on one line; a large one by its size and its norm."""
    if value.size <= _ENTRIES:
        return value_text(squeezed(value))
    return f"{'×'.join(map(str, value.shape))}, ‖·‖ {numerals.number(float(norm(value, value.ndim)))}"


def chains(found: ChainSum, loss: int | None) -> list[str]:
    """How many there are, by loss step where there are several, and the first ones written out."""
    total = value_text(found.total)
    plural = "chain" if found.count == 1 else "chains"
    lines = [f"{found.title} = {total}: the sum of {found.spelled} {plural}"]
    if len(found.losses) > 1 and loss is None:
        rows = [("", "chains", "their sum")]
        first = max(len(found.losses) - SHOWN, 0)
        groups = [found.group(number) for number in range(first, len(found.losses))]
        rows += [(f"through {group.label}", group.chains, value_text(group.total)) for group in groups]
        lines += [*_aligned(rows), *_left_out(first, len(found.losses), "loss steps")]
    elif loss is not None:
        group = found.group(found.losses.index(loss))
        lines.append(f"through {group.label}: {group.chains}, their sum {value_text(group.total)}")
    count = found.count if loss is None else found.count_through(loss)
    for number in range(min(count, LISTED)):
        factors = found.factors(number, loss)
        product = " · ".join(factor.title for factor in factors) or "1"
        value = value_text(factors[-1].running) if factors else "1"
        lines.append(f"{number + 1}  {_cut(product)} = {value}")
    if count > LISTED:
        lines.append(f"… {'and more' if count > 10**9 else f'{count - LISTED} more'}; chains … N writes one out")
    return lines


def _cut(product: str) -> str:
    """A long product by its first and last factors."""
    factors = product.split(" · ")
    return product if len(factors) <= 14 else " · ".join([*factors[:6], "…", *factors[-6:]])


def chain(found: ChainSum, number: int, loss: int | None) -> list[str]:
    """One chain, a factor a line: what it is, its formula, its value, its shape, the product so far."""
    factors = found.factors(number, loss)
    of = found.spelled if loss is None else f"{found.count_through(loss)} from t = {loss}"
    rows = [("factor", "", "value", "shape", f"product from {found.loss_label}")]
    for factor in factors:
        value = "" if factor.value is None else value_text(squeezed(factor.value), _FACTOR)
        symbol = "" if factor.symbol == value else factor.symbol
        rows.append((factor.title, symbol, value, shape_text(factor.shape), value_text(factor.running)))
    return [f"{found.title}, chain {number + 1} of {of}", *_aligned(rows)]


def squeezed(value: Any) -> Any:
    """A Jacobian of one row as a row, of one number as a number."""
    return value.reshape(()) if value.size == 1 else value[0] if value.shape[0] == 1 else value
