"""The commands that need only the numbers, and what is said when something is wrong."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import bptt_tui
from bptt_tui.cli import cli
from bptt_tui.session import Session, bundled, load

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


def refused(result: tuple[int, str, str]) -> str:
    """The one line on stderr of a command that could not be done."""
    status, out, err = result
    assert (status, out) == (2, "")
    assert err.startswith("bptt-tui: ") and err.endswith("\n") and err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("bptt-tui: ").rstrip("\n")


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    settings = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([sys.executable, "-m", "bptt_tui", *arguments], check=False, **settings)  # type: ignore


# --- help, version, completion: light ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["--version"], ["gradient", "--help"], ["replay", "--help"], ["--bogus"]]
)
def test_help_and_version_load_no_numpy_and_no_textual(arguments: list[str]) -> None:
    """What is printed before anything is computed costs no heavy import, in a fresh interpreter."""
    program = (
        "import sys\nfrom bptt_tui.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\nprint('MODULES', *sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = shown.stdout.rpartition("MODULES ")[2].split()
    assert "bptt_tui.cli" in modules
    assert [name for name in ("numpy", "textual", "rich") if name in modules] == []


def test_help_lists_every_command_and_shows_examples(run: Run) -> None:
    """The help names the commands of the design, each with a sentence, and command lines to copy."""
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    for name in ("sessions", "gradient", "verify", "run", "replay", "snapshot", "schema"):
        assert f"\n  {name} " in out
    assert "  bptt-tui run question -x end -x where" in out
    assert "[SESSION] [--at N]" in out
    assert "debug " not in out.partition("Commands:")[2].partition("Examples:")[0]


def test_the_version_is_printed(run: Run) -> None:
    """`--version` is the package's version."""
    assert run("--version") == (0, f"bptt-tui {bptt_tui.__version__}\n", "")


@pytest.mark.parametrize("command", [name for name in cli.commands if name != "debug"])
def test_every_command_has_help(run: Run, command: str) -> None:
    """`COMMAND --help` explains arguments and options."""
    status, out, _ = run(command, "--help")
    assert status == 0
    assert out.startswith(f"Usage: bptt-tui {command}")


def completions(*words: str, incomplete: str = "") -> list[tuple[str, str]]:
    shell = ShellComplete(cli, {}, "bptt-tui", "_BPTT_TUI_COMPLETE")
    return [(item.value, item.type) for item in shell.get_completions(list(words), incomplete)]


def test_session_names_complete() -> None:
    """The shell offers commands and sessions first, sessions and files where a session is due."""
    first = completions()
    assert {("gradient", "plain"), ("question", "plain"), ("", "file")} <= set(first)
    assert ("debug", "plain") not in first
    assert completions("gradient", incomplete="qu") == [
        ("question", "plain"),
        ("question-sigmoid", "plain"),
        ("qu", "file"),
    ]
    assert ("--at", "plain") in completions("question", incomplete="--")
    assert completions("gradient", "question", "--format") == [("table", "plain"), ("json", "plain")]


# --- results -------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_with_titles(run: Run) -> None:
    """One session a line, names in a column, `question` first."""
    status, out, err = run("sessions")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "question          The question: two steps, many to one"
    assert [line.split()[0] for line in lines] == bundled.names()
    assert len({line.index(load(line.split()[0]).title) for line in lines}) == 1


def test_gradient_as_json_gives_the_table_of_the_question(run: Run) -> None:
    """Loss, totals and per-timestep contributions to ten digits; only uses that exist, in time order."""
    status, out, err = run("gradient", "question", "--format", "json")
    assert (status, err) == (0, "")
    data = json.loads(out)
    assert list(data) == ["loss", "gradient", "contributions"]
    assert round(data["loss"], 10) == 1.2111776345
    assert [round(data["gradient"][name], 10) for name in "uw"] == [0.8306764175, -0.6942116191]
    assert [(use["t"], round(use["value"], 10)) for use in data["contributions"]["u"]] == [
        (0, -0.2316324753),
        (1, 1.0623088928),
    ]
    assert [(use["t"], round(use["value"], 10)) for use in data["contributions"]["w"]] == [
        (0, -0.1389794852),
        (1, -0.5552321339),
    ]
    (only,) = data["contributions"]["v"]
    assert only["t"] == 1 and [round(entry, 7) for entry in only["value"]] == [0.3169206, -0.3169206]


