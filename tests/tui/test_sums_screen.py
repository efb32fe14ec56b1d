"""The gradient as a sum, on its screen: what each part looks like, what its keys do, where enter leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from opening import FULL, MEDIUM, SMALL, Opened, opened
from syrupy.assertion import SnapshotAssertion

from bptt_tui.calculus import numerals
from bptt_tui.debugger.sums import Sums
from bptt_tui.errors import CommandError
from bptt_tui.session import Loss, Session, load
from bptt_tui.tui.ink import clipped
from bptt_tui.tui.sums_canvas import PARTS
from bptt_tui.tui.sums_screen import SumsScreen

SIZES = {"full": FULL, "medium": MEDIUM, "small": SMALL}


def long(steps: int = 60) -> Session:
    """The vanishing network with a loss at every timestep."""
    session = load("vanishing").replace(loss=Loss(at="every"))
    inputs = {name: np.asarray(value)[:steps] for name, value in session.inputs.items()}
    return session.replace(inputs=inputs)


@asynccontextmanager
async def shown(
    line: str, session: Session | str = "many-to-many", size: tuple[int, int] = FULL
) -> AsyncIterator[Opened]:
    """The screen that a command opens."""
    async with opened(session, size=size) as debugger:
        await debugger.type(line)
        assert isinstance(debugger.app.screen, SumsScreen)
        yield debugger


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer digits: the last ones differ from machine to machine."""
    monkeypatch.setattr(numerals, "exact", lambda value: numerals.number(value, 8))


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line", ["table w window 2", "knobs w", "buildup w", "chains w[1]", "chains w[1] 2"])
async def test_every_part_at_every_size(line: str, size: str, screen_golden: SnapshotAssertion) -> None:
    async with shown(line, size=SIZES[size]) as debugger:
        assert debugger.text() == screen_golden


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize("size", SIZES)
async def test_a_long_table_as_a_heat_map(size: str, screen_golden: SnapshotAssertion) -> None:
    """Sixty loss steps and uses in blocks, with chunks of 15 laid over them."""
    async with shown("table w chunks 15", long(), SIZES[size]) as debugger:
        assert debugger.text() == screen_golden


@pytest.mark.usefixtures("steady")
async def test_the_picture_of_a_table(picture_golden: SnapshotAssertion) -> None:
    async with shown("table w window 9", long(40)) as debugger:
        assert debugger.drawn().svg() == picture_golden


async def test_a_key_opens_it_and_escape_comes_back() -> None:
    """T shows the table of the present use's parameter; the position stays."""
    async with opened(at=21) as debugger:
        await debugger.press("T")
        assert isinstance(debugger.app.screen, SumsScreen)
        assert "∂E_t'/∂u_t" in debugger.text()
        await debugger.press("escape")
        assert debugger.app.screen is debugger.main
        assert debugger.view.position == 21


async def test_all_parts_by_their_numbers_and_by_tab() -> None:
    """1 to 4, tab and shift+tab."""
    async with shown("table w") as debugger:
        for number, (part, _) in enumerate(PARTS, 1):
            await debugger.press(str(number))
            assert debugger.app.screen._canvas.sheet.part == part
        await debugger.press("tab")
        assert debugger.app.screen._canvas.sheet.part == "table"
        await debugger.press("shift+tab")
        assert debugger.app.screen._canvas.sheet.part == "chains"


async def test_masks_by_keys() -> None:
    """m goes through none, window and chunks; + and - change k; the truncated gradient follows."""
    async with shown("table w") as debugger:
        assert "window" not in debugger.text()
        await debugger.press("m")
        assert " window 1  ∂E/∂w = 0.396056  true 0.2665" in debugger.text()
        await debugger.press("plus")
        assert " window 2  ∂E/∂w = 0.304239  true 0.2665" in debugger.text()
        assert "5 of 6 entries kept" in debugger.text()
        await debugger.press("m")
        assert " chunks 2 " in debugger.text() and "4 of 6 entries kept" in debugger.text()
        await debugger.press("minus", "minus")
        assert " chunks 1 " in debugger.text()
        await debugger.press("m")
        assert "chunks" not in debugger.text()


