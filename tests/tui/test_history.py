"""The lines of the command line outlive the app, and no file can do harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bptt_tui.tui.completion import files
from bptt_tui.tui.history import MOST, History, history_path


def test_lines_come_back_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    history = History(remembered=True)
    for line in ("goto 3", "print w", "print w", "goto s₀"):
        history.add(line)
    assert History(remembered=True).lines == ["goto 3", "print w", "goto s₀"]
    assert history_path().is_relative_to(tmp_path) and history_path().stat().st_mode & 0o077 == 0


def test_the_file_is_cut_and_control_characters_stay_out(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"\x1b]0;owned\x07\n\xff\xfe\n" + b"".join(b"goto %d\n" % i for i in range(5000)))
    lines = History(path).lines
    assert len(lines) == MOST and lines[-1] == "goto 4999"
    assert path.read_text().count("\n") == MOST


def test_what_is_no_file_is_no_history(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    for name in ("pipe", "directory", "missing/deeper"):
        history = History(tmp_path / name)
        assert history.lines == []
        history.add("next")
        assert history.lines == ["next"]


def test_files_are_completed(tmp_path: Path) -> None:
    (tmp_path / "walk.json").touch()
    (tmp_path / "wide").mkdir()
    (tmp_path / "notes.txt").touch()
    line = f"save {tmp_path}/w"
    found = files(line, line.removeprefix("save "))
    assert [option.text for option in found.options] == [f"{tmp_path}/walk.json", f"{tmp_path}/wide/"]
    assert files("save /nowhere/x", "/nowhere/x").options == ()
