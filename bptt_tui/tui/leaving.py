"""The question asked before unsaved work would be lost: save it, leave it, or stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bptt_tui.language.sanitise import visible
from bptt_tui.tui.dialog import Dialog

Choice = Literal["save", "leave"]


class LeaveDialog(Dialog[Choice | None]):
    """`words` is what would be lost; escape stays."""

    DEFAULT_CSS = "LeaveDialog > Vertical { width: 60; border: round $warning; border-title-color: $warning; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose('save')", "save", show=False, id="leave.save"),
        Binding("d", "choose('leave')", "do not save", show=False, id="leave.discard"),
        Binding("escape", "choose('')", "stay", show=False, id="leave.stay"),
    ]
    _ROWS = (("save", "s", "save it first"), ("leave", "d", "do not save it"), ("", "esc", "stay here"))

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content("not saved yet")
        box.border_subtitle = Content("enter chooses")
        options = [
            Option(Content.assemble((f"{key:<4}", "bold $accent"), text), id=choice or "stay")
            for choice, key, text in self._ROWS
        ]
        with box:
            yield Static(Content(visible(self._words)))
            yield OptionList(*options, compact=True)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose("" if event.option_id == "stay" else str(event.option_id))

    def action_choose(self, choice: str) -> None:
        self.dismiss("save" if choice == "save" else "leave" if choice == "leave" else None)
