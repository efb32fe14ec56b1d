"""Names, titles and notes are text: whatever a file holds is drawn as it is, and never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening import FULL, SMALL, opened
from rich.cells import cell_len

from bptt_tui.language.sanitise import visible
from bptt_tui.session import load
from bptt_tui.tui.dialogs import Notice
from bptt_tui.tui.ink import fitted, line_width, wrapped

HOSTILE = {
    "markup": "[red]x[/] [b]",
    "link": "[@click=app.quit]go[/]",
    "escape": "\x1b]0;owned\x07\x1b[2J",
    "bidi": "a\u202eb\u2066c",
    "control": "a\x00b\x9bc\x7f",
}


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("size", [FULL, SMALL])
async def test_a_hostile_title_is_drawn_as_it_is(title: str, size: tuple[int, int]) -> None:
    async with opened(load("question").replace(title=title), size=size) as debugger:
        text = debugger.text()
        assert visible(title)[: 7 if size == SMALL else None] in text
        assert all(character == "\n" or visible(character) == character for character in text)
        assert len(text.splitlines()) == size[1]
        assert all(cell_len(line) <= size[0] for line in text.splitlines())


async def test_a_hostile_command_is_named_in_the_message_and_nothing_happens() -> None:
    async with opened(at=5) as debugger:
        for line in HOSTILE.values():
            debugger.main.perform(line)
            await debugger.pilot.pause()
            text = debugger.text()
            assert "✗" in text and debugger.view.position == 5
            assert all(character == "\n" or visible(character) == character for character in text)


async def test_a_dialog_shows_hostile_text_as_it_is() -> None:
    async with opened() as debugger:
        for text in HOSTILE.values():
            debugger.app.push_screen(Notice(text, f"{text}\nsecond line"))
            await debugger.pilot.pause()
            drawn = debugger.text()
            assert visible(text) in drawn and "second line" in drawn
            assert all(character == "\n" or visible(character) == character for character in drawn)
            await debugger.press("escape")


async def test_titles_on_borders_are_no_markup() -> None:
    async with opened() as debugger:
        node = debugger.main.query_one("#node")
        node.entitle("[red]x[/]", "[b]y")  # type: ignore[attr-defined]
        node.refresh()
        await debugger.pilot.pause()
        assert "─ [red]x[/] ─" in debugger.text() and "─ [b]y ─" in debugger.text()


@given(st.text(max_size=40), st.integers(0, 30), st.sampled_from(["left", "right", "centre"]))
@settings(max_examples=200, deadline=None)
def test_fitted_text_has_exactly_its_width(text: str, width: int, align: str) -> None:
    result = fitted(text, width, align)
    assert cell_len(result) == width and visible(result) == result


@given(st.lists(st.text(alphabet="ab ∂漢\x1b", max_size=12), max_size=5), st.integers(5, 30), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_wrapped_lines_fit_and_lose_nothing(texts: list[str], width: int, indent: int) -> None:
    lines = wrapped(tuple((text, "plain") for text in texts), width, indent=indent)
    assert all(line_width([(text.rstrip(), ink) for text, ink in line[-1:]]) <= width for line in lines)
    for line in lines:
        whole = "".join(text for text, _ in line).rstrip()
        assert cell_len(visible(whole)) <= width
    kept = "".join(visible(text) for line in lines for text, _ in line)
    assert kept.replace(" ", "") == visible("".join(texts)).replace(" ", "")


@pytest.mark.parametrize(
    ("width", "text"),
    [(11, "[-0.8 -1 1…"), (12, "[-0.8 -1 1 …"), (13, "[-0.8 -1 1 … "), (14, "[-0.8 -1 1 …  "), (15, "[-0.8 -1 1 … 0…")],
)
def test_a_text_cut_where_something_was_left_out_before_has_one_ellipsis(width: int, text: str) -> None:
    assert fitted("[-0.8 -1 1 … 0.5]", width) == text


@given(
    st.lists(st.text("ab ∂界\u0301\x1b", max_size=12), max_size=6),
    st.integers(1, 40),
    st.integers(0, 60),
)
@settings(max_examples=200, deadline=None)
def test_lines_are_broken_at_any_width_and_indent(words: list[str], width: int, indent: int) -> None:
    """An indent that is wider than the line, too: every line ends, and nothing is lost."""
    line = tuple((word, "plain") for word in words)
    broken = wrapped(line, width, indent)
    kept = visible("".join(words)).replace(" ", "")
    assert visible("".join(text for one in broken for text, _ in one)).replace(" ", "") == kept
