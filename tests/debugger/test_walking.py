"""Along the chain, along time, by name, and back along one's own trail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import make, random_session

from bptt_tui.debugger import Debugger
from bptt_tui.errors import CommandError
from bptt_tui.session import load


@pytest.fixture
def forked() -> Debugger:
    """many-to-many at ∂E/∂s₁, into which two gradients flow."""
    debugger = Debugger(load("many-to-many"))
    debugger.do("goto dE/ds[1]")
    return debugger


def title(debugger: Debugger) -> str:
    pane = debugger.view.pane
    return "" if pane is None else pane.title


def test_at_a_fork_the_path_is_chosen(forked: Debugger) -> None:
    """Without a number the way the chain goes, the last inflow; the message names the others."""
    here = forked.view
    assert here.pane is not None and len(here.pane.inflows) == 2
    above = [inflow.factor.consumer for inflow in here.pane.inflows]
    for line, consumer in (("up 1", above[0]), ("up 2", above[1]), ("up", above[1])):
        forked.do(f"goto {here.position}")
        message = forked.do(line).message
        assert forked.view.pane.ref == consumer  # type: ignore[union-attr]
        assert message.endswith(f"(up 1: {above[0].label} · up 2: {above[1].label})")
    forked.do(f"goto {here.position}")
    with pytest.raises(CommandError, match="there is no way 3 up from here; up 1: "):
        forked.do("up 3")


@settings(max_examples=40)
@given(st.integers(0, 3000), st.floats(0, 1))
def test_going_up_reaches_the_loss_and_every_way_down_leads_up_again(seed: int, share: float) -> None:
    """From any step of either phase; no way leads into the other phase."""
    debugger = Debugger(random_session(seed)[1])
    debugger.do(f"goto {1 + int(share * (debugger.last - 1))}")
    start = debugger.view
    for number in range(1, 20):
        debugger.do(f"goto {start.position}")
        try:
            if debugger.do(f"down {number}").position == start.position:
                break
        except CommandError:
            break
        assert debugger.view.phase == start.phase
        below = debugger.view
        ups = []
        for way in range(1, 20):
            debugger.do(f"goto {below.position}")
            try:
                ups.append(debugger.do(f"up {way}").position)
            except CommandError:
                break
        assert start.position in ups
    debugger.do(f"goto {start.position}")
    for _ in range(200):
        before = debugger.view.position
        if debugger.do("up").position == before:
            break
    assert debugger.view.message.endswith("is the top of every chain")
    assert debugger.view.pane.ref.name == debugger.session.network().loss_name  # type: ignore[union-attr]


def test_the_same_node_later_and_earlier() -> None:
    debugger = make("s = tanh(w * s[t-1])", "E = s * s", parameters={"w": 0.5}, initial={"s": 1.0}, steps=5)
    debugger.do("goto s[2]")
    assert [debugger.do(line).t for line in ("later", "later 9", "earlier 2", "earlier", "earlier 3")] == [
        3,
        4,
        2,
        1,
        0,
    ]
    assert debugger.do("earlier").message == "s has no earlier timestep than t = 0"
    debugger.do("goto w[3]")
    assert title(debugger) == "∂E/∂w₃" and debugger.do("earlier 2").t == 1 and title(debugger) == "∂E/∂w₁"


def test_find_goes_round_and_on(forked: Debugger) -> None:
    """Patterns mean their steps, any other text a part of a name; without a text the last one again."""
    forked.do("start")
    seen = [forked.do(line).position for line in ("find s[1]", "find", "find", "find back")]
    assert seen[0] == seen[2] < seen[1] == seen[3]
    assert forked.view.message == "match 2 of 2 of s[1], round the end"
    with pytest.raises(CommandError, match="nothing is called zzz"):
        forked.do("find zzz")
    assert forked.do("find").message.endswith("of s[1], round the end")


def test_older_and_newer_retrace_moves_of_more_than_one_node() -> None:
    """Single steps leave no crumbs; a new move drops what was newer."""
    debugger = Debugger(load("question"))
    for line in ("goto 9", "next", "next", "goto 22", "rewind", "start"):
        debugger.do(line)
    assert [debugger.do("older").position for _ in range(4)] == [21, 11, 0, 0]
    assert debugger.view.message == "there is no older place"
    assert [debugger.do("newer").position for _ in range(4)] == [11, 21, 0, 0]
    debugger.do("older")
    debugger.do("goto 5")
    assert debugger.do("newer").message == "there is no newer place"
    assert debugger.do("older").position == 21


def test_nothing_is_above_or_below_where_nothing_is_computed() -> None:
    debugger = Debugger(load("question"))
    for line in ("up", "down", "later", "earlier"):
        with pytest.raises(CommandError, match="nothing is computed yet"):
            debugger.do(line)
