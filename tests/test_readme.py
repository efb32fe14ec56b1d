"""Everything the README shows is true: commands are run, code is executed, tables are compared with the program's."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click
import numpy as np
import pytest

import bptt_tui
from bptt_tui.calculus.operations import FUNCTIONS, OPERATIONS
from bptt_tui.cli import cli, main
from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.language import calls, parse_expression
from bptt_tui.language import parser as grammar
from bptt_tui.session import load
from bptt_tui.session.encode import encode
from bptt_tui.session.format import Document
from bptt_tui.session.totals import differences
from bptt_tui.tui.app import make_app
from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.snapshot import screen_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = ROOT / ".ci" / "run"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the heading it stands under."""

    language: str
    text: str
    heading: str


def _blocks() -> Iterator[Block]:
    heading = ""
    for match in re.finditer(
        r"^## (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$", README, re.M | re.S
    ):
        if match["heading"]:
            heading = match["heading"]
        else:
            yield Block(match["language"], match["text"], heading)


BLOCKS = list(_blocks())
SESSION_FILE = next(block.text for block in BLOCKS if block.language == "json")


def blocks(language: str, heading: str = "") -> list[str]:
    """The texts of all blocks of a language, under a heading if one is given."""
    return [block.text for block in BLOCKS if block.language == language and heading in ("", block.heading)]


def section(heading: str) -> str:
    """What stands under a heading, its blocks left out."""
    text = re.split(rf"^## {re.escape(heading)}$", README, flags=re.M)[1]
    return re.sub(r"^```.*?^```$", "", re.split(r"^## ", text, flags=re.M)[0], flags=re.M | re.S)


