"""The dialogs: a text that is too long for the message line, an error with opening or saving, and a path to save to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from bptt_tui.language.sanitise import visible
from bptt_tui.tui.dialog import Dialog

_TEXT = """
    & > Vertical { min-width: 30; }
    & VerticalScroll { height: auto; width: auto; max-width: 100%; max-height: 100%; scrollbar-size: 1 1; }
    & Static { width: auto; max-width: 100%; }
"""


class Notice(Dialog[None]):
    """A text to read; any of enter, escape, q or space closes it. `title` and `text` are text, never markup."""

    DEFAULT_CSS = f"Notice {{ {_TEXT} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape,q,space", "close", "close", show=False, id="notice.close"),
        Binding("down,j", "scroll(1)", "down", show=False, id="notice.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="notice.up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="notice.page-down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="notice.page-up"),
        Binding("home,g", "page(-1000000)", "first line", show=False, id="notice.first"),
        Binding("end,G", "page(1000000)", "last line", show=False, id="notice.last"),
    ]

    def __init__(self, title: str, text: str | Content) -> None:
        super().__init__()
        self._title = title
        self._text = text if isinstance(text, Content) else Content(visible(text, newlines=True))

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content(visible(self._title))
        box.border_subtitle = Content("enter closes")
        with box, VerticalScroll(can_focus=False):
            yield Static(self._text)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """A screenful less the line that was last or first."""
        self.action_scroll(pages * max(self.query_one(VerticalScroll).size.height - 1, 1))


class AskPath(Dialog[str | None]):
    """Asks where to save; `reason` says why it asks. Enter gives the path, escape nothing."""

    DEFAULT_CSS = f"""AskPath {{ {_TEXT}
        & > Vertical {{ width: 72; padding: 1 2; }}
        & Input {{ margin-top: 1; }}
    }}"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel", show=False, id="save.cancel")]

    def __init__(self, reason: str, suggestion: str) -> None:
        super().__init__()
        self._reason = reason
        self._suggestion = suggestion

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content("save the session")
        box.border_subtitle = Content("enter saves · escape cancels")
        with box:
            yield Static(Content(visible(self._reason)))
            yield Input(self._suggestion, placeholder="walk.json", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)

    def action_cancel(self) -> None:
        self.dismiss(None)
