"""The sections on the gradients: each as the sum of its uses' contributions, each of those as the sum of its chains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bptt_tui.derivation.chains import Chain, ChainFactor, Chains, spelled
from bptt_tui.errors import NetworkError
from bptt_tui.export import figures
from bptt_tui.export.document import Block, Cell, Display, Heading, Maths, Paragraph, Table, cell
from bptt_tui.export.scene import Scene, left_out
from bptt_tui.language.labels import label, latex_label

_MOST_CHAINS = 8  # to one use, written out; more are grouped by loss step
_MOST_FACTORS = 40  # of a chain, written out
_MOST_USES = 24  # of a parameter, written out chain by chain; the table has all
_MOST_ROWS = 120  # of the contributions' table
_AT_THE_ENDS = 6
_WRITTEN = 6  # terms of a sum that are written out
_TIMES = r" \cdot "
_SMALL = 16  # entries of a partial that is put into a product in numbers


def gradients_section(scene: Scene) -> Iterator[Block]:
    """One part for every parameter."""
    yield Heading(1, ("Gradients",))
    yield Paragraph(
        (
            "A parameter is shared by all timesteps. Its gradient is the sum, over the timesteps, of what each of its "
            "uses contributes; a contribution is the sum over all chains that lead from the loss to that use.",
        )
    )
    for parameter in scene.trace.gradient:
        yield from _parameter(scene, parameter)


def _parameter(scene: Scene, parameter: str) -> Iterator[Block]:
    name = label(parameter, None, "latex")
    total = scene.fraction(scene.total, name)
    yield Heading(2, (Maths(rf"\partial {scene.total}/\partial {name}"),))
    uses = scene.trace.uses(parameter)
    if not uses:
        yield Paragraph(("The loss does not depend on it.",))
        return
    terms = [scene.fraction(scene.total, scene.naming.use(parameter, t, "latex")) for t in _latest_first(uses)]
    written = " + ".join(terms) if len(terms) <= _WRITTEN else " + ".join([*terms[:3], r"\cdots", terms[-1]])
    sums = (total, rf"= \sum_t {scene.fraction(scene.total, latex_label(parameter, 't'))}", f"= {written}")
    yield Display((sums, ("", f"= {figures.array(scene.trace.gradient[parameter])}")))
    first, last = figures.ends(uses, _MOST_USES, 3)
    for t in _latest_first([*first, *last]):
        yield from _use(scene, parameter, t)
    if last:
        left = len(uses) - len(first) - len(last)
        yield Paragraph((f"{left} uses are left out here; the table has their contributions.",))
    yield _contributions(scene, parameter, uses)


def _latest_first(times: Sequence[int]) -> list[int]:
    """As the backward pass comes by them."""
    return sorted(times, reverse=True)


def _use(scene: Scene, parameter: str, t: int) -> Iterator[Block]:
    """The chains to one use."""
    left = scene.fraction(scene.total, scene.naming.use(parameter, t, "latex"))
    yield Heading(3, (f"The use at t = {t}",))
    chains = Chains(scene.trace, parameter, t, naming=scene.naming, partials=scene.partials, watch=scene.watch)
    value = scene.trace.contribution(parameter, t)
    count = chains.count
    if not count:
        yield Display(((left, "= 0"),))
        return
    if count > _MOST_CHAINS:
        yield Paragraph((f"{spelled(count)} chains lead to it. Grouped by the loss step they come from:",))
        yield from _groups(scene, chains)
        yield Display(((left, f"= {figures.array(value)}"),))
        return
    try:
        for number, chain in enumerate(chains, 1):
            if count > 1:
                yield Paragraph((f"Chain {number} of {count}:",))
            yield Display(tuple(_chain(scene, chains, chain, left if count == 1 else "")))
    except NetworkError:  # so far from its loss step that single chains cannot be listed
        yield from _groups(scene, chains)
    if count > 1:
        yield Display(((left, f"= {figures.array(value)}"),))


def _chain(scene: Scene, chains: Chains, chain: Chain, left: str) -> Iterator[tuple[str, ...]]:
    """Factors, formulas, numbers, shapes and the product, a row each."""
    factors = _of_interest(chains.factors(chain), scene.unrolled.has_total)
    kept = figures.gapped(factors, _MOST_FACTORS, _AT_THE_ENDS)
    fractions = [r"\cdots" if factor is None else _fraction(scene, factor) for factor in kept]
    yield left, f"= {_TIMES.join(fractions)}"
    symbols = [r"\cdots" if factor is None else _bracketed(factor.latex) for factor in kept]
    yield "", f"= {_TIMES.join(symbols)}"
    if all(factor is None or _small(factor) for factor in kept):
        numbers = [r"\cdots" if factor is None else _number(factor) for factor in kept]
        yield "", f"= {_TIMES.join(numbers)}"
    if any(factor is not None and factor.shape != (1, 1) for factor in kept):
        shapes = [r"\cdots" if f is None else rf"{f.shape[0]}{{\times}}{f.shape[1]}" for f in kept]
        yield "", rf"\text{{shapes:}} \; {_TIMES.join(shapes)}"
    yield "", f"= {figures.array(chains.product(chain))}"


def _of_interest(factors: tuple[ChainFactor, ...], has_total: bool) -> tuple[ChainFactor, ...]:
    """Without the total's share of a loss step where that is the factor 1."""
    first = factors[0]
    return factors[1:] if has_total and first.link.reader is None and first.symbol == "1" else factors


