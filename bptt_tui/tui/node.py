"""The node pane: the equation just taken with its numbers, and going backward how its gradient comes together.

Backward, every inflow is a small sum to follow with the finger: ∂E/∂consumer, times the local partial, equals what
arrives; the arrivals are added. Forward, and below the sum, stand the local partials by everything the node reads.
Arrays that do not fit on a line are drawn as heat maps; a key writes them out as numbers instead.
"""

from __future__ import annotations

from msgspec import Struct

from bptt_tui.calculus import numerals
from bptt_tui.calculus.shapes import shape_text
from bptt_tui.debugger.view import HIDDEN, Factor, Inflow, Missing, Pane, Shown, Value, View
from bptt_tui.tui import heat
from bptt_tui.tui.aside import asides, question
from bptt_tui.tui.figures import at_the_point, listed, shown, squeezed
from bptt_tui.tui.ink import Line, Run, fitted, line_width, width_of, wrapped
from bptt_tui.tui.keynames import key_of
from bptt_tui.tui.pane import Lines
from bptt_tui.tui.pane import Pane as Framed
from bptt_tui.tui.signs import sign

# One labelled number: what stands in front, the label, the value, and whether it is the line's result.
Row = tuple[str, str, Shown | None, bool]

_NUMBER = 12  # cells that suffice for a number with six digits, or for a short array
_TOO_LARGE = "not kept: too large"
_MATRIX_LINES = 4  # a matrix of up to that many rows is written out as numbers
_TALLEST = 16  # lines of a heat map
_MOST_ROWS = 64  # rows of a matrix in numbers; the inspector shows all of a larger one
_INDENT = " " * 6


class Tiling(Struct, frozen=True):
    """How arrays that do not fit on a line are shown: in up to so many lines of tiles, or as `numbers`."""

    lines: int
    jacobian_lines: int
    sum_lines: int
    numbers: bool = False

    def of(self, mark: str) -> int:
        """Lines for the array of a row that begins with this mark."""
        return {"×": self.jacobian_lines, "Σ": self.sum_lines}.get(mark, self.lines)


_TIGHT = Tiling(0, 0, 0)
_SMALLER = (Tiling(8, 8, 8), Tiling(8, 4, 8), Tiling(8, 0, 8), Tiling(8, 0, 0), Tiling(4, 0, 4), Tiling(4, 0, 0))


class NodePane(Lines, Framed):
    """Draws `View.pane`."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._numbers = False
        self.notes = True  # whether notes stand here, for want of a pane of their own

    def switch(self) -> str:
        """From heat maps to numbers, or back; returns what to say about it."""
        self._numbers = not self._numbers
        if self.view is not None:
            self.show(self.view)
        return "arrays are written out" if self._numbers else "arrays that do not fit on a line are heat maps"

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        pane = view.pane
        if pane is None:
            self.entitle("2 node")
            keys = key_of("step.next", self.app), key_of("step.rewind", self.app)
            return _nothing_yet(view, width, keys, notes=self.notes)
        self.entitle(f"2 {pane.title}", numerals.shape(pane.shape))
        return node_lines(view, pane, width, height, numbers=self._numbers, notes=self.notes)


def _nothing_yet(view: View, width: int, keys: tuple[str, str], *, notes: bool) -> list[Line]:
    """Position 0: what there is to do, and the two keys that do and undo it."""
    there, back = keys
    backward = view.last - view.forward_steps
    text = f"Nothing is computed yet: {view.forward_steps} nodes forward, then {backward} steps backward."
    return [
        *wrapped(((text, "plain"),), width),
        (),
        *wrapped(
            ((there, "accent"), (" takes the next node, ", "dim"), (back, "accent"), (" undoes it.", "dim")), width
        ),
        *_remarks(view.remarks, width, "warning"),
        *asides(view, width, notes=notes),
    ]


def node_lines(
    view: View, pane: Pane, width: int, height: int, *, numbers: bool = False, notes: bool = True
) -> list[Line]:
    """The pane in lines of at most `width` cells.

    Where `height` lines are not enough, arrays are drawn smaller, then blank lines go, the last first, and then the
    pictures. What does not fit even so scrolls, with all its lines; then at least what the step comes to is in sight,
    if need be without the equation's numbers.
    """

    def parts_of(tiling: Tiling, *, brief: bool = False) -> tuple[list[Line], list[Line]]:
        upper = _upper(view, pane, width, tiling, brief=brief)
        return upper, _lower(view, pane, width, upper, notes=notes)

    roomy = parts_of(Tiling(_TALLEST, _TALLEST, _TALLEST, numbers))
    if len(_joined(roomy)) <= height or numbers:
        return _joined(roomy)
    smaller = [parts_of(tiling) for tiling in _SMALLER]
    fitting = [parts for parts in smaller if len(_joined(parts)) <= height]
    if fitting:
        return _joined(fitting[0])
    pictured = [parts for parts in smaller if _has_tiles(_joined(parts))]
    tight = parts_of(_TIGHT)
    for parts in (*pictured, tight):
        if sum(bool(line) for line in _joined(parts)) <= height:
            return _without_blanks(_joined(parts), height)
    for upper, lower in (roomy, *pictured, tight, parts_of(_TIGHT, brief=True)):
        if sum(bool(line) for line in upper) <= height:
            return [*_without_blanks(upper, height), *lower]
    return _joined(roomy)


def _joined(parts: tuple[list[Line], list[Line]]) -> list[Line]:
    return [*parts[0], *parts[1]]


def _without_blanks(lines: list[Line], height: int) -> list[Line]:
    """The lines without as many blank ones, the last first, as there are too many."""
    kept = list(lines)
    for at in reversed(range(len(kept))):
        if len(kept) > height and not kept[at]:
            del kept[at]
    return kept


def _upper(view: View, pane: Pane, width: int, tiling: Tiling, *, brief: bool) -> list[Line]:
    """The equation and what the step comes to; going backward, `brief` leaves out the equation's numbers."""
    backward = view.phase == "backward"
    lines = [
        *question(view, width),
        *_remarks(view.remarks, width, "warning"),
        *wrapped(((pane.equation, "strong"),), width, indent=2),
    ]
    if pane.substituted and pane.substituted != pane.equation and not (brief and backward):
        lines += wrapped(((pane.substituted, "plain"),), width, indent=2)
    if backward:
        for inflow in pane.inflows:
            lines += [(), *_inflow(inflow, pane.title, width, tiling)]
        lines += _sum(pane, width, tiling)
        if not pane.inflows:
            lines += [(), *_figures([("=", pane.title, pane.adjoint, True)], width, tiling)]
    else:
        lines += _value(pane, width, tiling)
    return lines


