"""How keys are printed: what Textual calls `left_square_bracket` or `ctrl+s` is `[` and `^s` on every screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bptt_tui.tui.bindings import BINDING_TABLE, KeyRow

if TYPE_CHECKING:
    from textual.app import App

_PRINTED = {
    "right": "→", "left": "←", "up": "↑", "down": "↓", "escape": "esc", "space": "space", "slash": "/",
    "backslash": "\\", "minus": "-", "plus": "+", "at": "@", "underscore": "_", "less_than_sign": "<",
    "greater_than_sign": ">",
}  # fmt: skip


def printed(key: str) -> str:
    """One key: `question_mark` → ?, `ctrl+s` → ^s, `shift+tab` → ⇧tab; `n` and `pageup` as they are."""
    key = key.strip()
    for modifier, sign in (("ctrl+", "^"), ("shift+", "⇧")):
        if key.startswith(modifier) and len(key) > len(modifier):
            return sign + printed(key.removeprefix(modifier))
    if key in _PRINTED or len(key) == 1:
        return _PRINTED.get(key, key)
    try:
        character = unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return key
    return character if character.isprintable() and not character.isspace() else key


def keys_of(row: KeyRow, keymap: Mapping[str, str]) -> list[str]:
    """The keys that a row has now, printed: those a keymap gives its id, or its own."""
    if row.id in keymap:
        return list(dict.fromkeys(printed(key) for key in keymap[row.id].split(",")))
    return list(dict.fromkeys([row.shown, *(printed(key) for key in row.keys.split(","))]))


def keymap_of(app: App[Any]) -> Mapping[str, str]:
    """The keys that the user has given to rows of the binding table, by id."""
    keymap: Mapping[str, str] = getattr(app, "_keymap", {})  # Textual has `set_keymap`, and nothing to read it with
    return keymap


def key_of(id: str, app: App[Any]) -> str:
    """The first key that a row of the binding table has now: ^s of `session.save`, or the user's own."""
    row = next(row for row in BINDING_TABLE if row.id == id)
    return keys_of(row, keymap_of(app))[0]
