"""How large is what an expression reads, and what of it is made some timesteps at a time and reduced at once.

Of a matrix per timestep a search keeps a number per timestep: a norm, or whether a comparison holds. Which part of an
expression is reduced so is told here, and how many numbers its evaluation holds at every position.
"""

from __future__ import annotations

from bptt_tui.calculus.shapes import size
from bptt_tui.debugger.applying import applied, compared_with, names_in, number
from bptt_tui.debugger.conditions import Comparison, Condition, InPhase, Not, operands
from bptt_tui.debugger.digests import LANES
from bptt_tui.debugger.looking import Scene
from bptt_tui.debugger.moments import PLAIN, Over, Reduction
from bptt_tui.debugger.quantities import Operand, Quantity, is_gradient
from bptt_tui.language import Call, Expression, Name, Number

NUMBERS = frozenset({"norm", "max", "min", "sum"})  # what makes a number of anything
_NARROW = 16  # numbers in what is looked at as it is, at every position


class Extents:
    """What is known of the expressions of a scene without evaluating them."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._terms = scene.trace.terms

    # --- what is reduced where it is read ------------------------------------------------------------------------

    def in_blocks(self, operand: Operand, node: Expression) -> tuple[Quantity, Reduction] | None:
        """A quantity that may be a matrix per timestep, and the functions of one argument that are made of it."""
        calls: list[Call] = []
        while isinstance(node, Call) and len(node.arguments) == 1:
            calls.append(node)
            node = node.arguments[0]
        if not isinstance(node, Name):
            return None
        quantity = operand.quantity(node.name)
        kept = is_gradient(self._scene, quantity) and quantity.below not in self._terms  # by the trace
        if not self.is_product(quantity) and (quantity.above is None or kept):
            return None

        def apply(over: Over) -> Over:
            for call in reversed(calls):
                over = applied(call, [over])
            return over

        return quantity, Reduction(" ".join(call.operation for call in calls), apply)

    def by_timestep(self, operand: Operand, node: Expression) -> bool:
        """Whether an expression reads large values, and nothing that differs at two positions of one timestep.

        Where such a value is known differs nevertheless.
        """
        wide = False
        for name in names_in(node):
            quantity = operand.quantity(name.name)
            if self.is_product(quantity) or self._is_sum_so_far(quantity):
                return False
            wide |= self.quantity_width(quantity) > _NARROW
        return wide

    def _is_sum_so_far(self, quantity: Quantity) -> bool:
        return quantity.at is None and quantity.below in self._terms and is_gradient(self._scene, quantity) is not False

    def with_a_number(self, condition: Comparison) -> tuple[Quantity, Reduction] | None:
        """A comparison of a number with what may be a matrix per timestep: of that, only whether it holds is kept."""
        sides = condition.left, condition.right
        for one, other in (sides, sides[::-1]):
            found = None if other.names() else self.in_blocks(one, one.expression)
            if found is None:
                continue
            quantity, inner = found
            return quantity, compared_with(number(other.expression), condition.sign, inner, left=one is sides[0])
        return None

    def expression_with_a_number(self, condition: Comparison) -> tuple[Operand, Expression, Reduction] | None:
        """The same of an expression of large values that are other ones at other timesteps only."""
        sides = condition.left, condition.right
        for one, other in (sides, sides[::-1]):
            if not other.names() and self.by_timestep(one, one.expression):
                fixed = number(other.expression)
                return one, one.expression, compared_with(fixed, condition.sign, PLAIN, left=one is sides[0])
        return None

    def digested(self, operand: Operand) -> bool:
        """Whether an expression's values are too large to be held at many positions: `digest` tells them apart."""
        return self.full_width(operand) > _NARROW

    def is_product(self, quantity: Quantity) -> bool:
        """Whether it is `prod`, the running product at the present node."""
        return quantity.above is None and quantity.below == "prod" and "prod" not in self._scene.unrolled.shapes

    # --- how large it is ------------------------------------------------------------------------------------------

    def width(self, condition: Condition | None, watched: Operand | None) -> int:
        """How many numbers a condition and a watched expression hold at one position, at most."""
        found = 1 if watched is None else self._watched_width(watched)
        waiting = [] if condition is None else [condition]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Not):
                waiting.append(part.inner)
            elif isinstance(part, Comparison):
                found = max(found, self._compared_width(part))
            elif not isinstance(part, InPhase):
                waiting.extend(part.parts)
        return found

    def work(self, condition: Condition | None, watched: Operand | None) -> int:
        """How many numbers are gone through for one position, at most."""
        every = () if condition is None else operands(condition)
        sides = [*every] if watched is None else [*every, watched]
        return max((self.full_width(side) for side in sides), default=1)

    def _watched_width(self, watched: Operand) -> int:
        found = self.in_blocks(watched, watched.expression)
        if found is not None:
            return self._reduced_width(found[0])
        return LANES if self.by_timestep(watched, watched.expression) else self._width(watched, watched.expression)

    def _compared_width(self, comparison: Comparison) -> int:
        found = self.with_a_number(comparison)
        if found is not None:
            return self._reduced_width(found[0])
        if self.expression_with_a_number(comparison) is not None:
            return 1
        return max(self._width(side, side.expression) for side in (comparison.left, comparison.right))

    def full_width(self, operand: Operand) -> int:
        """How many numbers the largest quantity of an expression has."""
        return max((self.quantity_width(operand.quantity(name.name)) for name in operand.names()), default=1)

    def _reduced_width(self, quantity: Quantity) -> int:
        """The same of a quantity that is reduced to a number: the running product of a node is read whole."""
        scene = self._scene
        if quantity.above is not None:
            return 1
        return max(size(scene.unrolled.shapes[name]) for name in scene.network.targets)

    def _width(self, operand: Operand, node: Expression) -> int:
        if isinstance(node, Number):
            return 1
        if isinstance(node, Call):
            found = self.in_blocks(operand, node) if node.operation in NUMBERS else None
            if found is not None:
                return self._reduced_width(found[0])
            if node.operation in NUMBERS and self.by_timestep(operand, node):
                return 1
            return max(self._width(operand, argument) for argument in node.arguments)
        return self.quantity_width(operand.quantity(node.name))

    def quantity_width(self, quantity: Quantity) -> int:
        """How many numbers a quantity has, at most."""
        scene = self._scene
        shapes = scene.unrolled.shapes
        if self.is_product(quantity):
            return self._reduced_width(quantity)
        rows = shapes.get(quantity.above or "", ()) if not is_gradient(scene, quantity) else ()
        return size(rows) * size(shapes.get(quantity.below, ()))
