"""The screen on which a session is made: from a bundled network or from nothing, checked as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from bptt_tui.session import load
from bptt_tui.tui.dialogs import AskPath
from bptt_tui.tui.field import Field
from bptt_tui.tui.leaving import LeaveDialog
from bptt_tui.tui.new_session import NewSession
from bptt_tui.tui.new_session_fields import Equations, ValueRow

SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))
    monkeypatch.chdir(tmp_path)


def screen(debugger: Opened) -> NewSession:
    return debugger.on(NewSession)


async def write(debugger: Opened, **fields: str) -> None:
    """Put texts into fields, as typing would; `equations`, or the value of a name."""
    shown = screen(debugger)
    for field, text in fields.items():
        if field == "equations":
            shown.query_one(Equations).text = text
        elif field in ("title", "loss_at", "steps", "seed", "scale"):
            shown.query_one(f"#{field}", Field).value = text
        else:
            rows = {row.need.key: row for row in shown.query(ValueRow)}
            value, _, shape = text.partition(" of ")
            rows[field].query_one(".value", Field).value = value
            rows[field].query_one(".shape", Field).value = shape
    await debugger.pilot.pause()


async def from_network(debugger: Opened, name: str) -> None:
    screen(debugger)._start.choose(name)
    await debugger.pilot.pause()
    await debugger.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_it_begins_with_what_is_open(size: str, screen_golden: SnapshotAssertion) -> None:
    async with opened(size=SIZES[size]) as debugger:
        await debugger.press("ctrl+n")
        await debugger.pilot.pause()
        assert debugger.text() == screen_golden


@pytest.mark.parametrize("size", SIZES)
async def test_a_mistake_in_an_equation_has_a_caret(size: str, screen_golden: SnapshotAssertion) -> None:
    async with opened(size=SIZES[size]) as debugger:
        await debugger.press("ctrl+n")
        await write(debugger, equations=screen(debugger).query_one(Equations).text.replace("tanh(z)", "tanh(z + )"))
        await debugger.press("ctrl+s")
        assert screen(debugger).focused is screen(debugger).query_one(Equations)
        assert debugger.text() == screen_golden


async def test_a_caret_far_to_the_right_is_on_a_narrow_screen_too() -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.press("ctrl+n")
        await write(debugger, equations="z = " + " + ".join(f"w{i} * x{i}" for i in range(20)) + " + )")
        lines = debugger.text().splitlines()
        (at,) = (i for i, line in enumerate(lines) if line.strip() == "^")
        assert lines[at - 1][lines[at].index("^")] == ")"


@pytest.mark.parametrize("size", SIZES)
async def test_mistakes_stand_at_their_fields(size: str, screen_golden: SnapshotAssertion) -> None:
    async with opened("vectors", size=SIZES[size]) as debugger:
        await debugger.press("ctrl+n")
        await write(debugger, U="random of 3x2x", y="9", loss_at="never")
        await debugger.press("ctrl+s")
        await debugger.pilot.pause()
        assert debugger.text() == screen_golden


async def test_on_another_screen_what_is_wrong_with_the_equations_is_in_sight() -> None:
    """Below them on a high screen, at the foot of a low one."""
    async with opened(size=MEDIUM) as debugger:
        await debugger.press("ctrl+n")
        await write(debugger, equations="u * x[t]")
        said = "unexpected '*'; expected '=' after u"
        assert debugger.text().count(said) == 1
        for size in (SMALL, MEDIUM):
            await debugger.pilot.resize_terminal(*size)
            await debugger.pilot.pause()
            lines = " ".join(line.strip() for line in debugger.text().splitlines())
            assert lines.count(said) == 1


@pytest.mark.parametrize("size", SIZES)
async def test_the_lower_end_can_be_reached(size: str, screen_golden: SnapshotAssertion) -> None:
    """Every field by tab, the last is the button."""
    async with opened("lstm", size=SIZES[size]) as debugger:
        await debugger.press("ctrl+n")
        await debugger.press("shift+tab")
        assert screen(debugger).focused is not None and screen(debugger).focused.id == "make"  # type: ignore[union-attr]
        assert debugger.text() == screen_golden


async def test_a_network_becomes_another_one_without_a_line_of_json() -> None:
    """Length, equation and values changed; opened unsaved; saved where one is asked for a path."""
    async with opened() as debugger:
        await debugger.press("n", "n", "ctrl+n")
        await from_network(debugger, "vectors")
        shown = screen(debugger)
        await write(debugger, title="Mine", steps="5", W="random of 3x3", x="random of 2", seed="7")
        assert "random, ±0.5, seed 7" in debugger.text()
        await write(debugger, equations=shown.query_one(Equations).text.replace("tanh", "sigmoid"))
        await debugger.press("ctrl+s")
        assert debugger.view.title == "Mine" and debugger.view.steps == 5 and debugger.view.position == 0
        session = debugger.app.debugger.session
        assert session.origin is None and session.recording == () and "sigmoid" in " ".join(session.equations)
        assert debugger.message == "a new session, not saved yet; ^s saves it"
        await debugger.press("n", "n", "ctrl+s")
        assert isinstance(debugger.app.screen, AskPath)
        debugger.app.screen.query_one(Input).value = "mine.json"
        await debugger.press("enter")
        saved = load("mine.json")
        assert saved.title == "Mine" and len(saved.inputs["x"]) == 5 and saved.debugger.position == 2
        assert saved.trace().gradient["W"].shape == (3, 3)
        await debugger.press("q")
        assert debugger.app._exit


async def test_from_nothing_the_equations_say_which_numbers_are_needed() -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+n", "n")
        await debugger.pilot.pause()
        shown = screen(debugger)
        assert shown._start.value == "nothing" and "no equations yet" in debugger.text() and not shown.query(ValueRow)
        await write(debugger, equations="s = tanh(w * s[t-1] + x[t])\nE = squared_error(s, y)")
        rows = [(row.need.key, row.typed.kind) for row in shown.query(ValueRow)]
        assert rows == [("w", "parameter"), ("x", "input"), ("y", "constant"), ("s[-1]", "initial")]
        await write(debugger, w="0.6", x="0.5 -1", y="1", **{"s[-1]": "0.3"}, steps="2")
        await debugger.press("ctrl+s")
        assert debugger.app.debugger.session.trace().gradient["w"] == pytest.approx(-0.7522793289)
        await debugger.press("q")
        assert isinstance(debugger.app.screen, LeaveDialog) and "a new network" in debugger.text()


async def test_what_is_typed_survives_a_renaming_and_back() -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+n")
        shown = screen(debugger)
        equations = shown.query_one(Equations).text
        await write(debugger, w="0.123")
        await write(debugger, equations=equations.replace("w *", "r *"))
        assert {row.need.key for row in shown.query(ValueRow)} == {"x", "u", "r", "v", "y", "s[-1]"}
        await write(debugger, equations=equations)
        assert {row.need.key: row.typed.value for row in shown.query(ValueRow)}["w"] == "0.123"


async def test_another_kind_of_name_is_chosen_with_arrows() -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+n")
        row = next(row for row in screen(debugger).query(ValueRow) if row.need.key == "w")
        assert row._choice is not None
        row._choice.focus()
        await debugger.press("right")
        assert row.typed.kind == "constant"
        await debugger.press("p", "ctrl+s")
        assert "w" in debugger.app.debugger.session.parameters


async def test_escape_leaves_and_says_first_what_is_lost() -> None:
    async with opened(at=3) as debugger:
        await debugger.press("ctrl+n", "escape")
        assert debugger.app.screen is debugger.main and debugger.view.position == 3
        await debugger.press("ctrl+n")
        await write(debugger, title="Mine")
        await debugger.press("escape")
        assert "esc again leaves" in debugger.text()
        await debugger.press("escape")
        assert debugger.app.screen is debugger.main and debugger.view.title.startswith("The question")


async def test_what_the_trace_refuses_stands_at_its_field_too() -> None:
    """The app goes on; the form is as it was."""
    async with opened() as debugger:
        await debugger.press("ctrl+n")
        await write(debugger, steps="20000000", x="1")
        await debugger.press("ctrl+s")
        assert isinstance(debugger.app.screen, NewSession) and "✗" in debugger.text()


async def test_pasted_control_characters_do_not_come_in() -> None:
    async with opened() as debugger:
        await debugger.press("ctrl+n")
        shown = screen(debugger)
        await write(debugger, title="a\x1b]0;x\x07b\u202e\tc")
        assert shown.query_one("#title", Field).value == "a]0;xb c"
        from textual import events

        shown.query_one(Equations).focus()
        debugger.app.post_message(events.Paste("k = 1\x1b[2J\r\nm = 2\u2028"))
        await debugger.pilot.pause()
        text = shown.query_one(Equations).text
        assert "k = 1[2J\nm = 2" in text and text.count("k = 1") == 1
