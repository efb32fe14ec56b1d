"""The sections on the forward pass and on the local partials: every node with its numbers, every edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bptt_tui.calculus.shapes import shape_text
from bptt_tui.export import figures
from bptt_tui.export.document import Block, Display, Heading, Maths, Paragraph, Table, cell
from bptt_tui.export.scene import Scene, left_out
from bptt_tui.language import Name
from bptt_tui.language.labels import label, latex_label


def forward_section(scene: Scene) -> Iterator[Block]:
    """Node by node, timestep by timestep: the equation, its numbers put in, its value."""
    yield Heading(1, ("Forward",))
    first, last = scene.shown_timesteps(len(scene.network.equations))
    yield from _timesteps(scene, first)
    if last:
        yield Paragraph((left_out(first, last),))
        yield from _timesteps(scene, last)
    if scene.unrolled.has_total:
        yield Display((total_row(scene),))
    troubles = scene.trace.troubles
    if troubles:
        yield Paragraph((f"Note: {'; '.join(map(str, troubles))}.",))


def _timesteps(scene: Scene, times: Sequence[int]) -> Iterator[Block]:
    for t in times:
        rows = tuple(node_row(scene, equation, t) for equation in scene.nodes_at(t))
        if rows:
            yield Heading(2, (f"t = {t}",))
            yield Display(rows)


def node_row(scene: Scene, equation: int, t: int) -> tuple[str, ...]:
    """Name, equation, numbers and value of a node."""
    source = scene.network.equations[equation]
    name = scene.naming.node(source.target, t, "latex")
    value = f"= {figures.array(scene.trace.value(source.target, t))}"
    if scene.unrolled.is_pinned(source.target, t):
        return name, r"\text{is held}", value
    symbols = f"= {scene.at(t).print(source.expression)}"
    numbers = scene.with_numbers(source.expression, t)
    return (name, symbols, f"= {numbers}", value) if numbers else (name, symbols, value)


def total_row(scene: Scene) -> tuple[str, ...]:
    """Name, sum and value of the total of several losses."""
    name = label(scene.network.loss_name, None, "latex")
    return name, f"= {_total(scene)}", f"= {figures.number(scene.trace.loss)}"


def _total(scene: Scene) -> str:
    """The sum or mean of the loss steps, written out where they are few."""
    times = scene.unrolled.loss_times
    mean = scene.network.reduction == "mean"
    share = rf"\frac{{1}}{{{len(times)}}} " if mean else ""
    if len(times) > 4:
        return rf"{share}\sum_t {latex_label(scene.network.loss_name, 't')}"
    terms = " + ".join(label(scene.network.loss_name, t, "latex") for t in times)
    return rf"{share}\left({terms}\right)" if mean else terms


def partials_section(scene: Scene) -> Iterator[Block]:
    """Every edge's local partial: its formula, its number where it is a scalar, its shape."""
    yield Heading(1, ("Local partials",))
    yield Paragraph(
        (
            "One for every edge of the unrolled network: the partial derivative of what reads by what is read, all "
            "else held. Vectors are columns; a partial has a row for every entry of what reads.",
        )
    )
    lines = sum(len(reads) for reads in scene.network.reads)
    first, last = scene.shown_timesteps(max(lines, 1))
    yield _table(scene, first)
    if last:
        yield Paragraph((left_out(first, last),))
        yield _table(scene, last)


def _table(scene: Scene, times: Sequence[int]) -> Block:
    rows = []
    for t in times:
        for equation in scene.nodes_at(t):
            source = scene.network.equations[equation]
            if scene.unrolled.is_pinned(source.target, t):
                continue
            for by in scene.network.reads[equation]:
                if not scene.partials.flows(equation, by):
                    continue
                below_t = t + (by.offset or 0)
                kind = scene.unrolled.values.kind(by.name)
                below = (
                    scene.naming.use(by.name, t, "latex")
                    if kind == "parameter"
                    else scene.naming.node(by.name, below_t, "latex")
                )
                rows.append(
                    (
                        cell(Maths(scene.fraction(scene.naming.node(source.target, t, "latex"), below))),
                        cell(Maths(scene.partials.text(equation, t, by, "latex"))),
                        cell(Maths(_number(scene, equation, t, by))),
                        cell(shape_text(scene.partials.shape(equation, by))),
                    )
                )
    return Table((("partial",), ("formula",), ("value",), ("shape",)), tuple(rows))


def _number(scene: Scene, equation: int, t: int, by: Name) -> str:

    rows, columns = scene.partials.shape(equation, by)
    if rows * columns > 16:
        return ""
    return figures.matrix(scene.trace.jacobian(equation, t, by))
