"""The real program on a pseudo-terminal: killed in the middle of work, it offers the work when it is opened again."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bptt_tui.session import drafts, load
from bptt_tui.session.drafts import left_over

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


class Terminal:
    """`bptt-tui` on a pseudo-terminal of 120×36, and everything it has drawn."""

    def __init__(self, arguments: tuple[str, ...], cwd: Path) -> None:
        program = arguments if arguments[:1] == ("-c",) else ("-m", "bptt_tui", *arguments)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none", "PYTHONPATH": str(ROOT)}
        self.child = subprocess.Popen(
            [sys.executable, *program],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._drawn = b""

    @property
    def seen(self) -> str:
        """What was drawn since it was last waited for, without colours and places."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._drawn.decode(errors="replace"))

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def command(self, line: str) -> None:
        """Give a line, once the command line is there to take it."""
        self.press(":")
        self.until("a command, such as")
        self.press(line + "\r")

    def until(self, *wanted: str) -> None:
        """Read until all of it has been drawn since the last call."""
        self.wait_for(lambda: all(text in self.seen for text in wanted), f"{wanted} on the screen")
        self._drawn = b""

    def wait_for(self, holds: Callable[[], object], what: str) -> None:
        """Read whatever is drawn until something holds."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"no {what} in {SECONDS} seconds; there was: {self.seen[-3000:]}"
            ready, _, _ = select.select([self._ours], [], [], 0.02)
            if ready:
                try:
                    part = os.read(self._ours, 65536)
                except OSError:  # Linux says EIO once the other end is closed
                    part = b""
                if not part and self.child.poll() is not None:
                    assert holds(), f"the program ended without {what}: {self.seen[-3000:]}"
                    return
                self._drawn += part

    def over(self) -> int:
        """Read until the program has ended; its exit status."""
        self.wait_for(lambda: self.child.poll() is not None, "end")
        return self.child.wait()

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        os.close(self._ours)


@contextlib.contextmanager
def terminal(*arguments: str, cwd: Path = ROOT) -> Iterator[Terminal]:
    opened = Terminal(arguments, cwd)
    try:
        yield opened
    finally:
        opened.close()


def draft_with(commands: int, text: str = "") -> Callable[[], bool]:
    """Whether a draft on the disk has so many commands and a text in it."""

    def holds() -> bool:
        for path in drafts.directory().glob("*.draft"):
            draft = path.read_text(encoding="utf-8")
            if draft.count('"command":') == commands and text in draft:
                return True
        return False

    return holds


def test_work_is_offered_back_after_a_kill_and_recovered(tmp_path: Path) -> None:
    """Changed values, a note, the position and the recording, in the session's own file; a save removes the draft."""
    load("question").save(tmp_path / "mine.json")
    with terminal("mine.json", cwd=tmp_path) as first:
        first.until("unrolled")
        first.press("nnn")
        first.command("set w 0.9")
        first.until("expected totals")
        first.command("note mind the sign")
        first.until("note 1")
        first.wait_for(draft_with(4, "mind the sign"), "draft of four commands")
        first.kill()
    assert load(tmp_path / "mine.json").recording == ()
    with terminal("mine.json", cwd=tmp_path) as second:
        second.until("work was left behind", "values changed, 1 note, 4 commands", "recover it")
        second.press("\r")
        second.until("recovered", "recording 4", "step 3 of 27")
        second.press("n")
        second.until("recording 6")
        second.press("\x13")
        second.until("saved to")
        assert left_over().drafts == [] and not list(drafts.directory().iterdir())
        second.press("q")
        assert second.over() == 0
    saved = load(tmp_path / "mine.json")
    assert saved.parameters["w"] == 0.9 and saved.debugger.notes[0].text == "mind the sign"
    # As after any reopening, the gradient is compared with what was opened from then on.
    assert [entry.command for entry in saved.recording] == [
        *["next"] * 3, "set w 0.9", "baseline", "next",
    ]  # fmt: skip
    assert saved.debugger.position == 4


def test_without_an_argument_any_work_is_offered_and_can_be_discarded(tmp_path: Path) -> None:
    with terminal("vectors") as first:
        first.until("unrolled")
        first.press("nn")
        first.wait_for(draft_with(2), "draft of two commands")
        first.kill()
    with terminal("answer") as other:
        other.until("unrolled")
        other.press("q")
        assert other.over() == 0
    with terminal() as second:
        second.until("work was left behind", "Vectors and matrices", "2 commands")
        second.press("\x1b[B\r")
        second.wait_for(lambda: not list(drafts.directory().iterdir()), "empty directory")
        second.press("n")
        second.until("step 1 of 27")
        second.press("q")
        assert second.over() == 0


def test_what_is_put_off_is_offered_again_and_a_running_app_keeps_its_own(tmp_path: Path) -> None:
    with terminal("answer") as first:
        first.until("unrolled")
        first.press("nn")
        first.wait_for(draft_with(2), "draft of two commands")
        with terminal("answer") as second:  # the first is alive: nothing is offered
            second.until("unrolled")
            second.press("nnn")
            second.wait_for(draft_with(3), "draft of three commands")
            assert "left behind" not in second.seen
            second.press("q")
            assert second.over() == 0
        assert draft_with(2)()
        first.kill()
    with terminal("answer") as third:
        third.until("work was left behind")
        third.press("\x1b[B\x1b[B\r")
        third.until("unrolled")
        third.press("q")
        assert third.over() == 0
    with terminal("answer") as fourth:
        fourth.until("work was left behind", "2 commands")


def test_a_clean_end_leaves_nothing(tmp_path: Path) -> None:
    with terminal("question") as only:
        only.until("unrolled")
        only.press("nn")
        only.wait_for(draft_with(2), "draft of two commands")
        only.press("q")
        assert only.over() == 0
    assert not list(drafts.directory().iterdir())


def test_a_draft_that_cannot_be_read_is_one_line_on_the_screen(tmp_path: Path) -> None:
    drafts.directory().mkdir(parents=True)
    path = drafts.directory() / f"{drafts.key_of(load('question'))}-1-01234567.draft"
    path.write_bytes(b"\x1b]0;x\x07\n{")
    with terminal("question") as only:
        only.until("not recovered")
        only.press("n")
        only.until("step 1 of 27")
        only.press("q")
        assert only.over() == 0
    assert path.exists()


def test_debug_opens_sessions_of_python_one_after_the_other() -> None:
    """Each with a draft of its own, which goes when it is left."""
    program = """
import bptt_tui
session = bptt_tui.load("question")
bptt_tui.debug(session)
bptt_tui.debug(session.replace(title="Another"), at=3)
print("both are over")
"""
    with terminal("-c", program) as only:
        only.until("unrolled", "The question")
        only.press("nn")
        only.wait_for(draft_with(2), "draft of two commands")
        only.press("q")
        only.until("Another", "step 3 of 27")
        assert not list(drafts.directory().glob("*"))
        only.press("q")
        only.until("both are over")
        assert only.over() == 0


@pytest.fixture(autouse=True)
def same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs started here and this process look into the same directory."""
    assert "XDG_STATE_HOME" in os.environ
