"""The two themes of the app, and the colours that carry a gradient's sign in every theme.

Blue for negative and orange for positive stay apart for every kind of colour vision; they are never the only carrier:
a glyph stands next to them (`signs`). A theme may set `sign-positive`, `sign-negative` and `sign-mixed` itself.
"""

from __future__ import annotations

from difflib import get_close_matches

from textual.theme import BUILTIN_THEMES, Theme

from bptt_tui.errors import BpttError
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.colours import USUAL, variables

DARK = Theme(
    name="bptt-dark",
    primary="#7cc4ae",
    secondary="#8e9bb5",
    accent="#c3a6ff",
    warning="#e5c76b",
    error="#ff7b8a",
    success="#7cc4ae",
    foreground="#d9dfea",
    background="#10131a",
    surface="#171b24",
    panel="#202633",
    dark=True,
    variables={"footer-key-foreground": "#c3a6ff", "block-cursor-text-style": "none"},
)

LIGHT = Theme(
    name="bptt-light",
    primary="#0b6b5d",
    secondary="#5b6478",
    accent="#6b2fc9",
    warning="#8a6100",
    error="#b4233a",
    success="#0b6b5d",
    foreground="#1d2330",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e7e4dc",
    dark=False,
    variables={"footer-key-foreground": "#6b2fc9", "block-cursor-text-style": "none"},
)

OWN_THEMES = (DARK, LIGHT)


def sign_colours(theme: Theme, scale: str = USUAL) -> dict[str, str]:
    """The CSS variables of a scale of sign colours on this theme's background."""
    return variables(scale, dark=theme.dark, ansi=theme.ansi)


def known_theme(name: str) -> str:
    """`name` if there is such a theme; a BpttError with the close ones otherwise."""
    names = [*(theme.name for theme in OWN_THEMES), *BUILTIN_THEMES]
    if name in names:
        return name
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(sorted(names))}"
    raise BpttError(f"no theme is called {visible(repr(name))}", hint=hint)
