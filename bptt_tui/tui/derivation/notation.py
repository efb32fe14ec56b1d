"""How formulas may be written, as a text for the help."""

from __future__ import annotations

from textual.content import Content

from bptt_tui.tui.derivation.bars import KEYS
from bptt_tui.tui.help import in_sections

_NOTATION = (
    ("dE/dw, ∂E/∂w", r"also \frac{\partial E}{\partial w}; L is the loss, whatever it is called"),
    ("s_1 s1 s[1] s₁", "s at t = 1; s_{-1} is the initial value"),
    ("w_1", "the use of w at t = 1; w is all of it"),
    ("q o E", "no index where there is only one"),
    ("* · × and nothing", "a product: of matrices where the shapes allow it, or with a number"),
    ("@  ⊙  ᵀ .T ^T", "the matrix product, entry by entry, the transpose"),
    ("Σ_t  sum_{t=0}^1", "a sum over time, t and t-1 inside; without bounds, over all there are"),
    ("∂⁺s_1/∂w", "the immediate partial, s₀ held; ∂s₁/∂w takes whichever reading holds"),
    ("tanh(z_1)  f'(z_1)", "the operations of the network, and their slopes"),
    ("diag(o) onehot(y) o[y]", "a diagonal matrix, a class as a vector, one entry"),
    ("[0.5, -0.5]  [[1, 2]]", "a vector, a matrix by rows: right to the digits written"),
    ("a = b = c", "every member is judged"),
)
_WHERE = {"formula": "In the formula", "verdict": "In the verdict", "attempts": "In the attempts"}


def notation_text(width: int = 120) -> Content:
    """The notation, and the keys of every part of the screen, which is that wide."""
    return in_sections([("A derivation", _NOTATION), *((_WHERE[where], keys) for where, keys in KEYS.items())], width)
