"""The debugger imports no screen, and at T = 100 000 a command looks at a handful of nodes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.timeline import Timeline
from bptt_tui.session import load
from bptt_tui.trace import Trace
from bptt_tui.trace.local import LocalStep

LONG = 100_000


def test_the_debugger_loads_neither_textual_nor_rich() -> None:
    """The headless runner, scripts and exports need no screen."""
    code = "import sys, bptt_tui.debugger; print([m for m in ('textual', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def debugger_of(steps: int) -> Debugger:
    inputs = np.sin(np.arange(steps) * 0.7)
    return Debugger(load("question").replace(inputs={"x": inputs}, expected=None))


@pytest.fixture(scope="module")
def long() -> Debugger:
    return debugger_of(LONG)


def looked_up(debugger: Debugger, line: str, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a command evaluates a node, takes an inflow or a Jacobian, or looks up the timeline."""
    count: Counter[str] = Counter()

    def counted(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def call(*args: object) -> object:
            count[name] += 1
            return original(*args)

        monkeypatch.setattr(owner, name, call)

    with monkeypatch.context():
        for owner, name in ((Trace, "inflow"), (Trace, "value"), (Trace, "adjoint"), (Trace, "jacobian"),
                            (LocalStep, "pull"), (Timeline, "step")):  # fmt: skip
            counted(owner, name)
        view = debugger.do(line)
        view.chain.factors(10)
        assert view.pane is not None
        for row in range(len(view.graph.rows)):
            view.graph.cell(row, view.t or 0)
        for row in range(3):
            view.contributions.cell(row, view.t or 0)
            view.contributions.so_far(row)
        monkeypatch.undo()
    return count


@pytest.mark.parametrize(
    "line",
    ["next", "rewind", "step", "step back", "finish", "goto s[50000]", "goto dE/ds[17]", "goto 900000", "goto u[0]"],
)
def test_a_command_looks_at_a_handful_of_nodes_however_long_the_sequence(
    long: Debugger, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: one command and what a screen asks for."""
    long.do("goto 750000")
    counts = looked_up(long, line, monkeypatch)
    assert counts["pull"] >= 1 and sum(counts.values()) < 150, counts


def test_a_long_walk_is_the_same_as_a_short_one_at_its_end(long: Debugger) -> None:
    """The last timestep's backward steps show the same titles at T = 4 and T = 100 000, four places apart in name."""
    short = debugger_of(4)
    titles = []
    for debugger in (short, long):
        debugger.do(f"goto {debugger.view.forward_steps}")
        titles.append([debugger.do("next").pane.title for _ in range(12)])  # type: ignore[union-attr]
    shift = str.maketrans("₃₂", "₉₈")
    assert [title.translate(shift) for title in titles[0]] == [
        t.replace("₉₉₉₉₉", "₉").replace("₉₉₉₉₈", "₈") for t in titles[1]
    ]


def test_a_long_chain_answers_for_its_near_end(long: Debugger) -> None:
    """Half a million factors: `factors` gives the last ones, `complete` says that there are more."""
    view = long.do("goto u[0]")
    assert [factor.title for factor in view.chain.factors(3)] == ["∂s₀/∂z₀", "∂z₀/∂a₀", "∂a₀/∂u₀"]
    assert not view.chain.complete
    assert debugger_of(4).do("end").chain.complete


def test_the_end_of_a_long_walk_is_the_gradient(long: Debugger) -> None:
    """Bit for bit, and a factor count beyond every position ends there."""
    view = long.do("end")
    for row, name in enumerate(view.contributions.rows):
        total = long.session.trace().gradient[name]
        assert np.asarray(view.contributions.so_far(row)).tobytes() == total.tobytes()
    assert view.contributions.progress(0) == (LONG, LONG)
    long.do(f"goto {long.last - 5}")
    assert long.do("step 999999999999999999").position == long.last
