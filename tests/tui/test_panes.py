"""The node pane and the chain: what stands under what, at any width."""

from __future__ import annotations

import re

import numpy as np
import pytest
from opening import SMALL, Opened, opened, text_of
from rich.cells import cell_len

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.session import Session, load
from bptt_tui.tui.chain import ChainPane, _lying, _standing, _to_come
from bptt_tui.tui.layout import layout_of, panes_shown
from bptt_tui.tui.node import NodePane, node_lines
from bptt_tui.tui.pane import Pane


def at(session: str, line: str) -> Debugger:
    debugger = Debugger(load(session))
    debugger.do("end")
    debugger.do(line)
    return debugger


@pytest.mark.parametrize("name", ["question", "vectors", "many-to-many", "one-logit"])
@pytest.mark.parametrize("width", [30, 38, 50, 90])
def test_every_position_fits_the_width(name: str, width: int) -> None:
    debugger = Debugger(load(name))
    while debugger.view.position < debugger.view.last:
        view = debugger.do("step")
        assert view.pane is not None
        lines = text_of(node_lines(view, view.pane, width, 99))
        assert all(cell_len(line.rstrip()) <= width for line in lines), lines
        lines = text_of(_lying(view, width + 50, 1)) if view.chain.title else []
        assert all(cell_len(line.rstrip()) <= width + 50 for line in lines), lines


@pytest.mark.parametrize("name", ["lstm", "min-char-rnn", "vectors"])
@pytest.mark.parametrize("width", [32, 39, 50])
def test_a_matrix_by_one_entry_says_that_it_is_the_largest(name: str, width: int) -> None:
    """A sign and a number alone is a norm in the table of contributions."""
    debugger = Debugger(load(name))
    said = 0
    while debugger.view.position < debugger.view.last:
        view = debugger.do("next")
        assert view.pane is not None
        lines = text_of(node_lines(view, view.pane, width, 12))
        assert all(cell_len(line.rstrip()) <= width for line in lines), lines
        assert not any(re.search(r"[▲▴▵▼▾▿◆◈◇] -?[\d.]", line) for line in lines if "largest" not in line), lines
        said += sum("largest" in line for line in lines)
    assert said


@pytest.mark.parametrize(("name", "height"), [("question", 8), ("min-char-rnn", 12), ("vanishing", 8)])
def test_what_a_step_backward_comes_to_is_in_sight_on_a_small_screen(name: str, height: int) -> None:
    """The local partials, which come below it, may have to be scrolled to; nothing is left out."""
    debugger = Debugger(load(name))
    debugger.do("end")
    for _ in range(60):
        view = debugger.view
        if view.phase == "forward" or view.pane is None:
            break
        lines = text_of(node_lines(view, view.pane, 39, height))
        # Of what flows in over several edges the sum, of a use the sum so far, otherwise the product.
        mark = "Σ" if view.pane.ref.kind == "use" or len(view.pane.inflows) > 1 else "="
        assert any(line.startswith(mark) for line in lines[:height]), lines
        assert all(any(factor.title in line for line in lines) for factor in view.pane.partials)
        debugger.do("rewind")


def test_the_factor_of_a_lesson_is_in_sight_beside_its_note() -> None:
    view = Debugger(load("lesson-question")).do("goto dE/ds[0]")
    assert view.pane is not None
    lines = text_of(node_lines(view, view.pane, 32, 5, notes=False))
    assert lines[:5] == [
        "s₀ = tanh(z₀)",
        "inflow 1 of 1, through b₁",
        "  ∂E/∂b₁       -1.06231",
        "× ∂b₁/∂s₀ = w   0.6",
        "= ∂E/∂s₀       -0.637385",
    ]


def test_the_node_pane_goes_from_inflows_to_the_sum() -> None:
    view = at("many-to-many", "goto s[0]").view
    assert view.pane is not None
    lines = text_of(node_lines(view, view.pane, 60, 99))
    titles = [line for line in lines if line.startswith("inflow")]
    assert titles == ["inflow 1 of 2, through b₁", "inflow 2 of 2, through q₀"] or len(titles) == 2
    assert any(line.startswith("Σ ∂E/∂s₀") for line in lines)
    assert sum(line.startswith("× ") for line in lines) == 2


def test_matrices_are_written_out_where_there_is_room() -> None:
    view = at("question", "goto dE/dq[1]").view
    assert view.pane is not None
    roomy, tight = (text_of(node_lines(view, view.pane, 50, height)) for height in (40, 18))
    assert "      [ 0.2091 -0.2091]" in roomy and "[.21 -.21; -.21 .21]" not in "".join(roomy)
    assert len(tight) <= 18 < len(roomy) and "[.21 -.21; -.21 .21]" in "".join(tight)


