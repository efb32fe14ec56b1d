"""Every test of the screens waits for the app, not for the clock: see `settling`."""

from __future__ import annotations

import pytest
from settling import settled


@pytest.fixture(autouse=True)
def waits_for_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.app.wait_for_idle", settled)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """On no machine, however busy; a test of what takes long holds it up and sets these itself."""
    for place in ("app._PATIENCE", "opening_line._AT_ONCE", "new_session._AT_ONCE", "beside.AT_ONCE"):
        monkeypatch.setattr(f"bptt_tui.tui.{place}", 60.0)
    monkeypatch.setattr("bptt_tui.tui.player._AHEAD", 60.0)
