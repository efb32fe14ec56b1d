"""A document between the derivation and its formats: headings, text, displayed maths, tables.

Maths is LaTeX throughout, of the kind the project's printers write; Markdown keeps it, LaTeX keeps it, HTML turns it
into MathML. Text is plain text: each format escapes what would be markup in it.

    Document("The question", [Heading(1, "Forward"), Display([["a_0", "= u \\cdot x_0", "= 0.4"]])])
"""

from __future__ import annotations

from msgspec import Struct


class Maths(Struct, frozen=True):
    """A formula inside text or a cell, in LaTeX."""

    latex: str


class Code(Struct, frozen=True):
    """Text as it was typed: a formula someone pasted, a command."""

    text: str


class Strong(Struct, frozen=True):
    """Words that stand out."""

    text: str


class Emphasis(Struct, frozen=True):
    """Words that are leant on."""

    text: str


class Break(Struct, frozen=True):
    """The end of a line within a paragraph."""


Run = str | Maths | Code | Strong | Emphasis | Break
Runs = tuple[Run, ...]


class Heading(Struct, frozen=True):
    """A section's title; level 1 is the largest below the document's own."""

    level: int
    runs: Runs


class Paragraph(Struct, frozen=True):
    """Running text."""

    runs: Runs


class Items(Struct, frozen=True):
    """A list, one item a line; numbered from `first` on where that is given."""

    items: tuple[Runs, ...]
    first: int | None = None


class Display(Struct, frozen=True):
    """Displayed maths: rows of pieces in LaTeX. All rows are aligned after their first piece."""

    rows: tuple[tuple[str, ...], ...]


class Cell(Struct, frozen=True):
    """A table's cell. `heat` from -1 to 1 is how strongly it is coloured, by sign; None is not coloured.

    `dimmed` cells stand outside a mask.
    """

    runs: Runs
    heat: float | None = None
    dimmed: bool = False


class Table(Struct, frozen=True):
    """Rows under heads. Columns of numbers are aligned right: `right` has their indices."""

    heads: tuple[Runs, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: Runs = ()
    right: frozenset[int] = frozenset()


class Verbatim(Struct, frozen=True):
    """Lines as they are, in a fixed width."""

    text: str


class Quoted(Struct, frozen=True):
    """A paragraph that is set apart."""

    runs: Runs


Block = Heading | Paragraph | Items | Display | Table | Verbatim | Quoted


class Document(Struct, frozen=True):
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


def cell(*runs: Run, heat: float | None = None, dimmed: bool = False) -> Cell:
    """A cell of these runs."""
    return Cell(runs, heat, dimmed)


def render(document: Document, form: str) -> str:
    """The document's text as "markdown", "latex" or "html"."""
    # Each format is a module of its own, loaded when asked for.
    if form == "markdown":
        from bptt_tui.export.markdown import markdown

        return markdown(document)
    if form == "latex":
        from bptt_tui.export.latex import latex

        return latex(document)
    from bptt_tui.export.html import html

    return html(document)
