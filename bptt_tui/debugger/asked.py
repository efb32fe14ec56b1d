"""What predict mode asks at a step: its text, the true answer, and the formula behind it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.differentiation import evaluate, jacobian_value
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.calculus.shapes import Shape
from bptt_tui.debugger.chain import consumer_of, factor_of, links_into
from bptt_tui.debugger.looking import Look, Scene, name_at
from bptt_tui.debugger.timeline import Step
from bptt_tui.debugger.view import Factor, Missing
from bptt_tui.language import Expression, Name, Printer
from bptt_tui.language import names as names_in
from bptt_tui.trace import Link

Array = NDArray[Any]
Kind = Literal["value", "factor", "contribution"]
Leaf = Callable[[Name], Array]


class Asked(Struct, frozen=True, dict=True):
    """A question at one place. `links` are the inflows it is about: one of a factor, all of a contribution."""

    look: Look
    step: Step
    kind: Kind
    links: tuple[Link, ...]

    @property
    def scene(self) -> Scene:
        """The trace it is about."""
        return self.look.scene

    @property
    def title(self) -> str:
        """What is asked for: s₁, ∂s₁/∂z₁ or ∂E/∂u₁."""
        if self.kind == "factor":
            return self.factors[0].title
        label = self.scene.step_ref(self.step).label
        return label if self.kind == "value" else self.scene.naming.partial(self.scene.naming.total(), label)

    @property
    def text(self) -> str:
        """`∂s₁/∂z₁ = ?`"""
        return f"{self.title} = ?"

    @property
    def shape(self) -> Shape:
        """The shape of the answer: of the node, the Jacobian or the parameter."""
        if self.kind == "factor" and self.links[0].reader is not None:
            return self.scene.partials.shape(self.links[0].reader.equation, self.links[0].reader.by)
        return () if self.kind == "factor" else self.scene.unrolled.shapes[self.step.name]

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The local partials of the links, with their running products."""
        return tuple(factor_of(self.scene, link, current=False, taken=True) for link in self.links)

    @cached_property
    def truth(self) -> Array:
        """The true answer."""
        if self.kind == "factor":
            return np.asarray(self.factors[0].value)
        name, t = self.step.name, self.step.t
        found = self.look.value(name, t) if self.kind == "value" else self.look.contribution(name, t or 0)
        assert not isinstance(found, Missing)
        return np.asarray(found)

    @property
    def equation(self) -> int | None:
        """The equation whose right side, or whose partial, is asked for; None of a total and of several inflows."""
        if self.kind == "value":
            return None if self.step.t is None else self.scene.network.index[self.step.name]
        reader = self.links[0].reader if len(self.links) == 1 else None
        return None if reader is None else reader.equation

    @property
    def time(self) -> int:
        """The timestep of that equation."""
        if self.kind == "value":
            return self.step.t or 0
        return self.links[0].consumer_time or 0

    @property
    def expression(self) -> Expression | None:
        """The right side, or the partial, whose value is asked for (of a contribution, its last factor)."""
        if self.equation is None:
            return None
        if self.kind == "value":
            return self.scene.network.equations[self.equation].expression
        reader = self.links[0].reader
        return None if reader is None else self.scene.partials.formula(self.equation, reader.by)

    def formula(self) -> str:
        """How it is computed, with timesteps and without numbers: `tanh(z₁)`, `1 − s₁²`, `∂E/∂a₁ · x₁`."""
        if self.kind == "factor":
            return self.factors[0].symbol
        if self.kind == "contribution":
            total = self.scene.naming.total()
            above = [self.scene.naming.partial(total, factor.consumer.label) for factor in self.factors]
            symbols = [f"({f.symbol})" if " " in f.symbol else f.symbol for f in self.factors]
            return " + ".join(f"{a} · {symbol}" for a, symbol in zip(above, symbols, strict=True))
        expression = self.expression
        if expression is None:
            reduced = "mean" if self.scene.network.reduction == "mean" else "sum"
            return f"the {reduced} of the losses"
        return self.printed(expression)

    def hint(self) -> str:
        """The formula; where that is a number already, how to come to it."""
        if self.kind != "factor" or any(character.isalpha() for character in self.formula()):
            return f"{self.title} = {self.formula()}"
        link = self.links[0]
        consumer, source = consumer_of(self.scene, link).label, self.scene.ref(link.name, link.t).label
        if link.reader is None:
            reduced = "mean" if self.scene.network.reduction == "mean" else "sum"
            return f"{consumer} is the {reduced} of the losses: what does {source} add to it?"
        right = self.printed(self.scene.network.equations[link.reader.equation].expression)
        return f"differentiate {consumer} = {right} by {source}"

    def printed(self, expression: Expression) -> str:
        """An expression of the equation with its timesteps."""
        return Printer(NOTATIONS, "unicode", self.scene.naming.leaf(self.time)).print(expression)

    # --- what it would be if ---------------------------------------------------------------------------------------

    def leaf(self, name: Name) -> Array:
        """The value that the equation reads."""
        return np.asarray(self.scene.trace.value(name.name, name_at(name, self.time)))

    def with_leaf(self, leaf: Leaf) -> Array:
        """The answer if names had other values; through the partial's shape, and times ∂E/∂consumer of a term."""
        expression = self.expression
        assert expression is not None
        if self.kind == "value":
            with np.errstate(all="ignore"):
                return evaluate(expression, leaf)
        rows, columns = self.factors[0].shape
        partial = jacobian_value(expression, leaf, rows, columns)
        return partial if self.kind == "factor" else self.times_adjoint(partial)

    def times_adjoint(self, partial: Array) -> Array:
        """∂E/∂consumer · partial, in the shape of the answer."""
        consumer = self.factors[0].consumer
        above = np.asarray(1.0) if consumer.t is None else self.scene.trace.adjoint(consumer.name, consumer.t)
        return np.asarray((above.reshape(1, -1) @ partial).reshape(self.shape))

    def reads(self) -> tuple[Name, ...]:
        """The names of nodes and inputs in the expression, whose index can be mistaken."""
        if self.expression is None:
            return ()
        kinds = self.scene.unrolled.values.kind
        return tuple(name for name in dict.fromkeys(names_in(self.expression)) if kinds(name.name) in ("node", "input"))


def asked_at_step(look: Look, kinds: tuple[str, ...]) -> Asked | None:
    """What predict mode asks of the step just taken, None where it has nothing to ask."""
    step = look.step
    if step is None:
        return None
    if step.phase == "forward":
        return Asked(look, step, "value", ()) if "values" in kinds else None
    links = links_into(look.scene, step.name, step.t) if step.t is not None else ()
    if not links:
        return None
    if step.kind == "use" and "contributions" in kinds:
        return None if look.factor else Asked(look, step, "contribution", links)
    if "factors" not in kinds:
        return None
    return Asked(look, step, "factor", (links[(look.factor or len(links)) - 1],))
