"""Truncated BPTT as masks on the table, against truncation done the other way: forward values held, graphs cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from oracles.evaluate import complex_step, leaves_of, node_values
from oracles.networks import random_case

from bptt_tui.calculus import kernels
from bptt_tui.derivation import truncation
from bptt_tui.derivation.table import Table
from bptt_tui.derivation.truncation import Chunks, Window, kept_by, several, truncated
from bptt_tui.errors import NetworkError
from bptt_tui.session import Loss, load
from bptt_tui.trace import Network


def held_before(case, start, losses):
    """The case with every node before `start` held at its value, and these losses only."""
    values = node_values(case, leaves_of(case))
    names = {name for name, _ in case.nodes}
    held = {place: value for place, value in values.items() if place[1] < start and place[0] in names}
    return replace(case, pins={**case.pins, **held}, loss_at=losses, reduction="sum")


def detached(case, name, index, mask):
    """One entry of the truncated gradient by complex steps through networks whose past is held."""
    share = 1 / len(case.loss_times) if case.reduction == "mean" else 1.0
    if isinstance(mask, Window):
        pieces = [(max(loss - mask.k + 1, 0), [loss]) for loss in case.loss_times]
    else:
        starts = range(0, case.T, mask.k)
        pieces = [(s, [loss for loss in case.loss_times if s <= loss < s + mask.k]) for s in starts]
    total, size = 0.0, 0.0
    for start, losses in pieces:
        if losses:
            part = share * complex_step(held_before(case, start, losses), name, index)
            total, size = total + part, size + abs(part)
    return total, size


def faults(case, masks):
    """Which truncated gradients a case gets wrong."""
    found = []
    with np.errstate(all="ignore"):
        trace = case.trace()
        for name, value in case.parameters.items():
            table = Table(trace, name)
            index = tuple(n // 2 for n in np.shape(value))
            for mask in masks:
                want, size = detached(case, name, index, mask)
                size += np.abs(table.norms()).sum()
                # 1e-15: what is left of a softmax's derivative where all of it cancels.
                if abs(truncated(table, mask).gradient[index] - want) > 1e-11 * size + 1e-15:
                    found.append((name, mask))
    return found


@pytest.mark.parametrize("seed", range(50))
def test_a_mask_is_truncation_with_everything_that_crosses_held(seed):
    """Random networks: delays up to 3, several states, losses that read anything, windows and chunks of 1, 2 and 4."""
    masks = [kind(k) for kind in (Window, Chunks) for k in (1, 2, 4)]
    assert faults(random_case(seed), masks) == []


def test_a_mask_one_timestep_too_wide_is_found(monkeypatch):
    """Planted: the window reaches one use further, the chunks start one timestep late."""
    cases = [random_case(seed, longest=8) for seed in (3, 7, 11, 19)]
    assert not any(faults(case, [Window(2), Chunks(2)]) for case in cases)
    earliest = Window.earliest
    monkeypatch.setattr(Window, "earliest", lambda self, losses: earliest(Window(self.k + 1), losses))
    assert any(faults(case, [Window(2)]) for case in cases)
    begins = Chunks.earliest
    monkeypatch.setattr(Chunks, "earliest", lambda self, losses: begins(self, losses + 1) - 1)
    assert any(faults(case, [Chunks(2)]) for case in cases)


RNN = ["h = tanh(U @ x[t] + W @ h[t-1])", "o = softmax(V @ h)", "E = cross_entropy(o, y)"]


def values(T=12, n=4):
    rng = np.random.default_rng(2)
    parameters = {name: rng.normal(size=(n, n)) * 0.7 for name in "UWV"}
    return parameters, rng.normal(size=(T, n)), rng.integers(0, n, size=T), rng.normal(size=n)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_pytorch_training_loops_that_detach_give_the_masked_gradient(reduction):
    """`h = h.detach()` every k timesteps is Chunks(k); starting k timesteps back for every loss is Window(k)."""
    torch = pytest.importorskip("torch")
    parameters, x, y, h0 = values()
    trace = Network(RNN, loss_at="every", reduction=reduction).trace(
        parameters=parameters, inputs={"x": x, "y": y}, initial={"h": h0}
    )
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    inputs, classes = torch.tensor(x), torch.tensor(y)

    def forward(h, t):
        return torch.tanh(weights["U"] @ inputs[t] + weights["W"] @ h)

    def loss(h, t):
        return torch.nn.functional.cross_entropy((weights["V"] @ h)[None], classes[t : t + 1])

    def check(mask, total):
        for name, grad in zip("UWV", torch.autograd.grad(total, [weights[name] for name in "UWV"]), strict=True):
            got = truncated(Table(trace, name), mask)
            np.testing.assert_allclose(got.gradient * (12 if reduction == "mean" else 1), grad, rtol=1e-11, atol=1e-13)

    for k in (1, 3, 5, 12):
        h, total, states = torch.tensor(h0), 0.0, [torch.tensor(h0)]
        for t in range(12):
            h = forward(h.detach() if t % k == 0 else h, t)
            states.append(h.detach())
            total = total + loss(h, t)
        check(Chunks(k), total)
        total = 0.0
        for last in range(12):
            start = max(last - k + 1, 0)
            h = states[start]
            for t in range(start, last + 1):
                h = forward(h, t)
            total = total + loss(h, last)
        check(Window(k), total)


def delayed():
    """s read two timesteps back: one trip through the recurrence is two timesteps."""
    network = Network(["s = tanh(w * s[t-2] + x[t])", "E = s * s"], loss_at="last")
    return network.trace(
        parameters={"w": 0.9}, inputs={"x": [0.3, -0.2, 0.5, 0.1, 0.4, -0.3]}, initial={"s": [0.2, -0.1]}
    )


def test_k_counts_timesteps_not_trips_through_the_recurrence():
    """With a delay of two, one trip back is a window of 3: Window(2) still has the last use alone."""
    table = Table(delayed(), "w")
    assert table.uses.tolist() == [1, 3, 5]
    last, before = table.entry(5, 5), table.entry(5, 3)
    assert truncated(table, Window(2)).gradient == last
    assert truncated(table, Window(3)).gradient == pytest.approx(last + before, rel=1e-15)


def test_detaching_the_latest_state_alone_is_no_mask_where_a_delay_skips_it():
    """Chunks(3) holds s₁ and s₂ for the second chunk. A loop that detaches s₂ alone lets s₁ carry a gradient on."""
    trace = delayed()
    masked = truncated(Table(trace, "w"), Chunks(3)).gradient
    network = trace.unrolled.network
    latest = Network(network.texts).trace(
        parameters={"w": 0.9},
        inputs={"x": [0.3, -0.2, 0.5, 0.1, 0.4, -0.3]},
        initial={"s": [0.2, -0.1]},
    )
    # The loss at t = 5 reads s at 3 and 1: s₂ is on no path, so that detaching it changes nothing.
    assert latest.gradient["w"] == trace.gradient["w"]
    assert masked == pytest.approx(Table(trace, "w").entry(5, 5) + Table(trace, "w").entry(5, 3), rel=1e-15)
    assert masked != pytest.approx(trace.gradient["w"], rel=1e-3)


def test_a_use_belongs_to_the_timestep_of_the_equation_that_reads_it():
    """The same network, its product taken before or after the delay: the uses of w stand a timestep apart."""
    values = {"parameters": {"w": 0.9}, "inputs": {"x": [0.3, -0.2, 0.5]}, "initial": {"s": 0.2}}
    after = Network(["s = tanh(w * s[t-1] + x[t])", "E = s * s"]).trace(**values)
    before = Network(["b = w * s", "s = tanh(b[t-1] + x[t])", "E = s * s"]).trace(
        **{**values, "initial": {"b": 0.9 * 0.2}}
    )
    assert after.uses("w") == [0, 1, 2]
    assert before.uses("w") == [0, 1]
    one, two = truncated(Table(after, "w"), Window(1)), truncated(Table(before, "w"), Window(1))
    assert one.gradient != 0
    assert two.gradient == 0


def test_how_far_a_truncated_gradient_is_from_the_true_one():
    """Window(T) is the true one; Window(1) of the question is the learner's slip 'only the last time step'."""
    table = Table(load("question").trace(), "w")
    whole = truncated(table, Window(2))
    assert (whole.ratio, whole.cosine, whole.error) == pytest.approx((1.0, 1.0, 0.0), abs=1e-15)
    assert (whole.kept, whole.cells) == (2, 2)
    slip = truncated(table, Window(1))
    assert slip.gradient == pytest.approx(-0.5552321339, abs=1e-9)
    assert slip.ratio == pytest.approx(0.5552321339 / 0.6942116191, abs=1e-9)
    assert (slip.cosine, slip.kept) == (1.0, 1)


