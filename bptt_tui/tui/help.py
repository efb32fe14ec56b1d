"""The help: every key of the binding table and every command of the debugger, as one text in two columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from textual.content import Content

from bptt_tui.language.sanitise import visible
from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.ink import width_of, wrapped
from bptt_tui.tui.keynames import keys_of

_AROUND = 10  # cells of a dialog beside its text
_DIM = "$foreground 75%"
_READING = (
    ("▲ ▼ ◆", "the gradient's sign: positive, negative, entries of both"),
    ("▲ ▴ ▵", "its size: at least 1, at least 0.01, smaller"),
    ("·", "not yet computed; – is what does not exist"),
    ("● ≡", "a breakpoint is set on this node; its value is pinned"),
    ("─▶", "a value flows into the next timestep"),
    ("◀━", "a gradient came back along this edge"),
    ("~ ! ↓", "saturated; overflow or NaN; underflow"),
    ("⣶ ⣤ ⣀", "entries of a vector: ≥ ⅓, ≥ ⅒ of the largest, less; ⠿ ⠛ ⠉ negative"),
    ("█+ ▓- ▒ ░", "entries of a matrix: ≥ ⅓, ≥ ⅒, ≥ 1/100 of the largest, less, and the sign"),
    ("▇ bright", "a bar of many timesteps: up to its smallest norm, and dim up to its largest"),
)
_LOOKING = (
    ("↑ ↓ j k", "a line up or down; pageup and pagedown more"),
    ("⇧← ⇧→", "a timestep left or right; ctrl+← and ctrl+→ a screen"),
    ("⇧home ⇧end", "the first and the last timestep"),
)


class Described(Protocol):
    """A command of the debugger, as its table describes it."""

    @property
    def usage(self) -> str: ...

    @property
    def summary(self) -> str: ...


def help_text(
    commands: Mapping[str, Described], width: int = 120, keymap: Mapping[str, str] = MappingProxyType({})
) -> Content:
    """Keys as `keymap` has them, commands, and how to read the screen."""
    keys = [(" ".join(keys_of(row, keymap)), row.tooltip) for row in BINDING_TABLE]
    given = [(command.usage, command.summary) for command in commands.values()]
    sections = (
        ("Keys", keys),
        ("Looking around in a pane; the position stays", list(_LOOKING)),
        ("Commands, after :", given),
        ("Reading the screen", list(_READING)),
    )
    return in_sections(sections, width)


def in_sections(sections: Sequence[tuple[str, Sequence[tuple[str, str]]]], width: int) -> Content:
    """Headings with rows of two texts below them, in a dialog on a screen of this width.

    On a narrow one each text stands below what it is about, or goes on below itself.
    """
    narrow = width < 70
    parts: list[Content] = []
    for heading, rows in sections:
        column = max(width_of(left) for left, _ in rows) + 2
        parts.append(Content.assemble((heading, "bold $accent")))
        for left, right in rows:
            if narrow and column > 14:
                lines = [((left, "bold"),), *wrapped((("    ", ""), (right, _DIM)), width - _AROUND, indent=4)]
            else:
                gap = " " * (column - width_of(left))
                lines = wrapped(((left, "bold"), (gap, ""), (right, _DIM)), width - _AROUND, indent=column)
            parts += [Content.assemble(*((visible(text), style) for text, style in line)) for line in lines]
        parts.append(Content(""))
    return Content("\n").join(parts[:-1])
