"""How a name at a timestep is written: `s[1]` in plain text, s₁ in Unicode, s_{1} in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Style = Literal["plain", "unicode", "latex"]

_SUBSCRIPT = str.maketrans("0123456789-+", "₀₁₂₃₄₅₆₇₈₉₋₊")
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)


def subscript(number: int) -> str:
    """An integer in subscript digits: -1 → ₋₁."""
    return str(number).translate(_SUBSCRIPT)


def superscript(text: str) -> str:
    """Digits (and a minus sign) raised: 12 → ¹²."""
    return text.translate(_SUPERSCRIPT)


def entry_of(name: str, index: Sequence[int]) -> str:
    """An entry of what has a name: W[1,2], and of a timestep's array h[3] its h[3,1]."""
    if not index:
        return name
    inside = ",".join(map(str, index))
    return f"{name[:-1]},{inside}]" if name.endswith("]") else f"{name}[{inside}]"


def listed(items: Sequence[object]) -> str:
    """a; a and b; a, b and c."""
    texts = [str(item) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def few(names: Sequence[str]) -> str:
    """a, b and c; of many the first two and the last."""
    return listed(names) if len(names) <= 4 else ", ".join([*names[:2], "…", names[-1]])


def label(name: str, t: int | None, style: Style = "unicode") -> str:
    """A name at timestep `t`, or the plain name where `t` is None."""
    if style == "latex":
        return latex_label(name, "" if t is None else str(t))
    if t is None:
        return name
    return f"{name}[{t}]" if style == "plain" else name + subscript(t)


def latex_label(name: str, index: str = "") -> str:
    """`b_h` at 1 → b_{h,1}; names of several letters are upright, Greek names become letters. `index` may be t-1."""
    stem, *tail = name.split("_")
    if not all((stem, *tail)):  # `_x` and `x_` have no letter, or no index, to hang on to
        stem, tail = name.replace("_", r"\_"), []
    indices = [*tail, *([index] if index else [])]
    if stem in _GREEK:
        head = rf"\{stem}"
    else:
        letter = re.fullmatch(r"([^\W\d_])(\d*)", stem)
        if letter is None:
            head = rf"\mathrm{{{stem}}}"
        else:
            head = letter[1]
            indices = [*([letter[2]] if letter[2] else []), *indices]
    return f"{head}_{{{','.join(indices)}}}" if indices else head
