"""Lessons and completion on the command line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest
from click.shell_completion import ShellComplete

from bptt_tui.cli import cli
from bptt_tui.session import load

Run = Callable[..., tuple[int, str, str]]


def test_lessons_are_listed_after_the_networks(run: Run) -> None:
    """With titles that say what one learns."""
    lines = run("sessions")[1].splitlines()
    assert [line.split()[0] for line in lines[-4:]] == [
        "lesson-question", "lesson-sum", "lesson-softmax", "lesson-vanishing",
    ]  # fmt: skip
    assert all("Lesson: " in line for line in lines[-4:]) and not any("Lesson" in line for line in lines[:-4])


def test_a_lessons_transcript_has_its_notes_where_they_belong(run: Run) -> None:
    """Headless: chapter, numbers and note of each position, then the verified totals."""
    status, out, err = run("replay", "lesson-question", "--headless")
    assert (status, err) == (0, "")
    session = load("lesson-question")
    for note in session.debugger.notes:
        assert all(f"│ {line}".rstrip() in out for line in note.text.split("\n"))
    edge = out.index("  │ *This is the w₁.*")
    assert out.rindex("∂b₁/∂s₀ = w = 0.6 → -0.637385", 0, edge) < edge
    assert all(f"  · {chapter.title}\n" in out for chapter in session.debugger.chapters)
    assert out.endswith("expected: the totals hold\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_the_shell_accepts(run: Run, shell: str) -> None:
    """It asks this program; where the shell is installed, it parses the script."""
    status, out, err = run("completion", shell)
    assert (status, err) == (0, "")
    assert f"_BPTT_TUI_COMPLETE={shell}_complete" in out
    program = shutil.which(shell)
    if program is not None:
        parsed = subprocess.run([program, "-n"], input=out, capture_output=True, text=True, check=False)
        assert (parsed.returncode, parsed.stderr) == (0, "")


def test_completion_of_another_shell_is_refused(run: Run) -> None:
    """One line, with the shells there are."""
    status, out, err = run("completion", "tcsh")
    assert (status, out) == (2, "") and "'bash', 'zsh', 'fish'" in err


def test_lessons_and_shells_complete() -> None:
    """Sessions where one is due, commands first, and the shells of `completion`."""
    shell = ShellComplete(cli, {}, "bptt-tui", "_BPTT_TUI_COMPLETE")
    lessons = [item.value for item in shell.get_completions(["replay"], "lesson-s")]
    assert lessons[:2] == ["lesson-sum", "lesson-softmax"]
    assert "completion" in [item.value for item in shell.get_completions([], "comp")]
    assert [item.value for item in shell.get_completions(["completion"], "")] == ["bash", "zsh", "fish"]
