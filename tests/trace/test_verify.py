"""The user's own gradient check: right gradients pass, planted faults are caught, and the rest is said as it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace
from oracles.networks import random_case
from test_planted_faults import (
    PLANTS,
    RECURRENCES,
    cases,
    exercising,
    network,
    planted,
    planted_in_loop,
    recurrence,
    transposed_in_loop,
)

from bptt_tui.calculus.operations import FUSIONS, OPERATIONS
from bptt_tui.session import bundled, load
from bptt_tui.trace import Network, verify
from bptt_tui.trace.adjoints import Adjoints
from bptt_tui.trace.program import Instruction, Leaf
from bptt_tui.trace.terms import Terms
from bptt_tui.trace.trace import Trace
from bptt_tui.trace.verify import Check, untie

# Products inside and outside the loop over time.
PRODUCTS = network("h = tanh(A @ sigmoid(A @ h[t-1]) + x)", "E = sum(A @ (A @ (h * h)))")


def statuses(report: verify.Report) -> set[str]:
    return {check.status for check in report.checks}


def one_weight(equations: list[str], w: float, **given: object) -> Trace:
    """A network of one scalar parameter w, many to one."""
    return Network(equations).trace(parameters={"w": w}, **given)  # type: ignore[arg-type]


# --- what is right passes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled.names())
def test_every_bundled_session_verifies(name: str) -> None:
    """Every entry of every gradient and of every use's contribution agrees, and none is left out."""
    trace = load(name).trace()
    report = trace.verify()
    assert report.holds
    assert (report.method, report.skipped) == ("complex step", 0)
    assert statuses(report) == {"agrees"}
    assert len(report.checks) == sum((1 + len(trace.uses(p))) * total.size for p, total in trace.gradient.items())


@pytest.mark.parametrize("seed", range(25))
def test_a_random_network_is_never_said_to_differ(seed: int) -> None:
    """Scalars, vectors, matrices, delays, shared parameters, relu: no false alarm."""
    report = random_case(seed, 6).trace().verify(200)
    assert report.failing == ()
    assert report.method == "central difference" or report.count("agrees") >= 0.9 * len(report.checks)


@pytest.mark.parametrize("q", [0.0, -0.0, 37.0, -37.0, 800.0, -700.0])
@pytest.mark.parametrize(
    "equation",
    [
        "E = binary_cross_entropy(sigmoid(w * x), 0.3 * x)",
        "E = cross_entropy(softmax(concat(w * x, 0.5)), y)",
        "E = tanh(w * x) + sigmoid(w * x)",
    ],
)
def test_saturated_and_zero_logits_agree(equation: str, q: float) -> None:
    """Where a form is chosen by the sign of a logit, a complex step at 0 takes one side of it, not a mixture."""
    given = {"constants": {"y": 1}} if "y)" in equation else {}
    report = one_weight([equation], q, inputs={"x": [1.0]}, **given).verify()
    assert report.failing == ()
    assert abs(q) > 300 or statuses(report) == {"agrees"}


@pytest.mark.parametrize("z", [-708.5, -720.0, -745.0, 720.0])
def test_a_sigmoid_in_its_tail_hides_nothing_else(z: float) -> None:
    """Where σ is subnormal, or 1, the rest of the gradient is verified as ever."""
    trace = one_weight(["k = w * x", "E = sigmoid(k) + k * k"], z, inputs={"x": [1.0]})
    report = trace.verify()
    assert report.holds
    assert statuses(report) == {"agrees"}


@pytest.mark.parametrize("name", ["vectors", "lstm", "question-sigmoid"])
def test_untying_a_parameter_leaves_the_loss_as_it_is(name: str) -> None:
    """u as a sequence of equal values is the network with u."""
    trace = load(name).trace()
    for parameter in trace.gradient:
        assert Trace(untie(trace.unrolled, parameter)).loss == pytest.approx(trace.loss, rel=1e-15)


