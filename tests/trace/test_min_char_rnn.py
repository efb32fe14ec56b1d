"""Karpathy's min-char-rnn, written again from its description, against the bundled network and longer ones.

Forward: h_t = tanh(Wxh·x_t + Whh·h_{t−1} + bh), y_t = Why·h_t + by, p_t = e^y / Σ e^y, loss = Σ −ln p_t[target].
Backward, from the last timestep: dy = p with 1 taken off at the target, dh = Whyᵀ·dy + dhnext, draw = (1 − h²)·dh,
and dhnext = Whhᵀ·draw for the timestep before. Taken before its clip to ±5. It starts from hprev, a value without a
gradient, and shifts no logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bptt_tui.session import load
from bptt_tui.trace import Network, Trace

Array = np.ndarray[Any, np.dtype[np.float64]]


Arrays = dict[str, Array]


def published(
    p: Arrays, characters: Sequence[int], targets: Sequence[int], hprev: Array
) -> tuple[float, Arrays, list[Arrays]]:
    """Loss, gradient, and what every timestep adds to it."""
    h, probabilities, loss = {-1: hprev}, [], 0.0
    for t, (character, target) in enumerate(zip(characters, targets, strict=True)):
        h[t] = np.tanh(p["Wxh"][:, character] + p["Whh"] @ h[t - 1] + p["bh"])
        e = np.exp(p["Why"] @ h[t] + p["by"])
        probabilities.append(e / e.sum())
        loss -= np.log(probabilities[t][target])
    gradient = {name: np.zeros_like(value) for name, value in p.items()}
    terms: list[Arrays] = [{} for _ in characters]
    dhnext = np.zeros_like(hprev)
    for t in reversed(range(len(characters))):
        dy = probabilities[t].copy()
        dy[targets[t]] -= 1.0
        dh = p["Why"].T @ dy + dhnext
        draw = (1.0 - h[t] * h[t]) * dh
        one_hot = np.eye(p["Wxh"].shape[1])[characters[t]]
        terms[t] = {
            "Wxh": np.outer(draw, one_hot),
            "Whh": np.outer(draw, h[t - 1]),
            "Why": np.outer(dy, h[t]),
            "bh": draw,
            "by": dy,
        }
        for name, term in terms[t].items():
            gradient[name] += term
        dhnext = p["Whh"].T @ draw
    return float(loss), gradient, terms


def agrees(trace: Trace, loss: float, gradient: Arrays, terms: list[Arrays]) -> None:
    """1e-12 of the largest entry for every array, 1e-12 of the loss."""
    assert trace.loss == pytest.approx(loss, rel=1e-12)
    for name, want in gradient.items():
        np.testing.assert_allclose(trace.gradient[name], want, rtol=1e-12, atol=1e-12 * np.abs(want).max())
        for t, term in enumerate(terms):
            np.testing.assert_allclose(
                trace.contribution(name, t), term[name], rtol=1e-12, atol=1e-12 * np.abs(term[name]).max()
            )


def test_the_bundled_session_is_min_char_rnn() -> None:
    """Loss, gradient and the term of every timestep, for hell → ello."""
    session = load("min-char-rnn")
    parameters = {name: np.array(value) for name, value in session.parameters.items()}
    characters = [row.index(1) for row in session.inputs["x"]]
    agrees(
        session.trace(), *published(parameters, characters, session.inputs["target"], np.array(session.initial["h"]))
    )


@pytest.mark.parametrize(
    ("hidden", "vocabulary", "length", "scale"), [(8, 4, 4, 1.0), (16, 10, 25, 0.3), (32, 27, 60, 0.2)]
)
def test_longer_texts_agree(hidden: int, vocabulary: int, length: int, scale: float) -> None:
    """Up to sixty characters, with weights that do not vanish."""
    rng = np.random.default_rng(length)
    n, m = hidden, vocabulary
    shapes = {"Wxh": (n, m), "Whh": (n, n), "Why": (m, n), "bh": n, "by": m}
    parameters = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    text = rng.integers(0, vocabulary, size=length + 1)
    hprev = 0.5 * rng.normal(size=hidden)
    trace = Network(load("min-char-rnn").equations, loss_at="every").trace(
        parameters=parameters,
        inputs={"x": np.eye(vocabulary)[text[:-1]], "target": text[1:]},
        initial={"h": hprev},
    )
    agrees(trace, *published(parameters, text[:-1].tolist(), text[1:].tolist(), hprev))
