"""The checker is checked: a wrong rule planted anywhere in the table of operations is caught by the oracles."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from msgspec.structs import replace
from oracles.case import Case
from oracles.judge import faults

from bptt_tui.calculus.operations import FUSIONS, OPERATIONS
from bptt_tui.language import names, parse_equation

VECTOR = {
    "add": ["h = tanh(A @ h[t-1] + v)"],
    "sub": ["h = tanh(A @ h[t-1] - v)"],
    "mul": ["h = tanh(v * h[t-1] + x)"],
    "div": ["h = tanh((h[t-1] + x) / (v + h[t-1] + 3))"],
    "neg": ["h = tanh(x - -(v * h[t-1]))"],
    "power": ["h = tanh(0.2 * (h[t-1] + x + 3) ** (v * h[t-1]))"],
    "tanh": ["h = tanh(A @ h[t-1] + x)"],
    "sigmoid": ["h = sigmoid(A @ h[t-1] + x)"],
    "relu": ["h = tanh(v * relu(h[t-1] + 0.4 * x))"],
    "exp": ["h = tanh(v * exp(h[t-1]))"],
    "log": ["h = tanh(v * log(h[t-1] + x + 3))"],
    "sqrt": ["h = tanh(v * sqrt(h[t-1] + x + 3))"],
    "matmul": ["h = tanh(A @ h[t-1] + x)"],
    "dot": ["h = tanh(v * dot(h[t-1] + x, v))"],
    "sum": ["h = tanh(v * sum(h[t-1]) + x)"],
    "concat": ["h = tanh(concat(p * sum(h[t-1]), p - 0.5 * dot(v, h[t-1])) + x)"],
    "softmax": ["h = tanh(v + 2 * softmax(A @ h[t-1] + x))"],
    "copy": ["k = h[t-1]", "h = tanh(v * k + x)"],
}
LOSSES = {
    "cross_entropy": "E = cross_entropy(sigmoid(A @ h), y)",
    "squared_error": "E = squared_error(A @ h, v * p)",
    "binary_cross_entropy": "E = binary_cross_entropy(0.5 + 0.4 * tanh(A @ h), sigmoid(h))",
}
PLANTS = {
    "scaled by 1.001": lambda value: 1.001 * value,
    "sign flipped": lambda value: -value,
    "zeroed": lambda value: 0.0 * value,
}


def network(*equations: str) -> Case:
    rng = np.random.default_rng(7)
    parameters = {"A": rng.normal(size=(2, 2)), "v": np.array([0.7, -1.1]), "p": np.array(0.6)}
    inputs, constants = {"x": rng.normal(size=(4, 2))}, {"y": 1}
    read = {name.name for equation in equations for name in names(parse_equation(equation).expression)}
    groups = ({name: group[name] for name in read & set(group)} for group in (parameters, inputs, constants))
    parameters, inputs, constants = groups
    return Case(equations, parameters, inputs, {"h": np.array([0.3, -0.4])}, constants, 4, "every", "mean")


def exercising(operation: str) -> Case:
    """A small network whose gradient goes through every argument of an operation."""
    if operation in LOSSES:
        return network("h = tanh(v * h[t-1] + p)", LOSSES[operation])
    return network(*VECTOR[operation], "E = 0.5 * sum(h * h) + sum(h)")


def cases():
    for name, operation in OPERATIONS.items():
        if operation.written or name == "copy":
            count = operation.most or 2
            yield from ((name, i) for i in range(count) if operation.differentiable(i))


def planted(operation, index, plant):
    """The operation with its rule for one argument spoiled."""
    if operation.slopes:
        true = operation.slopes[index]
        slopes = list(operation.slopes)
        slopes[index] = lambda ans, *args: plant(
            np.ones_like(ans) * (true if isinstance(true, float) else true(ans, *args))
        )
        return replace(operation, slopes=tuple(slopes), recalls=(True, True))
    if callable(operation.pulls):
        rule = operation.pulls
        return replace(
            operation, pulls=lambda i: (lambda *a: plant(rule(i)(*a))) if i == index else rule(i), recalls=(True, True)
        )
    pulls = list(operation.pulls)
    true_pull = pulls[index]
    pulls[index] = lambda *args: plant(true_pull(*args))
    held = planted_in_loop(operation, plant).held if index == 1 and operation.held else operation.held
    return replace(operation, pulls=tuple(pulls), totals=(), recalls=(True, True), held=held)


def planted_in_loop(operation, plant):
    """The operation with only the call spoiled that a recurrence makes to pull back through one matrix."""

    def pull(matrix):
        right = operation.held.pull(matrix)

        def call(g, out):
            right(g, out)
            out[...] = plant(out)

        return call

    return replace(operation, held=replace(operation.held, pull=pull))


def transposed_in_loop(operation):
    """W·g where a recurrence should take Wᵀ·g, for each of the square matrices that lie on top of each other."""

    def pull(matrix):
        n = matrix.shape[1]
        return operation.held.pull(matrix.reshape(-1, n, n).swapaxes(1, 2).reshape(-1, n))

    return replace(operation, held=replace(operation.held, pull=pull))


def test_every_operation_has_a_network_to_plant_in():
    """No operation escapes the faults below; unspoiled, each of their networks passes."""
    for operation, _ in cases():
        assert faults(exercising(operation)) == [], operation


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(("operation", "index"), list(cases()))
def test_a_spoiled_rule_is_caught(monkeypatch, operation, index, plant):
    """A partial 0.1 % wrong, of the wrong sign or dropped makes the check fail."""
    monkeypatch.setitem(OPERATIONS, operation, planted(OPERATIONS[operation], index, PLANTS[plant]))
    assert faults(exercising(operation))


@pytest.mark.parametrize("index", [0, 1])
def test_a_transposed_matrix_is_caught(monkeypatch, index):
    """W where Wᵀ belongs, and x ⊗ δ where δ ⊗ x belongs."""

    def transposed(g, ans, args, shapes):
        if index == 1:
            return g @ np.swapaxes(args[0], -1, -2)
        return args[1][..., :, None] * g[..., None, :]

    matmul = OPERATIONS["matmul"]
    pulls = list(matmul.pulls)
    pulls[index] = transposed
    spoiled = replace(matmul, pulls=tuple(pulls), totals=(), recalls=(True, True))
    monkeypatch.setitem(OPERATIONS, "matmul", spoiled)
    # `A @ (A @ h)` outside the recurrence, where the table's pullbacks serve all timesteps at once.
    case = network("h = tanh(A @ sigmoid(A @ h[t-1]) + x)", "E = sum(A @ (A @ (h * h)))")
    assert faults(case)


RECURRENCES = {
    "one product": ["h = tanh(A @ h[t-1] + x)"],
    "a product of a product": ["h = tanh(A @ sigmoid(A @ h[t-1]) + x)"],
    "two side by side": ["i = sigmoid(A @ h[t-1] + x)", "g = tanh(A @ h[t-1] - x)", "h = i * g"],
    "two delays": ["h = tanh(A @ h[t-1] + A @ h[t-2] + x)"],
    "a state read twice": ["h = tanh(A @ h[t-1] + v * h[t-1])"],
}


def recurrence(name):
    """A network whose only matrix products are inside its recurrence."""
    case = network(*RECURRENCES[name], "E = 0.5 * sum(h * h) + sum(h)")
    return dataclasses.replace(case, initial={"h": [[0.1, 0.2], [0.3, -0.4]]}) if name == "two delays" else case


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", RECURRENCES)
def test_a_spoiled_product_inside_a_recurrence_is_caught(monkeypatch, name, plant):
    """W @ h[t-1] is pulled back by a call of its own, made once from W: it comes from the table, and is checked."""
    case = recurrence(name)
    assert faults(case) == []
    monkeypatch.setitem(OPERATIONS, "matmul", planted_in_loop(OPERATIONS["matmul"], PLANTS[plant]))
    assert faults(case)


@pytest.mark.parametrize("name", RECURRENCES)
def test_a_transposed_product_inside_a_recurrence_is_caught(monkeypatch, name):
    """Wᵀ·δ taken for W·δ in the loop."""
    case = recurrence(name)
    monkeypatch.setitem(OPERATIONS, "matmul", transposed_in_loop(OPERATIONS["matmul"]))
    assert faults(case)


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(
    ("pair", "loss"),
    [
        (("cross_entropy", "softmax"), "E = cross_entropy(softmax(A @ h), y)"),
        (("binary_cross_entropy", "sigmoid"), "E = binary_cross_entropy(sigmoid(A @ h), y)"),
    ],
)
def test_a_spoiled_fusion_is_caught(monkeypatch, pair, loss, plant):
    """The same for o − y, the gradient of a loss computed together with its softmax or sigmoid."""
    case = network("h = tanh(v * h[t-1] + x)", loss)
    assert faults(case) == []
    true = FUSIONS[pair]
    monkeypatch.setitem(FUSIONS, pair, replace(true, pull=lambda *args: PLANTS[plant](true.pull(*args))))
    assert faults(case)


def test_a_dropped_use_is_caught(monkeypatch):
    """A contribution left out of one timestep is named."""
    from bptt_tui.trace.terms import Terms

    true = Terms.at
    monkeypatch.setattr(Terms, "at", lambda self, t: 0.0 * true(self, t) if t == 2 else true(self, t))
    found = faults(exercising("mul"))
    assert found
    assert all("[2]" in place for place in found)
