"""Nothing in a file reaches the terminal as a control sequence."""

from __future__ import annotations

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bptt_tui.language import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("s₀ = ∂E/∂w", "s₀ = ∂E/∂w"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x00b", "a\\x00b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\x9b1m", "\\x9b1m"),
        ("a\tb\n", "a\\x09b\\x0a"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_could_move_the_cursor_is_spelled_out(text, shown):
    """Escapes, bidi overrides, NULs, separators, lone surrogates; letters and signs of any language stay."""
    assert visible(text) == shown


def test_lines_stay_lines_where_wanted():
    """For notes on several lines."""
    assert visible("a\nb\x1b", newlines=True) == "a\nb\\x1b"


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_character_passes(text):
    """Of any text, only what has a place in a line is left; harmless text is unchanged."""
    shown = visible(text)
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.category(character) in hidden for character in shown)
    if not any(unicodedata.category(character) in hidden for character in text):
        assert shown == text
