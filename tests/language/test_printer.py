"""Equations as text: plain to be read back, Unicode for the screen, LaTeX for paper."""

from __future__ import annotations

import pytest

from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.language import Printer, label, parse_expression
from bptt_tui.language.labels import subscript, superscript


@pytest.mark.parametrize(
    ("text", "plain", "unicode", "latex"),
    [
        ("u*x[t] + w*s[t-1]", "u * x[t] + w * s[t-1]", "u·xₜ + w·sₜ₋₁", r"u \cdot x_{t} + w \cdot s_{t-1}"),
        ("(a-b)-(c-d)", "a - b - (c - d)", "a − b − (c − d)", r"a - b - \left(c - d\right)"),
        ("(a+b)*c", "(a + b) * c", "(a + b)·c", r"\left(a + b\right) \cdot c"),
        ("a/(b/c)", "a / (b / c)", "a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
        ("(a/b)*c", "a / b * c", "a/b·c", r"\frac{a}{b} \cdot c"),
        ("(a+b)/c", "(a + b) / c", "(a + b)/c", r"\frac{a + b}{c}"),
        ("(-a)**2", "(-a)**2", "(−a)²", r"\left(-a\right)^{2}"),
        ("-a**2", "-a**2", "−a²", "-a^{2}"),
        ("a**b", "a**b", "a^b", "a^{b}"),
        ("a**(b+1)", "a**(b + 1)", "a^(b + 1)", "a^{b + 1}"),
        ("2**-3", "2**-3", "2⁻³", "2^{-3}"),
        ("W @ h[t-1]", "W @ h[t-1]", "W·hₜ₋₁", r"W \, h_{t-1}"),
        ("softmax(q)", "softmax(q)", "softmax(q)", r"\operatorname{softmax}\left(q\right)"),
        (
            "cross_entropy(o, y)",
            "cross_entropy(o, y)",
            "cross_entropy(o, y)",
            r"\operatorname{cross\_entropy}\left(o, y\right)",
        ),
        ("1e-7 * a", "1e-07 * a", "1e−07·a", r"1 \cdot 10^{-7} \cdot a"),
        ("theta_1 + alpha", "theta_1 + alpha", "theta_1 + alpha", r"\theta_{1} + \alpha"),
        ("x[t+1]", "x[t+1]", "xₜ₊₁", "x_{t+1}"),
    ],
)
def test_three_styles(text, plain, unicode, latex):
    """Parentheses only where they are needed, in each style by its own rules."""
    expression = parse_expression(text)
    assert Printer(NOTATIONS, "plain").print(expression) == plain
    assert Printer(NOTATIONS, "unicode").print(expression) == unicode
    assert Printer(NOTATIONS, "latex").print(expression) == latex


def test_numbers_put_in():
    """With a `leaf` that looks values up, an equation is shown with its numbers; negative ones get parentheses."""
    printer = Printer(NOTATIONS, "unicode", leaf=lambda name: {"w": "0.6", "s": "−0.3", "b": "−1"}[name.name])
    assert (
        printer.print(parse_expression("w * s[t-1] + b")) == "0.6·(−0.3) + (−1)"
        or printer.print(parse_expression("w * s[t-1] + b")) == "0.6·−0.3 + −1"
    )
    assert printer.print(parse_expression("s ** 2")) == "(−0.3)²"


@pytest.mark.parametrize(
    ("name", "t", "plain", "unicode", "latex"),
    [
        ("s", 1, "s[1]", "s₁", "s_{1}"),
        ("s", -1, "s[-1]", "s₋₁", "s_{-1}"),
        ("s", None, "s", "s", "s"),
        ("b_h", 12, "b_h[12]", "b_h₁₂", "b_{h,12}"),
        ("W1", None, "W1", "W1", "W_{1}"),
        ("alpha", 0, "alpha[0]", "alpha₀", r"\alpha_{0}"),
        ("gate", 0, "gate[0]", "gate₀", r"\mathrm{gate}_{0}"),
        ("_", None, "_", "_", r"\mathrm{\_}"),
        ("_x", 1, "_x[1]", "_x₁", r"\mathrm{\_x}_{1}"),
    ],
)
def test_labels(name, t, plain, unicode, latex):
    """A node or use at its timestep, in three styles."""
    assert label(name, t, "plain") == plain
    assert label(name, t) == unicode
    assert label(name, t, "latex") == latex


def test_digits_above_and_below():
    """Subscripts and superscripts of signed numbers."""
    assert subscript(-102) == "₋₁₀₂"
    assert superscript("-12") == "⁻¹²"
