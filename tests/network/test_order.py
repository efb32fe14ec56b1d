"""The order of equations and the graph's components."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from bptt_tui.network.components import components
from bptt_tui.network.network import Network


def test_equations_may_stand_in_any_order():
    """Each is computed after what it reads at the same timestep; otherwise as given."""
    network = Network(["q = v * s", "s = tanh(z)", "z = u * x[t] + w * s[t-1]", "E = q * q"])
    assert [network.equations[i].target for i in network.order] == ["z", "s", "q", "E"]


def test_plain_names_of_nodes_are_the_present():
    """`s` and `s[t]` are one read; of an input read both ways, too."""
    network = Network(["s = s[t-1] * x * x[t] + x[t-1]", "E = s * s[t]"])
    assert [(name.name, name.offset) for name in network.reads[0]] == [("s", -1), ("x", 0), ("x", -1)]
    assert [(name.name, name.offset) for name in network.reads[1]] == [("s", 0)]


GRAPHS = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=4), min_size=n, max_size=n)
)


def reachable(graph, start):
    found, waiting = set(), list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph[node]
    return found


@given(GRAPHS)
def test_components_are_what_reaches_each_other(graph):
    """Two nodes share a component exactly if each is reachable from the other; sources come first."""
    found = components(graph)
    assert sorted(node for component in found for node in component) == list(range(len(graph)))
    place = {node: i for i, component in enumerate(found) for node in component}
    for a in range(len(graph)):
        for b in reachable(graph, a):
            assert place[a] <= place[b]
            assert (place[a] == place[b]) == (a == b or a in reachable(graph, b))
