"""What holds of the tests themselves: they are the same on every run, and none waits for a time to pass."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import settings

TESTS = Path(__file__).parent
POLLS = {"tui/settling.py"}  # looks again and again, with a deadline
TIMES = {"benchmarks/timing.py"}  # measures, and asserts nothing


def test_hypothesis_tries_the_same_examples_on_every_run_and_gives_them_time() -> None:
    assert settings().derandomize and settings().deadline is None and settings().database is None


def test_no_test_sleeps() -> None:
    """A time that is enough here is not enough on a busy machine, and too long on every other."""
    sleeps = re.compile(r"\bpause\([\d.]+\)|\bsleep\((?!0\))")
    found = {
        f"{path.relative_to(TESTS)}:{number}"
        for path in TESTS.rglob("*.py")
        if path.relative_to(TESTS).as_posix() not in POLLS | TIMES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sleeps.search(line)
    }
    assert found == set()
