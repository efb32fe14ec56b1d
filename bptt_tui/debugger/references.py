"""How a node is written in a command, the same in all of them: `s[1]`, s₁, s_1, s1, `s_{1}`; `s[t-1]`, `s_{t-1}`, s_t.

A gradient or a local partial is a quotient of two: `dE/ds[0]`, ∂E/∂s₀, `\\partial E/\\partial s_0`,
`\\frac{\\partial E}{\\partial s_0}`. A name of the network that is written just so is that name: h1 is h1 where there
is one, and else h at t = 1. In a pattern `*` is any name or any timestep.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Container

from msgspec import Struct

from bptt_tui.errors import CommandError

_D = r"(?:d|∂|\\partial(?![^\W_])\s*)"
_INDEX = r"(\s*\[[^][]*\]|_\{[^{}]*\}|[₋₊₀-₉ₜ]+(?!\w))"
_NAME = r"([^\W\d]\w*?)"
_GLOB = r"((?:[^\W\d]|\*)[\w*]*?)"
_SHORT = r"(?:(.*?\D)_?(\d{1,18})|(.+)_(t))"
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋₊ₜ−", "0123456789-+t-")


class Index(Struct, frozen=True):
    """`[3]`, or `[t-1]`, counted from the present timestep."""

    relative: bool
    steps: int


class Named(Struct, frozen=True):
    """A name and its index, None where there is none; `every`: the index is `*`."""

    name: str
    at: Index | None = None
    every: bool = False


class Reference(Struct, frozen=True):
    """A node, or, with `above`, the derivative of that by it."""

    text: str
    below: Named
    above: Named | None = None


def read_reference(names: Container[str], text: str, *, pattern: bool = False) -> Reference | None:
    """What a whole text means; a word that is no name is a bare one. None where it is written in no such way.

    Raises CommandError for an index that is none.
    """
    if text in names:
        return Reference(text, Named(text))
    match = _whole(pattern).fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return _read(names, match, pattern) or Reference(text, Named(text))


def replaced(
    names: Container[str], text: str, stand_in: Callable[[Reference, int], str], column: int | None = None
) -> str:
    """An expression with a word in the place of every reference that is more than a name; `stand_in` makes it, from
    the reference and its column.

    The word is padded to the length of what it stands for, so that columns stay right. An index that is none raises
    CommandError, with its column where that at which the text begins is given.
    """

    def take(match: re.Match[str]) -> str:
        try:
            found = _read(names, match, False)
        except CommandError as error:
            raise error if column is None else error.at(f"column {match.start() + column + 1}") from None
        if found is None or (found.above is None and found.below.at is None):
            return match[0]
        return stand_in(found, match.start()).ljust(len(match[0]), "_")

    return _inside().sub(take, text)


def _read(names: Container[str], match: re.Match[str], pattern: bool) -> Reference | None:
    """A match as a reference; None where the text is a name, or a quotient of names."""
    a, i, b, j, c, k, d, m, node, index = match.groups()
    above, above_index, below, below_index = (a, i, b, j) if a is not None else (c, k, d, m)
    if above is not None:
        if f"d{above}" in names and f"d{below}" in names:
            return None
        return Reference(
            match[0], _named(names, below, below_index, pattern), _named(names, above, above_index, pattern)
        )
    if match[0] in names or (node in names and index is None):
        return None
    return Reference(match[0], _named(names, node, index, pattern))


def _named(names: Container[str], name: str, index: str | None, pattern: bool) -> Named:
    if index is None:
        return _short(names, name) or Named(name)
    text = index.strip().removeprefix("_").strip("[]{}")
    if pattern and text.strip() == "*":
        return Named(name, every=True)
    return Named(name, read_index(text))


def _short(names: Container[str], text: str) -> Named | None:
    """s1, s_1 or s_t; None where that is a name itself, or s none."""
    short = re.fullmatch(_SHORT, text)
    if text in names or short is None:
        return None
    name, digits, relative, _ = short.groups()
    if (name or relative) not in names:
        return None
    return Named(name or relative, Index(False, int(digits)) if digits else Index(True, 0))


def short_name(names: Container[str], text: str) -> str:
    """`s[1]` for a word s1 or s_1 that is no name; "" for others."""
    short = _short(names, text)
    return "" if short is None or short.at is None or short.at.relative else f"{short.name}[{short.at.steps}]"


def read_index(written: str) -> Index:
    """What stands in the brackets or below: 1, -1, t, t-1. Raises CommandError for anything else."""
    text = "".join(written.split()).translate(_PLAIN)
    match = re.fullmatch(r"(t)?((?(1)[+-]|-?)\d{1,18})?", text)
    if match is None or not text:
        raise CommandError(f"[{written.strip()[:20]}] is not a timestep", hint="write s[0], s[t] or s[t-1]")
    return Index(match[1] is not None, int(match[2] or 0))


@functools.cache
def _whole(pattern: bool) -> re.Pattern[str]:
    name = _GLOB if pattern else _NAME
    return re.compile(f"{_quotients(name)}|{name}{_INDEX}?")


@functools.cache
def _inside() -> re.Pattern[str]:
    return re.compile(rf"{_quotients(_NAME)}|(?<![\w\\]){_NAME}(?:{_INDEX}|(?!\w))")


def _quotients(name: str) -> str:
    part = rf"\{{\s*{_D}\s*{name}{_INDEX}?\s*\}}"
    plain = rf"(?<![\w\\]){_D}{name}{_INDEX}?\s*/\s*{_D}{name}(?:{_INDEX}|(?!\w))"
    return rf"{plain}|\\[dt]?frac\s*{part}\s*{part}"
