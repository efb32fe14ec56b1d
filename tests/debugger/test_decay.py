"""Where the gradient vanishes and explodes, against products of w·(1 − s²) taken by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from seen import make

from bptt_tui.debugger import Debugger
from bptt_tui.errors import CommandError
from bptt_tui.session import Loss, Session, load


def by_hand(session: Session) -> tuple[list[float], list[float]]:
    """s_t, and the running product at s_t in units of that at the last: ∏ w·(1 − s²) over the later timesteps."""
    u, w = session.parameters["u"], session.parameters["w"]
    states, s = [], session.initial["s"]
    for x in session.inputs["x"]:
        s = math.tanh(u * x + w * s)
        states.append(s)
    products = [1.0]
    for s in reversed(states[1:]):
        products.append(products[-1] * w * (1 - s * s))
    return states, products[::-1]


@pytest.mark.parametrize(("name", "line"), [("vanishing", "vanish 1e-6"), ("exploding", "explode 1000")])
def test_edge_timestep_and_cause_are_those_of_a_hand_calculation(name: str, line: str) -> None:
    """The first t below (above) the limit, the timestep that shrinks (grows) most, and its worse factor."""
    session = load(name)
    states, products = by_hand(session)
    w, vanishing = session.parameters["w"], name == "vanishing"
    t = max(t for t, p in enumerate(products) if (p < 1e-6 if vanishing else p > 1000))
    factors = {k: w * (1 - states[k] ** 2) for k in range(t + 1, 60)}
    worst = min(factors, key=factors.__getitem__) if vanishing else max(factors, key=factors.__getitem__)
    slope = 1 - states[worst] ** 2
    debugger = Debugger(session)
    view = debugger.do(line)
    assert (view.phase, view.t, view.pane.ref.name) == ("backward", t, "s")  # type: ignore[union-attr]
    sub = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    at, before = (f"{k}".translate(sub) for k in (worst, worst - 1))
    first, most, one, other, guilty, altogether = view.message.splitlines()
    assert f"at ∂E/∂s{f'{t}'.translate(sub)}, {59 - t} timesteps on" in first and f"{products[t]:.5g}"[:5] in first
    assert most == f"most of all from s{at} to s{before}, × {factors[worst]:.6g}:"
    assert one == f"  ∂s{at}/∂z{at} = 1 − s{at}² = {slope:.6g} (slope)"
    assert other == f"  ∂z{at}/∂s{before} = w = {w} (weight)"
    assert guilty == f"guilty: {(one if vanishing == (slope < w) else other).strip()}"
    slopes = math.prod(1 - states[k] ** 2 for k in factors)
    assert altogether == f"altogether: slope × {slopes:.6g}, weight × {w ** (59 - t):.6g}".replace("e-0", "e-")


def test_a_limit_that_is_not_reached_says_how_far_it_goes() -> None:
    """And moves nowhere."""
    debugger = Debugger(load("vanishing"))
    _, products = by_hand(load("vanishing"))
    debugger.do("goto 9")
    view = debugger.do("vanish 1e-300")
    assert view.position == 9
    assert (
        view.message
        == f"the running product falls to no less than {products[0]:.6g} times its start ∂E/∂s₅₉, at ∂E/∂s₀"
    )
    assert (
        debugger.do("explode 1").message
        == "the running product grows to no more than 1 times its start ∂E/∂s₅₉, at ∂E/∂s₅₉"
    )


def test_other_losses_on_the_way_hide_nothing() -> None:
    """With a loss at every step ∂E/∂s_t does not shrink; what the last loss sends back does."""
    session = load("vanishing")
    alone = Debugger(session).do("vanish 1e-6")
    among = Debugger(session.replace(loss=Loss(at="every"), expected=None)).do("vanish 1e-6")
    assert (among.t, among.phase) == (alone.t, alone.phase) == (23, "backward")
    assert among.message.replace("E₅₉", "E") == alone.message
    assert abs(float(np.asarray(among.pane.adjoint))) > 1e-3  # type: ignore[union-attr, arg-type]


def test_one_equation_for_the_cell_is_taken_apart() -> None:
    """(1 − s²)·w on one edge: which of the two it is."""
    debugger = make("s = tanh(w * s[t-1])", "E = s * s", parameters={"w": 0.5}, initial={"s": 0.1}, steps=9)
    assert debugger.do("vanish 0.01").message.splitlines()[-2].startswith("guilty: w = 0.5 in ∂s")
    debugger.do("set w 3")
    assert debugger.do("vanish 0.01").message.splitlines()[-2].startswith("guilty: 1 − s")


@pytest.mark.parametrize("name", ["lstm", "gru", "two-layers", "vectors", "min-char-rnn", "many-to-many"])
def test_matrices_gates_and_forks_are_followed(name: str) -> None:
    """Every recurrent network has a worst timestep, and a factor to blame."""
    message = Debugger(load(name)).do("vanish 0.8").message
    assert message.startswith("vanished at ∂") and "guilty: " in message


def test_a_matrix_and_slopes_on_one_edge_are_told_apart() -> None:
    """g·diag(1 − h²) and then ·Whh: what each does to the size of the gradient, by hand."""
    session = load("min-char-rnn")
    trace = session.trace()
    lines = Debugger(session).do("vanish 0.8").message.splitlines()
    g, h = trace.adjoint("h", 3), trace.value("h", 3)
    bent = g * (1 - h * h)
    slope, weight = (
        (np.linalg.norm(bent) / np.linalg.norm(g)),
        (np.linalg.norm(bent @ trace.value("Whh")) / np.linalg.norm(bent)),
    )
    assert lines[2:4] == [
        f"  diag(1 − h₃²), × {slope:.6g} in size in ∂h₃/∂h₂ (slope)",
        f"  Whh, × {weight:.6g} in size in ∂h₃/∂h₂ (weight)",
    ]


def test_no_recurrence_no_answer() -> None:
    debugger = make("s = tanh(w * x[t])", "E = s * s", parameters={"w": 0.5}, inputs={"x": [1.0, 2.0]})
    with pytest.raises(Exception, match="no node is read at a later timestep"):
        debugger.do("vanish 0.1")


def test_with_several_losses_the_one_followed_is_named() -> None:
    """∂E/∂s₀ itself has not vanished there: the pane beside the message shows it."""
    debugger = Debugger(load("many-to-many"))
    message = debugger.do("vanish 0.5").message
    assert message.startswith("vanished at ∂E₂/∂s₀, 2 timesteps on") and "its start ∂E₂/∂s₂" in message
    assert "its start ∂E₂/∂s₂" in debugger.do("vanish 1e-9").message


def test_the_other_recurrent_nodes_are_told_of_and_can_be_followed() -> None:
    """An LSTM's h and c, in units of what each had at the last timestep."""
    session = load("lstm").replace(loss=Loss(at="last"), expected=None)
    trace, debugger = session.trace(), Debugger(session)
    first = {}
    for name in ("h", "c"):
        norms = trace.norms(name)
        first[name] = int(np.flatnonzero(norms / norms[-1] < 0.7)[-1])
    digits = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    for line, name, other in (("vanish 0.7", "h", "c"), ("vanish 0.7 c", "c", "h")):
        view = debugger.do(line)
        assert (view.pane.ref.name, view.t) == (name, first[name])  # type: ignore[union-attr]
        far = trace.steps - 1 - first[other]
        beyond = f"along {other}: at ∂E/∂{other}{str(first[other]).translate(digits)}, {far} timestep"
        assert view.message.splitlines()[-1].startswith(beyond)
    with pytest.raises(CommandError, match="no later timestep reads a node 'o'; there is h, c"):
        debugger.do("vanish 0.7 o")


def test_where_inflows_add_up_the_factors_are_those_of_the_largest() -> None:
    """Their product is not the whole, and it is not said to be."""
    lines = Debugger(load("lstm").replace(loss=Loss(at="last"), expected=None)).do("vanish 0.7").message.splitlines()
    assert "; along the largest inflow of several" in lines[1]
    assert any(line.startswith("altogether along the largest inflows: ") for line in lines)
    assert not any("largest" in line for line in Debugger(load("vanishing")).do("vanish 1e-6").message.splitlines())
