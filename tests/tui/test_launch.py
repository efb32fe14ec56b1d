"""What a start does not pay for: the rooms and libraries that only later commands need."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from opening import opened
from textual.css.stylesheet import Stylesheet

FIRST_FRAME = Path(__file__).parents[1] / "benchmarks" / "first_frame.py"
SELDOM = {
    "bptt_tui.debugger.answer_slips",
    "bptt_tui.debugger.answers",
    "bptt_tui.debugger.attempts",
    "bptt_tui.debugger.blame",
    "bptt_tui.debugger.blocks",
    "bptt_tui.debugger.commands",
    "bptt_tui.debugger.conditions",
    "bptt_tui.debugger.decay",
    "bptt_tui.debugger.inspect",
    "bptt_tui.debugger.judging",
    "bptt_tui.debugger.moments",
    "bptt_tui.debugger.patterns",
    "bptt_tui.debugger.quantities",
    "bptt_tui.debugger.setting",
    "bptt_tui.debugger.stops",
    "bptt_tui.debugger.sweep",
    "bptt_tui.debugger.transcript",
    "bptt_tui.derivation.verification",
    "bptt_tui.session.drafts",
    "bptt_tui.session.totals",
    "bptt_tui.trace.verify",
    "bptt_tui.tui.dialogs",
    "bptt_tui.tui.help",
    "bptt_tui.tui.files",
    "bptt_tui.tui.inspector",
    "bptt_tui.tui.markdown",
    "bptt_tui.tui.palette",
    "bptt_tui.tui.prompt",
    "bptt_tui.tui.recovery",
    "bptt_tui.tui.settings",
    "bptt_tui.tui.tracing",
    "hashlib",
    "json",
}


def test_the_first_frame_loads_nothing_that_only_later_commands_need():
    """The debugger on the question is drawn without searching, judging, dialogs, the command line, hashing or json."""
    program = f"""
import runpy, sys
sys.argv = ["first_frame", "debugger"]
runpy.run_path({str(FIRST_FRAME)!r}, run_name="__main__")
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "bptt_tui.tui.debugger_screen" in loaded
    assert sorted(SELDOM & loaded) == []


async def test_the_style_sheets_are_read_once(monkeypatch):
    """Neither the theme nor the place of the first screen makes the app read its style sheets a second time."""
    again: list[Stylesheet] = []
    reparse = Stylesheet.reparse
    monkeypatch.setattr(Stylesheet, "reparse", lambda self: (again.append(self), reparse(self)))
    async with opened() as debugger:
        assert again == []
        debugger.app.theme = "textual-light"
        await debugger.pilot.pause()
        assert len(again) == 1


def test_what_is_loaded_late_is_there():
    """A module that was renamed would pass for one that is not loaded."""
    assert [name for name in sorted(SELDOM) if find_spec(name) is None] == []
