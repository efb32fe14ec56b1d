"""The unrolled graph: only what is in sight is asked for, edges are drawn, a click goes to a node."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace
from opening import FULL, MEDIUM, SMALL, opened

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.view import Cell, Contribution, Edge, Missing, Ref
from bptt_tui.session import Session, load
from bptt_tui.tui.bars import MessageBar
from bptt_tui.tui.boxes import Wires
from bptt_tui.tui.columns import LEAD, TAIL, Columns
from bptt_tui.tui.contributions import ContributionsPane
from bptt_tui.tui.graph import GraphPane
from bptt_tui.tui.routes import Gap, Routed, draw_current, routed

LONG = 100_000


class Counting:
    """A graph or a table that notes the columns it was asked for."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self.asked: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def cell(self, row: int, t: int) -> Cell | Contribution | Missing:
        self.asked.append(t)
        return self._whole.cell(row, t)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def long_session() -> Session:
    session = load("question")
    xs = [0.5 if t % 3 else -1.0 for t in range(LONG)]
    long = session.replace(inputs={"x": xs})
    long.trace()
    return long


@pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL, (200, 50)])
async def test_a_hundred_thousand_timesteps_cost_a_window(long_session: Session, size: tuple[int, int]) -> None:
    """Graph and table ask for the columns in sight and their neighbours, wherever the position is."""
    async with opened(long_session, at=600_000, size=size) as debugger:
        view = debugger.view
        graph, table = Counting(view.graph), Counting(view.contributions)
        debugger.main.show(replace(view, graph=graph, contributions=table))
        await debugger.pilot.pause()
        debugger.drawn()
        assert view.t is not None
        for asked in (graph.asked, table.asked):
            in_sight = {t for t in asked if t >= 0}
            assert in_sight <= set(range(view.t - 20, view.t + 20)) | {view.graph.last}
            assert len(asked) <= 40 * len(view.graph.rows)
        pane = debugger.main.query_one(GraphPane)
        assert pane.virtual_size.width > LONG * 10
        if pane.display:
            assert f"t = {view.t}" in debugger.text()


async def test_the_current_node_stays_in_sight(long_session: Session) -> None:
    async with opened(long_session, at=0, size=MEDIUM) as debugger:
        for line in (f"goto s[{LONG - 1}]", "goto s[50000]", "goto a[0]", "goto dE/ds[0]", "end", "start"):
            debugger.main.perform(line)
            await debugger.pilot.pause()
            t = debugger.view.t
            assert f"t = {0 if t is None else t} " in debugger.text(), line


@pytest.mark.parametrize("size", [FULL, MEDIUM, SMALL])
async def test_the_recurrence_into_the_next_column_is_always_visible(size: tuple[int, int]) -> None:
    """Going backward at s₀, the heavy line leads from b₁ back to s₀; forward at b₁, a thin one into b₁."""
    async with opened(at=22, size=size) as debugger:
        text = debugger.text()
        assert "▐◀━┓" in text and "┗━━━ b₁" in text
        await debugger.press("g")
        await debugger.type("goto b[1]")
        assert "╰──▶▌b₁" in debugger.text()


async def test_a_click_on_a_node_goes_there() -> None:
    async with opened() as debugger:
        text = debugger.text().splitlines()
        y = next(i for i, line in enumerate(text) if "z₁" in line)
        await debugger.pilot.click(offset=(text[y].index("z₁"), y))
        await debugger.pilot.pause()
        assert debugger.app.debugger.recording[-1].command == "goto z[1]"
        assert debugger.view.pane is not None and debugger.view.pane.ref.label == "z₁"
        position = debugger.view.position
        await debugger.pilot.click(offset=(text[y].index("z₁") - 4, y))
        await debugger.pilot.click(offset=(5, y))
        assert debugger.view.position == position


async def test_a_click_on_the_total_and_on_a_bar_goes_there() -> None:
    async with opened("many-to-many", at=40, size=(160, 36)) as debugger:
        text = debugger.text().splitlines()
        y = next(i for i, line in enumerate(text) if " E  " in line and "│" in line)
        await debugger.pilot.click(offset=(text[y].index(" E  ") + 1, y))
        await debugger.pilot.pause()
        assert debugger.app.debugger.recording[-1].command == "goto E"
        y = next(i for i, line in enumerate(text) if "‖" in line)
        await debugger.pilot.click(offset=(text[y].rindex("‖") + 4, y))
        await debugger.pilot.pause()
        assert debugger.app.debugger.recording[-1].command == "goto s[0]"


async def test_a_use_is_named_at_the_node_that_reads_it() -> None:
    async with opened() as debugger:
        await debugger.type("goto u[0]")
        assert "u₀◀▌a₀" in debugger.text()


