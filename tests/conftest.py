"""What every test needs: the same examples, a terminal that is the same everywhere, goldens as files to look at.

`screen_golden` compares a screen's text, `picture_golden` its SVG. After looking at a change, accept it with
`pytest --snapshot-update`.
"""

from __future__ import annotations

from itertools import count

import hypothesis_profiles  # noqa: F401
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
    for name in (
        "PYTHONUNBUFFERED",
        "PYTHONIOENCODING",
        "PYTHONUTF8",
        "PYTHONWARNINGS",
    ):  # of programs that tests start
        monkeypatch.delenv(name, raising=False)


_TESTS = count()


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's settings, recent files, history and unsaved work play no part, and neither do another test's."""
    own = tmp_path_factory.getbasetemp() / "own" / str(next(_TESTS))
    for name in ("STATE", "CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(own / name.lower()))
