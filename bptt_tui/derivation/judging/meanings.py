"""The ways in which a formula can be meant, and the one in which it holds.

∂s₂/∂w is the total derivative in one book and the partial with s₁ held in the next; a gradient is a row here and a
column there. A formula is tried in each consistent reading, the plainest first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bptt_tui.derivation.formulas.parts import children, walk
from bptt_tui.derivation.formulas.tree import Call, Formula, Partial, Product, Sum
from bptt_tui.derivation.judging.evaluation import NOTHING, Environment, Evaluator
from bptt_tui.derivation.judging.reading import Family, Layout, Manner, Reading, family
from bptt_tui.derivation.judging.samples import Key, Mode, Samples
from bptt_tui.derivation.judging.spelling import Spelling
from bptt_tui.derivation.judging.stacks import close
from bptt_tui.language.labels import listed

MAX_FAMILIES = 4
FORMS: tuple[tuple[Layout, Manner], ...] = (
    ("numerator", "matrix"),
    ("gradient", "matrix"),
    ("gradient", "entries"),
    ("numerator", "entries"),
    ("numerator", "turning"),
    ("numerator", "inner"),
    ("denominator", "matrix"),
    ("denominator", "entries"),
)


def open_partials(samples: Samples, *formulas: Formula) -> dict[Family, Partial]:
    """The partials that the text leaves open and that can be meant in more than one way, one of each family."""
    found: dict[Family, Partial] = {}
    for formula in formulas:
        for part in walk(formula):
            if isinstance(part, Partial) and not part.reading and samples.feeds(part.above.name):
                below = part.below
                # By a use at one timestep there is nothing to choose: its paths are its own.
                if below.name not in samples.unrolled.values.parameters or below.t is None:
                    found.setdefault(family(part), part)
    return found


def sizes(samples: Samples, member: Formula) -> tuple[int, ...]:
    """The sizes that an identity matrix without one may have: 0, the number 1, will do but in a Kronecker product."""
    within = [part for part in walk(member) if isinstance(part, Call) and part.function in ("kron", "outer")]
    unsized = [p for one in within for p in walk(one) if isinstance(p, Call) and p.function in ("eye", "ones")]
    if not unsized:
        return (0,)
    return (0, *sorted({rows for name in samples.unrolled.shapes if (rows := samples.shape(name)[0]) > 1}))


def modes(families: dict[Family, Partial]) -> Iterator[Reading]:
    """Total everywhere, immediate everywhere, then every mixture of the two, then with every other state held."""
    yield Reading()
    if not families:
        return
    keys = list(families)[:MAX_FAMILIES]
    yield Reading(modes=tuple((key, "immediate") for key in families))
    if len(keys) > 1:
        for choice in itertools.product(("total", "immediate"), repeat=len(keys)):
            if len(set(choice)) > 1:
                yield Reading(modes=tuple(zip(keys, choice, strict=True)))  # type: ignore[arg-type]
    yield Reading(modes=tuple((key, "direct") for key in families))
    for held in keys if len(keys) > 1 else ():
        yield Reading(modes=((held, "direct"),))


def forms(samples: Samples) -> tuple[tuple[Layout, Manner], ...]:
    """The layouts worth trying: one where everything is a scalar."""
    if all(samples.shape(name) == (1, 1) for name in samples.unrolled.shapes):
        return FORMS[:1]
    return FORMS


def described(evaluator: Evaluator, spelling: Spelling, *formulas: Formula) -> tuple[str, ...]:
    """How a formula was read where that made a difference: "∂s₂/∂w with s₁ held"."""
    samples = evaluator.samples
    found: dict[str, None] = {}
    told: set[Family] = set()
    for formula in formulas:
        for partial, env in instances(formula, evaluator):
            # Of the partials of a sum over time one stands for all.
            if partial.reading or partial.above.name == samples.network.loss_name or (env and family(partial) in told):
                continue
            above, below = evaluator.key(partial.above, env), evaluator.key(partial.below, env)
            text = _described(samples, spelling, above, below, evaluator.reading.mode(partial))
            if text:
                told.add(family(partial))
                found.setdefault(f"{text}, and so on" if env else text)
            if len(found) >= 6:
                break
    layout = evaluator.reading.layout
    if layout == "gradient":
        found["gradients in the shape of what they are by"] = None
    elif layout == "denominator":
        found["in denominator layout: gradients are columns, Jacobians transposed"] = None
    return tuple(found)


def instances(formula: Formula, evaluator: Evaluator) -> Iterator[tuple[Partial, Environment]]:
    """Every partial with its timesteps, sums written out; at most a few hundred."""

    def visit(part: Formula, env: Environment) -> Iterator[tuple[Partial, Environment]]:
        if isinstance(part, Partial):
            yield part, env
        elif isinstance(part, Sum | Product):
            for inner in evaluator.steps(part, env):
                yield from visit(part.body, inner)
        else:
            for child in children(part):
                yield from visit(child, env)

    yield from itertools.islice(visit(formula, NOTHING), 400)


def _described(samples: Samples, spelling: Spelling, above: Key, below: Key, mode: Mode) -> str:
    name = spelling.partial(above, below)
    if below[0] in samples.unrolled.values.parameters and below[1] is not None:
        earlier = [t for t in samples.uses(below[0]) if t < below[1]]
        held = held_states(samples, above)
        local = any(end == below for _, end in samples.reads(above[0], above[1] or 0))
        if earlier and held and above[1] == below[1] and not local:
            return f"{name} with {listed([spelling.name(key) for key in held])} held: the use at t = {below[1]} only"
        return ""
    if above[0] == samples.network.loss_name or above[1] is None:
        return ""
    total, immediate = samples.partial(above, below), samples.partial(above, below, "immediate")
    chosen = samples.partial(above, below, mode)
    if bool(close(total, immediate).all()) and bool(close(chosen, total).all()):
        return ""
    if mode == "total":
        return f"{name} in total, through the timesteps before"
    held = [key for key in held_states(samples, above) if key != below]
    if mode == "direct":
        return f"{name} with every other state held"
    return f"{name} with {listed([spelling.name(key) for key in held])} held" if held else ""


def held_states(samples: Samples, above: Key) -> list[Key]:
    """The states of the timestep before."""
    t = above[1]
    if t is None:
        return []
    return [(name, t - 1) for name in sorted(samples.states) if samples.exists(name, t - 1)]
