"""The screen on which a session is made: a network to start from, its equations, and the numbers they need.

What is typed is checked at every letter (`session.form`), and what is wrong stands at its field. Nothing is computed
here: the screen gives up a debugger on the session, made in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input, Static, TextArea

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.language.sanitise import visible
from bptt_tui.session import Session, load
from bptt_tui.session.finding import places
from bptt_tui.session.form import EMPTY, Wanted, check, form_of, given, place
from bptt_tui.tui.choice import Choice
from bptt_tui.tui.field import Field
from bptt_tui.tui.new_session_fields import Equations, Note, ValueRow
from bptt_tui.tui.opening_line import OpeningLine, Started
from bptt_tui.tui.player import Player

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress

_PRESENT, _NOTHING = "what is open now", "nothing"
_NARROW, _LOW = 70, 18
_AT_ONCE, _MOMENT = 0.05, 0.4  # seconds
_TEXTS = ("title", "loss_at", "steps", "seed", "scale")


class NewSession(Screen[Started | None]):
    """Gives a debugger on the session that was made, or None."""

    DEFAULT_CSS = """
    NewSession {
        background: $background;
        & #heading { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        & #form { height: 1fr; padding: 0 1; scrollbar-size: 1 1; }
        & .row { height: 1; }
        & .label { width: 11; height: 1; color: $foreground 60%; }
        & .word { width: auto; height: 1; padding: 0 1; color: $foreground 60%; }
        & #about { width: 1fr; height: 1; padding: 0 1; color: $foreground 60%; }
        & #about { text-wrap: nowrap; text-overflow: ellipsis; }
        & #title, #loss_at { width: 1fr; }
        & #steps, #seed, #scale { width: 10; }
        & #random { width: 1fr; }
        & Equations { width: 1fr; height: auto; max-height: 14; min-height: 3; border: none; padding: 0; }
        & .equations { height: auto; }
        & .fields > Note { padding-left: 11; }
        & .section { height: 1; margin-top: 1; color: $accent; text-style: bold; }
        & Button { margin: 1 0 0 11; }
        & OpeningLine { padding: 0 1; }
        & #keys { height: 1; background: $panel; padding: 0 1; }
    }
    NewSession.-narrow {
        & .label { width: 10; }
        & .fields > Note { padding-left: 0; }
        & .section { margin-top: 0; }
        & Button { margin: 0; }
        & #about { display: none; }
        & #steps, #seed, #scale { width: 6; }
        & ValueRow .line { layout: vertical; height: 2; }
        & ValueRow .what { width: 1fr; }
        & ValueRow .shape { width: 1fr; }
        & ValueRow .name { width: 7; }
        & ValueRow .word { width: 7; }
        & ValueRow .numbers { padding-left: 7; }
        & ValueRow Note { padding-left: 7; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "make", "open it", show=False, priority=True, id="new.make"),
        Binding("escape", "leave", "leave", show=False, id="new.leave"),
        Binding("down", "app.focus_next", "next field", show=False, id="new.next"),
        Binding("up", "app.focus_previous", "previous field", show=False, id="new.previous"),
    ]
    AUTO_FOCUS = "#start"

    def __init__(self, present: Session, size: Size) -> None:
        super().__init__(classes="-narrow" if size.width < _NARROW else "")
        self._present = present
        self._networks = {found.name: found.title for found in places("") if found.kind == "network"}
        self._form = self._begun = form_of(present)
        self._checked = check(self._form)
        self._rows: dict[str, ValueRow] = {}
        self._warned = False
        self._cost = 0.0
        self._clock: Timer | None = None
        form = self._form
        self._start = Choice((_PRESENT, *self._networks, _NOTHING), _PRESENT, id="start")
        self._about = Static(id="about")
        self._fields = {
            "title": Field(form.title, placeholder="a title", id="title"),
            "loss_at": Field(form.loss_at, placeholder="last", id="loss_at"),
            "steps": Field(form.steps, placeholder="T", id="steps"),
            "seed": Field(form.seed, placeholder="1", id="seed"),
            "scale": Field(form.scale, placeholder="0.5", id="scale"),
        }
        self._equations = Equations(form.equations, show_line_numbers=True, tab_behavior="focus", compact=True)
        self._equations.cursor_blink = False
        self._reduction = Choice(("sum", "mean"), form.reduction, id="reduction")
        self._notes = {name: Note() for name in ("equations", "loss_at", "steps", "random")}
        self._values = Vertical(classes="fields")
        self._values.styles.height = "auto"
        self._line = OpeningLine()

    def compose(self) -> ComposeResult:
        yield Static(Content("a new session"), id="heading")
        with VerticalScroll(id="form", can_focus=False), Vertical(classes="fields") as fields:
            fields.styles.height = "auto"
            yield from self._line_of("start", self._start, self._about)
            yield from self._line_of("title", self._fields["title"])
            with Horizontal(classes="row equations"):
                yield Static("equations", classes="label")
                yield self._equations
            yield self._notes["equations"]
            yield from self._line_of("loss at", self._fields["loss_at"], self._reduction, *self._word("T", "steps"))
            yield self._notes["loss_at"]
            yield self._notes["steps"]
            yield from self._line_of("random", *self._word("seed", "seed"), *self._word("scale", "scale"))
            yield self._notes["random"]
            yield Static(Content("values"), classes="section")
            yield self._values
            yield Button("open it", compact=True, id="make")
        yield self._line
        yield Static(
            Content.assemble(
                *[part for key, what in (("^s", "open it"), ("tab", "next"), ("esc", "leave"))
                  for part in ((key, "bold $accent"), f" {what}  ")]
            ),
            id="keys",
        )  # fmt: skip

    def _line_of(self, label: str, *widgets: Widget) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(label, classes="label")
            yield from widgets

    def _word(self, word: str, field: str) -> tuple[Widget, Widget]:
        return Static(word, classes="word"), self._fields[field]

    async def on_mount(self) -> None:
        await self._show()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < _NARROW, "-narrow")
        if "equations" in self._checked.errors:
            self._line.say("")
            self._tell_equations()

    # What is typed

    @on(Choice.Changed, "#start")
    async def _started_from(self, event: Choice.Changed) -> None:
        """Fill in the form anew."""
        name = event.choice.value
        source = self._present if name == _PRESENT else None if name == _NOTHING else load(name)
        self._begun = EMPTY if source is None else form_of(source)
        self._form = self._begun
        for row in self._rows.values():
            row.remove()
        self._rows = {}
        with self.prevent(Input.Changed, TextArea.Changed, Choice.Changed):
            for field, widget in self._fields.items():
                widget.value = getattr(self._form, field)
            self._equations.text = self._form.equations
            self._reduction.choose(self._form.reduction)
        await self._show()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Choice.Changed)
    async def _typed(self, event: Input.Changed | TextArea.Changed | Choice.Changed) -> None:
        if event.control is self._start:
            return
        row = next((one for one in event.control.ancestors if isinstance(one, ValueRow)), None)
        if row is not None and row is not self._rows.get(row.need.key):
            return  # it has just been taken away
        typed = {key: shown.typed for key, shown in self._rows.items()}
        form = self._form.but(
            equations=self._equations.text,
            reduction=self._reduction.value,
            given={**self._form.given, **typed},
            **{name: self._fields[name].value for name in _TEXTS},
        )
        if form != self._form:
            self._form = form
            self._warned = False
            self._line.give_up()
            self._line.say("")
            if self._cost < _AT_ONCE:
                await self._show()
            else:
                self._soon()

    def _soon(self) -> None:
        """What takes long to check is checked when nothing has been typed for a moment."""
        if self._clock is not None:
            self._clock.stop()
        self._clock = self.set_timer(_MOMENT, self._show)

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    # What is to be said of it

    async def _show(self) -> None:
        """Check the form and show what came of it, at every field."""
        began = time.monotonic()
        self._checked = checked = check(self._form)
        self._cost = time.monotonic() - began
        if checked.wanted is not None:
            await self._show_rows(checked.wanted)
        for row in self._rows.values():
            row.tell(checked)
        self._tell_equations()
        for field in ("loss_at", "steps"):
            self._notes[field].say(checked.errors.get(field, ""), error=True)
        self._notes["random"].say(checked.errors.get("seed") or checked.errors.get("scale", ""), error=True)
        if error := checked.errors.get(""):
            self._line.say(error, error=True)
        self._about.update(Content(visible(self._networks.get(self._start.value, ""))))

    async def _show_rows(self, wanted: tuple[Wanted, ...]) -> None:
        """One row for each name; those that stay keep what is typed in them, and the keys."""
        order = sorted(wanted, key=lambda need: need.kinds[0] == "initial")
        keys = {need.key: need for need in order}
        for key, row in list(self._rows.items()):
            if key not in keys or row.need.kinds != keys[key].kinds:
                del self._rows[key]
                await row.remove()
        rows: dict[str, ValueRow] = {}
        before: Widget | None = None
        for need in reversed(order):
            if need.key in self._rows:
                row = self._rows[need.key]
            else:
                row = ValueRow(need, given(self._form, need))
                await (self._values.mount(row) if before is None else self._values.mount(row, before=before))
            rows[need.key] = before = row
        self._rows = dict(reversed(rows.items()))

    def _tell_equations(self) -> None:
        """What is wrong with the equations, below them; on a low screen, where that is out of sight, at the foot."""
        text = self._pointed_at()
        low = self.size.height < _LOW
        self._notes["equations"].say("" if low else text, error=True)
        if low and text:
            self._line.say(text, error=True)

    def _pointed_at(self) -> str:
        """The error and, where it is in an equation, that with a caret under the character."""
        text = self._checked.errors.get("equations", "")
        caret = self._checked.caret
        if text and caret is not None:
            _, equation, column = caret
            room = max(self.size.width - 16, 20)
            first = 0 if len(equation) <= room else max(0, column - room + 8)
            window = visible(equation)[first : first + room]
            text += f"\n  {window}\n  {' ' * (column - first)}^"
        return text

    # Making and leaving

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_make()

    def action_make(self) -> None:
        """Open the debugger on it, or go to the first field that is wrong."""
        self._checked = check(self._form)
        session = self._checked.session
        if session is None:
            self._go_to_error()
            return
        self._line.begin(partial(_made, session), session.title or "the new session")

    @on(OpeningLine.Made)
    def _opened(self, event: OpeningLine.Made) -> None:
        self.dismiss(event.started)

    @on(OpeningLine.Failed)
    def _failed(self, event: OpeningLine.Failed) -> None:
        errors = place(self._form, event.error)
        self._checked = self._checked._replace(errors=errors)
        for row in self._rows.values():
            row.tell(self._checked)
        self._tell_equations()
        self._go_to_error()

    def _go_to_error(self) -> None:
        """The keys go to the first field that is not right, and the line at the foot says why."""
        errors = self._checked.errors
        fields: dict[str, Callable[[], object]] = {
            "equations": self._equations.focus,
            **{name: self._fields[name].focus for name in ("loss_at", "steps", "seed", "scale")},
        }
        for key, row in self._rows.items():
            fields[f"shape {key}"] = partial(row.go_to, "shape")
            fields[f"value {key}"] = partial(row.go_to, "value")
        found = [field for field in fields if field in errors] or list(errors)
        more = f" · {len(errors) - 1} more" if len(errors) > 1 else ""
        if found[0] != "equations":
            self._line.say(errors[found[0]] + more, error=True)
        elif self.size.height >= _LOW:
            self._line.say("the equations are not right yet" + more, error=True)
        if found[0] in fields:
            self.call_after_refresh(fields[found[0]])
        if found[0] == "equations" and self._checked.caret is not None:
            line, equation, column = self._checked.caret
            indent = self._equations.document.get_line(line).find(equation)
            self._equations.move_cursor((line, column + max(indent, 0)))

    def action_leave(self) -> None:
        """Without a session; what was typed is lost, which is said first."""
        if self._line.give_up():
            return
        if self._form != self._begun and not self._warned:
            self._warned = True
            self._line.say("esc again leaves; what is typed here is not kept")
            return
        self.dismiss(None)


def _made(session: Session, progress: Progress) -> Started:
    session.trace(progress)
    return Started(Debugger(session), Player())
