"""`set w 0.9`, `set W[1,2] = 0.3`, `set x[1] = -0.5`, `set s[-1] = 0.1`, `set s[0] = 0.1`: another value, the rest
computed anew.

A value is an expression as `print` takes it, or a list of them. An index counts entries of what is given once; of
what has a value per timestep it begins with the timestep. A node set at a timestep is pinned: it holds its value,
and its own equation is cut.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bptt_tui.calculus.shapes import Shape, size, spell
from bptt_tui.debugger.command import Command, MisuseError, first_word
from bptt_tui.debugger.edits import edit
from bptt_tui.debugger.equations import EQUATION
from bptt_tui.debugger.looking import Look
from bptt_tui.debugger.places import absent, timestep, unknown
from bptt_tui.debugger.references import read_index, read_reference
from bptt_tui.errors import CommandError, SessionError
from bptt_tui.language.labels import entry_of
from bptt_tui.session import Session
from bptt_tui.session.values import plain, shape_of

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_TARGET = re.compile(r"([^\W\d]\w*?)([₋₊₀-₉ₜ]+|_\{[^{}]*\})?(?![\w₋{])(?:\[([^\][]*)\]|\s+\[([^\][]*)\](?=\s*=))?")
_ENTRY = re.compile(r"\s*\d{1,18}\s*")
_EXAMPLES = "set w 0.9, set v[0] = 1.5, set x[1] = -0.5, set s[-1] = 0.1, set s[0] = 0.1"


class Place(Struct, frozen=True):
    """A value of a session, or an entry of it: `field` is the session's, `path` leads into its nested lists.

    `present` is the whole value that `path` leads into, `shape` that of what the path leads to.
    """

    field: str
    key: str
    path: tuple[int, ...]
    present: Any
    shape: Shape
    shown: str


def place_of(look: Look, session: Session, text: str) -> tuple[Place, str]:
    """What a line's beginning names, and the rest of the line."""
    match = _TARGET.match(text)
    if match is None:
        raise MisuseError(f"{text!r} begins with no name" if text else "set what?")
    name, lowered, bracketed = match[1], match[2], match[3] if match[3] is not None else match[4]
    names = look.scene.unrolled.shapes
    if lowered is not None and name + lowered in names:
        name, lowered = name + lowered, None
    found = read_reference(names, name + (lowered or ""))
    assert found is not None
    name, t = found.below.name, timestep(look, found.below.at)
    if name not in names:
        raise unknown(look.scene, name)
    parts = [] if bracketed is None else bracketed.split(",")
    if t is not None:
        parts = [str(t), *parts]
    kind = look.scene.unrolled.values.kind(name)
    if kind == "input":
        place = _input(look, session, name, parts)
    elif kind == "node":
        place = _node(look, session, name, parts)
    else:
        group = getattr(session, f"{kind}s")
        place = _within(f"{kind}s", name, (), group[name], _entries(name, parts), name)
    return place, text[match.end() :]


def _input(look: Look, session: Session, name: str, parts: list[str]) -> Place:
    if not parts:
        return _within("inputs", name, (), session.inputs[name], (), name)
    t = _timestep(look, parts[0])
    if t < 0:
        return _initial(look, session, name, t, parts[1:])
    if t >= look.scene.trace.steps:
        raise absent(look.scene, name, t)
    return _within("inputs", name, (t,), session.inputs[name], _entries(name, parts[1:]), f"{name}[{t}]")


def _node(look: Look, session: Session, name: str, parts: list[str]) -> Place:
    scene = look.scene
    if name == scene.network.loss_name:
        raise CommandError(
            f"{name} is the loss, and gradients are of it", hint=f"pin a node that it reads, or equation {name} = …"
        )
    if parts:
        t = _timestep(look, parts[0])
    else:
        times = scene.times(name)
        if times is None or times.count != 1:
            raise CommandError(
                f"{name} has a value at each timestep", hint=f"say which: set {name}[0] = …, set {name}[t] = …"
            )
        t = times.start
    if t < 0:
        return _initial(look, session, name, t, parts[1:])
    if not scene.trace.exists(name, t):
        raise absent(scene, name, t)
    key = f"{name}[{t}]"
    present = session.pins[key] if key in session.pins else scene.trace.value(name, t).tolist()
    return _within("pins", key, (), present, _entries(name, parts[1:]), key)


def _initial(look: Look, session: Session, name: str, t: int, parts: list[str]) -> Place:
    """A value before t = 0: of several, they stand in time order. One that nothing reads yet can be given too."""
    depth = max(look.scene.unrolled.ahead.get(name, 0), 1)
    if -t > depth or (name in session.inputs and name not in session.initial):
        what = f"{name}[{t}] is read by no equation"
        raise CommandError(what, hint=f"{name}[-1] is the last value before t = 0" if -t > depth else "")
    shape = look.scene.unrolled.shapes[name]
    if name not in session.initial:
        if depth > 1 or parts:
            raise CommandError(f"{name}[{t}] has no value yet", hint=f"set {name}[-1] gives the one before t = 0")
        return Place("initial", name, (), None, shape, f"{name}[{t}]")
    path = (depth + t,) if depth > 1 else ()
    return _within("initial", name, path, session.initial[name], _entries(name, parts), f"{name}[{t}]")


