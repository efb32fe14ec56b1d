"""One of a few words, on one line: ‹ parameter ›. Arrows and space go through them, a letter jumps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from bptt_tui.language.sanitise import visible


class Choice(Static, can_focus=True):
    """The word that is chosen is `value`; it is one of `words`."""

    class Changed(Message):
        """Another word was chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            return self.choice

    DEFAULT_CSS = """
    Choice { width: auto; height: 1; padding: 0 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    Choice:focus { background: $primary 30%; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "next", show=False, id="choice.next"),
        Binding("left", "turn(-1)", "previous", show=False, id="choice.previous"),
    ]

    def __init__(self, words: Sequence[str], value: str, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self.words = tuple(words)
        self.value = value
        self._draw()

    def choose(self, value: str) -> None:
        """Choose a word, and say so."""
        if value != self.value:
            self.value = value
            self._draw()
            self.post_message(self.Changed(self))

    def action_turn(self, step: int) -> None:
        at = self.words.index(self.value) if self.value in self.words else 0
        self.choose(self.words[(at + step) % len(self.words)])

    def on_key(self, event: events.Key) -> None:
        """The next word that begins with this letter."""
        if not event.character or not event.character.isalnum():
            return
        at = self.words.index(self.value) if self.value in self.words else 0
        following = [*self.words[at + 1 :], *self.words[: at + 1]]
        found = next((word for word in following if word.startswith(event.character)), None)
        if found is not None:
            event.stop()
            self.choose(found)

    def on_click(self) -> None:
        self.action_turn(1)

    def _draw(self) -> None:
        self.update(Content.assemble(("‹ ", "$accent"), visible(self.value), (" ›", "$accent")))
