"""Single steps of the walk as formulas: the value of a node, the gradient by it, a use's contribution.

What the debugger shows at a position, in LaTeX; and what predict mode asks there, with its solution.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptt_tui.debugger.asked import Asked, asked_at_step
from bptt_tui.debugger.chain import consumer_of, links_into
from bptt_tui.debugger.looking import Look
from bptt_tui.debugger.predict import KINDS
from bptt_tui.debugger.timeline import Step
from bptt_tui.export import figures
from bptt_tui.export.document import Block, Display, Maths, Run
from bptt_tui.export.passes import node_row, total_row
from bptt_tui.export.scene import Scene
from bptt_tui.trace import Link

_MOST_INFLOWS = 4  # of a gradient, written out


def whereabouts(scene: Scene, position: int) -> tuple[Run, ...]:
    """` of 27, backward, t = 1: ` and what the step computes."""
    walk = scene.walk
    if not position:
        return (f" of {walk.timeline.last}: nothing is computed yet",)
    step = walk.timeline.step(position)
    when = "" if step.t is None else f", t = {step.t}"
    return (f" of {walk.timeline.last}, {step.phase}{when}: ", Maths(_name(scene, step)))


def step_display(scene: Scene, position: int) -> Block | None:
    """What the step computes, in numbers where they are few; nothing at position 0."""
    if not position:
        return None
    step = scene.walk.timeline.step(position)
    if step.phase == "forward":
        return Display((_forward(scene, step),))
    return Display((_backward(scene, step),))


def _name(scene: Scene, step: Step) -> str:
    """s_1, or ∂E/∂s_1 of a step back."""
    name = _label(scene, step.kind == "use", step.name, step.t)
    return name if step.phase == "forward" else rf"\partial {scene.total}/\partial {name}"


def _label(scene: Scene, is_use: bool, name: str, t: int | None) -> str:
    return scene.naming.use(name, t or 0, "latex") if is_use else scene.naming.node(name, t, "latex")


def _forward(scene: Scene, step: Step) -> tuple[str, ...]:
    return total_row(scene) if step.t is None else node_row(scene, scene.network.index[step.name], step.t)


def _backward(scene: Scene, step: Step) -> tuple[str, ...]:
    """∂E/∂s = Σ over its inflows of what arrives times the local partial."""
    left = scene.fraction(scene.total, _label(scene, step.kind == "use", step.name, step.t))
    links = () if step.t is None else links_into(scene.walk, step.name, step.t)
    if step.t is None or not links:
        return left, "= 1"
    is_use = step.kind == "use"
    value = scene.trace.contribution(step.name, step.t) if is_use else scene.trace.adjoint(step.name, step.t)
    return left, *(f"= {form}" for form in (*_inflows(scene, links), figures.array(value)))


def _inflows(scene: Scene, links: Sequence[Link]) -> tuple[str, ...]:
    """The sum of the inflows in symbols, and in numbers where all are scalars."""
    if len(links) > _MOST_INFLOWS:
        return (f"{_inflow(scene, links[0])} + \\cdots + {_inflow(scene, links[-1])}",)
    symbols = " + ".join(_inflow(scene, link) for link in links)
    numbers = [_in_numbers(scene, link) for link in links]
    return (symbols, " + ".join(numbers)) if all(numbers) else (symbols,)


def _inflow(scene: Scene, link: Link) -> str:
    _, symbol = _factor(scene, link)
    if link.reader is None:
        return symbol
    consumer = consumer_of(scene.walk, link)
    above = scene.fraction(scene.total, _label(scene, False, consumer.name, consumer.t))
    bracketed = rf"\left({symbol}\right)" if any(sign in symbol for sign in ("+", "-")) else symbol
    return rf"{above} \cdot {bracketed}"


def _in_numbers(scene: Scene, link: Link) -> str:
    """`-1.06231 · 0.6`; nothing where an array is among them."""
    if link.reader is None:
        return figures.number(scene.trace.share)
    consumer = consumer_of(scene.walk, link)
    assert consumer.t is not None
    above = scene.trace.adjoint(consumer.name, consumer.t)
    partial = scene.trace.jacobian(link.reader.equation, consumer.t, link.reader.by)
    if above.size != 1 or partial.size != 1:
        return ""
    numbers = (figures.number(above.item()), figures.number(partial.item()))
    return r" \cdot ".join(rf"\left({text}\right)" if text.startswith("-") else text for text in numbers)


def _factor(scene: Scene, link: Link) -> tuple[str, str]:
    """∂consumer/∂source and its formula."""
    source = _label(scene, link.name in scene.trace.terms, link.name, link.t)
    if link.reader is None:
        count = len(scene.unrolled.loss_times)
        mean = scene.network.reduction == "mean"
        return scene.fraction(scene.total, source), rf"\frac{{1}}{{{count}}}" if mean else "1"
    consumer = consumer_of(scene.walk, link)
    assert consumer.t is not None
    above = _label(scene, False, consumer.name, consumer.t)
    return scene.fraction(above, source), scene.partials.text(link.reader.equation, consumer.t, link.reader.by, "latex")


# --- what predict mode asks ----------------------------------------------------------------------------------------


def asked(scene: Scene, position: int, question: str) -> Asked | None:
    """The question of that text at a position or between its factors; None where nothing such is asked there."""
    walk = scene.walk
    if not 0 <= position <= walk.timeline.last:
        return None
    following = walk.factor_count(walk.timeline.step(position + 1)) if position < walk.timeline.last else 1
    for factor in range(following):
        for kind in KINDS:
            found = asked_at_step(Look(walk, position, factor), (kind,))
            if found is not None and found.text == question:
                return found
    return None


def asked_for(scene: Scene, found: Asked) -> str:
    """What is asked for, in LaTeX."""
    return _solved(scene, found)[0]


def solution(scene: Scene, found: Asked) -> Block:
    """What is asked for, its formula and its value."""
    left, formula = _solved(scene, found)
    truth = np.asarray(found.truth)
    value = figures.matrix(truth) if truth.ndim == 2 else figures.array(truth)
    return Display(((left, *(f"= {form}" for form in dict.fromkeys((formula, value)) if form)),))


def _solved(scene: Scene, found: Asked) -> tuple[str, str]:
    step = found.step
    if found.kind == "factor":
        return _factor(scene, found.links[0])
    if found.kind == "contribution":
        return scene.fraction(scene.total, _label(scene, True, step.name, step.t)), _inflows(scene, found.links)[0]
    name, *row = _forward(scene, step)
    return name, row[0].removeprefix("= ") if len(row) > 1 else ""
