"""The commands that run the debugger: run, replay, snapshot, and the screen itself on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.transcript import describe
from bptt_tui.session import Expected, Recorded, bundled, load

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


def states(transcript: str) -> list[str]:
    """What was shown at the start and after each command."""
    return re.split(r"\n\(bptt\) .*\n", transcript)


# --- run -----------------------------------------------------------------------------------------------------------


def test_run_prints_where_it_starts_and_what_each_command_shows(run: Run) -> None:
    """A transcript: the start, then every command with the position it leads to."""
    status, out, err = run("run", "question", "-x", "next", "-x", "goto s[0]")
    assert (status, err) == (0, "")
    assert out.startswith("step 0 of 27  forward\n\n(bptt) next\nstep 1 of 27  forward  t = 0\n")
    assert "\n(bptt) goto s[0]\nstep 4 of 27  forward  t = 0\n" in out
    assert "s₀ = tanh(0.58) = 0.522665" in out


@pytest.mark.parametrize("name", bundled.names())
def test_end_and_stepping_node_by_node_lead_to_the_same_state(run: Run, name: str) -> None:
    """`-x end -x where` says what as many `next` say, and the transcript is the debugger's own description."""
    debugger = Debugger(load(name))
    last = debugger.last
    at_once = states(run("run", name, "-x", "end", "-x", "where")[1])
    stepped = states(run("run", name, *["-x", "next"] * last, "-x", "where")[1])
    assert at_once[-1] == stepped[-1]
    assert at_once[-2].rstrip("\n") == stepped[-2].rstrip("\n")
    walked = [describe(debugger.view), *(describe(debugger.do("next")) for _ in range(last))]
    assert [state.rstrip("\n") for state in stepped[:-1]] == walked


def test_a_script_has_comments_and_comes_before_x(run: Run, tmp_path: Path) -> None:
    """Blank lines and what follows # are left out; -x goes on from where the script ends."""
    script = tmp_path / "walk.txt"
    script.write_text("# a walk\n\nnext\n  next 2   # two more\ngoto 4\n", encoding="utf-8")
    status, out, _ = run("run", "question", "-x", "where", "--script", str(script))
    assert status == 0
    assert re.findall(r"\(bptt\) (.*)", out) == ["next", "next 2", "goto 4", "where"]


