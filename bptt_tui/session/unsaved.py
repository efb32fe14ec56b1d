"""What would be lost: how a session differs from what was opened or saved last.

Walking is told apart from the rest. Who walks through a bundled session has made nothing that needs a file; who
changed a number, pinned a note or answered a question has, and so has who walks in a file of their own.
"""

from __future__ import annotations

from typing import NamedTuple

from bptt_tui.session.session import NUMBERS, Session


class Unsaved(NamedTuple):
    """So many `commands` were recorded since, and these things were made, in words."""

    commands: int
    made: tuple[str, ...]
    own_file: bool

    def __bool__(self) -> bool:
        return bool(self.commands or self.made)

    @property
    def asks(self) -> bool:
        """Whether to ask before it is lost."""
        return bool(self.made) or (self.own_file and bool(self.commands))

    @property
    def words(self) -> str:
        """`values changed, 2 notes, 14 commands`."""
        return ", ".join((*self.made, *([_count(self.commands, "command")] if self.commands else [])))


def unsaved(kept: Session | None, now: Session) -> Unsaved:
    """What `now` holds and `kept` does not; without `kept`, nothing has been saved yet."""
    if kept is None:
        return Unsaved(len(now.recording), ("a new network",), True)
    own_file = now.origin is not None
    if len(now.recording) < len(kept.recording) and kept.recording[: len(now.recording)] == now.recording:
        return Unsaved(0, tuple(_written(kept, now)), own_file)  # being replayed: its values are on their way
    made = []
    if any(_differ(getattr(kept, name), getattr(now, name)) for name in NUMBERS):
        made.append("values changed")
    if kept.title != now.title:
        made.append("another title")
    return Unsaved(len(now.recording) - _common(kept, now), (*made, *_written(kept, now)), own_file)


def _common(kept: Session, now: Session) -> int:
    """How many commands both recordings begin with."""
    pairs = zip(kept.recording, now.recording, strict=False)
    shorter = min(len(kept.recording), len(now.recording))
    return next((i for i, (before, after) in enumerate(pairs) if _differ(before, after)), shorter)


def _differ(before: object, after: object) -> bool:
    return before is not after and before != after


def _written(kept: Session, now: Session) -> list[str]:
    """Notes, chapters and answers."""
    before, after = kept.debugger, now.debugger
    found = []
    for field, what in (("notes", "note"), ("chapters", "chapter"), ("predictions", "answer")):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            more = sum(entry not in old for entry in new)
            found.append(_count(more, what) if more else f"{what}s deleted")
    return found


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
