"""A document as LaTeX that compiles by itself, with the packages that come with any installation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

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
from bptt_tui.language.sanitise import visible

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage[margin=22mm]{geometry}
\usepackage{amsmath,amssymb}
\usepackage[table]{xcolor}
\usepackage{array,longtable}
\usepackage{graphicx}
\definecolor{positive}{HTML}{1F77B4}
\definecolor{negative}{HTML}{D95F02}
\setlength{\parindent}{0pt}
\setlength{\parskip}{5pt plus 2pt}
\allowdisplaybreaks
\setcounter{MaxMatrixCols}{40}
% A formula wider than the page is made smaller, not cut.
\newsavebox{\wide}
\newcommand{\fit}[1]{\sbox{\wide}{$\displaystyle #1$}%
  \ifdim\wd\wide>\linewidth\resizebox{\linewidth}{!}{\usebox{\wide}}\else\usebox{\wide}\fi}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "-": "{-}",
}
_PLAIN = {
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "\u00a0": "~",
}
_MATHS = {
    "∂": r"\partial ",
    "Σ": r"\Sigma ",
    "∑": r"\sum ",
    "∏": r"\prod ",
    "·": r"\cdot ",
    "⋅": r"\cdot ",
    "×": r"\times ",
    "−": "-",
    "±": r"\pm ",
    "≈": r"\approx ",
    "≠": r"\neq ",
    "≤": r"\leq ",
    "≥": r"\geq ",
    "→": r"\to ",
    "←": r"\leftarrow ",
    "↔": r"\leftrightarrow ",
    "∞": r"\infty ",
    "⊗": r"\otimes ",
    "⊙": r"\odot ",
    "∘": r"\circ ",
    "ᵀ": r"^{\top}",
    "⁺": "^{+}",
    "′": "'",
    "‖": r"\Vert ",
    "√": r"\surd ",
    "⋯": r"\cdots ",
    "∈": r"\in ",
    "○": r"\circ ",
    "⊠": r"\boxtimes ",
    "✓": r"\checkmark ",
    "✗": r"\times ",
    "½": r"\tfrac{1}{2}",
    "⁻": "^{-}",
    "₋": "_{-}",
    "₊": "_{+}",
    "ₜ": "_{t}",
}
_MATHS |= {sub: f"_{{{i}}}" for i, sub in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_MATHS |= {sup: f"^{{{i}}}" for i, sup in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_GREEK_NAMES = {"LAMDA": "lambda", "FINAL SIGMA": "varsigma"}
_SAME_AS_LATIN = {
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX", strict=True)),
    "ο": "o",
}
_BREAKS = ("*", "+", "=", "/", r"\textbackslash{}")  # a typed line may break before these
_LONG = 48  # characters of a cell that is broken into lines
_ON_A_PAGE = 24  # rows of a table that is not broken; a longer one needs LaTeX to run twice for its widths
_LATIN = re.compile(r"[\u00c0-\u017f]")


def latex(document: Document) -> str:
    """The whole document, ending in a newline."""
    return "\n".join(
        [
            _PREAMBLE + rf"\title{{{_escaped(document.title)}}}",
            r"\author{}\date{}",
            r"\begin{document}",
            r"\maketitle",
            "",
            *(f"{_block(block)}\n" for block in document.blocks),
            r"\end{document}",
            "",
        ]
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, runs):
            return rf"\{('section', 'subsection', 'subsubsection')[min(level, 3) - 1]}*{{{_line(runs)}}}"
        case Paragraph(runs):
            return _line(runs)
        case Items(items, first):
            marks = ("" if first is None else f"[{first + place}.]" for place in range(len(items)))
            lines = "\n".join(rf"  \item{mark} {{{_line(runs)}}}" for mark, runs in zip(marks, items, strict=True))
            return f"\\begin{{itemize}}\n{lines}\n\\end{{itemize}}"
        case Quoted(runs):
            return f"\\begin{{quote}}\n{_line(runs)}\n\\end{{quote}}"
        case Display(rows):
            return _display(rows)
        case Table():
            return _table(block)
        case Verbatim(text):
            typed = (_typed(line) or r"\mbox{}" for line in text.split("\n"))
            return r"{\ttfamily\raggedright " + "\\\\\n".join(typed) + "\\par}"


def _line(runs: Iterable[Run]) -> str:
    return "".join(map(_run, runs))


def _run(run: Run) -> str:
    match run:
        case str():
            return _escaped(run)
        case Maths(formula):
            return f"${maths(formula)}$"
        case Strong(text):
            return rf"\textbf{{{_escaped(text)}}}"
        case Emphasis(text):
            return rf"\emph{{{_escaped(text)}}}"
        case Break():
            return r"\newline "
        case Code(text):
            return rf"\texttt{{{_typed(text)}}}"


def _typed(text: str) -> str:
    """Text in a fixed width, its blanks kept and lines breakable after signs."""
    pieces = (r"\ " if character == " " else _character(character) for character in visible(text))
    return "".join(f"\\allowbreak{{}}{piece}" if piece in _BREAKS else piece for piece in pieces)


def _escaped(text: str) -> str:
    return "".join(map(_character, visible(text)))


def _character(character: str) -> str:
    """A character of text in ASCII LaTeX; one that no font is sure to have is told by its code."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isascii():
        return character
    found = _in_maths(character)
    if found is not None:
        between = r"\allowbreak{}" if character == "·" else ""
        return rf"\ensuremath{{{found}}}{between}"
    if _LATIN.match(character):
        return character
    return rf"\textsf{{U+{ord(character):04X}}}"


