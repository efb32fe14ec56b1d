"""What each command of the shell takes and does, and which sessions a shell can complete.

The floors below are imported by the commands that need them.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from bptt_tui import __version__
from bptt_tui.cli.output import ProgressLine, show, visible
from bptt_tui.errors import BpttError, CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bptt_tui.session import Session

DEBUG = "debug"  # what `bptt-tui SESSION` without a command runs
EXAMPLES = """\b
Examples:
  bptt-tui                                  step through the question's network
  bptt-tui vectors --at 30                  another one, from position 30
  bptt-tui gradient question                its gradient, timestep by timestep
  bptt-tui run question -x end -x where     the same debugger without a screen
  bptt-tui replay mine.json --headless      a saved walk, and whether it still holds
  bptt-tui snapshot question --at 17 -o q.svg
  bptt-tui check question "dE/dw = dE/dw_1"  is this derivation right?
  bptt-tui verify lstm                      its gradient against nudges of the loss
  bptt-tui export question -o question.html the derivation as a page

SESSION is a path or one of the names that `bptt-tui sessions` lists."""


def complete_session(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of bundled sessions, and whatever files the shell finds."""
    from bptt_tui.session import bundled

    names = [CompletionItem(name) for name in bundled.names() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def complete_formula(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The left sides that a derivation for the session can have: `dE/dw`."""
    from bptt_tui.session import load

    try:
        session = load(ctx.params.get("session") or "question")
    except BpttError:
        return []
    loss = session.equations[-1].partition("=")[0].strip()
    sides = [f"d{loss}/d{name}" for name in session.parameters]
    return [CompletionItem(side) for side in sides if side.startswith(incomplete)]


def screen_size(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """`120x36`, columns × rows of a terminal, as two numbers."""
    size = re.fullmatch(r"([0-9]{1,4})[x×]([0-9]{1,4})", value)
    if size is None or not (20 <= int(size[1]) <= 1000 and 8 <= int(size[2]) <= 500):
        raise click.BadParameter(f"{value} is not a size from 20x8 to 1000x500 such as 120x36", ctx, param)
    return int(size[1]), int(size[2])


class SessionGroup(click.Group):
    """A first word that is no command is a session to open."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        completing_first_word = ctx.resilient_parsing and not args
        if not completing_first_word and (not args or args[0] not in {*self.commands, *ctx.help_option_names}):
            if args and not args[0].startswith("-"):
                self._refuse_misspelt_command(ctx, args[0])
            if args[:1] != ["--version"]:
                args = [DEBUG, *args]
        return super().parse_args(ctx, args)

    def _refuse_misspelt_command(self, ctx: click.Context, word: str) -> None:
        from bptt_tui.session import bundled

        close = difflib.get_close_matches(word, self.list_commands(ctx), 1, 0.75)
        if close and word not in bundled.names() and not os.path.lexists(word):
            ctx.fail(f"no command and no session is called {word}; did you mean {close[0]}?")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, command in self.commands.items() if not command.hidden]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return found
        return [*found, *complete_session(ctx, self.params[0], incomplete)]


session_argument = click.argument("session", shell_complete=complete_session)
at_option = click.option("--at", type=click.IntRange(min=0), metavar="N", help="Start at position N.")


@click.group(
    cls=SessionGroup,
    epilog=EXAMPLES,
    subcommand_metavar="[SESSION] [--at N] | COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="bptt-tui %(version)s")
def cli() -> None:
    """gdb for the chain rule: step through backpropagation through time, one node at a time.

    Without a command, the debugger opens on SESSION (default: question).
    """


@cli.command(DEBUG, hidden=True)
@click.argument("session", shell_complete=complete_session, required=False)
@at_option
def open_debugger(session: str | None, at: int | None) -> None:
    """Open the debugger on SESSION (default: question)."""
    from bptt_tui.session import load

    _run_app(load("question" if session is None else session), at=at, any_draft=session is None)


@cli.command()
def sessions() -> None:
    """List the bundled sessions, one a line, with titles."""
    from bptt_tui.session import bundled, load

    names = bundled.names()
    width = max(map(len, names))
    for name in names:
        show(f"{name.ljust(width)}  {visible(load(name).title)}")


@cli.command()
@session_argument
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def gradient(session: str, form: str) -> None:
    """Print loss, gradient and per-timestep contributions."""
    from bptt_tui.session.totals import as_json, as_table

    loaded = _traced(session)
    for piece in as_json(loaded) if form == "json" else as_table(loaded):
        show(piece, end="")


@cli.command()
@session_argument
@click.option("-x", "commands", multiple=True, metavar="COMMAND", help="A debugger command; repeatable.")
@click.option("--script", metavar="FILE", help="Commands from FILE, one a line, # for comments; - is stdin.")
def run(session: str, commands: tuple[str, ...], script: str | None) -> None:
    """Run debugger commands without a screen and print a transcript.

    The commands of --script come first, then those of -x in their order.
    """
    from bptt_tui.cli.given import script_lines
    from bptt_tui.debugger import Debugger

    scripted = script_lines(script) if script is not None else []
    given = [((f'-x "{command}"',), command) for command in commands]
    _play(Debugger(_traced(session)), [*scripted, *given])


@cli.command()
@session_argument
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, help="2 is twice as fast.")
@click.option("--headless", is_flag=True, help="Print a transcript, then verify the expected totals.")
def replay(session: str, speed: float, headless: bool) -> None:
    """Play the recording of a session from its beginning.

    With --headless the exit status is 1 when the totals are not what the session expects.
    """
    if not math.isfinite(speed):
        raise click.BadParameter("the speed is a finite number above 0", param_hint="--speed")
    if not headless:
        from bptt_tui.session import load

        _run_app(load(session), replay=True, speed=speed)
        return
    from bptt_tui.debugger import Debugger
    from bptt_tui.session.totals import differences

    loaded = _traced(session)
    start = loaded.as_recorded()
    recorded = enumerate(loaded.recording)
    _play(Debugger(start), [((loaded.name, f"recording[{i}]"), entry.command) for i, entry in recorded])
    if loaded.expected is None:
        show("expected: this session carries no totals to verify")
        return
    wrong = differences(loaded)
    show("\n".join(f"expected: {visible(line)}" for line in wrong) or "expected: the totals hold")
    if wrong:
        click.get_current_context().exit(1)


@cli.command()
@session_argument
@at_option
@click.option("--size", callback=screen_size, default="120x36", show_default=True, help="Terminal size.")
@click.option("--theme", metavar="T", help="A Textual theme, such as textual-light.")
@click.option("-o", "output", required=True, metavar="FILE", help="Where to write: FILE.svg or FILE.txt.")
def snapshot(session: str, at: int | None, size: tuple[int, int], theme: str | None, output: str) -> None:
    """Write the screen at a position as a picture or as text."""
    if Path(output).suffix not in {".svg", ".txt"}:
        raise click.BadParameter(f"{output} ends neither in .svg nor in .txt", param_hint="-o")
    loaded = _traced(session)
    from bptt_tui.session import storage
    from bptt_tui.tui.snapshot import snapshot as draw

    screen = draw(loaded, at, size=size, theme=theme)
    text = screen.svg() if output.endswith(".svg") else screen.text()
    storage.write(output, (text.rstrip("\n") + "\n").encode(), None, overwrite=True)


@cli.command()
@session_argument
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most about N evaluations of the loss; else about ten seconds of them.",
)
def verify(session: str, form: str, budget: int | None) -> None:
    """Check the gradient against the loss itself.

    Every entry of every parameter is nudged, and every use of it alone; the exit status is 1 when one differs,
    and when nothing could be compared.
    """
    from bptt_tui.derivation.verification import as_json, as_table

    loaded = _traced(session)
    report = loaded.trace().verify(budget, ProgressLine("verify"))
    show((as_json if form == "json" else as_table)(loaded, report))
    if not report.holds:
        click.get_current_context().exit(1)


