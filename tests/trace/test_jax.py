"""Two networks against JAX: written as plain functions of arrays, differentiated by `jax.grad` in float64."""

from __future__ import annotations

import numpy as np
import pytest

from bptt_tui.trace import Network

pytestmark = pytest.mark.jax
T, N, INPUTS, CLASSES = 12, 5, 3, 4
OUTPUT = ["q = V @ h + k", "o = softmax(q)", "E = cross_entropy(o, y)"]
RNN = ["h = tanh(U @ x[t] + W @ h[t-1] + b)"]
LSTM = [
    "i = sigmoid(Ui @ x[t] + Wi @ h[t-1] + bi)",
    "f = sigmoid(Uf @ x[t] + Wf @ h[t-1] + bf)",
    "g = tanh(Ug @ x[t] + Wg @ h[t-1] + bg)",
    "p = sigmoid(Up @ x[t] + Wp @ h[t-1] + bp)",
    "c = f * c[t-1] + i * g",
    "h = p * tanh(c)",
]
GATES = {"RNN": ("",), "LSTM": ("i", "f", "g", "p")}


def step(jax, name, p, state, x):
    """The next state, as a framework's user would write it."""

    def gate(function, which):
        return function(p["U" + which] @ x + p["W" + which] @ state["h"] + p["b" + which])

    if name == "RNN":
        return {"h": gate(jax.numpy.tanh, "")}
    kept = gate(jax.nn.sigmoid, "f") * state["c"] + gate(jax.nn.sigmoid, "i") * gate(jax.numpy.tanh, "g")
    return {"c": kept, "h": gate(jax.nn.sigmoid, "p") * jax.numpy.tanh(kept)}


@pytest.mark.parametrize(("name", "core"), [("RNN", RNN), ("LSTM", LSTM)])
def test_jax_agrees(name, core):
    """Loss, every gradient, and the gradients by the initial states, with a loss at every step."""
    jax = pytest.importorskip("jax", reason="JAX is not installed (the jax extra)")
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(6)
    parameters = {"V": rng.normal(size=(CLASSES, N)), "k": rng.normal(size=CLASSES)}
    for gate in GATES[name]:
        parameters["U" + gate] = 0.6 * rng.normal(size=(N, INPUTS))
        parameters["W" + gate] = 0.6 * rng.normal(size=(N, N))
        parameters["b" + gate] = rng.normal(size=N)
    x, y = rng.normal(size=(T, INPUTS)), rng.integers(0, CLASSES, T)
    initial = {state: rng.normal(size=N) for state in ("h", "c")[: 2 if name == "LSTM" else 1]}

    def loss(p, first):
        def scanned(state, now):
            state = step(jax, name, p, state, now[0])
            return state, -jax.nn.log_softmax(p["V"] @ state["h"] + p["k"])[now[1]]

        return jax.lax.scan(scanned, first, (x, y))[1].sum()

    value, (by_parameter, by_initial) = jax.value_and_grad(loss, argnums=(0, 1))(parameters, initial)
    trace = Network([*core, *OUTPUT], loss_at="every").trace(
        parameters=parameters, inputs={"x": x, "y": y}, initial=initial
    )
    assert trace.loss == pytest.approx(float(value), rel=1e-12)
    for key, want in by_parameter.items():
        np.testing.assert_allclose(trace.gradient[key], want, rtol=1e-11, atol=1e-13 * float(np.abs(want).max()))
    for key, want in by_initial.items():
        np.testing.assert_allclose(trace.adjoint(key, -1), want, rtol=1e-11, atol=1e-13 * float(np.abs(want).max()))
