"""table, knobs, buildup, chains: what they answer, what the next View says of them, what they refuse."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from seen import everything

from bptt_tui.debugger import Debugger
from bptt_tui.debugger.view import Exhibit
from bptt_tui.errors import CommandError
from bptt_tui.session import Session, load


def asked(line: str, session: str | Session = "question") -> str:
    debugger = Debugger(load(session) if isinstance(session, str) else session)
    return debugger.do(line).message


def test_the_table_with_its_sums() -> None:
    """A row per loss step, a column per use, nothing above the diagonal; row, column and grand sums."""
    lines = asked("table w", "many-to-many").splitlines()
    assert lines[1].split() == ["w₀", "w₁", "w₂", "sum"]
    assert [line.split()[0] for line in lines[2:]] == ["E₀", "E₁", "E₂", "sum"]
    assert [len(line.split()) for line in lines[2:]] == [3, 4, 5, 5]
    trace = load("many-to-many").trace()
    last = [float(number) for number in lines[-1].split()[1:]]
    contributions = [float(trace.contribution("w", t)) for t in (0, 1, 2)]
    assert last == pytest.approx([*contributions, float(trace.gradient["w"])], rel=1e-5)


@pytest.mark.parametrize(("mask", "kept"), [("window 1", 3), ("window 2", 5), ("window 9", 6), ("chunks 2", 4)])
def test_a_mask_says_what_it_keeps_and_gives(mask: str, kept: int) -> None:
    """The truncated gradient beside the true one."""
    debugger = Debugger(load("many-to-many"))
    message = debugger.do(f"table w {mask}").message
    kind, k = mask.split()
    found = debugger.sums.truncated("w", kind, int(k))
    assert f"{mask}: " in message and f"{kept} of 6 entries kept" in message
    shown = debugger.sums.table("w")
    assert found.kept is not None
    assert found.gradient == pytest.approx(shown.values()[found.kept].sum(), rel=1e-12)
    assert f"truncated = {float(found.gradient):.6g}" in message


def test_the_knobs_stand_beside_the_contributions() -> None:
    """All of them agree."""
    lines = asked("knobs u").splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["u₀", "u₁"]
    for line in lines[2:4]:
        _, _, slope, contribution, status = line.split()
        assert float(slope) == pytest.approx(float(contribution), rel=1e-6)
        assert status == "agrees"
    assert "2 contributions sum to 0.83067641" in lines[-1]


def test_the_build_up_adds_up() -> None:
    """∂s₁/∂w = 0.416187 + 0.477767 · 0.218046."""
    message = asked("buildup w")
    assert "t = 1  ∂s₁/∂w = 0.520363\n    ∂⁺s₁/∂w = 0.416187" in message
    assert "    ∂s₁/∂s₀ · ∂s₀/∂w = 0.477767 · 0.218046 = 0.104175" in message


def test_the_chains_to_a_use() -> None:
    """Counted, by loss step, written out; one of them with its factors."""
    message = asked("chains w[1]", "many-to-many")
    assert message.startswith("∂E/∂w₁ = 0.0847533: the sum of 2 chains\n")
    assert "through E₂       1   -0.15077" in message
    one = asked("chains w[1] 2", "many-to-many").splitlines()
    assert one[0] == "∂E/∂w₁, chain 2 of 2"
    assert one[2].split() == ["∂E/∂E₂", "1", "1×1", "1"]
    assert one[-1].split() == ["∂b₁/∂w₁", "s₀", "0.522665", "1×1", "-0.15077"]
    assert "product from loss" in asked("chains Whh[3] 1", "min-char-rnn")
    only = asked("chains w[1] t=1", "many-to-many")
    assert "through E₁: 1, their sum 0.235524" in only
    assert only.count("∂E/∂E₁ ·") == 1 and "∂E/∂E₂" not in only


def test_chains_past_counting_are_counted() -> None:
    """2^59 of them through the last loss step of 60 timesteps."""
    session = Session(
        equations=("a = w * s[t-1]", "b = tanh(s[t-1])", "s = a + b", "E = s * s"),
        parameters={"w": 0.4}, initial={"s": 0.5}, steps=60,
    )  # fmt: skip
    message = asked("chains w[0]", session)
    assert f"the sum of {2**59:,} chains".replace(",", " ") in message
    assert message.endswith("… and more; chains … N writes one out")


@pytest.mark.parametrize(
    ("line", "exhibit"),
    [
        ("table", Exhibit("table", "w")),
        ("table v[1] window 3", Exhibit("table", "v", entry=(1,), mask=("window", 3))),
        ("table u chunks 2", Exhibit("table", "u", mask=("chunks", 2))),
        ("knobs v", Exhibit("knobs", "v")),
        ("buildup", Exhibit("buildup", "w", node="s")),
        ("buildup u z", Exhibit("buildup", "u", node="z")),
        ("buildup z", Exhibit("buildup", "w", node="z")),
        ("chains s₀", Exhibit("chains", node="s", t=0)),
        ("chains dE/dw[0] 1", Exhibit("chains", node="w", t=0, number=0)),
        ("chains u[0] t=1", Exhibit("chains", node="u", t=0, loss=1)),
    ],
)
def test_the_next_view_says_what_is_to_be_seen(line: str, exhibit: Exhibit) -> None:
    """For a screen to show; the command after that, it is gone. The position stays."""
    debugger = Debugger(load("question"))
    before = everything(debugger.view)
    assert debugger.do(line).exhibit == exhibit
    assert everything(debugger.view) == before
    assert debugger.do("next").exhibit is None


def test_the_present_step_is_what_is_meant() -> None:
    """At ∂E/∂u₀, the table and the knobs are of u, the chains those to u₀."""
    debugger = Debugger(load("question"))
    debugger.do("goto dE/du[0]")
    assert debugger.do("table").exhibit == Exhibit("table", "u")
    assert debugger.do("knobs").exhibit == Exhibit("knobs", "u")
    assert debugger.do("chains").message.startswith("∂E/∂u₀ = -0.231632: the sum of 1 chain\n")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("table q", "q is not a parameter; the parameters are u, w, v"),
        ("table zz", "there is no zz"),
        ("table v[2]", "v[2] is no entry; its shape is vector (2,), as in v[0]"),
        ("table w[0]", "w[0] is no entry; w is a number"),
        ("table w window", "window of how many timesteps?; usage: table"),
        ("table w window 0", "window of how many timesteps?"),
        ("table w chunks two", "chunks of how many timesteps?"),
        ("buildup w u", "u is not a node"),
        ("buildup w q 3", "'3' is too much"),
        ("chains", "the chains to which use or node?; usage: chains"),
        ("chains v[0]", "v is not used at t = 0"),
        ("chains x[0]", "x is neither a node nor a parameter"),
        ("chains w[0] 2", "there is no chain 2; there are 1"),
        ("chains w[0] 0", "chains are counted from 1"),
        ("chains w[0] t=0", "no chain from t = 0 leads to ∂E/∂w₀; there are chains from t = 1"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(line: str, reason: str) -> None:
    """The debugger stays where it was."""
    debugger = Debugger(load("question"))
    with pytest.raises(CommandError) as caught:
        debugger.do(line)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["table", "knobs u", "buildup", "chains w[0]"])
def test_predict_mode_hides_them(line: str) -> None:
    """They would give the answers away."""
    debugger = Debugger(load("question"))
    debugger.do("predict on")
    with pytest.raises(CommandError, match="hidden in predict mode"):
        debugger.do(line)


def test_they_follow_an_edit_and_its_undoing() -> None:
    """The sums are those of the present numbers; those of the numbers before come back with them."""
    debugger = Debugger(load("question"))
    before = debugger.sums.table("w")
    debugger.do("set w 0.9")
    after = debugger.sums.table("w")
    assert after.total == pytest.approx(float(debugger.state.session.trace().gradient["w"]))
    assert after.total != before.total
    debugger.do("undo")
    assert debugger.sums.table("w") is before


def test_a_recording_with_them_replays() -> None:
    """They are commands like print: recorded, and carried out again."""
    debugger = Debugger(load("question"))
    for line in ("end", "table w window 1", "chains w[0] 1", "rewind"):
        debugger.do(line)
    assert [recorded.command for recorded in debugger.recording][-4:] == [
        "end", "table w window 1", "chains w[0] 1", "rewind",
    ]  # fmt: skip
    again = Debugger(debugger.session.as_recorded())
    for recorded in debugger.recording:
        again.do(recorded.command)
    assert again.cursor == debugger.cursor


def test_large_tables_show_their_last_rows_and_columns() -> None:
    """Twelve of sixty, and it says so; arrays by their norms."""
    message = asked("table w", "vanishing")
    assert "the last 12 of 60 columns" in message
    assert len(message.splitlines()) < 20
    arrays = asked("table Whh", "min-char-rnn")
    assert arrays.startswith("‖∂loss_t'/∂Whh_t‖: a row per loss step")
    assert "‖sum‖" in arrays


def test_a_grouped_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of several loss steps, and a mask all the same."""
    monkeypatch.setattr("bptt_tui.derivation.table.Table.__init__.__defaults__", (None, 6))
    message = asked("table w window 1", "many-to-many")
    assert "2 rows of up to 2 loss steps each: one by one they would not fit" in message
    assert "E₀…E₁" in message and "3 of 6 entries kept" in message
    assert "truncated = 0.396056" in message


def test_the_code_behind_them_is_loaded_when_it_is_needed() -> None:
    """Not by the debugger's start."""
    code = (
        "import sys; from bptt_tui import Debugger, load; d = Debugger(load('question')); d.do('end');"
        "print([m for m in sys.modules if 'derivation.table' in m or 'debugger.sums' in m]);"
        "d.do('table'); print('bptt_tui.derivation.table' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True"]


def test_entries_are_those_of_the_table() -> None:
    """One entry of a matrix, or the norm; sums alike."""
    debugger = Debugger(load("min-char-rnn"))
    one, norms = debugger.sums.table("Whh", (1, 2)), debugger.sums.table("Whh")
    cell = norms.cell(2, 1)
    assert one.values()[2, 1] == pytest.approx(cell[1, 2], rel=1e-12)
    assert norms.values()[2, 1] == pytest.approx(np.linalg.norm(cell), rel=1e-12)
    assert one.total == pytest.approx(debugger.state.session.trace().gradient["Whh"][1, 2], rel=1e-12)
    assert norms.row_sums[3] == pytest.approx(np.linalg.norm(norms.row_sum(3)), rel=1e-12)
