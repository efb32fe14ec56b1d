"""Judge my derivation: the formula above, how it is understood, the verdict and the attempts below.

The screen gives the debugger `check` commands like any other key and draws the desk it hands up. It stays as it is
when it is left, so that coming back from a factor shows what was there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import TextArea
from textual.worker import Worker

from bptt_tui.debugger.attempts import Attempted, Desk, Reading
from bptt_tui.debugger.pace import StoppedError
from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui import beside
from bptt_tui.tui.bars import MessageBar
from bptt_tui.tui.derivation.attempts_pane import AttemptsPane
from bptt_tui.tui.derivation.bars import DerivationHeader, DerivationKeys
from bptt_tui.tui.derivation.formula_area import FormulaArea
from bptt_tui.tui.derivation.reading_bar import ReadingBar
from bptt_tui.tui.derivation.rows import Rows
from bptt_tui.tui.derivation.verdict_pane import VerdictPane
from bptt_tui.tui.layout import layout_classes

if TYPE_CHECKING:
    from bptt_tui.tui.commanding import Commanding

_PAUSE = 0.12  # seconds without a key before the text is read
_STILL = "still judging; esc stops it"
_PARTS = ("formula", "verdict", "attempts")
_EMPTY = (
    (("Write or paste a derivation above, or several. ", "plain"), ("enter", "accent"), (" judges.", "plain")),
    (),
    (("^l", "accent"), (" writes a left side, ∂E/∂ of each parameter in turn; ", "dim"), ("F1", "accent"),
     (" shows the notation.", "dim")),
)  # fmt: skip


class DerivationScreen(Screen[None]):
    """One desk for the debugger of a screen, through which its commands go, so that a replay is left properly."""

    AUTO_FOCUS = "#formula"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", show=False, id="derivation.leave"),
        Binding("tab", "next_part(1)", "next part", show=False, id="derivation.next", priority=True),
        Binding("shift+tab", "next_part(-1)", "part before", show=False, id="derivation.previous", priority=True),
        Binding("ctrl+l", "left_side", "a left side", show=False, id="derivation.left-side"),
        Binding("f1,question_mark", "notation", "notation", show=False, id="derivation.notation"),
        Binding("ctrl+s", "app.save", "save", show=False, id="derivation.save"),
    ]
    DEFAULT_CSS = """
    DerivationScreen {
        background: $background;
        overflow: hidden;
        #sheet {
            height: auto;
            border: round $foreground 22%;
            border-title-color: $primary;
            border-title-style: bold;
            border-subtitle-color: $foreground 50%;
            padding: 0 1;
            &:focus-within { border: round $accent 80%; border-title-color: $accent; }
        }
        #formula, #formula:focus {
            height: auto; min-height: 4; max-height: 9; background: $background; padding: 0; scrollbar-size: 1 1;
        }
        #lower { height: 1fr; }
        #attempts { width: 2fr; }
        #verdict { width: 5fr; }
    }
    DerivationScreen.-medium {
        #formula, #formula:focus { min-height: 3; max-height: 5; }
    }
    DerivationScreen.-small {
        #formula, #formula:focus { height: 1fr; max-height: 100%; }
        #sheet, Rows { border: none; padding: 0 0 0 1; width: 1fr; height: 1fr; }
    }
    """

    def __init__(self, main: Commanding) -> None:
        super().__init__()
        self._main = main
        self._debugger = main.debugger
        self._part = "formula"
        self._lower = "verdict"
        self._shown = ""
        self._readings: dict[str, Reading] = {}
        self._clock: Timer | None = None
        self._judging: Worker[None] | None = None
        self._held: Desk | None = None  # what lies on the desk while the debugger goes through a recording
        self._title = ""
        self._header = DerivationHeader(id="derivation-header")
        self._area = FormulaArea(id="formula")
        self._reading = ReadingBar(id="reading")
        self._sheet = Vertical(self._area, self._reading, id="sheet")
        self._attempts = AttemptsPane(id="attempts")
        self._verdict = VerdictPane(id="verdict")
        self._message = MessageBar(id="derivation-message")
        self._keys = DerivationKeys(id="derivation-keys")

    def compose(self) -> ComposeResult:
        self._sheet.border_title = Content("formula")
        self._sheet.border_subtitle = Content("enter judges · ^j new line")
        yield self._header
        yield self._sheet
        yield Horizontal(self._attempts, self._verdict, id="lower")
        yield self._message
        yield self._keys

    # --- what is drawn -------------------------------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """The numbers may be others now, and verdicts with them; a prediction may be open."""
        self._arrange()
        self.face(self._shown)
        self._read()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        self.set_classes(layout_classes(self.app.size))
        self._show_parts()

    def _show_parts(self) -> None:
        """At full size everything shows; smaller, the verdict or the attempts; smallest, one part."""
        small, full = self.has_class("-small"), self.has_class("-full")
        self._sheet.display = not small or self._part == "formula"
        self._verdict.display = full or (self._lower == "verdict" and (not small or self._part == "verdict"))
        self._attempts.display = full or (self._lower == "attempts" and (not small or self._part == "attempts"))
        self.query_one("#lower").display = not small or self._part != "formula"
        self._keys.show_keys(self._part)

    def refresh_desk(self) -> None:
        """Draw the attempts and the verdict that is shown, as far as it is known."""
        desk = self._desk
        if self._held is None:
            self._title = self._debugger.view.title
        self._header.show_desk(self._title, desk)
        self._attempts.show(desk, lambda formula: self._reading_of(formula).understood or formula)
        self._show_verdict()

    @property
    def _desk(self) -> Desk:
        return self._debugger.desk if self._held is None else self._held

    def face(self, formula: str) -> None:
        """Show the verdict of this attempt; the formula is written out where nothing else is."""
        self._shown = formula
        if not self.is_mounted:
            return
        if not self._area.text.strip():
            self._area.write(formula)
        for attempt in self._desk.attempts:
            if attempt.formula == formula:
                self._attempts.key = (attempt.number,)
        self.refresh_desk()

    def _show_verdict(self) -> None:
        desk = self._desk
        if desk.waits:
            self._verdict.show_text([(("waiting: ", "warning"), (desk.waits, "plain")), (), _PREDICTING])
            return
        found = next((one for one in desk.attempts if one.formula == self._shown), None)
        if found is not None and found.verdict is not None:
            self._verdict.show(found.verdict, self._reading_of(found.formula).understood)
        elif found is not None:
            self._verdict.show_text([((found.formula, "strong"),), (), _NOT_JUDGED])
        else:
            self._verdict.show_text(list(_EMPTY))

    def say(self, text: str, *, error: bool = False) -> None:
        """Put a text on the message line."""
        self._message.say(text, error=error)

    # --- reading as it is typed ----------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._clock is not None:
            self._clock.stop()
        self._clock = self.set_timer(_PAUSE, self._read)

    @on(FormulaArea.Moved)
    def _moved_in_text(self) -> None:
        self._show_reading()

    def _reading_of(self, formula: str) -> Reading:
        reading = self._readings.get(formula)
        if reading is None and self._held is not None:
            return Reading(formula, "")
        if reading is None:
            if len(self._readings) > 500:
                self._readings.clear()
            reading = self._readings[formula] = self._debugger.reading(formula)
        return reading

    def _read(self) -> None:
        """Read what is written, and say how the formula under the cursor is understood."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        self._show_reading()

    def _show_reading(self) -> None:
        if self._held is not None:
            return
        formulas, current = self._area.formulas, self._area.current
        if current is None:
            self._area.mark(None)
            self._reading.show_readings((), 0)
            return
        number = formulas.index(current)
        readings = [self._reading_of(one.text) for one in formulas]
        reading = readings[number]
        self._area.mark(current.start + reading.column if reading.error else None)
        self._reading.show_readings(readings, number)

    def on_paste(self, event: events.Paste) -> None:
        """Wherever the keys go, what is pasted is a formula."""
        event.stop()
        if self.focused is not self._area:
            self._go_to("formula")
            self._area.post_message(events.Paste(event.text))

    # --- judging -------------------------------------------------------------------------------------------------

    @on(FormulaArea.Given)
    def _given(self) -> None:
        if self._held is not None:
            self.say(_STILL)
            return
        self._read()
        formulas = self._area.formulas
        unreadable = [one for one in formulas if self._reading_of(one.text).error]
        if not formulas:
            self.say("nothing is written yet")
        elif unreadable:
            first = unreadable[0]
            self._area.go_to(first.start + self._reading_of(first.text).column)
            self._read()
            which = f"formula {formulas.index(first) + 1}" if len(formulas) > 1 else "the formula"
            self.say(f"{which} cannot be read yet; the cursor is where reading stopped", error=True)
        else:
            self._judge(list(dict.fromkeys(" ".join(one.text.split()) for one in formulas)), self._area.text)

    def _judge(self, formulas: list[str], written: str = "") -> None:
        if self._judging is not None and self._judging.is_running:
            self.say(_STILL)
            return
        self._judging = self.run_worker(self._judged(formulas, written), exclusive=True)

    async def _judged(self, formulas: list[str], written: str) -> None:
        """Come to the verdicts beside the screen, then give the commands, which have them at hand."""
        if not await self._rehearsed():
            return
        chosen = ""
        for number, formula in enumerate(formulas, 1):
            self.say(f"judging {number} of {len(formulas)} …" if len(formulas) > 1 else "judging …")
            try:
                if not self._debugger.desk.waits:
                    await asyncio.to_thread(self._debugger.ponder, formula)
            except BpttError as error:
                self.say(str(error), error=True)
                return
            if not self._main.perform(f"check {formula}", wait=True):
                self.refresh_desk()
                self.say(self._main.wrong, error=True)
                return
            verdict = self._debugger.view.verdict
            if not chosen and verdict is not None and not verdict.holds:
                chosen = formula
        self._area.judged = written
        self.face(chosen or formulas[-1])
        self.say(f"{len(formulas)} judged: see the attempts" if len(formulas) > 1 else "")
        if self.has_class("-small"):
            self._go_to("verdict")

    async def _rehearsed(self) -> bool:
        """Have the debugger go through what was recorded, beside the screen, where the first command would take long.

        False where that was stopped. Meanwhile nothing is asked of the debugger: what is shown is what was there.
        """
        if not self._main.rehearses_long:
            return True
        ended: asyncio.Future[View | BpttError] = asyncio.get_running_loop().create_future()

        def end(answer: View | BpttError) -> bool:
            if not ended.done():
                ended.set_result(answer)
            return True

        self._held = self._debugger.desk
        try:
            self._main.run_beside("recording", self._debugger.rehearse, end)
            while not ended.done():
                self.say(f"going through the recording · {self._main.share:.0%}, esc stops")
                await asyncio.wait([ended], timeout=beside.OFTEN)
        finally:
            self._held = None
        answer = ended.result()
        self._read()
        self.refresh_desk()
        if isinstance(answer, BpttError):
            self.say("stopped" if isinstance(answer, StoppedError) else str(answer), error=True)
            return False
        return True

    # --- attempts ------------------------------------------------------------------------------------------------

    def _attempt(self, number: int) -> Attempted | None:
        attempts = self._desk.attempts
        return attempts[number - 1] if 0 < number <= len(attempts) else None

    @on(Rows.Moved, "#attempts")
    def _looked_at(self, event: Rows.Moved) -> None:
        found = self._attempt(event.key[0])
        if found is not None:
            self._shown = found.formula
            self._show_verdict()

    @on(Rows.Chosen, "#attempts")
    def _judged_again(self, event: Rows.Chosen) -> None:
        found = self._attempt(event.key[0])
        if found is not None:
            self._judge([found.formula])

    @on(AttemptsPane.Edited)
    def _edited(self, event: AttemptsPane.Edited) -> None:
        found = self._attempt(event.number)
        if found is not None:
            self._area.write(found.formula)
            self._read()
            self._go_to("formula")

    @on(AttemptsPane.Deleted)
    def _deleted(self, event: AttemptsPane.Deleted) -> None:
        if self._judging is not None and self._judging.is_running:
            self.say(_STILL)
        elif self._main.rehearses_long:
            self._judging = self.run_worker(self._delete(event.number), exclusive=True)
        else:
            self._give_delete(event.number)

    async def _delete(self, number: int) -> None:
        if await self._rehearsed():
            self._give_delete(number)

    def _give_delete(self, number: int) -> None:
        done = self._main.perform(f"attempts delete {number}", wait=True)
        self.refresh_desk()
        self.say(self._debugger.view.message if done else self._main.wrong, error=not done)

    # --- moving about --------------------------------------------------------------------------------------------

    @on(Rows.Chosen, "#verdict")
    def _take_there(self, event: Rows.Chosen) -> None:
        place = self._verdict.place_of(event.key)
        if place:
            self.dismiss(None)
            self._main.action_command(f"goto {place}")
        else:
            self.say("the debugger has no place for this one")

    def action_leave(self) -> None:
        if self._held is not None:
            self._main.action_interrupt()  # the debugger is free again when the run has ended
        elif self._judging is not None and self._judging.is_running:
            self._judging.cancel()
            self.say("stopped")
        else:
            self.dismiss(None)

    def action_next_part(self, step: int) -> None:
        self._go_to(_PARTS[(_PARTS.index(self._part) + step) % len(_PARTS)])

    def _go_to(self, part: str) -> None:
        """Give the keys to this part, in sight."""
        self._part = part
        if part != "formula":
            self._lower = part
        self._show_parts()
        self.query_one(f"#{part}").focus(scroll_visible=False)

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        """A click into a part gives it the keys."""
        if event.widget.id in _PARTS and event.widget.id != self._part:
            self._part = event.widget.id
            self._lower = self._part if self._part != "formula" else self._lower
            self._show_parts()

    def action_left_side(self) -> None:
        """Write the next left side: in an empty line the first one, over one just written the one after it."""
        if self._held is not None:
            return
        table = self._debugger.view.contributions
        sides = [f"{table.label(row)} = " for row in range(len(table.rows))]
        if not sides:
            return
        row = self._area.cursor_location[0]
        line = self._area.document.get_line(row)
        if line in sides:
            following = sides[(sides.index(line) + 1) % len(sides)]
            self._area.replace(following, (row, 0), (row, len(line)), maintain_selection_offset=False)
        else:
            self._area.insert(("\n" if line.strip() else "") + sides[0], (row, len(line)))
            row += bool(line.strip())
        self._area.move_cursor((row, len(self._area.document.get_line(row))))
        self._go_to("formula")

    @on(FormulaArea.Asked)
    def action_notation(self) -> None:
        from bptt_tui.tui.derivation.notation import notation_text
        from bptt_tui.tui.dialogs import Notice

        self.app.push_screen(Notice("notation", notation_text(self.size.width)))


_NOT_JUDGED = (("not judged with these numbers yet; ", "dim"), ("enter", "accent"), (" judges it", "dim"))
_PREDICTING = ((": predict off", "accent"), (" shows verdicts again", "dim"))
