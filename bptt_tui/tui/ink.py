"""Lines of text as (text, ink) runs, and the one place where they become cells on the terminal.

An ink is a name for what text *is* (`dim`, `name`, `positive-3`, `now`); the theme decides what it looks like. Every
run passes `visible` on its way out, and nothing here reads markup, so a name from a file can hold anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from bptt_tui.language.sanitise import visible

if TYPE_CHECKING:
    from textual.widget import Widget

Run = tuple[str, str]
Line = tuple[Run, ...]


class Ink(Struct, frozen=True):
    """A theme variable's colour at a strength, on the widget's background or on another colour. None is what reads."""

    colour: str | None
    strength: float = 1.0
    bold: bool = False
    on: str | None = None
    on_strength: float = 1.0
    dims: bool = True  # a terminal's own colours cannot be blended: what is weak is dim there


_KEPT = 1000  # painted lines

_NOW = 0.28  # how strongly the current place is lit

# Sizes of a gradient by thirds of the scale: faint, middle, strong. They differ by lightness, never by hue alone.
INKS: dict[str, Ink] = {
    "plain": Ink("foreground"),
    "strong": Ink("foreground", bold=True),
    "dim": Ink("foreground", 0.62),
    "faint": Ink("foreground", 0.38),
    "title": Ink("primary", bold=True),
    "name": Ink("primary"),
    "symbol": Ink("secondary"),
    "accent": Ink("accent", bold=True),
    "now": Ink("foreground", 1.0, True, "accent", _NOW),
    "now-mark": Ink("accent", 1.0, True, "accent", _NOW),
    "now-dim": Ink("foreground", 0.7, False, "accent", _NOW),
    "now-positive": Ink("sign-positive", 1.0, True, "accent", _NOW),
    "now-negative": Ink("sign-negative", 1.0, True, "accent", _NOW),
    "now-mixed": Ink("sign-mixed", 1.0, True, "accent", _NOW),
    "wire": Ink("foreground", 0.3),
    "frame": Ink("foreground", 0.22, dims=False),
    "frame-now": Ink("accent", 0.8),
    "subtitle": Ink("foreground", 0.5),
    "wire-now": Ink("accent", bold=True),
    **{
        f"{tone}-{size}": Ink(f"sign-{tone}", 0.4 + 0.2 * size)
        for tone in ("positive", "negative", "mixed")
        for size in (1, 2, 3)
    },
    **{
        f"heat-{tone}-{size}": Ink(f"sign-{tone}", (0.45, 0.6, 0.8, 1.0)[size])
        for tone in ("positive", "negative")
        for size in range(4)
    },
    "good": Ink("success"),
    "warning": Ink("warning", bold=True),
    "error": Ink("error", bold=True),
    "forward": Ink(None, 0.95, True, "primary"),
    "backward": Ink(None, 0.95, True, "accent"),
}


@lru_cache(maxsize=4096)
def _seen(text: str) -> str:
    """`visible(text)`; a screen repeats its texts from step to step."""
    return visible(text)


def width_of(text: str) -> int:
    """Terminal cells that `text` takes once it is made visible."""
    return cell_len(_seen(text))


def merged(runs: list[Run]) -> Line:
    """Neighbours of one ink as one run."""
    found: list[Run] = []
    for text, ink in runs:
        if found and found[-1][1] == ink:
            found[-1] = (found[-1][0] + text, ink)
        else:
            found.append((text, ink))
    return tuple(found)


def fitted(text: str, width: int, align: str = "left") -> str:
    """`text` in exactly `width` cells: padded, or cut with `…`, one even where something was left out there before."""
    text = _seen(text)
    cells = cell_len(text)
    if cells > width:
        kept = set_cell_size(text, max(width - 1, 0))
        return kept + (" " if kept.rstrip(" ").endswith("…") else "…")[: max(width, 0)]
    room = width - cells
    if align == "right":
        return " " * room + text
    if align == "centre":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


def line_width(line: Iterable[Run]) -> int:
    return sum(width_of(text) for text, _ in line)


def clipped(line: Line, width: int) -> Line:
    """A line that is too long, cut with `…`."""
    if line_width(line) <= width:
        return line
    while line and not line[-1][0].rstrip(" "):
        line = line[:-1]
    line = (*line[:-1], (line[-1][0].rstrip(" "), line[-1][1])) if line else ()
    if line_width(line) <= width:
        return line
    kept: list[Run] = []
    room = width
    for text, ink in line:
        cells = width_of(text)
        if cells >= room:  # something is left out: of this text or behind it
            before = "".join(text for text, _ in kept)
            cut = fitted(text + " " * (cells == room), room)
            return (*kept, (cut if not before.rstrip(" ").endswith("…") or cut != "…" else " ", ink))
        kept.append((text, ink))
        room -= cells
    return tuple(kept)


class Inks:
    """What every ink looks like on one widget under the present theme; `clear` when the widget's styles change.

    These are no CSS component classes on purpose: Textual would match its whole stylesheet against every one of them
    on every widget before the first frame.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._behind: Color | None = None
        self._styles: dict[str, Style] = {}
        self._painted: dict[tuple[Line, int], Strip] = {}

    def __getitem__(self, ink: str) -> Style:
        style = self._styles.get(ink)
        if style is None:
            style = self._styles[ink] = (
                self._mixed(INKS[ink]) if ink != "blank" else Style(bgcolor=self.behind.rich_color)
            )
        return style

    @property
    def behind(self) -> Color:
        """The widget's background."""
        if self._behind is None:
            self._behind = self._widget.background_colors[1]
        return self._behind

    def _mixed(self, ink: Ink) -> Style:
        """The ink's colours blended with what is behind them; a terminal's own colours (ansi) cannot be blended."""
        variables = self._widget.app.theme_variables
        behind = self.behind
        blend = not self._widget.app.current_theme.ansi
        if ink.on is not None:
            lit = Color.parse(variables[ink.on])
            behind = behind.blend(lit, ink.on_strength) if blend else lit if ink.colour is None else behind
        if ink.colour is None:
            text = behind.get_contrast_text(ink.strength) if blend else Color.parse("ansi_default")
            return Style(color=(behind + text).rich_color, bgcolor=behind.rich_color, bold=ink.bold)
        colour = Color.parse(variables[ink.colour])
        if blend:
            return Style(color=behind.blend(colour, ink.strength).rich_color, bgcolor=behind.rich_color, bold=ink.bold)
        return Style(
            color=colour.rich_color,
            bgcolor=behind.rich_color,
            bold=ink.bold,
            dim=ink.dims and ink.strength < 0.5,
            reverse=ink.on is not None,
        )

    def clear(self) -> None:
        self._behind = None
        self._styles.clear()
        self._painted.clear()

    def paint(self, line: Iterable[Run], width: int) -> Strip:
        """The line as a strip of exactly `width` cells. Most lines are the same from step to step: they are kept."""
        key = (tuple(line), width)
        strip = self._painted.get(key)
        if strip is None:
            if len(self._painted) >= _KEPT:
                self._painted.clear()
            segments = [Segment(_seen(text), self[ink]) for text, ink in key[0] if text]
            room = width - sum(cell_len(segment.text) for segment in segments)
            if room > 0:
                segments.append(Segment(" " * room, self["plain"]))
            strip = Strip(segments, width - min(room, 0))
            strip = self._painted[key] = strip.crop(0, width) if room < 0 else strip
        return strip

    def filled(self, strip: Strip, width: int) -> Strip:
        """The strip cut or filled with blanks to `width` cells."""
        return strip.adjust_cell_length(width, self["plain"])


