"""Numbers on the screen: they fit, they line up, their sign and size show without reading them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from msgspec.structs import replace
from opening import text_of

from bptt_tui.debugger.view import ABSENT, NOT_YET, Strip, View
from bptt_tui.session import load
from bptt_tui.tui.figures import at_the_point, figure, shown, signed, squeezed
from bptt_tui.tui.signs import LogScale, bar, sign
from bptt_tui.tui.strip import Window, standing_for, strip_lines

SHAPES = st.one_of(st.just(()), st.tuples(st.integers(1, 40)), st.tuples(st.integers(1, 6), st.integers(1, 6)))


@given(arrays.arrays(np.float64, SHAPES, elements=st.floats(width=64)), st.integers(7, 30))
@settings(max_examples=300, deadline=None)
def test_a_figure_never_takes_more_than_its_width(value: np.ndarray, width: int) -> None:
    assert 0 < len(figure(value, width)) <= width


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (-0.6373853356941429, 9, "-0.637385"),
        (-0.6373853356941429, 8, "-0.63739"),
        (-1.23456789e-5, 12, "-1.23457e-5"),
        (0.0, 9, "0"),
        (-0.0, 9, "-0"),
        (5e-324, 12, "4.94066e-324"),
        (-5.30948e-10, 8, "-5.3e-10"),
        (-5.30948e-10, 7, "-5e-10"),
        ([0.297844, 0.702156], 15, "[0.2978 0.7022]"),
        ([0.297844, 0.702156], 11, "[.298 .702]"),
        ([[0.2091, -0.2091], [-0.2091, 0.2091]], 22, "[.21 -.21; -.21 .21]"),
        ([[0.2091, -0.2091], [-0.2091, 0.2091]], 12, "[.209 … .209]"),
        (list(range(100)), 14, "[0 1 2 3 … 99]"),
        ([0.0, 0.0, 0.0, 0.0, -3.358, 0.0, 0.0], 15, "[0 … -3.36 … 0]"),
        ([0.0, 0.0, -3.358, 0.0, 0.0, 0.0, 0.0], 11, "[… -3.36 …]"),
        ([[0.0, 0.0, 0.0], [0.0, -3.358, 0.0]], 11, "[… -3.36 …]"),
        ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], 11, "[0 … 0]"),
    ],
)
def test_a_figure_gives_up_digits_before_entries(value: object, width: int, text: str) -> None:
    shortened = figure(np.asarray(value, dtype=np.float64), width)
    assert shortened == text or (text.startswith("[.209") and shortened == "[.21 … .21]")


@given(st.floats(-1e300, 1e300))
@settings(max_examples=300, deadline=None)
def test_seven_cells_say_how_large_a_number_is(value: float) -> None:
    """The exponent is the last thing to be cut: it tells that a gradient has vanished."""
    text = figure(np.asarray(value), 7)
    assert "…" not in text and float(text) == pytest.approx(value, rel=0.5, abs=5e-324)


def test_the_unknown_and_the_absent_are_words() -> None:
    assert shown(NOT_YET, 9) == "not yet" and shown(ABSENT, 9) == "–"


def test_decimal_points_stand_under_each_other() -> None:
    lines = at_the_point(["-1.06231", "0.6", "12", "[1 2]", "not yet", "1e-7"])
    assert lines == ["-1.06231", " 0.6", "12", "[1 2]", "not yet", " 1e-7"]
    assert signed("0.6") == " 0.6" and signed("-0.6") == "-0.6" and signed("[1 2]") == "[1 2]"


def test_a_jacobian_of_one_row_is_read_as_a_row() -> None:
    assert squeezed(np.ones((1, 1))).shape == () and squeezed(np.ones((1, 3))).shape == (3,)
    assert squeezed(np.ones((3, 1))).shape == (3, 1)


@pytest.mark.parametrize(
    ("value", "glyph", "tone"),
    [
        (1.0, "▲", "positive"),
        (0.5, "▴", "positive"),
        (1e-9, "▵", "positive"),
        (-2.0, "▼", "negative"),
        (-0.02, "▾", "negative"),
        (-1e-300, "▿", "negative"),
        ([0.5, -2.0], "◆", "mixed"),
        ([0.0, -0.5], "▾", "negative"),
        (0.0, "0", "dim"),
        (-0.0, "0", "dim"),
        (math.nan, "?", "mark"),
        (-math.inf, "∞", "mark"),
        ([math.nan, math.inf], "?", "mark"),
    ],
)
def test_a_glyph_carries_sign_and_size(value: object, glyph: str, tone: str) -> None:
    mark = sign(np.asarray(value, dtype=np.float64))
    assert (mark.glyph, mark.tone) == (glyph, tone)
    assert sign(NOT_YET).glyph == "·" and sign(ABSENT).glyph == " "


def test_bars_are_logarithmic_and_never_empty() -> None:
    scale = LogScale.of(np.array([1e-6, 1e-3, 1.0, 0.0, np.nan, np.inf]))
    assert scale is not None and (scale.low, scale.high) == (-6.0, 0.0)
    assert [scale.eighths(norm, 1) for norm in (1e-6, 1e-3, 1.0)] == [1, 4, 8]
    assert LogScale.of(np.array([2.0, 2.0])).eighths(2.0, 2) == 16  # type: ignore[union-attr]
    assert LogScale.of(np.array([0.0, np.nan])) is None
    assert [bar(12, line) for line in (0, 1, 2)] == ["█", "▄", " "]


def view_at(t: int | None) -> View:
    from bptt_tui.debugger.debugger import Debugger

    return replace(Debugger(load("question")).view, t=t)


def drawn(strip: Strip, t: int | None, width: int = 60, height: int = 2) -> list[str]:
    view = view_at(t)
    lines = strip_lines(view, strip, Window.of(view, strip, width), height)
    return text_of(lines)


def test_zero_infinity_nan_and_not_yet_have_glyphs_of_their_own() -> None:
    norms = np.array([1.0, 2.0, 0.0, np.inf, np.nan, 1.0])
    bars, numbers = drawn(Strip("s", "‖∂E/∂sₜ‖", norms, 1, 0, 6), 1, width=90)
    marks = [piece[0] for piece in (bars[11 + 12 * t :] for t in range(6))]
    assert marks == ["·", "█", "0", "∞", "?", "▇"]
    assert "not yet" in numbers and "nan" in numbers and "inf" in numbers


def test_a_bar_of_many_timesteps_shows_their_extremes() -> None:
    """One zero, one NaN and one infinity in a hundred thousand norms still show, and a lone large norm is the bar."""
    norms = np.full(100_000, 1e-3)
    norms[[20_000, 40_000, 60_000]] = [0.0, np.nan, np.inf]
    norms[80_000] = 1.0
    strip = Strip("s", "‖∂E/∂sₜ‖", norms, 0, 0, 100_000)
    high, bars, caption = drawn(strip, 50_000, width=111, height=3)
    per = Window.of(view_at(50_000), strip, 111).per
    assert per == 1000
    assert (bars[11 + 20], bars[11 + 40], bars[11 + 60]) == ("0", "?", "∞")
    assert high[11 + 80] == "█" and high[11 + 79] == high[11 + 81] == " "
    assert caption.startswith("log scale  t = 0") and caption.endswith("99999")
    assert "▴ 50000" in caption and "a bar is 1000 timesteps" in caption


def test_that_a_bar_is_several_timesteps_is_said_in_a_few_cells_too() -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(60, 0.5), 0, 0, 60)
    assert drawn(strip, 30, width=41)[-1].startswith("log, 2/bar t = 0")


def test_the_last_timestep_is_named_once() -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(4, 0.5), 0, 0, 4)
    assert drawn(strip, 3, width=40)[-1].split() == ["log", "scale", "t", "=", "0", "▴", "3"]
    assert drawn(strip, 2, width=40)[-1].split() == ["log", "scale", "t", "=", "0", "▴", "2", "3"]


@pytest.mark.parametrize("known_from", [0, 1, 999, 1000, 99_999, 100_000])
def test_bars_fill_as_far_as_the_norms_are_known(known_from: int) -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(100_000, 0.5), known_from, 0, 100_000)
    for width in (60, 105, 111, 130):
        per = Window.of(view_at(None), strip, width).per
        bars, _ = drawn(strip, None, width=width)
        assert bars[11:].rstrip().count("·") == (known_from // per if known_from < 100_000 else -(-100_000 // per))


def test_the_smallest_norm_of_a_bar_shows_as_its_bright_part() -> None:
    norms = np.tile([1.0, 1e-6], 500)
    strip = Strip("s", "‖∂E/∂sₜ‖", norms, 0, 0, 1000)
    view = view_at(None)
    upper, lower, _ = strip_lines(view, strip, Window.of(view, strip, 60), 3)
    assert {ink for _, ink in upper[1:]} == {"symbol"} and {ink for _, ink in lower[1:]} == {"name"}


def test_a_bar_leads_to_what_it_shows() -> None:
    norms = np.linspace(1.0, 2.0, 100)
    strip = Strip("s", "‖∂E/∂sₜ‖", norms.copy(), 0, 0, 100)
    assert standing_for(strip, range(10, 20)) == 19
    for value, t in ((0.0, 15), (np.inf, 13), (np.nan, 17)):
        strip.norms[t] = value
        assert standing_for(strip, range(10, 20)) == t
    assert standing_for(replace(strip, known_from=18), range(10, 20)) == 19
    assert standing_for(replace(strip, known_from=50), range(10, 20)) == 10


def test_zoomed_the_window_follows_the_current_timestep() -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(1000, 0.5), 0, 0, 1000)
    whole = Window.of(view_at(420), strip, 60)
    near = Window.of(view_at(420), strip, 60, zoom=3)
    assert whole.shown == range(1000) and whole.per == 21 and whole.bars == 48
    assert near.per == 1 and 420 in near.shown and len(near.shown) == 49
    assert near.at(11) == range(near.shown.start, near.shown.start + 1)
    assert not near.at(5) and not near.at(60)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 13, 26, 27, 40, 1000])
def test_every_timestep_is_in_sight_unless_zoomed(count: int) -> None:
    """On narrow screens as well; the caption's last number is not cut."""
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(count, 0.5), 0, 0, count)
    for width in range(24, 70):
        window = Window.of(view_at(0), strip, width)
        lines = drawn(strip, 0, width=width)
        assert window.shown == range(count)
        assert all(len(line.rstrip()) <= width for line in lines)


@pytest.mark.parametrize("t", [0, 3, 995, 999, None])
def test_the_caption_always_fits(t: int | None) -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.full(1000, 0.5), 0, 0, 1000)
    bars, caption = drawn(strip, t)
    assert len(caption) <= 60 and len(bars) <= 60
    assert t is None or f"{t}" in caption


def test_a_strip_of_any_height_has_that_many_lines() -> None:
    strip = Strip("s", "‖∂E/∂sₜ‖", np.array([0.1, 1.0]), 0, 0, 2)
    for height in (1, 2, 3, 8):
        assert len(drawn(strip, 1, height=height)) == height
