"""Random recurrent networks: everything a trace says agrees with oracles that share no code with it.

Checked for every network: the loss, every contribution, the gradient, the adjoint of every node, input and initial
value against HIPS autograd; entries of the gradient against complex step and forward mode; which nodes and uses exist.
`PYTHONPATH=tests python -m oracles.sweep 0 10000` runs many more.
"""

from __future__ import annotations

import pytest
from oracles.judge import faults
from oracles.networks import random_case


@pytest.mark.parametrize("seed", range(300))
def test_a_random_network_agrees_with_every_oracle(seed):
    """A short network: 1–6 recurrent equations, T up to 6."""
    assert faults(random_case(seed), entries=3) == []


@pytest.mark.parametrize("seed", range(1_000_000, 1_000_040))
def test_a_long_random_network_agrees_with_every_oracle(seed):
    """The same with T up to 30, where running products of thirty factors meet rounding."""
    assert faults(random_case(seed, longest=30), entries=3) == []


def test_the_generator_reaches_every_operation():
    """The random networks use every operation that can be written in an equation."""
    from bptt_tui.calculus.operations import OPERATIONS
    from bptt_tui.language import calls

    found = {
        call.operation
        for seed in range(100)
        for equation in random_case(seed).parsed.values()
        for call in calls(equation.expression)
    }
    assert found == {name for name, operation in OPERATIONS.items() if operation.written}
