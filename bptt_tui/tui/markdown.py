"""Notes as lines on screen, drawn by our own pen.

Nothing in a note can act: a link shows its address as text, and every run is made visible on its way to the terminal.
"""

from __future__ import annotations

from bptt_tui.language.remarks import lines, spans
from bptt_tui.tui.ink import Line, Run, wrapped

_INDENT = 2


def rendered(text: str, width: int) -> list[Line]:
    """The note in lines of at most `width` cells."""
    drawn: list[Line] = []
    for kind, words, mark, depth in lines(text):
        if kind == "blank":
            drawn.append(())
        elif kind == "code":  # its blanks kept
            drawn += wrapped((("  ", "plain"), (words.expandtabs(4), "symbol")), width, indent=_INDENT)
        elif kind == "heading":
            drawn += wrapped(inline(words, "title"), width)
        elif kind == "rule":
            drawn.append((("─" * width, "faint"),))
        elif kind == "item":
            drawn += _item(words, mark, min(depth, width // 3), width)
        elif kind == "quote":
            drawn += wrapped((("│ ", "accent"), *inline(words, "dim")), width, indent=_INDENT)
        else:
            drawn += wrapped(inline(words), width)
    return drawn


def _item(words: str, mark: str, depth: int, width: int) -> list[Line]:
    mark = "•" if mark in "-*+" else mark
    head: tuple[Run, ...] = ((" " * depth, "plain"), (f"{mark} ", "accent"))
    return wrapped((*head, *inline(words)), width, indent=depth + len(mark) + 1)


def inline(text: str, ink: str = "plain") -> Line:
    """Strong, emphasis, code and links within a line."""
    strong = "strong" if ink in ("plain", "dim") else ink
    inks = {"text": ink, "strong": strong, "emphasis": "name", "code": "symbol", "link": "name"}
    runs: list[Run] = []
    for span in spans(text):
        runs.append((span.text, inks[span.ink]))
        if span.address:
            runs.append((f" ({span.address})", "dim"))
    return tuple(runs)
