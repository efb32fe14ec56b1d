"""`print EXPR`: every kind of quantity, as the screen writes it or as code does; and why there is none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import everything, make

from bptt_tui.debugger import Debugger
from bptt_tui.errors import CommandError
from bptt_tui.session import load

S0, S1 = np.tanh(0.58), np.tanh(0.6 * np.tanh(0.58) - 0.8)


def printed(debugger: Debugger, expression: str) -> str:
    message = debugger.do(f"print {expression}").message
    assert message.startswith(f"{expression} = ")
    return message.removeprefix(f"{expression} = ")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("s[0]", S0), ("s₀", S0), ("s[ 0 ]", S0), ("s[-1]", 0.3), ("s₋₁", 0.3), ("s", S0), ("s[t]", S0), ("s[t+1]", S1),
        ("x[1]", -1.0), ("x", 0.5), ("x₁", -1.0), ("u", 0.8), ("u[0]", 0.8), ("y", 0.0), ("t", 0.0),
        ("E", 1.2111776345298362),
        ("dE/ds[0]", -0.6373853), ("∂E/∂s₀", -0.6373853), ("dE/ds", -0.6373853), ("dL/ds[0]", -0.6373853),
        ("dE[1]/ds[0]", -0.6373853), ("∂E₁/∂s₀", -0.6373853), ("dE/ds[t+1]", -1.3340920), ("dE/dE", 1.0),
        ("dE/du[0]", -0.2316324753), ("∂E/∂u₁", 1.0623088928), ("dE/du", 0.8306764175), ("dE/dw", -0.6942116191),
        ("dE/dx[0]", -0.4632650 * 0.8), ("dE/dx[1]", -1.0623088928 * 0.8), ("dE/ds[-1]", -0.4632650 * 0.6),
        ("ds[1]/dz[1]", 1 - S1**2), ("∂s₁/∂z₁", 1 - S1**2), ("db[1]/ds", 0.6), ("db[1]/ds[0]", 0.6), ("db[1]/dw", S0),
        ("db/dw", 0.3), ("da[1]/dx[1]", 0.8), ("prod", -0.2316324753),
        ("norm(dE/dv)", 0.3169206 * 2**0.5), ("max(v)", 1.2), ("min(v)", -0.7), ("abs(-2)", 2.0), ("sum(v)", 0.5),
        ("1 - s[0]**2", 1 - S0**2), ("dE/ds[1] * ds[1]/dz[1] * dz[1]/db[1]", -1.0623088928), ("dot(v, v)", 1.93),
        ("dE/du - (dE/du[0] + dE/du[1])", 0.0), ("tanh(z[0]) - s[0]", 0.0), ("sum(concat(v, s[0]))", 0.5 + S0),
    ],
)  # fmt: skip
def test_a_quantity_at_the_end(expression: str, value: float) -> None:
    """Nodes, inputs, initial values, parameters, gradients, contributions, local partials, functions of them."""
    debugger = Debugger(load("question"))
    before = everything(debugger.do("end"))
    assert float(printed(debugger, expression)) == pytest.approx(value, rel=2e-7, abs=1e-15)
    assert everything(debugger.view) == before


def test_every_digit_is_printed() -> None:
    """The text reads back as the same float; vectors and matrices are lists."""
    debugger = Debugger(load("vectors"))
    debugger.do("end")
    trace = load("vectors").trace()
    for expression, value in (
        ("s[2]", trace.value("s", 2)),
        ("dE/dW", trace.gradient["W"]),
        ("dE/dW[1]", trace.contribution("W", 1)),
        ("dq[2]/ds[2]", np.array(load("vectors").parameters["V"])),
    ):
        text = printed(debugger, expression)
        rows = re.findall(r"-?\d\.?\d*(?:e-?\d+)?", text)
        np.testing.assert_array_equal(np.array([float(row) for row in rows]), np.ravel(value))
    assert printed(debugger, "ds[1]/dz[1]").count("\n") == 2


def test_a_sum_that_is_not_whole_says_so() -> None:
    """∂E/∂w after one of its two terms is that term, and a note says 1 of 2."""
    debugger = Debugger(load("question"))
    debugger.do("goto w[1]")
    assert debugger.do("print dE/dw").message.splitlines()[1:] == ["dE/dw so far: 1 of 2 terms"]
    debugger.do("end")
    assert "\n" not in debugger.do("print dE/dw").message


@pytest.mark.parametrize(
    ("position", "expression", "said"),
    [
        (0, "s[0]", "s[0] is not yet computed at this position; step on, or goto s[0]"),
        (4, "s[1]", "s[1] is not yet computed at this position; step on, or goto s[1]"),
        (4, "s[0] + ∂E/∂s₀", "dE/ds[0] is not yet computed at this position; step on, or goto dE/ds[0]"),
        (4, "dE/du", "dE/du is not yet computed at this position; step on, or goto dE/du"),
        (4, "dE/du[1]", "dE/du[1] is not yet computed at this position; step on, or goto dE/du[1]"),
        (23, "dE/dx[0]", "dE/dx[0] is not yet computed at this position; step on"),
        (4, "ds[1]/dz[1]", "s[1] is not yet computed at this position; step on, or goto s[1]"),
        (4, "prod", "there is no running product going forward; it starts at the loss, going backward"),
        (0, "t", "no timestep is the present one here; write it as a number, as in s[0]"),
        (27, "s[9]", "there is no s[9]; the timesteps are 0 … 1"),
        (27, "s[-2]", "there is no s[-2]; the timesteps are 0 … 1"),
        (27, "x[-1]", "there is no x[-1]; the timesteps are 0 … 1"),
        (27, "s[" + "9" * 5000 + "]", "[99999999999999999999] is not a timestep; write s[0], s[t] or s[t-1]"),
        (27, "o[0]", "o[0] does not exist: the loss does not depend on it; it exists at t = 1 only"),
        (27, "dE/dv[0]", "v is not used at t = 0; it is used at t = 1 only"),
        (27, "dE/dy", "y is a constant; gradients are by nodes, inputs and u, w, v"),
        (27, "h[0]", "there is no h; the names are u, w, v, x, y, s, a, b, z, q, o, E"),
        (27, "dE/dh", "there is no h; the names are u, w, v, x, y, s, a, b, z, q, o, E"),
        (27, "tanhh(1)", "there is no function tanhh; did you mean 'tanh'?"),
        (27, "ds[1]/dw", "ds[1]/dw is no local partial; s₁ reads z₁"),
        (27, "db[1]/ds[1]", "db[1]/ds[1] is no local partial; b₁ reads w₁, s₀"),
        (27, "du/ds[0]", "u is not a node; a local partial is of a node by what it reads"),
        (27, "max(1, 2)", "max takes 1 argument, not 2; write max(s[0])"),
        (27, "tanh(1, 2)", "tanh takes 1 argument, not 2; write tanh(a)"),
        (27, "s[0] s[1]", "column 6: an operator is missing before 's[1]'; write s[0] * s[1]"),
        (27, "∂E/∂s₀ + dE/du[0] )", "column 19: unexpected ')'; expected an operator or the end of the line"),
        (27, "1 +", "column 4: unexpected end of the line; expected a name, a number, a function or '('"),
        (27, "", "nothing to print; print s[0], print dE/dw, print norm(dE/ds[0])"),
    ],
)  # fmt: skip
def test_why_there_is_nothing_to_print(position: int, expression: str, said: str) -> None:
    """Not yet, never, unknown or unreadable: which, where, and what would be right."""
    debugger = Debugger(load("question"))
    debugger.do(f"goto {position}")
    with pytest.raises(CommandError) as caught:
        debugger.do(f"print {expression}")
    assert str(caught.value) == said


def test_shapes_that_do_not_fit_are_a_command_error() -> None:
    """Mismatched shapes arrive as text, not as an exception of the engine."""
    debugger = Debugger(load("vectors"))
    debugger.do("end")
    for expression in ("s[0] + x[0]", "U @ W", "dot(s[0], 1)"):
        with pytest.raises(CommandError):
            debugger.do(f"print {expression}")


def test_the_total_and_its_losses() -> None:
    """`E` is the total, `E[1]` and `E[t]` one loss; dE[1]/do[1] is local, dE/do[1] is not."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto dE/do[1]")
    assert float(printed(debugger, "E")) == pytest.approx(1.1048774176735632)
    assert float(printed(debugger, "E[1]")) == float(printed(debugger, "E[t]")) == pytest.approx(0.353603, rel=1e-5)
    assert float(printed(debugger, "dE/dE")) == float(printed(debugger, "dE/dE[1]")) == 1.0
    assert printed(debugger, "dE/do[1]").count("[") == 1 and printed(debugger, "dE[1]/do[1]").count("[") == 2


