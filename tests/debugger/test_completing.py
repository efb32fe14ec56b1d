"""Completion: what a line can go on with is what the debugger would take there."""

from __future__ import annotations

import pytest

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.debugger.completing import complete
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.session import Session, load


def after(debugger: Debugger, line: str) -> list[str]:
    """The lines that the options make of a line."""
    found = complete(debugger, line)
    return [line[: found.start] + option.text for option in found.options]


@pytest.fixture
def debugger() -> Debugger:
    made = Debugger(load("question"))
    for line in (
        "goto 22",
        "break s[1]",
        "watch dE/dw",
        "display s[0]",
        "note First",
        "chapter Opening",
        "set s[0] 0.1",
    ):
        made.do(line)
    return made


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("rew", ["rewind "]),
        ("got", ["goto "]),
        ("goto s", ["goto s[0]", "goto s[1]"]),
        ("goto dE/", ["goto dE/d"]),
        ("goto dE/ds[", ["goto dE/ds[0]", "goto dE/ds[1]"]),
        ("goto s_", ["goto s_0", "goto s_1"]),
        ("goto dE/ds_", ["goto dE/ds_0", "goto dE/ds_1"]),
        ("print w/", ["print w/u", "print w/w", "print w/v", "print w/x", "print w/y"]),
        ("print norm(dE/dv", ["print norm(dE/dv[1]"]),
        ("set s[", ["set s[-1]", "set s[0]", "set s[1]"]),
        ("set w ", None),
        ("unset ", ["unset s[0]"]),
        ("break dE/ds[", ["break dE/ds[0]", "break dE/ds[1]", "break dE/ds[*]"]),
        ("break s if ph", ["break s if phase"]),
        ("delete ", ["delete 1", "delete 2"]),
        ("condition 1 phase == ba", ["condition 1 phase == backward"]),
        ("undisplay ", ["undisplay 1"]),
        ("note de", ["note delete "]),
        ("note edit ", ["note edit 1"]),
        ("chapter ", ["chapter next", "chapter previous", "chapter delete ", "chapter 1"]),
        ("predict on v", ["predict on values"]),
        ("equation a", ["equation a = u * x[t]"]),
        ("equation delete q", []),
        ("equation delete ", [f"equation delete {name}" for name in "abzsqoE"]),
        ("table ", ["table u", "table w", "table v"]),
        ("chains w", ["chains w[1]"]),
        ("help vani", ["help vanish"]),
        ("nonsense ", []),
        ("next ", []),
        ("note Some words", []),
    ],
)  # fmt: skip
def test_what_can_follow(debugger: Debugger, line: str, options: list[str] | None) -> None:
    found = after(debugger, line)
    if options is None:
        assert found
    elif line.startswith("print w/"):
        assert set(options) <= set(found)
    else:
        assert found == options or set(found) == set(options)


def test_every_command_is_offered(debugger: Debugger) -> None:
    assert [line.strip() for line in after(debugger, "")] == list(COMMANDS)


def test_what_is_offered_as_a_place_can_be_gone_to(debugger: Debugger) -> None:
    """Every completion of goto, followed to its end, is carried out."""
    lines, done = ["goto "], 0
    while lines:
        line = lines.pop()
        more = after(debugger, line)
        lines += more
        if line.endswith("]"):
            debugger.do(line)
            done += 1
    assert done > 15


def test_of_many_timesteps_a_few_are_offered() -> None:
    equations = ["s = tanh(w * s[t-1] + x[t])", "E = squared_error(s, y)"]
    inputs = {"x": [0.1] * 5000}
    session = Session(
        equations=equations, parameters={"w": 0.5}, inputs=inputs, initial={"s": 0.0}, constants={"y": 0.5}
    )
    debugger = Debugger(session)
    assert len(after(debugger, "goto s[")) <= 8
    assert "goto s[4999]" in after(debugger, "goto s[")
    assert {"goto s[317]", "goto s[3170]"} <= set(after(debugger, "goto s[317"))
