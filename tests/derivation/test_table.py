"""The loss-time × use-time table: its sums are contributions and gradient, its entries those of single losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from oracles.networks import random_case

from bptt_tui.derivation import by_loss
from bptt_tui.derivation import table as table_module
from bptt_tui.derivation.table import Table, together
from bptt_tui.errors import NetworkError
from bptt_tui.session import Loss, load
from bptt_tui.trace import Network

RELATIVE = 1e-12


def near(got, want, size):
    """Equal to 1e-12 of the largest number that was added up on the way."""
    return np.shape(got) == np.shape(want) and bool(np.all(np.abs(got - want) <= RELATIVE * np.max(size) + 1e-300))


def sizes(trace, table):
    """What the sums add up, and the terms that cancel on the way to a single entry."""
    cells = np.abs(table.norms()).sum()
    contributions = sum(np.abs(trace.contribution(table.parameter, t)).max() for t in trace.uses(table.parameter))
    flow = max((np.abs(trace.adjoint(name, t) * trace.value(name, t)).max() for name, t in nodes(trace)), default=0.0)
    unit = np.abs(trace.value(table.parameter)).max() or 1.0
    return max(cells, contributions, flow / unit)


def nodes(trace):
    for name, times in zip(trace.unrolled.network.targets, trace.unrolled.times, strict=True):
        for t in times.array().tolist():
            yield name, t


def faults(trace, largest=None):
    """Where a trace's tables disagree with its gradient and contributions."""
    found = []
    for parameter in trace.terms:
        table = Table(trace, parameter) if largest is None else Table(trace, parameter, largest=largest)
        size, gradient = sizes(trace, table), trace.gradient[parameter]
        rows, columns = table.row_sums(), table.column_sums()
        if not near(table.total, gradient, size) or not near(rows.sum(axis=0), gradient, size):
            found.append(f"∂E/∂{parameter}")
        for column, t in enumerate(table.uses.tolist()):
            entries = [table.entry(group[0], t) for group in table.losses]
            if not near(columns[column], trace.contribution(parameter, t), size):
                found.append(f"column {parameter}[{t}]")
            if not near(sum(entries), columns[column], size):
                found.append(f"entries {parameter}[{t}]")
            if any(
                np.any(entry) for entry, there in zip(entries, table.reaches()[:, column], strict=True) if not there
            ):
                found.append(f"above the diagonal {parameter}[{t}]")
    return found


@pytest.mark.parametrize("seed", range(90))
def test_the_table_of_a_random_network_sums_to_its_gradient(seed):
    """Rows, columns and everything, for every parameter, loss.at and reduction; delays up to 3, several states."""
    with np.errstate(all="ignore"):
        assert faults(random_case(seed).trace()) == []


@pytest.mark.parametrize("seed", range(1_000_000, 1_000_012))
def test_the_table_of_a_longer_network_sums_to_its_gradient(seed):
    """T up to 30."""
    with np.errstate(all="ignore"):
        assert faults(random_case(seed, longest=30).trace()) == []


