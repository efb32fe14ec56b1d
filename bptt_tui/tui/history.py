"""The lines given on the command line, kept from one time to the next in the user's state directory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from bptt_tui.language.sanitise import visible

MOST = 1000  # lines
SIZE_LIMIT = 1 << 20


def history_path() -> Path:
    """Where the lines are kept; XDG_STATE_HOME is respected."""
    from platformdirs import user_state_path

    return user_state_path("bptt-tui") / "history"


class History:
    """Lines, oldest first. With a `path` they are read from there and added to it; trouble with the file is none."""

    def __init__(self, path: Path | None = None, *, remembered: bool = False) -> None:
        """With `remembered`, at the usual place. The file is read when the first line is wanted."""
        self._path = path
        self._remembered = remembered
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """All lines, oldest first."""
        if self._lines is None:
            if self._remembered and self._path is None:
                self._path = history_path()
            self._lines = [] if self._path is None else _read(self._path)
        return self._lines

    def add(self, line: str) -> None:
        """Keep a line, once where it is given again and again."""
        if self.lines[-1:] == [line]:
            return
        self._lines = [*self.lines, line][-MOST:]
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
                with os.fdopen(os.open(self._path, flags, 0o600), "ab") as file:
                    file.write(f"{line}\n".encode())

    def before(self, at: int, text: str, *, anywhere: bool = False) -> int | None:
        """The last line before number `at` that begins with `text`, or has it `anywhere`; no line comes twice."""
        return self._first(range(at - 1, -1, -1), at, text, anywhere)

    def after(self, at: int, text: str) -> int | None:
        """The first line after number `at` that begins with `text`."""
        return self._first(range(at + 1, len(self.lines)), at, text, False)

    def _first(self, numbers: range, at: int, text: str, anywhere: bool) -> int | None:
        now = self.lines[at] if at < len(self.lines) else None
        for number in numbers:
            line = self.lines[number]
            if line != now and (text in line if anywhere else line.startswith(text)):
                return number
        return None


def _read(path: Path) -> list[str]:
    """The lines of the file that are plain text; a long file is cut when it is read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - SIZE_LIMIT, 0))
            data = file.read(SIZE_LIMIT)
    except OSError:
        return []
    lines = data.decode(errors="replace").split("\n")
    kept = [line for line in lines[size > SIZE_LIMIT :] if line and visible(line) == line][-MOST:]
    if len(lines) > 2 * MOST:
        with contextlib.suppress(OSError):
            temporary = path.with_name(f".history-{os.getpid()}.tmp")
            temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
            temporary.replace(path)
    return kept
