"""The numbers a network is traced with: what each name stands for, and the arrays behind it.

A name's kind follows from where its value is given: `inputs` are sequences, `constants` and `parameters` are
given once, `initial` holds values before t = 0, `pins` nodes held at a value. An assigned name is a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from bptt_tui.calculus.alignment import copied
from bptt_tui.calculus.shapes import Shape, spell
from bptt_tui.errors import EquationError, NetworkError, ShapeError
from bptt_tui.language import Name
from bptt_tui.language.sanitise import brief
from bptt_tui.network.network import Network, did_you_mean
from bptt_tui.network.pins import at

Array = NDArray[Any]
Given = Mapping[str, Any]
MAX_RANK = 2


class Values(Struct, frozen=True):
    """Arrays by name: parameters and constants of their shape, inputs `(T, …)`, initial values as given, pins
    by node as `s[0]`."""

    parameters: dict[str, Array]
    inputs: dict[str, Array]
    initial: dict[str, Array]
    constants: dict[str, Array]
    steps: int
    pins: dict[str, Array] = field(default_factory=dict)

    def kind(self, name: str) -> str:
        """ "parameter", "input", "constant", or "node"."""
        for kind, given in (
            ("parameter", self.parameters),
            ("input", self.inputs),
            ("constant", self.constants),
        ):
            if name in given:
                return kind
        return "node"

    def leaf_shape(self, name: str) -> Shape:
        """The shape of an input (at one timestep), a parameter or a constant."""
        if name in self.inputs:
            return self.inputs[name].shape[1:]
        return (self.parameters if name in self.parameters else self.constants)[name].shape


def array(value: Any, place: str) -> Array:
    """A number, nested lists or an array as float64 (or complex128, for complex-step checks)."""
    try:
        result = np.asarray(value)
    except ValueError:
        raise ShapeError(
            "rows of different lengths", hint="a matrix is a list of equally long rows", places=(place,)
        ) from None
    if result.dtype.kind == "c":
        return copied(result, np.complex128)
    if result.dtype.kind not in "iuf":
        raise NetworkError(
            "not a number" if result.ndim == 0 else "not numbers only",
            hint="give a number or nested lists of numbers",
            places=(place,),
        )
    result = copied(result, np.float64)
    if not np.isfinite(result).all():
        raise NetworkError("not finite", hint="nan and inf cannot be given as values", places=(place,))
    return result


def bind(
    network: Network,
    parameters: Given,
    inputs: Given,
    initial: Given,
    constants: Given,
    steps: int | None,
    pins: Given,
) -> Values:
    """Check that every name has one meaning and a value, and convert the values."""
    groups = {"parameters": parameters, "inputs": inputs, "constants": constants}
    _check_names(network, groups, initial)
    values = Values(
        {name: _ranked(array(value, f"parameters.{name}"), f"parameters.{name}") for name, value in parameters.items()},
        {name: _sequence(array(value, f"inputs.{name}"), f"inputs.{name}") for name, value in inputs.items()},
        {name: _filled(array(value, f"initial.{name}"), f"initial.{name}") for name, value in initial.items()},
        {name: _ranked(array(value, f"constants.{name}"), f"constants.{name}") for name, value in constants.items()},
        _steps(inputs, steps),
        {key: _filled(array(value, at(key)), at(key)) for key, value in pins.items()},
    )  # fmt: skip
    _check_reads(network, values)
    return values


def _filled(value: Array, place: str) -> Array:
    if 0 in value.shape:
        raise ShapeError(f"a value of shape {value.shape} has no numbers", places=(place,))
    return value


def _ranked(value: Array, place: str, rank: int = MAX_RANK) -> Array:
    if value.ndim > rank or 0 in value.shape:
        raise ShapeError(f"a value of shape {value.shape}", hint="give a scalar, a vector or a matrix", places=(place,))
    return value


def _sequence(value: Array, place: str) -> Array:
    if value.ndim == 0:
        raise ShapeError("a single number", hint="an input is a sequence, one value per timestep", places=(place,))
    return _ranked(value, place, MAX_RANK + 1)


def _steps(inputs: Given, steps: int | None) -> int:
    """T, from the inputs' common length or from `steps`."""
    lengths = {name: len(value) for name, value in inputs.items() if isinstance(value, Sequence | np.ndarray)}
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise NetworkError(f"{brief(steps)} is not a number of timesteps", hint="give 1 or more", places=("steps",))
    if not lengths:
        if steps is None:
            raise NetworkError(
                "the number of timesteps is unknown",
                hint="give inputs, or steps where there are none",
                places=("steps",),
            )
        return steps
    first, length = next(iter(lengths.items()))
    for name, other in lengths.items():
        if other != length:
            raise NetworkError(
                f"{other} timestep{'' if other == 1 else 's'}, but {first} has {length}",
                hint="all inputs have one length",
                places=(f"inputs.{name}",),
            )
    if steps is not None and steps != length:
        raise NetworkError(
            f"{steps} timestep{'' if steps == 1 else 's'}, but the inputs have {length}",
            hint="leave steps out",
            places=("steps",),
        )
    return length


