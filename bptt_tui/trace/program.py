"""Equations as a program: single operations with their arguments resolved, and the order to run them in.

Every equation becomes a few slots: leaves (numbers, fixed values, reads of other nodes or inputs) and
instructions, the last of which is the node's own value. Instructions that take part in a recurrence form loops;
everything else is one call for all timesteps. The split is made instruction by instruction, so that in `h =
tanh(U @ x[t] + W @ h[t-1])` only `W @ …`, the sum and tanh run inside the loop over time.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct, field

from bptt_tui.calculus.operations import FUSIONS, OPERATIONS, Fusion, Operation
from bptt_tui.calculus.shapes import Shape
from bptt_tui.language import Expression, Name, Number
from bptt_tui.network import Unrolled
from bptt_tui.network.components import components


class Leaf(Struct, frozen=True):
    """A value an equation starts from. `name` is None for a literal; `read`: it varies in time."""

    equation: int
    shape: Shape
    name: str | None = None
    lag: int = 0
    literal: float = 0.0
    read: bool = False
    source: int | None = None


class Instruction(Struct, frozen=True):
    """One operation on earlier slots. `timed`: it has a value per timestep of its equation."""

    equation: int
    shape: Shape
    operation: Operation
    args: tuple[int, ...]
    shapes: tuple[Shape, ...]
    timed: bool


Slot = Leaf | Instruction


class Fused(Struct, frozen=True):
    """A loss computed together with what feeds it: `outer` reads `inner`'s result at the same timestep."""

    outer: int
    inner: int
    fusion: Fusion


class Stage(Struct, frozen=True):
    """Slots to run for all timesteps at once (one slot), or step by step (`loop`), in order."""

    slots: tuple[int, ...]
    loop: bool


class Program(Struct, dict=True):
    """`roots[e]` is the slot of equation e's own value; `untimed` the slots that are the same at every timestep."""

    slots: list[Slot] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    stages: tuple[Stage, ...] = ()
    fused: dict[int, Fused] = field(default_factory=dict)
    untimed: tuple[int, ...] = ()

    def timed(self, slot: int) -> bool:
        """Whether a slot's value varies in time."""
        entry = self.slots[slot]
        return entry.read if isinstance(entry, Leaf) else entry.timed

    @cached_property
    def recalled(self) -> frozenset[int]:
        """Slots whose values are read again when a gradient is pulled back."""
        found: set[int] = set()
        for slot, entry in enumerate(self.slots):
            if isinstance(entry, Instruction):
                if entry.operation.recalls_result:
                    found.add(slot)
                if entry.operation.recalls_args:
                    found.update(entry.args)
        return frozenset(found)

    def passing(self, slot: int) -> bool:
        """Whether a value is read once, by the next instruction of its equation, and then by nobody."""
        entry = self.slots[slot]
        inner = isinstance(entry, Instruction) and entry.timed and self.roots[entry.equation] != slot
        return inner and slot not in self.recalled

    def instruction(self, slot: int) -> Instruction:
        entry = self.slots[slot]
        assert isinstance(entry, Instruction)
        return entry


def compile_program(unrolled: Unrolled) -> Program:
    """The program of an unrolled network."""
    builder = _Builder(unrolled)
    program = builder.program
    program.roots = [-1] * len(unrolled.network.equations)
    for e in unrolled.network.order:
        program.roots[e] = builder.equation(e)
    program.untimed = tuple(
        i for i, slot in enumerate(program.slots) if isinstance(slot, Instruction) and not slot.timed
    )
    program.stages = _stages(program)
    program.fused = _fused(program, unrolled)
    return program


class _Builder:
    def __init__(self, unrolled: Unrolled) -> None:
        self.unrolled = unrolled
        self.program = Program()

    def equation(self, e: int) -> int:
        equation = self.unrolled.network.equations[e]
        leaves: dict[tuple[str, int], int] = {}
        root = self._slot(e, equation.expression, leaves)
        entry = self.program.slots[root]
        if isinstance(entry, Leaf) or not entry.timed:
            # A node has a value of its own at every timestep, also where it only repeats another.
            shape = entry.shape
            root = self._add(Instruction(e, shape, OPERATIONS["copy"], (root,), (shape,), timed=True))
        return root

    def _add(self, slot: Slot) -> int:
        self.program.slots.append(slot)
        return len(self.program.slots) - 1

    def _slot(self, e: int, expression: Expression, leaves: dict[tuple[str, int], int]) -> int:
        if isinstance(expression, Number):
            return self._add(Leaf(e, (), literal=expression.value))
        if isinstance(expression, Name):
            key = (expression.name, expression.offset or 0)
            if key not in leaves:
                leaves[key] = self._add(self._leaf(e, expression))
            return leaves[key]
        args = tuple(self._slot(e, argument, leaves) for argument in expression.arguments)
        shapes = tuple(self.program.slots[arg].shape for arg in args)
        operation = OPERATIONS[expression.operation]
        timed = any(self.program.timed(arg) for arg in args)
        return self._add(Instruction(e, operation.shape(*shapes), operation, args, shapes, timed))

    def _leaf(self, e: int, name: Name) -> Leaf:
        unrolled = self.unrolled
        read = name.name in unrolled.network.index or name.name in unrolled.values.inputs
        source = unrolled.network.index.get(name.name)
        return Leaf(e, unrolled.shapes[name.name], name.name, -(name.offset or 0), read=read, source=source)


def _stages(program: Program) -> tuple[Stage, ...]:
    """Timed instructions grouped into recurrences, in an order that computes everything before it is read."""
    timed = [i for i, slot in enumerate(program.slots) if isinstance(slot, Instruction) and slot.timed]
    place = {slot: n for n, slot in enumerate(timed)}
    successors: list[list[int]] = [[] for _ in timed]
    for slot in timed:
        for arg in program.instruction(slot).args:
            entry = program.slots[arg]
            feeder = arg if isinstance(entry, Instruction) else None
            if isinstance(entry, Leaf) and entry.source is not None:
                feeder = program.roots[entry.source]
            if feeder in place:
                successors[place[feeder]].append(place[slot])
    stages = []
    for component in components(successors):
        loop = len(component) > 1 or component[0] in successors[component[0]]
        # Slots were made in the network's order, which is an order for one timestep.
        stages.append(Stage(tuple(sorted(timed[i] for i in component)), loop))
    return tuple(stages)


def _fused(program: Program, unrolled: Unrolled) -> dict[int, Fused]:
    """Losses that are computed from the argument of the softmax or sigmoid they read; one that is pinned has none."""
    looped = {slot for stage in program.stages if stage.loop for slot in stage.slots}
    found: dict[int, Fused] = {}
    for outer, slot in enumerate(program.slots):
        if not isinstance(slot, Instruction) or not slot.timed or outer in looped:
            continue
        entry = program.slots[slot.args[0]]
        inner = slot.args[0]
        if isinstance(entry, Leaf):
            if entry.source is None or entry.lag or entry.name in unrolled.pinned:
                continue
            inner = program.roots[entry.source]
        feeding = program.slots[inner]
        if not isinstance(feeding, Instruction) or not feeding.timed:
            continue
        fusion = FUSIONS.get((slot.operation.name, feeding.operation.name))
        if fusion is not None and program.timed(feeding.args[0]):
            found[outer] = Fused(outer, inner, fusion)
    return found