def test_a_script_can_come_from_a_pipe() -> None:
    """`--script -` reads standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "bptt_tui", "run", "question", "--script", "-"],
        input="next\nrewind\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [state.splitlines()[0] for state in states(done.stdout)] == [
        "step 0 of 27  forward",
        "step 1 of 27  forward  t = 0",
        "step 0 of 27  forward",
    ]


def test_a_command_that_cannot_be_done_ends_the_run_with_its_place(run: Run, tmp_path: Path) -> None:
    """What was done stays printed; the error names the option, or the script and the line."""
    status, out, err = run("run", "question", "-x", "next", "-x", "goto 999", "-x", "next")
    assert status == 2
    assert out.count("(bptt)") == 1
    assert err == 'bptt-tui: -x "goto 999": there is no position 999; the positions are 0 … 27\n'
    script = tmp_path / "walk.txt"
    script.write_text("next\n\nnxet\n", encoding="utf-8")
    status, _, err = run("run", "question", "--script", str(script))
    assert status == 2
    assert err == f"bptt-tui: {script}: line 3: there is no command 'nxet'; did you mean 'next'?\n"


@pytest.mark.parametrize(("content", "said"), [(None, "no such file"), (b"\xff\xfe", "not UTF-8 text")])
def test_a_script_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path, content: bytes | None, said: str) -> None:
    """A missing or binary script is refused before anything runs."""
    script = tmp_path / "walk.txt"
    if content is not None:
        script.write_bytes(content)
    status, out, err = run("run", "question", "--script", str(script))
    assert (status, out) == (2, "")
    assert err.startswith(f"bptt-tui: {script}: ") and said in err and err.count("\n") == 1


def test_commands_reach_the_terminal_sanitised(run: Run) -> None:
    """An escape sequence in a command is spelled out, in the transcript and in the error."""
    status, out, err = run("run", "question", "-x", "next  \x1b[31m", "-x", "next")
    assert status == 2
    assert "\x1b" not in out + err
    assert "\\x1b[31m" in err


# --- replay --------------------------------------------------------------------------------------------------------


def recorded(tmp_path: Path, *commands: str, **changes: object) -> str:
    path = tmp_path / "walk.json"
    entries = tuple(Recorded(at=float(i), command=command) for i, command in enumerate(commands))
    load("question").with_state(recording=entries).replace(**changes).save(path)
    return str(path)


def test_replay_headless_plays_from_the_beginning_and_verifies(run: Run, tmp_path: Path) -> None:
    """The recording is the transcript that `run` gives for the same commands; then the totals hold."""
    commands = ("next", "goto dE/ds[0]", "step", "end")
    path = recorded(tmp_path, *commands)
    status, out, err = run("replay", path, "--headless")
    assert (status, err) == (0, "")
    asked = run("run", path, *(part for command in commands for part in ("-x", command)))[1]
    assert out == asked + "expected: the totals hold\n"


def test_a_walk_that_was_saved_replays_to_where_it_was_saved(run: Run, tmp_path: Path) -> None:
    """Step, save, open again: the same position; replay: the same last state."""
    path = tmp_path / "walk.json"
    debugger = Debugger(load("vectors"))
    for command in ("next 5", "finish", "goto dE/ds[1]", "rewind", "step"):
        debugger.do(command)
    debugger.save(path)
    assert Debugger(load(path)).view.position == debugger.view.position
    out = run("replay", str(path), "--headless")[1]
    assert states(out)[-1] == describe(debugger.view) + "\nexpected: the totals hold\n"


def test_a_replay_begins_without_the_stops_that_its_recording_sets_later(run: Run, tmp_path: Path) -> None:
    """They are saved with the session: a continue before them is not stopped, and their numbers are those of then."""
    path = tmp_path / "walk.json"
    debugger = Debugger(load("question"))
    for command in ("break u", "delete 1", "continue", "goto 3", "break s[1]", "continue", "condition 2 t > 5"):
        debugger.do(command)
    assert debugger.view.position == 8
    debugger.save(path)
    status, out, err = run("replay", str(path), "--headless")
    assert (status, err) == (0, "")
    assert "at the end" in states(out)[3] and "breakpoint 2 at s₁" in states(out)[6] and "breakpoint 1 at" not in out


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Expected(loss=1.2), "expected: the loss is 1.21117763452"),
        (Expected(gradient={"w": -0.729768}), "expected: ∂E/∂w is -0.694211619101"),
        (Expected(gradient={"v": [0.31692063203781107, 0.31692063203781107]}), "expected: ∂E/∂v[1] is -0.3169206"),
    ],
)
def test_replay_exits_with_1_when_the_totals_do_not_hold(
    run: Run, tmp_path: Path, expected: Expected, said: str
) -> None:
    """Planted wrong totals, a learner's slip among them, are named and make the command false."""
    status, out, err = run("replay", recorded(tmp_path, "next", expected=expected), "--headless")
    assert (status, err) == (1, "")
    assert said in out


def test_a_tolerance_in_the_file_is_used(run: Run, tmp_path: Path) -> None:
    """Rounded totals hold within the tolerance that the file gives them."""
    rounded = {"u": 0.8307, "w": -0.6942}
    assert run("replay", recorded(tmp_path, expected=Expected(gradient=rounded)), "--headless")[0] == 1
    (tmp_path / "walk.json").unlink()
    loose = Expected(gradient=rounded, tolerance=1e-4)
    assert run("replay", recorded(tmp_path, expected=loose), "--headless")[0] == 0


def test_replay_without_totals_says_so(run: Run, tmp_path: Path) -> None:
    """Nothing to verify is not a passed verification, and not a failed one."""
    status, out, _ = run("replay", recorded(tmp_path, "next", expected=None), "--headless")
    assert status == 0
    assert out.endswith("expected: this session carries no totals to verify\n")


def test_a_recording_that_cannot_be_played_names_the_entry(run: Run, tmp_path: Path) -> None:
    """A command of another network's recording is refused with its place in the file."""
    path = recorded(tmp_path, "next", "goto h[0]")
    status, _, err = run("replay", path, "--headless")
    assert status == 2
    assert err.startswith(f"bptt-tui: {path}: recording[1]: there is no node h; ")


