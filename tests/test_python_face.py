"""The Python face: whatever is wrong with a call, it says so in one line of the package's own errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptt_tui import Debugger, Network, Session, Trace, load
from bptt_tui.errors import BpttError
from bptt_tui.language import Name
from bptt_tui.session import Loss
from bptt_tui.session.format import Note, Recorded

WRONG: tuple[Any, ...] = (
    None, True, -1, 10**30, 1.5, float("nan"), 1j, "", "zzz", "s[1]", "a\nb", "\x1b[31m", "x" * 300, b"s", b"\xff",
    [], [1, "a"], [[1], [1, 2]], [None], (), {}, {1: 2}, set(), object(), Ellipsis, slice(0, 2), range(3),
    np.array([1.0, 2.0]), np.zeros((2, 2, 2)), np.zeros(0), np.array(["a"]), np.float64(0.5), Path("/nope"), "\ud800",
    Name("zzz", 0, 0, 0),
)  # fmt: skip
EQUATIONS = ["s = tanh(w * s[t-1] + x[t])", "E = squared_error(s, y)"]
GIVEN: dict[str, Any] = {
    "parameters": {"w": 0.6}, "inputs": {"x": [0.5, -1.0]}, "initial": {"s": 0.3}, "constants": {"y": 1.0},
}  # fmt: skip
NETWORK = Network(EQUATIONS)
TRACE = NETWORK.trace(**GIVEN)
SESSION = load("question")
READ = NETWORK.reads[0][0]
# A good call of each method; every argument of it is made wrong in turn.
LOOK_UPS: dict[str, tuple[Any, ...]] = {
    "adjoint": ("s", 0), "adjoint_rows": (0,), "consumers": ("s", 0), "contribution": ("w", 0),
    "contribution_norms": ("w",), "exists": ("s", 0), "fusion": (0, 0, READ), "given_adjoints": ("x",),
    "inflow": (0, 0, READ), "jacobian": (0, 0, READ), "jacobian_width": (0, READ), "jacobians": (0, READ, slice(0, 1)),
    "local": (0, 0), "norms": ("s",), "partial": ("s", 0, "w", 0), "readers": ("s",), "running_sum": ("w", 0),
    "terms_of": ("w",), "uses": ("w",), "value": ("s", 0), "verify": (3, None),
}  # fmt: skip
SESSION_FIELDS = tuple(Session.__dataclass_fields__)


def refused(call: Callable[[], object]) -> str:
    """What a call is refused with, in one line; empty where it is none."""
    try:
        call()
    except BpttError as error:
        said = str(error)
        assert said.strip() and "\n" not in said and len(said) < 1000, said
        return said
    return ""


def test_every_public_look_up_is_here() -> None:
    public = {name for name, value in vars(Trace).items() if callable(value) and not name.startswith("_")}
    assert public == set(LOOK_UPS)


@pytest.mark.parametrize("method", LOOK_UPS)
def test_a_look_up_with_a_wrong_argument(method: str) -> None:
    good, look_up = LOOK_UPS[method], getattr(TRACE, method)
    look_up(*good)
    for place in range(len(good)):
        answers = [refused(lambda args=args: look_up(*args)) for args in _spoilt(good, place)]  # type: ignore[misc]
        assert sum(map(bool, answers)) > len(WRONG) / 3


def _spoilt(good: tuple[Any, ...], place: int) -> list[tuple[Any, ...]]:
    return [(*good[:place], wrong, *good[place + 1 :]) for wrong in WRONG]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: TRACE.value("S", 0), "there is no node S; did you mean 's'?"),
        (lambda: TRACE.value("s", 2), "there is no timestep 2; the timesteps are 0 … 1"),
        (lambda: TRACE.value("s", 0.0), "0.0 is no timestep; timesteps are whole numbers, counted from 0"),
        (lambda: TRACE.contribution("x", 0), "x is not a parameter; the parameters are w"),
        (lambda: TRACE.contribution("w", 7), "w is not used at t = 7; its uses lie between t = 0 and t = 1"),
        (lambda: TRACE.gradient["W"], "W is not a parameter; did you mean 'w'?"),
        (lambda: TRACE.gradient[3], "3 is no name; give it as text, in quotes"),
        (lambda: TRACE.jacobian("s", 0, READ), "'s' is no equation's number; the number of s is 0"),
        (lambda: TRACE.jacobian(0, 2, READ), "there is no timestep 2; the timesteps are 0 … 1"),
        (lambda: TRACE.jacobian(5, 0, READ), "5 is no equation's number; the equations are numbered 0 … 1"),
        (lambda: TRACE.local(1, 0), "E[0] is not computed: the loss does not depend on it"),
        (lambda: TRACE.inflow(0, 0, "w"), "'w' is not what an equation reads; take one of network.reads[equation]; "
         "partial(node, t, by) takes names"),
        (lambda: SESSION.replace(foo=1), "a session has no field foo; the fields are equations, title"),
        (lambda: SESSION.replace(parameter={}), "a session has no field parameter; did you mean 'parameters'?"),
        (lambda: SESSION.replace(loss="last"), "loss: expected a Loss, got 'last'"),
        (lambda: SESSION.with_state(position="x"), "position: expected a whole number from 0 on, got 'x'"),
        (lambda: SESSION.with_state(notes=[Note("x", "y")]), "notes[0].position: expected a whole number, got 'x'"),
        (lambda: SESSION.with_state(recording=[1]), "recording[0]: expected a Recorded, got 1"),
        (lambda: Network(3), 'no equations; give a list such as ["s = tanh(z)", …]'),
        (lambda: Network(["s = 1", 3]), "equation 2: 3 is no equation"),
        (lambda: NETWORK.trace(**{**GIVEN, "parameters": [0.6]}), "parameters: [0.6] does not say what has which"),
        (lambda: NETWORK.trace(**GIVEN, progress=3), "progress: 3 cannot be called"),
        (lambda: load(3), "3 is no path; give one as text, or a bundled session's name"),
        (lambda: Debugger("question"), "'question' is no session; load one"),
        (lambda: Debugger(SESSION).do(3), "3 is no text; give one, in quotes"),
    ],
)  # fmt: skip
def test_what_it_says(call: Callable[[], object], words: str) -> None:
    """What was given, what is wrong with it, and what would be right."""
    assert refused(call).startswith(words)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong)[:20])
def test_a_network_and_its_values(wrong: Any) -> None:
    for make in (
        lambda: Network(wrong), lambda: Network([wrong]), lambda: Network([EQUATIONS[0], wrong]),
        lambda: Network(EQUATIONS, wrong), lambda: Network(EQUATIONS, [wrong]),
        lambda: Network(EQUATIONS, "last", wrong), lambda: list(NETWORK.sources(wrong)), lambda: Trace(wrong),
    ):  # fmt: skip
        refused(make)
    for group, values in GIVEN.items():
        refused(lambda group=group: NETWORK.trace(**{**GIVEN, group: wrong}))  # type: ignore[misc]
        name = next(iter(values))
        refused(lambda group=group, name=name: NETWORK.trace(**{**GIVEN, group: {name: wrong}}))  # type: ignore[misc]
        if isinstance(wrong, str | bytes | int | float | None):
            named = {**values, wrong: 1.0}
            assert refused(lambda group=group, named=named: NETWORK.trace(**{**GIVEN, group: named}))  # type: ignore[misc]
    for group in ("steps", "pins"):
        refused(lambda group=group: NETWORK.trace(**GIVEN, **{group: wrong}))  # type: ignore[misc]
    refused(lambda: NETWORK.trace(**GIVEN, pins={"s[0]": wrong}))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong)[:20])
def test_a_session_and_its_state(wrong: Any, tmp_path: Path) -> None:
    def used(session: Session) -> None:
        session.without_computed().trace()
        session.save(tmp_path / "it.json", overwrite=True)
        Debugger(session).do("next")

    for field in SESSION_FIELDS:
        refused(lambda field=field: used(SESSION.replace(**{field: wrong})))  # type: ignore[misc]
    for field in ("position", "factor", "recording", "breakpoints", "watches", "notes", "chapters", "predictions",
                  "attempts"):  # fmt: skip
        refused(lambda field=field: used(SESSION.with_state(**{field: wrong})))  # type: ignore[misc]
    for part in (Loss(at=wrong), Loss(reduction=wrong)):
        refused(lambda part=part: SESSION.replace(loss=part).trace())  # type: ignore[misc]
    refused(lambda: SESSION.replace(recording=[Recorded(wrong, "next")]))
    refused(lambda: SESSION.replace(recording=[Recorded(0.0, wrong)]))
    refused(lambda: load(wrong))
    if not isinstance(wrong, str | bytes | Path) and wrong is not None:
        assert refused(lambda: SESSION.save(wrong))
        assert refused(lambda: SESSION.with_numbers_of(wrong))
        assert refused(lambda: Session.from_document(wrong, name="it", origin=None))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong)[:20])
def test_a_debugger(wrong: Any) -> None:
    assert refused(lambda: Debugger(wrong))
    debugger = Debugger(SESSION)
    for method in ("do", "check", "judge", "ponder", "follow", "go", "restore"):
        assert refused(lambda method=method: getattr(debugger, method)(wrong))  # type: ignore[misc]
    refused(lambda: debugger.reading(wrong))
    refused(lambda: debugger.record_onto(wrong))
    assert debugger.view.position == 0
