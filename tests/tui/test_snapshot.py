"""Snapshots: text and SVG of any screen, the same bytes every time, with nothing fetched from anywhere."""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree

import pytest

from bptt_tui.errors import BpttError
from bptt_tui.export.screen import Screen, Span
from bptt_tui.session import bundled, load
from bptt_tui.tui.snapshot import snapshot


def test_the_same_screen_gives_the_same_bytes() -> None:
    first, second = (snapshot(load("question"), 22) for _ in range(2))
    assert first.svg() == second.svg() and first.text() == second.text()


def test_a_picture_names_no_address_and_carries_no_random_mark() -> None:
    svg = snapshot(load("question"), 22).svg()
    assert re.findall(r"https?://[^\"' )]*", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"terminal-\d|@font-face|<script|<image", svg)
    ElementTree.fromstring(svg)


@pytest.mark.parametrize("name", bundled.names())
def test_every_bundled_session_can_be_drawn_at_its_end(name: str) -> None:
    from bptt_tui.debugger.debugger import Debugger

    session = load(name)
    last = Debugger(session).last
    text = snapshot(session, last, size=(80, 24)).text()
    assert f"step {last} of {last}" in text and len(text.splitlines()) == 24


def test_a_snapshot_shows_the_saved_position_and_records_nothing() -> None:
    session = load("question").with_state(position=9)
    text = snapshot(session).text()
    assert "step 9 of 27" in text and "●" not in text


def test_what_the_terminal_cannot_do_does_not_reach_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = snapshot(load("question"), 22).svg()
    monkeypatch.setenv("NO_COLOR", "1")
    assert snapshot(load("question"), 22).svg() == coloured
    assert os.environ["NO_COLOR"] == "1"


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
def test_any_theme_can_be_asked_for(theme: str) -> None:
    dark = snapshot(load("question"), 22)
    other = snapshot(load("question"), 22, theme=theme)
    assert other.text() == dark.text() and other.svg() != dark.svg()


def test_an_unknown_theme_is_refused_with_the_close_ones() -> None:
    with pytest.raises(BpttError, match=r"no theme is called 'nrod'; did you mean .*nord"):
        snapshot(load("question"), theme="nrod")


def test_a_position_there_is_not_is_refused() -> None:
    with pytest.raises(BpttError, match=r"no position 99; the positions are 0 … 27"):
        snapshot(load("question"), 99)


def test_text_is_escaped_and_placed_by_its_cells() -> None:
    screen = Screen(((Span("漢 <&>  │x", "#ff0000", "#000001", bold=True),),), "#000000", "#ffffff", title="<t>")
    svg = screen.svg()
    root = ElementTree.fromstring(svg)
    space = {"s": "http://www.w3.org/2000/svg"}
    words = {element.text: element for element in root.iterfind(".//s:text", space)}
    assert set(words) == {"漢 <&>", "x"}
    assert words["漢 <&>"].get("textLength") == "60" and words["x"].get("x") == "90"
    assert root.find("s:title", space).text == "<t>"  # type: ignore[union-attr]
    assert screen.text() == "漢 <&>  │x\n" and screen.width == 10


def test_borders_are_strokes_and_blocks_are_rectangles() -> None:
    svg = Screen(((Span("╭──┤━┓█▌▲"),),), "#000000", "#ffffff").svg()
    assert "<text" not in svg
    assert svg.count("<path") == 2 and svg.count("<polygon") == 1 and svg.count("<rect") == 3