_ROOM = 8  # cells of a continued line that are left for words


def wrapped(line: Line, width: int, indent: int = 0) -> list[Line]:
    """The line broken at spaces into lines of at most `width` cells; continuation lines are indented.

    Spaces at the head of the first line are kept, so an indented line stays indented. Where the indent would leave no
    room for words it is less.
    """
    if width <= 0 or line_width(line) <= width:
        return [line]
    indent = min(indent, max(width - _ROOM, 0))
    lines: list[Line] = []
    current: list[Run] = []
    used = 0

    def close() -> None:
        nonlocal current, used
        lines.append(tuple(current))
        current, used = ([(" " * indent, "plain")] if indent else []), indent

    for word, ink in _words(line):
        text = word
        if current and used + width_of(text.rstrip(" ")) > width and used > indent:
            close()
            text = text.lstrip(" ")
        while text.rstrip(" ") and used + width_of(text.rstrip(" ")) > width:
            text = visible(text)
            cut = _cut(text, width - used)
            current.append((text[:cut], ink))
            text = text[cut:]
            close()
        current.append((text, ink))
        used += width_of(text)
    if current:
        lines.append(tuple(current))
    return lines


def _cut(text: str, width: int) -> int:
    """How many characters fit into `width` cells, at least one so that every line takes something."""
    used = 0
    for at, character in enumerate(text):
        used += cell_len(character)
        if used > width and at:
            return at
    return len(text)


def _words(line: Line) -> list[Run]:
    """Every run split after its spaces, the spaces kept."""
    words: list[Run] = []
    for text, ink in line:
        start = 0
        for at, character in enumerate(text):
            if character == " " and at + 1 < len(text) and text[at + 1] != " ":
                words.append((text[start : at + 1], ink))
                start = at + 1
        if start < len(text):
            words.append((text[start:], ink))
    return words
