"""Text on a terminal's grid: widths, breaking, and marks that stand under what they mark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt_tui.language.cells import broken, cells, padded, underlined
from bptt_tui.language.sanitise import visible


@pytest.mark.parametrize(("text", "width"), [("", 0), ("∂E/∂s₁", 6), ("f′ ⊙ ᵀ", 6), ("数", 2), ("s\u0302", 1)])
def test_widths(text: str, width: int) -> None:
    """Mathematical characters take one cell, wide ones two, combining ones none."""
    assert cells(text) == width
    assert cells(padded(text, 9)) == 9


def test_lines_break_behind_blanks_and_dots() -> None:
    assert broken("∂E/∂o·∂o/∂q·v₁ + x₁", 10) == ["∂E/∂o·", "∂o/∂q·v₁ +", "x₁"]
    assert broken("", 10) == [""]
    assert broken("unbreakable", 5) == ["unbre", "akabl", "e"]


def test_marks_stand_under_their_characters() -> None:
    """Across a break, a tab that is spelt out, and the end of the text."""
    assert underlined("a * bc = d", [((4, 6), "^")], 80) == ["a * bc = d", "    ^^"]
    assert underlined("a * bc = d", [((4, 10), "~"), ((9, 10), "^")], 8) == ["a * bc", "    ~~", "= d", "~~^"]
    assert underlined("\tb", [((1, 2), "^")], 80) == ["\\x09b", "    ^"]
    assert underlined("a\nb", [((2, 3), "^")], 80) == ["a", "b", "^"]
    assert underlined("ab", [((2, 3), "^")], 80) == ["ab", "  ^"]
    assert underlined("", [((0, 1), "^")], 80) == ["", "^"]


@given(st.text(st.sampled_from("ab ·∂₁数\n\t\u0302\u202e"), max_size=40), st.integers(2, 12), st.integers(0, 40))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int, at: int) -> None:
    """Up to blanks at the ends of lines, in which a spelt-out character may stick out."""
    lines = underlined(text, [], width)
    assert "".join("".join(lines).split()) == "".join(visible(text.replace("\n", "")).split())
    assert all(cells(line) <= max(width, 8) for line in lines)
    seen = visible(text)
    assert "".join("".join(broken(seen, width)).split()) == "".join(seen.split())
    assert all(cells(line) <= width for line in broken(seen, width))
    marked = underlined(text, [((at, at + 1), "^")], width)
    if at < len(text) and text[at] not in "\n \u0302":
        assert sum("^" in line for line in marked) >= 1
