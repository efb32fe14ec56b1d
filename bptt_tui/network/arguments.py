"""What callers of the Python face hand over, checked before anything is looked up with it.

Each check gives back what it was given, or raises NetworkError in one line: what was given, what it should be, and
names that were perhaps meant. They are cheap: whoever walks over a trace goes through them at every step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from bptt_tui.errors import NetworkError
from bptt_tui.language import Name
from bptt_tui.language.sanitise import brief, called
from bptt_tui.network.network import Network, did_you_mean


def timestep(t: Any) -> int:
    """A whole number; whether there is such a timestep is for others to say."""
    if type(t) is int:
        return t
    try:
        if "bool" not in type(t).__name__:
            return operator.index(t)
    except TypeError:
        pass
    raise NetworkError(f"{brief(t)} is no timestep", hint="timesteps are whole numbers, counted from 0")


def text(name: Any, what: str = "name") -> str:
    """A text."""
    if isinstance(name, str):
        return name
    raise NetworkError(f"{brief(name)} is no {what}", hint="give it as text, in quotes")


def unknown(name: str, what: str, known: Iterable[str]) -> NoReturn:
    """There is no such name among those `known`."""
    names = tuple(known)
    hint = did_you_mean(name, names) or f"the {what}s are {', '.join(names) or 'none'}"
    raise NetworkError(f"{called(name)} is not a {what}", hint=hint)


def equation_number(network: Network, equation: Any) -> int:
    """The place of an equation in `network.equations`."""
    count = len(network.equations)
    if type(equation) is int and 0 <= equation < count:
        return equation
    hint = f"the equations are numbered 0 … {count - 1}"
    if isinstance(equation, str) and equation in network.index:
        hint = f"the number of {equation} is {network.index[equation]}"
    raise NetworkError(f"{brief(equation)} is no equation's number", hint=hint)


def read_name(by: Any, known: Mapping[str, object]) -> Name:
    """What an equation reads, as it stands in `network.reads`."""
    if not isinstance(by, Name):
        raise NetworkError(
            f"{brief(by)} is not what an equation reads",
            hint="take one of network.reads[equation]; partial(node, t, by) takes names",
        )
    if by.name not in known:
        unknown(by.name, "name", known)
    return by


def callback(progress: Callable[..., object] | None) -> None:
    """Something to be called, or None."""
    if progress is not None and not callable(progress):
        raise NetworkError(f"progress: {brief(progress)} cannot be called", hint="give a function, or None")


def mapping(values: Any, place: str) -> Mapping[str, Any]:
    """Values by name; None is none."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise NetworkError(
            f"{brief(values)} does not say what has which value",
            hint='give a dictionary such as {"w": 0.6}',
            places=(place,),
        )
    for name in values:
        if not isinstance(name, str):
            raise NetworkError(f"{brief(name)} is no name", hint="give it as text, in quotes", places=(place,))
    return values