def _lower(view: View, pane: Pane, width: int, upper: list[Line], *, notes: bool) -> list[Line]:
    """The local partials, what the glyphs mean, what a nudge does, remarks, notes."""
    lines = _partials(pane.partials, width)
    lines += _legend([*upper, *lines], width)
    if pane.prediction:
        lines += [(), *wrapped(((pane.prediction, "plain"),), width)]
    for remark in pane.remarks:
        lines += [(), *_remarks((remark,), width, "dim")]
    return [*lines, *asides(view, width, notes=notes)]


def _inflow(inflow: Inflow, title: str, width: int, tiling: Tiling) -> list[Line]:
    """∂E/∂consumer × local partial = what arrives."""
    factor = inflow.factor
    heading: Line = (
        (f"inflow {inflow.number} of {inflow.of}", "title"),
        (f", through {factor.consumer.label}", "dim"),
    )
    arrives = title if inflow.of == 1 else f"inflow {inflow.number}"
    rows: list[Row] = [
        ("", f"{title.partition('/')[0]}/∂{factor.consumer.label}", inflow.adjoint, False),
        ("×", f"{factor.title} = {factor.symbol}", _jacobian(factor), False),
        ("=", arrives, inflow.product, True),
    ]
    return [*wrapped(heading, width), *_figures(rows, width, tiling)]


def _sum(pane: Pane, width: int, tiling: Tiling) -> list[Line]:
    """The inflows added up, and for a use the contributions so far."""
    if pane.ref.kind == "use":
        total = pane.equation.partition(" = ")[0]
        return [(), *_figures([("Σ", f"{total} so far, {pane.of_total}", pane.so_far, True)], width, tiling)]
    if len(pane.inflows) < 2:
        return []
    if isinstance(pane.adjoint, Missing):
        return [(), *_figures([("Σ", f"so far, {pane.of_total}", pane.so_far, True)], width, tiling)]
    return [(), *_figures([("Σ", pane.title, pane.adjoint, True)], width, tiling)]


def _value(pane: Pane, width: int, tiling: Tiling) -> list[Line]:
    """Forward: an array that the line with the numbers put in abbreviates."""
    if isinstance(pane.value, Missing) or not pane.value.ndim or "…" not in pane.substituted:
        return []
    return [(), *_figures([("=", pane.title, pane.value, True)], width, tiling)]


def _partials(partials: tuple[Factor, ...], width: int) -> list[Line]:
    """The local partials by everything the node reads."""
    if not partials:
        return []
    rows: list[Row] = [("", f"{factor.title} = {factor.symbol}", _jacobian(factor), False) for factor in partials]
    return [(), (("local partials", "title"),), *_figures(rows, width, _TIGHT)]


def _jacobian(factor: Factor) -> Shown | None:
    """The local partial's value; None where it is too large to be kept dense."""
    if factor.value is None:
        return HIDDEN if factor.symbol == HIDDEN.value else None
    return squeezed(factor.value)


def _remarks(remarks: tuple[str, ...], width: int, ink: str) -> list[Line]:
    lines: list[Line] = []
    for remark in remarks:
        lines += wrapped((("! ", "accent"), (remark, ink)), width, indent=2)
    return lines


