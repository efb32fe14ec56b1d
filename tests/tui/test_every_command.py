"""Every command from the `:` line of the app, from its key where it has one, from a script: the same View each way."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from opening import Opened, opened

from bptt_tui.cli import cli
from bptt_tui.debugger import Debugger, View
from bptt_tui.debugger.commands import COMMANDS, read
from bptt_tui.debugger.transcript import answer
from bptt_tui.errors import CommandError
from bptt_tui.session import load
from bptt_tui.tui.bindings import BINDING_TABLE

# What is done before, and the line. Each begins on the question as it comes.
ROWS: tuple[tuple[str, str], ...] = (
    ("goto 3", "next"),
    ("goto 9", "rewind"),
    ("goto 21", "step"),
    ("goto 22", "step back"),
    ("goto 2", "finish"),
    ("goto 9", "finish back"),
    ("goto 9", "start"),
    ("", "end"),
    ("", "goto dE/ds[0]"),
    ("goto dE/ds[0]", "up"),
    ("goto dE/ds[1]", "down"),
    ("goto s[0]", "later"),
    ("goto s[1]", "earlier"),
    ("", "find s"),
    ("goto 9; goto 20", "older"),
    ("goto 9; goto 20; older", "newer"),
    ("goto 9", "break"),
    ("", "break dE/ds[*] if abs(prod) < 1"),
    ("", "tbreak s[1]"),
    ("", "watch dE/dw"),
    ("break s", "condition 1 t == 1"),
    ("break s", "ignore 1 1"),
    ("break s; disable 1", "enable 1"),
    ("break s", "disable 1"),
    ("break s", "delete 1"),
    ("break s; watch dE/dw", "info breakpoints"),
    ("goto 9", "display s[0]"),
    ("display s[0]", "undisplay 1"),
    ("break s[1]", "continue"),
    ("break s[1]; end", "reverse-continue"),
    ("", "until abs(s) > 0.5"),
    ("end", "reverse-until s[0]"),
    ("", "vanish 0.9"),
    ("", "explode 0.1"),
    ("goto 22", "where"),
    ("end", "print dE/dw"),
    ("goto 3", "note Look **here**"),
    ("note One", "notes"),
    ("goto 3", "chapter Opening"),
    ("chapter Opening", "chapters"),
    ("goto 3", "predict on"),
    ("predict on; next", "answer 0.4"),
    ("predict on; next", "hint"),
    ("predict on; next", "reveal"),
    ("predict on; next; reveal", "score"),
    ("goto 9", "set w 0.9"),
    ("set s[0] 0.1", "unset s[0]"),
    ("goto 4", "equation s = sigmoid(z)"),
    ("set w 0.9", "undo"),
    ("set w 0.9; undo", "redo"),
    ("set w 0.9", "reset"),
    ("set w 0.9", "baseline"),
    ("set w 0.9", "compare"),
    ("", "check dE/du_1 = (o - y) * v"),
    ("check dE/du_1 = 3", "attempts"),
    ("end", "table"),
    ("end", "knobs w"),
    ("end", "buildup w"),
    ("end", "chains w[0]"),
    ("", "help goto"),
)
_LAZY = ("graph", "chain", "contributions")
_COUNTED = ("recording",)


def every_part(view: View) -> dict[str, Any]:
    """Everything that a View shows, as text that can be compared."""
    graph, table = view.graph, view.contributions
    parts = {name: repr(getattr(view, name)) for name in view.__struct_fields__ if name not in (*_LAZY, *_COUNTED)}
    parts["cells"] = repr(
        [graph.cell(row, t) for row in range(len(graph.rows)) for t in range(graph.first, graph.last + 1)]
    )
    parts["edges"] = repr((graph.edges(), graph.links()))
    parts["factors"] = repr((view.chain.title, view.chain.note, view.chain.factors(99)))
    rows = range(len(table.rows))
    parts["sums"] = repr([(table.so_far(row), table.progress(row)) for row in rows])
    parts["terms"] = repr([table.cell(row, t) for row in rows for t in range(table.steps)])
    return parts


def scripted(before: str, line: str) -> tuple[dict[str, Any], Debugger]:
    """The View that a script's lines come to."""
    debugger = Debugger(load("question"))
    for earlier in filter(None, before.split("; ")):
        debugger.do(earlier)
    return every_part(debugger.do(line)), debugger


async def prepared(debugger: Opened, before: str) -> None:
    """The app on a fresh debugger, the earlier lines given."""
    debugger.app.debugger = debugger.main.debugger = Debugger(load("question"))
    for earlier in filter(None, before.split("; ")):
        assert debugger.main.perform(earlier), debugger.message
    debugger.main.say("")
    await debugger.pilot.pause()
    await close_dialog(debugger)


async def close_dialog(debugger: Opened) -> None:
    if debugger.app.screen is not debugger.main:
        await debugger.press("escape")


def test_the_table_has_every_command() -> None:
    assert {read(line)[0].name for _, line in ROWS} == set(COMMANDS)


async def test_from_the_line_and_from_a_script_it_is_the_same() -> None:
    async with opened() as debugger:
        for before, line in ROWS:
            await prepared(debugger, before)
            await debugger.type(line)
            await close_dialog(debugger)
            expected, alone = scripted(before, line)
            assert every_part(debugger.view) == expected, line
            assert [entry.command for entry in debugger.app.debugger.recording] == [
                entry.command for entry in alone.recording
            ], line


async def test_from_the_key_it_is_the_same() -> None:
    before_of = {line: before for before, line in ROWS}
    keys = [(row.keys.split(",")[0], row.command) for row in BINDING_TABLE if row.command]
    assert len(keys) > 15
    async with opened() as debugger:
        for key, line in keys:
            await prepared(debugger, before_of[line])
            await debugger.press(key)
            await close_dialog(debugger)
            assert every_part(debugger.view) == scripted(before_of[line], line)[0], line


@pytest.mark.parametrize(("before", "line"), ROWS, ids=[line for _, line in ROWS])
def test_the_runner_prints_what_the_debugger_answers(before: str, line: str, tmp_path: Any) -> None:
    """A script file through the command line."""
    script = tmp_path / "script"
    script.write_text("\n".join([*filter(None, before.split("; ")), line]), encoding="utf-8")
    result = CliRunner().invoke(cli, ["run", "question", "--script", str(script)])
    assert result.exit_code == 0, result.output
    debugger = Debugger(load("question"))
    for earlier in filter(None, before.split("; ")):
        debugger.do(earlier)
    seen = debugger.view
    try:
        said = answer(seen, debugger.do(line))
    except CommandError as error:
        said = str(error)
    assert result.output.endswith(f"(bptt) {line}\n{said}\n")