def test_prod_waits_for_all_inflows() -> None:
    """Half a step has no running product yet."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto 37")
    debugger.do("step")
    with pytest.raises(CommandError, match="inflows are missing"):
        debugger.do("print prod")
    debugger.do("step")
    assert float(printed(debugger, "prod")) == pytest.approx(0.203642, rel=1e-5)


def test_a_networks_own_names_come_first() -> None:
    """Names such as dE, du, prod, t-like labels and q0 that a network defines mean what it says."""
    debugger = make(
        "dE = w * q0",
        "du = dE * prod",
        "s₁ = du",
        "E = s₁ * s₁",
        parameters={"w": 2.0, "q0": 3.0, "prod": 5.0},
        steps=1,
    )
    debugger.do("end")
    assert [float(printed(debugger, name)) for name in ("dE/du", "q0 * dE[0]", "prod", "s₁")] == [0.2, 18.0, 5.0, 30.0]


@settings(max_examples=300)
@given(st.text(st.sampled_from(list("dE∂us₀₁₋[]()t+-*/@^.,0123 \t\n가q_oprdx=")), max_size=24))
def test_no_text_breaks_print_or_goto(text: str) -> None:
    """Whatever is typed is answered or refused with a CommandError."""
    debugger = fuzzed()
    before = debugger.view.position
    for command in ("print", "goto"):
        try:
            debugger.do(f"{command} {text}")
        except CommandError as error:
            assert str(error)
        else:
            assert command == "goto" or debugger.view.position == before
    debugger.do("goto 22")


def fuzzed() -> Debugger:
    debugger = Debugger(load("question"))
    debugger.do("goto 22")
    return debugger
