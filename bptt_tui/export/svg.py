"""A `Screen` as SVG: text where it is text, paths where a terminal would draw lines and blocks.

Fonts differ in their box characters, arrows and even in the width of a cell. So lines, blocks and arrowheads are
drawn as shapes that meet at the edges of their cells, and text is set word by word at the column where it belongs, in
whatever monospace font the reader has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from rich.cells import cell_len

from bptt_tui.export.screen import Screen, Span

CELL, LINE, SIZE = 10, 21, 16.5  # pixels: a cell's width and height, the font
MARGIN = 14
_FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"

# Lines from the middle of a cell: up, down, left, right; heavy lines are thicker, arcs are round.
_LIGHT = {
    "─": "lr", "│": "ud", "╭": "dr", "╮": "dl", "╰": "ur", "╯": "ul", "├": "udr", "┤": "udl", "┬": "dlr",
    "┴": "ulr", "┼": "udlr",
}  # fmt: skip
_HEAVY = {
    "━": "lr", "┃": "ud", "┏": "dr", "┓": "dl", "┗": "ur", "┛": "ul", "┣": "udr", "┫": "udl", "┳": "dlr",
    "┻": "ulr", "╋": "udlr",
}  # fmt: skip
_ARCS = {"╭", "╮", "╰", "╯"}

# Blocks as (left, top, right, bottom) in shares of the cell.
_BLOCKS = {"▌": (0.0, 0.0, 0.5, 1.0), "▐": (0.5, 0.0, 1.0, 1.0), "█": (0.0, 0.0, 1.0, 1.0)} | {
    character: (0.0, 1 - (i + 1) / 8, 1.0, 1.0) for i, character in enumerate("▁▂▃▄▅▆▇")
}

# Arrowheads and sign glyphs as polygons in shares of the cell; False leaves them hollow.
_SHAPES: dict[str, tuple[str, bool]] = {
    "▶": ("0.1,0.3 1,0.5 0.1,0.7", True),
    "◀": ("0.9,0.3 0,0.5 0.9,0.7", True),
    "▲": ("0.05,0.7 0.5,0.28 0.95,0.7", True),
    "▼": ("0.05,0.3 0.5,0.72 0.95,0.3", True),
    "▴": ("0.2,0.64 0.5,0.36 0.8,0.64", True),
    "▾": ("0.2,0.36 0.5,0.64 0.8,0.36", True),
    "▵": ("0.2,0.64 0.5,0.36 0.8,0.64", False),
    "▿": ("0.2,0.36 0.5,0.64 0.8,0.36", False),
    "◆": ("0.5,0.27 0.95,0.5 0.5,0.73 0.05,0.5", True),
    "◈": ("0.5,0.32 0.86,0.5 0.5,0.68 0.14,0.5", True),
    "◇": ("0.5,0.32 0.86,0.5 0.5,0.68 0.14,0.5", False),
}
_DRAWN = frozenset({*_LIGHT, *_HEAVY, *_BLOCKS, *_SHAPES})

# Words, with single blanks inside kept: two words at their own columns need not be two elements.
_WORDS = re.compile(r"\S+(?: \S+)*")

# A character that is drawn in one stroke over its neighbours, or any other alone.
_RUNS = re.compile(r"([─█▁▂▃▄▅▆▇])\1*|.", re.DOTALL)


def picture(screen: Screen) -> str:
    """The screen as one SVG document."""
    width = screen.width * CELL + 2 * MARGIN
    height = len(screen.rows) * LINE + 2 * MARGIN
    styles: dict[tuple[str, bool, bool, bool], str] = {}
    body: list[str] = []
    for y, row in enumerate(screen.rows):
        column = 0
        behind: list[str] = []
        front: list[str] = []
        for span in _merged(row):
            cells = cell_len(span.text)
            if span.background and span.background != screen.background:
                behind.append(_rectangle(column * CELL, y * LINE, cells * CELL, LINE, span.background))
            colour = span.colour or screen.foreground
            front += _lines(span.text, colour, column, y)
            key = (colour, span.bold, span.italic, span.underline)
            for at, word in _text_parts(span.text):
                name = styles.setdefault(key, f"s{len(styles)}")
                front.append(_text(word, name, column + at, y))
            column += cells
        body += [*behind, *front]
    rules = "".join(f".{name}{{{_css(*key)}}}" for key, name in styles.items())
    label = escape(screen.title or "a terminal screen")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{label}</title>",
            f"<style>text{{font:{SIZE}px {_FONTS};white-space:pre}}{rules}</style>",
            f'<rect width="{width}" height="{height}" rx="10" fill="{screen.background}"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *body,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _merged(row: tuple[Span, ...]) -> Iterator[Span]:
    """Neighbours of one style as one span."""
    last: Span | None = None
    for span in row:
        if last is not None and _same_style(last, span):
            last = Span(last.text + span.text, last.colour, last.background, last.bold, last.italic, last.underline)
        else:
            if last is not None:
                yield last
            last = span
    if last is not None:
        yield last


def _same_style(a: Span, b: Span) -> bool:
    return (a.colour, a.background, a.bold, a.italic, a.underline) == (
        b.colour, b.background, b.bold, b.italic, b.underline
    )  # fmt: skip


def _text_parts(text: str) -> Iterator[tuple[int, str]]:
    """Words with the cell they start at, everything that is drawn as a shape left out."""
    plain = "".join(" " * cell_len(c) if c in _DRAWN else c for c in text)
    for match in _WORDS.finditer(plain):
        yield cell_len(plain[: match.start()]), match[0]


def _text(word: str, style: str, column: int, y: int) -> str:
    x, base = column * CELL, y * LINE + 15.5
    length = cell_len(word) * CELL
    return (
        f'<text class="{style}" x="{x}" y="{base:g}" textLength="{length}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(word)}</text>"
    )


def _css(colour: str, bold: bool, italic: bool, underline: bool) -> str:
    return (
        f"fill:{colour}"
        + (";font-weight:bold" if bold else "")
        + (";font-style:italic" if italic else "")
        + (";text-decoration:underline" if underline else "")
    )


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} fill="{colour}" shape-rendering="crispEdges"/>'


def _lines(text: str, colour: str, column: int, y: int) -> list[str]:
    """The box characters, blocks and arrowheads of a span as shapes."""
    light: list[str] = []
    heavy: list[str] = []
    shapes: list[str] = []
    at = column
    for match in _RUNS.finditer(text):
        character, cells = match[0][0], cell_len(match[0])
        x, top = at * CELL, y * LINE
        if character == "─":
            light.append(f"M{x:g} {top + LINE / 2:g}h{cells * CELL:g}")
        elif character in _LIGHT:
            light.append(_arc(character, x, top) if character in _ARCS else _strokes(_LIGHT[character], x, top))
        elif character in _HEAVY:
            heavy.append(_strokes(_HEAVY[character], x, top))
        elif character in _BLOCKS:
            left, up, right, down = _BLOCKS[character]
            width = (cells - 1 + right - left) * CELL
            shapes.append(_rectangle(x + left * CELL, top + up * LINE, width, (down - up) * LINE, colour))
        elif character in _SHAPES:
            shapes.append(_polygon(character, x, top, colour))
        at += cells
    if light:
        shapes.append(f'<path d="{"".join(light)}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
    if heavy:
        shapes.append(f'<path d="{"".join(heavy)}" fill="none" stroke="{colour}" stroke-width="2.8"/>')
    return shapes


def _strokes(directions: str, x: float, y: float) -> str:
    """Straight lines from the middle of a cell to its edges."""
    mx, my = x + CELL / 2, y + LINE / 2
    ends = {"u": f"V{y:g}", "d": f"V{y + LINE:g}", "l": f"H{x:g}", "r": f"H{x + CELL:g}"}
    return "".join(f"M{mx:g} {my:g}{ends[direction]}" for direction in directions)


def _arc(character: str, x: float, y: float) -> str:
    """A rounded corner."""
    mx, my = x + CELL / 2, y + LINE / 2
    edge_x = x if "l" in _LIGHT[character] else x + CELL
    edge_y = y if "u" in _LIGHT[character] else y + LINE
    return f"M{mx:g} {edge_y:g}Q{mx:g} {my:g} {edge_x:g} {my:g}"


def _polygon(character: str, x: float, y: float, colour: str) -> str:
    points, filled = _SHAPES[character]
    pairs = (point.split(",") for point in points.split())
    placed = " ".join(f"{x + float(px) * CELL:g},{y + float(py) * LINE:g}" for px, py in pairs)
    paint = f'fill="{colour}"' if filled else f'fill="none" stroke="{colour}" stroke-width="1.2"'
    return f'<polygon points="{placed}" {paint}/>'
