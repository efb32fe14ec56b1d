"""What the debugger looks like: every phase at three sizes, as text to read in a diff, and some as pictures."""

from __future__ import annotations

import re

import pytest
from opening import MEDIUM, SMALL, opened
from syrupy.assertion import SnapshotAssertion

from bptt_tui.session import load
from bptt_tui.tui.pane import Pane
from bptt_tui.tui.snapshot import snapshot

SESSIONS = ["question-sigmoid", "answer", "product-slip", "many-to-many", "vectors", "one-logit"]
LAST = 27  # steps of the question: 11 nodes forward, 11 adjoints and 5 contributions backward


@pytest.mark.parametrize("at", [0, 4, 11, 15, 22, LAST])
def test_the_question_at_full_size(at: int, screen_golden: SnapshotAssertion) -> None:
    """Start, forward, the loss, the first contribution, into t = 0, the end."""
    assert snapshot(load("question"), at).text() == screen_golden


@pytest.mark.parametrize("at", [4, 14, 22])
def test_the_question_at_medium_size(at: int, screen_golden: SnapshotAssertion) -> None:
    assert snapshot(load("question"), at, size=MEDIUM).text() == screen_golden


@pytest.mark.parametrize("pane", ["1", "2", "3", "4", "5"])
async def test_every_pane_at_small_size(pane: str, screen_golden: SnapshotAssertion) -> None:
    async with opened(at=22, size=SMALL) as debugger:
        await debugger.press(pane)
        assert debugger.text() == screen_golden


async def test_the_contributions_take_the_chains_place_at_medium_size(screen_golden: SnapshotAssertion) -> None:
    async with opened(at=22, size=MEDIUM) as debugger:
        await debugger.press("4")
        assert debugger.text() == screen_golden


@pytest.mark.parametrize("name", SESSIONS)
def test_every_bundled_session_going_backward(name: str, screen_golden: SnapshotAssertion) -> None:
    """Three quarters through: values, gradients, a chain and contributions are on screen."""
    session = load(name)
    from bptt_tui.debugger.debugger import Debugger

    last = Debugger(session).view.last
    assert snapshot(session, last * 3 // 4).text() == screen_golden


@pytest.mark.parametrize("theme", ["bptt-dark", "bptt-light"])
def test_the_picture(theme: str, picture_golden: SnapshotAssertion) -> None:
    assert snapshot(load("question"), 22, theme=theme).svg() == picture_golden


async def test_without_colour_signs_and_the_current_place_are_glyphs(
    monkeypatch: pytest.MonkeyPatch, screen_golden: SnapshotAssertion, picture_golden: SnapshotAssertion
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(at=22) as debugger:
        drawn = debugger.drawn()
    colours = {span.colour for row in drawn.rows for span in row if span.colour}
    assert all(_grey(colour) for colour in colours)
    assert "▌s₀" in drawn.text() and "▼" in drawn.text() and "▾" in drawn.text()
    assert drawn.svg() == picture_golden


def _grey(colour: str) -> bool:
    red, green, blue = (int(part, 16) for part in re.findall("[0-9a-f]{2}", colour))
    return max(red, green, blue) - min(red, green, blue) <= 2


async def test_everything_of_the_question_shows_at_full_size_at_every_position() -> None:
    """No pane scrolls, nothing is left out, and of values only a matrix in the longest chain is abbreviated."""
    async with opened() as debugger:
        for at in range(LAST + 1):
            assert debugger.view.position == at
            text = debugger.text()
            assert "⋯" not in text and "…" not in text.replace("[.21 … .21]", ""), at
            assert len(text.splitlines()) == 36 and all(len(line) <= 120 for line in text.splitlines())
            for pane in debugger.main.query(Pane):
                assert pane.virtual_size.height <= pane.size.height and pane.virtual_size.width <= pane.size.width
            debugger.main.perform("next")
            await debugger.pilot.pause()
