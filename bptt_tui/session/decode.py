"""Bytes → `Document`: strict, and with the place in every error.

Whatever the bytes are, the outcome is a `Document` or one SessionError that names the field
(`parameters.w[1]`) or the line and column, and says what would be right. The steps: UTF-8, nesting and names
given twice (`structure`), the kind of file and its version, older versions upgraded, then types and fields.
The numbers themselves are looked at by `values` when a `Session` is made.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

import msgspec
from msgspec import Raw

from bptt_tui.errors import SessionError
from bptt_tui.session import structure
from bptt_tui.session.format import (
    FORMAT,
    VERSION,
    Attempt,
    Chapter,
    DebuggerState,
    Document,
    Expected,
    Found,
    Loss,
    Note,
    Prediction,
    Recorded,
    Value,
)

_DOCUMENT = msgspec.json.Decoder(Document)
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_VALUE = msgspec.json.Decoder(Value)

# Which Struct a path leads to, list indices left out: what its fields are called.
_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "": Document,
    "loss": Loss,
    "debugger": DebuggerState,
    "debugger.notes": Note,
    "debugger.chapters": Chapter,
    "debugger.predictions": Prediction,
    "debugger.attempts": Attempt,
    "recording": Recorded,
    "expected": Expected,
    "recorded_from": Found,
}
_CHOICES = {
    "format": f'"{FORMAT}"',
    "loss.at": '"last", "every" or a list of timesteps such as [0, 2]',
    "loss.reduction": '"sum" or "mean"',
}
_TYPES = {
    "int": "an integer",
    "float": "a number",
    "str": "a text in quotes",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object in braces",
}
_NOT_JSON = re.compile(r"-?(?:NaN|Infinity|nan|inf)\b")
# Encodings that are not UTF-8 and say so in their first bytes; longer marks first.
_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\xef\xbb\xbf", "UTF-8 with a byte-order mark"),
)


def decode(data: bytes) -> Document:
    """The session written in `data`. Raises SessionError, without the file's name, which the caller knows."""
    text = _text(data)
    structure.check_structure(text)
    fields = _top_fields(data, text)
    version = _version(fields)
    if version < VERSION:
        from bptt_tui.session.upgrade import upgrade

        data = msgspec.json.encode(upgrade(msgspec.json.decode(data), version))
        fields = _FIELDS.decode(data)
    try:
        return _DOCUMENT.decode(data)
    except msgspec.ValidationError as error:
        raise _invalid(error, fields) from None


def _text(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            raise SessionError(f"the text is {encoding}", hint="save it as plain UTF-8", places=("line 1, column 1",))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise SessionError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            hint="save the file as plain UTF-8",
            places=(structure.line_and_column(before, len(before)),),
        ) from None
    if not text.strip():
        raise SessionError("the file is empty", hint='a session is a JSON object: {"format": "bptt-session", …}')
    return text


def _top_fields(data: bytes, text: str) -> dict[str, Raw]:
    """The top-level fields, undecoded. All the syntax of the file is checked here."""
    try:
        return _FIELDS.decode(data)
    except msgspec.ValidationError as error:
        got = _nouns(str(error)).partition("got ")[2].partition(" - at")[0]
        raise SessionError(
            f"not a session: expected a JSON object, got {got or 'something else'}",
            hint=f'a session begins with {{"format": "{FORMAT}", "version": {VERSION}',
        ) from None
    except msgspec.DecodeError as error:
        raise _malformed(str(error), data, text) from None


def _malformed(message: str, data: bytes, text: str) -> SessionError:
    """A syntax error, at its line and column and, where there is one, its field."""
    reason = message.removeprefix("JSON is malformed: ")
    byte = re.search(r" \(byte (\d+)\)$", reason)
    if byte is None:
        offset = len(text.rstrip())
        place = structure.line_and_column(text, offset)
        return SessionError("the file ends in the middle of a value", hint="is it complete?", places=(place,))
    offset = len(data[: int(byte[1])].decode("utf-8", "ignore"))
    path = structure.path_at(text, offset)
    places = (path, structure.line_and_column(text, offset)) if path else (structure.line_and_column(text, offset),)
    sign = 1 if text[offset - 1 : offset] == "-" else 0
    word = _NOT_JSON.match(text, offset - sign)
    if word:
        return SessionError(f"{word[0]} is not a number in JSON", hint="every number is finite", places=places)
    return SessionError(f"not JSON: {reason[: byte.start()]}", places=places)


