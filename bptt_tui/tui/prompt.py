"""The command line at the foot of the screen: one line of the debugger's language, with history and completion.

| key | does |
|---|---|
| enter, escape | give the line; close and keep nothing |
| tab, shift+tab | complete as far as is certain, then one option after the other |
| up, down | the lines given before that begin with what is typed |
| ctrl+r | the lines given before that have it anywhere |

A line that cannot be carried out stays in the history, so that it can be mended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input
from textual.widgets.input import Selection

from bptt_tui.debugger.completing import Completion
from bptt_tui.language.sanitise import visible
from bptt_tui.tui.history import History
from bptt_tui.tui.ink import Line, Run, line_width, width_of
from bptt_tui.tui.pane import Bar


class Prompt(Input):
    """An input that is there only while a command is typed."""

    class Offered(Message):
        """There are other options now; `at` is the one on the line, if any."""

        def __init__(self, completion: Completion, at: int | None) -> None:
            super().__init__()
            self.completion = completion
            self.at = at

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
        Binding("ctrl+r", "search", "search", show=False, id="prompt.search"),
        Binding("tab", "complete(1)", "complete", show=False, id="prompt.complete"),
        Binding("shift+tab", "complete(-1)", "complete", show=False, id="prompt.complete-back"),
    ]

    def __init__(
        self, history: History, complete: Callable[[str], Completion], given: Callable[[str], None], *, id: str
    ) -> None:
        """`complete` tells the options for a line; `given` takes a line, or an empty one where it was left.

        It is called at once, so what is typed after a line comes after it. It closes the prompt, or leaves it open on
        a line that is to be mended.
        """
        super().__init__(id=id, placeholder="a command, such as: goto s[1]", compact=True, select_on_focus=False)
        self._history = history
        self._complete = complete
        self._given = given
        self._completion = Completion(0, ())
        self._chosen: int | None = None
        self._at = 0
        self._draft = ""

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def open(self, text: str, selected: int = 0) -> None:
        """Show the line with `text` on it, of which typing replaces the last `selected` letters.

        It has the focus from now on, so that the next key is its own.
        """
        self.add_class("-open")
        self.write(text)
        if selected:
            self.selection = Selection(len(text) - selected, len(text))
        self.screen.set_focus(self, scroll_visible=False)

    def write(self, text: str) -> None:
        """Put a text on the line as if it had been typed."""
        self._at, self._draft = len(self._history.lines), text
        self._put(text)
        self._find_options()

    def close(self) -> None:
        """Put the line away. Its focus is given up first, or Textual would hand it to whichever pane is next."""
        self.remove_class("-open")
        self._put("")
        if self.has_focus:
            self.screen.set_focus(None)

    def action_close(self) -> None:
        self._given("")

    async def action_submit(self) -> None:
        line = self.value
        if line.strip():
            self._history.add(line.strip())
        self._given(line.strip())

    async def _on_key(self, event: events.Key) -> None:
        """Every key in its turn. An input would leave enter to the app, which comes to it after the next letters.

        Keys that were typed before it was known that the line is given belong to the screen again.
        """
        bound = self._bindings.key_to_bindings.get(event.key, [])
        if self.is_open and not bound:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if self.is_open:
            await self.run_action(bound[0].action)
        else:
            self.app.post_message(events.Key(event.key, event.character))

    def _on_paste(self, event: events.Paste) -> None:
        """The first line of what is pasted, made visible; it is given with enter only."""
        event.stop()
        event.prevent_default()
        if text := event.text.strip().splitlines()[:1]:
            self.insert_text_at_cursor(visible(text[0]))

    # --- completion ------------------------------------------------------------------------------------------------

    def watch_value(self, value: str) -> None:
        if value != self._written:
            self._written = self._draft = value
            self._at = len(self._history.lines)
            self._find_options()

    _written = ""

    def _put(self, text: str) -> None:
        self._written = text
        self.value = text
        self.cursor_position = len(text)

    def _find_options(self) -> None:
        self._completion = self._complete(self._draft) if self.is_open else Completion(0, ())
        self._chosen = None
        self.post_message(self.Offered(self._completion, None))

    def action_complete(self, step: int) -> None:
        """As far as is certain; when that is there already, the next option."""
        start, options = self._completion
        if not options:
            return
        if self._chosen is None and (self._completion.common != self._draft[start:] or len(options) == 1):
            self.write(self._draft[:start] + self._completion.common)
            return
        number = (0 if step > 0 else -1) if self._chosen is None else self._chosen + step
        self._chosen = number % len(options)
        self._put(self._draft[:start] + options[self._chosen].text)
        self.post_message(self.Offered(self._completion, self._chosen))

    # --- history ---------------------------------------------------------------------------------------------------

    def action_older(self) -> None:
        self._recall(self._history.before(self._at, self._draft))

    def action_newer(self) -> None:
        found = self._history.after(self._at, self._draft)
        self._recall(len(self._history.lines) if found is None else found)

    def action_search(self) -> None:
        self._recall(self._history.before(self._at, self._draft, anywhere=True))

    def _recall(self, at: int | None) -> None:
        """Line number `at` of the history; one past the newest is what was being typed."""
        if at is None:
            return
        self._at = at
        self._put(self._history.lines[at] if at < len(self._history.lines) else self._draft)

    def on_blur(self, _event: events.Blur) -> None:
        """Leaving the line with the mouse closes it."""
        if self.is_open and self.app.app_focus and self.screen.focused is not self:
            self.action_close()


class Options(Bar):
    """What the line can go on with, one line above it; the option on the line is lit and explained."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._completion = Completion(0, ())
        self._at: int | None = None
        self._verdict: Run = ("", "plain")

    def offer(self, completion: Completion, at: int | None, verdict: str = "", *, wrong: bool = False) -> None:
        """Show these options, or what is known of the line as it stands."""
        self._completion, self._at = completion, at
        self._verdict = (verdict, "error" if wrong else "good")
        self.refresh()

    def line(self, width: int) -> Line:
        options = self._completion.options
        if self._verdict[0] and self._at is None and (self._verdict[1] == "good" or not options):
            mark = "✗" if self._verdict[1] == "error" else "✓"
            return ((f" {mark} ", self._verdict[1]), (self._verdict[0].replace("\n", " · "), self._verdict[1]))
        if not options:
            return ()
        about = options[self._at].about if self._at is not None else options[0].about if len(options) == 1 else ""
        room = width - (min(width_of(about) + 4, width // 2) if about else 0)
        first = 0
        while self._at is not None and first < self._at and self._width(first, self._at + 1) > room - 4:
            first += 1
        runs: list[Run] = [("‹ " if first else "  ", "accent")]
        for number in range(first, len(options)):
            text = options[number].text.rstrip()
            if line_width(tuple(runs)) + width_of(text) + 4 > room:
                runs.append(("›", "accent"))
                break
            runs += [(text, "now" if number == self._at else "name"), ("  ", "plain")]
        if about:
            runs.append((f" {about}", "dim"))
        return tuple(runs)

    def _width(self, first: int, stop: int) -> int:
        return sum(width_of(option.text.rstrip()) + 2 for option in self._completion.options[first:stop])
