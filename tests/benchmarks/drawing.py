"""How long a step takes on the screen: the widgets' own work from the View to rendered lines."""

from __future__ import annotations

import statistics
import time

from bptt_tui.session import Session
from bptt_tui.tui.app import make_app
from bptt_tui.tui.debugger_screen import DebuggerScreen


async def repaint_milliseconds(session: Session, keys: int = 30) -> float:
    """The median time of `next`, all widgets shown and the whole screen rendered again, at 200×50."""
    app = make_app(session)
    times = []
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        app.debugger.do(f"goto {app.debugger.last * 3 // 4}")
        screen.show(app.debugger.view)
        await pilot.pause()
        for _ in range(keys):
            start = time.perf_counter()
            screen.show(app.debugger.do("next"))
            screen._compositor.render_strips()
            times.append(time.perf_counter() - start)
            await pilot.pause()
    return statistics.median(times) * 1e3