def test_columns_turn_timesteps_into_places_and_back() -> None:
    for columns in (Columns(-1, 5, 16, 9, 1), Columns(0, 5, 16, 9, 0), Columns(-3, 100_000, 20, 20, 2)):
        assert columns.x(columns.first) == LEAD
        for t in {columns.first, 0, 1, columns.last - 1, columns.last}:
            x = columns.x(t)
            assert columns.at(x) == t == columns.at(x + columns.width_at(t) - 1)
            if t < columns.last:
                assert columns.x(t + 1) == x + columns.width_at(t) + columns.gap
        assert columns.total == columns.x(columns.last) + columns.width_at(columns.last) + TAIL
        assert columns.at(-5) == columns.first and columns.at(columns.total + 99) == columns.last


def test_lines_that_meet_join() -> None:
    wires = Wires(5, 3)
    wires.line([(0, 0), (2, 0), (2, 2), (4, 2)])
    wires.line([(2, 1), (4, 1)])
    wires.head((4, 2), "▶")
    assert [wires.row(y) for y in range(3)] == ["──╮  ", "  ├──", "  ╰─▶"]
    wires.line([(0, 0), (2, 0), (2, 2), (4, 2)], heavy=True)
    assert wires.row(0) == "━━┓  "


def test_an_edge_that_skips_timesteps_is_a_stub_with_its_length() -> None:
    columns = Columns(0, 4, 10, 10, 1)
    leaving, arriving = Gap(columns, 2, 1, {}), Gap(columns, 2, 1, {})
    edge = Routed(0, 1, 1, 3, taken=False, into_current=True)
    assert draw_current(leaving, 1, [edge]) and draw_current(arriving, 2, [edge])
    assert leaving.wires.row(0) == "──²   " and arriving.wires.row(1) == "   ²─▶"
    assert not draw_current(Gap(columns, 2, 1, {}), 3, [edge])


def test_an_edge_into_the_total_of_other_timesteps_is_a_stub_to_the_sum() -> None:
    session = load("many-to-many")
    debugger = Debugger(session)
    debugger.do("end")
    graph = debugger.do("goto dE/dE[0]").graph
    (edge, *_) = [edge for edge in graph.edges() if edge.consumer.kind == "total"]
    assert edge.taken
    (place,) = routed([edge], graph.rows, graph.last, (1, 0))
    assert place.into_total
    gap = Gap(Columns(-1, 2, 10, 10, 1), len(graph.rows), 1, {})
    draw_current(gap, 0, [place])
    assert gap.wires.row(1) == "◀━Σ   "


def test_edges_to_what_is_not_drawn_are_left_out() -> None:
    node = Ref("a", 0, "a₀", "node")
    edges = [Edge(Ref("u", 0, "u₀", "use"), node, 0, False), Edge(Ref("x", 0, "x₀", "input"), node, 0, False)]
    assert routed(edges, ("a", "u", "x"), 1, (0, 0)) == []


async def test_more_timesteps_are_marked_left_of_the_scrollbar() -> None:
    """Beside a scrollbar the column at the edge is cut, and › says so; its timestep is whole, or left out."""
    async with opened("lstm", at=80, size=SMALL) as debugger:
        pane = debugger.main.query_one(GraphPane)
        last = pane.inner.width - 1
        assert last == pane.size.width - 2
        assert pane.scroll_offset.x + pane.size.width < pane.virtual_size.width
        assert _heading(pane)[last] == "›" and _heading(pane)[:last].split("‹")[1].split() == ["t", "=", "2", "t=3"]


async def test_a_timestep_is_whole_or_left_out_wherever_the_graph_is_scrolled(long_session: Session) -> None:
    async with opened(long_session, at=300_000, size=SMALL) as debugger:
        pane = debugger.main.query_one(GraphPane)
        here = pane.scroll_offset.x
        for x in range(here, here + pane.column_cells + 1):
            pane.scroll_to(x, animate=False, force=True)
            timesteps = {int(t) for t in re.findall("[0-9]+", _heading(pane))}
            t = debugger.view.t
            assert t is not None and timesteps <= set(range(t - 5, t + 5))


async def test_a_message_of_two_lines_does_not_move_the_graph_sideways() -> None:
    """It takes a line of the graph, so that a scrollbar comes."""
    async with opened(at=26, size=SMALL) as debugger:
        pane = debugger.main.query_one(GraphPane)
        assert pane.inner.width == pane.size.width
        before = pane.scroll_offset.x, _heading(pane)
        await debugger.press("n")
        assert debugger.main.query_one(MessageBar).size.height == 2
        assert pane.inner.width == pane.size.width - 1
        assert (pane.scroll_offset.x, _heading(pane)) == before


def _heading(pane: GraphPane) -> str:
    return "".join(segment.text for segment in pane.render_line(0)).rstrip()


async def test_the_table_keeps_its_names_and_sums_while_it_scrolls(long_session: Session) -> None:
    async with opened(long_session, at=600_000) as debugger:
        table = debugger.main.query_one(ContributionsPane)
        lines = ["".join(segment.text for segment in table.render_line(y)) for y in range(4)]
        assert f"t = {debugger.view.t}" in lines[0] and "Σ so far" in lines[0] and "‹" in lines[0] and "›" in lines[0]
        assert lines[1].startswith("∂E/∂u") and f"of {LONG}" in lines[1]