def _fraction(scene: Scene, factor: ChainFactor) -> str:
    link = factor.link
    is_use = link.name in scene.trace.terms
    source = scene.naming.use(link.name, link.t, "latex") if is_use else scene.naming.node(link.name, link.t, "latex")
    if link.reader is None or link.consumer_time is None:
        return scene.fraction(scene.total, source)
    above = scene.naming.node(scene.network.targets[link.reader.equation], link.consumer_time, "latex")
    return scene.fraction(above, source)


def _bracketed(latex: str) -> str:
    """A formula as a factor: in brackets where it is a sum or begins with a minus sign."""
    depth = 0
    for place, character in enumerate(latex):
        depth += (character in "{([") - (character in "})]")
        if not depth and character in "+-" and not (character == "-" and latex[place - 1 : place] in "^_"):
            return rf"\left({latex}\right)"
    return latex


def _small(factor: ChainFactor) -> bool:
    return factor.value is not None and factor.value.size <= _SMALL


def _number(factor: ChainFactor) -> str:
    assert factor.value is not None
    text = figures.matrix(np.atleast_2d(factor.value))
    return rf"\left({text}\right)" if text.startswith("-") or "cdot" in text.split(r"\begin")[0] else text


def _groups(scene: Scene, chains: Chains) -> Iterator[Block]:
    """By loss step: how many chains, and what they sum to."""
    first, last = figures.ends(list(chains.counts), 2 * _AT_THE_ENDS, _AT_THE_ENDS)
    rows = tuple(
        (
            cell(f"t = {loss}"),
            cell(spelled(chains.counts[loss])),
            cell(Maths(figures.array(_sum(scene, chains, loss)))),
        )
        for loss in (*first, *last)
    )
    left = len(chains.counts) - len(first) - len(last)
    caption = (f"{left} loss steps in between are left out.",) if last else ()
    yield Table((("loss step",), ("chains",), ("sum",)), rows, caption, frozenset({1}))


def _sum(scene: Scene, chains: Chains, loss: int) -> np.ndarray[Any, Any]:
    """What the chains through one loss step come to: an entry of the table, where it has that row."""
    if loss in scene.shown_losses:
        try:
            return scene.table(chains.name).entry(loss, chains.t)
        except NetworkError:  # too many operations for a table
            pass
    return chains.sum(loss)


def _contributions(scene: Scene, parameter: str, uses: Sequence[int]) -> Block:
    """Every contribution and the sum so far, latest timestep first as the backward pass takes them."""
    first, last = figures.ends(uses, _MOST_ROWS, _AT_THE_ENDS)
    rows: list[tuple[Cell, ...]] = []
    for t in _latest_first([*first, *last]):
        use = scene.naming.use(parameter, t, "latex")
        rows.append(
            (
                cell(Maths(rf"\partial {scene.total}/\partial {use}")),
                cell(Maths(figures.array(scene.trace.contribution(parameter, t)))),
                cell(Maths(figures.array(scene.trace.running_sum(parameter, t)))),
            )
        )
    caption = (left_out(first, last),) if last else ()
    return Table((("use",), ("contribution",), ("sum so far",)), tuple(rows), caption)
