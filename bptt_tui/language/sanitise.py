"""The one gate between text from files and a terminal.

A session's title, names, notes and error messages may hold escape sequences, bidi overrides or NULs. `visible` spells
them out, so that nothing in a file can move the cursor, retitle the window or reorder a formula.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str, *, newlines: bool = False) -> str:
    r"""`text` with every control, format, surrogate and line-separator character spelled out as `\x1b` or `\u202e`.

    With `newlines`, "\n" stays a line break, for text that is shown on several lines.
    """
    if text.isprintable():  # none of the hidden kinds is
        return text
    return "".join(_spell(character, newlines) for character in text)


_BRIEF = 60


def brief(value: object) -> str:
    """Any value as an error says it: one short line, as Python writes it."""
    import reprlib  # of errors only

    try:
        shown = " ".join(visible(reprlib.repr(value)).split())
    except Exception:  # a foreign class may fail to say what it is
        shown = type(value).__name__
    return shown if len(shown) <= _BRIEF else f"{shown[: _BRIEF - 1]}…"


def called(name: str) -> str:
    """A name as an error says it: as it is, unless it could be none."""
    return name if name.isidentifier() and len(name) <= _BRIEF else brief(name)


def _spell(character: str, newlines: bool) -> str:
    if character == "\n" and newlines:
        return character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
