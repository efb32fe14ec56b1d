"""The dialog that opens another session: a line to type in, and below it what the text can become.

Every letter narrows the list of the sessions known by name; a path is completed, directory by directory. What cannot
be opened is said in the dialog, which stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from bptt_tui.language.sanitise import visible
from bptt_tui.session.finding import Kind, Place, completed, loadable, places
from bptt_tui.tui.dialog import Dialog
from bptt_tui.tui.field import Field
from bptt_tui.tui.ink import width_of
from bptt_tui.tui.opening_line import OpeningLine, Started

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress

_HEADINGS: dict[Kind, str] = {
    "recent": "opened lately",
    "network": "networks",
    "lesson": "lessons, which play by themselves",
    "directory": "files",
    "file": "files",
}


class OpenDialog(Dialog[Started | None]):
    """Gives what was chosen, made by `make(name or path, plays, progress)`."""

    DEFAULT_CSS = """
    OpenDialog {
        & > Vertical { width: 96; padding: 0 1; }
        & OptionList {
            max-height: 1fr;
            margin-top: 0;
            scrollbar-size: 1 1;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False, id="open.cancel"),
        Binding("tab", "complete", "complete", show=False, priority=True, id="open.complete"),
        Binding("up", "move('cursor_up')", "up", show=False, priority=True, id="open.up"),
        Binding("down", "move('cursor_down')", "down", show=False, priority=True, id="open.down"),
        Binding("pageup", "move('page_up')", "page up", show=False, priority=True, id="open.page-up"),
        Binding("pagedown", "move('page_down')", "page down", show=False, priority=True, id="open.page-down"),
    ]

    def __init__(self, make: Callable[[str, bool, Progress], Started]) -> None:
        super().__init__()
        self._make = make
        self._found: tuple[Place, ...] = ()
        self._line = OpeningLine()
        self._list = OptionList(compact=True)
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = Content("open a session")
        box.border_subtitle = Content("enter opens · tab completes")
        with box:
            yield Field(placeholder="a name, or the path of a file")
            yield self._list
            yield self._line

    def on_mount(self) -> None:
        self._narrow("")

    def _narrow(self, typed: str) -> None:
        """List what the text can become."""
        self._found = places(typed)
        column = max([width_of(visible(place.name)) for place in self._found if place.title], default=0) + 2
        options: list[Option] = []
        heading = ""
        for number, place in enumerate(self._found):
            if _HEADINGS[place.kind] != heading:
                heading = _HEADINGS[place.kind]
                options.append(Option(Content.styled(heading, "$foreground 60%"), disabled=True))
            options.append(Option(_row(place, column), id=str(number)))
        self._list.clear_options()
        self._list.add_options(options)
        self._list.highlighted = 1 if options else None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._line.give_up()
        self._line.say("")
        self._narrow(event.value.strip())

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        place = self._chosen()
        if place is not None:
            self._take(place)
        elif typed := event.value.strip():
            self._open(loadable(typed), plays=False)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if event.option_id is not None:
            self._take(self._found[int(event.option_id)])

    def _chosen(self) -> Place | None:
        option = self._list.highlighted_option
        return None if option is None or option.id is None else self._found[int(option.id)]

    def _take(self, place: Place) -> None:
        """Open it, or look into it where it is a directory."""
        if place.kind == "directory":
            self._write(place.target)
        else:
            self._open(loadable(place.target, is_file=place.kind == "file"), plays=place.kind == "lesson")

    def _open(self, name: str, plays: bool) -> None:
        self._line.begin(lambda progress: self._make(name, plays, progress), name)

    @on(OpeningLine.Made)
    def _made(self, event: OpeningLine.Made) -> None:
        self.dismiss(event.started)

    def action_complete(self) -> None:
        """As far as the paths agree; then to the one that is chosen."""
        typed = self.query_one(Field).value.strip()
        further = completed(typed, self._found)
        place = self._chosen()
        if further == typed and place is not None:
            further = place.target
        self._write(further)

    def _write(self, text: str) -> None:
        field = self.query_one(Field)
        field.value = text
        field.cursor_position = len(text)
        field.focus()

    def action_move(self, action: str) -> None:
        getattr(self._list, f"action_{action}")()

    def action_cancel(self) -> None:
        if not self._line.give_up():
            self.dismiss(None)


def _row(place: Place, column: int) -> Content:
    name = visible(place.name)
    if not place.title:
        return Content.assemble("  ", (name, "bold"))
    room = " " * max(column - width_of(name), 1)
    return Content.assemble("  ", (name, "bold"), room, (visible(place.title), "$foreground 75%"))
