"""The RNN of `networks` in frameworks that differentiate plain functions: HIPS autograd and JAX (jitted)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bptt_tui.calculus import alignment
from tests.benchmarks.networks import Case


def hips(case: Case) -> Callable[[], tuple[float, Any]]:
    """Loss and ∂E/∂W of the RNN by HIPS autograd, its loop over time in Python."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    p, x, y = case.parameters, case.inputs["x"], case.inputs["y"]

    def loss(U: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        h = case.initial["h"]
        total = 0.0
        for t in range(case.steps):
            h = anp.tanh(anp.dot(U, x[t]) + b + anp.dot(W, h))
            q = anp.dot(V, h) + c
            top = anp.max(q)
            total = total + top + anp.log(anp.sum(anp.exp(q - top))) - q[y[t]]
        return total

    gradient = value_and_grad(loss, argnum=(0, 1, 2, 3, 4))

    def run() -> tuple[float, Any]:
        value, parts = gradient(p["U"], p["W"], p["b"], p["V"], p["c"])
        return float(value), parts[1]

    return run


def products(case: Case) -> Callable[[], object]:
    """W·h and Wᵀ·δ once per timestep and nothing else: what any trace that takes one step at a time must spend."""
    W = alignment.copied(np.asarray(case.parameters["W"]), np.float64)
    rows, out = list(np.full((case.steps, case.n), 0.1)), list(np.empty((case.steps, case.n)))

    def run() -> None:
        for product in (W.dot, W.T.dot):
            for row, result in zip(rows, out, strict=True):
                product(row, result)

    return run


def jitted(case: Case) -> Callable[[], tuple[float, Any]]:
    """The same by JAX, compiled, with `lax.scan` over time; the first call compiles."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    p, x, y = case.parameters, jnp.asarray(case.inputs["x"]), jnp.asarray(case.inputs["y"])

    def loss(p: Any) -> Any:
        def step(h: Any, now: Any) -> Any:
            x_t, y_t = now
            h = jnp.tanh(p["U"] @ x_t + p["b"] + p["W"] @ h)
            q = p["V"] @ h + p["c"]
            return h, jax.nn.logsumexp(q) - q[y_t]

        _, losses = jax.lax.scan(step, jnp.asarray(case.initial["h"]), (x, y))
        return losses.sum()

    gradient = jax.jit(jax.value_and_grad(loss))
    given = {name: jnp.asarray(value) for name, value in p.items()}

    def run() -> tuple[float, Any]:
        value, parts = gradient(given)
        return float(value), np.asarray(parts["W"])

    return run
