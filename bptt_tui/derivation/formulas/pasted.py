r"""Several formulas in one text: one a line, and where one goes on over several lines.

A line begins a formula when it has an equals sign (or ≈) of its own; it goes on with the one before when it has none,
begins or ends there with an operator, or a bracket is still open. Empty lines separate, a line that begins with # is a
remark.

    \partial E/\partial w = \partial E/\partial s_1          one formula,
        * \partial s_1/\partial w_1                          on two lines
    dE/du = dE/du_1 + dE/du_0                                another one
"""

from __future__ import annotations

import re
from typing import NamedTuple

_OPEN = re.compile(r"[(\[{]")
_CLOSE = re.compile(r"[)\]}]")
_EQUALS = re.compile(r"[=≈≃]|\\(?:approx|simeq)\b")
_GOES_ON = re.compile(r"\s*(?:[=≈≃&*/·×@⊙∘+)\]}−-]|\\(?:approx|simeq|cdot|times|odot|circ|right|quad)\b)")
_EXPECTS_MORE = re.compile(r"(?:[=≈≃&*/·×@⊙∘+([{−^_-]|\\(?:approx|simeq|cdot|times|odot|circ|left))\s*(?:\\\\)?\s*$")
_EQUALS_IN_BOUND = re.compile(r"_\s*\{[^{}]*\}|_\s*\([^()]*\)|Σ_\w+=")


class Pasted(NamedTuple):
    """One formula: its text, the offset of it in the whole, and its first line, from 1."""

    text: str
    start: int
    line: int


def formulas(text: str) -> tuple[Pasted, ...]:
    """The formulas of a text, in their order."""
    found: list[Pasted] = []
    open_formula = False
    offset = 0
    for number, line in enumerate(text.split("\n"), 1):
        start, offset = offset, offset + len(line) + 1
        if not line.strip() or line.lstrip().startswith("#"):
            open_formula = False
            continue
        if open_formula and _continues(found[-1].text, line):
            before = found[-1]
            found[-1] = before._replace(text=text[before.start : start + len(line)].rstrip())
        else:
            indent = len(line) - len(line.lstrip())
            found.append(Pasted(line.strip(), start + indent, number))
        open_formula = True
    return tuple(found)


def _continues(before: str, line: str) -> bool:
    """Whether a line goes on with the formula before it."""
    if not _EQUALS.search(_EQUALS_IN_BOUND.sub("", line)) or _EXPECTS_MORE.search(before):
        return True
    if len(_OPEN.findall(before)) > len(_CLOSE.findall(before)):
        return True
    # A minus may begin a left side: -dE/dw = …
    return bool(_GOES_ON.match(line)) and not re.match(r"\s*[-−][^=]*\S[^=]*=", line)