def test_a_gradient_of_zero_has_no_direction():
    """Ratio and cosine are nan where a norm is 0, not 0 or 1."""
    network = Network(["s = w * s[t-1] + x[t]", "E = 0 * s"])
    trace = network.trace(parameters={"w": 0.5}, inputs={"x": [1.0, 2.0]}, initial={"s": 0.0})
    none = truncated(Table(trace, "w"), Window(1))
    assert np.isnan([none.ratio, none.cosine, none.error]).all()


@pytest.mark.parametrize("mask", [Window(1), Window(3), Chunks(2), Chunks(4)])
def test_a_table_in_groups_is_swept_again_for_a_mask(mask):
    """The same truncated gradient, whether the table has a row per loss step or not."""
    parameters, x, y, h0 = values()
    trace = Network(RNN, loss_at=[1, 2, 5, 6, 9, 11]).trace(
        parameters=parameters, inputs={"x": x, "y": y}, initial={"h": h0}
    )
    for name in parameters:
        grouped, whole = Table(trace, name, largest=120), Table(trace, name)
        assert grouped.grouped and not whole.grouped
        one, other = truncated(grouped, mask), truncated(whole, mask)
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-12, atol=1e-14)
        assert one[3:] == pytest.approx(other[3:], rel=1e-9)