def _in_maths(character: str) -> str | None:
    if character in _MATHS:
        return _MATHS[character]
    if character in _SAME_AS_LATIN:
        return _SAME_AS_LATIN[character]
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z ]+)", unicodedata.name(character, ""))
    if greek is None or "WITH" in greek[2] or character not in "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ":
        return None
    name = _GREEK_NAMES.get(greek[2], greek[2].lower())
    return rf"\{name if greek[1] == 'SMALL' else name.capitalize()} "


def maths(formula: str) -> str:
    """A formula whose names may have any letters, in ASCII LaTeX."""
    if formula.isascii():
        return formula
    pieces = []
    for character in formula:
        if character.isascii():
            pieces.append(character)
        else:
            found = _in_maths(character)
            pieces.append(found if found is not None else rf"\text{{{_character(character)}}}")
    return "".join(pieces)


def _display(rows: tuple[tuple[str, ...], ...]) -> str:
    if len(rows) == 1:
        return rf"\[ \fit{{{maths(' '.join(rows[0]))}}} \]"
    lines = []
    for first, *rest in rows:
        lines.append(f"{maths(first)} &{maths(' '.join(rest))}")
    body = " \\\\\n".join(lines)
    if max(map(_extent, lines)) > 95:
        # Aligned rows cannot be made to fit one by one: each stands alone.
        return "\n".join(rf"\[ \fit{{{maths(' '.join(row))}}} \]" for row in rows)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _extent(line: str) -> int:
    """About how many characters wide a formula is printed."""
    bare = re.sub(r"\\(?:frac|mathrm|operatorname|begin|end|left|right|partial|cdot)\b|[{}_^&\\]", "", line)
    return len(bare)


def _table(table: Table) -> str:
    columns = "".join(_column(table, column) for column in range(len(table.heads)))
    head = " & ".join(rf"\textbf{{{_line(runs)}}}" if runs else "" for runs in table.heads)
    lines = [" & ".join(map(_cell, row)) + r" \\" for row in table.rows]
    size = r"\scriptsize\setlength{\tabcolsep}{2pt}" if len(table.heads) > 9 else r"\small"
    caption = f"\n\n{{\\small {_line(table.caption)}}}" if table.caption else ""
    body = "\n".join(lines)
    if len(lines) <= _ON_A_PAGE:
        return (
            f"\\begin{{center}}{size}\n\\begin{{tabular}}{{{columns}}}\n\\hline\n{head} \\\\\n\\hline\n"
            f"{body}\n\\hline\n\\end{{tabular}}\n\\end{{center}}{caption}"
        )
    return (
        f"{{{size}\n\\begin{{longtable}}{{{columns}}}\n\\hline\n{head} \\\\\n\\hline\n\\endhead\n"
        f"{body}\n\\hline\n\\end{{longtable}}}}{caption}"
    )


def _column(table: Table, column: int) -> str:
    if column in table.right:
        return "r"
    texts = ("".join(run for run in row[column].runs if isinstance(run, str)) for row in table.rows)
    return r">{\raggedright\arraybackslash}p{0.42\linewidth}" if max(map(len, texts), default=0) > _LONG else "l"


def _cell(cell: Cell) -> str:
    text = _line(cell.runs)
    if cell.dimmed:
        return rf"\textcolor{{gray}}{{{text}}}" if text else ""
    if cell.heat:
        colour = "positive" if cell.heat > 0 else "negative"
        return rf"\cellcolor{{{colour}!{round(abs(cell.heat) * 55)}}}{text}"
    return text
