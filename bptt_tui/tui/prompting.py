"""The command line on the debugger's screen: opened by a key or by pasting, its lines carried out in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.tui.bars import Keys, MessageBar
from bptt_tui.tui.commanding import Commanding

if TYPE_CHECKING:
    from bptt_tui.debugger.completing import Completion
    from bptt_tui.tui.prompt import Options, Prompt

LEAVING = ("q", "quit", "exit")


class Prompting(Commanding):
    """Keys that open the line, and what is typed there."""

    _prompt: Prompt | None = None
    _options: Options | None = None
    _message: MessageBar
    _keys: Keys

    def focus_pane(self) -> None:
        """Give the keys back to the pane that had them."""
        raise NotImplementedError

    async def action_prompt(self, text: str) -> None:
        """Open the line with `text` on it. Awaited before the next key is looked at, which then belongs to the line."""
        self.pause()
        if self._prompt is None or self._options is None:
            from bptt_tui.tui.history import History
            from bptt_tui.tui.prompt import Options, Prompt

            history = getattr(self.app, "history", None) or History()
            self._prompt = Prompt(history, self._complete, self._line_given, id="prompt")
            self._options = Options(id="options")
            await self.mount(self._options, self._prompt, after=self._message)
        self._keys.display = self._message.display = False
        self._options.display = True
        self._prompt.open(text)

    def _complete(self, line: str) -> Completion:
        from bptt_tui.tui.completion import complete_line

        return complete_line(self.debugger, line)

    def on_prompt_offered(self, event: Prompt.Offered) -> None:
        if self._options is not None:
            self._options.offer(event.completion, event.at)

    def _line_given(self, line: str) -> None:
        """Carry out a line; an empty one only closed the prompt."""
        self._keys.display = self._message.display = True
        if self._options is not None:
            self._options.display = False
        if self.focused is self._prompt or self.focused is None:
            self.focus_pane()
        if line:
            self.carry_out(line)

    def carry_out(self, line: str) -> None:
        """A typed line: a command of the debugger, or one about the file or the app."""
        word, _, rest = line.partition(" ")
        if word in COMMANDS:
            self.perform(line)
        elif word in LEAVING and not rest:
            self.app.exit()
        elif word == "save":
            self.call_next(self.app.run_action, f"save({rest.strip()!r})")
        else:
            self.perform(line)

    async def on_paste(self, event: events.Paste) -> None:
        """What is pasted lands on the line, and is carried out with enter."""
        event.stop()
        text = event.text.strip()
        if text and self.focused is not self._prompt:
            await self.action_prompt("")
            if self._prompt is not None:
                self._prompt.post_message(events.Paste(text.removeprefix(":")))
