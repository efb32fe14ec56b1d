"""How conditions are read: precedence, what is refused and at which column, and what cannot be told."""

from __future__ import annotations

import pytest
from seen import make

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.conditions import holds, read_condition, told
from bptt_tui.debugger.looking import Look
from bptt_tui.errors import CommandError
from bptt_tui.session import load


@pytest.fixture(scope="module")
def look() -> Look:
    debugger = Debugger(load("question"))
    debugger.do("goto 22")  # ∂E/∂s₀ = −0.637385, t = 0
    return debugger.look


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("abs(prod) < 1", True),
        ("prod < -0.7", False),
        ("t == 0 and phase == backward", True),
        ("phase != backward", False),
        ("not phase == forward", True),
        ("t == 1 or t == 0", True),
        ("t == 1 or t == 0 and s < 0", False),  # and binds tighter than or
        ("(t == 1 or t == 0) and s > 0", True),
        ("not t == 1 and s > 0", True),  # not binds tighter than and
        ("not (t == 0 and s > 0)", False),
        ("((t == 0))", True),
        ("(s + 1) * 2 > 3 and (s) < 1", True),
        ("0 < s < 1", True),
        ("0 < s < 0.5", False),
        ("dE/du > 1", True),  # the sum so far
        ("dE/du[0] != 0", False),  # not yet computed
        ("not dE/du[0] != 0", False),  # nor is its opposite met
        ("dE/du[0] != 0 or t == 0", True),
        ("v > -1", True),
        ("v > 0", False),  # of arrays, every entry
        ("v != 0", True),
        ("max(v) > 1 and min(v) < 0 and norm(v) > 1", True),
        ("dq/ds[1] == v", False),  # a Jacobian 2 × 1 and a vector
        ("db[1]/ds[0] == w", True),
        ("1 - s[0]**2 < 0.8", True),
        ("o[1] > 0.2", True),
        ("s[t-1] == 0.3", True),
        ("s[t-2] == 0.3", False),
        ("∂E/∂s₀ < 0 and s₀ > 0", True),
    ],
)
def test_a_condition_holds_or_does_not(look: Look, text: str, met: bool) -> None:
    """At ∂E/∂s₀ of the question."""
    assert holds(read_condition(look.scene, text), look) is met


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a condition is missing; such as"),
        ("t", "column 2: unexpected end of the condition; expected a comparison: < <= > >= == !="),
        ("t = 3", "column 3: unexpected '='; write =="),
        ("t == 3 && s > 0", "column 8: unexpected '&&'; write and"),
        ("!(t == 3)", "column 1: unexpected '!'; write not"),
        ("t ==", "column 5: unexpected end of the condition; expected an expression"),
        ("and t == 3", "column 1: unexpected 'and'; expected an expression"),
        ("t == 3 and", "column 11: unexpected end of the condition; expected an expression"),
        ("(t == 3", "column 8: unexpected end of the condition; expected and, or, or ')'"),
        ("t == 3)", "column 7: unexpected ')'; expected and, or, or the end of the condition"),
        ("(t == 3) s", "column 10: unexpected 's'; expected and, or, or the end of the condition"),
        ("phase < 1", "column 7: unexpected '<'; expected == or !=: phase == backward"),
        ("phase == back", "column 10: unexpected 'back'; expected forward or backward"),
        ("1 < phase", "column 5: phase is compared with forward or backward; write phase == backward"),
        ("t == 0 and nope > 1", "column 12: there is no nope; "),
        ("t == 0 and s[7] > 1", "column 12: there is no s[7]; the timesteps are 0 … 1"),
        ("t == 0 and s[q] > 1", "column 12: [q] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s > 1 +", "column 8: unexpected end of the line; expected a name, a number, a function or '('"),
        ("abs(s > 1", "column 7: unexpected character '>'; "),
        ("nrm(s) > 1", "column 1: there is no function nrm; did you mean 'norm'?"),
        ("norm(s, s) > 1", "column 1: norm takes 1 argument, not 2; write norm(s[0])"),
        ("v @ v @ v > 1", "column 1: "),
        ("du/ds > 1", "column 1: u is not a node; a local partial is of a node by what it reads"),
        ("dz[t]/dw > 1", "column 1: dz[t]/dw is no local partial; z reads a, b"),
        ("dE/dy > 1", "column 1: y is a constant; gradients are by nodes, inputs and u, w, v"),
        ("(" * 300 + "t == 1" + ")" * 300, "column 52: more than 50 deep; "),
        ("t == 1 or " * 300 + "t == 1", "the condition has 3006 characters; at most 2000"),
    ],
)
def test_what_is_refused_says_where_and_what_was_expected(look: Look, text: str, said: str) -> None:
    """One line with the column, counted in the condition."""
    with pytest.raises(CommandError) as caught:
        read_condition(look.scene, text)
    assert str(caught.value).startswith(said) and caught.value.hint


def test_a_condition_tells_its_values_but_not_what_is_plain(look: Look) -> None:
    condition = read_condition(look.scene, "t == 0 and phase == backward and abs(prod) < 1 and w < 2 and dE/du[0] != 1")
    assert told(condition, look) == "abs(prod) = 0.637385, w = 0.6"


def test_a_node_may_be_called_phase_or_prod() -> None:
    """The network's names come first."""
    debugger = make("phase = w * prod[t-1]", "prod = tanh(phase)", "E = prod * prod", parameters={"w": 0.5},
                    initial={"prod": 1.0}, steps=2)  # fmt: skip
    debugger.do("end")
    assert holds(read_condition(debugger.look.scene, "phase[0] == 0.5 and prod[0] > 0.46"), debugger.look)