async def test_a_mask_that_takes_too_long_leaves_the_table_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise CommandError("it would take too long", hint="use fewer")

    monkeypatch.setattr(Sums, "truncated", refuse)
    async with shown("table w") as debugger:
        await debugger.press("m")
        assert " window 1  it would take too long; use fewer" in debugger.text()
        assert "0.235524" in debugger.text() and "left out" not in debugger.text()
        await debugger.press("m", "m")
        assert "too long" not in debugger.text() and "∂E/∂w = 0.2665" in debugger.text()


async def test_the_cursor_shows_its_cell_in_full_and_enter_goes_there() -> None:
    """The debugger then stands at the contribution of that use."""
    async with shown("table w") as debugger:
        trace = debugger.app.debugger.session.trace()
        await debugger.press("left")
        value = float(debugger.app.debugger.sums.table("w").cell(2, 1))
        assert f"∂E₂/∂w₁ = {value!r}" in debugger.text()
        await debugger.press("home", "right")
        assert "∂E₀/∂w₁: the loss cannot reach a later use" in debugger.text()
        await debugger.press("down", "enter")
        assert debugger.app.screen is debugger.main
        assert debugger.view.pane is not None
        assert debugger.view.pane.title == "∂E/∂w₁"
        assert float(np.asarray(debugger.view.pane.adjoint)) == float(trace.contribution("w", 1))


async def test_of_a_single_loss_step_nothing_is_said_twice() -> None:
    """An entry is the sum over its column then; what stands under it is the other sum."""
    async with shown("table w", "vanishing") as debugger:
        lines = [line for line in debugger.text().splitlines() if "∂E/∂w₅₉ = " in line]
        assert len(lines) == 1
        assert "∂E/∂w = 0.197594" in debugger.text().splitlines()[-2]


async def test_a_block_shows_the_entry_it_is_drawn_by() -> None:
    """In a table of 60 × 60 in blocks, the cursor's cell is the largest of its block; z goes cell by cell."""
    async with shown("table w", long()) as debugger:
        table = debugger.app.debugger.sums.table("w")
        assert "60 × 60, a tile the largest of 3×1" in debugger.text()
        await debugger.press("end", "left", "left")
        page = debugger.app.screen._canvas.page
        row, column = page._place
        assert abs(table.values()[row, column]) == np.abs(table.values()[57:60, column]).max()
        await debugger.press("z")
        assert "a tile" not in debugger.text()
        assert "E₅₉" in debugger.text()


async def test_arrays_by_norms_and_entry_by_entry() -> None:
    """e goes through the entries of a matrix, p through the parameters."""
    async with shown("table v") as debugger:
        assert "‖∂E_t'/∂v_t‖" in debugger.text()
        await debugger.press("e")
        assert " ∂E_t'/∂v[0]_t" in debugger.text()
        await debugger.press("e", "e")
        assert "‖∂E_t'/∂v_t‖" in debugger.text()
        await debugger.press("p")
        assert "∂E_t'/∂u_t" in debugger.text()
        await debugger.press("i")
        assert "█+" in debugger.text()


async def test_chains_summed_and_one_at_a_time() -> None:
    """Enter on a loss step shows its chains, n the next, s the sums; enter on a factor takes the debugger there."""
    async with shown("chains w[1]") as debugger:
        assert "∂E/∂w₁ = 0.0847533, the sum of 2 chains" in debugger.text()
        await debugger.press("down", "enter")
        assert "chain 1 of 1 through t = 2" in debugger.text()
        await debugger.press("s")
        assert "sum of the chains through E₂" in debugger.text()
        await debugger.press("t")
        assert "∂E/∂w₂" in debugger.text()
        await debugger.press("4", "down", "down", "enter")
        assert debugger.view.pane is not None
        assert debugger.view.pane.title == "∂E/∂q₂"


async def test_browsing_many_chains() -> None:
    """Arrows and n, p go from chain to chain; each has its product at its foot."""
    async with shown("chains Wi[0] 5", "lstm") as debugger:
        assert "chain 5 of 551" in debugger.text()
        await debugger.press("n", "right")
        assert "chain 7 of 551" in debugger.text()
        await debugger.press("p", "end", "home")
        assert "chain 6 of 551" in debugger.text()


