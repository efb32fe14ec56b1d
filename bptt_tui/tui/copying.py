"""What y and Y put on the clipboard: the value in full precision, and the formula as text."""

from __future__ import annotations

from bptt_tui.calculus import numerals
from bptt_tui.debugger.view import Missing, Shown, Value, View
from bptt_tui.language.sanitise import visible

_MOST_FACTORS = 1000


def value_text(view: View) -> str:
    """The current node's value, or going backward its gradient, so that reading it gives the same floats."""
    if view.pane is None:
        return ""
    shown: Shown = view.pane.adjoint if view.phase == "backward" else view.pane.value
    return "" if isinstance(shown, Missing) else exactly(shown)


def exactly(value: Value) -> str:
    """A value with all its digits, however many entries it has."""
    return numerals.exact(float(value)) if value.ndim == 0 else repr(value.tolist())


def formula_text(view: View) -> str:
    """The current equation, or going backward the chain: `∂E/∂s₀ = ∂E/∂o · ∂o/∂q · …`."""
    if view.pane is None:
        return ""
    if view.phase == "forward":
        return visible(view.pane.equation)
    factors = view.chain.factors(_MOST_FACTORS)
    head = "" if view.chain.complete else "⋯ · "
    product = " · ".join(factor.title for factor in factors) or "1"
    return visible(f"{view.chain.title or view.pane.title} = {head}{product}")
