"""Walking over formulas: the parts of one, the same with other parts, comparison without regard to places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from bptt_tui.derivation.formulas.tree import (
    Add,
    Call,
    Divide,
    Entry,
    Formula,
    Matrix,
    Moment,
    Multiply,
    Negate,
    Number,
    Partial,
    Power,
    Product,
    Sum,
    Time,
    Transpose,
    Value,
)

# Which fields of a kind hold formulas, in the order they are written.
_PARTS: dict[type[Formula], tuple[str, ...]] = {
    Number: (),
    Value: (),
    Time: (),
    Partial: ("above", "below"),
    Sum: ("body",),
    Product: ("body",),
    Add: ("terms",),
    Negate: ("operand",),
    Multiply: ("factors",),
    Divide: ("top", "bottom"),
    Power: ("base", "exponent"),
    Transpose: ("operand",),
    Call: ("arguments",),
    Entry: ("operand", "indices"),
    Matrix: ("entries",),
}


def children(formula: Formula) -> tuple[Formula, ...]:
    """The parts of a formula, one level down, left to right."""
    found: list[Formula] = []
    for field in _PARTS[type(formula)]:
        part = getattr(formula, field)
        found += part if isinstance(part, tuple) else (part,)
    return tuple(found)


def walk(formula: Formula) -> Iterator[Formula]:
    """A formula and all its parts, each before its own parts."""
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(children(part))


def rebuilt(formula: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """The formula with `change` done to each part of it, one level down."""
    changed = {}
    for field in _PARTS[type(formula)]:
        part = getattr(formula, field)
        changed[field] = tuple(map(change, part)) if isinstance(part, tuple) else change(part)
    return replace(formula, **changed) if changed else formula


def bare(formula: Formula) -> Formula:
    """The formula as if it had been made, not read: no part has a place. For comparison and as a dictionary's key."""
    inner = rebuilt(formula, bare)
    return inner if inner.span == (0, 0) else replace(inner, span=(0, 0))


def moment_text(moment: Moment) -> str:
    """t-1, 0, -1."""
    if not moment.variable:
        return str(moment.offset)
    return moment.variable + (f"{moment.offset:+d}" if moment.offset else "")


def array_text(entries: Sequence[str], columns: int) -> str:
    """[1, 2], which is a column; [[1, 2], [3, 4]], row by row."""
    if columns == 1:
        return f"[{', '.join(entries)}]"
    rows = [", ".join(entries[start : start + columns]) for start in range(0, len(entries), columns)]
    return f"[[{'], ['.join(rows)}]]"


def with_article(kind: str) -> str:
    """a node, an input."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def describe(formula: Formula) -> str:
    """A name with its index in plain text, for errors: s[1], the entry 0 of v."""
    if isinstance(formula, Value):
        return formula.name if formula.t is None else f"{formula.name}[{moment_text(formula.t)}]"
    if isinstance(formula, Entry):
        indices = ", ".join(describe(index) for index in formula.indices)
        return f"the entry {indices} of {describe(formula.operand)}"
    if isinstance(formula, Number):
        return f"{formula.value:g}"
    if isinstance(formula, Time):
        return moment_text(formula.t)
    return "a formula"
