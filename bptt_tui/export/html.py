"""A document as one HTML file: no script, nothing fetched from anywhere, readable on a phone, light or dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from bptt_tui.export.document import (
    Block,
    Break,
    Cell,
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
from bptt_tui.export.mathml import inner, mathml
from bptt_tui.language.sanitise import visible

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --faint: #667085; --rule: #d5dae3; --paper: #fff; --box: #f5f7fa;
        --positive: 31, 119, 180; --negative: 217, 95, 2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8f1; --faint: #98a2b3; --rule: #39424f; --paper: #12161d; --box: #1b212b; }
}
body { margin: 0 auto; padding: 1rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
       font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.2em; border-bottom: 1px solid var(--rule); padding-bottom: .2em; }
h3 { font-size: 1.05rem; margin-top: 1.8em; }
h4 { font-size: 1rem; margin-top: 1.4em; }
.scroll { overflow: auto hidden; margin: .8em 0; padding: .15em 0 .4em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; border-bottom: 1px solid var(--rule); text-align: left; white-space: nowrap; }
th { font-weight: 600; }
.right { text-align: right; }
.dim { color: var(--faint); text-decoration: line-through; }
blockquote { margin: .8em 0; padding: 0 1em; border-left: 3px solid var(--rule); color: var(--faint); }
.caption { color: var(--faint); font-size: .9rem; }
mtable.lines > mtr > mtd { text-align: left; padding: .28em .1em; }
mtable.lines > mtr > mtd:first-child { text-align: right; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; background: var(--box); border-radius: .3em; }
code { padding: .1em .3em; overflow-wrap: anywhere; }
pre { padding: .7em 1em; overflow-x: auto; }
"""


def html(document: Document) -> str:
    """The whole page."""
    title = escape(visible(document.title))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(map(_block, document.blocks))
        + "\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, runs):
            return f"<h{level + 1}>{_line(runs)}</h{level + 1}>"
        case Paragraph(runs):
            return f"<p>{_line(runs)}</p>"
        case Items(items, first):
            listed = "".join(f"<li>{_line(runs)}</li>" for runs in items)
            return f"<ul>{listed}</ul>" if first is None else f'<ol start="{first}">{listed}</ol>'
        case Quoted(runs):
            return f"<blockquote><p>{_line(runs)}</p></blockquote>"
        case Display(rows):
            return f'<div class="scroll">{_display(rows)}</div>'
        case Table():
            return _table(block)
        case Verbatim(text):
            return f'<pre tabindex="0">{escape(visible(text, newlines=True))}</pre>'


def _line(runs: Iterable[Run]) -> str:
    return "".join(map(_run, runs))


def _run(run: Run) -> str:
    match run:
        case str():
            return escape(visible(run))
        case Maths(latex):
            return mathml(latex)
        case Strong(text):
            return f"<strong>{escape(visible(text))}</strong>"
        case Emphasis(text):
            return f"<em>{escape(visible(text))}</em>"
        case Code(text):
            return f"<code>{escape(visible(text))}</code>"
        case Break():
            return "<br>"


def _display(rows: tuple[tuple[str, ...], ...]) -> str:
    lines = "".join(f"<mtr>{''.join(f'<mtd>{inner(piece)}</mtd>' for piece in row)}</mtr>" for row in rows)
    return f'<math display="block"><mtable class="lines" displaystyle="true">{lines}</mtable></math>'


def _table(table: Table) -> str:
    heads = "".join(
        f'<th scope="col"{_right(table, column)}>{_line(runs)}</th>' for column, runs in enumerate(table.heads)
    )
    rows = "".join(
        f"<tr>{''.join(_cell(cell, _right(table, column)) for column, cell in enumerate(row))}</tr>\n"
        for row in table.rows
    )
    caption = f'<p class="caption">{_line(table.caption)}</p>' if table.caption else ""
    body = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>"
    return f'<div class="scroll"><table>\n{body}\n</table></div>{caption}'


def _right(table: Table, column: int) -> str:
    return ' class="right"' if column in table.right else ""


def _cell(cell: Cell, right: str) -> str:
    text = _line(cell.runs)
    if cell.dimmed:
        text = f'<span class="dim">{text}</span>' if text else ""
    elif cell.heat:
        ink = "positive" if cell.heat > 0 else "negative"
        return f'<td{right} style="background: rgba(var(--{ink}), {abs(cell.heat) * 0.55:.2f})">{text}</td>'
    return f"<td{right}>{text}</td>"