def _version(fields: dict[str, Raw]) -> int:
    """The file's version, which this program reads."""
    kind = _loose(fields.get("format"))
    if kind != FORMAT:
        found = "is missing" if "format" not in fields else f"is {_shown(kind)}"
        raise SessionError(
            f"not a session: the field `format` {found}", hint=f'expected "{FORMAT}"', places=("format",)
        )
    version = _loose(fields.get("version"))
    if "version" not in fields:
        raise SessionError("this field is missing", hint=f"the present version is {VERSION}", places=("version",))
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SessionError(
            f"expected a version number, got {_shown(version)}",
            hint=f"the present version is {VERSION}",
            places=("version",),
        )
    if version > VERSION:
        raise SessionError(
            f"the file is version {_shown(version)} and this program reads up to version {VERSION}",
            hint="a newer bptt-tui can open it",
            places=("version",),
        )
    return version


def _loose(raw: Raw | None) -> Any:
    try:
        return None if raw is None else msgspec.json.decode(raw)
    except msgspec.DecodeError:  # a number out of range
        return bytes(raw or b"").decode("utf-8", "replace")


def _shown(value: object, limit: int = 40) -> str:
    text = msgspec.json.encode(value).decode("utf-8")
    return text if len(text) <= limit else f"{text[:limit]}…"


def _invalid(error: msgspec.ValidationError, fields: dict[str, Raw]) -> SessionError:
    """A field of the wrong type, missing or unknown, with its path and what it should be."""
    message, path = _split(str(error))
    if "[...]" in path:
        message, path = _named(path, fields) or (message, path)
    places = (path,) if path else ()
    struct = _STRUCTS.get(re.sub(r"\[\d+\]", "", path))
    if struct and (unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL)):
        known = list(struct.__struct_fields__)
        close = difflib.get_close_matches(unknown[1], known, 1)
        hint = f"did you mean `{close[0]}`?" if close else "known are " + ", ".join(known)
        return SessionError(f"unknown field `{unknown[1]}`", hint=hint, places=places)
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", message):
        return SessionError(f"the field `{missing[1]}` is missing", places=places)
    if message.startswith("Invalid enum value"):
        reason = message.replace("Invalid enum value", "expected one of the known words, got")
        return SessionError(reason, hint=_CHOICES.get(path, ""), places=places)
    if "out of range" in message:
        return SessionError("this number is too large", hint="the largest double is about 1.8e308", places=places)
    return SessionError(_nouns(message), hint=_CHOICES.get(path, ""), places=places)


def _split(message: str) -> tuple[str, str]:
    """msgspec's "reason - at `$.loss.at[1]`" as (reason, `loss.at[1]`)."""
    reason, _, path = message.rpartition(" - at `$")
    return (reason, path.removesuffix("`").removeprefix(".")) if reason else (message, "")


def _named(path: str, fields: dict[str, Raw]) -> tuple[str, str] | None:
    """msgspec writes `[...]` for a key of named values; find which one it is, and its own reason and path."""
    prefix = path.partition("[...]")[0]
    values = fields
    for name in prefix.split("."):
        values = _FIELDS.decode(values[name])
    for name, raw in values.items():
        try:
            _VALUE.decode(raw)
        except msgspec.ValidationError as error:
            reason, inner = _split(str(error))
            return reason, structure.join(prefix, name) + inner
    return None


def _nouns(message: str) -> str:
    """msgspec's "Expected `int | float | array`, got `bool`" in words."""

    def words(types: re.Match[str]) -> str:
        names = ["float" if name == "int" and "float" in types[1] else name for name in types[1].split(" | ")]
        return " or ".join(dict.fromkeys(_TYPES.get(name, name) for name in names))

    return re.sub(r"`([^`]*)`", words, message[:1].lower() + message[1:])
