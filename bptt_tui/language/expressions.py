"""Expressions and equations as immutable data.

An expression is a number, a name read at some timestep, or an operation applied to expressions. Infix signs are
operations like any other (`u * x[t]` is `Call("mul", (Name("u"), Name("x", 0)))`), so that every interpretation of
expressions (evaluate, shape, differentiate, print) is one table with one row per operation.

`start` and `end` are where the expression stands in its equation's text, for errors with a caret; they take no
part in comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_settle = object.__setattr__


class _Written:
    """The classes below write out what `dataclass` would compile for each of them at every start."""

    __slots__ = ()
    __match_args__: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"
        )


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Number(_Written):
    """A literal number."""

    value: float
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __init__(self, value: float, start: int = 0, end: int = 0) -> None:
        _settle(self, "value", value)
        _settle(self, "start", start)
        _settle(self, "end", end)

    def __eq__(self, other: object) -> bool:
        return self.value == other.value if isinstance(other, Number) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.value,))


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Name(_Written):
    """A name as read by an equation at timestep t: `s[t-1]` has offset -1, `s[t]` offset 0, plain `s` None."""

    name: str
    offset: int | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __init__(self, name: str, offset: int | None = None, start: int = 0, end: int = 0) -> None:
        _settle(self, "name", name)
        _settle(self, "offset", offset)
        _settle(self, "start", start)
        _settle(self, "end", end)

    def __eq__(self, other: object) -> bool:
        return self.name == other.name and self.offset == other.offset if isinstance(other, Name) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.offset))


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Call(_Written):
    """An operation, by its name in the calculus table, applied to arguments."""

    operation: str
    arguments: tuple[Expression, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __init__(self, operation: str, arguments: tuple[Expression, ...], start: int = 0, end: int = 0) -> None:
        _settle(self, "operation", operation)
        _settle(self, "arguments", arguments)
        _settle(self, "start", start)
        _settle(self, "end", end)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        return self.operation == other.operation and self.arguments == other.arguments

    def __hash__(self) -> int:
        return hash((self.operation, self.arguments))


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Equation(_Written):
    """`target = expression`, with the text it was read from."""

    target: str
    expression: Expression
    text: str = field(compare=False)

    def __init__(self, target: str, expression: Expression, text: str) -> None:
        _settle(self, "target", target)
        _settle(self, "expression", expression)
        _settle(self, "text", text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Equation):
            return NotImplemented
        return self.target == other.target and self.expression == other.expression

    def __hash__(self) -> int:
        return hash((self.target, self.expression))


def names(expression: Expression) -> Iterator[Name]:
    """Every name the expression reads, left to right, repeats included."""
    if isinstance(expression, Name):
        yield expression
    elif isinstance(expression, Call):
        for argument in expression.arguments:
            yield from names(argument)


def calls(expression: Expression) -> Iterator[Call]:
    """Every operation in the expression, the outermost first and then left to right."""
    if isinstance(expression, Call):
        yield expression
        for argument in expression.arguments:
            yield from calls(argument)


def operands(expression: Expression, *operations: str) -> Iterator[Expression]:
    """What such operations join, left to right: a, b and c of (a + b) + c."""
    if isinstance(expression, Call) and expression.operation in operations:
        for argument in expression.arguments:
            yield from operands(argument, *operations)
    else:
        yield expression


def substitute(expression: Expression, leaf: Callable[[Name], Expression]) -> Expression:
    """The expression with every name replaced by `leaf(name)`."""
    if isinstance(expression, Name):
        return leaf(expression)
    if isinstance(expression, Call):
        arguments = tuple(substitute(argument, leaf) for argument in expression.arguments)
        return Call(expression.operation, arguments, expression.start, expression.end)
    return expression