async def test_products_are_from_the_loss_by_its_name() -> None:
    async with shown("chains Whh[3]", "min-char-rnn") as debugger:
        assert "product from loss down to here" in debugger.text()


async def test_the_build_up_goes_through_the_nodes() -> None:
    """n shows the next node; enter takes the debugger to the node."""
    async with shown("buildup w") as debugger:
        assert "∂⁺s/∂w" in debugger.text()
        await debugger.press("n")
        assert "∂⁺a/∂w" in debugger.text() or "∂⁺q/∂w" in debugger.text()
        await debugger.press("up", "enter")
        assert debugger.app.screen is debugger.main


async def test_what_cannot_be_shown_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that is too large is refused on the screen, the others stay."""
    monkeypatch.setattr("bptt_tui.derivation.buildup.LARGEST", 1)
    async with shown("table w") as debugger:
        await debugger.press("3")
        assert "✗ ∂s/∂w would take" in debugger.text()
        await debugger.press("1")
        assert "∂E_t'/∂w_t" in debugger.text()


async def test_predict_mode_keeps_it_closed() -> None:
    """The table would give the answers away."""
    async with opened() as debugger:
        await debugger.type("predict on")
        await debugger.press("T")
        assert debugger.app.screen is debugger.main
        assert "hidden in predict mode" in debugger.message


async def test_names_are_text_on_this_screen() -> None:
    """Nothing of a name is markup or a control character."""
    session = Session(
        equations=("z = β * s[t-1] + x[t]", "s = tanh(z)", "E = s * s"),
        parameters={"β": 0.5}, inputs={"x": [0.1, 0.2]}, initial={"s": 0.3}, loss=Loss(at="every"),
    )  # fmt: skip
    async with shown("table", session) as debugger:
        assert "∂E_t'/∂β_t" in debugger.text()


def test_a_long_line_is_cut() -> None:
    """With an ellipsis, whatever its inks."""
    line = clipped((("abc", "plain"), ("defgh", "dim"), ("ij", "plain")), 6)
    assert "".join(text for text, _ in line) == "abcde…"


@pytest.mark.parametrize(
    ("texts", "width", "cut"),
    [
        (("abc", "def", "g"), 6, "abcde…"),
        (("abc", "def", "  "), 6, "abcdef"),
        (("abc", "de  "), 6, "abcde"),
        (("ab …", "cd"), 5, "ab … "),
        (("ab … cd", "e"), 5, "ab … "),
        (("", "abcdef"), 3, "ab…"),
    ],
)
def test_what_a_cut_line_leaves_out_has_one_mark(texts: tuple[str, ...], width: int, cut: str) -> None:
    assert "".join(text for text, _ in clipped(tuple((text, "plain") for text in texts), width)) == cut


async def test_a_network_without_parameters_has_chains_all_the_same() -> None:
    """The other parts say that there is no parameter."""
    session = Session(equations=("s = tanh(s[t-1] + x[t])", "E = s * s"), inputs={"x": [0.1, 0.2]}, initial={"s": 0.3})
    async with shown("chains s[0]", session) as debugger:
        assert "∂E/∂s₀" in debugger.text()
        for key in ("1", "p", "e", "2", "3", "n"):
            await debugger.press(key)
        assert "✗ the network has no parameter that is used" in debugger.text()
        await debugger.press("question_mark")
        assert "mask: none, window, chunks" in debugger.text()


async def test_a_mask_over_a_long_sequence_begins_short_and_grows_in_larger_steps() -> None:
    """Its work grows with its timesteps; a short one changes by one."""
    session = load("question").replace(inputs={"x": [0.5, -1.0] * 250}, loss=Loss(at="every"), expected=None)
    async with opened(session) as debugger:
        await debugger.press("T")
        await debugger.until(lambda: isinstance(debugger.app.screen, SumsScreen))
        await debugger.press("m")
        assert "window 100" in debugger.text()
        await debugger.press("plus")
        assert "window 110" in debugger.text()
        await debugger.press("minus", "minus")
        assert "window 99" in debugger.text()
