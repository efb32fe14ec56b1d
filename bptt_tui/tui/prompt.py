"""The command line at the foot of the screen: one line of the debugger's language, with history and completion.

`enter` gives the line up as a message and clears it, `escape` closes and keeps nothing, `up` and `down` walk through
the lines given before. A line that cannot be carried out stays in the history, so that it can be mended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input


class Prompt(Input):
    """An input that is there only while a command is typed."""

    class Given(Message):
        """A command line was typed."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Closed(Message):
        """The learner left the command line."""

    DEFAULT_CSS = """
    Prompt, Prompt:focus {
        display: none;
        height: 1;
        border: none;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        &.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", show=False, id="prompt.close"),
        Binding("up", "older", "older", show=False, id="prompt.older"),
        Binding("down", "newer", "newer", show=False, id="prompt.newer"),
        Binding("tab", "cursor_right", "complete", show=False, id="prompt.complete"),
    ]

    def __init__(self, commands: Iterable[str], *, id: str) -> None:
        super().__init__(
            id=id,
            placeholder="a command, such as: goto s[1]",
            suggester=SuggestFromList(list(commands)),
            compact=True,
            select_on_focus=False,
        )
        self._history: list[str] = []
        self._at = 0
        self._draft = ""

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, text: str) -> None:
        """Show the line with `text` on it."""
        self.add_class("-open")
        self._at = len(self._history)
        self.value = text
        self.cursor_position = len(text)
        self.focus(scroll_visible=False)

    def close(self) -> None:
        """Put the line away. Its focus is given up first, or Textual would hand it to whichever pane is next."""
        self.value = ""
        self.remove_class("-open")
        if self.has_focus:
            self.screen.set_focus(None)

    def action_close(self) -> None:
        self.close()
        self.post_message(self.Closed())

    async def action_submit(self) -> None:
        line = self.value.strip()
        self.close()
        if line:
            if not self._history or self._history[-1] != line:
                self._history.append(line)
            self.post_message(self.Given(line))
        else:
            self.post_message(self.Closed())

    def action_older(self) -> None:
        self._recall(self._at - 1)

    def action_newer(self) -> None:
        self._recall(self._at + 1)

    def _recall(self, at: int) -> None:
        """Line number `at` of the history; one past the newest is what was being typed."""
        if not 0 <= at <= len(self._history):
            return
        if self._at == len(self._history):
            self._draft = self.value
        self._at = at
        self.value = self._history[at] if at < len(self._history) else self._draft
        self.cursor_position = len(self.value)

    def on_blur(self, _event: events.Blur) -> None:
        """Leaving the line with the mouse closes it."""
        if self.is_open and self.app.app_focus:
            self.action_close()
