"""The node pane: what the last step computed, from what, and what it means."""

from __future__ import annotations

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.debugger.chain import factor_of, links_into, links_out_of
from bptt_tui.debugger.looking import Look, Scene, name_at, unnamed
from bptt_tui.debugger.remarks import FUSED_LOSS, fused_pullbacks, is_fused_loss, lost_products, trouble
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import HIDDEN, NOT_YET, Factor, Inflow, Missing, Pane, Shown
from bptt_tui.language import Name, Printer
from bptt_tui.trace import Link

NUDGE = 0.001
_FEW = 3  # so many losses are written out in their total
_STARTS_HERE = "the backward pass starts here: ∂{0}/∂{0} = 1"


def pane(look: Look) -> Pane | None:
    """The pane of the current step; None at position 0."""
    step = look.step
    if step is None:
        return None
    if step.t is None:
        return _total_pane(look, step)
    if step.kind == "use":
        return _use_pane(look, step, step.t)
    return _forward_pane(look, step, step.t) if step.phase == "forward" else _backward_pane(look, step, step.t)


def _forward_pane(look: Look, step: Step, t: int) -> Pane:
    scene = look.scene
    ref = scene.step_ref(step)
    equation = scene.network.index[step.name]
    value = look.value(step.name, t)
    remarks = [*trouble(scene, step, ref.label, value, adjoint=False), *_pinned(scene, step)]
    if is_fused_loss(scene, equation) and not look.veil.asked:
        remarks.append(FUSED_LOSS)
    return Pane(
        ref=ref,
        title=ref.label,
        equation=_equation(look, equation, t),
        substituted=_substituted(look, equation, t, value),
        value=value,
        shape=scene.unrolled.shapes[step.name],
        partials=_partials(look, equation, t),
        inflows=(),
        adjoint=NOT_YET,
        so_far=NOT_YET,
        of_total="",
        prediction="",
        remarks=tuple(remarks),
    )


def _backward_pane(look: Look, step: Step, t: int) -> Pane:
    scene = look.scene
    ref = scene.step_ref(step)
    total = scene.naming.total()
    title = scene.naming.partial(total, ref.label)
    equation = scene.network.index[step.name]
    value = look.value(step.name, t)
    links = links_into(scene, step.name, t)
    inflows = _inflows(look, links)
    adjoint = look.adjoint(step.name, t)
    remarks = [
        *trouble(scene, step, title, adjoint, adjoint=True),
        *lost_products(inflows),
        *(fused_pullbacks(scene, links) if not look.veil.asked else ()),
        *_pinned(scene, step),
    ]
    if not links:
        remarks.append(_STARTS_HERE.format(ref.label))
    return Pane(
        ref=ref,
        title=title,
        equation=_equation(look, equation, t),
        substituted=_substituted(look, equation, t, value),
        value=value,
        shape=scene.unrolled.shapes[step.name],
        partials=_partials(look, equation, t),
        inflows=inflows,
        adjoint=adjoint,
        so_far=_sum_so_far(inflows),
        of_total=_of_total(inflows),
        prediction=_prediction(total, ref.label, adjoint),
        remarks=tuple(remarks),
    )


def _use_pane(look: Look, step: Step, t: int) -> Pane:
    scene = look.scene
    ref = scene.step_ref(step)
    total = scene.naming.total()
    title = scene.naming.partial(total, ref.label)
    links = links_into(scene, step.name, t)
    inflows = _inflows(look, links)
    contribution = look.contribution(step.name, t)
    taken, count = look.progress(step.name)
    remarks = [
        *trouble(scene, step, title, contribution, adjoint=True),
        *lost_products(inflows),
        *(fused_pullbacks(scene, links) if not look.veil.asked else ()),
    ]
    return Pane(
        ref=ref,
        title=title,
        equation=f"{scene.naming.partial(total, step.name)} = Σₜ {scene.naming.partial(total, step.name + 'ₜ')}",
        substituted=f"{ref.label} is {step.name} as read at t = {t}",
        value=scene.trace.value(step.name),
        shape=scene.unrolled.shapes[step.name],
        partials=(),
        inflows=inflows,
        adjoint=contribution,
        so_far=look.so_far(step.name),
        of_total=f"{taken} of {count}",
        prediction=_prediction(total, ref.label, contribution, only=True),
        remarks=tuple(remarks),
    )


def _total_pane(look: Look, step: Step) -> Pane:
    """The total of several losses: a node without an equation in the session."""
    scene = look.scene
    ref = scene.ref(step.name, None)
    value = look.value(step.name, None)
    times = scene.unrolled.loss_times
    count = len(times)
    written_out = times if count <= _FEW else (times[0], times[-1])
    labels = [scene.naming.node(step.name, t) for t in written_out]
    numbers = [numerals.array(scene.trace.value(step.name, t)) for t in written_out]
    backward = step.phase == "backward"
    result = "" if isinstance(value, Missing) else f" = {numerals.array(value)}"
    mean = scene.network.reduction == "mean"
    starts_here = _STARTS_HERE.format(ref.label)
    remarks = [starts_here] if backward else trouble(scene, step, ref.label, value, adjoint=False)
    return Pane(
        ref=ref,
        title=f"∂{ref.label}/∂{ref.label}" if backward else ref.label,
        equation=f"{ref.label} = {_total_of(labels, count, mean=mean)}",
        substituted=f"{ref.label} = {_total_of(numbers, count, mean=mean)}{result}",
        value=value,
        shape=(),
        partials=(),
        inflows=(),
        adjoint=np.asarray(1.0) if backward else NOT_YET,
        so_far=NOT_YET,
        of_total="",
        prediction="",
        remarks=tuple(remarks),
    )