def test_a_window_of_no_timestep_is_refused():
    """k counts from 1."""
    with pytest.raises(NetworkError, match="0 timesteps are too few"):
        truncated(Table(load("question").trace(), "w"), Window(0))


@pytest.mark.parametrize("mask", [Window(1), Window(4), Window(99), Chunks(1), Chunks(5), Chunks(99)])
def test_cells_are_counted_as_they_are_kept(mask):
    """With uses and loss steps that are not at every timestep."""
    losses, uses = np.array([0, 3, 4, 11, 17]), np.array([1, 2, 3, 9, 10, 11, 17, 18])
    kept = int(kept_by(mask, losses, uses).sum())
    assert truncation._counted(mask, losses, uses) == (kept, int((losses[:, None] >= uses[None, :]).sum()))


def test_what_would_take_too_long_is_refused_before_a_cell_is_looked_at(monkeypatch):
    """At 100 000 timesteps loss steps × uses do not fit into any memory."""
    table = Table(load("vanishing").replace(loss=Loss(at="every"), expected=None).trace(), "w", largest=120)
    assert table.grouped
    monkeypatch.setattr(truncation, "MOST_WORK", 1)
    monkeypatch.setattr(truncation, "kept_by", None)
    with pytest.raises(NetworkError, match="truncating w would take 240 operations and pass 180 numbers"):
        truncated(table, Window(3))


