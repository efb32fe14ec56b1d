"""The fields of the form for a new session: the equations, a row for each name they need, and what is to be said."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TextArea

from bptt_tui.language.sanitise import visible
from bptt_tui.session.form import Checked, Given, Wanted
from bptt_tui.tui.choice import Choice
from bptt_tui.tui.field import Field, printable

_SHOWN_KINDS = {"initial": "before t=0"}


class Equations(TextArea):
    """One equation a line; pasted text comes in without control characters."""

    async def _on_paste(self, event: events.Paste) -> None:
        """What the handler of TextArea, which is called after this one, puts in."""
        event.text = "\n".join(printable(line) for line in event.text.splitlines())


class Note(Static):
    """What is to be said of the field above, dim, or what is wrong with it; no line where there is nothing."""

    DEFAULT_CSS = """
    Note { height: auto; width: 1fr; color: $foreground 60%; display: none; }
    Note.-error { color: $text-error; }
    """

    def say(self, text: str, *, error: bool = False) -> None:
        self.display = bool(text)
        self.set_class(error, "-error")
        self.update(Content(f"✗ {visible(text, newlines=True)}" if error and text else visible(text)))


class ValueRow(Vertical):
    """A name, what it is, its shape and its value; below it what comes of them."""

    DEFAULT_CSS = """
    ValueRow {
        height: auto;
        & .line { height: 1; }
        & .what { width: 47; height: 1; }
        & .numbers { width: 1fr; height: 1; }
        & .name { width: 11; height: 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        & .kind { width: 15; height: 1; }
        & .word { width: 7; height: 1; color: $foreground 60%; }
        & .shape { width: 12; }
        & .value { width: 1fr; }
        & Note { padding-left: 11; }
    }
    """

    def __init__(self, need: Wanted, typed: Given) -> None:
        super().__init__()
        self.need = need
        self._choice = Choice(need.kinds, typed.kind) if len(need.kinds) > 1 else None
        self._shape = Field(typed.shape, placeholder="number", classes="shape")
        self._value = Field(typed.value, placeholder="a number, numbers, or random", classes="value")
        self._note = Note()

    @property
    def typed(self) -> Given:
        """What stands in the row now."""
        kind = self.need.kinds[0] if self._choice is None else self._choice.value
        return Given(kind, self._shape.value, self._value.value)  # type: ignore[arg-type]

    def compose(self) -> ComposeResult:
        kind: Widget = self._choice or Static(Content(f"  {_SHOWN_KINDS.get(self.need.kinds[0], self.need.kinds[0])}"))
        with Horizontal(classes="line"):
            with Horizontal(classes="what"):
                yield Static(Content(visible(self.need.key)), classes="name")
                with Horizontal(classes="kind"):
                    yield kind
                yield Static("shape", classes="word")
                yield self._shape
            with Horizontal(classes="numbers"):
                yield Static("value", classes="word")
                yield self._value
        yield self._note

    def tell(self, checked: Checked) -> None:
        """Say what is wrong here, or what the value is."""
        for field in ("shape", "value"):
            if error := checked.errors.get(f"{field} {self.need.key}"):
                self._note.say(error, error=True)
                return
        self._note.say(checked.notes.get(self.need.key, ""))

    def go_to(self, field: str) -> None:
        """The keys go to `shape` or `value`."""
        (self._shape if field == "shape" else self._value).focus()
