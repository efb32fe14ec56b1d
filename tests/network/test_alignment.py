"""Where given matrices lie: in rows, at a cache line, so that the same numbers always give the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.calculus import alignment
from bptt_tui.network.values import array
from bptt_tui.trace import Network

N = 24
RNG = np.random.default_rng(2)
W = RNG.normal(size=(N, N)) / 5
GIVEN = {
    "rows": W,
    "columns": np.asfortranarray(W),
    "every second": np.repeat(np.repeat(W, 2, axis=0), 2, axis=1)[::2, ::2],
    "eight bytes off": np.concatenate([[0.0], W.ravel()])[1:].reshape(N, N),
    "lists": W.tolist(),
}


@pytest.mark.parametrize("how", GIVEN)
def test_a_matrix_is_copied_to_a_cache_line(how):
    """Whatever it was given as; what was given stays as it is."""
    kept = array(GIVEN[how], "parameters.W")
    assert kept.ctypes.data % alignment.LINE == 0
    assert kept.flags.c_contiguous
    assert np.array_equal(kept, W)
    kept[0, 0] += 1.0
    assert np.array_equal(np.asarray(GIVEN[how]), W)


@pytest.mark.parametrize("how", GIVEN)
def test_a_trace_does_not_depend_on_where_its_numbers_lay(how):
    """Loss and gradients, bit for bit."""
    network = Network(["h = tanh(W @ h[t-1] + x)", "E = sum(h * h)"], loss_at="every")
    inputs = {"x": np.cos(np.arange(30.0 * N)).reshape(30, N)}
    first, second = (
        network.trace(parameters={"W": given}, inputs=inputs, initial={"h": np.zeros(N)}) for given in (W, GIVEN[how])
    )
    assert first.loss == second.loss
    assert np.array_equal(first.gradient["W"], second.gradient["W"])
    assert np.array_equal(first.adjoint("h", -1), second.adjoint("h", -1))


@pytest.mark.parametrize("value", [0.5, [1.0, 2.0], [[1, 2], [3, 4]], 1 + 2j])
def test_small_values_are_copied_as_they_are(value):
    """No more than a copy, in float64 or complex128."""
    kept = array(value, "parameters.w")
    assert np.array_equal(kept, value)
    assert kept.dtype == (np.complex128 if isinstance(value, complex) else np.float64)
    assert kept.flags.owndata
