"""Every test of the screens waits for the app, not for the clock: see `settling`."""

from __future__ import annotations

import pytest
from settling import settled


@pytest.fixture(autouse=True)
def waits_for_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.app.wait_for_idle", settled)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)