SUFFIXES = {".md": "markdown", ".tex": "latex", ".html": "html"}


@cli.command("export")
@session_argument
@click.option("--format", "form", type=click.Choice(list(SUFFIXES.values())), help="Default: what FILE ends in.")
@click.option("-o", "output", metavar="FILE", help="Where to write, instead of standard output.")
@click.option(
    "--without",
    type=click.Choice(["notes", "questions", "attempts"]),
    multiple=True,
    help="Leave out the notes and chapters, the questions of predict mode, or the attempts; repeatable.",
)
def export_document(session: str, form: str | None, output: str | None, without: tuple[str, ...]) -> None:
    """Write the derivation as a document: every chain, every number, the sum over time.

    With the notes and chapters of a lesson, and the questions and attempts that were made, where the session has any.
    LaTeX compiles by itself; HTML is one file that fetches nothing.
    """
    form = form or SUFFIXES.get(Path(output or "").suffix)
    if form is None:
        raise click.UsageError(f"--format is missing; it is one of {', '.join(SUFFIXES.values())}")
    loaded = _traced(session)
    from bptt_tui.export.composing import compose
    from bptt_tui.export.document import render

    text = render(compose(loaded, ProgressLine("export", percent=True), without), form)
    if output is None:
        show(text, end="")
        return
    from bptt_tui.session import storage

    storage.write(output, text.encode(), None, overwrite=True)