def rows(heading: str, head: str) -> list[list[str]]:
    """The cells of the table under a heading whose first column is called `head`."""
    lines = section(heading).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def codes(text: str) -> list[str]:
    """What stands between backticks, one or two of them."""
    return [match[2] for match in re.finditer(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", text)]


def rounded(text: str) -> str:
    """Numbers of more than 12 digits at 12: the last ones differ between processors."""
    return re.sub(r"\d+\.\d{12,}(?:e[-+]?\d+)?", lambda match: f"{float(match[0]):.12g}", text)


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """What a command line prints on both streams, and its exit status."""
    program, *arguments = shlex.split(line)
    assert program == "bptt-tui"
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert not printed.out or not printed.err
    return printed.out + printed.err, int(ended.value.code or 0)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with the README's session file in it, as the learner has it."""
    (tmp_path / "mine.json").write_text(SESSION_FILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- installing ----------------------------------------------------------------------------------------------------


def test_there_are_two_commands_in_a_fresh_environment() -> None:
    """One opens the debugger, one passes the tests; nothing but pip and the project is needed."""
    first, second = blocks("sh")
    assert len(first.splitlines()) == len(second.splitlines()) == 1
    assert first.strip().split(" && ") == ["python3 -m venv .venv", ".venv/bin/pip install .", ".venv/bin/bptt-tui"]
    assert second.strip().split(" && ") == [
        "python3 -m venv .venv",
        ".venv/bin/pip install -e '.[test]'",
        ".venv/bin/pytest",
    ]


def test_the_two_commands_use_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"bptt-tui": "bptt_tui.cli:main"}
    assert any(requirement.startswith("pytest>") for requirement in project["optional-dependencies"]["test"])
    least = project["requires-python"].removeprefix(">=")
    assert f"It needs Python {least} or newer." in " ".join(section("Install").split())


@pytest.mark.skipif(not CI.exists(), reason="a source distribution does not carry .ci")
def test_the_tests_are_installed_and_run_as_the_whole_check_does() -> None:
    check = CI.read_text(encoding="utf-8")
    second = blocks("sh")[1]
    assert set(re.findall(r"-e '(\S+)'", check)) == set(re.findall(r"-e '(\S+)'", second)) == {".[test]"}
    assert re.search(r"^pytest\b", check, re.M)


# --- the picture and the links -------------------------------------------------------------------------------------


def pictures() -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)


def test_the_picture_is_what_its_command_draws(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a change of the screen: run the command again and put the file in its place."""
    (line,) = (code for code in codes(README) if code.startswith("bptt-tui snapshot"))
    assert run(line, capsys) == ("", 0)
    (drawn,) = workplace.glob("*.svg")
    (shown,) = pictures()
    assert Path(shown).name == drawn.name
    assert (ROOT / shown).read_bytes() == drawn.read_bytes()


def test_the_picture_renders_anywhere() -> None:
    """No scripts, no foreign objects, nothing fetched from elsewhere."""
    (shown,) = pictures()
    text = (ROOT / shown).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") and root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "style", "g", "rect", "text", "path", "polygon"}
    assert text.count("http") == 1 and "url(" not in text and "@" not in text
    assert not any(attribute.startswith("on") for element in root.iter() for attribute in element.attrib)


def test_every_link_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.+)$", README, re.M)
    }
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            path = ROOT / target
            assert path.is_file() or any(path.glob("**/*.py")), target


# --- the walk ------------------------------------------------------------------------------------------------------


async def test_the_first_walk_shows_what_it_says() -> None:
    """Each key of the walk is pressed, and everything quoted stands on the screen then."""
    walk = rows("A first walk", "key")
    assert len(walk) == 5
    app = make_app(load("question"))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        for key, seen in walk:
            await pilot.press(*codes(key))
            await pilot.pause()
            screen = " ".join(screen_of(app).text().split())
            for quoted in codes(seen):
                assert quoted in screen, (key, quoted, screen)
        assert app.debugger.view.position == app.debugger.view.last


# --- keys and commands ---------------------------------------------------------------------------------------------

PRINTED = {"right": "→", "left": "←"}


def test_the_keys_are_those_of_the_bindings() -> None:
    shown = {}
    for cells in rows("Keys", "key"):
        shown |= {tuple(codes(keys)): tip for keys, tip in (cells[:2], cells[2:]) if keys}
    bound = {}
    for row in BINDING_TABLE:
        others = [PRINTED.get(key, key) for key in row.keys.split(",")[1:]]
        bound[row.shown, *others] = row.tooltip
    assert shown == bound


def test_every_key_has_an_id() -> None:
    assert all(row.id for row in BINDING_TABLE) and len({row.id for row in BINDING_TABLE}) == len(BINDING_TABLE)


def test_the_commands_are_those_of_the_table() -> None:
    shown = [(*codes(usage), codes(short), summary) for usage, short, summary in rows("Commands", "command")]
    assert shown == [(row.usage, list(row.aliases), row.summary) for row in COMMANDS.values()]


def examples_of_goto() -> list[str]:
    return [code for code in codes(section("Commands")) if code.startswith("goto ") and "|" not in code]


def test_every_goto_goes_somewhere() -> None:
    lines = examples_of_goto()
    assert len(lines) == 5
    for line in lines:
        assert bptt_tui.Debugger(load("question")).do(line).position > 0


def test_print_answers_what_the_readme_says() -> None:
    lines = section("Commands").partition("At the end of")[2]
    examples = [codes(line)[:2] for line in lines.splitlines() if line.startswith("| `print")]
    assert len(examples) == 6
    debugger = bptt_tui.Debugger(load("question"))
    debugger.do("end")
    for command, answer in examples:
        message = debugger.do(command).message
        assert rounded(message) == rounded(f"{command.removeprefix('print ')} = {answer}")


# --- the equation language -----------------------------------------------------------------------------------------

LANGUAGE = "The equation language"


def test_the_grammar_is_the_parsers() -> None:
    shown = blocks("text", LANGUAGE)[0].splitlines()
    documented = [line.strip() for line in (grammar.__doc__ or "").splitlines()]
    assert shown == [line for line in documented if re.match(r"\w+ += ", line)]


def test_the_table_of_operations_has_all_of_them() -> None:
    examples = [code for cells in rows(LANGUAGE, "write") for code in codes(cells[0])]
    written = [call.operation for example in examples for call in calls(parse_expression(example))]
    assert sorted(written) == sorted(name for name, row in OPERATIONS.items() if row.written)
    assert set(FUNCTIONS) <= set(written)


def test_the_vector_example_has_the_shapes_it_says() -> None:
    """The network is traced with values of the shapes in its table, under the fields in its table."""
    given: dict[str, dict[str, object]] = {"inputs": {}, "initial": {}, "parameters": {}, "constants": {}}
    random = np.random.default_rng(1)
    for names, shapes, field in rows(LANGUAGE, "name"):
        for name, text in zip(codes(names), codes(shapes), strict=True):
            shape = tuple(int(size) for size in re.findall(r"\d+", text))
            value = random.normal(size=(4, *shape) if field == "inputs" else shape)
            given[field][name] = 1 if name == "y" else value
    trace = bptt_tui.Network(blocks("text", LANGUAGE)[1].splitlines()).trace(**given)
    assert trace.value("s", 3).shape == (3,) and trace.value("o", 3).shape == (2,)
    assert {name: total.shape for name, total in trace.gradient.items()} == {
        name: np.shape(value) for name, value in given["parameters"].items()
    }


# --- sessions ------------------------------------------------------------------------------------------------------


def test_the_session_file_is_as_the_program_writes_it(workplace: Path) -> None:
    assert encode(load("mine.json").document()) == (workplace / "mine.json").read_bytes()


def test_the_session_file_has_the_totals_it_expects(workplace: Path) -> None:
    session = load("mine.json")
    assert session.expected is not None and set(session.expected.gradient) == set(session.parameters)
    assert differences(session) == []


def test_the_expected_totals_hold_by_central_differences(workplace: Path) -> None:
    """The numbers in the file are right, not only reproduced: the same network, written out here."""
    session = load("mine.json")
    assert session.expected is not None

    def loss(u: float, w: float) -> float:
        s, total = 0.3, 0.0
        for x, y in ((0.5, 1.0), (-1.0, -0.5)):
            s = float(np.tanh(u * x + w * s))
            total += 0.5 * (s - y) ** 2
        return total

    h = 1e-5
    assert session.expected.loss == pytest.approx(loss(0.8, 0.6), rel=1e-12)
    assert session.expected.gradient == pytest.approx(
        {
            "u": (loss(0.8 + h, 0.6) - loss(0.8 - h, 0.6)) / (2 * h),
            "w": (loss(0.8, 0.6 + h) - loss(0.8, 0.6 - h)) / (2 * h),
        },
        rel=1e-8,
    )


def test_every_field_of_a_session_is_explained() -> None:
    explained = [name for cells in rows("Sessions", "field") for name in codes(cells[0])]
    assert sorted(explained) == sorted(Document.__struct_fields__)


@pytest.mark.parametrize("cells", rows("Sessions", "change"), ids=lambda cells: cells[0])
def test_a_mistake_is_answered_as_the_readme_says(
    cells: list[str], workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (before, after), (answer,) = codes(cells[0]), codes(cells[1])
    assert before in SESSION_FILE
    Path("mine.json").write_text(SESSION_FILE.replace(before, after, 1), encoding="utf-8")
    assert run("bptt-tui gradient mine.json", capsys) == (f"bptt-tui: {answer}\n", 2)


# --- the command line ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.splitlines()[0])
def test_a_command_prints_what_the_readme_shows(
    block: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
        line, _, shown = command.partition("\n")
        printed, status = run(line, capsys)
        assert rounded(printed) == rounded(shown)
        assert status == shown.startswith(("✗", "≈"))  # a formula that is not right is exit 1


def test_the_command_line_is_shown_whole() -> None:
    """Every command with every argument and option it has, and no other."""
    shown = {}
    for line in re.findall(r"^bptt-tui.*", blocks("text", "Command line")[0], re.M):
        usage = re.split(r" {2,}", line)[0].removeprefix("bptt-tui ")
        name = "debug" if usage.startswith("[SESSION]") else usage.split()[0]
        shown[name] = set(re.findall(r"(?<![\w-])--?[a-z]+|SESSION|FORMULA|SHELL", usage))
    has = {}
    for name, command in cli.commands.items():
        options = {opt for p in command.params if isinstance(p, click.Option) for opt in p.opts}
        has[name] = options | {p.name.upper() for p in command.params if isinstance(p, click.Argument) and p.name}
    assert shown == has


# --- Python --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", blocks("python"), ids=["network", "session", "sum"])
def test_the_python_examples_print_what_they_say(code: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`# →` is what a line prints. The debugger opens, on a stand-in for the screen."""
    opened = []
    monkeypatch.setattr("bptt_tui.tui.app.run", lambda session, **options: opened.append(session))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue().splitlines() == re.findall(r"# → (.*)", code)
    assert len(opened) == code.count("bptt_tui.debug(")
    assert all(session.debugger.position == 22 for session in opened)


def test_errors_are_one_family() -> None:
    with pytest.raises(bptt_tui.errors.BpttError, match=r"did you mean 'tanh'\?"):
        bptt_tui.Network(["E = tahn(z)"])
