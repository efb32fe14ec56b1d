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


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: float
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as read by an equation at timestep t: `s[t-1]` has offset -1, `s[t]` offset 0, plain `s` None."""

    name: str
    offset: int | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An operation, by its name in the calculus table, applied to arguments."""

    operation: str
    arguments: tuple[Expression, ...]
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Equation:
    """`target = expression`, with the text it was read from."""

    target: str
    expression: Expression
    text: str = field(compare=False)


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
