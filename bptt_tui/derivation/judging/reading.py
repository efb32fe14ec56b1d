"""How a formula is read where it can be meant in several ways: its layout, its products, its partials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from bptt_tui.derivation.formulas.parts import walk
from bptt_tui.derivation.formulas.tree import Add, Divide, Formula, Negate, Partial, Transpose
from bptt_tui.derivation.judging.samples import Mode, Stack

Layout = Literal["numerator", "denominator", "gradient"]
Manner = Literal["matrix", "entries", "turning", "inner"]
Family = tuple[str, str, bool]


class Reading(Struct, frozen=True):
    """How a formula is read: the layout, the manner of its products, and the mode of every family of partials.

    `size` is that of an I or 𝟏 that has none of its own; 0: they do what the number 1 does.

    `modes` has (above's name, below's name, is it a whole) → mode for what the text leaves open, else `default`.
    """

    layout: Layout = "numerator"
    manner: Manner = "matrix"
    default: Mode = "total"
    modes: tuple[tuple[Family, Mode], ...] = ()
    size: int = 0

    def mode(self, partial: Partial) -> Mode:
        """The mode of one partial; what the text says goes first."""
        if partial.reading:
            return partial.reading
        return dict(self.modes).get(family(partial), self.default)


def family(partial: Partial) -> Family:
    """Partials that are read alike: those of one name by another."""
    return partial.above.name, partial.below.name, partial.below.t is None


def turned_first(factors: Sequence[tuple[Formula, bool]], stacks: list[Stack]) -> list[Stack]:
    """The factors of a product with a gradient written by its values, o − y or −y/o, as the row it stands for.

    Only the leftmost one that is no number, and only where it is a column that nothing has transposed.
    """
    for place, ((formula, transposed), stack) in enumerate(zip(factors, stacks, strict=True)):
        if stack.shape[1:] == (1, 1):
            continue
        if stack.shape[2] == 1 and not transposed and _is_gap(formula):
            return [*stacks[:place], stack.transpose(0, 2, 1), *stacks[place + 1 :]]
        break
    return stacks


def _is_gap(formula: Formula) -> bool:
    if isinstance(formula, Negate):
        return _is_gap(formula.operand)
    if any(isinstance(part, Partial | Transpose) for part in walk(formula)):
        return False
    return isinstance(formula, Divide) or (
        isinstance(formula, Add) and any(isinstance(term, Negate) for term in formula.terms)
    )
