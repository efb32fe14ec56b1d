"""The notes pane: the chapter, the notes pinned to this position, and where the next ones are."""

from __future__ import annotations

from textual.geometry import Size

from bptt_tui.debugger.view import View
from bptt_tui.tui.ink import Line, wrapped
from bptt_tui.tui.keynames import key_of
from bptt_tui.tui.pane import Lines, Pane


class NotesPane(Lines, Pane):
    """Draws `View.notes`, and says how many more a lesson has."""

    # A stable gutter would count the bar that never shows among the height: a row without text.
    DEFAULT_CSS = "NotesPane { scrollbar-size-horizontal: 0; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._said(self.view, max(width, 1))) if self.view is not None else 1

    def show(self, view: View) -> None:
        new = self.view is None or (view.notes, view.chapter) != (self.view.notes, self.view.chapter)
        super().show(view)
        if new:
            self.scroll_to(0, 0, animate=False, force=True)
            self.refresh(layout=True)

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        chapter = chapter_number(view)
        self.entitle(f"6 {view.chapter}" if view.chapter else "6 notes", chapter)
        return self._said(view, width)

    def _said(self, view: View, width: int) -> list[Line]:
        return _lines(view, width, key_of("note.write", self.app))


def chapter_number(view: View) -> str:
    """`chapter 2 of 5`; empty where there are none."""
    if not view.chapters:
        return ""
    begun = sum(chapter.position <= view.position for chapter in view.chapters)
    return (
        f"chapter {begun} of {len(view.chapters)}"
        if begun
        else f"{len(view.chapters)} chapter{'s' * (len(view.chapters) != 1)}"
    )


def _lines(view: View, width: int, key: str) -> list[Line]:
    from bptt_tui.tui.markdown import rendered

    lines: list[Line] = []
    for note in view.notes:
        lines += [(), *rendered(note, width)]
    if lines:
        return lines[1:]
    places = sorted({note.position for note in view.all_notes})
    later = [place for place in places if place > view.position]
    earlier = [place for place in places if place < view.position]
    said = "no note here" if places else f"no note here; {key} writes one"
    if later:
        said += f"; the next is at position {later[0]}"
    if earlier:
        said += f"{',' if later else ';'} the one before at {earlier[-1]}"
    return wrapped(((said, "dim"),), width)
