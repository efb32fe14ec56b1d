"""What a Python caller makes a session of, checked field by field: a file has been checked when it was read.

Everything here raises SessionError with the field, what was given and what is expected.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import msgspec

from bptt_tui.errors import SessionError
from bptt_tui.language.sanitise import brief, called
from bptt_tui.session.format import (
    Attempt,
    Chapter,
    DebuggerState,
    Expected,
    Found,
    Loss,
    Note,
    Prediction,
    Recorded,
)

_ENTRIES: dict[str, type[msgspec.Struct] | type[str]] = {
    "breakpoints": str,
    "watches": str,
    "notes": Note,
    "chapters": Chapter,
    "predictions": Prediction,
    "attempts": Attempt,
    "recording": Recorded,
}
# The types of the fields of the structs that a debugger reads without going through a file.
_PARTS: dict[str, type] = {
    "position": int, "text": str, "title": str, "question": str, "answer": str, "outcome": str, "formula": str,
    "command": str,
}  # fmt: skip


def path(name_or_path: Any) -> str:
    """A path as text."""
    try:
        return os.fsdecode(name_or_path)
    except TypeError:
        raise SessionError(
            f"{brief(name_or_path)} is no path", hint="give one as text, or a bundled session's name"
        ) from None


def refuse(value: object, place: str, expected: str) -> NoReturn:
    """The field is of another type."""
    raise SessionError(f"expected {expected}, got {brief(value)}", places=(place,))


def mapping(values: Any, place: str) -> Mapping[str, Any]:
    """Values by name."""
    if not isinstance(values, Mapping):
        refuse(values, place, "values by name")
    for name in values:
        if not isinstance(name, str):
            raise SessionError(f"{brief(name)} is no name", hint="give it as text, in quotes", places=(place,))
    return values


def entries(values: Any, place: str) -> tuple[Any, ...]:
    """A list of notes, of recorded commands, of texts, as the field `place` holds them."""
    kind = _ENTRIES[place]
    expected = "a text" if kind is str else f"a {kind.__name__}"
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        refuse(values, place, f"a list, {expected} each")
    found = tuple(values)
    for index, entry in enumerate(found):
        if not isinstance(entry, kind):
            refuse(entry, f"{place}[{index}]", expected)
        if isinstance(entry, msgspec.Struct):
            _parts(entry, f"{place}[{index}]")
    return found


def _parts(entry: msgspec.Struct, place: str) -> None:
    for name in entry.__struct_fields__:
        part = _PARTS.get(name)
        value = getattr(entry, name)
        if part is not None and (not isinstance(value, part) or isinstance(value, bool)):
            refuse(value, f"{place}.{name}", "a text" if part is str else "a whole number")


def count(value: Any, place: str) -> int:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        refuse(value, place, "a whole number from 0 on")
    return value


def state(given: Any) -> DebuggerState:
    """Where the debugger stands."""
    if not isinstance(given, DebuggerState):
        refuse(given, "debugger", "a DebuggerState")
    count(given.position, "debugger.position")
    count(given.factor, "debugger.factor")
    for name in [field for field in DebuggerState.__struct_fields__ if field in _ENTRIES]:
        try:
            entries(getattr(given, name), name)
        except SessionError as error:
            raise error.at("debugger") from None
    return given


def fields(session: Any) -> None:
    """The types of a session's fields, but for the numbers, which are looked at one by one."""
    if isinstance(session.equations, str | bytes | Mapping) or not isinstance(session.equations, Iterable):
        refuse(session.equations, "equations", "a list of texts")
    for name, kind, expected in (
        ("title", str, "a text"),
        ("name", str, "a text"),
        ("loss", Loss, "a Loss"),
        ("expected", Expected | None, "an Expected, or None"),
        ("recorded_from", Found | None, "a Found, or None"),
        ("steps", int | None, "a number of timesteps, or None"),
    ):
        value = getattr(session, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            refuse(value, name, expected)
    state(session.debugger)


def equations(given: Iterable[Any]) -> tuple[str, ...]:
    """The texts of the equations."""
    found = tuple(given)
    for index, text in enumerate(found):
        if not isinstance(text, str):
            refuse(text, f"equations[{index}]", "an equation as text")
    return found


def known_fields(changes: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Every field that is to be changed is one."""
    known = list(fields)
    for name in changes:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"the fields are {', '.join(known)}"
            raise SessionError(f"a session has no field {called(name)}", hint=hint)
