"""A note's Markdown as blocks of a document: paragraphs, lists, quotes, code; its headings become strong lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from bptt_tui.export.document import (
    Block,
    Break,
    Code,
    Emphasis,
    Items,
    Paragraph,
    Quoted,
    Run,
    Runs,
    Strong,
    Verbatim,
)
from bptt_tui.language.remarks import Line, lines, spans


def blocks(note: str) -> Iterator[Block]:
    """The note as it reads on screen: a line break in it is one in the document."""
    for kind, group in groupby(lines(note), key=_together):
        found = list(group)
        if kind == "text":
            yield Paragraph(_lines(found))
        elif kind == "quote":
            yield Quoted(_lines(found))
        elif kind == "heading":
            for line in found:
                yield Paragraph((Strong(line.text),))
        elif kind == "code":
            yield Verbatim("\n".join(line.text for line in found))
        elif kind == "bullets":
            yield Items(tuple(runs(line.text) for line in found))
        elif kind == "numbers":
            yield Items(tuple(runs(line.text) for line in found), int(found[0].mark[:-1]))


def _together(line: Line) -> str:
    """What neighbouring lines are one block of."""
    if line.kind == "item":
        return "bullets" if line.mark in "-*+" else "numbers"
    return line.kind


def _lines(found: list[Line]) -> Runs:
    """Lines in one paragraph."""
    together: list[Run] = []
    for line in found:
        together += [*([Break()] if together else []), *runs(line.text)]
    return tuple(together)


def runs(text: str) -> Runs:
    """The words of a line; a link shows where it leads, and leads nowhere."""
    found: list[Run] = []
    for ink, words, address in spans(text):
        if ink == "strong":
            found.append(Strong(words))
        elif ink == "emphasis":
            found.append(Emphasis(words))
        elif ink == "code":
            found.append(Code(words))
        else:
            found.append(f"{words} ({address})" if address else words)
    return tuple(found)