@pytest.mark.parametrize("seed", range(40))
def test_many_at_once_without_a_table_are_those_of_the_tables(seed):
    """One sweep that gives up a loss step beyond the largest mask, of networks with delays, pins and sparse losses."""
    with np.errstate(all="ignore"):
        trace = random_case(seed).trace()
        masks = [mask(k) for k in (1, 2, 3, 5) for mask in (Window, Chunks)]
        found = several(trace, list(trace.gradient), masks)
        for name in trace.gradient:
            table = Table(trace, name)
            for mask, one in zip(masks, found[name], strict=True):
                want = truncated(table, mask)
                size = np.abs(table.norms()).sum()
                assert np.allclose(one.gradient, want.gradient, rtol=1e-11, atol=1e-11 * size, equal_nan=True)
                assert (one.mask, one.kept, one.cells) == (mask, want.kept, want.cells)


def test_many_at_once_with_an_infinite_gradient(monkeypatch):
    """What a mask leaves out is left out where it is infinite too; and sums that do not fit are swept in turn."""
    monkeypatch.setattr(truncation, "LARGEST", 1)
    network = Network(["s = w * s[t-1]", "E = log(u * s + b[t])"], loss_at="every")
    trace = network.trace(parameters={"w": 2.0, "u": 1.0}, initial={"s": 1.0}, inputs={"b": [0.0, 0.0, -8.0, 1.0]})
    found = several(trace, ["w", "u"], [Window(1), Window(2)])
    assert not np.isfinite(trace.gradient["w"])
    for name in ("w", "u"):
        table = Table(trace, name)
        for one in found[name]:
            want = truncated(table, one.mask).gradient
            assert np.array_equal(one.gradient, want, equal_nan=True)
    with pytest.raises(NetworkError, match="too few"):
        several(trace, ["w"], [Window(0)])


def test_rows_of_some_loss_steps_alone_are_those_of_the_whole_table():
    """And only they are swept."""
    trace = load("min-char-rnn").trace()
    whole, part = Table(trace, "Whh"), Table(trace, "Whh", only=(0, 2))
    assert part.losses == ((0,), (2,))
    for loss in (0, 2):
        for use in whole.uses:
            np.testing.assert_allclose(part.entry(loss, int(use)), whole.entry(loss, int(use)), rtol=1e-13)
    assert np.allclose(part.norms(), whole.norms()[[0, 2]])


def test_a_mask_too_far_is_refused(monkeypatch):
    """Before the sweep, with the estimate."""
    monkeypatch.setattr(truncation, "MOST_WORK", 5)
    with pytest.raises(NetworkError, match="truncating w would take 18 operations and pass 6 numbers"):
        several(load("many-to-many").trace(), ["w"], [Window(2)])


@pytest.mark.parametrize("room", [1, 500, 2000])
@pytest.mark.parametrize("seed", range(4))
def test_sums_that_do_not_fit_are_taken_on_some_timesteps_at_a_time(seed, room, monkeypatch):
    """With the gradients that come without a limit."""
    trace = random_case(seed).trace()
    masks = [Window(1), Window(3), Chunks(4)]
    whole = several(trace, list(trace.gradient), masks)
    monkeypatch.setattr(truncation, "LARGEST", room)
    for name, found in several(trace, list(trace.gradient), masks).items():
        for one, other in zip(found, whole[name], strict=True):
            scale = np.abs(other.true).max() + np.abs(other.gradient).max()
            np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-12, atol=1e-13 * scale)


def test_a_tall_product_in_parts_is_the_product():
    rng = np.random.default_rng(0)
    g, matrix = rng.standard_normal((517, 64)), rng.standard_normal((64, 65))
    assert kernels.tall_product(g, matrix).shape == (517, 65)
    np.testing.assert_allclose(kernels.tall_product(g, matrix), g @ matrix, rtol=1e-13, atol=1e-13)
    assert np.array_equal(kernels.tall_product(g[:3], matrix), g[:3] @ matrix)
