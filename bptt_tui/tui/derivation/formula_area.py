"""Where a formula is typed or pasted: several lines, one formula or more; what cannot be shown is spelt out."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.message import Message
from textual.widgets import TextArea

from bptt_tui.derivation.formulas.pasted import Pasted, formulas
from bptt_tui.language.sanitise import visible

LARGEST = 100_000  # characters; more was pasted by mistake


class FormulaArea(TextArea):
    """A text of formulas; enter gives them to be judged, ctrl+j begins a new line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "new line", show=False, id="formula.new-line"),
    ]

    class Given(Message):
        """Enter: judge what is written."""

    class Asked(Message):
        """A question mark: how is it written?"""

    class Moved(Message):
        """The cursor stands in another line, perhaps another formula."""

    def __init__(self, *, id: str) -> None:
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        self.cursor_blink = False
        self._bad: tuple[int, int] | None = None
        self.judged = ""  # the text that was given to be judged last

    @property
    def formulas(self) -> tuple[Pasted, ...]:
        """What is written, formula by formula."""
        return formulas(self.text)

    @property
    def current(self) -> Pasted | None:
        """The formula that the cursor stands in, or the one before it."""
        row = self.cursor_location[0] + 1
        before = [one for one in self.formulas if one.line <= row]
        return before[-1] if before else next(iter(self.formulas), None)

    def mark(self, offset: int | None) -> None:
        """Mark the character at an offset of the text as the one where reading stopped; None marks nothing."""
        bad = None if offset is None else self._location(offset)
        if bad != self._bad:
            self._bad = bad
            self._line_cache.clear()
            self.refresh()

    def go_to(self, offset: int) -> None:
        """Put the cursor before the character at an offset of the text."""
        self.move_cursor(self._location(offset))

    def _location(self, offset: int) -> tuple[int, int]:
        """Row and column of the character at an offset of the text."""
        before = self.text[:offset]
        return before.count("\n"), len(before) - (before.rfind("\n") + 1)

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if self._bad is not None and self._bad[0] == line_index:
            line.stylize(Style(underline=True, bold=True, reverse=True), self._bad[1], self._bad[1] + 1)
        return line

    def edit(self, edit: Edit) -> EditResult:
        """Whatever way text comes in, control characters do not reach the terminal."""
        room = max(LARGEST - len(self.text), 0)
        edit.text = shown(edit.text)[:room]
        return super().edit(edit)

    def write(self, text: str) -> None:
        """Put this text in the place of what is written."""
        self.load_text(shown(text)[:LARGEST])
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        """Another formula, pasted where one ends, takes the place of what was judged, or gets a line of its own."""
        pasted = shown(event.text).strip()
        if not self._begins_another(pasted):
            return  # TextArea puts it in
        event.stop()
        event.prevent_default()
        start = (0, 0) if self.text == self.judged else self.document.end
        end = self.document.end
        self.replace(pasted if start == (0, 0) else f"\n{pasted}", start, end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def _begins_another(self, pasted: str) -> bool:
        """Whether this, at the cursor, would run into a formula that it does not belong to."""
        row, column = self.document.end
        at_end = self.selection.start == self.selection.end == (row, column)
        if not at_end or not self.document.get_line(row).strip():
            return False
        return len(formulas(f"{self.text}\n{pasted}")) > len(self.formulas)

    async def _on_key(self, event: events.Key) -> None:
        # No formula has a question mark.
        if event.key in ("enter", "question_mark"):
            event.stop()
            event.prevent_default()
            self.post_message(self.Given() if event.key == "enter" else self.Asked())
            return
        await super()._on_key(event)

    def action_new_line(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    def on_text_area_selection_changed(self) -> None:
        self.post_message(self.Moved())


def shown(text: str) -> str:
    """Line breaks of any kind as one, tabs as blanks, everything else that is hidden spelt out."""
    return visible(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "), newlines=True)
