"""Notes as they are meant: the part of Markdown that lessons use, read into lines and spans.

    # heading · **strong** · *emphasis* · `code` · ```fences``` · - lists · 1. lists · > quotes · --- · [text](address)

The screen draws them with its own pen, a document with its own blocks. Nothing is interpreted further, and every text
here is still as it was typed: whoever shows it makes it visible first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["text", "blank", "heading", "item", "rule", "quote", "code"]
Ink = Literal["text", "strong", "emphasis", "code", "link"]

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$")
_RULE = re.compile(r"\s*([-*_])(?:\s*\1){2,}\s*$")
_INLINE = re.compile(
    r"(?P<code>`+)(?P<coded>.+?)(?P=code)(?!`)"
    r"|(?<![\w*])\*\*(?=\S)(?P<strong>.+?)(?<=\S)\*\*(?![\w*])"
    r"|(?<!\w)__(?=\S)(?P<strong2>.+?)(?<=\S)__(?!\w)"
    r"|(?<![\w*])\*(?=[^\s*])(?P<emphasis>[^*]+?)(?<=[^\s*])\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])(?P<emphasis2>[^_]+?)(?<=[^\s_])_(?!\w)"
    r"|\[(?P<text>[^\]\n]+)\]\((?P<address>[^)\s]+)\)"
)


class Line(NamedTuple):
    """A line of a note; `mark` is an item's bullet or number, `depth` how many blanks it is indented."""

    kind: Kind
    text: str = ""
    mark: str = ""
    depth: int = 0


class Span(NamedTuple):
    """Words of one kind within a line; a link has its address."""

    ink: Ink
    text: str
    address: str = ""


def lines(note: str) -> Iterator[Line]:
    """The lines of a note: a line break in the source is one in what is shown."""
    fence = ""
    for source in note.split("\n"):
        opening = re.match(r"\s*(`{3,}|~{3,})", source)
        if fence:
            if opening and opening[1].startswith(fence) and source.strip() == opening[1]:
                fence = ""
            else:
                yield Line("code", source)
        elif opening and "`" not in source.strip().lstrip("`"):
            fence = opening[1]
        else:
            yield _line(source)


def _line(source: str) -> Line:
    if not source.strip():
        return Line("blank")
    if heading := _HEADING.match(source):
        return Line("heading", heading[2])
    if _RULE.match(source):
        return Line("rule")
    if item := _ITEM.match(source):
        return Line("item", item[3], item[2], len(item[1].expandtabs(4)))
    if source.lstrip().startswith(">"):
        return Line("quote", source.lstrip().removeprefix(">").removeprefix(" "))
    return Line("text", source.rstrip())


def spans(text: str) -> Iterator[Span]:
    """Strong, emphasis, code and links within a line; `*` and `_` between letters or blanks are maths."""
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            yield Span("text", text[end : match.start()])
        end = match.end()
        if match["coded"] is not None:
            yield Span("code", match["coded"].strip(" ") or match["coded"])
        elif match["text"] is not None:
            yield Span("link", match["text"], match["address"])
        elif (strong := match["strong"] or match["strong2"]) is not None:
            for span in spans(strong):
                yield Span("strong", span.text) if span.ink == "text" else span
        else:
            yield Span("emphasis", match["emphasis"] or match["emphasis2"])
    if end < len(text):
        yield Span("text", text[end:])
