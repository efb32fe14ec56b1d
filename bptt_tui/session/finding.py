"""Finding a session to open: the bundled ones, those opened lately, and the files that a typed path can become.

places("")            everything there is to choose from
places("lst")         the sessions whose name or title has that in it
places("~/walks/q")   the directories and session files there that begin so
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from bptt_tui.errors import SessionError
from bptt_tui.session import bundled
from bptt_tui.session.recent import recent
from bptt_tui.session.session import is_name, load

Kind = Literal["recent", "network", "lesson", "directory", "file"]
_LOOKED_AT, _SHOWN = 20_000, 200


class Place(NamedTuple):
    """Something to choose: `target` is what to open, or the text of a directory to look into."""

    kind: Kind
    target: str
    name: str
    title: str = ""


def places(typed: str) -> tuple[Place, ...]:
    """What `typed` can mean; the files and directories last, unless it is written as a path."""
    paths = tuple(_paths(typed)) if typed else ()
    if _is_path(typed):
        return paths
    word = typed.casefold()
    known = [
        place for place in (*_recent(), *_bundled()) if word in place.name.casefold() or word in place.title.casefold()
    ]
    return (*known, *paths)


def completed(typed: str, found: Iterable[Place]) -> str:
    """`typed` as far as all the paths that it can become go on alike."""
    paths = [place.target for place in found if place.kind in ("directory", "file")]
    common = os.path.commonprefix(paths)  # noqa: RUF071 - letters are what is typed
    return common if len(common) > len(typed) else typed


def loadable(typed: str, *, is_file: bool = False) -> str:
    """What `load` takes for a typed text: `~` is the user's home, and a file may be called as a bundled session."""
    if _is_path(typed):
        return _expanded(typed)
    return os.path.join(os.curdir, typed) if is_file and is_name(typed) else typed  # noqa: PTH118


def _is_path(typed: str) -> bool:
    return typed.startswith(("~", ".")) or os.sep in typed or bool(os.altsep and os.altsep in typed)


def _expanded(typed: str) -> str:
    return os.path.expanduser(typed)  # noqa: PTH111 - a Path would lose the last separator


@cache
def _bundled() -> tuple[Place, ...]:
    """The sessions that come with the program; those with a recording are lessons."""
    found = []
    for name in bundled.names():
        try:
            session = load(name)
        except SessionError:
            continue
        found.append(Place("lesson" if session.recording else "network", name, name, session.title))
    return tuple(sorted(found, key=lambda place: place.kind == "lesson"))


def _recent() -> Iterator[Place]:
    """The files opened lately that are still there."""
    for entry in recent():
        try:
            there = Path(entry.path).is_file()
        except (OSError, ValueError):
            continue
        if there:
            yield Place("recent", entry.path, short(entry.path), entry.title)


def short(path: str) -> str:
    """A path as one would type it: from here, or from home."""
    for base, sign in ((os.getcwd(), ""), (os.path.expanduser("~"), "~" + os.sep)):  # noqa: PTH109, PTH111
        if base != os.sep and path.startswith(base + os.sep):
            return sign + path[len(base) + 1 :]
    return path


def _paths(typed: str) -> Iterator[Place]:
    """Directories and session files whose path begins with `typed`, and the file of exactly that name."""
    lead, begun = os.path.split(typed)
    if lead and not lead.endswith(os.sep):
        lead += typed[len(lead)]
    if typed in ("~", ".", ".."):
        yield Place("directory", typed + os.sep, typed + os.sep)
        return
    directory = _expanded(lead) or "."
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in islice(entries, _LOOKED_AT):
                if not entry.name.startswith(begun) or (entry.name.startswith(".") and not begun):
                    continue
                if entry.is_dir():
                    found.append(Place("directory", lead + entry.name + os.sep, lead + entry.name + os.sep))
                elif entry.name.endswith(".json") or entry.name == begun:
                    found.append(Place("file", lead + entry.name, lead + entry.name))
    except (OSError, ValueError):
        return
    yield from sorted(found, key=lambda place: (place.target != typed, place.target))[:_SHOWN]
