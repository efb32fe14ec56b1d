"""Positions as plain text: what the headless runner prints."""

from __future__ import annotations

from seen import make

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.transcript import answer, describe
from bptt_tui.session import load


def test_a_forward_position() -> None:
    """Place, equation, numbers, local partials."""
    assert describe(Debugger(load("question")).do("goto 6")).splitlines() == [
        "step 6 of 27  forward  t = 1",
        "  b₁ = w·s₀",
        "  b₁ = 0.6·0.522665 = 0.313599",
        "  ∂b₁/∂w₁ = s₀ = 0.522665",
        "  ∂b₁/∂s₀ = w = 0.6",
    ]


def test_a_backward_position() -> None:
    """Inflow, running product, the sums so far."""
    assert describe(Debugger(load("question")).do("goto dE/ds[0]")).splitlines() == [
        "step 22 of 27  backward  t = 0",
        "  inflow 1 of 1, through b₁: -1.06231 × ∂b₁/∂s₀ = w = 0.6 → -0.637385",
        "  ∂E/∂s₀ = -0.637385",
        "  ∂E/∂u: 1.06231  (1 of 2 terms)",
        "  ∂E/∂w: -0.555232  (1 of 2 terms)",
        "  ∂E/∂v: [0.3169 -0.3169]  (1 of 1 terms)",
    ]


def test_half_a_step() -> None:
    """What has come in so far, and what has not yet."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto 37")
    assert describe(debugger.do("step")).splitlines()[:4] == [
        "step 37 of 53  backward  factor 1 of 2  t = 1",
        "  inflow 1 of 2, through q₁: [0.2978 -0.2978] × ∂q₁/∂s₁ = v = [1.2; -0.7] → 0.565908",
        "  inflow 2 of 2, through b₂: -0.603776 × ∂b₂/∂s₁ = w = 0.6 → not yet",
        "  ∂E/∂s₁ so far, 1 of 2 inflows: 0.565908",
    ]


def test_an_informative_command_is_answered_without_the_position() -> None:
    """print, where, help and reaching an end say only what they have to say; a move shows the new position."""
    debugger = Debugger(load("question"))
    before = debugger.do("end")
    for line in ("print u", "where", "help", "next", "goto 27"):
        after = debugger.do(line)
        assert answer(before, after) == after.message
        before = after
    after = debugger.do("rewind")
    assert answer(before, after) == describe(after)
    assert answer(after, debugger.do("goto 26")) == describe(after), "no message: the position is the answer"


def test_a_factor_is_a_move() -> None:
    """Position 37 with and without a factor taken are different places."""
    debugger = Debugger(load("many-to-many"))
    before = debugger.do("goto 37")
    after = debugger.do("step")
    assert answer(before, after) == describe(after)


def test_nothing_in_a_session_reaches_the_terminal_unspelt() -> None:
    """Control and bidi characters in a printed line are spelt out; line breaks of the message stay."""
    debugger = make("s = w * s[t-1]", "E = s", parameters={"w": 0.5}, initial={"s": 1.0}, steps=1)
    before = debugger.view
    after = debugger.do("print w \t+ 1")
    assert answer(before, after) == "w \\x09+ 1 = 1.5"
    assert "\n" in answer(before, debugger.do("help"))