@pytest.mark.parametrize("name", bundled.names())
def test_gradient_as_json_is_the_trace_in_full_precision(run: Run, name: str) -> None:
    """What is printed reads back as the very floats of the trace, in the parameters' shapes."""
    data = json.loads(run("gradient", name, "--format", "json")[1])
    trace = load(name).trace()
    assert data["loss"] == trace.loss
    assert list(data["gradient"]) == list(load(name).parameters)
    for parameter, total in trace.gradient.items():
        assert data["gradient"][parameter] == total.tolist()
        assert data["contributions"][parameter] == [
            {"t": t, "value": trace.contribution(parameter, t).tolist()} for t in trace.uses(parameter)
        ]


def test_gradient_as_a_table(run: Run) -> None:
    """A block per parameter, a row per use, then the sum; decimal points under each other."""
    status, out, err = run("gradient", "question")
    assert (status, err) == (0, "")
    assert (
        out
        == """\
The question: two steps, many to one
E = 1.211177635

∂E/∂u
  t = 0   -0.2316324753
  t = 1    1.062308893
  Σ        0.8306764175

∂E/∂w
  t = 0   -0.1389794852
  t = 1   -0.5552321339
  Σ       -0.6942116191

∂E/∂v
  t = 1   0.316920632   -0.316920632
  Σ       0.316920632   -0.316920632
"""
    )


def test_a_large_matrix_is_abbreviated_in_the_table(run: Run, tmp_path: Path) -> None:
    """The table shows a corner and says how much more there is; JSON has it all."""
    n = 9
    Session(
        equations=("s = tanh(W @ s[t-1] + x[t])", "E = sum(s)"),
        parameters={"W": [[0.5] * n] * n},
        initial={"s": [0.5] * n},
        inputs={"x": [[0.1] * n]},
        loss=load("many-to-many").loss,
    ).save(tmp_path / "s.json")
    table = run("gradient", str(tmp_path / "s.json"))[1]
    assert "… 9 entries" in table and "… 9 rows" in table
    assert "(sum over the loss steps)" in table
    data = json.loads(run("gradient", str(tmp_path / "s.json"), "--format", "json")[1])
    assert len(data["gradient"]["W"]) == n and len(data["gradient"]["W"][0]) == n


def test_infinities_in_json_are_texts(run: Run, tmp_path: Path) -> None:
    """JSON has no NaN and no infinity; they are tagged, so the output is always JSON."""
    Session(equations=("z = w * w * x[t]", "E = sum(z)"), parameters={"w": 1e200}, inputs={"x": [1e200]}).save(
        tmp_path / "s.json"
    )
    status, out, _ = run("gradient", str(tmp_path / "s.json"), "--format", "json")
    data = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert status == 0
    assert data["loss"] == "Infinity"
    assert math.isinf(float(data["gradient"]["w"]))


def test_the_schema_is_json(run: Run) -> None:
    """`schema` prints the JSON Schema with the fields of the format."""
    status, out, err = run("schema")
    assert (status, err) == (0, "")
    assert json.loads(out)["$defs"]["Document"]["properties"]["format"]["title"] == "Format"


# --- what is refused -----------------------------------------------------------------------------------------------


def written(tmp_path: Path, **changes: object) -> str:
    document = json.loads(bundled.path_of("question").read_text(encoding="utf-8")) | changes
    (tmp_path / "bad.json").write_text(
        json.dumps({name: value for name, value in document.items() if value is not None})
    )
    return str(tmp_path / "bad.json")


FREE_RUNNING = {"equations": ["s = tanh(w * s[t-1])", "E = sum(v * s)"], "constants": {}, "inputs": None}
BAD: dict[str, tuple[dict[str, object], list[str]]] = {
    "an unknown field": ({"paramters": {}}, ["unknown field `paramters`", "did you mean `parameters`?"]),
    "a name never defined": (
        {"equations": ["a = u * x[t]", "z = a + bb", "s = tanh(z + w * s[t-1])", "E = cross_entropy(v * s, y)"]},
        ["equations[1]: column 9: bb is never defined"],
    ),
    "a missing initial value": ({"initial": {}}, ["equations[1]: ", "s[t-1]", "give initial.s"]),
    "wrong shapes": (
        {"parameters": {"u": [1, 2, 3], "w": 0.6, "v": [1.2, -0.7]}},
        ["equations[3]: ", "(3,)", "scalar"],
    ),
    "Python as an equation": ({"equations": ["__import__('os')"]}, ["equations[0]: column 12: "]),
    "Python in an equation": ({"equations": ["E = __import__('os')"]}, ["equations[0]: column 16: "]),
    "T = 10⁹": ({**FREE_RUNNING, "parameters": {"w": 0.6, "v": 1}, "steps": 10**9}, ["steps: 1,000,000,000"]),
    "a class index that is none": ({"constants": {"y": 2}}, ["constants.y: "]),
    "a loss step that is none": ({"loss": {"at": [2]}}, ["loss.at: there is no timestep 2"]),
    "a parameter nobody reads": ({"parameters": {"u": 1, "w": 1, "v": 1, "k": 1}}, ["parameters.k: "]),
    "an unfinished equation": ({"equations": ["E = tanh(u"]}, ["equations[0]: column "]),
    "a value that is a text": ({"parameters": {"u": "0.8"}}, ["parameters.u: expected a number"]),
    "a newer version": ({"version": 2}, ["version: the file is version 2", "up to version 1"]),
}


