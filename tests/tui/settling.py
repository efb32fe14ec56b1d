"""Waiting until an app has nothing left to do, by asking its event loop rather than the clock.

Textual's own wait looks at how much processor time passes in fiftieths of a second: 60 ms a key where nothing else
runs, and on a busy machine, where a process gets little of the processor, it takes work that is still to do for rest.
Here an app is at rest when its event loop has nothing ready to run and the screen has drawn what it was told to draw.
Timers that are not due and threads are not waited for: a test that wants those says what it waits for (`until`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual._context import active_app
from textual.screen import Screen

TURNS = 8  # of the event loop with nothing ready, one after the other: futures wake their waiters a turn later


async def settled(_min_sleep: float = 0.0, _max_sleep: float = 0.0) -> None:
    """Takes the place of `textual._wait.wait_for_idle`."""
    await _drained()
    app = active_app.get(None)
    while app is not None and app.is_running and app.screen_stack and _has_to_draw(app.screen):
        app.screen._on_timer_update()  # otherwise a timer of a sixtieth of a second draws
        await _drained()


def _has_to_draw(screen: Screen[object]) -> bool:
    """Or to call back what asked to be called after the drawing."""
    return not screen.app._batch_count and (screen._update_timer._active.is_set() or bool(screen._callbacks))


async def _drained() -> None:
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    rest = 0
    while rest < TURNS:
        await asyncio.sleep(0)
        rest = 0 if ready else rest + 1


async def until(holds: Callable[[], object], what: str = "", seconds: float = 30.0) -> None:
    """Let the app run until something holds; AssertionError if it still does not after so long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {what or holds}"
        await asyncio.sleep(0.005)
    await settled()
