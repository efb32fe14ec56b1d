"""Which nodes a loss needs: long recurrences are filled at once, and exactly as one timestep after the other."""

from __future__ import annotations

import time

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from bptt_tui.network.needs import needed
from bptt_tui.network.network import Network


def one_by_one(network, steps, losses, pinned):
    """Every node the losses lead to, by walking back from each."""
    found = set()
    waiting = [(network.loss, t) for t in losses]
    while waiting:
        equation, t = waiting.pop()
        if t < 0 or (equation, t) in found:
            continue
        found.add((equation, t))
        if t not in pinned.get(equation, ()):
            waiting += [(network.index[name.name], t + (name.offset or 0)) for name in network.reads[equation]]
    return [sorted(t for e, t in found if e == equation) for equation in range(len(network.equations))]


@st.composite
def cores(draw):
    """Two or three equations that read each other, or themselves, up to five timesteps back, and a loss."""
    names = ["a", "b", "c"][: draw(st.integers(2, 3))]
    equations = []
    for place, name in enumerate(names):
        reads = draw(st.lists(st.tuples(st.sampled_from(names), st.integers(0, 5)), min_size=1, max_size=3))
        # At one timestep only what stands before can be read.
        terms = [f"{other}[t-{lag}]" if lag else other for other, lag in reads if lag or names.index(other) < place]
        equations.append(f"{name} = {' + '.join(terms) or name + '[t-1]'}")
    return [*equations, f"E = {draw(st.sampled_from(names))}"]


@given(cores(), st.integers(1, 60), st.data())
def test_needs_are_those_found_one_by_one(equations, steps, data):
    """Cores with any delays and pins, losses at any timesteps: periodic patterns and full ones are filled exactly."""
    network = Network(equations)
    moments = st.sets(st.integers(0, steps - 1), max_size=3)
    losses = sorted(data.draw(moments) | {steps - 1})
    pinned = {e: sorted(data.draw(moments)) for e in range(len(equations) - 1)}
    got = needed(network, steps, np.array(losses), pinned)
    assert [times.array().tolist() for times in got] == one_by_one(network, steps, losses, pinned)


def test_a_long_recurrence_that_skips_is_found_at_once():
    """Only every second node of s[t-2] is needed, only every third of s[t-3]: as fast as all of s[t-1]."""
    steps = 2_000_000
    for lag in (1, 2, 3):
        network = Network([f"s = w * s[t-{lag}]", "E = s * s"])
        start = time.process_time()
        (times, _) = needed(network, steps, np.array([steps - 1]))
        assert time.process_time() - start < 1.0
        assert np.array_equal(times.array(), np.arange((steps - 1) % lag, steps, lag))