def test_verifying_changes_nothing() -> None:
    """Parameters and gradients are bit for bit what they were."""
    session = load("vectors")
    trace = session.trace()
    before = {name: (trace.value(name).copy(), total.copy()) for name, total in trace.gradient.items()}
    trace.verify()
    for name, (value, total) in before.items():
        assert np.array_equal(trace.value(name), value)
        assert trace.value(name).dtype == np.float64
        assert np.array_equal(trace.gradient[name], total)


def test_each_use_is_a_knob_of_its_own() -> None:
    """The nudges of u₀ and u₁ alone give the question's two contributions, and together the total."""
    checks = {(c.parameter, c.t): c.nudged for c in load("question").trace().verify().checks if c.parameter == "u"}
    assert checks["u", 0] == pytest.approx(-0.2316324753, abs=5e-11)
    assert checks["u", 1] == pytest.approx(1.0623088928, abs=5e-11)
    assert checks["u", None] == pytest.approx(0.8306764175, abs=5e-11)


# --- planted faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(("operation", "index"), list(cases()))
def test_a_spoiled_rule_is_caught(monkeypatch: pytest.MonkeyPatch, operation: str, index: int, plant: str) -> None:
    """A partial 0.1 % wrong, of the wrong sign or zeroed makes the verification fail."""
    case = PRODUCTS if operation == "matmul" else exercising(operation)
    assert case.trace().verify().holds
    monkeypatch.setitem(OPERATIONS, operation, planted(OPERATIONS[operation], index, PLANTS[plant]))
    assert case.trace().verify().failing


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("pair", FUSIONS)
def test_a_spoiled_fusion_is_caught(monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str], plant: str) -> None:
    """The same for o − y."""
    case = network("h = tanh(v * h[t-1] + x)", f"E = {pair[0]}({pair[1]}(A @ h), y)")
    assert case.trace().verify().holds
    true = FUSIONS[pair]
    monkeypatch.setitem(FUSIONS, pair, replace(true, pull=lambda *args: PLANTS[plant](true.pull(*args))))
    assert case.trace().verify().failing


@pytest.mark.parametrize("index", [0, 1])
def test_a_transposed_product_is_caught(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    """W where Wᵀ belongs, and x ⊗ δ where δ ⊗ x belongs."""
    matmul = OPERATIONS["matmul"]
    pulls = list(matmul.pulls)  # type: ignore[arg-type]
    right = pulls[index]
    if index == 0:
        pulls[0] = lambda g, ans, args, shapes: np.swapaxes(right(g, ans, args, shapes), -1, -2)
    else:
        pulls[1] = lambda g, ans, args, shapes: right(g, ans, (np.swapaxes(args[0], -1, -2), args[1]), shapes)
    spoiled = replace(matmul, pulls=tuple(pulls), totals=(), recalls=(True, True))
    monkeypatch.setitem(OPERATIONS, "matmul", spoiled)
    assert PRODUCTS.trace().verify().failing


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", RECURRENCES)
def test_a_spoiled_product_inside_a_recurrence_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, plant: str
) -> None:
    """The call that a recurrence makes for W @ h[t-1], spoiled on its own; the products are nowhere else."""
    case = recurrence(name)
    assert case.trace().verify().holds
    monkeypatch.setitem(OPERATIONS, "matmul", planted_in_loop(OPERATIONS["matmul"], PLANTS[plant]))
    assert case.trace().verify().failing


