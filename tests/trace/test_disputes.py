"""Random networks in which an oracle in floats and the trace disagree: many digits decide, and the trace is right.

Derivatives of 1e-51 reach HIPS autograd as 0, where a factor beside them rounds to 0 or 1 in its forward values; a
complex step of 1e-30 cannot show a slope of 1e-303; and where paths cancel, the textbook formula has half the digits.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles.evaluate import FUNCTIONS, complex_step, everything
from oracles.exact import FUNCTIONS as EXACT
from oracles.exact import slope
from oracles.networks import random_case


@pytest.mark.parametrize(("seed", "name", "t"), [(3944, "h2", -1), (9485, "s3", -3)])
def test_autograd_loses_what_the_trace_keeps(seed, name, t):
    """∂E/∂(an initial value), every entry."""
    case = random_case(seed, 8)
    got, key = case.trace().adjoint(name, t), ("value", name, t)
    with np.errstate(all="ignore"):
        oracle = everything(case)[1][key]
    want = np.array([slope(case, [key], index) for index in np.ndindex(got.shape)]).reshape(got.shape)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    assert np.all(np.abs(oracle - want) > 1e-10 * np.abs(want))


def test_a_complex_step_loses_what_the_trace_keeps():
    """∂E/∂W4, about 1e-303, entry by entry."""
    case = random_case(8142, 8)
    got, uses = case.trace().gradient["W4"], [("use", "W4", t) for t in case.uses["W4"]]
    np.testing.assert_allclose(got, [slope(case, uses, (i,)) for i in range(3)], rtol=1e-12)
    assert 0 < np.abs(got).max() < 1e-302
    with np.errstate(all="ignore"):
        assert complex_step(case, "W4", (1,)) == 0.0


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_many_digits_agree_where_nobody_differs(seed):
    """The judge itself is right about ordinary networks: every parameter's first entry."""
    case = random_case(seed)
    trace = case.trace()
    for name, value in case.parameters.items():
        index = (0,) * np.ndim(value)
        want = slope(case, [("use", name, t) for t in case.uses[name]], index)
        assert trace.gradient[name][index] == pytest.approx(want, rel=1e-10, abs=1e-300)


def test_many_digits_know_every_operation():
    """A new operation needs its definition in mpmath here too."""
    assert set(EXACT) == set(FUNCTIONS)
