"""The command line on the debugger's screen: opened by a key or by pasting, its lines carried out in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from bptt_tui.errors import BpttError
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
    _failed = ("", "")  # an edit that was wrong, and what was wrong with it
    _message: MessageBar
    _keys: Keys

    def focus_pane(self) -> None:
        """Give the keys back to the pane that had them."""
        raise NotImplementedError

    async def action_prompt(self, text: str, selected: int = 0) -> None:
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
        self._prompt.open(text, selected)

    def _complete(self, line: str) -> Completion:
        from bptt_tui.tui.completion import complete_line

        return complete_line(self.debugger, line)

    def on_prompt_offered(self, event: Prompt.Offered) -> None:
        if self._options is None or self._prompt is None:
            return
        from bptt_tui.tui.editing import can_be_tried

        line, verdict, wrong = self._prompt.value, "", False
        if line.strip() == self._failed[0]:
            verdict, wrong = self._failed[1], True
        elif self._prompt.is_open and can_be_tried(self.debugger, line):
            try:
                verdict = self.debugger.check(line)
            except BpttError as error:
                verdict, wrong = str(error), True
        self._options.offer(event.completion, event.at, verdict, wrong=wrong)

    def _line_given(self, line: str) -> None:
        """Carry out a line; an empty one only closed the prompt. An edit that is wrong stays to be mended."""
        from bptt_tui.tui.editing import CHECKED

        if line.partition(" ")[0] in CHECKED:
            self.perform(line)
            self._failed = (line, self.wrong) if self.wrong else ("", "")
            if self.wrong:
                self.say("")
                self._offer_again()
            else:
                self._put_away()
            return
        self._put_away()
        if line:
            self.carry_out(line)

    def _offer_again(self) -> None:
        from bptt_tui.debugger.completing import Completion

        if self._options is not None:
            self._options.offer(Completion(0, ()), None, self._failed[1], wrong=True)

    def _put_away(self) -> None:
        if self._prompt is not None:
            self._prompt.close()
        self._keys.display = self._message.display = True
        if self._options is not None:
            self._options.display = False
        if self.focused is self._prompt or self.focused is None:
            self.focus_pane()

    async def action_edit(self) -> None:
        """Change the present value: on the line, or entry by entry where it is a longer array."""
        from bptt_tui.tui.editing import as_line, editable

        found = editable(self.debugger.view)
        if found is None:
            await self.action_prompt("set ")
            return
        value = as_line(found)
        if value is not None:
            await self.action_prompt(f"set {found.name} = {value}", len(value))
            return
        from bptt_tui.tui.array_editor import ArrayEditor

        self.pause()

        def set_entry(line: str) -> str:
            self.perform(line, wait=True)
            return self.wrong

        self.app.push_screen(ArrayEditor(found, set_entry, lambda: editable(self.debugger.view)))

    async def action_edit_equation(self) -> None:
        """Change the present node's equation; it is checked as it is typed."""
        from bptt_tui.tui.editing import equation_of

        await self.action_prompt(f"equation {equation_of(self.debugger, self.debugger.view)}")

    def carry_out(self, line: str) -> None:
        """A typed line: a command of the debugger, or one about the file or the app."""
        word, _, rest = line.partition(" ")
        from bptt_tui.debugger.commands import COMMANDS

        if word in COMMANDS:
            self.perform(line)
        elif word in LEAVING and not rest:
            self.call_next(self.app.run_action, "quit")
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
