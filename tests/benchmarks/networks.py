"""The same recurrent networks three ways: in this project's equations, in PyTorch's modules, and in plain arrays.

All take inputs (T, K), one class index per timestep, a softmax cross-entropy at every step, float64, and return
the loss and the gradients by the recurrent weights, so that a timing is never taken of results that differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt_tui.trace import Network, Trace

CLASSES = 32
INPUTS = 64

OUTPUT = ["q = V @ h + c", "o = softmax(q)", "E = cross_entropy(o, y[t])"]

EQUATIONS = {
    "RNN": ["h = tanh(U @ x[t] + b + W @ h[t-1])"],
    "LSTM": [
        "i = sigmoid(Ui @ x[t] + bi + Wi @ h[t-1])",
        "f = sigmoid(Uf @ x[t] + bf + Wf @ h[t-1])",
        "g = tanh(Ug @ x[t] + bg + Wg @ h[t-1])",
        "r = sigmoid(Ur @ x[t] + br + Wr @ h[t-1])",
        "C = f * C[t-1] + i * g",
        "h = r * tanh(C)",
    ],
    "GRU": [
        "r = sigmoid(Ur @ x[t] + br + Wr @ h[t-1])",
        "z = sigmoid(Uz @ x[t] + bz + Wz @ h[t-1])",
        "m = tanh(Un @ x[t] + bn + r * (Wn @ h[t-1] + dn))",
        "h = (1 - z) * m + z * h[t-1]",
    ],
}
# The order in which PyTorch stacks the gates of one layer.
GATES = {"RNN": [""], "LSTM": ["i", "f", "g", "r"], "GRU": ["r", "z", "n"]}


@dataclass(frozen=True)
class Case:
    """One cell at one size with its numbers."""

    cell: str
    n: int
    steps: int
    parameters: dict[str, Any]
    inputs: dict[str, Any]
    initial: dict[str, Any]


def make(cell: str, n: int, steps: int, seed: int = 0) -> Case:
    """Random weights of scale 1/√n and random inputs."""
    rng = np.random.default_rng(seed)
    parameters: dict[str, Any] = {}
    for gate in GATES[cell]:
        parameters[f"U{gate}"] = rng.normal(size=(n, INPUTS)) / np.sqrt(INPUTS)
        parameters[f"b{gate}"] = rng.normal(size=n) * 0.1
        parameters[f"W{gate}"] = rng.normal(size=(n, n)) / np.sqrt(n)
    if cell == "GRU":
        parameters["dn"] = rng.normal(size=n) * 0.1
    parameters["V"] = rng.normal(size=(CLASSES, n)) / np.sqrt(n)
    parameters["c"] = np.zeros(CLASSES)
    inputs = {"x": rng.normal(size=(steps, INPUTS)), "y": rng.integers(0, CLASSES, steps)}
    initial = {"h": np.zeros(n)} | ({"C": np.zeros(n)} if cell == "LSTM" else {})
    return Case(cell, n, steps, parameters, inputs, initial)


def ours(case: Case) -> Callable[[], Trace]:
    """A full trace with gradient."""
    network = Network([*EQUATIONS[case.cell], *OUTPUT], loss_at="every")

    def run() -> Trace:
        return network.trace(parameters=case.parameters, inputs=case.inputs, initial=case.initial)

    return run


def pytorch(case: Case) -> Callable[[], tuple[float, Any]]:
    """Forward and backward of the PyTorch module with the same weights: loss and ∂E/∂(recurrent weights)."""
    import torch

    p = case.parameters
    module = getattr(torch.nn, case.cell)(INPUTS, case.n, dtype=torch.float64)
    linear = torch.nn.Linear(case.n, CLASSES, dtype=torch.float64)
    gates = GATES[case.cell]
    second = [p["dn"] if case.cell == "GRU" and g == "n" else np.zeros(case.n) for g in gates]
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.tensor(np.concatenate([p[f"U{g}"] for g in gates])))
        module.weight_hh_l0.copy_(torch.tensor(np.concatenate([p[f"W{g}"] for g in gates])))
        module.bias_ih_l0.copy_(torch.tensor(np.concatenate([p[f"b{g}"] for g in gates])))
        module.bias_hh_l0.copy_(torch.tensor(np.concatenate(second)))
        linear.weight.copy_(torch.tensor(p["V"]))
        linear.bias.copy_(torch.tensor(p["c"]))
    x = torch.tensor(case.inputs["x"])[:, None, :]
    y = torch.tensor(case.inputs["y"])

    def run() -> tuple[float, Any]:
        module.zero_grad()
        linear.zero_grad()
        states, _ = module(x)
        loss = torch.nn.functional.cross_entropy(linear(states[:, 0]), y, reduction="sum")
        loss.backward()
        return loss.item(), module.weight_hh_l0.grad.numpy()

    return run


def recurrent_gradient(case: Case, trace: Trace) -> Any:
    """∂E/∂(recurrent weights) stacked as PyTorch stacks them."""
    return np.concatenate([trace.gradient[f"W{gate}"] for gate in GATES[case.cell]])
