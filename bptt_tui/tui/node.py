"""The node pane: the equation just taken with its numbers, and going backward how its gradient comes together.

Backward, every inflow is a small sum to follow with the finger: ∂E/∂consumer, times the local partial, equals what
arrives; the arrivals are added. Forward, and below the sum, stand the local partials by everything the node reads.
"""

from __future__ import annotations

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Factor, Inflow, Missing, Pane, Shown, View
from bptt_tui.tui.figures import at_the_point, shown, squeezed
from bptt_tui.tui.ink import Line, Run, fitted, width_of, wrapped
from bptt_tui.tui.pane import LinesPane
from bptt_tui.tui.signs import sign

# One labelled number: what stands in front, the label, the value, and whether it is the line's result.
Row = tuple[str, str, Shown | None, bool]

_NUMBER = 12  # cells that suffice for a number with six digits, or for a short array
_TOO_LARGE = "not kept: too large"
_MATRIX_LINES = 4  # a Jacobian of up to that many rows is written out


class NodePane(LinesPane):
    """Draws `View.pane`."""

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        pane = view.pane
        if pane is None:
            self.entitle("2 node")
            return _nothing_yet(view, width)
        self.entitle(f"2 {pane.title}", numerals.shape(pane.shape))
        return node_lines(view, pane, width, height)


def _nothing_yet(view: View, width: int) -> list[Line]:
    """Position 0: what there is to do."""
    backward = view.last - view.forward_steps
    text = f"Nothing is computed yet: {view.forward_steps} nodes forward, then {backward} steps back."
    return [
        *wrapped(((text, "plain"),), width),
        (),
        *wrapped((("n", "accent"), (" takes the next node, ", "dim"), ("p", "accent"), (" undoes it.", "dim")), width),
        *_remarks(view.remarks, width, "warning"),
    ]


def node_lines(view: View, pane: Pane, width: int, height: int) -> list[Line]:
    """The pane in lines of at most `width` cells.

    Where `height` lines are not enough, matrices are not written out, and then blank lines go, the last first. What
    does not fit even so scrolls, written out and with its blank lines.
    """
    roomy = _all_lines(view, pane, width, written_out=True)
    if len(roomy) <= height:
        return roomy
    lines = _all_lines(view, pane, width, written_out=False)
    if sum(bool(line) for line in lines) > height:
        return roomy
    for at in reversed(range(len(lines))):
        if len(lines) > height and not lines[at]:
            del lines[at]
    return lines


def _all_lines(view: View, pane: Pane, width: int, *, written_out: bool) -> list[Line]:
    lines = [*_remarks(view.remarks, width, "warning"), *wrapped(((pane.equation, "strong"),), width, indent=2)]
    if pane.substituted and pane.substituted != pane.equation:
        lines += wrapped(((pane.substituted, "plain"),), width, indent=2)
    if view.phase == "backward":
        for inflow in pane.inflows:
            lines += [(), *_inflow(inflow, pane.title, width, written_out)]
        lines += _sum(pane, width)
        if not pane.inflows:
            lines += [(), *_figures([("=", pane.title, pane.adjoint, True)], width)]
    lines += _partials(pane.partials, width)
    if pane.prediction:
        lines += [(), *wrapped(((pane.prediction, "plain"),), width)]
    for remark in pane.remarks:
        lines += [(), *_remarks((remark,), width, "dim")]
    return lines


def _inflow(inflow: Inflow, title: str, width: int, written_out: bool) -> list[Line]:
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
    return [*wrapped(heading, width), *_figures(rows, width, written_out=written_out)]


def _sum(pane: Pane, width: int) -> list[Line]:
    """The inflows added up, and for a use the contributions so far."""
    if pane.ref.kind == "use":
        total = pane.equation.partition(" = ")[0]
        return [(), *_figures([("Σ", f"{total} so far, {pane.of_total}", pane.so_far, True)], width)]
    if len(pane.inflows) < 2:
        return []
    if isinstance(pane.adjoint, Missing):
        return [(), *_figures([("Σ", f"so far, {pane.of_total}", pane.so_far, True)], width)]
    return [(), *_figures([("Σ", pane.title, pane.adjoint, True)], width)]


def _partials(partials: tuple[Factor, ...], width: int) -> list[Line]:
    """The local partials by everything the node reads."""
    if not partials:
        return []
    rows: list[Row] = [("", f"{factor.title} = {factor.symbol}", _jacobian(factor), False) for factor in partials]
    return [(), (("local partials", "title"),), *_figures(rows, width, written_out=False)]


def _jacobian(factor: Factor) -> Shown | None:
    """The local partial's value; None where it is too large to be kept dense."""
    return None if factor.value is None else squeezed(factor.value)


def _remarks(remarks: tuple[str, ...], width: int, ink: str) -> list[Line]:
    lines: list[Line] = []
    for remark in remarks:
        lines += wrapped((("! ", "accent"), (remark, ink)), width, indent=2)
    return lines


def _figures(rows: list[Row], width: int, *, written_out: bool = True) -> list[Line]:
    """Labelled numbers, the numbers in a column lined up at the decimal point.

    A small matrix is written out below its label; a number that does not fit beside its label goes on the next line.
    """
    front = 2
    beside = [(label, value) for _, label, value, _ in rows if not _written_out(value, width, written_out)]
    needed = max((len(_text(value, _NUMBER)) for _, value in beside), default=0)
    label_width = min(max((width_of(label) for label, _ in beside), default=0), max(width - front - 3 - needed, 8))
    room = max(width - front - label_width - 2, 8)
    texts = at_the_point(["" if _written_out(v, width, written_out) else _text(v, room - 1) for _, _, v, _ in rows])
    lines: list[Line] = []
    for (mark, label, value, result), text in zip(rows, texts, strict=True):
        number_ink = _number_ink(value, result)
        start: list[Run] = [(fitted(mark, front), "accent"), (label, "strong" if result else "symbol")]
        used = front + width_of(label)
        matrix = _written_out(value, width, written_out)
        if matrix:
            lines += [tuple(start), *(((" " * (front + 4), "plain"), (row, number_ink)) for row in matrix)]
        elif width_of(label) <= label_width:
            gap = front + label_width + 2 - used
            lines.append((*start, (" " * gap, "plain"), (text, number_ink)))
        else:
            lines += wrapped(tuple(start), width, indent=front)
            lines.append(((" " * (front + label_width + 2), "plain"), (text, number_ink)))
    return lines


def _text(value: Shown | None, room: int) -> str:
    return _TOO_LARGE if value is None else shown(value, room)


def _written_out(value: Shown | None, width: int, wanted: bool) -> list[str]:
    """The rows of a small matrix, or nothing for what fits on one line or is too large."""
    if not wanted or value is None or isinstance(value, Missing) or value.ndim != 2 or 1 in value.shape:
        return []
    if value.shape[0] > _MATRIX_LINES:
        return []
    rows = numerals.matrix(value, width - 6, _MATRIX_LINES)
    return rows if all("…" not in row for row in rows) else []


def _number_ink(value: Shown | None, result: bool) -> str:
    if value is None or isinstance(value, Missing):
        return "faint"
    return sign(value).ink if result else "plain"
