"""Text on a terminal's grid: how many cells it takes, where it breaks, and which characters of it are underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from bptt_tui.language.sanitise import visible

Span = tuple[int, int]
Mark = tuple[Span, str]


def cells(text: str) -> int:
    """Cells that visible text takes: two for a wide character, none for a combining one."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def padded(text: str, width: int) -> str:
    """Visible text with blanks up to `width` cells."""
    return text + " " * (width - cells(text))


def broken(text: str, width: int) -> list[str]:
    """Visible text in lines of at most `width` cells, broken behind a blank or a `·` where there is one."""
    lines: list[str] = []
    line, end = "", 0
    for character in text:
        if line and cells(line) + _width(character) > width:
            cut = len(line) if character == " " or not end else end
            lines.append(line[:cut].rstrip(" "))
            line, end = line[cut:].lstrip(" "), 0
            if character == " " and not line:
                continue
        line += character
        if character in " ·":
            end = len(line)
    return [*lines, line] if line or not lines else lines


def underlined(text: str, marks: Iterable[Mark], width: int) -> list[str]:
    """`text` in lines of at most `width` cells, each with a line of marks under it where it has any.

    A mark is a span of characters of `text` and the character to draw under them; later marks lie over earlier ones.
    An empty span is drawn under one character, or behind the text where it stands at the end.
    """
    under = [" "] * (len(text) + 1)
    for (start, stop), mark in marks:
        for at in range(max(start, 0), min(max(stop, start + 1), len(under))):
            under[at] = mark
    lines: list[str] = []
    line: list[tuple[str, str]] = []
    for character, mark in zip(text, under, strict=False):
        if character == "\n":
            lines += _drawn(line)
            line = []
            continue
        line.append((visible(character), mark))
        while sum(cells(spelt) for spelt, _ in line) > width and len(line) > 1:
            blank = next((at for at in range(len(line) - 2, 0, -1) if line[at][0] == " "), len(line) - 2)
            lines += _drawn(line[: blank + (line[blank][0] != " ")])
            line = line[blank + 1 :]
    if under[len(text)] != " ":
        line.append((" ", under[len(text)]))
    return [*lines, *_drawn(line)] if line or not lines else lines


def _drawn(line: list[tuple[str, str]]) -> list[str]:
    """The characters, and below them their marks if they have any."""
    shown = "".join(spelt for spelt, _ in line).rstrip(" ")
    below = "".join(mark * cells(spelt) for spelt, mark in line).rstrip(" ")
    return [shown, below] if below else [shown]
