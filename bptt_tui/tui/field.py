"""A line to type in, into which no control character comes, neither typed, pasted, nor from a file."""

from __future__ import annotations

import unicodedata

from textual.widgets import Input

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` on one line: tabs and line breaks as spaces, without other control and format characters."""
    if text.isprintable():
        return text
    spaced = "".join(" " if character in "\t\n\r" else character for character in text)
    return "".join(character for character in spaced if unicodedata.category(character) not in _HIDDEN)


class Field(Input):
    """One line high, without a border."""

    DEFAULT_CSS = """
    Field, Field:focus { height: 1; border: none; padding: 0 1; background: $panel; color: $foreground; }
    Field:focus { background: $primary 20%; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None, classes: str = "") -> None:
        super().__init__(
            printable(value), placeholder=placeholder, id=id, classes=classes, compact=True, select_on_focus=False
        )

    def validate_value(self, value: str) -> str:
        """Whatever puts a text here, it can be shown."""
        return printable(value)