@pytest.mark.parametrize("name", RECURRENCES)
def test_a_transposed_product_inside_a_recurrence_is_caught(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The same for W·δ instead of Wᵀ·δ."""
    monkeypatch.setitem(OPERATIONS, "matmul", transposed_in_loop(OPERATIONS["matmul"]))
    assert recurrence(name).trace().verify().failing


def test_a_dropped_use_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A term left out at t = 1 is found in the gradient and in that use, and nowhere else."""
    true = Terms._pull

    def dropped(self: Terms, touch: object, rows: object) -> np.ndarray:
        terms = np.array(true(self, touch, rows))  # type: ignore[arg-type]
        if self.parameter == "w" and terms.ndim > len(self.shape):
            terms[1] = 0.0
        return terms

    monkeypatch.setattr(Terms, "_pull", dropped)
    report = load("many-to-many").trace().verify()
    assert {(check.parameter, check.t) for check in report.failing} == {("w", None), ("w", 1)}


def test_a_dropped_path_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a node's two inflows left out: g → h is missing, so the lower layer gets no gradient at all."""
    true = Adjoints.deposit

    def dropped(self: Adjoints, arg: int, *args: object, **options: object) -> None:
        entry = self.storage.program.slots[arg]
        if not (isinstance(entry, Leaf) and entry.name == "g" and entry.lag == 0):
            true(self, arg, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Adjoints, "deposit", dropped)
    report = load("two-layers").trace().verify()
    assert {check.parameter for check in report.failing} == {"u", "w"}


def test_a_lag_that_is_off_by_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient brought to h[t] where h[t-1] was read."""
    true = Adjoints.column

    def late(self: Adjoints, arg: int) -> object:
        found = true(self, arg)
        entry = self.storage.program.slots[arg]
        if isinstance(entry, Leaf) and entry.lag == 1:
            assert isinstance(found.index, slice)
            return replace(found, index=slice(found.index.start + 1, found.index.stop + 1))
        return found

    monkeypatch.setattr(Adjoints, "column", late)
    failing = load("vectors").trace().verify().failing
    assert {check.parameter for check in failing} == {"U", "W", "k"}


@pytest.mark.parametrize("entry", [0, 1])
def test_small_entries_are_judged_by_their_own_size(entry: int) -> None:
    """0.1 % off is as visible in ∂E/∂v[1], which is 5e-10, as in ∂E/∂v[0], which is 1."""
    trace = Network(["E = 0.5 * sum(v * x * x)"]).trace(parameters={"v": [0.7, 0.9]}, inputs={"x": [[1.4, 3e-5]]})
    assert trace.verify().holds
    trace.gradient["v"] = trace.gradient["v"] * np.where(np.arange(2) == entry, 1.001, 1.0)
    assert [(check.t, check.entry) for check in trace.verify().failing] == [(None, (entry,))]


def test_a_gradient_that_is_nan_is_wrong_where_the_slope_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 · ∞ inside a rule: the loss is in order, its derivative is not, and that is a difference."""
    spoiled = planted(OPERATIONS["tanh"], 0, lambda value: value * np.nan)
    monkeypatch.setitem(OPERATIONS, "tanh", spoiled)
    report = load("question").trace().verify()
    assert report.worst is not None and report.worst.error == math.inf
    assert {check.parameter for check in report.failing} == {"u", "w"}


def test_the_worst_entry_is_named() -> None:
    """Parameter, entry and use of the largest relative error."""
    trace = load("vectors").trace()
    trace.gradient["W"][1, 2] *= 1.001
    worst = trace.verify().worst
    assert worst is not None
    assert (worst.parameter, worst.t, worst.entry, worst.status) == ("W", None, (1, 2), "differs")
    assert worst.error == pytest.approx(1e-3, rel=1e-2)


# --- what cannot be verified ---------------------------------------------------------------------------------------


def test_exact_zeros_agree_under_a_complex_step() -> None:
    """One logit: every gradient is 0, and a complex step has no noise to hide anything else in."""
    report = load("one-logit").trace().verify()
    assert report.holds and statuses(report) == {"agrees"}
    assert all(check.derived == check.nudged == 0 for check in report.checks)


def test_zeros_that_underflowed_are_not_a_pass() -> None:
    """0.001^t is 0 from t = 108 on: nobody knows whether the derivative is."""
    trace = one_weight(
        ["s = c * s[t-1] + w * x[t]", "E = s"],
        1.0,
        inputs={"x": [1.0] * 150},
        initial={"s": 1.0},
        constants={"c": 1e-3},
    )
    checks = {check.t: check.status for check in trace.verify().checks}
    assert checks[0] == checks[20] == "cannot verify"
    assert checks[149] == checks[140] == checks[None] == "agrees"


def test_below_the_noise_of_a_difference_nothing_is_said() -> None:
    """A derivative of 1e-11 beside a loss of 1: right or wrong, a central difference cannot tell; never a pass."""
    trace = one_weight(["E = relu(x) + 1e-11 * w * x"], 0.5, inputs={"x": [1.0]})
    for factor in (1.0, 0.0, 1.05):
        trace.gradient["w"] = np.asarray(1e-11 * factor)
        assert {check.status for check in trace.verify().checks if check.t is None} == {"cannot verify"}
    trace.gradient["w"] = np.asarray(1e-7)
    assert not trace.verify().holds


def test_a_zero_is_not_verified_by_a_difference_of_zero() -> None:
    """A relu that is off: 0/0 says nothing."""
    report = one_weight(["E = relu(w * x) + 0.25"], -0.5, inputs={"x": [1.0]}).verify()
    assert report.method == "central difference"
    assert statuses(report) == {"cannot verify"}
    assert not report.holds


@pytest.mark.parametrize("slope", [1.0, 0.3])
def test_a_kink_is_not_differentiable(slope: float) -> None:
    """At relu(0) the two one-sided slopes differ: neither a pass nor a failure."""
    report = one_weight([f"E = {slope} * relu(w * x) + w * 0.1"], 0.0, inputs={"x": [1.0]}).verify()
    assert statuses(report) == {"not differentiable here"}
    assert report.failing == () and not report.holds


@pytest.mark.parametrize("distance", [2e-6, -2e-6])
def test_a_kink_nearby_is_no_kink_here(distance: float) -> None:
    """relu bends between w and w + h: a closer look decides, for a right derivative and for a wrong one."""
    trace = one_weight(["E = relu(w - x) + 0.1 * w"], 0.5, inputs={"x": [0.5 + distance]})
    assert statuses(trace.verify()) == {"agrees"}
    trace.gradient["w"] = trace.gradient["w"] * 1.001
    assert [check.t for check in trace.verify().failing] == [None]


def test_a_curve_is_no_kink() -> None:
    """A wrong derivative of a strongly curved loss differs, though its one-sided slopes do too."""
    trace = one_weight(["E = relu(x) * exp(40 * w)"], 0.1, inputs={"x": [1.0]})
    assert trace.verify().holds
    trace.gradient["w"] = trace.gradient["w"] * 1.001
    assert trace.verify().failing


def test_the_edge_of_a_domain_is_not_differentiable() -> None:
    """√0 has no derivative, whichever way it is asked."""
    for equation in ("E = sqrt(w * x)", "E = sqrt(w * x) + relu(x)"):
        report = one_weight([equation], 0.0, inputs={"x": [1.0]}).verify()
        assert statuses(report) == {"not differentiable here"}


def test_an_infinite_loss_cannot_be_verified() -> None:
    """Nothing agrees, so nothing holds."""
    report = one_weight(["s = exp(w * s[t-1])", "E = s"], 2.0, initial={"s": 1.0}, steps=6).verify()
    assert statuses(report) == {"cannot verify"}
    assert not report.holds


def test_chaos_cannot_be_verified() -> None:
    """Where the recurrence amplifies rounding to the size of the loss, two right derivatives need not agree."""
    trace = one_weight(
        ["s = 1 - 2.8 * tanh(w * s[t-1])**2", "E = squared_error(s, y)"],
        1.0,
        initial={"s": 0.3},
        constants={"y": 0.1},
        steps=200,
    )
    assert abs(trace.contribution("w", 0)) > 1e12
    report = trace.verify()
    assert report.failing == ()
    assert report.count("cannot verify") > 150


def test_a_network_without_parameters_has_nothing_to_verify() -> None:
    """No check is no failure."""
    report = Network(["E = x"]).trace(inputs={"x": [1.0]}).verify()
    assert report.checks == () and report.holds and report.worst is None


# --- long sequences ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long() -> Trace:
    """T = 400, a 3 × 3 matrix, a loss at every step."""
    rng = np.random.default_rng(2)
    return Network(["h = tanh(W @ h[t-1] + u * x[t])", "E = squared_error(h, y)"], loss_at="every").trace(
        parameters={"W": rng.normal(size=(3, 3)) * 0.5, "u": [0.7, -0.9, 0.4]},
        inputs={"x": rng.normal(size=400)},
        initial={"h": [0.3, -0.2, 0.1]},
        constants={"y": 0.2},
    )


def test_a_long_sequence_is_sampled(long: Trace) -> None:
    """Within the budget every total is checked, and of each parameter's uses as many as fit; the rest is counted."""
    report = long.verify(200)
    assert report.holds
    assert 190 <= len(report.checks) <= 200
    assert report.skipped == 12 * 401 - len(report.checks)
    for parameter, entries in (("W", 9), ("u", 3)):
        checks = [check for check in report.checks if check.parameter == parameter]
        assert len([check for check in checks if check.t is None]) == entries
        # Drawn, not taken with a stride, which would meet the same entry again and again.
        assert len({check.entry for check in checks if check.t is not None}) == entries
        assert len({check.t for check in checks}) > 60
    assert report.checks == long.verify(200).checks


def test_where_most_has_vanished_the_rest_is_looked_at() -> None:
    """Only the last hundred of 3000 contributions are not 0: half of the sample lies there."""
    trace = one_weight(
        ["s = c * s[t-1] + w * x[t]", "E = s"],
        1.0,
        inputs={"x": np.linspace(0.5, 1.0, 3000)},
        initial={"s": 1.0},
        constants={"c": 1e-3},
    )
    report = trace.verify(41)
    assert report.failing == ()
    assert report.count("agrees") >= 21
    assert report.count("agrees") + report.count("cannot verify") == 41


def test_without_a_budget_a_long_sequence_gets_fewer_evaluations(long: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many operations in all, however long the sequence is; at least a few entries."""
    operations = 400 * sum(isinstance(entry, Instruction) for entry in long.program.slots)
    monkeypatch.setattr(verify, "WORK", 120 * operations)
    assert 110 < len(long.verify().checks) < 120  # its arrays are small, but count for something
    monkeypatch.setattr(verify, "WORK", operations)
    assert len(long.verify().checks) == verify.FEWEST


def test_without_a_budget_large_matrices_get_fewer_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product with 100 × 100 numbers counts as much as ten small ones."""

    def checks(n: int) -> int:
        rng = np.random.default_rng(0)
        trace = Network(["h = tanh(W @ h[t-1] + x[t])", "E = dot(h, h)"]).trace(
            parameters={"W": rng.normal(size=(n, n)) / n},
            inputs={"x": rng.normal(size=(50, n))},
            initial={"h": np.zeros(n)},
        )
        monkeypatch.setattr(verify, "WORK", 50 * 3000)
        return len(trace.verify().checks)

    assert verify.FEWEST < checks(100) < checks(4) / 2


def test_a_large_matrix_is_nudged_as_a_whole_only(long: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a copy per timestep would not fit, its uses are counted as skipped; totals are still checked."""
    monkeypatch.setattr(verify, "LARGEST", 2000)
    report = long.verify(60)
    assert {check.t for check in report.checks if check.parameter == "W"} == {None}
    assert any(check.t is not None for check in report.checks if check.parameter == "u")
    assert report.skipped == 12 * 401 - len(report.checks)


def test_progress_is_told_and_can_cancel() -> None:
    """Every check counts; raising ends it."""
    trace = load("question").trace()
    told: list[tuple[int, int]] = []
    report = trace.verify(progress=lambda done, of: told.append((done, of)))
    assert told == [(n, len(report.checks)) for n in range(1, len(report.checks) + 1)]

    def cancel(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace.verify(progress=cancel)


def test_a_report_counts_by_status_and_parameter() -> None:
    """The counts of all statuses add up to the checks."""
    checks = (Check("u", 0, (), 1.0, 1.0, 0.0, "agrees"), Check("w", None, (), 1.0, 2.0, 0.5, "differs"))
    report = verify.Report("complex step", checks, 3)
    assert not report.holds
    assert report.failing == checks[1:] and report.worst == checks[1]
    assert [report.count(status) for status in verify.STATUSES] == [1, 1, 0, 0]
    assert report.count("agrees", "w") == 0
