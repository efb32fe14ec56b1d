"""Writing a note: an editor for the Markdown of a position's note and the title of a chapter that begins there."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from bptt_tui.debugger.state import State
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.dialog import Dialog


class Written(NamedTuple):
    """The texts of a position: its note and the title of the chapter that begins there; empty where there is none."""

    note: str
    chapter: str


class Pinned(NamedTuple):
    """What is pinned to a position: the last note's number and text, and the chapter's; 0 where there is none."""

    note: int
    chapter: int
    texts: Written

    @classmethod
    def of(cls, state: State) -> Pinned:
        """What there is where the debugger stands."""
        position = state.cursor.position
        note = max((n for n, note in enumerate(state.notes, 1) if note.position == position), default=0)
        chapter = next((n for n, chapter in enumerate(state.chapters, 1) if chapter.position == position), 0)
        text = state.notes[note - 1].text if note else ""
        title = state.chapters[chapter - 1].title if chapter else ""
        return cls(note, chapter, Written(visible(text, newlines=True), visible(title)))

    def commands(self, written: Written) -> list[str]:
        """The commands that make the position's note and chapter what was written."""
        lines = []
        note, chapter = written.note.rstrip(), written.chapter.strip()
        if note.strip() and note != self.texts.note:
            line = _on_one_line(note.lstrip("\n"))
            first = line.split(maxsplit=1)[0]
            if self.note:
                lines.append(f"note edit {self.note} {line}")
            else:
                # Of a text that begins with one of the command's own words, a line break in front makes a text.
                lines.append(f"note \\n{line}" if first in ("edit", "delete") else f"note {line}")
        elif self.note and not note.strip():
            lines.append(f"note delete {self.note}")
        if chapter and chapter != self.texts.chapter:
            lines.append(f"chapter {chapter}")
        elif self.chapter and not chapter:
            lines.append(f"chapter delete {self.chapter}")
        return lines


def _on_one_line(text: str) -> str:
    """As the command `note` takes it: a line break is `\\n`, a backslash and an n are `\\\\n`."""
    return text.replace("\\n", "\\\\n").replace("\n", "\\n")


class _Area(TextArea):
    """Text that is pasted is made visible, so that no control character reaches the terminal."""

    async def _on_paste(self, event: events.Paste) -> None:
        await super()._on_paste(
            events.Paste(visible(event.text.replace("\r\n", "\n").replace("\r", "\n"), newlines=True))
        )
        event.prevent_default()
        event.stop()


class NoteEditor(Dialog[Written | None]):
    """Gives what was written, or nothing where it was left."""

    AUTO_FOCUS = "TextArea"
    DEFAULT_CSS = """
    NoteEditor {
        & > Vertical { width: 84; height: 20; max-height: 96%; padding: 0 1; }
        & TextArea { height: 1fr; border: none; padding: 0; background: $surface; }
        & TextArea:focus { border: none; }
        & Static { height: 1; color: $foreground 60%; }
        & Input { background: $panel; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "keep", show=False, priority=True, id="note.keep"),
        Binding("escape", "leave", "leave", show=False, priority=True, id="note.leave"),
        Binding("tab", "turn", "the other field", show=False, priority=True, id="note.turn"),
    ]

    def __init__(self, position: int, texts: Written) -> None:
        super().__init__()
        self._position = position
        self._texts = texts

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content(f"note at position {self._position}")
        box.border_subtitle = Content("^s keeps · esc leaves · tab the other field")
        with box:
            yield _Area(self._texts.note, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True)
            yield Static(Content("a chapter begins here, titled:"))
            yield Input(self._texts.chapter, placeholder="no chapter begins here", compact=True, select_on_focus=False)

    def action_keep(self) -> None:
        self.dismiss(Written(self.query_one(TextArea).text, self.query_one(Input).value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_turn(self) -> None:
        area, title = self.query_one(TextArea), self.query_one(Input)
        self.set_focus(title if self.focused is area else area)