def _total_of(terms: list[str], count: int, *, mean: bool) -> str:
    """`E₀ + E₁`, or `(E₀ + … + E₉)/10` for a mean of many."""
    total = (" + " if len(terms) == count else " + … + ").join(terms).replace("+ -", "− ")
    return f"({total})/{count}" if mean else total


def _pinned(scene: Scene, step: Step) -> list[str]:
    """What a pin does to a node."""
    if not scene.unrolled.is_pinned(step.name, step.t):
        return []
    label = scene.step_ref(step).label
    return [f"{label} is pinned: its equation is cut, no gradient flows through it; unset {step.name}[{step.t}]"]


def _equation(look: Look, equation: int, t: int) -> str:
    """The equation with timesteps put in: `s₀ = tanh(z₀)`."""
    scene = look.scene
    source = scene.network.equations[equation]
    label = scene.naming.node(source.target, t)
    if scene.unrolled.is_pinned(source.target, t):
        return f"{label} is pinned"
    printer = Printer(NOTATIONS, "unicode", scene.naming.leaf(t))
    return f"{label} = {printer.print(source.expression)}"


def _substituted(look: Look, equation: int, t: int, value: Shown) -> str:
    """The equation with numbers put in: `s₀ = tanh(0.58) = 0.522665`."""
    scene = look.scene
    source = scene.network.equations[equation]
    if scene.unrolled.is_pinned(source.target, t):
        shown = value.value if isinstance(value, Missing) else numerals.array(value, 24)
        return f"{scene.naming.node(source.target, t)} = {shown}"

    def leaf(name: Name) -> str:
        found = look.value(name.name, name_at(name, t))
        return found.value if isinstance(found, Missing) else numerals.array(found, 20)

    right = Printer(NOTATIONS, "unicode", leaf).print(source.expression)
    result = f" = {value.value}" if value is HIDDEN else ""
    if not isinstance(value, Missing):
        result = f" = {numerals.array(value, 24)}"
    return f"{scene.naming.node(source.target, t)} = {right}{result}"


def _partials(look: Look, equation: int, t: int) -> tuple[Factor, ...]:
    """The local partials by everything the node reads, known as soon as the node is."""
    links = links_out_of(look.scene, equation, t)
    partials = (factor_of(look.scene, link, current=False, taken=False) for link in links)
    if look.veil.partials or look.veil.asked == "value":
        partials = (unnamed(partial, NOT_YET) for partial in partials)
    return tuple(partials)


def _inflows(look: Look, links: tuple[Link, ...]) -> tuple[Inflow, ...]:
    """All inflows of a step, the ones not taken yet without numbers."""
    scene = look.scene
    taken = look.factor or len(links)
    found = []
    for number, link in enumerate(links, 1):
        known = number <= taken
        factor = factor_of(scene, link, current=number == taken, taken=known)
        if number == taken or (known and look.veil.asked == "contribution"):
            factor = look.veil.over(factor)
        elif not known and look.veil.partials:
            factor = unnamed(factor, NOT_YET)
        consumer = factor.consumer
        found.append(
            Inflow(
                number=number,
                of=len(links),
                adjoint=scene.trace.adjoint(consumer.name, consumer.t) if consumer.t is not None else np.asarray(1.0),
                factor=factor,
                product=factor.running,
            )
        )
    return tuple(found)


def _sum_so_far(inflows: tuple[Inflow, ...]) -> Shown:
    """The sum of the inflows taken, first to last."""
    total: Shown = NOT_YET
    if any(inflow.product is HIDDEN for inflow in inflows):
        return HIDDEN
    for inflow in inflows:
        if not isinstance(inflow.product, Missing):
            total = inflow.product if isinstance(total, Missing) else total + inflow.product
    return total


def _of_total(inflows: tuple[Inflow, ...]) -> str:
    taken = sum(not isinstance(inflow.product, Missing) for inflow in inflows)
    return f"{taken} of {len(inflows)}" if inflows else ""


def _prediction(total: str, label: str, gradient: Shown, *, only: bool = False) -> str:
    """What a small nudge does to the loss, to first order; of an array, its most sensitive entry is nudged."""
    if isinstance(gradient, Missing) or not np.isfinite(gradient).all():
        return ""
    what = label
    change = float(gradient.reshape(-1)[0])
    if gradient.ndim:
        place = int(np.argmax(np.abs(gradient)))
        change = float(gradient.reshape(-1)[place])
        index = ", ".join(str(int(i)) for i in np.unravel_index(place, gradient.shape))
        what = f"entry {index} of {label}"
    alone = " alone" if only else ""
    return f"nudging {what}{alone} by +{NUDGE} changes {total} by {numerals.number(change * NUDGE, 3)}"
