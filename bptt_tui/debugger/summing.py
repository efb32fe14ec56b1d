"""The commands that show the gradient as a sum. What they do is loaded when the first of them is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bptt_tui.debugger.command import Command
from bptt_tui.errors import CommandError, NetworkError

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger


def _lazily(name: str) -> Callable[[Debugger, str], str]:
    def act(debugger: Debugger, rest: str) -> str:
        from bptt_tui.debugger import sums_commands

        try:
            with debugger.sums.pace.followed(debugger.interrupt, debugger.tell):
                answer: str = getattr(sums_commands, name)(debugger, rest)
        except NetworkError as error:  # what is found out late: too large, not there
            raise CommandError(error.reason, hint=error.hint) from None
        return answer

    return act


ROWS = (
    Command("table", "table [P] [window K|chunks K]", "what each loss step sends to each use of a parameter",
            _lazily("table"), (), "table w · table W[0,1] · table w window 5: loss steps reach back over 5 timesteps · "
            "table w chunks 5: the sequence in pieces of 5"),
    Command("knobs", "knobs [P]", "each use nudged alone, beside its contribution",
            _lazily("knobs"), (), "knobs w · knobs W[0,1]"),
    Command("buildup", "buildup [P] [NODE]", "∂⁺node/∂P and the total ∂node/∂P, built up over time",
            _lazily("buildup"), (), "buildup w · buildup w z"),
    Command("chains", "chains [USE|NODE] [N|t=T]", "every path from E: how many, one of them, those from one loss step",
            _lazily("chains"), (), "chains w[0] · chains w[0] 3: the third · chains w[0] t=5: those from t = 5"),
)  # fmt: skip
