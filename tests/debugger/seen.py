"""Everything a View shows, as plain data that can be compared; and sessions to look at."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Struct
from oracles.case import Case
from oracles.networks import random_case

from bptt_tui.debugger import Debugger, View
from bptt_tui.debugger.view import Missing
from bptt_tui.session import Loss, Session


def everything(view: View) -> dict[str, Any]:
    """All that a screen could draw of a position, numbers bit for bit; not the message and the recording's length."""
    seen = {
        name: plain(getattr(view, name))
        for name in view.__struct_fields__
        if name not in ("graph", "chain", "contributions", "strips", "message", "recording", "exhibit")
    }
    graph, chain, table = view.graph, view.chain, view.contributions
    seen["graph"] = (graph.rows, graph.first, graph.last, plain(graph.edges()), graph.links())
    seen["cells"] = [
        plain(graph.cell(row, t)) for row in range(len(graph.rows)) for t in range(graph.first, graph.last + 1)
    ]
    seen["chain"] = (chain.title, chain.note, chain.complete, plain(tuple(chain.factors(400))))
    rows = range(len(table.rows))
    seen["contributions"] = (table.rows, table.steps, [(table.label(row), plain(table.parameter(row))) for row in rows])
    seen["terms"] = [plain(table.cell(row, t)) for row in rows for t in range(table.steps)]
    seen["sums"] = [(plain(table.so_far(row)), table.progress(row)) for row in rows]
    seen["strips"] = [
        (strip.name, strip.label, strip.known_from, plain(strip.norms[strip.known_from :])) for strip in view.strips
    ]
    return seen


def plain(value: Any) -> Any:
    """Structs as tuples, arrays as shape and bytes."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(plain(entry) for entry in value)
    if isinstance(value, Struct):
        return tuple(plain(getattr(value, name)) for name in value.__struct_fields__)
    return value


def known(value: Any) -> bool:
    """Whether there is a number to show."""
    return not isinstance(value, Missing)


def session_of(case: Case) -> Session:
    """A test's network as a session."""
    at = case.loss_at if isinstance(case.loss_at, str) else tuple(case.loss_at)
    return Session(
        equations=case.equations,
        loss=Loss(at=at, reduction=case.reduction),
        parameters=case.parameters,
        initial=case.initial,
        inputs=case.inputs,
        constants=case.constants,
        steps=None if case.inputs else case.steps,
        pins={f"{name}[{t}]": value for (name, t), value in case.pins.items()},
    )


@lru_cache(maxsize=64)
def random_session(seed: int) -> tuple[Case, Session]:
    """A random network, traced."""
    case = random_case(seed, longest=4)
    session = session_of(case)
    session.trace()
    return case, session


def make(*equations: str, at: str | tuple[int, ...] = "last", reduction: str = "sum", **given: Any) -> Debugger:
    """A debugger on a network written down in a test."""
    return Debugger(Session(equations=equations, loss=Loss(at=at, reduction=reduction), **given))  # type: ignore[arg-type]
