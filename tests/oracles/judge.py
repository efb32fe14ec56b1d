"""Compares a trace with the oracles, entry by entry and purely relative.

Where an entry misses the relative tolerance, and only there, its condition is measured: how far the oracle's own answer
moves when every use and node is perturbed by 1e-13. A difference below that is rounding, above it a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from oracles.case import Case
from oracles.evaluate import Key, complex_step, condition, everything
from oracles.tangent import tangent

RELATIVE = 1e-10


def faults(case: Case, *, entries: int = 6) -> list[str]:
    """What a trace of the case gets wrong, as text; `entries` of the gradient are also checked by complex step."""
    with np.errstate(all="ignore"):
        trace = case.trace()
        loss, exact = everything(case)
        checked = [("loss", trace.loss, loss), *_answers(case, trace, exact)]
        checked += _by_entry(case, trace, entries)
    wrong = [(place, got, want) for place, got, want in checked if not _close(got, want)]
    if not wrong:
        return _structure(case, trace)
    with np.errstate(all="ignore"):
        moved = condition(case, exact)
    allowed = _allowances(case, moved)
    # A derivative that exists in the oracle's arithmetic only to a few digits is allowed those.
    return [
        f"{place}: got {got!r}, want {want!r}"
        for place, got, want in wrong
        if not _close(got, want, allowed.get(place.split(" by ")[0], 0.0))
    ] + _structure(case, trace)


def _close(got: Any, want: Any, allowance: Any = 0.0) -> bool:
    if np.shape(got) != np.shape(want):
        return False
    return bool(np.all(np.abs(got - want) <= RELATIVE * np.abs(want) + allowance))


def _place(key: Key) -> str:
    kind, name, t = key
    return f"contribution {name}[{t}]" if kind == "use" else f"adjoint {name}[{t}]"


def _answers(case: Case, trace: Any, exact: dict[Key, Any]) -> Iterator[tuple[str, Any, Any]]:
    targets = set(case.constants)
    for key, want in exact.items():
        kind, name, t = key
        if kind == "use":
            yield _place(key), trace.contribution(name, t), want
        elif name not in targets:
            yield _place(key), trace.adjoint(name, t), want
    for name, value in case.parameters.items():
        want = sum((exact["use", name, t] for t in case.uses[name]), np.zeros(np.shape(value)))
        yield f"gradient {name}", trace.gradient[name], want


def _by_entry(case: Case, trace: Any, entries: int) -> Iterator[tuple[str, Any, Any]]:
    places = [(name, index) for name, value in case.parameters.items() for index in np.ndindex(np.shape(value))]
    rng = np.random.default_rng(len(places))
    for i in rng.permutation(len(places))[:entries]:
        name, index = places[i]
        got = float(trace.gradient[name][index])
        yield f"gradient {name}{list(index)} by complex step", got, complex_step(case, name, index)
        direction = {other: np.zeros(np.shape(value)) for other, value in case.parameters.items()}
        direction[name][index] = 1.0
        yield f"gradient {name}{list(index)} by forward mode", got, tangent(case, direction)


def _allowances(case: Case, moved: dict[Key, Any]) -> dict[str, Any]:
    allowed: dict[str, Any] = {_place(key): value for key, value in moved.items()}
    allowed["loss"] = 1e-15
    for name, value in case.parameters.items():
        total = sum((moved["use", name, t] for t in case.uses[name]), np.zeros(np.shape(value)))
        allowed[f"gradient {name}"] = total
        for index in np.ndindex(np.shape(value)):
            allowed[f"gradient {name}{list(index)}"] = total[index]
    return allowed


def _structure(case: Case, trace: Any) -> list[str]:
    """Nodes and uses exist exactly where the loss depends on them."""
    found = []
    nodes = set(case.nodes)
    for name in case.parsed:
        for t in range(case.T):
            if trace.exists(name, t) != ((name, t) in nodes):
                found.append(f"{name}[{t}] exists: {trace.exists(name, t)}")
    for name, times in case.uses.items():
        if list(trace.uses(name)) != times:
            found.append(f"uses of {name}: got {list(trace.uses(name))}, want {times}")
    return found
