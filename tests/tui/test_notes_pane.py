"""Notes: Markdown drawn by our own pen, shown as a position is reached, written with the keys of the app."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening import FULL, MEDIUM, SMALL, opened
from textual import events
from textual.widgets import Input, TextArea

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.session import Chapter, Note, load
from bptt_tui.tui.ink import line_width
from bptt_tui.tui.markdown import inline, rendered
from bptt_tui.tui.note_editor import Pinned, Written
from bptt_tui.tui.notes import chapter_number

LESSON = load("question").with_state(
    notes=(Note(2, "# Two nodes\n- **a** is `u*x`\n- b is w * s * 1"), Note(12, "Here it *starts*.")),
    chapters=(Chapter(0, "Forward"), Chapter(11, "Backward")),
)


def text(source: str, width: int = 60) -> list[str]:
    return ["".join(part for part, _ in line) for line in rendered(source, width)]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("# Heading #", ["Heading"]),
        ("a **b** *c* `d` __e__ _f_", ["a b c d e f"]),
        ("w * s * v and s_t + u_t * 2*3*4", ["w * s * v and s_t + u_t * 2*3*4"]),
        ("`u * x *y*` stays", ["u * x *y* stays"]),
        ("- one\n  1. two", ["• one", "  1. two"]),
        ("> quoted", ["│ quoted"]),
        ("```\n  x = **1**\n```\nafter", ["    x = **1**", "after"]),
        ("[here](http://x.y)", ["here (http://x.y)"]),
        ("a\n\nb", ["a", "", "b"]),
        ("[b]red[/b] [@click=app.quit]x[/]", ["[b]red[/b] [@click=app.quit]x[/]"]),
    ],
)
def test_the_markdown_of_lessons(source: str, lines: list[str]) -> None:
    assert text(source) == lines


def test_kinds_of_text_differ_in_ink() -> None:
    inks = dict(inline("p **s** *e* `c`"))
    assert inks["s"] == "strong" and inks["e"] == "name" and inks["c"] == "symbol" and inks["p "] == "plain"


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \n")), st.integers(1, 80))
def test_any_text_is_drawn_within_its_width(source: str, width: int) -> None:
    """And nothing of it is lost but marks and blanks."""
    lines = rendered(source, width)
    assert all(line_width(line) <= max(width, 4) for line in lines)
    drawn = "".join("".join(part for part, _ in line) for line in lines)
    letters = re.findall(r"[a-zA-Z0-9]", source)
    assert re.findall(r"[a-zA-Z0-9]", drawn) == letters or "```" in source or "~~~" in source


@given(st.text(st.characters(exclude_characters="\0\r"), max_size=60))
def test_what_is_written_comes_back(source: str) -> None:
    """Through the command `note`, whatever the text, up to blanks at its ends."""
    debugger = Debugger(load("question"))
    for line in Pinned.of(debugger.state).commands(Written(source, "")):
        debugger.do(line)
    if not source.strip():
        assert debugger.state.notes == ()
    else:
        assert debugger.state.notes[0].text.split() == source.split()


@pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL], ids=["full", "medium", "small"])
async def test_a_note_shows_when_its_position_is_reached(size: tuple[int, int]) -> None:
    async with opened(LESSON, size=size) as debugger:
        if size == SMALL:
            await debugger.press("6")
        assert "Two nodes" not in debugger.text()
        await debugger.press("n", "n")
        assert "Two nodes" in debugger.text() and "• a is u*x" in debugger.text()
        await debugger.press("n")
        assert "Two nodes" not in debugger.text()
        if size != MEDIUM:
            assert "the next is at position 12" in " ".join(debugger.text().split())


async def test_a_note_and_a_chapter_are_written_changed_and_deleted() -> None:
    async with opened(at=4) as debugger:
        await debugger.press("m")
        debugger.app.screen.query_one(TextArea).text = "One\ntwo \\n three"
        debugger.app.screen.query_one(Input).value = "Opening"
        await debugger.press("ctrl+s")
        state = debugger.app.debugger.state
        assert state.notes == (Note(4, "One\ntwo \\n three"),) and state.chapters == (Chapter(4, "Opening"),)
        assert "6 Opening" in debugger.text()
        await debugger.press("m", "escape", "m")
        assert debugger.app.screen.query_one(TextArea).text == "One\ntwo \\n three"
        debugger.app.screen.query_one(TextArea).text = "delete nothing"
        await debugger.press("ctrl+s")
        assert debugger.app.debugger.state.notes == (Note(4, "delete nothing"),)
        await debugger.press("m")
        debugger.app.screen.query_one(TextArea).text = ""
        debugger.app.screen.query_one(Input).value = ""
        await debugger.press("ctrl+s")
        assert debugger.app.debugger.state.notes == () and debugger.app.debugger.state.chapters == ()
        assert debugger.app.debugger.recording == ()


async def test_what_is_pasted_into_a_note_is_made_visible() -> None:
    async with opened() as debugger:
        await debugger.press("m")
        debugger.app.post_message(events.Paste("a\x1b[31m\nb"))
        await debugger.pilot.pause()
        assert debugger.app.screen.query_one(TextArea).text == "a\\x1b[31m\nb"


async def test_the_contents_lead_to_notes_and_chapters() -> None:
    async with opened(LESSON) as debugger:
        await debugger.press("N", "down", "enter")
        assert debugger.view.position == 2
        await debugger.press("N", "down", "enter")
        assert debugger.view.position == 11


@pytest.mark.parametrize(
    ("chapters", "said"), [((3,), "1 chapter"), ((3, 5), "2 chapters"), ((0, 5), "chapter 1 of 2")]
)
def test_the_chapters_are_counted(chapters: tuple[int, ...], said: str) -> None:
    session = load("question").with_state(chapters=tuple(Chapter(at, "one") for at in chapters))
    assert chapter_number(Debugger(session).view) == said


async def test_without_any_note_the_pane_says_which_key_writes_one() -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.press("6")
        assert "no note here; m writes one" in debugger.text()
        await debugger.type("note Seen.")
        await debugger.press("n")
        assert "no note here; the one before at 0" in debugger.text()
