"""Symbolic local partials: as numbers the Jacobians the trace pulls back with, as text what a book would print."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.evaluate import H, value_of
from oracles.networks import random_case

from bptt_tui.calculus.differentiation import differentiate, jacobian_value
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.calculus.shapes import size
from bptt_tui.language import Name, Printer
from bptt_tui.trace import Network


def edges(seed):
    """Every edge of a random network at one timestep: (equation, what it reads, shapes, values by name)."""
    trace = random_case(seed).trace()
    unrolled = trace.unrolled
    for e, equation in enumerate(unrolled.network.equations):
        times = unrolled.times[e].array()
        if len(times) == 0:
            continue
        t = int(times[seed % len(times)])

        def leaf(name, t=t):
            return np.asarray(trace.value(name.name, t + (name.offset or 0)))

        for by in unrolled.network.reads[e]:
            if unrolled.values.kind(by.name) != "constant" and not by.name.startswith("y"):
                rows, columns = size(unrolled.shapes[equation.target]), size(unrolled.shapes[by.name])
                yield trace, e, t, equation, by, leaf, rows, columns


def close(got, want, relative):
    """Entry by entry, with rounding allowed for entries that are sums of parts of ordinary size."""
    return np.all(np.abs(got - want) <= relative * np.abs(want) + 1e-15 * (1 + np.max(np.abs(want))))


@pytest.mark.parametrize("seed", range(150))
def test_the_formula_is_the_number(seed):
    """What is printed beside a Jacobian evaluates to it."""
    for trace, e, t, equation, by, leaf, rows, columns in edges(seed):
        result = Name(equation.target, 0)
        formula = differentiate(equation.expression, by, result, trace.unrolled.shape_of)
        got = np.zeros((rows, columns)) if formula is None else jacobian_value(formula, leaf, rows, columns)
        assert close(got, trace.jacobian(e, t, by), 1e-12), (equation.text, by)


def replaced(by, value, leaf):
    """Names looked up by `leaf`, but for one read."""
    return lambda name: value if (name.name, name.offset or 0) == (by.name, by.offset or 0) else leaf(name)


@pytest.mark.parametrize("seed", range(100))
def test_the_jacobian_is_the_derivative(seed):
    """The trace's Jacobian of every edge, column by column, by complex step through the oracle's functions."""
    for trace, e, t, equation, by, leaf, rows, columns in edges(seed):
        want = np.zeros((rows, columns))
        for column, index in enumerate(np.ndindex(leaf(by).shape)):
            moved = np.array(leaf(by), dtype=complex)
            moved[index] += 1j * H

            read = replaced(by, moved, leaf)
            value = np.broadcast_to(value_of(equation.expression, read), trace.unrolled.shapes[equation.target])
            want[:, column] = np.ravel(np.imag(value)) / H
        assert close(trace.jacobian(e, t, by), want, 1e-10), (equation.text, by)


def partial(equation, by, style="unicode", shapes=None):
    """∂node/∂by as text, in names at t; `shapes` gives the shape of names that are not scalar."""
    network = Network([equation, "E = 1"])
    read = network.equations[0]
    name = next(
        n for n in network.reads[0] if n.name == by.split("[")[0] and (n.offset or 0) == (-1 if "[" in by else 0)
    )

    def shape_of(expression):
        from bptt_tui.network.unrolled import _shape

        return _shape(expression, {n.name: (shapes or {}).get(n.name, ()) for n in network.reads[0]})

    formula = differentiate(read.expression, name, Name(read.target, 0), shape_of)
    return None if formula is None else Printer(NOTATIONS, style).print(formula)


CLASSIC = [
    ("s = tanh(z)", "z", {}, "1 − sₜ²", "1 - s_{t}^2"),
    ("s = tanh(z)", "z", {"z": (3,)}, "diag(1 − sₜ²)", r"\operatorname{diag}\left(1 - s_{t}^2\right)"),
    ("s = sigmoid(z)", "z", {}, "sₜ·(1 − sₜ)", r"s_{t} \, (1 - s_{t})"),
    ("s = exp(z)", "z", {}, "sₜ", "s_{t}"),
    ("s = log(z)", "z", {}, "1/z", r"\frac{1}{z}"),
    ("s = relu(z)", "z", {}, "[z > 0]", "[z > 0]"),
    ("b = w * s[t-1]", "s[t-1]", {}, "w", "w"),
    ("b = w * s[t-1]", "w", {}, "sₜ₋₁", "s_{t-1}"),
    ("q = v * s", "s", {"v": (2,)}, "v", "v"),
    ("q = v * s", "v", {"v": (2,)}, "s·I", r"s \, I"),
    ("z = a + b", "a", {}, "1", "1"),
    ("z = a - b", "b", {}, "−1", "-1"),
    ("z = a + b", "a", {"a": (2,), "b": (2,)}, "I", "I"),
    ("z = a / b", "a", {}, "1/b", r"\frac{1}{b}"),
    ("z = a / b", "b", {}, "−(a/b²)", r"-\frac{a}{b^{2}}"),
    ("z = a ** 3", "a", {}, "3·a²", r"3 \cdot a^{2}"),
    ("z = a ** 2", "a", {}, "2·a", r"2 \cdot a"),
    ("z = a * a", "a", {}, "2·a", r"2 \cdot a"),
    ("o = softmax(q)", "q", {"q": (3,)}, "diag(oₜ) − oₜ·oₜᵀ", r"\operatorname{diag}(o_{t}) - o_{t} o_{t}^\top"),
    ("L = cross_entropy(o, y)", "o", {"o": (3,), "y": (3,)}, "−y/o", r"-\frac{y}{o}"),
    ("L = squared_error(o, y)", "o", {"o": (3,), "y": (3,)}, "(o − y)ᵀ", r"\left(o - y\right)^\top"),
    ("L = squared_error(o, y)", "o", {}, "o − y", "o - y"),
    ("z = W @ x", "W", {"W": (2, 3), "x": (3,)}, "I ⊗ xᵀ", r"I \otimes x^\top"),
    ("z = W @ x", "x", {"W": (2, 3), "x": (3,)}, "W", "W"),
    ("z = dot(a, b)", "a", {"a": (2,), "b": (2,)}, "bᵀ", r"b^\top"),
    ("z = sum(a)", "a", {"a": (2,)}, "1ₙᵀ", r"\mathbf 1^\top"),
    ("z = u*x + w*s[t-1] + k", "w", {}, "sₜ₋₁", "s_{t-1}"),
    ("z = u*x + w*s[t-1] + k", "s[t-1]", {}, "w", "w"),
    ("z = u*x + w*s[t-1] + k", "u", {}, "x", "x"),
    ("z = u*x + w*s[t-1] + k", "k", {}, "1", "1"),
]


@pytest.mark.parametrize(("equation", "by", "shapes", "text", "_latex"), CLASSIC)
def test_a_partial_reads_as_in_a_book(equation, by, shapes, text, _latex):
    """In Unicode, as the screen shows it."""
    assert partial(equation.replace("s[t-1]", "s[t-1]"), by, shapes=shapes) == text


@pytest.mark.parametrize(("equation", "by", "shapes", "_text", "latex"), CLASSIC)
def test_a_partial_in_latex(equation, by, shapes, _text, latex):
    """As an export writes it."""
    assert partial(equation, by, "latex", shapes=shapes) == latex


def test_nothing_to_differentiate_is_none():
    """A target of cross_entropy takes no gradient, and a name that is not read has no partial."""
    assert partial("L = cross_entropy(o, y)", "y", shapes={"o": (3,), "y": (3,)}) is None
