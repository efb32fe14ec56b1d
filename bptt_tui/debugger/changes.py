"""What differs between two sets of numbers, in words: `w: 0.6 → 0.9`, `s[0] pinned at 0.1`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bptt_tui.calculus import numerals
from bptt_tui.language.labels import entry_of
from bptt_tui.session import Session

_FEW, _SMALL, _WIDTH = 3, 6, 40


def words(before: Session, after: Session) -> list[str]:
    """One phrase for each thing that differs; empty where nothing does."""
    found = list(_equations(before.equations, after.equations))
    for group in ("parameters", "constants", "inputs", "initial"):
        old, new = getattr(before, group), getattr(after, group)
        found += [phrase for name in {**old, **new} for phrase in _value(group, name, old, new)]
    found += [phrase for key in {**before.pins, **after.pins} for phrase in _pin(key, before.pins, after.pins)]
    return found


def _equations(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    old, new = _by_target(before), _by_target(after)
    for target, text in new.items():
        if target not in old:
            yield f"new equation {text}"
        elif old[target] != text:
            yield f"equation {text}"
    yield from (f"equation {target} deleted" for target in old if target not in new)


def _by_target(texts: tuple[str, ...]) -> dict[str, str]:
    return {match[1] if (match := re.match(r"\s*(\w+)", text)) else text: text.strip() for text in texts}


def _value(group: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    label = f"{name}[-1]" if group == "initial" else name
    if name not in new:
        yield f"{label} left out"
        return
    if name not in old:
        yield f"{label} = {_shown(new[name])}"
        return
    if old[name] is new[name]:
        return
    a, b = np.asarray(old[name], dtype=float), np.asarray(new[name], dtype=float)
    if a.shape != b.shape:
        yield f"{label}: {_shown(a)} → {_shown(b)}"
        return
    differing = np.argwhere((a != b) | (np.signbit(a) != np.signbit(b)))
    if len(differing) <= _FEW:
        for entry in differing.tolist():
            place = tuple(entry)
            yield f"{_entry(group, name, place, a.shape)}: {_shown(a[place])} → {_shown(b[place])}"
    elif a.size <= _SMALL and a.ndim <= 2:
        yield f"{name}: {_shown(a)} → {_shown(b)}"
    else:
        yield f"{name}: {len(differing)} of {a.size} numbers"


def _entry(group: str, name: str, place: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """How an entry is written: `w`, `v[0]`, `x[1]`, `s[-1]`."""
    if group == "initial":
        return f"{name}[-1]" + (f" entry {', '.join(map(str, place))}" if place else "")
    return entry_of(name, place)


def _pin(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if key not in new:
        yield f"{key} released"
    elif key not in old:
        yield f"{key} pinned at {_shown(new[key])}"
    elif old[key] is not new[key] and repr(np.asarray(old[key], float)) != repr(np.asarray(new[key], float)):
        yield f"{key} pinned at {_shown(new[key])} instead of {_shown(old[key])}"


def _shown(value: Any) -> str:
    numbers = np.asarray(value, dtype=float)
    return numerals.array(numbers, _WIDTH) if numbers.ndim <= 2 else f"{numbers.size} numbers"
