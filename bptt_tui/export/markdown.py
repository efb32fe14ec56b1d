"""A document as Markdown: formulas between dollar signs, as most renderers of Markdown take them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bptt_tui.export.document import (
    Block,
    Break,
    Code,
    Display,
    Document,
    Emphasis,
    Heading,
    Items,
    Maths,
    Paragraph,
    Quoted,
    Run,
    Strong,
    Table,
    Verbatim,
)
from bptt_tui.language.sanitise import visible

# What could begin or end markup anywhere, and what could at the beginning of a line.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|$~&]")
_AT_START = re.compile(r"^(\s*)([-+=]|\d+[.)](?=\s|$))", re.MULTILINE)


def markdown(document: Document) -> str:
    """The whole document, ending in a newline."""
    blocks = [f"# {_escaped(document.title)}", *map(_block, document.blocks)]
    return "\n\n".join(blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, runs):
            return f"{'#' * (level + 1)} {_line(runs)}"
        case Paragraph(runs):
            return _begun(_line(runs))
        case Items(items, first):
            marks = ("-" if first is None else f"{first + place}." for place in range(len(items)))
            return "\n".join(f"{mark} {_begun(_line(runs))}" for mark, runs in zip(marks, items, strict=True))
        case Quoted(runs):
            return "\n".join(f"> {line}" for line in _begun(_line(runs)).split("\n"))
        case Display(rows):
            return _display(rows)
        case Table():
            return _table(block)
        case Verbatim(text):
            fence = _fence(text, 3)
            return f"{fence}\n{visible(text, newlines=True)}\n{fence}"


def _begun(text: str) -> str:
    """Lines that begin nothing: no list, no rule."""
    return _AT_START.sub(_unlisted, text)


def _unlisted(found: re.Match[str]) -> str:
    sign = found[2]
    return f"{found[1]}{sign[:-1]}\\{sign[-1]}"


def _line(runs: Iterable[Run], *, in_table: bool = False) -> str:
    return "".join(_run(run, in_table) for run in runs)


def _run(run: Run, in_table: bool) -> str:
    match run:
        case str():
            return _escaped(run)
        case Maths(latex):
            # A bar would end the cell, inside a formula too.
            return f"${latex.replace('|', chr(92) + 'vert ') if in_table else latex}$"
        case Strong(text):
            return _leant(text, "**")
        case Emphasis(text):
            return _leant(text, "*")
        case Break():
            return " " if in_table else "  \n"
        case Code(text):
            shown = visible(text).replace("|", r"\|") if in_table else visible(text)
            fence = _fence(shown, 1)
            space = " " if shown[:1] == "`" or shown[-1:] == "`" else ""
            return f"{fence}{space}{shown}{space}{fence}"


def _leant(text: str, sign: str) -> str:
    """Between signs, which stand right at the words."""
    words = text.strip()
    return f"{sign}{_escaped(words)}{sign}" if words else _escaped(text)


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: f"\\{found[0]}", visible(text))


def _fence(text: str, least: int) -> str:
    """More backticks than the text has in a row."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _display(rows: tuple[tuple[str, ...], ...]) -> str:
    if len(rows) == 1:
        return f"$$\n{' '.join(rows[0])}\n$$"
    lines = (f"{first} &{' '.join(rest)}" for first, *rest in rows)
    return "$$\n\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n$$"


def _table(table: Table) -> str:
    rules = ["---:" if column in table.right else "---" for column in range(len(table.heads))]
    lines = [
        _row(_line(head, in_table=True) for head in table.heads),
        _row(rules),
        *(_row(_line(cell.runs, in_table=True) for cell in row) for row in table.rows),
    ]
    text = "\n".join(lines)
    return f"{text}\n\n{_line(table.caption)}" if table.caption else text


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