@cli.command()
@session_argument
@click.argument("formula", shell_complete=complete_formula)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def check(ctx: click.Context, session: str, formula: str, form: str) -> None:
    """Judge a derivation: right or wrong, and why.

    FORMULA is an equality such as "dE/dw = dE/ds_1 * ds_1/dw"; - reads several from standard input, one a line. One
    that begins with a minus is given behind --. The exit status is 1 when one is not right, 2 when one cannot be read.
    """
    from bptt_tui.cli.checking import formulas_in, judged

    pasted = formulas_in(formula)
    ctx.exit(judged(_traced(session), formula, pasted, form))


@cli.command()
def config() -> None:
    """Print the user's settings: the file they are read from, the theme, every key with its id."""
    from bptt_tui.tui.settings import describe, load_settings

    show(describe(load_settings()))


@cli.command()
def schema() -> None:
    """Print the session file's JSON Schema."""
    import json

    from bptt_tui.session import schema as session_schema

    show(json.dumps(session_schema(), indent=2, ensure_ascii=False))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes commands, options and sessions in SHELL.

    \b
    bash:  eval "$(bptt-tui completion bash)"     in ~/.bashrc
    zsh:   eval "$(bptt-tui completion zsh)"      in ~/.zshrc, after compinit
    fish:  bptt-tui completion fish | source      in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    # The base class's: bash's own would run bash first, to ask for its version.
    show(ShellComplete.source(kind(cli, {}, "bptt-tui", "_BPTT_TUI_COMPLETE")).strip())


def _traced(name: str) -> Session:
    """The session, its numbers computed, so that whatever is wrong with it is said before anything opens."""
    from bptt_tui.session import load

    session = load(name)
    progress = ProgressLine("computing timesteps")
    try:
        session.trace(progress)
    finally:
        progress.wipe()
    return session


def _run_app(session: Session, **options: Any) -> None:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise CommandError("the debugger's screen needs a terminal", hint="without one, use bptt-tui run")
    from bptt_tui.tui.app import run as run_app

    run_app(session, **options)


def _play(debugger: Any, commands: Iterable[tuple[tuple[str, ...], str]]) -> None:
    """Carry out commands and print what each shows; one that cannot be carried out ends it, placed."""
    from bptt_tui.debugger.transcript import answer, describe

    view = debugger.view
    show(describe(view))
    for places, command in commands:
        before = view
        try:
            view = debugger.do(command)
        except CommandError as error:
            error.places = (*places, *error.places)
            raise
        show(f"\n(bptt) {visible(command)}")
        show(answer(before, view))
