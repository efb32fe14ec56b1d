"""Which nodes and uses are part of the unrolled graph: those a loss depends on, no others."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.networks import QUESTION

from bptt_tui.errors import NetworkError
from bptt_tui.trace import Network


def trace(equations, loss_at, T=5, **initial):
    known = {"u": 0.8, "w": 0.6, "v": [1.2, -0.7]}
    read = " ".join(equations)
    return Network(equations, loss_at=loss_at).trace(
        parameters={name: value for name, value in known.items() if f"{name} " in read},
        inputs={"x": np.linspace(-1, 1, T)},
        initial=initial,
        constants={"y": 0} if "y)" in read else {},
    )


def times(trace, name):
    return [t for t in range(trace.steps) if trace.exists(name, t)]


def test_many_to_one_has_its_output_once():
    """With the loss at the last timestep q, o and E exist there only, and v has one use; u, w everywhere."""
    found = trace(QUESTION.equations, "last", s=0.3)
    assert {name: times(found, name) for name in "qoE"} == {"q": [4], "o": [4], "E": [4]}
    assert times(found, "s") == [0, 1, 2, 3, 4]
    assert list(found.uses("v")) == [4]
    assert list(found.uses("u")) == list(found.uses("w")) == [0, 1, 2, 3, 4]


def test_listed_losses_cut_the_end_off():
    """Losses at 0 and 2: outputs at those, the state up to 2."""
    found = trace(QUESTION.equations, [0, 2], s=0.3)
    assert times(found, "E") == [0, 2]
    assert times(found, "s") == [0, 1, 2]
    assert list(found.uses("v")) == [0, 2]


def test_a_recurrence_that_skips_leaves_gaps():
    """s[t-2] alone: from a loss at 4, only every other timestep; s₋₁ is never read."""
    found = trace(["s = tanh(u * x + w * s[t-2])", "E = s * s"], "last", s=[9.0, 0.3])
    assert times(found, "s") == [0, 2, 4]
    assert list(found.uses("w")) == [0, 2, 4]
    assert float(found.value("s", 0)) == pytest.approx(np.tanh(0.8 * -1 + 0.6 * 9.0))
    assert float(found.adjoint("s", -2)) != 0.0
    assert float(found.adjoint("s", -1)) == 0.0


def test_two_skips_fill_up():
    """s[t-2] and s[t-3] reach every timestep but the one before the last."""
    found = trace(["s = tanh(u * x + w * s[t-2] * s[t-3])", "E = s * s"], "last", T=8, s=[0.1, 0.2, 0.3])
    assert times(found, "s") == [0, 1, 2, 3, 4, 5, 7]


def test_an_equation_nobody_reads_is_no_node():
    """What the loss does not depend on is neither computed nor counted."""
    found = trace(["s = tanh(u * x + w * s[t-1])", "unused = v * s", "E = s * s"], "every", s=0.1)
    assert times(found, "unused") == []
    assert list(found.uses("v")) == []
    assert np.array_equal(found.gradient["v"], [0.0, 0.0])
    with pytest.raises(NetworkError, match=r"unused\[0\] does not exist: the loss does not depend on it"):
        found.value("unused", 0)


def test_needs_of_a_long_chain_are_found_at_once():
    """100 000 timesteps and a delay of three."""
    equations = ["s = tanh(u * x + w * s[t-1] + 0.1 * s[t-3])", "E = s * s"]
    found = trace(equations, [99_999], T=100_000, s=[0.1, 0.2, 0.3])
    assert found.exists("s", 0)
    assert len(found.uses("w")) == 100_000


@pytest.mark.parametrize("at", ["last", "every", [0, 2]])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_loss_that_reads_itself_counts_at_its_loss_steps_only(at, reduction):
    """E[t-1] keeps E alive at every timestep; the total still takes the listed ones, as a nudge of w shows."""
    network = Network(["s = tanh(w * s[t-1] + x[t])", "E = E[t-1] + s * s"], loss_at=at, reduction=reduction)
    values = {"inputs": {"x": [0.5, -0.3, 0.8, 0.2]}, "initial": {"s": 0.4, "E": 0.0}}
    trace = network.trace(parameters={"w": 0.7}, **values)
    s, running = 0.4, [0.0]
    for x in values["inputs"]["x"]:
        s = np.tanh(0.7 * s + x)
        running.append(running[-1] + s * s)
    taken = [running[t + 1] for t in {"last": [3], "every": range(4)}.get(at if isinstance(at, str) else "", at)]
    assert trace.loss == pytest.approx(sum(taken) / (len(taken) if reduction == "mean" else 1), rel=1e-14)
    assert trace.verify().holds
