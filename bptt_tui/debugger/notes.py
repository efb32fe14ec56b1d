r"""Notes pinned to positions, and chapters: what turns a recording into a lesson.

A note is Markdown, `\n` in a command's text is a line break. Notes and chapters belong to the session, not to the
recording: a replay shows them when their position is reached, and giving these commands adds nothing to it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from bptt_tui.debugger.command import Command, MisuseError, first_word, nothing
from bptt_tui.debugger.moving import Cursor
from bptt_tui.errors import CommandError
from bptt_tui.session import Chapter, Note

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

Pinned = TypeVar("Pinned", Note, Chapter)


def notes_at(notes: tuple[Note, ...], position: int) -> tuple[str, ...]:
    """The texts of a position's notes, in the order given."""
    return tuple(note.text for note in notes if note.position == position)


def chapter_at(chapters: tuple[Chapter, ...], position: int) -> str:
    """The title of the chapter that a position lies in; empty before the first."""
    number = _chapters_until(chapters, position)
    return chapters[number - 1].title if number else ""


def in_order(pinned: tuple[Pinned, ...]) -> tuple[Pinned, ...]:
    """By position; those of one position keep their order."""
    return tuple(sorted(pinned, key=lambda one: one.position))


def _chapters_until(chapters: tuple[Chapter, ...], position: int) -> int:
    """How many chapters begin at or before a position."""
    return bisect_right(chapters, position, key=lambda chapter: chapter.position)


def _number(word: str, there: tuple[Note, ...] | tuple[Chapter, ...], what: str) -> int:
    """The place in its list of the note or chapter that a command's number names."""
    if not word.isascii() or not word.isdecimal():
        raise MisuseError(f"{word!r} is not the number of a {what}" if word else f"which {what}?")
    if len(word) > 9 or not 1 <= int(word) <= len(there):
        known = f"the {what}s are 1 … {len(there)}" if there else f"there is no {what} yet"
        raise CommandError(f"there is no {what} {word[:9]}", hint=known)
    return int(word) - 1


def _written(text: str) -> str:
    r"""The text meant: `\n` is a line break, `\\n` a backslash and an n."""
    return "\n".join(part.replace("\0", "\\n") for part in text.replace("\\\\n", "\0").split("\\n"))


def _note(debugger: Debugger, rest: str) -> str:
    state, position = debugger.state, debugger.cursor.position
    word, more = first_word(rest)
    if not rest or "\0" in rest:
        raise MisuseError("a note is a text")
    if word == "delete":
        place = _number(more, state.notes, "note")
        debugger.change(replace(state, notes=(*state.notes[:place], *state.notes[place + 1 :])))
        return f"note {place + 1} is deleted"
    if word == "edit":
        number, text = first_word(more)
        place = _number(number, state.notes, "note")
        if not text:
            raise MisuseError("a note is a text")
        edited = Note(state.notes[place].position, _written(text))
        debugger.change(replace(state, notes=(*state.notes[:place], edited, *state.notes[place + 1 :])))
        return f"note {place + 1} is changed"
    place = bisect_right(state.notes, position, key=lambda note: note.position)
    added = Note(position, _written(rest))
    debugger.change(replace(state, notes=(*state.notes[:place], added, *state.notes[place:])))
    return f"note {place + 1} is pinned to position {position}"


def _notes(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    listed = [
        (f"{number}  position {note.position}{_beyond(debugger, note)}", note.text.split("\n"))
        for number, note in enumerate(debugger.state.notes, 1)
    ]
    lines = [line for head, text in listed for line in (f"{head}: {text[0]}", *(f"   {more}" for more in text[1:]))]
    return "\n".join(lines) or "there is no note yet: note TEXT pins one to this position"


def _chapter(debugger: Debugger, rest: str) -> str:
    state, position = debugger.state, debugger.cursor.position
    chapters = state.chapters
    word, more = first_word(rest)
    if not rest or "\0" in rest:
        raise MisuseError("a chapter has a title")
    if word == "delete":
        place = _number(more, chapters, "chapter")
        debugger.change(replace(state, chapters=(*chapters[:place], *chapters[place + 1 :])))
        return f"chapter {place + 1} is deleted"
    if rest in ("next", "previous") or rest.isdecimal():
        return _go_to_chapter(debugger, rest)
    kept = tuple(chapter for chapter in chapters if chapter.position != position)
    changed = in_order((*kept, Chapter(position, rest)))
    debugger.change(replace(state, chapters=changed))
    return f"chapter {_chapters_until(changed, position)} begins at position {position}"


def _go_to_chapter(debugger: Debugger, which: str) -> str:
    chapters, cursor = debugger.state.chapters, debugger.cursor
    if which == "next":
        place = _chapters_until(chapters, cursor.position)
        if place == len(chapters):
            raise CommandError("there is no later chapter", hint="chapters lists them")
    elif which == "previous":
        place = _chapters_until(chapters, cursor.position if cursor.factor else cursor.position - 1) - 1
        if place < 0:
            raise CommandError("there is no earlier chapter", hint="chapters lists them")
    else:
        place = _number(which, chapters, "chapter")
    chapter = chapters[place]
    if chapter.position > debugger.last:
        raise CommandError(f"chapter {place + 1} is beyond the end", hint=f"the positions are 0 … {debugger.last}")
    return debugger.go(Cursor(chapter.position))


def _chapters(debugger: Debugger, rest: str) -> str:
    nothing(rest)
    here = _chapters_until(debugger.state.chapters, debugger.cursor.position)
    lines = [
        f"{'→' if number == here else ' '} {number}  position {chapter.position}{_beyond(debugger, chapter)}: "
        f"{chapter.title}"
        for number, chapter in enumerate(debugger.state.chapters, 1)
    ]
    return "\n".join(lines) or "there is no chapter yet: chapter TITLE begins one at this position"


def _beyond(debugger: Debugger, pinned: Note | Chapter) -> str:
    """Of a network that was longer once, notes beyond the end are kept."""
    return " (beyond the end)" if pinned.position > debugger.last else ""


ROWS = (
    Command("note", r"note TEXT|edit N TEXT|delete N", "pin a note to this position, change or delete one", _note, (),
            r"Markdown; \n is a line break. N counts as `notes` lists them.", recorded=False),
    Command("notes", "notes", "the notes, by position", _notes, (), recorded=False),
    Command("chapter", "chapter TITLE|next|previous|N|delete N", "begin a chapter here, or go to one", _chapter, (),
            "N counts as `chapters` lists them.", recorded=False),
    Command("chapters", "chapters", "the chapters, by position", _chapters, (), recorded=False),
)  # fmt: skip