@pytest.mark.parametrize("command", ["gradient", "run"])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_session_is_one_line_naming_file_place_and_reason(
    run: Run, tmp_path: Path, case: str, command: str
) -> None:
    """Exit status 2, nothing on stdout, and a line that says where and what would be right."""
    changes, said = BAD[case]
    path = written(tmp_path, **changes)
    message = refused(run(command, path))
    assert message.startswith(f"{path}: ")
    for part in said:
        assert part in message


@pytest.mark.parametrize("command", ["gradient", "run", "replay"])
def test_missing_and_broken_files_are_one_line(run: Run, tmp_path: Path, command: str) -> None:
    """A file that is not there, that is no JSON, that is a directory, a pipe or a device."""
    (tmp_path / "broken.json").write_text('{"format": "bptt-session", ')
    os.mkfifo(tmp_path / "pipe.json")
    assert "there is no such file or directory" in refused(run(command, str(tmp_path / "missing.json")))
    assert "the file ends in the middle" in refused(run(command, str(tmp_path / "broken.json")))
    assert "this is a directory" in refused(run(command, str(tmp_path)))
    assert "this is a pipe" in refused(run(command, str(tmp_path / "pipe.json")))
    assert "this is a device" in refused(run(command, "/dev/zero"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gradient"], "missing argument 'SESSION'; see bptt-tui gradient --help"),
        (["gradient", "question", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
        (["gradient", "question", "vectors"], "unexpected extra argument"),
        (["--bogus"], "no such option '--bogus'; see bptt-tui --help"),
        (["question", "--at", "-1"], "-1 is not in the range x>=0"),
        (["question", "--at", "one"], "'one' is not a valid integer"),
        (["gradiant", "question"], "no command and no session is called gradiant; did you mean gradient?"),
        (["replay", "question", "--speed", "0"], "x>0"),
        (["replay", "question", "--speed", "nan"], "the speed is a finite number above 0"),
        (["snapshot", "question"], "missing option '-o'"),
        (["snapshot", "question", "-o", "q.png"], "q.png ends neither in .svg nor in .txt"),
        (["snapshot", "question", "-o", "q.svg", "--size", "120"], "120 is not a size"),
        (["snapshot", "question", "-o", "q.svg", "--size", "9999x9999"], "9999x9999 is not a size"),
        (["questoin"], "questoin: there is no such file or directory; did you mean question"),
    ],
)
def test_bad_usage_is_one_line(run: Run, arguments: list[str], said: str) -> None:
    """A command line that cannot be understood exits with 2 and points to the help."""
    assert said in refused(run(*arguments))


def test_nothing_in_a_file_reaches_the_terminal_as_a_control_character(run: Run, tmp_path: Path) -> None:
    """Escape sequences, bidi overrides and line breaks from titles, names and paths are spelled out."""
    evil = "\x1b]0;owned\x07\u202ered\u2028\x9b31m"
    path = written(tmp_path, title=evil)
    _, out, _ = run("gradient", path)
    assert out.startswith("\\x1b]0;owned\\x07\\u202ered\\u2028\\x9b31m\nE = ")
    for changes in (
        {"parameters": {"u": 0.8, "w": 0.6, "v": [1.2, -0.7], evil: 1.0}},
        {"parameters": {evil: True}},
        {evil: 1},
        {"equations": [f"E = {evil}"]},
        {"loss": {"at": evil}},
        {"format": evil},
    ):
        message = refused(run("gradient", written(tmp_path, **changes)))
        assert message.isprintable(), message
        assert "\\x1b" in message or "\\u001b" in message
    message = refused(run("gradient", f"{tmp_path}/{evil}"))
    assert message.isprintable() and "\\x1b" in message
    message = refused(run("gradient", "question", f"--{evil}"))
    assert message.isprintable() and "\\x1b" in message


def test_the_debugger_without_a_terminal_says_what_to_use_instead() -> None:
    """With stdin or stderr elsewhere the screen cannot open: one line, not a hang."""
    for arguments in ([], ["question"], ["--at", "5"], ["replay", "question"]):
        done = process(*arguments, stdin=subprocess.DEVNULL)
        assert refused((done.returncode, done.stdout, done.stderr)) == (
            "the debugger's screen needs a terminal; without one, use bptt-tui run"
        )


# --- as a process --------------------------------------------------------------------------------------------------


def test_python_m_and_the_command_are_the_same() -> None:
    """`python -m bptt_tui` is the command."""
    done = process("sessions")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == CliRunner().invoke(cli, ["sessions"]).output


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`bptt-tui gradient … | head -1`: no traceback, no message, the status a shell gives SIGPIPE."""
    steps = 20_000
    Session(
        equations=("s = tanh(w * s[t-1])", "E = sum(s)"), parameters={"w": 0.6}, initial={"s": 0.3}, steps=steps
    ).save(tmp_path / "long.json")
    command = [sys.executable, "-m", "bptt_tui", "gradient", str(tmp_path / "long.json")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline().startswith("E = ")
        child.stdout.close()
        assert child.stderr.read() == ""
        assert child.wait(30) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_full_disk_under_stdout_is_one_line(unbuffered: str) -> None:
    """Output that cannot be written is said, not ignored, and said once: what is left in a buffer is given up."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = process(
            "gradient", "question", stdout=full, stderr=subprocess.PIPE, capture_output=False, env=environment
        )
    assert done.returncode == 2
    assert done.stderr == "bptt-tui: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(("encoding", "shown"), [("latin-1", "\\u2202E/\\u2202u"), ("utf-8", "∂E/∂u")])
def test_a_terminal_without_the_sign_gets_escapes_instead_of_a_traceback(encoding: str, shown: str) -> None:
    """Where ∂ cannot be encoded it is spelled out."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = process("gradient", "question", env=environment, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout


def test_an_interrupt_exits_with_130() -> None:
    """Control-C during a computation ends it quietly with the status shells expect."""
    program = (
        # A job in the background inherits that interrupts are ignored.
        "import os, sys, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import bptt_tui.cli as c\nimport bptt_tui.session as s\n"
        "def wait(name):\n    print('waiting', flush=True)\n    signal.pause()\n"
        "s.load = wait\nc.main(['gradient', 'question'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        assert child.stderr.read().strip() == ""
        assert child.wait(60) == 130


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gradient question >&-", "the output cannot be written: it is closed"),
        ("run question --script - <&-", "-: standard input is closed"),
        ("check question - <&-", "-: standard input is closed"),
        ("gradient ''", "an empty name is no file's; give a path, or one of question, "),
        ("export question --format html -o ''", "an empty name is no file's"),
        ("snapshot question -o here.svg/", "here.svg/: this is the name of a directory, not of a file"),
        ("gradient nowhere 2> /dev/full", ""),
        ("check question 'dE/dw = (' 2> /dev/full", ""),
        ("gradient nowhere 2>&-", ""),
    ],
)
def test_streams_and_names_that_are_none(line: str, said: str, tmp_path: Path) -> None:
    """One line where anybody can be told; the status says it anyhow, and nothing is written."""
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -m bptt_tui {line}', sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bptt-tui: {said}") if said else not done.stderr
    assert done.stderr.count("\n") == bool(said) and not list(tmp_path.iterdir())


def test_a_huge_session_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    """T = 10⁹ under a limit of address space: the estimate is given, at once."""
    path = written(tmp_path, **FREE_RUNNING, parameters={"w": 0.6, "v": 1.0}, steps=10**9)
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 4000000; exec "$0" -m bptt_tui gradient "$1"', sys.executable, path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert "GB" in refused((done.returncode, done.stdout, done.stderr))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - started < 5


def test_the_group_is_what_click_runs() -> None:
    """The hidden command that opens the debugger is the default, not listed."""
    context = click.Context(cli)
    assert "debug" in cli.commands and "debug" not in cli.list_commands(context)


def test_config_shows_where_settings_are_read_and_every_key(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The path, the theme and the keys, as a file that can be saved; a mistake in it is one line."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    status, out, _ = run("config")
    assert status == 0
    assert out.startswith(f"# {tmp_path}/bptt-tui/settings.toml\n") and '"step.next"' in out
    (tmp_path / "bptt-tui").mkdir()
    (tmp_path / "bptt-tui" / "settings.toml").write_text("theme = 3", encoding="utf-8")
    assert "settings.toml: Expected `str`" in refused(run("config"))
