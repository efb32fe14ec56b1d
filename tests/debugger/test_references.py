"""One set of spellings for a node, a use and a gradient, over all commands that take one."""

from __future__ import annotations

import pytest

from bptt_tui.debugger.completing import complete
from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.references import Index, Named, Reference, read_reference, replaced
from bptt_tui.errors import CommandError
from bptt_tui.session import load

NODES = ("s[1]", "s [1]", "s[ 1 ]", "s_1", "s1", "s₁", "s_{1}", "s_{ 1 }")
USES = ("w[1]", "w_1", "w1", "w₁", "w_{1}")
PRESENT = ("s[t]", "s_t", "s_{t}", "sₜ")
BEFORE = ("s[t-1]", "s_{t-1}", "sₜ₋₁", "s[ t - 1 ]")
GRADIENTS = (
    "dE/ds[1]", "dE/ds_1", "dE/ds1", "dE/ds_{1}", "∂E/∂s₁", "∂E/∂s_{1}", "dE / ds[1]", "dL/ds_1", "dE_1/ds_1",
    "\\partial E/\\partial s_1", "\\frac{\\partial E}{\\partial s_1}", "\\dfrac{\\partial E}{\\partial s_{1}}",
    "\\frac{dE}{ds_1}",
)  # fmt: skip
COMMANDS = ("goto", "break", "tbreak", "watch", "display", "print", "until", "chains", "find", "condition 1")


def _after(command: str, spelling: str) -> tuple[object, ...]:
    """What a command does, told without the spelling."""
    debugger = Debugger(load("question"))
    debugger.do("goto 18")
    if command.startswith("condition"):
        debugger.do("break s")
        view = debugger.do(f"{command} {spelling} > 0")
    else:
        view = debugger.do(f"{command} {spelling}")
    stored = command not in ("goto", "until", "chains")
    said = (view.message, *view.displays)
    return view.position, *((text.replace(spelling, "…") for text in said) if stored else said)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("spellings", [NODES, GRADIENTS, USES], ids=["node", "gradient", "use"])
def test_every_command_reads_every_spelling(command: str, spellings: tuple[str, ...]) -> None:
    """And does the same for all of them."""
    assert len({_after(command, spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize("spellings", [PRESENT, BEFORE], ids=["present", "before"])
@pytest.mark.parametrize("command", ["goto", "print", "watch", "display", "chains", "set"])
def test_an_index_counted_from_the_present_is_written_as_freely(command: str, spellings: tuple[str, ...]) -> None:
    places = set()
    for spelling in spellings:
        debugger = Debugger(load("question"))
        debugger.do("goto 18")
        places.add(debugger.do(f"{command} {spelling}" + (" = 0.5" if command == "set" else "")).position)
    assert len(places) == 1


@pytest.mark.parametrize("spelling", [*NODES, "s[-1]", "s_{-1}", "s₋₁"])
def test_set_and_unset_read_them_too(spelling: str) -> None:
    debugger = Debugger(load("question"))
    debugger.do(f"set {spelling} = 0.25")
    if "-" in spelling or "₋" in spelling:
        assert debugger.state.session.initial["s"] == 0.25
    else:
        assert debugger.state.session.pins == {"s[1]": 0.25}
        debugger.do(f"unset {spelling}")
        assert not debugger.state.session.pins


def test_an_entry_follows_the_timestep() -> None:
    for spelling in ("s_{1}[2]", "s[1,2]", "s₁[2]", "s_1[2]"):
        debugger = Debugger(load("vectors"))
        debugger.do(f"set {spelling} = 0.25")
        assert debugger.state.session.pins["s[1]"][2] == 0.25


@pytest.mark.parametrize("text", ["s_{}", "s_{x}", "s[]", "s[1.5]", "dE/ds_{x}"])
@pytest.mark.parametrize("command", ["goto", "break", "watch", "print", "chains"])
def test_what_is_no_timestep_is_refused_alike(command: str, text: str) -> None:
    debugger = Debugger(load("question"))
    with pytest.raises(CommandError, match="is not a timestep"):
        debugger.do(f"{command} {text}")


def test_a_name_written_just_so_comes_first() -> None:
    names = {"s", "s1", "h", "h_1", "dE", "ds"}
    assert read_reference(names, "s1") == Reference("s1", Named("s1"))
    assert read_reference(names, "s_1") == Reference("s_1", Named("s", Index(False, 1)))
    assert read_reference(names, "h_1") == Reference("h_1", Named("h_1"))
    assert read_reference(names, "h1") == Reference("h1", Named("h", Index(False, 1)))
    assert read_reference(names, "s1[2]") == Reference("s1[2]", Named("s1", Index(False, 2)))
    assert read_reference(names, "s_{t-2}") == Reference("s_{t-2}", Named("s", Index(True, -2)))
    assert read_reference(names, "(s)") is None


def test_in_an_expression_columns_stay_and_functions_are_left_alone() -> None:
    seen: list[tuple[str, int]] = []

    def stand_in(found: Reference, column: int) -> str:
        seen.append((found.text, column))
        return "Q"

    text = "exp(s_{1}) + s_1 * dE/dw_0 - s / t + prod"
    changed = replaced({"s", "w", "E"}, text, stand_in)
    assert changed == "exp(Q____) + Q__ * Q______ - s / t + prod"
    assert seen == [("s_{1}", 4), ("s_1", 13), ("dE/dw_0", 19)]
    assert len(changed) == len(text)


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("goto s_{", ["s_{0}", "s_{1}"]),
        ("watch s_{1", ["s_{1}"]),
        ("break dE/ds_{", ["dE/ds_{0}", "dE/ds_{1}"]),
        ("print ∂E/∂s[", ["∂E/∂s[0]", "∂E/∂s[1]"]),
        ("goto ∂", ["∂E/∂"]),
        ("set s_{-", ["s_{-1}"]),
        ("chains u_{", ["u_{0}", "u_{1}"]),
    ],
)
def test_completion_goes_on_in_the_spelling_begun(line: str, options: list[str]) -> None:
    assert [option.text for option in complete(Debugger(load("question")), line).options] == options
