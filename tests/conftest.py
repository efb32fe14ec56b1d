"""What every drawn test needs: goldens as files to look at, and a terminal that is the same everywhere.

`screen_golden` compares a screen's text, `picture_golden` its SVG. After looking at a change, accept it with
`pytest --snapshot-update`.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class ScreenGolden(SingleFileSnapshotExtension):
    """One `.txt` file per screen; a failure prints the lines that changed."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class PictureGolden(SingleFileSnapshotExtension):
    """One `.svg` file per picture, to be opened and looked at."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def screen_golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(ScreenGolden)


@pytest.fixture
def picture_golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(PictureGolden)


@pytest.fixture(autouse=True)
def same_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wish of the caller's environment reaches a drawing."""
    for name in ("NO_COLOR", "COLORTERM", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "LINES", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def no_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller opened lately or left unsaved plays no part, and nothing is written there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