@pytest.mark.parametrize("seed", range(0, 90, 3))
def test_a_row_is_the_gradient_of_its_loss_step_alone(seed):
    """Entry (t', t) is the contribution of the use at t in a network whose only loss is at t', times its share."""
    case = random_case(seed)
    with np.errstate(all="ignore"):
        trace = case.trace()
        for loss in case.loss_times:
            alone = replace(case, loss_at=[loss], reduction="sum").trace()
            for parameter in trace.terms:
                table = Table(trace, parameter)
                size = max(sizes(trace, table), sizes(alone, Table(alone, parameter)))
                for t in trace.uses(parameter):
                    exists = t in alone.uses(parameter)
                    want = alone.contribution(parameter, t) * trace.share if exists else np.zeros(table.shape)
                    assert near(table.entry(loss, t), want, size)


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_pinned_nodes_send_nothing_on(seed):
    """With nodes held, the table is that of the network that is left."""
    case = random_case(seed)
    with np.errstate(all="ignore"):
        trace = case.trace()
        nodes = [(name, t) for name, t in case.nodes if name != case.loss_name]
        pins = {place: trace.value(*place) for place in nodes[:: max(len(nodes) // 2, 1)]}
        assert faults(replace(case, pins=pins).trace()) == []


def test_numbers_and_norms_are_those_of_the_entries():
    """The quick forms for scalars, outer products and everything else agree with the entries themselves."""
    for name in ("question", "many-to-many", "gru", "vectors"):
        trace = load(name).trace()
        for parameter, gradient in trace.gradient.items():
            table = Table(trace, parameter)
            norms = table.norms()
            for index in np.ndindex(gradient.shape):
                numbers = table.numbers(index)
                for row, group in enumerate(table.losses):
                    for column, t in enumerate(table.uses.tolist()):
                        entry = table.entry(group[0], t)
                        assert numbers[row, column] == pytest.approx(entry[index], rel=1e-12, abs=1e-15)
                        assert norms[row, column] == pytest.approx(np.linalg.norm(entry.reshape(-1)), rel=1e-12)


def test_a_table_too_large_groups_neighbouring_loss_steps():
    """Every row then is a run of loss steps, and all sums stay what they are."""
    trace = load("min-char-rnn").trace()
    table = Table(trace, "Whh", largest=70)
    assert table.losses == ((0, 1), (2, 3))
    assert table.grouped
    whole = Table(trace, "Whh")
    np.testing.assert_allclose(table.entry(2, 1), whole.entry(2, 1) + whole.entry(3, 1), rtol=1e-12, atol=1e-15)
    assert faults(trace, largest=70) == []


def test_a_saturated_softmax_sends_o_minus_y_not_nan():
    """A logit gap of 800, where −y/o overflows: the table takes the fused form, as the sweep does."""
    network = Network(["s = w * s[t-1] + x[t]", "o = softmax(v * s)", "E = cross_entropy(o, y)"], loss_at="every")
    trace = network.trace(
        parameters={"w": 0.5, "v": [400.0, -400.0]}, inputs={"x": [1.0, 1.0]}, initial={"s": 0.0}, constants={"y": 1}
    )
    table = Table(trace, "w")
    assert np.isfinite(table.numbers()).all()
    assert table.total == pytest.approx(trace.gradient["w"], rel=1e-12)


def test_what_is_no_parameter_or_no_cell_is_refused():
    """One line each, naming what there is."""
    trace = load("question").trace()
    with pytest.raises(NetworkError, match="s is not a parameter"):
        Table(trace, "s")
    table = Table(trace, "w")
    with pytest.raises(NetworkError, match="no loss is taken at t = 0"):
        table.entry(0, 0)
    with pytest.raises(NetworkError, match="not used at t = 7"):
        table.entry(1, 7)
    with pytest.raises(NetworkError, match="no entry of v"):
        Table(trace, "v").numbers((5,))


def test_a_table_that_would_take_minutes_is_refused_with_the_estimate(monkeypatch):
    """Before anything is computed."""
    monkeypatch.setattr(table_module, "MOST_CALLS", 5)
    with pytest.raises(NetworkError, match="the table of w would take 9 operations over 2 timesteps; at most 5"):
        Table(load("question").trace(), "w")


def test_a_fault_in_the_sweep_is_found(monkeypatch):
    """Planted: one loss step's gradient a thousandth too large, delayed by a timestep, sent to its neighbour."""
    trace = load("many-to-many").trace()
    assert faults(trace) == []
    real = by_loss._Sweep.moments
    plants = (
        lambda flow: flow * np.linspace(1.0, 1.001, len(flow)).reshape(-1, *(1,) * (flow.ndim - 1)),
        lambda flow: flow if len(flow) < 2 else np.concatenate([flow[:1] * 0, flow[1:]]),
        lambda flow: -flow,
    )
    for plant in plants:

        def moments(self, progress, plant=plant):
            for moment in real(self, progress):
                yield moment._replace(flows={slot: plant(flow) for slot, flow in moment.flows.items()})

        monkeypatch.setattr(by_loss._Sweep, "moments", moments)
        assert faults(trace)


def test_tables_made_together_are_those_made_one_by_one():
    trace = load("lstm").replace(loss=Loss(at="every"), expected=None).trace()
    found = together(trace, list(trace.gradient), only=(0, 3))
    for name, table in found.items():
        alone = Table(trace, name, only=(0, 3))
        assert np.array_equal(table.norms(), alone.norms())
        want = np.array([alone.row_sum(row) for row in range(2)])
        np.testing.assert_allclose(table.row_sums(), want, rtol=1e-13, atol=1e-15)


def test_of_tables_made_together_one_that_would_take_too_long_is_an_error(monkeypatch):
    monkeypatch.setattr(table_module, "MOST_CALLS", 10)
    found = together(load("many-to-many").trace(), ["w", "v"], only=(2,))
    assert isinstance(found["w"], NetworkError) and isinstance(found["v"], Table)
