"""Sets of timesteps and where their rows stand."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from bptt_tui.network.timesteps import Timesteps

MASKS = st.lists(st.booleans(), min_size=1, max_size=12).map(np.array)


@given(MASKS, st.integers(-2, 14), st.integers(-2, 14))
def test_a_set_is_its_mask(mask, early, late):
    """Rows, timesteps, the last one and the rows between two timesteps, of runs and of sets with gaps."""
    times, listed = Timesteps.of(mask), np.flatnonzero(mask).tolist()
    assert times.array().tolist() == listed
    assert times.count == len(listed)
    assert [times.at_row(row) for row in range(times.count)] == listed
    for t in range(-1, len(mask) + 1):
        assert times.row(t) == (listed.index(t) if t in listed else None)
    if listed:
        assert times.last == listed[-1]
    if early <= late:
        assert times.array()[times.rows_between(early, late)].tolist() == [t for t in listed if early <= t <= late]


@given(MASKS, MASKS)
def test_equal_sets_are_equal(first, second):
    """Two sets are equal exactly if they hold the same timesteps, however they were made."""
    a, b = Timesteps.of(first), Timesteps.of(second)
    same = np.flatnonzero(first).tolist() == np.flatnonzero(second).tolist()
    assert (a == b) == same
    if same:
        assert hash(a) == hash(b)
