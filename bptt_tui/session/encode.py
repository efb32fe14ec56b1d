"""`Document` → bytes: JSON laid out for reading and for `git diff`.

What fits on a line stays on one; otherwise one entry per line. Equations and recorded commands always have a
line each. Every float is the shortest text that reads back as the same double. What is absent or empty is
left out, except where the debugger stands.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from bptt_tui.errors import SessionError
from bptt_tui.session.format import Document

WIDTH = 100
_ONE_PER_LINE = {"equations", "recording"}
_ALWAYS = {"format", "version", "title", "equations", "loss", "debugger"}
_ABSENT: tuple[object, ...] = (UNSET, {}, ())
_WHERE_ANY = ("chapters", "predictions", "attempts")  # of the debugger: left out where there is none
_INDENT = "  "


Written = dict[str, tuple[object, str]]


def encode(document: Document, written: Written | None = None) -> bytes:
    """The file's bytes, UTF-8 with a final newline.

    Who writes nearly the same again and again gives the same dict as `written` each time: values that are the very
    same objects as the last time are then not put in words again.

    The numbers have passed `values.plain`: msgspec would write a NaN as `null` without a word. Raises
    SessionError where a text has a lone surrogate, which UTF-8 cannot hold.
    """
    lines = []
    for name in document.__struct_fields__:
        value = getattr(document, name)
        if name in _ALWAYS or value not in _ABSENT:
            if written is not None and name in written and _same(value, written[name][0]):
                lines.append(f'{_INDENT}"{name}": {written[name][1]}')
                continue
            try:
                text = _text(_plain(name, value), _INDENT, len(name) + 6, name in _ONE_PER_LINE)
            except UnicodeEncodeError:
                raise SessionError(
                    "a lone surrogate (half a character) cannot be saved",
                    hint="remove it from the text",
                    places=(name,),
                ) from None
            except TypeError as error:
                raise SessionError(f"not what a file can hold ({error})", places=(name,)) from None
            lines.append(f'{_INDENT}"{name}": {text}')
            if written is not None:
                written[name] = (value, text)
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8")


def _same(value: object, before: object) -> bool:
    """Whether it is the same object, or a dict of the same objects under the same names in the same order."""
    if not isinstance(value, dict) or not isinstance(before, dict):
        return value is before
    return list(value) == list(before) and all(value[name] is before[name] for name in value)


def _plain(name: str, value: object) -> object:
    """A field's value as dicts and lists, without what the debugger has none of."""
    plain = msgspec.to_builtins(value)
    if name == "debugger":
        return {field: entry for field, entry in plain.items() if entry or field not in _WHERE_ANY}
    return plain


def _text(value: object, indent: str, taken: int, break_up: bool = False) -> str:
    """`value` as JSON, on one line where `taken` cells before it leave enough room, or where it is flat."""
    line = msgspec.json.format(msgspec.json.encode(value), indent=0).decode("utf-8")
    if taken + len(line) <= WIDTH and not (break_up and value):
        return line
    inner = indent + _INDENT
    if isinstance(value, dict) and value:
        entries = [(f"{_text(key, inner, 0)}: ", entry) for key, entry in value.items()]
        brackets = "{}"
    elif isinstance(value, list | tuple) and (break_up or any(isinstance(entry, list) for entry in value)):
        entries = [("", entry) for entry in value]
        brackets = "[]"
    else:
        return line
    texts = [inner + head + _text(entry, inner, len(inner + head)) for head, entry in entries]
    return brackets[0] + "\n" + ",\n".join(texts) + f"\n{indent}" + brackets[1]
