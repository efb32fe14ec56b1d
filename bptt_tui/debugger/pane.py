"""The node pane: what the last step computed, from what, and what it means."""

from __future__ import annotations

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.debugger.chain import Link, equation_links, factor_of, links_into
from bptt_tui.debugger.looking import Look, name_at, scale_of
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import NOT_YET, Factor, Inflow, Missing, Pane, Shown
from bptt_tui.language import Name, Printer

NUDGE = 0.001
ONE_LOGIT = (
    "softmax of one logit is the constant 1, so E = 0 for every choice of parameters: every gradient is exactly 0"
)


def pane(look: Look) -> Pane | None:
    """The pane of the current step; None at position 0."""
    step = look.current_step()
    if step is None:
        return None
    if step.kind == "total":
        return _total_pane(look, step)
    if step.kind == "use":
        return _use_pane(look, step)
    return _node_pane(look, step)


def _node_pane(look: Look, step: Step) -> Pane:
    scene = look.scene
    assert step.t is not None
    ref = scene.step_ref(step)
    equation = scene.network.index[step.name]
    value = look.value(step.name, step.t)
    operation = scene.trace.program.instruction(scene.trace.program.roots[equation]).operation.name
    backward = step.phase == "backward"
    inflows = _inflows(look, links_into(look, step.name, step.t)) if backward else ()
    adjoint = look.adjoint(step.name, step.t) if backward else NOT_YET
    remarks = [*_trouble(value, operation, step), *(_fusion_remarks(look, step, equation) if backward else ())]
    if backward and not scene.inflow_count(step.name, step.t):
        remarks.append(f"the backward pass starts here: ∂{ref.label}/∂{ref.label} = 1")
    if not backward and _fused_loss(look, equation):
        remarks.append(
            "computed from the logits in one piece, so that no logarithm of a vanishing probability is taken"
        )
    return Pane(
        ref=ref,
        title=scene.naming.partial(scene.naming.total(), ref.label) if backward else ref.label,
        equation=_equation(look, equation, step.t),
        substituted=_substituted(look, equation, step.t, value),
        value=value,
        shape=scene.unrolled.shapes[step.name],
        partials=_partials(look, equation, step.t),
        inflows=inflows,
        adjoint=adjoint,
        so_far=_sum_so_far(inflows),
        of_total=_of_total(inflows),
        prediction=_prediction(scene.naming.total(), ref.label, adjoint),
        remarks=tuple(remarks),
    )


