"""Remarks: what deserves a sentence beside the numbers.

Where numbers go wrong, and where they went wrong first; which form was computed where two factors are multiplied
as one; a network in which nothing can be learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.calculus.shapes import size
from bptt_tui.debugger.looking import Scene, scale_of
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import Factor, Inflow, Missing, Scale, Shown
from bptt_tui.language import Call, Expression, Name, Printer, calls, names
from bptt_tui.trace import Link
from bptt_tui.trace.health import WORDS, Trouble
from bptt_tui.trace.program import Fused, Instruction, Leaf

ONE_LOGIT = (
    "softmax of one logit is the constant 1, so E = 0 for every choice of parameters: every gradient is exactly 0"
)
FUSED_LOSS = "computed from the logits in one piece, so that no logarithm of a vanishing probability is taken"
_TROUBLE: dict[Scale, str] = {
    "nan": "not a number",
    "overflow": "infinite, beyond the largest number",
    "subnormal": "below the smallest normal number, where digits are lost",
    "underflow": "too small for any number but 0",
    "saturated": "saturated, its slope is 0 or nearly",
}


def trouble(scene: Scene, step: Step, label: str, value: Shown, *, adjoint: bool) -> list[str]:
    """What is wrong with the number just computed. Where that began is `first_troubles`'s to say."""
    operation = "" if adjoint or step.kind != "node" else scene.operation(step.name, step.t)
    scale = scale_of(value, operation, adjoint=adjoint)
    if scale not in _TROUBLE:
        return []
    some = "" if isinstance(value, Missing) or value.size == 1 else "has an entry that is "
    at = "" if step.t is None else f" (t = {step.t})"
    return [f"{label} {some or 'is '}{_TROUBLE[scale]}{at}"]


def first_troubles(scene: Scene) -> tuple[tuple[int, str], ...]:
    """From which position on it can be said where numbers went wrong first, and the sentence."""
    found = []
    for first in scene.trace.troubles:
        position = _position(scene, first)
        whole = first.t is None and first.name in scene.trace.terms
        label = first.name if whole else scene.ref(first.name, first.t).label
        if first.phase == "backward":
            label = scene.naming.partial(scene.naming.total(), label)
        t = "" if first.t is None else f" (t = {first.t})"
        found.append((position, f"first {WORDS[first.kind]}: {label}{t}"))
    return tuple(found)


def _position(scene: Scene, first: Trouble) -> int:
    """Where a trouble's number becomes known; a gradient's at the end, with its last term."""
    timeline, name, t = scene.timeline, first.name, first.t
    if name in scene.trace.terms:
        place = None if t is None else timeline.use_position(name, t)
    elif t is None:
        place = timeline.total_position(first.phase)
    else:
        place = timeline.value_position(name, t) if first.phase == "forward" else timeline.adjoint_position(name, t)
    return timeline.last if place is None else place


def lost_products(inflows: Iterable[Inflow]) -> list[str]:
    """Inflows that vanish although neither factor is 0."""
    return [
        f"inflow {inflow.number} underflows to 0: {inflow.factor.title} is not 0, nor what it is multiplied with"
        for inflow in inflows
        if _is_lost(inflow.adjoint, inflow.factor, inflow.product)
    ]


def _is_lost(adjoint: Shown, factor: Factor, product: Shown) -> bool:
    if isinstance(adjoint, Missing) or isinstance(product, Missing) or factor.value is None:
        return False
    row = np.abs(adjoint.reshape(1, -1))
    if not (np.isfinite(row).all() and np.isfinite(factor.value).all()):
        return False
    # A sum of products may cancel to 0 honestly; one whose magnitudes vanish too has been lost.
    meet = (row > 0).astype(float) @ (factor.value != 0)
    with np.errstate(all="ignore"):
        vanished = row @ np.abs(factor.value) == 0
    return bool((meet.astype(bool) & vanished & (product.reshape(1, -1) == 0)).any())


def is_fused_loss(scene: Scene, equation: int) -> bool:
    """Whether the equation's loss is computed together with the softmax or sigmoid it reads."""
    program = scene.trace.program
    return any(program.instruction(fused.outer).equation == equation for fused in program.fused.values())


def fused_pullbacks(scene: Scene, links: Iterable[Link]) -> list[str]:
    """Says which form was computed where a softmax's Jacobian meets the loss's row."""
    found = [
        sentence
        for link in links
        for fused in scene.trace.program.fused.values()
        for sentence in _fused_pullback(scene, link, fused)
    ]
    return list(dict.fromkeys(found))


def _fused_pullback(scene: Scene, link: Link, fused: Fused) -> Iterator[str]:
    program, network = scene.trace.program, scene.network
    inner, outer = program.instruction(fused.inner), program.instruction(fused.outer)
    t = link.consumer_time
    if link.reader is None or t is None or link.reader.equation != inner.equation:
        return
    if scene.unrolled.times[outer.equation].row(t) is None:
        return
    printer = Printer(NOTATIONS, "unicode", scene.naming.leaf(t))
    for loss in calls(network.equations[outer.equation].expression):
        if loss.operation != outer.operation.name:
            continue
        o, y = loss.arguments
        inside = _feeding(scene, o, fused)
        if inside is not None and link.reader.by in names(inside):
            shown = "" if inner.equation == outer.equation else " shown"
            difference = f"{printer.print(o)} − {printer.print(y)}"
            yield (
                f"{inner.operation.name} and {outer.operation.name} are pulled back in one piece, as {difference}:"
                f" the product of the two factors{shown}, without their overflow"
            )


def _feeding(scene: Scene, o: Expression, fused: Fused) -> Expression | None:
    """The softmax that a loss's first argument is, written there or the equation of the node named there."""
    inner = scene.trace.program.instruction(fused.inner)
    if isinstance(o, Name):
        own = scene.network.index.get(o.name) == inner.equation
        return scene.network.equations[inner.equation].expression if own else None
    return o if isinstance(o, Call) and o.operation == inner.operation.name else None


def one_logit(scene: Scene) -> tuple[str, ...]:
    """A softmax of one logit passes no gradient; where the loss reads nothing else, there is none at all."""
    program, network = scene.trace.program, scene.network
    constant = {
        number: slot
        for number, slot in enumerate(program.slots)
        if isinstance(slot, Instruction)
        and slot.operation.name == "softmax"
        and size(slot.shape) == 1
        and scene.unrolled.times[slot.equation].count
    }
    loss = program.instruction(program.roots[network.loss])
    read = loss.args[0]
    source = program.slots[read]
    if isinstance(source, Leaf) and source.source is not None and not source.lag:
        read = program.roots[source.source]
    if loss.operation.name == "cross_entropy" and read in constant:
        return (ONE_LOGIT,)
    targets = dict.fromkeys(network.equations[slot.equation].target for slot in constant.values())
    return tuple(
        f"{name} takes the softmax of one logit, which is the constant 1: no gradient passes through it"
        for name in targets
    )
