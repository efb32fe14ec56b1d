"""An array's entries: arrows choose one, enter or a digit writes a value, enter sets it and goes on to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from bptt_tui.calculus import numerals
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.dialog import Dialog
from bptt_tui.tui.editing import Editable
from bptt_tui.tui.inspector import Matrix


class ArrayEditor(Dialog[None]):
    """`set_entry` gives the debugger a line; it returns what is wrong with it, or nothing. `again` reads the array."""

    AUTO_FOCUS = "Matrix"
    DEFAULT_CSS = """
    ArrayEditor {
        & > Vertical { width: 96%; max-width: 110; }
        & Matrix { max-height: 50vh; }
        & Input { margin-top: 1; background: $panel; }
        & Static { height: auto; color: $error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False, id="array.leave"),
        Binding("enter", "write", "write", show=False, id="array.write"),
    ]

    def __init__(self, found: Editable, set_entry: Callable[[str], str], again: Callable[[], Editable | None]) -> None:
        super().__init__()
        self._found = found
        self._set_entry = set_entry
        self._again = again

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content(visible(f"{self._found.name} · {numerals.shape(self._found.value.shape)}"))
        box.border_subtitle = Content("enter changes an entry · esc")
        with box:
            yield Matrix()
            yield Input(compact=True, select_on_focus=False)
            yield Static()

    def on_mount(self) -> None:
        self.query_one(Matrix).show(self._found.value, tiles=False)

    def on_matrix_moved(self) -> None:
        self.query_one(Input).value = f"{self._entry_name} = {self._present}"
        self.query_one(Static).update("")

    @property
    def _entry_name(self) -> str:
        return self._found.entry(self.query_one(Matrix).index)

    @property
    def _present(self) -> str:
        return numerals.exact(float(self._found.value.flat[self.query_one(Matrix).at]))

    def action_write(self) -> None:
        """The value selected, so that typing replaces it."""
        line = self.query_one(Input)
        self.set_focus(line)
        start = len(f"{self._entry_name} = ")
        line.selection = type(line.selection)(start, len(line.value))

    def on_key(self, event: events.Key) -> None:
        """A digit begins to write at once."""
        if self.focused is self.query_one(Matrix) and event.character and event.character in "0123456789.-+(":
            event.stop()
            self.action_write()
            line = self.query_one(Input)
            line.value = f"{self._entry_name} = {event.character}"
            line.cursor_position = len(line.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        wrong = self._set_entry(f"set {event.value}")
        if wrong:
            self.query_one(Static).update(Content(visible(f"✗ {wrong}")))
            return
        found, matrix = self._again(), self.query_one(Matrix)
        if found is None or found.value.shape != self._found.value.shape:
            self.dismiss(None)
            return
        at = matrix.at
        self._found = found
        matrix.show(found.value, tiles=False)
        matrix.action_go(min(at + 1, found.value.size - 1))
        self.set_focus(matrix)

    def action_leave(self) -> None:
        if self.focused is self.query_one(Matrix):
            self.dismiss(None)
        else:
            self.set_focus(self.query_one(Matrix))
            self.on_matrix_moved()
