"""The commands of a shell: `bptt-tui [SESSION]` opens the debugger, the others print and exit.

Results go to stdout, everything else to stderr. Exit status: 0 done or true, 1 false, 2 cannot be read or
used (one line naming file, place and reason), 130 interrupted, 141 when the reader of a pipe went away.

The floors below are imported by the commands that need them: `--help` and `--version` load neither numpy nor
textual.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from bptt_tui.cli.commands import DEBUG, cli
from bptt_tui.cli.output import OutputClosedError, flush, give_up, refused
from bptt_tui.errors import BpttError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "main"]


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run a command line (default: the process's own) and exit with its status."""
    # A start makes many objects, and they stay: not to be looked through whenever there are 700 more.
    gc.set_threshold(20_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an ASCII terminal shows ∂ as \u2202, and nothing fails
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_status(args))


def _status(args: Sequence[str] | None) -> int:
    try:
        status = cli.main(args, prog_name="bptt-tui", standalone_mode=False)
        flush()
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "bptt-tui"
        message = error.format_message().rstrip(".")
        return refused(f"{message[:1].lower()}{message[1:]}; see {command.removesuffix(f' {DEBUG}')} --help")
    except (BpttError, click.ClickException) as error:
        return refused(error.format_message() if isinstance(error, click.ClickException) else str(error))
    except (KeyboardInterrupt, click.Abort):
        return 130
    except OutputClosedError:
        give_up(sys.stdout)
        return 141
    except OSError as error:
        give_up(sys.stdout)
        return refused(f"the output cannot be written: {error.strerror}")
    except MemoryError:
        return refused("there is not enough memory; use fewer timesteps or smaller vectors")
    return status if isinstance(status, int) else 0
