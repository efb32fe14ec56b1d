"""`bptt-tui verify`: counts, the worst entry, what differs, and an exit status that scripts can use."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bptt_tui.session import Session, bundled
from bptt_tui.trace.trace import Trace

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """∂E/∂W and ∂E/∂k come out 0.1 % too large."""
    true = Trace.__init__

    def wrong(self: Trace, *args: object, **options: object) -> None:
        true(self, *args, **options)  # type: ignore[arg-type]
        for name in {"W", "k"} & set(self.gradient):
            self.gradient[name] = self.gradient[name] * 1.001

    monkeypatch.setattr(Trace, "__init__", wrong)


@pytest.mark.parametrize("name", bundled.names())
def test_every_bundled_session_holds(run: Run, name: str) -> None:
    """Exit 0, a verdict, nothing on stderr."""
    status, out, err = run("verify", name)
    assert (status, err) == (0, "")
    assert out.endswith("\nthe gradient holds\n")
    assert "skipped" not in out and "differs:" not in out


def test_the_table(run: Run) -> None:
    """One row per parameter, and the worst entry with its use."""
    status, out, _ = run("verify", "question")
    lines = out.splitlines()
    assert lines[0] == "The question: two steps, many to one"
    assert lines[3].split("   ")[-3:] == ["differs", "cannot verify", "not differentiable here"]
    assert [line.split()[:2] for line in lines[4:8]] == [["∂E/∂u", "3"], ["∂E/∂w", "3"], ["∂E/∂v", "4"], ["all", "10"]]
    (worst,) = (line for line in lines if line.startswith("worst: ∂E/∂"))
    assert "relative error" in worst
    assert status == 0


@pytest.mark.usefixtures("spoilt")
def test_what_differs_is_listed_and_the_status_is_1(run: Run) -> None:
    """Every entry that differs by name, the worst on top."""
    status, out, _ = run("verify", "vectors")
    differing = [line for line in out.splitlines() if line.startswith("differs: ")]
    assert status == 1
    assert len(differing) == 12
    assert differing[0].startswith("differs: ∂E/∂W[0][0] is -0.167")
    assert any(line.startswith("differs: ∂E/∂k[2] is ") for line in differing)
    assert "relative error 0.000999" in differing[0]
    assert out.endswith("the gradient does not hold\n")


@pytest.mark.usefixtures("spoilt")
def test_a_long_list_is_cut_at_twenty(run: Run, tmp_path: Path) -> None:
    """36 entries differ: twenty are named, the rest counted."""
    rng = np.random.default_rng(1)
    path = tmp_path / "wide.json"
    Session(
        equations=("s = tanh(W @ s[t-1])", "E = sum(s)"), parameters={"W": rng.normal(size=(6, 6))},
        initial={"s": rng.normal(size=6)}, steps=2,
    ).save(path)  # fmt: skip
    status, out, _ = run("verify", str(path))
    differing = [line for line in out.splitlines() if line.startswith("differs: ")]
    assert status == 1
    assert len(differing) == 21
    assert differing[-1] == "differs: 16 more"


def test_as_json(run: Run) -> None:
    """Counts, the worst entry and the differing ones for programs; null stands for the whole gradient."""
    status, out, _ = run("verify", "two-layers", "--format", "json")
    document = json.loads(out)
    assert status == 0
    assert (document["holds"], document["method"], document["skipped"]) == (True, "complex step", 0)
    assert document["counts"] == {"agrees": 30, "differs": 0, "cannot verify": 0, "not differentiable here": 0}
    assert set(document["parameters"]) == {"u", "w", "p", "r", "v"}
    assert set(document["worst"]) == {"parameter", "t", "entry", "derived", "nudged", "error"}
    assert document["differs"] == []


def test_a_budget_leaves_entries_out_and_says_so(run: Run) -> None:
    """Skipped is not agreed."""
    status, out, _ = run("verify", "min-char-rnn", "--budget", "50")
    assert status == 0
    assert "skipped: 650 entries; --budget takes more evaluations of the loss\n" in out


def test_what_cannot_be_compared_does_not_hold(run: Run, tmp_path: Path) -> None:
    """An infinite loss: exit 1, what went wrong first, and no claim either way."""
    path = tmp_path / "over.json"
    Session(equations=("s = exp(w * s[t-1])", "E = s"), parameters={"w": 2.0}, initial={"s": 1.0}, steps=5).save(path)
    status, out, _ = run("verify", str(path))
    assert status == 1
    assert "note: first overflow: s (t = 2)\n" in out
    assert out.endswith("nothing could be compared: the gradient is neither confirmed nor refuted\n")
    status, out, _ = run("verify", str(path), "--format", "json")
    assert (status, json.loads(out)["worst"]) == (1, None)


def test_what_cannot_be_read_is_status_2(run: Run) -> None:
    """One line on stderr."""
    for arguments in (("verify", "nowhere.json"), ("verify", "question", "--budget", "0"), ("verify",)):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("bptt-tui: ") and err.count("\n") == 1


def test_progress_shows_on_a_terminal_only_and_leaves_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first second on, on stderr, wiped at the end."""
    from bptt_tui.cli import output

    seconds = iter(range(100))
    monkeypatch.setattr(output, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    terminal = output.ProgressLine("verify")
    terminal(1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    terminal(2, 3)
    terminal(3, 3)
    assert capsys.readouterr().err == "\rverify: 2 of 3\r\x1b[K"