def _timestep(look: Look, part: str) -> int:
    t = timestep(look, read_index(part))
    assert t is not None
    return t


def _entries(name: str, parts: list[str]) -> tuple[int, ...]:
    for part in parts:
        if not _ENTRY.fullmatch(part):
            raise CommandError(
                f"[{part.strip()[:20]}] is no entry of {name}", hint="entries are counted from 0: v[0], W[1,2]"
            )
    return tuple(int(part) for part in parts)


def _within(field: str, key: str, lead: tuple[int, ...], present: Any, entries: tuple[int, ...], label: str) -> Place:
    """The place of a value's entries; `lead` is the path to the value itself."""
    whole = shape_of(present)[len(lead) :]
    if len(entries) > len(whole) or any(i >= n for i, n in zip(entries, whole, strict=False)):
        ends = [",".join(["0"] * len(whole)), ",".join(str(n - 1) for n in whole)]
        known = f"it is {spell(whole)}"
        if whole:
            known += f": its entries are [{ends[0]}] … [{ends[1]}]"
        raise CommandError(f"there is no {entry_of(label, entries)}", hint=known)
    return Place(field, key, (*lead, *entries), present, whole[len(entries) :], entry_of(label, entries))


def value_of(look: Look, text: str) -> Any:
    """A number or nested lists of numbers from expressions as `print` takes them."""
    from bptt_tui.debugger.inspect import Inspector

    text = text.strip()
    if not _is_list(text):
        return Inspector(look).evaluate(text).tolist()
    return [value_of(look, part) for part in _parts(text[1:-1])]


def _is_list(text: str) -> bool:
    """Whether a bracket opens at the beginning and closes at the end."""
    if not text.startswith("["):
        return False
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return i == len(text) - 1
    return False


def _parts(text: str) -> list[str]:
    """What stands between the commas outside of all brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if any(not part.strip() for part in parts):
        raise CommandError("a list has an empty place", hint="write [1, 2]")
    return parts


def changed(session: Session, place: Place, value: Any) -> Session:
    """The session with another value at a place. Raises CommandError for a number that is not finite or a shape
    that does not fit."""
    try:
        number = plain(value, place.shown)
    except SessionError as error:
        raise CommandError(error.reason, hint=error.hint or "give finite numbers", places=error.places) from None
    shape = shape_of(number)
    if shape != place.shape:
        raise CommandError(
            f"{place.shown} is {spell(place.shape)}, not {spell(shape)}", hint=f"as in {_example(place.shape)}"
        )
    whole = _with_entry(place.present, place.path, number)
    return session.replace(**{place.field: {**getattr(session, place.field), place.key: whole}}, expected=None)


def _example(shape: Shape) -> str:
    """A value of a shape, at most a few numbers of it."""
    if not shape:
        return "0.5"
    if size(shape) > 12:
        return "[" * len(shape) + "0.5, …" + "]" * len(shape)
    return f"[{', '.join([_example(shape[1:])] * shape[0])}]"


def _with_entry(whole: Any, path: tuple[int, ...], value: Any) -> Any:
    if not path:
        return _like(whole, value)
    entries = list(whole)
    entries[path[0]] = _with_entry(entries[path[0]], path[1:], value)
    return entries


def _like(old: Any, new: Any) -> Any:
    """Whole numbers stay whole in a file: a class index is written as 1."""
    if isinstance(new, list):
        return [_like(a, b) for a, b in zip(old or new, new, strict=True)]
    whole = isinstance(old, int) and isinstance(new, float) and new.is_integer() and (new != 0 or str(new)[0] != "-")
    return int(new) if whole else new


def _set(debugger: Debugger, rest: str) -> str:
    word, more = first_word(rest)
    if word == "equation" and word not in debugger.look.scene.unrolled.shapes:
        return EQUATION.run(debugger, more)
    session = debugger.state.session
    place, left = place_of(debugger.look, session, rest)
    given = re.fullmatch(r"(?:\s*=|\s)\s*(.*)", left, re.DOTALL)
    if given is None or not given[1]:
        raise MisuseError(f"{left.strip()!r} is not a value" if left.strip() else f"set {place.shown} to what?")
    return edit(debugger, changed(session, place, value_of(debugger.look, given[1])))


def _unset(debugger: Debugger, rest: str) -> str:
    session = debugger.state.session
    # With nothing to follow, `s [1]` can only be an index.
    place, left = place_of(debugger.look, session, f"{rest} =" if rest.strip() else rest)
    left = left.removesuffix("=")
    if left.strip():
        raise MisuseError(f"{left.strip()!r} is too much")
    if place.field != "pins" or place.key not in session.pins or place.path:
        pinned = ", ".join(session.pins) or "nothing"
        raise CommandError(f"{place.shown} is not pinned", hint=f"pinned is {pinned}")
    kept = {key: value for key, value in session.pins.items() if key != place.key}
    return edit(debugger, session.replace(pins=kept, expected=None))


ROWS = (
    Command("set", "set NAME [=] VALUE", "change a value, or pin a node, and see the gradient follow", _set, (),
            f"{_EXAMPLES} · a node at t ≥ 0 is pinned: no gradient flows through it · VALUE as print takes it, or a"
            " list: set v [1, 2 * w]"),
    Command("unset", "unset NODE", "release a pinned node", _unset, (), "unset s[0]"),
)  # fmt: skip
