"""Of a large table only what is shown is made, and only the tables looked at last are kept."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.debugger import Debugger, sums, sums_table
from bptt_tui.derivation.table import Table
from bptt_tui.session import Loss, load


@pytest.mark.parametrize("parameter", ["u", "v"])
@pytest.mark.parametrize("masked", [False, True])
def test_blocks_made_some_columns_at_a_time_are_the_same(
    parameter: str, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their largest entries, where those stand, and how large they are next to the largest of all."""
    session = load("question").replace(inputs={"x": np.sin(np.arange(23))}, loss=Loss(at="every"), expected=None)
    shown = Debugger(session).sums.table(parameter)
    values, there = shown.values(), shown.reaches()
    kept = np.random.default_rng(0).random(values.shape) < 0.4 if masked else None
    asked = there if kept is None else there & kept
    for some in (1, 100, 1 << 20):
        monkeypatch.setattr(sums_table, "AT_ONCE", some)
        for lines, columns in ((4, 5), (23, 23), (1, 1), (50, 3)):
            blocks = shown.blocks(lines, columns, kept)
            for row, column in np.ndindex(*blocks.values.shape):
                part = (slice(row * blocks.down, (row + 1) * blocks.down),
                        slice(column * blocks.across, (column + 1) * blocks.across))  # fmt: skip
                assert blocks.there[row, column] == there[part].any()
                assert blocks.kept[row, column] == asked[part].any()
                if asked[part].any():
                    assert abs(blocks.values[row, column]) == np.abs(values[part][asked[part]]).max()
                    assert values[tuple(blocks.places[row, column])] == blocks.values[row, column]
    cells, whole = shown.cells(range(3, 9), range(2, 20), kept), shown.blocks(23, 23, kept)
    for field in ("values", "places", "there", "kept", "levels"):
        np.testing.assert_array_equal(getattr(cells, field), getattr(whole, field)[3:9, 2:20])


def test_a_table_of_a_long_sequence_has_as_many_rows_as_can_be_looked_at() -> None:
    """Its sums are those of all loss steps."""
    session = load("question").replace(inputs={"x": np.sin(np.arange(500))}, loss=Loss(at="every"), expected=None)
    trace = session.trace()
    assert len(Table(trace, "w").losses) == 500
    grouped = Table(trace, "w", largest=300 * 500)
    assert len(grouped.losses) == 125 and {len(group) for group in grouped.losses} == {4}
    np.testing.assert_allclose(grouped.numbers().sum(), trace.gradient["w"], rtol=1e-10)
    np.testing.assert_allclose(grouped.row_sums().sum(), trace.gradient["w"], rtol=1e-10)
    some = slice(100, 160)
    np.testing.assert_array_equal(grouped.numbers((), some), grouped.numbers()[:, some])
    np.testing.assert_array_equal(grouped.column_sums(some), grouped.column_sums()[some])


def test_tables_that_do_not_fit_together_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(sums, "LARGEST", 40 * 40)
    session = load("question").replace(inputs={"x": np.sin(np.arange(40))}, loss=Loss(at="every"), expected=None)
    found = Debugger(session).sums
    take = Table.take
    monkeypatch.setattr(Table, "take", lambda self, arrived: made.append(self.parameter) or take(self, arrived))
    for parameter in ("u", "u", "w", "w", "u", "v", "v"):
        found.table(parameter)
    assert made == ["u", "w", "u", "v"]


def test_entries_of_any_parameter_are_the_same_for_some_columns() -> None:
    """A matrix inside a product of matrices, a bias, a parameter read twice."""
    session = load("lstm")
    trace = session.trace()
    for parameter in trace.terms:
        whole, one = Table(trace, parameter), slice(1, 4)
        index = tuple(0 for _ in whole.shape)
        np.testing.assert_array_equal(whole.norms(one), whole.norms()[:, one])
        np.testing.assert_array_equal(whole.numbers(index, one), whole.numbers(index)[:, one])
        sums_of = [whole.column_sum(column) for column in range(len(whole.uses))]
        np.testing.assert_allclose(whole.column_sums(), sums_of, rtol=1e-12, atol=1e-300)
