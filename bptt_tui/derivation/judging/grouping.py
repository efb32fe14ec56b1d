"""How the factors of a term are bracketed: Wᵀ (δ ⊙ f′) is two factors, the second a product of its own.

A group holds numbers of factors and further groups, with what stands between them. Changing one factor of a product is
changing its group: without a factor, with one more, joined otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bptt_tui.derivation.formulas.tree import Join
from bptt_tui.derivation.judging.evaluation import Evaluator
from bptt_tui.derivation.judging.samples import Stack


class Group(Struct, frozen=True):
    """Factors by number, and groups, in the order written; `joins[i]` stands between items i and i + 1."""

    items: tuple[int | Group, ...]
    joins: tuple[Join, ...] = ()

    @property
    def by_entries(self) -> bool:
        """Whether it is an elementwise product."""
        return "elementwise" in self.joins


def value_of(group: Group, stacks: Sequence[Stack], evaluator: Evaluator) -> Stack:
    """The product; raises Misfit."""
    inside = [stacks[item] if isinstance(item, int) else value_of(item, stacks, evaluator) for item in group.items]
    return evaluator.product(inside, group.joins)


def joined(a: Group, join: Join, b: Group) -> Group:
    """The two multiplied; what has another kind of product inside stays bracketed."""
    by_entries = join == "elementwise"
    left = a if len(a.items) == 1 or a.by_entries == by_entries else Group((a,))
    right = b if len(b.items) == 1 or b.by_entries == by_entries else Group((b,))
    return Group((*left.items, *right.items), (*left.joins, join, *right.joins))


def raised(group: Group, by: int) -> Group:
    """The same with higher numbers."""
    return Group(tuple(item + by if isinstance(item, int) else raised(item, by) for item in group.items), group.joins)


def turned(group: Group) -> Group:
    """The group of the transposed product: matrix products in the reverse order."""
    items = tuple(item if isinstance(item, int) else turned(item) for item in group.items)
    return Group(items, group.joins) if group.by_entries else Group(items[::-1], group.joins[::-1])


def without(group: Group, leaf: int) -> Group | None:
    """The group without one factor; None where nothing is left."""
    items: list[int | Group] = []
    joins: list[Join] = []
    for place, item in enumerate(group.items):
        kept = (None if item == leaf else item) if isinstance(item, int) else without(item, leaf)
        if kept is None:
            continue
        if items:
            joins.append(group.joins[place - 1])
        items.append(kept)
    return Group(tuple(items), tuple(joins)) if items else None


def with_one(group: Group, leaf: int) -> Iterator[Group]:
    """The groups with one more factor, at every place, from the left."""
    for place in range(len(group.items) + 1):
        cut = max(place - 1, 0)
        join: Join = "elementwise" if group.by_entries else "as it fits"
        items = (*group.items[:place], leaf, *group.items[place:])
        yield Group(items, (*group.joins[:cut], join, *group.joins[cut:]))
    for place, item in enumerate(group.items):
        if not isinstance(item, int):
            for inner in with_one(item, leaf):
                yield Group((*group.items[:place], inner, *group.items[place + 1 :]), group.joins)


def rejoined(group: Group) -> Iterator[tuple[int, Group]]:
    """The groups with one join of the other kind, and the factor that stands before it."""
    for place, join in enumerate(group.joins):
        other: Join = "matrix" if join == "elementwise" else "elementwise"
        changed = Group(group.items, (*group.joins[:place], other, *group.joins[place + 1 :]))
        yield last_leaf(group.items[place]), changed
    for place, item in enumerate(group.items):
        if not isinstance(item, int):
            for leaf, inner in rejoined(item):
                yield leaf, Group((*group.items[:place], inner, *group.items[place + 1 :]), group.joins)


def last_leaf(item: int | Group) -> int:
    """The rightmost factor."""
    return item if isinstance(item, int) else last_leaf(item.items[-1])


def spelled(group: Group, texts: Sequence[str], signs: dict[Join, str]) -> str:
    """The product as text, inner groups in brackets."""
    parts = [texts[item] if isinstance(item, int) else f"({spelled(item, texts, signs)})" for item in group.items]
    return parts[0] + "".join(signs[join] + part for join, part in zip(group.joins, parts[1:], strict=True))
