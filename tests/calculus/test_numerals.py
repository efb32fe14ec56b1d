"""Numbers on the screen: six digits in panes, everything on inspection, and no two kinds of nothing that look alike."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from bptt_tui.calculus import numerals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5226652, "0.522665"),
        (-1.0623088928, "-1.06231"),
        (0.0, "0"),
        (-0.0, "-0"),
        (5e-324, "4.94066e-324"),
        (1e-7, "1e-7"),
        (1e300, "1e300"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (0.6, "0.6"),
        (1.0, "1"),
    ],
)
def test_a_number(value, text):
    """Six significant digits; 0, −0 and subnormals are told apart."""
    assert numerals.number(value) == text


@given(st.floats())
def test_exact_reads_back(value):
    """The text of an inspected number is that number."""
    back = float(numerals.exact(value))
    assert back == value or (math.isnan(back) and math.isnan(value))
    assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


@given(st.lists(st.floats(), min_size=1, max_size=40), st.integers(20, 60))
def test_a_vector_stays_on_its_line(values, width):
    """However long, it is one line that says where entries are left out."""
    text = numerals.array(np.array(values), width)
    assert "\n" not in text
    assert text.startswith("[")
    assert text.endswith("]")
    assert len(text.split()) == len(values) or "…" in text
    assert len(text) <= max(width, 30)


@pytest.mark.parametrize(
    ("values", "width", "text"),
    [
        ([0.0] * 9 + [-3.358] + [0.0] * 9, 24, "[0 … -3.358 … 0]"),
        ([0.0] * 9 + [-3.358] + [0.0] * 9, 11, "[… -3.358 …]"),
        ([0.0, -3.358] + [0.0] * 20, 14, "[0 -3.358 … 0]"),
        ([0.0, -3.358] + [0.0] * 20, 12, "[… -3.358 …]"),
        ([0.0] * 20 + [2.5, 0.0], 16, "[0 … 2.5 0]"),
        ([0.0] * 9 + [1.0, -2.0, math.nan] + [0.0] * 9, 16, "[0 … nan … 0]"),
        ([0.0] * 40, 16, "[0 0 0 0 0 … 0]"),
        ([0.0] * 39 + [1.0], 16, "[0 0 0 0 0 … 1]"),
        ([[0.0] * 9] * 5 + [[0.0] * 4 + [-3.358] + [0.0] * 4], 24, "[… -3.36 …]"),
    ],
)
def test_what_is_not_zero_is_seen_in_an_abbreviated_array(values, width, text):
    """One-hot rows and gradients would otherwise read as all zeros."""
    assert numerals.array(np.array(values), width) == text


def test_a_matrix_shows_its_rows():
    """Small ones whole, on one line and on several."""
    matrix = np.array([[1.0, 2.0], [3.0, -4.5]])
    assert numerals.array(matrix) == "[1 2; 3 -4.5]"
    assert numerals.matrix(matrix) == ["[1    2]", "[3 -4.5]"]


def test_a_large_matrix_is_elided_both_ways():
    """The first rows, the last, and a mark for what is between."""
    lines = numerals.matrix(np.arange(3000.0).reshape(50, 60), width=40, height=6)
    assert len(lines) == 7
    assert lines[-2] == "⋮"
    assert all(line.endswith("…]") for line in lines if line != "⋮")
