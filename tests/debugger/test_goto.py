"""Where `goto` goes: positions, nodes, gradients and contributions, in every way the screen writes them."""

from __future__ import annotations

import pytest
from seen import make

from bptt_tui.debugger import Debugger
from bptt_tui.errors import CommandError
from bptt_tui.session import load


@pytest.mark.parametrize(
    ("where", "forward", "backward"),
    [
        ("0", 0, 0), ("27", 27, 27), ("007", 7, 7),
        ("s[1]", 8, 16), ("s₁", 8, 16), ("s1", 8, 16), ("s[ 1 ]", 8, 16), ("s [1]", 8, 16),
        ("s[0]", 4, 22), ("s₀", 4, 22),
        ("E", 11, 12), ("E[1]", 11, 12), ("E₁", 11, 12), ("o", 10, 13), ("q", 9, 14),
        ("dE/ds[0]", 22, 22), ("∂E/∂s₀", 22, 22), ("dE / ds[0]", 22, 22), ("dE/ds₀", 22, 22), ("∂E/∂s[0]", 22, 22),
        ("dE[1]/ds[0]", 22, 22), ("∂E₁/∂s₀", 22, 22), ("dL/ds[0]", 22, 22), ("dE/dE", 12, 12), ("dE/do", 13, 13),
        ("u[0]", 27, 27), ("u₁", 21, 21), ("u1", 21, 21), ("dE/du[0]", 27, 27), ("∂E/∂w₁", 19, 19), ("v", 15, 15),
    ],
)  # fmt: skip
def test_forms_of_goto(where: str, forward: int, backward: int) -> None:
    """A node is where its value is computed going forward, where its gradient is going backward."""
    debugger = Debugger(load("question"))
    assert debugger.do(f"goto {where}").position == forward
    debugger.do("goto 25")
    assert debugger.do(f"goto {where}").position == backward


@pytest.mark.parametrize(
    ("stand", "where", "position"),
    [(3, "s", 4), (6, "s", 8), (0, "s", 4), (25, "s", 22), (17, "s", 16), (17, "s[t]", 16), (17, "s[t-1]", 22),
     (6, "z[t - 1]", 3), (2, "z[t+1]", 7), (23, "u", 27), (18, "dE/ds", 16), (18, "u", 21), (23, "q", 14)],
)  # fmt: skip
def test_a_name_without_a_timestep_means_the_present_one(stand: int, where: str, position: int) -> None:
    """`s` and `s[t-1]` are counted from where one stands; a node that exists once is that one."""
    debugger = Debugger(load("question"))
    debugger.do(f"goto {stand}")
    assert debugger.do(f"goto {where}").position == position


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("28", "there is no position 28; the positions are 0 … 27"),
        ("9" * 30, "there is no position 999999999999999999…; the positions are 0 … 27"),
        ("9" * 5000, "there is no position 999999999999999999…; the positions are 0 … 27"),
        ("s[2]", "there is no s[2]; the timesteps are 0 … 1"),
        ("s₇", "there is no s[7]; the timesteps are 0 … 1"),
        ("s[999999999999999999]", "there is no s[999999999999999999]; the timesteps are 0 … 1"),
        ("s[" + "9" * 40 + "]", "[99999999999999999999] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s[]", "[] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s[a]", "[a] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s[t1]", "[t1] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s[+1]", "[+1] is not a timestep; write s[0], s[t] or s[t-1]"),
        ("s[-1]", "s[-1] is before t = 0: no step computes it; print s[-1] shows its last value there"),
        ("o[0]", "o[0] does not exist: the loss does not depend on it; it exists at t = 1 only"),
        ("v[0]", "v is not used at t = 0; it is used at t = 1 only"),
        ("x[0]", "x is an input: it is given, no step computes it; print x shows it"),
        ("dE/dy", "y is a constant: it is given, no step computes it; print y shows it"),
        ("ds[1]/dz[1]", "ds[1]/dz[1] is not a gradient of the loss E; goto dE/ds[0], goto s[0]"),
        ("dE[0]/ds[0]", "dE[0]/ds[0] is not a gradient of the loss E; goto dE/ds[0], goto s[0]"),
        ("h[0]", "there is no node h; nodes and parameters are a, b, z, s, q, o, E, u, w, v"),
        ("-1", "-1 is neither a position nor a node; goto 17, goto s[1], goto dE/ds[0], goto u[0]"),
        ("s[1", "s[1 is neither a position nor a node; goto 17, goto s[1], goto dE/ds[0], goto u[0]"),
        ("1 2", "1 2 is neither a position nor a node; goto 17, goto s[1], goto dE/ds[0], goto u[0]"),
    ],
)
def test_what_goto_refuses(where: str, said: str) -> None:
    """The reason, and what there is instead; the debugger stays."""
    debugger = Debugger(load("question"))
    with pytest.raises(CommandError) as caught:
        debugger.do(f"goto {where}")
    assert str(caught.value) == said
    assert debugger.view.position == 0


def test_a_relative_timestep_needs_a_present_one() -> None:
    """At position 0, and at the total of several losses, `t` means nothing."""
    debugger = Debugger(load("many-to-many"))
    for position in (0, 22):
        debugger.do(f"goto {position}")
        with pytest.raises(CommandError, match="no timestep is the present one"):
            debugger.do("goto s[t-1]")


def test_the_total_and_the_losses_it_adds_up() -> None:
    """`E` is the total, `E[1]` and E₁ one loss; the same for their gradients."""
    debugger = Debugger(load("many-to-many"))
    assert [debugger.do(f"goto {where}").position for where in ("E", "E[1]", "dE/dE", "E₁", "dE/dE[1]")] == [
        22, 14, 23, 34, 34,
    ]  # fmt: skip
    with pytest.raises(CommandError, match="is not a gradient of the loss E"):
        debugger.do("goto dE[1]/ds[0]")


def test_a_name_that_ends_in_a_digit_is_itself_first() -> None:
    """With a node s1 defined, `s1` is it; s₁ and s[1] are still s at t = 1."""
    debugger = make("s = w * s[t-1]", "s1 = s * s", "E = s1", parameters={"w": 0.5}, initial={"s": 1.0}, steps=3)
    titles = [debugger.do(f"goto {where}").pane.ref.label for where in ("s1", "s[1]", "s₁", "s0")]
    assert titles == ["s1", "s₁", "s₁", "s₀"]


def test_l_is_the_loss_unless_it_is_a_name_of_its_own() -> None:
    """Books write L; a network with a parameter L means that."""
    debugger = make("s = L * s[t-1]", "E = s * s", parameters={"L": 0.5}, initial={"s": 1.0}, steps=1)
    with pytest.raises(CommandError, match="is not a gradient of the loss E"):
        debugger.do("goto dL/ds[0]")
