"""The quantities an expression reads, as data: which names, at which timestep, fixed or counted from the present one.

`print` evaluates an expression where the debugger stands; a condition is read once and then holds or not at every
position. What can be said of it without a position is said here: names that do not exist, timesteps there are not,
shapes that do not fit, with the column.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from bptt_tui.calculus.shapes import Mismatch, Shape
from bptt_tui.debugger.inspect import FIRST_STAND_IN, Inspector, called
from bptt_tui.debugger.looking import Look, Scene
from bptt_tui.debugger.places import is_total, unknown
from bptt_tui.debugger.references import Index, Reference, replaced
from bptt_tui.errors import BpttError, CommandError
from bptt_tui.language import Call, Expression, Name, Number, names, parse_expression

EXAMPLES = "such as prod, s[3], dE/dw, norm(dE/ds) or t"


class Quantity(Struct, frozen=True):
    """A value `below[at]`, or the derivative of `above` by it."""

    text: str
    column: int
    above: str | None
    above_at: Index | None
    below: str
    at: Index | None


class Operand(Struct, frozen=True):
    """An expression as typed, read: quantities stand in it under the names that `quantities` explains."""

    text: str
    expression: Expression
    quantities: Mapping[str, Quantity] = field(default_factory=dict)

    def names(self) -> list[Name]:
        """The names it reads, quantities among them."""
        return list(names(self.expression))

    @property
    def tells(self) -> bool:
        """Whether there is something in it that a position has to be asked for, other than its timestep."""
        return any(name.name != "t" for name in self.names())

    def quantity(self, name: str) -> Quantity:
        """What a name in the expression reads."""
        return self.quantities.get(name) or Quantity(name, 0, None, None, name, None)


def read_operand(scene: Scene, text: str, column: int = 0) -> Operand:
    """Read `text`, which begins at a column of the line, and refuse what no position can give."""
    shapes = scene.unrolled.shapes
    quantities: dict[str, Quantity] = {}

    def take(found: Reference, at: int) -> str:
        above, below = found.above, found.below
        of, when = (None, None) if above is None else (above.name, above.at)
        stand_in = chr(FIRST_STAND_IN + len(quantities))
        quantity = Quantity(found.text, at + column, of, when, below.name, below.at)
        quantities[stand_in.ljust(len(found.text), "_")] = quantity
        return stand_in

    readable = replaced(shapes, text, take, column)
    try:
        expression = parse_expression(" " * column + readable)
    except BpttError as error:
        reason, hint = error.reason, error.hint
        for stand_in, quantity in quantities.items():
            reason, hint = reason.replace(stand_in, quantity.text), hint.replace(stand_in, quantity.text)
        raise CommandError(reason, hint=hint, places=error.places) from None
    operand = Operand(text.strip(), expression, quantities)
    _shape(scene, operand, expression)
    return operand


def _shape(scene: Scene, operand: Operand, node: Expression) -> Shape | None:
    """The shape of a part, None where it differs from position to position; CommandError where it can have no value."""
    if isinstance(node, Number):
        return ()
    try:
        if isinstance(node, Name):
            quantity = operand.quantities.get(node.name) or replace(operand.quantity(node.name), column=node.start)
            return _quantity_shape(scene, quantity)
        shapes = [_shape(scene, operand, argument) for argument in node.arguments]
        return _call_shape(node, shapes)
    except CommandError as error:
        raise error if error.places else error.at(f"column {node.start + 1}") from None
    except Mismatch as mismatch:
        raise CommandError(str(mismatch), hint=mismatch.hint, places=(f"column {node.start + 1}",)) from None


def _call_shape(call: Call, shapes: list[Shape | None]) -> Shape | None:
    operation = called(call.operation, len(shapes))
    if operation is None:
        return shapes[0] if call.operation == "abs" else ()
    whole = [shape for shape in shapes if shape is not None]
    return operation.shape(*whole) if len(whole) == len(shapes) else None


def _quantity_shape(scene: Scene, quantity: Quantity) -> Shape | None:
    """The shape of a quantity. One that no position changes is evaluated where everything is known."""
    shapes = scene.unrolled.shapes
    if quantity.above is None and quantity.at is None and quantity.below not in shapes:
        if quantity.below in ("t", "prod"):
            return () if quantity.below == "t" else None
        if quantity.below == "phase":
            raise CommandError("phase is compared with forward or backward", hint="write phase == backward")
        raise unknown(scene, quantity.below)
    if not depends_on_present(scene, quantity):
        return Inspector(Look(scene, scene.timeline.last)).evaluate(quantity.text).shape
    for name in (quantity.above, quantity.below):
        if name is not None and name not in shapes and not is_total(scene, name, None):
            raise unknown(scene, name)
    total = is_gradient(scene, quantity)
    if total is None:
        return None
    if quantity.above is None or total:
        if total and scene.unrolled.values.kind(quantity.below) == "constant":
            raise CommandError(f"{quantity.below} is a constant", hint="gradients are by nodes, inputs and parameters")
        return shapes.get(quantity.below, ())
    return _edge_shape(scene, quantity)


def _edge_shape(scene: Scene, quantity: Quantity) -> Shape:
    above = quantity.above or ""
    equation = scene.network.index.get(above)
    if equation is None:
        raise CommandError(f"{above} is not a node", hint="a local partial is of a node by what it reads")
    reads = scene.network.reads[equation]
    if not any(by.name == quantity.below and scene.partials.flows(equation, by) for by in reads):
        read = ", ".join(dict.fromkeys(by.name for by in reads))
        raise CommandError(f"{quantity.text} is no local partial", hint=f"{above} reads {read}")
    by = next(by for by in reads if by.name == quantity.below)
    rows, columns = scene.partials.shape(equation, by)
    return () if rows * columns == 1 else (rows, columns)


def is_gradient(scene: Scene, quantity: Quantity) -> bool | None:
    """Whether a quantity is a derivative of the loss; None for dE[t]/ds, where that differs with t."""
    if quantity.above is None:
        return False
    if quantity.above_at is not None and quantity.above_at.relative:
        return None if is_total(scene, quantity.above, None) else False
    return is_total(scene, quantity.above, None if quantity.above_at is None else quantity.above_at.steps)


def depends_on_present(scene: Scene, quantity: Quantity) -> bool:
    """Whether a quantity is another one at another timestep: counted from `t`, or a bare name."""
    if quantity.below in ("t", "prod") and quantity.below not in scene.unrolled.shapes:
        return True
    if (quantity.at is not None and quantity.at.relative) or (
        quantity.above_at is not None and quantity.above_at.relative
    ):
        return True
    if quantity.above is not None and not is_gradient(scene, quantity):
        return quantity.above_at is None and not _only_once(scene, quantity.above)
    return quantity.at is None and not _only_once(scene, quantity.below)


def _only_once(scene: Scene, name: str) -> bool:
    """Whether a bare name means the same at every position."""
    kind = scene.unrolled.values.kind(name) if name in scene.unrolled.shapes else "node"
    if kind in ("parameter", "constant"):
        return True
    if scene.unrolled.has_total and is_total(scene, name, None):
        return True
    times = scene.times(name) if name in scene.unrolled.shapes else None
    return times is not None and times.count == 1
