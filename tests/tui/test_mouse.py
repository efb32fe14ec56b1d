"""The mouse: whatever stands for a node, a gradient or a term can be clicked."""

from __future__ import annotations

import pytest
from opening import FULL, SMALL, Opened, opened
from textual import events

from bptt_tui.tui.bars import Header
from bptt_tui.tui.inspector import Inspector
from bptt_tui.tui.prompt import Prompt


def place_of(debugger: Opened, text: str, after: str = "") -> tuple[int, int]:
    """Where a text stands on the screen; `after` is a text in a line before it."""
    passed = not after
    for y, line in enumerate(debugger.text().splitlines()):
        if passed and text in line:
            return line.index(text), y
        passed = passed or after in line
    raise AssertionError(f"{text} is not on the screen")


async def click(debugger: Opened, at: tuple[int, int], **how: bool | int) -> None:
    await debugger.pilot.click(offset=at, **how)  # type: ignore[arg-type]
    await debugger.pilot.pause()


def given(debugger: Opened) -> list[str]:
    return [entry.command for entry in debugger.app.debugger.recording]


@pytest.mark.parametrize(
    ("text", "after", "command"),
    [
        ("z₀ ", "", "goto z[0]"),
        ("∂q/∂s₁", "chain from E", "goto dE/ds[1]"),
        ("1.2; -0.7", "chain from E", "goto dE/ds[1]"),
        ("1.06231", "contributions", "goto u[1]"),
    ],
)
async def test_a_click_goes_there(text: str, after: str, command: str) -> None:
    async with opened(at=27) as debugger:
        debugger.main.perform("goto dE/ds[0]")
        await debugger.pilot.pause()
        await click(debugger, place_of(debugger, text, after))
        assert given(debugger)[-1] == command


async def test_a_factor_of_a_narrow_chain_is_clicked() -> None:
    async with opened(at=22, size=SMALL) as debugger:
        await debugger.press("3")
        await click(debugger, place_of(debugger, "∂s₁/∂z₁"))
        assert given(debugger)[-1] == "goto dE/dz[1]"


async def test_the_right_button_or_ctrl_sets_a_breakpoint_and_takes_it_away() -> None:
    async with opened(at=9) as debugger:
        at = place_of(debugger, "z₀ ")
        await click(debugger, at, button=3)
        assert [row.text for row in debugger.view.breakpoints] == ["z[0]"] and debugger.view.position == 9
        assert "●z₀" in debugger.text()
        await click(debugger, at, control=True)
        assert debugger.view.breakpoints == ()


async def test_a_double_click_inspects() -> None:
    async with opened(at=27) as debugger:
        await click(debugger, place_of(debugger, "q  ["), times=2)
        assert isinstance(debugger.app.screen, Inspector)
        assert debugger.view.pane is not None and debugger.view.pane.ref.label == "q"


async def test_hovering_tells_every_digit() -> None:
    async with opened(at=22) as debugger:
        graph = debugger.main.query_one("#graph")
        x, y = place_of(debugger, "s₁ ")
        await debugger.pilot.hover(offset=(x, y))
        assert "-0.45135" in str(graph.tooltip) and "gradient -1.334" in str(graph.tooltip)


async def test_the_header_asks_where_to_go() -> None:
    async with opened() as debugger:
        await debugger.pilot.click(Header)
        await debugger.pilot.pause()
        assert debugger.main.query_one(Prompt).value == "goto "


async def test_the_wheel_goes_through_the_timesteps() -> None:
    async with opened("min-char-rnn", size=FULL) as debugger:
        graph = debugger.main.query_one("#graph")
        before = graph.scroll_offset.x
        await debugger.pilot._post_mouse_events([events.MouseScrollDown], graph, offset=(5, 5), button=0)
        await debugger.pilot.pause()
        assert graph.scroll_offset.x > before or graph.scroll_offset.y > 0
