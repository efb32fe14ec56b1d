"""A network: equations and where the loss is taken. Data, never a class per architecture.

What can be said of the equations alone is checked here: that they can be read, that every function exists, that
no node needs itself at the same timestep. What names stand for depends on the values given
(`bptt_tui.network.unrolled`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

from bptt_tui.calculus.operations import FUNCTIONS, OPERATIONS
from bptt_tui.errors import BpttError, EquationError, NetworkError
from bptt_tui.language import Equation, Expression, Name, calls, names, parse_equation, substitute
from bptt_tui.language.sanitise import brief
from bptt_tui.network.components import components

LossAt = Literal["last", "every"] | Sequence[int]
Reduction = Literal["sum", "mean"]
RESERVED = frozenset({"t", *OPERATIONS})


_LONGEST = 100  # characters of a word that are compared with names


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`did you mean 'tanh'?`, or an empty string when nothing is close."""
    close = [name for name in known if name.casefold() == word.casefold()]
    close = close or difflib.get_close_matches(word[:_LONGEST], known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


class Network:
    """Equations in the order given, the last one the loss.

    `order` lists the equations' indices so that each comes after those it reads at the same timestep, and
    otherwise in the order given. In `equations` every assigned name carries its offset (`s` becomes `s[t]`).
    """

    def __init__(self, equations: Sequence[str], loss_at: LossAt = "last", reduction: Reduction = "sum") -> None:
        given = () if isinstance(equations, str | bytes | Mapping) or not isinstance(equations, Iterable) else equations
        self.texts = tuple(given)
        if not self.texts:
            raise NetworkError("no equations", hint='give a list such as ["s = tanh(z)", …]')
        read = []
        for number, text in enumerate(self.texts, 1):
            try:
                if not isinstance(text, str):
                    raise NetworkError(f"{brief(text)} is no equation", hint='give a text such as "s = tanh(z)"')
                read.append(_checked(parse_equation(text)))
            except BpttError as error:
                raise error.at(f"equation {number}") from None
        self.index = {equation.target: i for i, equation in enumerate(read)}
        self._check_targets(read)
        self.equations = tuple(self._with_offsets(equation) for equation in read)
        self.loss = len(read) - 1
        self.loss_at = _checked_loss_at(loss_at)
        if not isinstance(reduction, str) or reduction not in ("sum", "mean"):
            raise NetworkError(
                f"{brief(reduction)} is not a reduction", hint='use "sum" or "mean"', places=("loss.reduction",)
            )
        self.reduction: Reduction = reduction
        self.reads = tuple(_distinct(names(equation.expression)) for equation in self.equations)
        self._check_offsets()
        self.order = self._order()

    @property
    def targets(self) -> tuple[str, ...]:
        """The names the equations define, in the order given."""
        return tuple(equation.target for equation in self.equations)

    @property
    def loss_name(self) -> str:
        """The name the last equation defines."""
        return self.equations[self.loss].target

    def sources(self, equation: int) -> Iterator[tuple[int, int]]:
        """The equations that one reads, as (equation, lag ≥ 0)."""
        if type(equation) is not int or not 0 <= equation < len(self.equations):
            hint = f"the equations are numbered 0 … {len(self.equations) - 1}"
            raise NetworkError(f"{brief(equation)} is no equation's number", hint=hint)
        for name in self.reads[equation]:
            if name.name in self.index:
                yield self.index[name.name], -(name.offset or 0)

    @cached_property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every equation, those that read it, as (equation, lag ≥ 0)."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.equations]
        for equation in range(len(self.equations)):
            for source, lag in self.sources(equation):
                found[source].append((equation, lag))
        return tuple(map(tuple, found))

    @cached_property
    def consumers_first(self) -> list[list[int]]:
        """The strongly connected equations, each group after all that read it from outside."""
        # `components` lists sources first along its edges, and here an edge goes from a consumer to what it reads.
        return components([sorted({source for source, _ in self.sources(e)}) for e in range(len(self.equations))])

    def _check_targets(self, read: list[Equation]) -> None:
        seen: dict[str, int] = {}
        for number, equation in enumerate(read, 1):
            name = equation.target
            if name in seen:
                raise NetworkError(
                    f"{name} is already defined by {self.texts[seen[name] - 1]!r}",
                    hint="give each equation its own name",
                    places=(f"equation {number}",),
                )
            if name in RESERVED:
                what = "the timestep" if name == "t" else "a function"
                raise EquationError(f"{name} is {what}", text=equation.text, column=0, hint="choose another name").at(
                    f"equation {number}"
                )
            seen[name] = number

    def _with_offsets(self, equation: Equation) -> Equation:
        def leaf(name: Name) -> Expression:
            if name.name in self.index and name.offset is None:
                return Name(name.name, 0, name.start, name.end)
            return name

        return Equation(equation.target, substitute(equation.expression, leaf), equation.text)

    def _check_offsets(self) -> None:
        for number, (equation, reads) in enumerate(zip(self.equations, self.reads, strict=True), 1):
            for name in reads:
                if name.name in self.index and (name.offset or 0) > 0:
                    raise EquationError(
                        f"{name.name}[t+{name.offset}] is computed later than {equation.target}",
                        text=equation.text,
                        column=name.start,
                        hint="only inputs can be read ahead",
                    ).at(f"equation {number}")

    def _order(self) -> tuple[int, ...]:
        """Kahn's order by reads at the same timestep; ties keep the order given."""
        waiting = {i: {source for source, lag in self.sources(i) if lag == 0} for i in range(len(self.equations))}
        order: list[int] = []
        while waiting:
            ready = next((i for i, sources in waiting.items() if not sources - set(order)), None)
            if ready is None:
                raise NetworkError(self._cycle(waiting), hint="one of them must read an earlier timestep, [t-1]")
            order.append(ready)
            del waiting[ready]
        return tuple(order)

    def _cycle(self, waiting: dict[int, set[int]]) -> str:
        keys = sorted(waiting)
        place = {key: i for i, key in enumerate(keys)}
        graph = [[place[s] for s in sorted(waiting[key]) if s in place] for key in keys]
        for component in components(graph):
            members = [self.equations[keys[i]].target for i in component]
            if len(members) > 1 or component[0] in graph[component[0]]:
                need = "needs itself" if len(members) == 1 else "need each other"
                return f"{' and '.join(members)} {need} at the same timestep"
        raise AssertionError


def _distinct(found: Iterator[Name]) -> tuple[Name, ...]:
    """Reads in order of appearance, each once; of `x` and `x[t]`, which are one read, the one with its index."""
    reads: dict[tuple[str, int], Name] = {}
    for name in found:
        key = (name.name, name.offset or 0)
        if key not in reads or reads[key].offset is None:
            reads[key] = name
    return tuple(reads.values())


def _checked(equation: Equation) -> Equation:
    """The equation, if every function in it exists and gets as many arguments as it takes."""
    for call in calls(equation.expression):
        operation = OPERATIONS.get(call.operation)
        if operation is None or not operation.written:
            guess = did_you_mean(call.operation, FUNCTIONS)
            raise EquationError(
                f"there is no function {call.operation!r}",
                text=equation.text,
                column=call.start,
                hint=guess or f"the functions are {', '.join(FUNCTIONS)}",
            )
        count = len(call.arguments)
        if not operation.takes(count):
            takes = "one argument" if operation.least == 1 else f"{operation.least} arguments"
            raise EquationError(
                f"{operation.name} takes {takes}, not {count}",
                text=equation.text,
                column=call.start,
                hint=f"write {operation.example}",
            )
    return equation


def _checked_loss_at(at: LossAt) -> Literal["last", "every"] | tuple[int, ...]:
    if isinstance(at, str) and at in ("last", "every"):
        return "last" if at == "last" else "every"
    place = ("loss.at",)
    hint = 'use "last", "every" or a list of timesteps such as [0, 2]'
    if isinstance(at, str | bytes | bytearray) or not isinstance(at, Sequence):
        raise NetworkError(f"{brief(at)} is no choice of loss steps", hint=hint, places=place)
    for step in at:
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise NetworkError(f"{brief(step)} is not a timestep", hint=hint, places=place)
    if not at:
        raise NetworkError("no loss step is listed", hint=hint, places=place)
    if len(set(at)) < len(at):
        raise NetworkError("a loss step is listed twice", hint="list each timestep once", places=place)
    return tuple(sorted(int(step) for step in at))
