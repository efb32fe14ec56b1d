"""Open an app without a terminal, draw one frame, leave: `python first_frame.py debugger|minimal`.

Prints when the frame was there, on the clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import time


async def first_frame(app: object) -> None:
    async with app.run_test(size=(120, 36)) as pilot:  # type: ignore[attr-defined]
        await pilot.pause()
        print(time.monotonic(), flush=True)


def minimal() -> object:
    """The smallest app that imports what the debugger cannot do without."""
    import numpy as np
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Minimal(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(str(np.zeros(3)))

    return Minimal()


def debugger() -> object:
    """The debugger on the question, as `bptt-tui` opens it."""
    from bptt_tui.session import load
    from bptt_tui.tui.app import make_app

    return make_app(load("question"))


if __name__ == "__main__":
    asyncio.run(first_frame({"minimal": minimal, "debugger": debugger}[sys.argv[1]]()))