@pytest.mark.parametrize("name", bundled.names())
def test_every_bundled_session_verifies(run: Run, name: str) -> None:
    """`replay --headless` is true for what the program ships."""
    status, out, _ = run("replay", name, "--headless")
    assert status == 0
    assert out.endswith("expected: the totals hold\n")


# --- snapshot ------------------------------------------------------------------------------------------------------


def test_snapshot_writes_text_and_svg(run: Run, tmp_path: Path) -> None:
    """The screen at a position, as the suffix says; an old file is replaced."""
    for suffix, sign in ((".txt", "tanh"), (".svg", "<svg")):
        path = tmp_path / f"q{suffix}"
        path.write_text("old")
        assert run("snapshot", "question", "--at", "4", "-o", str(path)) == (0, "", "")
        assert sign in path.read_text(encoding="utf-8")
    lines = (tmp_path / "q.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 36 and max(map(len, lines)) <= 120
    assert "0.522665" in (tmp_path / "q.txt").read_text(encoding="utf-8")


def test_snapshot_has_the_size_asked_for(run: Run, tmp_path: Path) -> None:
    """`--size` is columns × rows."""
    assert run("snapshot", "vectors", "--at", "9", "--size", "80x24", "-o", str(tmp_path / "v.txt"))[0] == 0
    lines = (tmp_path / "v.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "999"], "there is no position 999; the positions are 0 … 27"),
        (["--theme", "no-such-theme"], "no-such-theme"),
    ],
)
def test_snapshot_refuses_in_one_line(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    """A position there is not, a theme there is not: exit 2, no file."""
    status, out, err = run("snapshot", "question", *arguments, "-o", str(tmp_path / "q.svg"))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_snapshot_into_a_missing_directory_is_one_line(run: Run, tmp_path: Path) -> None:
    """Where the picture cannot be written, the path and the reason are said."""
    path = tmp_path / "missing" / "q.svg"
    status, _, err = run("snapshot", "question", "-o", str(path))
    assert (status, err) == (2, f"bptt-tui: {path}: there is no such file or directory\n")


# --- the screen, on a pseudo-terminal --------------------------------------------------------------------------------


@contextlib.contextmanager
def terminal(*arguments: str, cwd: Path = ROOT) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`bptt-tui` on a pseudo-terminal of 120×36: the process, and the terminal's other end."""
    ours, theirs = pty.openpty()
    try:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none", "PYTHONPATH": str(ROOT)}
        child = subprocess.Popen(
            [sys.executable, "-m", "bptt_tui", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            yield child, ours
        finally:
            child.kill()
            child.wait()
    finally:
        os.close(ours)


def output_until(ours: int, wanted: bytes, seconds: float = 60) -> bytes:
    """What the terminal received, up to `wanted`, or until the program closed it."""
    seen = b""
    deadline = time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < deadline:
        ready, _, _ = select.select([ours], [], [], 0.2)
        if ready:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says EIO once the other end is closed
                break
            if not part:
                break
            seen += part
    return seen


def test_the_debugger_opens_steps_and_quits() -> None:
    """`bptt-tui question --at 3` shows the network; n steps to s₀; q leaves with 0."""
    with terminal("question", "--at", "3") as (child, ours):
        assert b"unrolled" in output_until(ours, b"unrolled")
        os.write(ours, b"n")
        assert b"0.522665" in output_until(ours, b"0.522665")
        os.write(ours, b"q")
        output_until(ours, b"\0 never sent")
        assert child.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--at", "999"), "bptt-tui: there is no position 999; the positions are 0 … 27"),
        (("missing.json",), "bptt-tui: missing.json: there is no such file or directory"),
    ],
)
def test_what_is_wrong_is_said_before_the_screen_opens(arguments: tuple[str, ...], said: str) -> None:
    """An error leaves the terminal as it was: one line, exit 2, no escape sequence."""
    with terminal(*arguments) as (child, ours):
        shown = output_until(ours, b"\0 never sent").decode()
        assert child.wait(20) == 2
    assert shown.startswith(said)
    assert shown.count("\n") == 1
    assert "\x1b" not in shown
