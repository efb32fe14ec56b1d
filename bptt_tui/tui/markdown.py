"""Notes as lines: the part of Markdown that lessons use, drawn by our own pen.

    # heading · **strong** · *emphasis* · `code` · ```fences``` · - lists · 1. lists · > quotes · --- · [text](address)

Nothing in a note can act: a link shows its address as text, and every run is made visible on its way to the terminal.
A line break in the source is a line break on screen.
"""

from __future__ import annotations

import re

from bptt_tui.tui.ink import Line, Run, wrapped

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
_INDENT = 2


def rendered(text: str, width: int) -> list[Line]:
    """The note in lines of at most `width` cells."""
    lines: list[Line] = []
    fence = ""
    for source in text.split("\n"):
        opening = re.match(r"\s*(`{3,}|~{3,})", source)
        if fence:
            if opening and opening[1].startswith(fence) and source.strip() == opening[1]:
                fence = ""
            else:
                lines += _cut(source, width)
        elif opening and "`" not in source.strip().lstrip("`"):
            fence = opening[1]
        else:
            lines += _line(source, width)
    return lines


def _cut(source: str, width: int) -> list[Line]:
    """A line of code, its blanks kept."""
    return wrapped((("  ", "plain"), (source.expandtabs(4), "symbol")), width, indent=_INDENT)


def _line(source: str, width: int) -> list[Line]:
    if not source.strip():
        return [()]
    if heading := _HEADING.match(source):
        return wrapped(inline(heading[2], "title"), width)
    if _RULE.match(source):
        return [(("─" * width, "faint"),)]
    if item := _ITEM.match(source):
        depth = min(len(item[1].expandtabs(4)), width // 3)
        mark = "•" if item[2] in "-*+" else item[2]
        head: tuple[Run, ...] = ((" " * depth, "plain"), (f"{mark} ", "accent"))
        return wrapped((*head, *inline(item[3])), width, indent=depth + len(mark) + 1)
    if source.lstrip().startswith(">"):
        quoted = source.lstrip().removeprefix(">").removeprefix(" ")
        return wrapped((("│ ", "accent"), *inline(quoted, "dim")), width, indent=_INDENT)
    return wrapped(inline(source.rstrip()), width)


def inline(text: str, ink: str = "plain") -> Line:
    """Strong, emphasis, code and links within a line; `*` and `_` between letters or blanks are maths."""
    runs: list[Run] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            runs.append((text[end : match.start()], ink))
        end = match.end()
        if match["coded"] is not None:
            runs.append((match["coded"].strip(" ") or match["coded"], "symbol"))
        elif match["text"] is not None:
            runs += [(match["text"], "name"), (f" ({match['address']})", "dim")]
        elif (strong := match["strong"] or match["strong2"]) is not None:
            runs += [(part, "strong" if kind in ("plain", "dim") else kind) for part, kind in inline(strong, ink)]
        else:
            runs.append((match["emphasis"] or match["emphasis2"], "name"))
    if end < len(text):
        runs.append((text[end:], ink))
    return tuple(runs)