def _figures(rows: list[Row], width: int, tiling: Tiling) -> list[Line]:
    """Labelled numbers, the numbers in a column lined up at the decimal point.

    An array that does not fit stands below its label; a number that does not fit beside its label goes on the next
    line.
    """
    front = 2
    longest = max(width_of(label) for _, label, _, _ in rows)
    across = max(width - front - 3 - longest, 8)
    below = [_below(value, across, width, tiling.of(mark), tiling.numbers) for mark, _, value, _ in rows]
    beside = [(label, value) for (_, label, value, _), lines in zip(rows, below, strict=True) if not lines]
    needed = max((len(_text(value, _NUMBER)) for _, value in beside), default=0)
    label_width = min(max((width_of(label) for label, _ in beside), default=0), max(width - front - 3 - needed, 8))
    room = max(width - front - label_width - 2, 8)
    texts = at_the_point(
        ["" if lines else _text(value, room - 1) for (_, _, value, _), lines in zip(rows, below, strict=True)]
    )
    lines: list[Line] = []
    for (mark, label, value, result), text, block in zip(rows, texts, below, strict=True):
        number_ink = _number_ink(value, result)
        start: list[Run] = [(fitted(mark, front), "accent"), (label, "strong" if result else "symbol")]
        used = front + width_of(label)
        if block:
            if _has_tiles(block) and not isinstance(value, Missing | None):
                note = heat.tiles(value, width - len(_INDENT), len(block))[1]
                start.append((f"  {heat.summary(value)}{note and f', {note}'}", "dim"))
            lines += [*wrapped(tuple(start), width, indent=front), *block]
            continue
        runs, at = _beside(value, text, room, number_ink), front + label_width + 2
        broken = used + 2 > at
        if value is not None and not isinstance(value, Missing) and value.ndim == 2 and "…" in text:
            # That it is the largest entry has to be said, if need be further left than numbers stand.
            broken = used + 2 + line_width(_by_largest(value, 0)) > width
            runs = _by_largest(value, width - (front + 2 if broken else max(used + 2, at)))
            at = max(min(at, width - line_width(runs)), front + 2 if broken else used + 2)
        if broken:
            lines += wrapped(tuple(start), width, indent=front)
            start, used = [], 0
        lines.append((*start, (" " * (at - used), "plain"), *runs))
    return lines


def _text(value: Shown | None, room: int) -> str:
    return _TOO_LARGE if value is None else shown(value, room)


def _beside(value: Shown | None, text: str, room: int, ink: str) -> Line:
    """A value beside its label; a vector that would be abbreviated as a row of glyphs."""
    if value is None or isinstance(value, Missing) or "…" not in text:
        return ((text, ink),)
    return heat.row(value, room)


def _by_largest(value: Value, room: int) -> Line:
    """A matrix that would be abbreviated: `◈ 4×8, largest -0.517`, without its size where that does not fit."""
    said = heat.summary(value)
    whole = f"{shape_text(value.shape)}, {said}"
    return ((f"{sign(value).glyph} ", sign(value).ink), (whole if len(whole) + 2 <= room else said, "plain"))


def _below(value: Shown | None, room: int, width: int, most: int, numbers: bool) -> list[Line]:
    """A matrix below its label, in numbers if it is small, else as tiles; as `numbers`, whatever `room` cells do not
    hold."""
    if not most or value is None or isinstance(value, Missing) or not value.ndim:
        return []
    inside = width - len(_INDENT)
    if value.ndim == 2 and 1 not in value.shape and len(value) <= _MATRIX_LINES:
        rows = numerals.matrix(value, inside, _MATRIX_LINES)
        if all("…" not in row for row in rows):
            return [((_INDENT, "plain"), (row, "plain")) for row in rows]
    if "…" not in shown(value, room):
        return []
    if numbers:
        written = numerals.matrix(value, inside, _MOST_ROWS) if value.ndim == 2 else listed(value, inside)
        return [((_INDENT, "plain"), (row, "plain")) for row in written]
    if value.ndim == 1:
        return []
    tiles, _ = heat.tiles(value, inside, most)
    return [((_INDENT, "plain"), *line) for line in tiles]


def _has_tiles(lines: list[Line]) -> bool:
    return any(ink.startswith("heat-") and text[0] in heat.TILES for line in lines for text, ink in line)


def _legend(lines: list[Line], width: int) -> list[Line]:
    """What the glyphs that are there mean."""
    rows = any(ink.startswith("heat-") and text[0] not in heat.TILES for line in lines for text, ink in line)
    legend = [*((heat.TILES_MEAN,) if _has_tiles(lines) else ()), *((heat.ROWS_MEAN,) if rows else ())]
    return [(), *(piece for line in legend for piece in wrapped(line, width))] if legend else []


def _number_ink(value: Shown | None, result: bool) -> str:
    if value is None or isinstance(value, Missing):
        return "faint"
    return sign(value).ink if result else "plain"