def test_an_inflow_not_taken_yet_is_not_yet_and_the_sum_waits() -> None:
    debugger = at("many-to-many", "goto s[0]")
    debugger.do("rewind")
    view = debugger.do("step")
    assert view.factor == 1 and view.pane is not None
    lines = text_of(node_lines(view, view.pane, 60, 99))
    assert any(line.startswith("= inflow 2") and "not yet" in line for line in lines)
    assert any(line.startswith("Σ so far, 1 of 2") for line in lines)


def test_a_use_shows_its_contribution_and_the_sum_so_far() -> None:
    view = at("question", "goto u[0]").view
    assert view.pane is not None
    lines = text_of(node_lines(view, view.pane, 50, 99))
    assert any("∂E/∂u so far, 2 of 2" in line and "0.830676" in line for line in lines)


async def test_one_logit_says_that_every_gradient_is_zero_and_why() -> None:
    async with opened("one-logit", at=20) as debugger:
        text = " ".join(debugger.text().replace("│", " ").split())
        assert "softmax of one logit is the constant 1" in text
        pane = debugger.main.query_one(NodePane)
        assert "exactly 0" in " ".join(" ".join(text_of(pane._lines)).split())


def test_shape_and_running_product_stand_under_every_factor() -> None:
    view = at("question", "goto dE/ds[0]").view
    titles, formulas, values, shapes, running = text_of(_lying(view, 116, 1))
    assert titles.split("·")[1].strip() == "∂o/∂q" and "▐ ∂b₁/∂s₀ ▌" in titles
    assert formulas.split()[0] == "formula" and values.split()[0] == "value"
    assert shapes.split() == ["shape", "1×2", "2×2", "2×1", "1×1", "1×1", "1×1"]
    assert running.rstrip().endswith("-0.637385")
    middle = titles.index("∂b₁/∂s₀") + 3
    assert abs(shapes.rindex("1×1") + 1 - middle) <= 1


def test_what_does_not_fit_is_left_out_next_to_E() -> None:
    view = at("question", "goto u[0]").view
    titles = text_of(_lying(view, 70, 1))[0]
    assert titles.startswith("∂E/∂u₀ =  ⋯ ·") and "∂a₀/∂u₀" in titles and "∂E/∂o" not in titles
    two = text_of(_lying(view, 70, 2))
    assert len(two) == 11 and "∂E/∂o" in two[0] and "∂a₀/∂u₀" in two[6] and "⋯" not in "".join(two)


def test_a_long_chain_asks_only_for_what_it_can_show() -> None:
    session = load("question").replace(inputs={"x": [0.5] * 300})
    debugger = Debugger(session)
    debugger.do("goto dE/ds[0]")
    view = debugger.view
    lines = text_of(_lying(view, 116, 1))
    assert "⋯" in lines[0] and len(lines) == 5 and cell_len(lines[0].rstrip()) <= 116


def test_factors_for_chains_to_come_are_no_sum() -> None:
    """c₀ has two consumers, but the factors that it gives to chains stand beside each other only."""
    view = Debugger(load("lstm")).do("goto c[0]")
    assert view.pane is not None and view.pane.partials[0].branches > 1
    lines = text_of(_to_come(view.pane, 80))
    assert "∂c₀/∂f₀" in lines[0] and "∂c₀/∂i₀" in lines[0] and "Σ" not in lines[0]


@pytest.mark.parametrize("width", [40, 80])
def test_a_chain_has_something_of_every_array(width: int) -> None:
    debugger = Debugger(load("lstm"))
    debugger.do("end")
    said = []
    while debugger.view.phase == "backward":
        view = debugger.do("rewind")
        factors = view.chain.factors(10)
        lines = text_of(_standing(view.chain.title, factors, True, width) if width < 60 else _lying(view, width, 1))
        assert all(cell_len(line.rstrip()) <= width for line in lines)
        said += [line for line in lines if "‖" in line]
        assert "[…]" not in "".join(lines)
    assert said


LONG_NAMES = Session(
    title="long names",
    equations=(
        "preactivation_of_state = input_weight * observed_input[t] + recurrent_weight * hidden_state[t-1]",
        "hidden_state = tanh(preactivation_of_state)",
        "final_loss = squared_error(hidden_state, wanted_target_value)",
    ),
    parameters={"input_weight": 0.8, "recurrent_weight": 0.6},
    initial={"hidden_state": 0.3},
    inputs={"observed_input": [0.5, -1.0, 0.25]},
    constants={"wanted_target_value": 0.5},
)


