"""Where numbers go wrong first is known to the node and the timestep, in the trace, its totals and the debugger."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.looking import scale_of
from bptt_tui.session import Session, bundled, load
from bptt_tui.session.totals import as_json, as_table
from bptt_tui.trace import Network, Trace
from bptt_tui.trace.health import KINDS, troubled


def found(trace: Trace) -> set[tuple[str, str, str, int | None]]:
    return {(trouble.kind, trouble.phase, trouble.name, trouble.t) for trouble in trace.troubles}


def chain(*equations: str, w: float, s: float, steps: int, **given: object) -> Session:
    """A network of one weight and one state."""
    return Session(equations=equations, parameters={"w": w}, initial={"s": s}, steps=steps, **given)  # type: ignore


# Squaring: 10, 1e2, 1e4 … 1e256, and 1e512 at t = 9 is infinite.
OVERFLOW = chain("z = w * s[t-1]", "s = z * z", "E = s", w=1.0, s=10.0, steps=11)
# e^−100 seven times is 1e-304; once more, and it is 0 without having been subnormal.
UNDERFLOW = chain("s = exp(-w) * s[t-1]", "E = s", w=100.0, s=1.0, steps=9)
# 25 and -25 saturate a tanh: 1 - s² has no digit left.
SATURATED = chain("z = w * x[t] + 0 * s[t-1]", "s = tanh(z)", "E = s", w=1.0, s=0.3, steps=4)
SATURATED = SATURATED.replace(steps=None, inputs={"x": [0.5, 2.0, -25.0, 1.0]})
# ∞ - ∞.
NAN = chain("z = exp(w * s[t-1])", "s = z - 0.5 * z", "E = s", w=8.0, s=3.0, steps=3)


def test_the_first_overflow_is_found() -> None:
    """10^(2^t) leaves the floats at t = 8: z is still 1e256, s is not."""
    assert ("overflow", "forward", "s", 8) in found(OVERFLOW.trace())
    assert not any(kind == "underflow" for kind, *_ in found(OVERFLOW.trace()))


def test_the_first_underflow_is_found_going_forward_and_backward() -> None:
    """e^(−100·(t+1)) is 0 from t = 7 on, though neither factor is; ∂E/∂s shrinks the other way and is 0 at t = 0."""
    trace = UNDERFLOW.trace()
    assert float(trace.value("s", 6)) > np.finfo(float).tiny and trace.value("s", 7) == 0
    assert float(trace.adjoint("s", 1)) > np.finfo(float).tiny and trace.adjoint("s", 0) == 0
    assert found(UNDERFLOW.trace()) == {("underflow", "forward", "s", 7), ("underflow", "backward", "s", 0)}


def test_the_first_saturation_is_found() -> None:
    """tanh(−25) is −1 to the last digit; tanh(2) is not."""
    assert ("saturated", "forward", "s", 2) in found(SATURATED.trace())
    assert {phase for kind, phase, *_ in found(SATURATED.trace()) if kind == "saturated"} == {"forward"}


def test_the_first_nan_is_found_beside_the_first_overflow() -> None:
    """e^(8·s) is infinite at t = 1; the difference of two infinities is no number, at the same timestep."""
    assert {("overflow", "forward", "z", 1), ("nan", "forward", "s", 1)} <= found(NAN.trace())


def test_troubles_come_in_the_order_of_stepping() -> None:
    """Forward before backward, and each phase in the order in which it meets its nodes."""
    session = NAN
    places = [(t.phase, t.t) for t in session.trace().troubles]
    assert [phase for phase, _ in places] == sorted((phase for phase, _ in places), reverse=True)
    backward = [t for phase, t in places if phase == "backward" and t is not None]
    assert backward == sorted(backward, reverse=True)


@pytest.mark.parametrize(
    ("operation", "value", "kind"),
    [
        ("tanh", 1.0, "saturated"),
        ("tanh", -1.0, "saturated"),
        ("tanh", 0.9999, None),
        ("sigmoid", 1.0, "saturated"),
        ("sigmoid", 1e-17, "saturated"),
        ("sigmoid", 1e-3, None),
        ("sigmoid", 0.0, "underflow"),
        ("softmax", 0.0, "underflow"),
        ("exp", 0.0, "underflow"),
        ("relu", 0.0, None),
        ("mul", 0.0, None),
        ("mul", 1.0, None),
        ("mul", 5e-324, "underflow"),
        ("mul", -1e-310, "underflow"),
        ("mul", np.inf, "overflow"),
        ("mul", -np.inf, "overflow"),
        ("mul", np.nan, "nan"),
    ],
)
def test_a_single_value(operation: str, value: float, kind: str | None) -> None:
    """Zeros that the network means are in order; zeros that were too small for a float are not."""
    found = [k for k in KINDS if troubled(k, np.asarray([0.5, value]), operation).any()]
    assert (found[0] if found else None) == kind
    # A cell of the graph is flagged by the same rules, and says which underflow has digits left.
    shown = {"underflow": "subnormal" if value else "underflow", None: "ok"}.get(kind, kind)
    assert scale_of(np.asarray([0.5, value]), operation) == shown


def test_an_adjoint_of_one_is_not_saturated() -> None:
    """∂E/∂s = 1 says nothing about tanh."""
    assert not troubled("saturated", np.asarray([1.0]), "tanh", adjoint=True).any()
    assert not troubled("underflow", np.asarray([0.0]), "softmax", adjoint=True).any()


@pytest.mark.parametrize(
    "equation", ["s = w * w * s[t-1]", "s = s[t-1] / d", "s = (w * s[t-1])**3", "s = w * tanh(s[t-1]) * w"]
)
def test_a_product_that_vanishes_at_once(equation: str) -> None:
    """0 from factors that are not 0, in one step: no subnormal number gives it away."""
    given = {"constants": {"d": 1e120}} if "d" in equation else {"parameters": {"w": 1e-60}}
    trace = Network([equation, "E = s"]).trace(initial={"s": 1e-10}, steps=4, **given)
    values = [float(trace.value("s", t)) for t in range(4)]
    first = values.index(0.0)
    assert values[first - 1] > np.finfo(float).tiny if first else True
    assert ("underflow", "forward", "s", first) in found(trace)


def test_zeros_that_are_meant_are_in_order() -> None:
    """A factor of 0, a relu that is off, one-hot inputs, a mask: nothing has been lost."""
    trace = Network(["m = x[t] * w", "r = relu(m - 2)", "s = r * s[t-1]", "E = s + sum(W @ k)"], loss_at="every").trace(
        parameters={"w": 0.7, "W": [[0.5, 0.3], [0.2, 0.9]]}, inputs={"x": [0.0, 1.0, 0.0, 1.0]}, initial={"s": 0.3},
        constants={"k": [0.0, 1.0]},
    )  # fmt: skip
    assert trace.troubles == ()


@pytest.mark.parametrize("name", bundled.names())
def test_no_bundled_session_is_in_trouble(name: str) -> None:
    """Not even the vanishing and the exploding one."""
    assert load(name).trace().troubles == ()


def test_a_total_that_overflows_though_no_loss_does() -> None:
    """Two losses of 1e308."""
    trace = Network(["E = w * x"], loss_at="every").trace(parameters={"w": 1e308}, inputs={"x": [1.0, 1.0]})
    assert found(trace) == {("overflow", "forward", "E", None)}


def test_a_term_that_overflows_though_no_adjoint_does() -> None:
    """∂E/∂a is 1e200, its input too: the use of w at t = 1 is the first whose term is infinite."""
    trace = Network(["a = w * x[t]", "E = c * a"], loss_at="every").trace(
        parameters={"w": 1e-300}, inputs={"x": [1.0, 1e200, 1.0]}, constants={"c": 1e200}
    )
    assert found(trace) == {("overflow", "backward", "w", 1)}


def test_a_sum_of_terms_that_overflows() -> None:
    """Every term is finite, ∂E/∂w is not: no timestep is to blame."""
    trace = Network(["a = w * x[t]", "E = c * a"], loss_at="every").trace(
        parameters={"w": 1e-300}, inputs={"x": [1e150, 1e150]}, constants={"c": 1.2e158}
    )
    assert found(trace) == {("overflow", "backward", "w", None)}


# --- the gradient command's output ---------------------------------------------------------------------------------


def test_flags_are_in_the_json_only_where_there_are_any() -> None:
    """The documented shape stays; where numbers go wrong one more field says it."""
    assert "flags" not in json.loads("".join(as_json(load("question"))))
    document = json.loads("".join(as_json(UNDERFLOW)))
    assert list(document) == ["loss", "gradient", "contributions", "flags"]
    assert document["flags"] == [
        {"kind": "underflow", "phase": "forward", "node": "s", "t": 7},
        {"kind": "underflow", "phase": "backward", "node": "s", "t": 0},
    ]


def test_the_table_has_a_note_for_each() -> None:
    """Kind, node and timestep, under the loss."""
    assert "note:" not in "".join(as_table(load("question")))
    assert "note: first underflow: s (t = 7)\n" in "".join(as_table(UNDERFLOW))
    assert "note: first underflow going backward: s (t = 0)\n" in "".join(as_table(UNDERFLOW))


# --- the debugger --------------------------------------------------------------------------------------------------


def test_a_view_says_it_from_the_position_on_where_it_happens() -> None:
    """Nothing of the future is told; afterwards it stays in sight."""
    debugger = Debugger(OVERFLOW)
    assert debugger.do("goto z[8]").remarks == ()
    assert debugger.do("goto s[8]").remarks == ("first overflow: s₈ (t = 8)",)
    assert debugger.do("next").remarks == ("first overflow: s₈ (t = 8)",)
    assert debugger.do("rewind 2").remarks == ()
    backward = debugger.do("end").remarks
    assert backward[0] == "first overflow: s₈ (t = 8)"
    assert any(remark.startswith("first overflow: ∂E/∂z") for remark in backward)


def test_an_untroubled_view_has_no_remarks() -> None:
    """Nor does the end of the exploding session."""
    assert Debugger(load("exploding")).do("end").remarks == ()
