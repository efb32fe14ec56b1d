"""A network with its values, unrolled over time: kinds, shapes, and which nodes exist when.

Everything a trace needs and nothing it computes. Sizes are estimated and refused here, before any array is allocated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bptt_tui.calculus.operations import OPERATIONS
from bptt_tui.calculus.shapes import Mismatch, Shape, size, spell
from bptt_tui.errors import EquationError, NetworkError, ShapeError
from bptt_tui.language import Call, Equation, Expression, Name, Number, calls
from bptt_tui.network.arguments import mapping
from bptt_tui.network.needs import needed
from bptt_tui.network.network import Network
from bptt_tui.network.pins import Pinned, check_needed, held, places
from bptt_tui.network.timesteps import Timesteps
from bptt_tui.network.values import Given, Values, bind, initial_rows

MAX_BYTES = 8 * 2**30
MAX_STEPS = 20_000_000


class Unrolled(Struct, frozen=True):
    """`shapes` has every name; `times` one entry per equation; `ahead` the rows before t = 0, by name.

    `before` holds those rows, `(ahead, *shape)` in time order. `loss_times` are the steps at which a loss is taken;
    with several, the total is one more node. `times` is when an equation is evaluated, `present` when its node
    exists: `pinned` nodes exist and are given, not evaluated.
    """

    network: Network
    values: Values
    shapes: dict[str, Shape]
    times: tuple[Timesteps, ...]
    loss_times: tuple[int, ...] | range
    ahead: dict[str, int]
    before: dict[str, NDArray[Any]]
    present: tuple[Timesteps, ...]
    pinned: dict[str, Pinned]

    @property
    def steps(self) -> int:
        """T."""
        return self.values.steps

    @property
    def has_total(self) -> bool:
        """Whether the loss is a sum or mean over several steps."""
        return len(self.loss_times) > 1

    def is_pinned(self, name: str, t: int | None) -> bool:
        """Whether a node is given at `t` instead of computed."""
        return t is not None and self.pin(name, t) is not None

    def pin(self, name: str, t: int) -> NDArray[Any] | None:
        """The value a node is held at, or None where it is computed."""
        found = self.pinned.get(name)
        if found is None:
            return None
        place = int(np.searchsorted(found.times, t))
        if place == len(found.times) or found.times[place] != t:
            return None
        return np.asarray(found.rows[place])

    def shape_of(self, expression: Expression) -> Shape:
        """The shape of any expression in the network's names."""
        return _shape(expression, self.shapes)


def unroll(
    network: Network,
    parameters: Given | None,
    inputs: Given | None,
    initial: Given | None,
    constants: Given | None,
    steps: int | None = None,
    pins: Given | None = None,
) -> Unrolled:
    """Check the values against the equations and lay the network out over time."""
    values = bind(
        network,
        mapping(parameters, "parameters"),
        mapping(inputs, "inputs"),
        mapping(initial, "initial"),
        mapping(constants, "constants"),
        steps,
        mapping(pins, "pins"),
    )
    ahead = _depths(network)
    shapes = _shapes(network, values, ahead)
    loss_times = _loss_times(network, values.steps)
    _check_size(network, values, shapes)
    times = present = needed(network, values.steps, np.asarray(loss_times))
    pinned: dict[str, Pinned] = {}
    if values.pins:
        keys = places(network, values.pins, values.steps)
        check_needed(network, keys, times)
        cut = {network.index[name]: sorted(moments) for name, moments in keys.items()}
        present = needed(network, values.steps, np.asarray(loss_times), cut)
        pinned = held(network, keys, values.pins, shapes, present)
        times = tuple(
            own.without(pinned[name].times) if name in pinned else own
            for name, own in zip(network.targets, present, strict=True)
        )
    _check_targets_of_losses(network, values, shapes)
    before = _initial(network, values, shapes, times, ahead)
    return Unrolled(network, values, shapes, times, loss_times, ahead, before, present, pinned)


def _depths(network: Network) -> dict[str, int]:
    """How far before its own timestep each name is read."""
    depths: dict[str, int] = {}
    for reads in network.reads:
        for name in reads:
            depths[name.name] = max(depths.get(name.name, 0), -(name.offset or 0))
    return depths


def _loss_times(network: Network, steps: int) -> tuple[int, ...] | range:
    if network.loss_at == "every":
        return range(steps)
    if network.loss_at == "last":
        return (steps - 1,)
    assert not isinstance(network.loss_at, str)
    for step in network.loss_at:
        if step >= steps:
            raise NetworkError(
                f"there is no timestep {step}", hint=f"the timesteps are 0 … {steps - 1}", places=("loss.at",)
            )
    return tuple(network.loss_at)


class _Unknown(Exception):
    """A shape that depends on one not inferred yet."""