async def test_long_names_leave_room_for_the_numbers() -> None:
    """On a small screen too: in the chain, the contributions and the sums."""
    async with opened(LONG_NAMES, size=SMALL) as debugger:
        await debugger.type("goto dfinal_loss/dhidden_state[1]")
        await debugger.press("3")
        assert all(number in debugger.text() for number in ("-0.570695", "-0.567843", "-0.340706"))
        await debugger.press("4")
        assert all(number in debugger.text() for number in ("-0.141961", "0.256299", "not yet"))
        await debugger.type("knobs recurrent_weight")
        assert all(f"…_weight{t}" in debugger.text() for t in "₀₁₂")
        assert "0.256299     0.256299  ✓" in debugger.text()


def test_a_restart_from_a_sum_is_marked() -> None:
    view = at("many-to-many", "goto dE/dz[0]").view
    assert "Σ" in text_of(_lying(view, 150, 1))[0]


def test_factors_under_each_other_fit_a_narrow_screen() -> None:
    view = at("question", "goto u[0]").view
    lines = text_of(_standing(view.chain.title, view.chain.factors(20), True, 39))
    assert len(lines) == 10 and all(cell_len(line) <= 39 for line in lines)
    assert lines[-1].rstrip().endswith("-0.231632   ◂")


async def test_the_narrow_chain_ends_at_the_current_factor() -> None:
    async with opened(at=27, size=SMALL) as debugger:
        await debugger.press("3")
        pane = debugger.main.query_one(ChainPane)
        assert pane.scroll_offset.y + pane.size.height == pane.virtual_size.height
        assert "∂a₀/∂u₀" in debugger.text()


def test_a_jacobian_too_large_to_keep_is_said_to_be() -> None:
    wide = np.full((80, 80), 0.01).tolist()
    session = load("vectors").replace(
        equations=["s = tanh(W @ s[t-1] + x[t])", "E = sum(s * s)"],
        parameters={"W": wide},
        initial={"s": [0.1] * 80},
        inputs={"x": [[0.1] * 80] * 2},
        constants={},
    )
    debugger = Debugger(session)
    debugger.do("end")
    view = debugger.do("goto dE/ds[0]")
    assert view.pane is not None
    assert any("too large" in line for line in text_of(node_lines(view, view.pane, 60, 99)))


@pytest.mark.parametrize(
    ("size", "layout"),
    [((120, 36), "full"), ((80, 24), "medium"), ((40, 12), "small"), ((200, 17), "small"), ((60, 60), "small")],
)
def test_every_pane_can_be_reached_in_every_layout(size: tuple[int, int], layout: str) -> None:
    assert layout_of(*size) == layout
    reached: set[str] = set()
    for active in ("graph", "node", "chain", "contributions", "strip"):
        lower = active if active in ("chain", "contributions") else "chain"
        shown = panes_shown(layout_of(*size), active, lower)
        assert active in shown
        reached |= shown
    assert len(reached) == 5


async def drawn(debugger: Opened, key: str) -> list[str]:
    """Bring a pane to the front: what is drawn in it."""
    await debugger.press(key)
    pane = debugger.main.focused
    assert isinstance(pane, Pane)
    return [pane.render_line(y).text.rstrip() for y in range(pane.inner.height)]


@pytest.mark.parametrize("key", ["2", "3", "4"])
async def test_a_pane_that_was_hidden_for_some_steps_comes_back_with_the_present_one(key: str) -> None:
    async with opened("question", at=22, size=SMALL) as fresh:
        expected = await drawn(fresh, key)
    async with opened("question", at=17, size=SMALL) as debugger:
        assert any(expected) and await drawn(debugger, key) != expected
        await debugger.press("1", *"n" * 5)
        assert await drawn(debugger, key) == expected


async def test_a_pane_that_was_scrolled_down_shows_fewer_lines_from_the_first() -> None:
    async with opened("vectors", at=41, size=SMALL) as debugger:
        await debugger.press("2", "pagedown", "pagedown")
        pane = debugger.main.query_one(NodePane)
        assert pane.scroll_offset.y == pane.max_scroll_y > 0
        debugger.main.perform("goto 2")
        await debugger.pilot.pause()
        assert pane.scroll_offset.y == 0 and pane.render_line(0).text.startswith("b₀ = W·s₋₁")


@pytest.mark.parametrize("key", ["2", "3", "4", "5"])
async def test_on_a_small_screen_one_pane_has_all_the_room(key: str) -> None:
    async with opened("question", at=22, size=(60, 30)) as debugger:
        await debugger.press(key)
        assert debugger.main.focused is not None and debugger.main.focused.size.height == 26
