"""The section on the network: its equations, where the loss is taken, and the values given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt_tui.calculus.shapes import shape_text
from bptt_tui.export import figures
from bptt_tui.export.document import Block, Display, Heading, Maths, Paragraph, Run, Table, cell
from bptt_tui.export.scene import Scene
from bptt_tui.language import Name
from bptt_tui.language.labels import label

_INPUTS_SHOWN = 12  # timesteps of an input


def network_section(scene: Scene) -> Iterator[Block]:
    """Equations, loss, values."""
    yield Heading(1, ("The network",))
    printer = scene.indexed
    yield Display(
        tuple(
            (printer.print(Name(equation.target, 0)), f"= {printer.print(equation.expression)}")
            for equation in scene.network.equations
        )
    )
    yield Paragraph(_loss(scene))
    rows = [
        (cell(Maths(name)), cell(kind), cell(shape_text(shape) or "scalar"), cell(Maths(value)))
        for name, kind, shape, value in _values(scene)
    ]
    if rows:
        yield Table((("name",), ("what",), ("shape",), ("value",)), tuple(rows))


def _loss(scene: Scene) -> tuple[Run, ...]:
    network, unrolled = scene.network, scene.unrolled
    steps = f"{unrolled.steps} timestep{'s' * (unrolled.steps != 1)}, t = 0"
    steps += f" to {unrolled.steps - 1}" if unrolled.steps > 1 else ""
    name = Maths(label(network.loss_name, None, "latex"))
    if not unrolled.has_total:
        return (f"{steps}. The loss ", name, f" is taken at t = {unrolled.loss_times[0]}.")
    where = "every timestep" if network.loss_at == "every" else "t = " + ", ".join(map(str, unrolled.loss_times))
    return (f"{steps}. The loss ", name, f" is the {network.reduction} of the losses at {where}.")


def _timesteps(count: int) -> str:
    """`0, 1` of two, `0, 1, …, 59` of sixty."""
    return ", ".join(map(str, range(count))) if count <= 3 else f"0, 1, …, {count - 1}"


def _values(scene: Scene) -> Iterator[tuple[str, str, tuple[int, ...], str]]:
    """Name, what it is, shape and value of everything given."""
    values = scene.unrolled.values
    for name, value in values.parameters.items():
        yield label(name, None, "latex"), "parameter", value.shape, figures.array(value)
    for name, rows in values.inputs.items():
        few = len(rows) <= _INPUTS_SHOWN
        shown = rows if few else rows[:_INPUTS_SHOWN]
        text = r",\; ".join(figures.array(row) for row in shown) + ("" if few else r",\; \dots")
        yield label(name, None, "latex"), f"input, t = {_timesteps(len(rows))}", rows.shape[1:], text
    for name, rows in scene.unrolled.before.items():
        if name in values.inputs:
            continue
        for offset, row in enumerate(np.asarray(rows)):
            t = offset - len(rows)
            yield scene.naming.node(name, t, "latex"), "initial value", row.shape, figures.array(row)
    for name, value in values.constants.items():
        yield label(name, None, "latex"), "constant", value.shape, figures.array(value)
    for place, value in values.pins.items():
        held, _, moment = place.rstrip("]").partition("[")
        yield scene.naming.node(held, int(moment), "latex"), "held at", value.shape, figures.array(value)