def _shapes(network: Network, values: Values, ahead: dict[str, int]) -> dict[str, Shape]:
    """Shapes of all names. A name read at an earlier timestep has its initial value's shape until inferred."""
    given = [*values.parameters, *values.inputs, *values.constants]
    shapes: dict[str, Shape] = {name: values.leaf_shape(name) for name in given}
    for name, value in values.initial.items():
        if name in network.index:
            shapes[name] = value.shape if ahead.get(name, 1) <= 1 else value.shape[1:]
    inferred: set[str] = set()
    waiting = list(network.order)
    while waiting:
        blocked: list[tuple[int, str]] = []
        for i in waiting:
            equation = network.equations[i]
            try:
                shape = _shape(equation.expression, shapes)
            except _Unknown as unknown:
                blocked.append((i, str(unknown)))
                continue
            except ShapeError as error:
                raise error.at(f"equation {i + 1}") from None
            if equation.target in shapes and equation.target not in inferred and shapes[equation.target] != shape:
                raise ShapeError(
                    f"{equation.text!r} makes {equation.target} {spell(shape)}, but its initial value is"
                    f" {spell(shapes[equation.target])}",
                    hint="give the initial value that shape",
                    places=(f"equation {i + 1}",),
                )
            shapes[equation.target] = shape
            inferred.add(equation.target)
        if len(blocked) == len(waiting):
            raise _missing_initial(network, *blocked[0])
        waiting = [i for i, _ in blocked]
    loss = shapes[network.loss_name]
    if loss:
        raise ShapeError(
            f"the loss {network.loss_name} is {spell(loss)}",
            hint="the last equation must be a scalar, for example a sum or cross_entropy",
            places=(f"equation {network.loss + 1}",),
        )
    return shapes


def _missing_initial(network: Network, equation: int, name: str) -> NetworkError:
    return NetworkError(
        f"{network.equations[equation].text!r} reads {name} before t = 0, where it has no value",
        hint=f"give initial.{name}",
        places=(f"equation {equation + 1}",),
    )


def _shape(expression: Expression, shapes: dict[str, Shape]) -> Shape:
    if isinstance(expression, Number):
        return ()
    if isinstance(expression, Name):
        if expression.name not in shapes:
            raise _Unknown(expression.name)
        return shapes[expression.name]
    arguments = [_shape(argument, shapes) for argument in expression.arguments]
    try:
        result = OPERATIONS[expression.operation].shape(*arguments)
    except Mismatch as mismatch:
        raise ShapeError(
            f"column {expression.start + 1}: {mismatch}" if isinstance(expression, Call) else str(mismatch),
            hint=mismatch.hint,
        ) from None
    return result


def _check_size(network: Network, values: Values, shapes: dict[str, Shape]) -> None:
    """Refuse what cannot be held: node values and adjoints, 8 bytes each, at most MAX_BYTES."""
    numbers = sum(size(shapes[name]) for name in network.targets)
    estimate = 2 * 8 * numbers * values.steps
    if estimate > MAX_BYTES or values.steps > MAX_STEPS:
        raise NetworkError(
            f"{values.steps:,} timesteps of {numbers:,} numbers would take about {_bytes(estimate)}",
            hint=f"at most {_bytes(MAX_BYTES)} and {MAX_STEPS:,} timesteps",
            places=("steps",),
        )


def _bytes(count: int) -> str:
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.3g} {unit}"


def _check_targets_of_losses(network: Network, values: Values, shapes: dict[str, Shape]) -> None:
    """cross_entropy's second argument: a class index in range, or a distribution that nothing has to
    differentiate."""
    for number, equation in enumerate(network.equations, 1):
        for call in calls(equation.expression):
            if call.operation == "cross_entropy":
                _check_target(number, equation, call, values, shapes)


def _check_target(number: int, equation: Equation, call: Call, values: Values, shapes: dict[str, Shape]) -> None:
    o, y = call.arguments
    if not isinstance(y, Name) or values.kind(y.name) not in ("constant", "input"):
        raise EquationError(
            "the target of cross_entropy is not a constant or an input",
            text=equation.text,
            column=y.start,
            hint="no gradient flows to a target: give it under constants or inputs",
        ).at(f"equation {number}")
    if shapes[y.name]:
        return
    classes = size(_shape(o, shapes))
    group = "constants" if values.kind(y.name) == "constant" else "inputs"
    indices = (values.constants if group == "constants" else values.inputs)[y.name].real
    if ((indices != np.floor(indices)) | (indices < 0) | (indices >= classes)).any():
        raise NetworkError(
            f"{y.name} is not a class index of {classes} class{'es' if classes > 1 else ''}",
            hint=f"give a whole number from 0 to {classes - 1}",
            places=(f"{group}.{y.name}",),
        )


def _initial(
    network: Network,
    values: Values,
    shapes: dict[str, Shape],
    times: tuple[Timesteps, ...],
    ahead: dict[str, int],
) -> dict[str, NDArray[Any]]:
    """The rows before t = 0 of every name that is read there; a missing one is an error that names the equation."""
    for i, reads in enumerate(network.reads):
        for name in reads:
            offset = name.offset or 0
            if times[i].count == 0 or values.kind(name.name) in ("parameter", "constant"):
                continue
            if times[i].start + offset < 0 and name.name not in values.initial:
                raise _missing_initial(network, i, name.name)
            if offset > 0 and times[i].last + offset >= values.steps:
                raise EquationError(
                    f"{name.name}[t+{offset}] is read at t = {times[i].last}, past the end of the sequence",
                    text=network.equations[i].text,
                    column=name.start,
                    hint=f"the timesteps are 0 … {values.steps - 1}",
                ).at(f"equation {i + 1}")
    return {
        name: initial_rows(values, name, max(ahead.get(name, 0), 1), shapes[name])
        for name in values.initial
        if ahead.get(name, 0)
    }
