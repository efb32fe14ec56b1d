"""Pictures of the debugger: the app runs without a terminal, and what it would draw becomes a `Screen`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual.app import App
from textual.color import Color

from bptt_tui.export.screen import Screen, Span
from bptt_tui.tui.app import make_app

if TYPE_CHECKING:
    from bptt_tui.session import Session


_TRIES = 20  # a screen has settled when it is drawn alike twice


def snapshot(
    session: Session, at: int | None = None, size: tuple[int, int] = (120, 36), theme: str | None = None
) -> Screen:
    """The debugger's screen on `session` at position `at`, `size` columns × lines.

    Raises BpttError for an unknown theme or a position there is not.
    """
    with _full_colour():
        app = make_app(session, at, theme=theme)

    async def draw() -> Screen:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            drawn = screen_of(app)
            for _ in range(_TRIES):
                await pilot.pause()
                before, drawn = drawn, screen_of(app)
                if drawn == before:
                    break
            return drawn

    with _full_colour():
        return asyncio.run(draw())


@contextmanager
def _full_colour() -> Iterator[None]:
    """A picture has its colours whatever the terminal of the moment can do."""
    hidden = {name: os.environ.pop(name) for name in ("NO_COLOR", "TEXTUAL_ANIMATIONS") if name in os.environ}
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    try:
        yield
    finally:
        os.environ.pop("TEXTUAL_ANIMATIONS", None)
        os.environ.update(hidden)


def screen_of(app: App[Any]) -> Screen:
    """What a running app shows now. A terminal's own colours (the ansi themes) are given Textual's idea of them."""
    palette = app.ansi_theme
    if app.current_theme.ansi:
        background, foreground = palette.background_color.hex, palette.foreground_color.hex
    else:
        background, foreground = (
            Color.parse(app.theme_variables[name]).hex6.lower() for name in ("background", "foreground")
        )

    def span(segment: Segment) -> Span:
        style = segment.style
        if style is None:
            return Span(segment.text)
        colour = behind = None
        if style.color is not None and not style.color.is_default:
            colour = style.color.get_truecolor(palette).hex
        if style.bgcolor is not None and not style.bgcolor.is_default:
            behind = style.bgcolor.get_truecolor(palette, foreground=False).hex
        if style.reverse:
            colour, behind = behind or background, colour or foreground
        if style.dim:
            colour = Color.parse(behind or background).blend(Color.parse(colour or foreground), 0.5).hex6.lower()
        return Span(segment.text, colour, behind, bool(style.bold), bool(style.italic), bool(style.underline))

    strips = app.screen._compositor.render_strips()
    rows = tuple(tuple(span(segment) for segment in strip if segment.text) for strip in strips)
    return Screen(rows, background=background, foreground=foreground, title=app.title)
