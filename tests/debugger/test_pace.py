"""What takes long tells how far it is, and ends when it is told to; then nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.pace import StoppedError
from bptt_tui.debugger.sums import Sums
from bptt_tui.derivation import chains
from bptt_tui.errors import CommandError
from bptt_tui.session import Loss, Recorded, load

PARTS: dict[str, Callable[[Sums], object]] = {
    "table": lambda sums: sums.table("w").values(),
    "buildup": lambda sums: sums.buildup("w", "s").row(-1).total,
    "counts": lambda sums: sums.chains("w", 0).count,
    "chains": lambda sums: sums.chains("w", 0).group(0).total,
    "knobs": lambda sums: sums.knobs("w").row(0).slope,
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_was_stopped_is_made_when_it_is_asked_for_again(part: str) -> None:
    sums, make = Debugger(load("many-to-many")).sums, PARTS[part]
    with sums.pace.followed(lambda: True, None), pytest.raises(StoppedError):
        make(sums)
    np.testing.assert_equal(make(sums), make(Debugger(load("many-to-many")).sums))


@pytest.mark.parametrize("part", ["table", "buildup", "counts"])
def test_shares_ascend_to_all_of_it(part: str) -> None:
    sums, told = Debugger(load("many-to-many")).sums, list[float]()
    with sums.pace.followed(None, told.append):
        PARTS[part](sums)
    assert told == sorted(told) and told[0] > 0 and told[-1] == 1
    PARTS["table"](sums)
    assert told[-1] == 1


def test_a_stopped_command_leaves_the_debugger_where_it_was() -> None:
    debugger = Debugger(load("many-to-many"))
    debugger.interrupt = lambda: True
    with pytest.raises(CommandError, match="interrupted"):
        debugger.do("table w")
    assert debugger.view.exhibit is None and not debugger.recording
    debugger.interrupt = None
    assert debugger.do("table w").exhibit is not None


@pytest.mark.parametrize("fit", [1, 2, 3, 50])
def test_loss_steps_swept_a_few_at_a_time_have_the_same_sums(fit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    session = load("vanishing").replace(loss=Loss(at="every"))
    inputs = {name: np.asarray(value)[:7] for name, value in session.inputs.items()}
    trace = session.replace(inputs=inputs).trace()
    whole = chains.Chains(trace, "w", 0)
    expected = {loss: whole.sum(loss) for loss in whole.counts}
    span = max(expected) + 1
    monkeypatch.setattr(chains, "_AT_ONCE", fit * span)
    few = chains.Chains(trace, "w", 0)
    for loss in [*reversed(expected), *expected]:
        np.testing.assert_equal(few.sum(loss), expected[loss])
    assert len(expected) == 7


def test_a_recording_that_is_stopped_on_the_way_is_not_taken_for_one_that_cannot_be_played() -> None:
    """The edit in it computes a trace; the first command after opening goes through it."""
    saved = load("question").with_state(position=1, recording=[Recorded(0.0, "set w = 0.9"), Recorded(1.0, "next")])
    debugger = Debugger(saved)
    debugger.interrupt = lambda: True
    with pytest.raises(StoppedError, match=r"^interrupted$"):
        debugger.do("next")
    assert debugger.view.position == 1 and debugger.recording == saved.recording and debugger.rehearses
    debugger.interrupt = None
    assert debugger.do("next").position == 2