def _check_names(network: Network, groups: dict[str, Given], initial: Given) -> None:
    """What is read must be defined, what is given must be read, and every name once."""
    given_names = [name for given in groups.values() for name in given]
    _check_defined(network, given_names)
    read = {name.name for reads in network.reads for name in reads}
    owner: dict[str, str] = {}
    for group, given in groups.items():
        for name in given:
            place = (f"{group}.{name}",)
            if name in network.index:
                text = network.texts[network.index[name]]
                raise NetworkError(f"{name} is already defined by {text!r}", hint="give it once", places=place)
            if name in owner:
                raise NetworkError(f"{name} is also given in {owner[name]}", hint="give it once", places=place)
            if name not in read:
                hint = did_you_mean(name, sorted(read)) or "remove it, or use it in an equation"
                raise NetworkError(f"no equation reads {name}", hint=hint, places=place)
            owner[name] = group
    for name in initial:
        if name not in network.index and name not in groups["inputs"]:
            raise NetworkError(
                f"{name} is no node and no input",
                hint=did_you_mean(name, list(network.targets)) or "initial values belong to what is read at [t-1]",
                places=(f"initial.{name}",),
            )


def _check_defined(network: Network, given_names: list[str]) -> None:
    known = {*network.targets, *given_names}
    for number, (equation, reads) in enumerate(zip(network.equations, network.reads, strict=True), 1):
        for used in reads:
            if used.name not in known:
                raise EquationError(
                    f"{used.name} is never defined",
                    text=equation.text,
                    column=used.start,
                    hint=_how_to_define(used, [*network.targets, *given_names]),
                ).at(f"equation {number}")


def _how_to_define(name: Name, known: list[str]) -> str:
    guess = did_you_mean(name.name, known)
    if guess:
        return guess
    if name.offset is not None:
        return f"give it under inputs, or add an equation {name.name} = …"
    return f"give it under parameters or constants, or add an equation {name.name} = …"


def _check_reads(network: Network, values: Values) -> None:
    """An index on something that is given once is a mistake; plain inputs mean [t]."""
    for number, (equation, reads) in enumerate(zip(network.equations, network.reads, strict=True), 1):
        for name in reads:
            kind = values.kind(name.name)
            if kind in ("parameter", "constant") and name.offset is not None:
                shared = "shared by all timesteps" if kind == "parameter" else "given once"
                raise EquationError(
                    f"{name.name} is a {kind}, {shared}",
                    text=equation.text,
                    column=name.start,
                    hint=f"write {name.name}, or give it under inputs",
                ).at(f"equation {number}")


def initial_rows(values: Values, name: str, depth: int, shape: Shape) -> Array:
    """The `depth` values before t = 0, in time order, `(depth, *shape)`."""
    given = values.initial[name]
    expected = shape if depth == 1 else (depth, *shape)
    if given.shape == expected:
        return given.reshape(depth, *shape)
    wanted = spell(shape) if depth == 1 else f"{depth} values in time order, each {spell(shape)}"
    raise ShapeError(
        f"shape {given.shape}, but {name} is {spell(shape)}",
        hint=f"give {wanted}",
        places=(f"initial.{name}",),
    )