def _use_pane(look: Look, step: Step) -> Pane:
    scene = look.scene
    assert step.t is not None
    ref = scene.step_ref(step)
    total = scene.naming.total()
    inflows = _inflows(look, links_into(look, step.name, step.t))
    contribution = look.contribution(step.name, step.t)
    taken = scene.timeline.terms_taken(step.name, look.position)
    count = scene.trace.terms[step.name].times.count
    remarks = [] if isinstance(contribution, Missing) else _trouble(contribution, "", step)
    return Pane(
        ref=ref,
        title=scene.naming.partial(total, ref.label),
        equation=f"{scene.naming.partial(total, step.name)} = Σₜ {scene.naming.partial(total, step.name + 'ₜ')}",
        substituted=f"{ref.label} is {step.name} as read at t = {step.t}",
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
    name = step.name
    value = look.value(name, None)
    times = scene.unrolled.loss_times
    first, last = (scene.naming.node(name, t) for t in (times[0], times[-1]))
    middle = " + … + " if len(times) > 2 else " + "
    mean = scene.network.reduction == "mean"
    terms = f"{first}{middle}{last}"
    backward = step.phase == "backward"
    shown = numerals.array(value) if isinstance(value, np.ndarray) else "…"
    return Pane(
        ref=ref,
        title=f"∂{ref.label}/∂{ref.label}" if backward else ref.label,
        equation=f"{ref.label} = ({terms})/{len(times)}" if mean else f"{ref.label} = {terms}",
        substituted=f"{ref.label} = {'mean' if mean else 'sum'} of {len(times)} losses = {shown}",
        value=value,
        shape=(),
        partials=(),
        inflows=(),
        adjoint=np.asarray(1.0) if backward else NOT_YET,
        so_far=NOT_YET,
        of_total="",
        prediction="",
        remarks=(f"the backward pass starts here: ∂{ref.label}/∂{ref.label} = 1",) if backward else (),
    )


def _equation(look: Look, equation: int, t: int) -> str:
    """The equation with timesteps put in: `s₀ = tanh(z₀)`."""
    scene = look.scene
    source = scene.network.equations[equation]
    printer = Printer(NOTATIONS, "unicode", scene.naming.leaf(t))
    return f"{scene.naming.node(source.target, t)} = {printer.print(source.expression)}"


def _substituted(look: Look, equation: int, t: int, value: Shown) -> str:
    """The equation with numbers put in: `s₀ = tanh(0.58) = 0.522665`."""
    scene = look.scene
    source = scene.network.equations[equation]

    def leaf(name: Name) -> str:
        found = look.value(name.name, name_at(name, t))
        return found.value if isinstance(found, Missing) else numerals.array(found, 20)

    right = Printer(NOTATIONS, "unicode", leaf).print(source.expression)
    result = "" if isinstance(value, Missing) else f" = {numerals.array(value, 24)}"
    return f"{scene.naming.node(source.target, t)} = {right}{result}"


def _partials(look: Look, equation: int, t: int) -> tuple[Factor, ...]:
    """The local partials by everything the node reads, known as soon as the node is."""
    links = equation_links(look, equation, t)
    return tuple(factor_of(look, link, current=False, taken=False) for link in links)


def _inflows(look: Look, links: tuple[Link, ...]) -> tuple[Inflow, ...]:
    """All inflows of a step, the ones not taken yet without numbers."""
    scene = look.scene
    taken = look.factor or len(links)
    found = []
    for number, link in enumerate(links, 1):
        known = number <= taken
        factor = factor_of(look, link, current=number == taken, taken=known)
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


def _trouble(value: Shown, operation: str, step: Step) -> list[str]:
    """What is remarkable about the number just computed."""
    scale = scale_of(value, operation)
    if scale == "ok":
        return []
    words = {
        "nan": "not a number appears here",
        "overflow": "an infinite value appears here",
        "subnormal": "a value here is below the smallest normal number: digits are being lost",
        "saturated": f"{operation} is saturated here: the slope is 0 to the last digit, or nearly",
    }
    return [words[scale] if step.t is None else f"{words[scale]} (t = {step.t})"]


def _fused_loss(look: Look, equation: int) -> bool:
    """Whether the equation's loss is computed together with the softmax or sigmoid it reads."""
    program = look.scene.trace.program
    return any(program.instruction(fused.outer).equation == equation for fused in program.fused.values())


def _fusion_remarks(look: Look, step: Step, equation: int) -> list[str]:
    """Says which form was computed where a softmax's Jacobian meets the loss's row."""
    scene = look.scene
    program = scene.trace.program
    remarks = []
    for fused in program.fused.values():
        inner, outer = program.instruction(fused.inner), program.instruction(fused.outer)
        name = inner.operation.name
        if inner.equation == outer.equation:
            continue
        assert step.t is not None
        exists = scene.unrolled.times[outer.equation].row(step.t) is not None
        if exists and any(link.equation == inner.equation for link in links_into(look, step.name, step.t)):
            o = scene.naming.node(scene.network.equations[inner.equation].target, step.t)
            y = scene.network.equations[outer.equation].expression.arguments[1]  # type: ignore[union-attr]
            target = Printer(NOTATIONS, "unicode", scene.naming.leaf(step.t)).print(y)
            remarks.append(
                f"{name} and {outer.operation.name} are pulled back in one piece, as {o} − {target}:"
                " the product of the two factors shown, without their overflow"
            )
    return remarks
