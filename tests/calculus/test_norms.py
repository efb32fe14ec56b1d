"""‖x‖ against whole numbers and the plain root, and where squares would overflow or vanish."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bptt_tui.calculus.norms import norm

TINY = 5e-324
LARGE = np.finfo(np.float64).max


@pytest.mark.parametrize("exponent", [0, 300, -300, 1000, -1000, 1020, -1060])
def test_a_power_of_two_changes_no_digit(exponent: int) -> None:
    assert norm(np.ldexp([3.0, 4.0], exponent), 1) == math.ldexp(5.0, exponent)


@pytest.mark.parametrize("exponent", [0, -449, -451, -500, -537, -1000, 511, 512, 1000])
def test_it_is_the_root_of_the_exact_sum_on_both_sides_of_every_bound(exponent: int) -> None:
    values = np.random.default_rng(7).normal(size=(50, 4, 3))
    exact = [math.sqrt(math.fsum(entry * entry for entry in row)) for row in values.reshape(50, 12).tolist()]
    assert norm(np.ldexp(values, exponent), 2) == pytest.approx(np.ldexp(exact, exponent), rel=1e-15, abs=0)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 130, 1024, 9001])
def test_a_row_has_the_same_digits_alone_and_among_others(length: int) -> None:
    rng = np.random.default_rng(length)
    values = np.ldexp(rng.normal(size=(60, length)), rng.choice([-1060, -800, -460, -440, 0, 505, 900], (60, 1)))
    values[::7] = 0.0
    together = norm(values, 1)
    assert together.tolist() == [float(norm(row, 1)) for row in values]
    assert together.tolist() == norm(np.asfortranarray(values), 1).tolist() == norm(values[:, None, :], 2).tolist()
    assert together[:6:-1].tolist() == norm(values[:6:-1], 1).tolist()


def test_it_is_taken_over_the_last_axes() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    assert [norm(values, rank).shape for rank in range(4)] == [(2, 3, 4), (2, 3), (2,), ()]
    assert norm(-values, 0).tolist() == values.tolist()
    assert norm(values, 1)[0].tolist() == [math.hypot(*row) for row in values[0]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0.0),
        ([0.0, -0.0], 0.0),
        ([TINY], TINY),
        ([-LARGE, 0.0], LARGE),
        ([TINY, LARGE, 1.0], LARGE),
        ([TINY] * 4, 2 * TINY),
        ([LARGE, LARGE], math.inf),
        ([1.0, -math.inf], math.inf),
        ([1.0, math.nan], math.nan),
        ([math.inf, math.nan], math.nan),
    ],
)
def test_the_ends_of_the_range(values: list[float], expected: float) -> None:
    assert norm(np.array(values), 1) == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
