"""Opens the debugger without a terminal, for tests that press its keys and read its screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from settling import until
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from bptt_tui.debugger.view import View
from bptt_tui.export.screen import Screen
from bptt_tui.session import Session, load
from bptt_tui.tui.app import DebuggerApp, make_app
from bptt_tui.tui.bars import MessageBar
from bptt_tui.tui.debugger_screen import DebuggerScreen
from bptt_tui.tui.ink import Line
from bptt_tui.tui.prompt import Prompt
from bptt_tui.tui.snapshot import screen_of

FULL, MEDIUM, SMALL = (120, 36), (80, 24), (40, 12)
Shown = TypeVar("Shown")


def text_of(lines: Iterable[Line]) -> list[str]:
    """Lines without their inks."""
    return ["".join(text for text, _ in line) for line in lines]


@dataclass
class Opened:
    """A running debugger with the questions that tests ask of it."""

    app: DebuggerApp
    pilot: Pilot[None]

    @property
    def view(self) -> View:
        return self.app.debugger.view

    @property
    def main(self) -> DebuggerScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, DebuggerScreen)
        return screen

    @property
    def message(self) -> str:
        return self.main.query_one(MessageBar).text

    def on(self, kind: type[Shown]) -> Shown:
        """The screen that has the keys, which is one of this kind."""
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, line: str) -> None:
        """Open the command line, write a line and give it: every letter pressed would cost a wait."""
        await self.pilot.press("colon")
        self.main.query_one(Prompt).value = line
        await self.press("enter")

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what takes its time: a thread, a clock that is not due yet."""
        await until(holds)

    async def choose(self, text: str) -> None:
        """Have the palette search for a text, take the first that it finds, and wait until that is done."""
        await self.pilot.press("ctrl+p")
        palette = self.app.screen
        assert isinstance(palette, CommandPalette)
        palette.query_one(Input).value = text
        await until(lambda: text.casefold() in _first(palette).casefold() and self._searched(palette))
        await self.pilot.press("enter")
        if self.app.screen is palette:  # the first enter chose among several
            await self.pilot.press("enter")
        await until(lambda: self.app.screen is not palette)
        await self.pilot.pause()

    def _searched(self, palette: CommandPalette) -> bool:
        return all(worker.is_finished for worker in self.app.workers if worker.node is palette)

    def drawn(self) -> Screen:
        return screen_of(self.app)

    def text(self) -> str:
        return self.drawn().text()

    def dialog_text(self) -> str:
        """The dialog alone, without what shows around it."""
        box = self.app.screen.children[0].region
        lines = self.text().splitlines()[box.y : box.bottom]
        return "\n".join(line[box.x : box.right].rstrip() for line in lines) + "\n"


def _first(palette: CommandPalette) -> str:
    found = palette.query_one(CommandList)
    return str(found.get_option_at_index(0).prompt) if found.option_count else ""


@asynccontextmanager
async def opened(
    session: Session | str = "question",
    at: int | None = None,
    size: tuple[int, int] = FULL,
    *,
    replay: bool = False,
    speed: float = 1.0,
    theme: str | None = None,
) -> AsyncIterator[Opened]:
    """The debugger on a session, first frame drawn."""
    loaded = load(session) if isinstance(session, str) else session
    app = make_app(loaded, at, replay=replay, speed=speed, theme=theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Opened(app, pilot)
