"""The derivation screen: read as it is typed, judged on enter, and left for the factor in question and come back to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened, text_of
from syrupy.assertion import SnapshotAssertion
from textual import events
from verdicts import ALL, COINCIDENCE, RIGHT, RIGHT_TEXT, WRONG, WRONG_TEXT

from bptt_tui.debugger import attempts
from bptt_tui.derivation.judging.verdict import Verdict
from bptt_tui.errors import CommandError
from bptt_tui.session import Session, load
from bptt_tui.tui.derivation.attempts_pane import AttemptsPane
from bptt_tui.tui.derivation.formula_area import FormulaArea
from bptt_tui.tui.derivation.notation import notation_text
from bptt_tui.tui.derivation.reading_bar import ReadingBar
from bptt_tui.tui.derivation.screen import DerivationScreen
from bptt_tui.tui.derivation.verdict_pane import VerdictPane
from bptt_tui.tui.ink import width_of

MADE = {verdict.statement.text: verdict for verdict in ALL.values()}
SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[[Verdict], None]:
    """Verdicts made by hand in the place of judging; more can be added."""
    known = dict(MADE)

    def judged(_session: Session, text: str) -> Verdict:
        if text not in known:
            raise CommandError("this cannot be read")
        return known[text]

    monkeypatch.setattr(attempts, "judged", judged)

    def add(verdict: Verdict) -> None:
        known[verdict.statement.text] = verdict

    return add


def desk(debugger: Opened) -> DerivationScreen:
    return debugger.on(DerivationScreen)


def area(debugger: Opened) -> FormulaArea:
    return desk(debugger).query_one(FormulaArea)


def reading(debugger: Opened) -> str:
    bar = desk(debugger).query_one(ReadingBar)
    return "\n".join(text_of(bar.lines(bar.size.width)))


def said(debugger: Opened) -> str:
    from bptt_tui.tui.bars import MessageBar

    return desk(debugger).query_one(MessageBar).text


async def judge(debugger: Opened, text: str) -> None:
    """Write a text and press enter; until the verdict is drawn."""
    area(debugger).write(text)
    area(debugger).focus()
    await debugger.pilot.pause()
    await debugger.press("enter")
    await debugger.app.workers.wait_for_complete()
    await debugger.pilot.pause()


async def read(debugger: Opened) -> None:
    """Until the pause after the last key is over and the text is read."""
    await debugger.until(lambda: desk(debugger)._clock is None)


# --- what it looks like --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("outcome", ["right", "wrong", "coincidence", "shapes"])
@pytest.mark.usefixtures("made")
async def test_a_verdict_at_every_size(outcome: str, size: str, screen_golden: SnapshotAssertion) -> None:
    async with opened("vectors" if outcome == "shapes" else "question", size=SIZES[size]) as debugger:
        await debugger.press("D")
        await judge(debugger, ALL[outcome].statement.text)
        assert debugger.text() == screen_golden


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.usefixtures("made")
async def test_an_unreadable_formula_at_every_size(size: str, screen_golden: SnapshotAssertion) -> None:
    """The caret under the character, and what was expected; no verdict, no attempt."""
    async with opened(size=SIZES[size]) as debugger:
        await debugger.press("D")
        await judge(debugger, "dE/dw = dE/ds_1 * ds_1/dz_1 * (s_0 + w_1 * ds_0/dy_0")
        assert debugger.text() == screen_golden
        assert not debugger.app.debugger.desk.attempts


@pytest.mark.usefixtures("made")
async def test_the_picture_of_a_wrong_one(picture_golden: SnapshotAssertion) -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("tab")
        assert debugger.drawn().svg() == picture_golden


@pytest.mark.usefixtures("made")
async def test_small_every_part_comes_by_tab(screen_golden: SnapshotAssertion) -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("tab")
        assert isinstance(debugger.app.focused, AttemptsPane)
        assert debugger.text() == screen_golden
        await debugger.press("tab")
        assert area(debugger).has_focus and "reads ∂E/∂w" in debugger.text()


# --- reading -------------------------------------------------------------------------------------------------------


async def test_a_text_is_read_as_it_is_typed() -> None:
    """Key by key, without enter: the error where it is, then how it is understood."""
    async with opened() as debugger:
        await debugger.press("D")
        await debugger.press(*"dE/dw=")
        await read(debugger)
        assert reading(debugger).startswith("  dE/dw=\n        ^\n✗ nothing follows the last '='")
        await debugger.press(*"w")
        await read(debugger)
        assert reading(debugger) == "reads ∂E/∂w = w"


async def test_the_formula_under_the_cursor_is_the_one_that_is_told() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        area(debugger).write("dE/dw = w\ndE/du = * u\ndE/dv = v")
        await read(debugger)
        assert reading(debugger) == "3 of 3: reads ∂E/∂v = v"
        await debugger.press("up")
        assert "2 of 3: unexpected '*'" in reading(debugger)
        await debugger.press("enter")
        assert said(debugger).startswith("formula 2 cannot be read yet")
        assert area(debugger).cursor_location == (1, 8)


async def test_what_is_pasted_is_text(made: Callable[[Verdict], None]) -> None:
    """Controls are spelt out, line breaks of any kind break lines, markup means nothing."""
    async with opened() as debugger:
        await debugger.press("D")
        pasted = "dE/dw =\x1b]0;x\x07 [b]w[/b]\r\ndE/du\t= \u202eu"
        debugger.app.post_message(events.Paste(pasted))
        await debugger.pilot.pause()
        await debugger.pilot.pause()
        assert area(debugger).text == "dE/dw =\\x1b]0;x\\x07 [b]w[/b]\ndE/du = \\u202eu"
        await read(debugger)
        assert "[b]w[/b]" in debugger.text() and "\x1b" not in debugger.text()


async def pasted(debugger: Opened, text: str) -> str:
    """What is written after this was pasted."""
    debugger.app.post_message(events.Paste(text))
    for _ in range(3):
        await debugger.pilot.pause()
    return area(debugger).text


async def test_another_formula_does_not_run_into_the_one_before(made: Callable[[Verdict], None]) -> None:
    """It gets a line of its own, or the place of what was judged; a part of a formula goes where the cursor is."""
    async with opened() as debugger:
        await debugger.press("D")
        assert await pasted(debugger, "dE/dw = w") == "dE/dw = w"
        assert await pasted(debugger, " * u") == "dE/dw = w * u"
        assert await pasted(debugger, "dE/du = u\n") == "dE/dw = w * u\ndE/du = u"
        await judge(debugger, RIGHT_TEXT)
        assert await pasted(debugger, " * w") == f"{RIGHT_TEXT} * w"
        await judge(debugger, RIGHT_TEXT)
        assert await pasted(debugger, WRONG_TEXT) == WRONG_TEXT
        await debugger.press("ctrl+z")
        assert area(debugger).text == RIGHT_TEXT


async def test_what_is_pasted_is_a_formula_wherever_the_keys_go(made: Callable[[Verdict], None]) -> None:
    async with opened() as debugger:
        await debugger.press("D", "tab")
        assert not area(debugger).has_focus
        assert await pasted(debugger, "dE/dw = w") == "dE/dw = w"
        assert area(debugger).has_focus


async def test_a_key_writes_left_sides_in_turn() -> None:
    """∂E/∂ of each parameter; behind something written, in a line of its own."""
    async with opened() as debugger:
        await debugger.press("D")
        seen = []
        for _ in range(4):
            await debugger.press("ctrl+l")
            seen.append(area(debugger).text)
        assert seen == ["∂E/∂u = ", "∂E/∂w = ", "∂E/∂v = ", "∂E/∂u = "]
        await debugger.press("u", "ctrl+l")
        assert area(debugger).text == "∂E/∂u = u\n∂E/∂u = "


async def test_the_help_tells_the_notation() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await debugger.press("question_mark")
        assert "A derivation" in debugger.text() and "the immediate partial" in debugger.text()
        await debugger.press("escape")
        assert area(debugger).text == "" and area(debugger).has_focus


def test_the_notation_stays_in_two_columns_where_it_is_broken() -> None:
    lines = notation_text(80).plain.splitlines()
    assert max(width_of(line.rstrip()) for line in lines) <= 80 - 10
    at = next(i for i, line in enumerate(lines) if line.startswith("dE/dw"))
    column = lines[at].index("also")
    assert lines[at + 1].startswith(" " * column + "loss, whatever")
    assert max(width_of(line.rstrip()) for line in notation_text(40).plain.splitlines()) <= 40 - 10


async def test_an_error_with_a_formula_that_is_too_long_is_cut_with_a_mark() -> None:
    async with opened(size=SMALL) as debugger:
        await debugger.press("D")
        area(debugger).text = "dE/du"
        await debugger.until(lambda: "expected '='" in debugger.text())
        assert "E/∂u = ∂E/∂u_1" in debugger.text() and "…\n" in debugger.text().split("equals; as in")[1]


# --- judging -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("made")
async def test_judging_is_a_command_like_any_other() -> None:
    """Recorded, kept as an attempt, told in the header of the debugger."""
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        inner = debugger.app.debugger
        assert [entry.command for entry in inner.recording] == [f"check {WRONG_TEXT}"]
        assert [one.verdict for one in inner.desk.attempts] == [WRONG]
        await debugger.press("escape")
        assert debugger.app.screen is debugger.main and "recording 1" in debugger.text()


@pytest.mark.usefixtures("made")
async def test_several_formulas_are_judged_at_once_and_the_wrong_one_is_shown() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, f"{RIGHT_TEXT}\n{WRONG_TEXT}\n{COINCIDENCE.statement.text}")
        text = debugger.text()
        assert "✗ wrong: in ∂E/∂w₀" in text and "✓ 1  ✗ 1  ≈ 1" in text
        assert said(debugger) == "3 judged: see the attempts"


@pytest.mark.usefixtures("made")
async def test_a_formula_over_several_lines_is_one_command() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT.replace(" + ", "\n  + "))
        assert [one.formula for one in debugger.app.debugger.desk.attempts] == [WRONG_TEXT]


async def test_enter_takes_the_debugger_to_the_factor_and_back_all_is_as_it_was(
    made: Callable[[Verdict], None],
) -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("tab", "down", "down")
        before = debugger.text()
        assert "▌    ○ ∂s₁/∂z₁ = 1 − s₁² is missing" in before
        await debugger.press("enter")
        assert debugger.app.screen is debugger.main
        assert debugger.view.pane is not None and debugger.view.pane.title == "∂E/∂z₁"
        await debugger.press("D")
        assert debugger.text() == before
        await debugger.press("up", "up", "enter")
        assert debugger.view.pane is not None and debugger.view.pane.title == "∂E/∂w₀"
        made(msgspec.structs.replace(RIGHT, members=(_nowhere(),)))
        await debugger.press("D")
        await judge(debugger, RIGHT_TEXT)
        await debugger.press("tab", "enter")
        assert "no place for this one" in said(debugger)


def _nowhere():  # type: ignore[no-untyped-def]
    member = RIGHT.members[0]
    return msgspec.structs.replace(
        member, terms=tuple(msgspec.structs.replace(term, place="") for term in member.terms)
    )


@pytest.mark.usefixtures("made")
async def test_space_shows_every_factor_of_a_term_or_only_what_is_amiss() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        assert "✓ ∂s₀/∂z₀ = 1 − s₀²" in debugger.text()
        await debugger.press("tab", "space")
        assert "✓ ∂s₀/∂z₀" not in debugger.text() and "○ ∂s₁/∂z₁" in debugger.text()
        await debugger.press("space")
        assert "✓ ∂s₀/∂z₀ = 1 − s₀²" in debugger.text()


@pytest.mark.usefixtures("made")
async def test_attempts_are_looked_at_judged_again_edited_and_deleted() -> None:
    """Of a file opened again nothing is judged yet; the cursor shows each."""
    session = load("question").with_state(attempts=[attempts.Attempt(RIGHT_TEXT), attempts.Attempt(WRONG_TEXT)])
    async with opened(session) as debugger:
        await debugger.press("D")
        pane = desk(debugger).query_one(AttemptsPane)
        pane.focus()
        await debugger.press("down")
        assert "not judged with these numbers yet; enter judges it" in debugger.text()
        await debugger.press("enter")
        await debugger.app.workers.wait_for_complete()
        await debugger.pilot.pause()
        assert "▌✗  2" in debugger.text() and " ·  1" in debugger.text()
        await debugger.press("e")
        assert area(debugger).text == WRONG_TEXT and area(debugger).has_focus
        pane.focus()
        await debugger.press("x")
        assert [one.formula for one in debugger.app.debugger.desk.attempts] == [RIGHT_TEXT]


@pytest.mark.usefixtures("made")
async def test_the_command_opens_the_screen_on_its_verdict() -> None:
    """`check` at the command line: the verdict, and the formula to go on with."""
    async with opened() as debugger:
        await debugger.type(f"check {WRONG_TEXT}")
        assert area(debugger).text == WRONG_TEXT
        assert desk(debugger).query_one(VerdictPane).border_title == "verdict: wrong"
        await debugger.press("escape")
        await debugger.type(f"check {RIGHT_TEXT}")
        assert area(debugger).text == WRONG_TEXT and "▌✓  2" in debugger.text()
        await debugger.press("escape")
        await debugger.type("check dE/dw")
        assert debugger.app.screen is debugger.main


@pytest.mark.usefixtures("made")
async def test_a_prediction_keeps_verdicts_waiting() -> None:
    """No verdict, no outcome and no number shows until predict mode is over."""
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("escape")
        await debugger.type("predict on")
        await debugger.press("D")
        text = debugger.text()
        assert "waiting: a verdict shows numbers that predict mode asks for" in text
        assert "missing" not in text and "✗" not in text and "-0.138979" not in text
        await judge(debugger, WRONG_TEXT)
        assert said(debugger).endswith("predict off") and "✗ wrong" not in debugger.text()
        await debugger.press("escape")
        await debugger.type("predict off")
        await debugger.press("D")
        assert "✗ wrong: in ∂E/∂w₀" in debugger.text()


async def test_numbers_changed_since_are_judged_anew(made: Callable[[Verdict], None]) -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("escape")
        debugger.app.debugger.do("set w 0.9")
        await debugger.press("D")
        assert "not judged with these numbers yet" in debugger.text()


async def test_what_cannot_be_judged_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_session: Session, _text: str) -> Verdict:
        raise CommandError("this cannot be judged", hint="for a reason")

    monkeypatch.setattr(attempts, "judged", refuse)
    async with opened() as debugger:
        await debugger.press("D", "enter")
        assert said(debugger) == "nothing is written yet"
        await judge(debugger, RIGHT_TEXT)
        assert said(debugger) == "this cannot be judged; for a reason"


@pytest.mark.usefixtures("made")
async def test_a_terminal_made_smaller_keeps_the_part_with_the_keys() -> None:
    async with opened() as debugger:
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("tab")
        await debugger.pilot.resize_terminal(*SMALL)
        await debugger.pilot.pause()
        assert "✗ wrong" in debugger.text() and debugger.app.focused is desk(debugger).query_one(VerdictPane)


@pytest.mark.usefixtures("made")
async def test_judging_during_a_replay_leaves_it_and_space_resumes() -> None:
    """The lesson's recording stays as it is; the attempt is kept."""
    from bptt_tui.session import Recorded

    session = load("question").with_state(recording=[Recorded(0.0, "next"), Recorded(60.0, "next")])
    async with opened(session, replay=True) as debugger:
        await debugger.until(lambda: debugger.view.position == 1)  # what is due at once has been played
        await debugger.press("D")
        await judge(debugger, WRONG_TEXT)
        await debugger.press("escape")
        assert [entry.command for entry in debugger.app.debugger.recording] == ["next", "next"]
        await debugger.press("space")
        assert "resumed" in debugger.message
        assert [one.formula for one in debugger.app.debugger.desk.attempts] == [WRONG_TEXT]
