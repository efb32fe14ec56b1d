"""The dialogs of the debugger's screen that list what there is: stops, notes and chapters, changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bptt_tui.debugger.comparing import percent
from bptt_tui.debugger.view import Compared, Comparison, Missing, Shown
from bptt_tui.tui.chooser import Choice, Chooser
from bptt_tui.tui.commanding import Commanding
from bptt_tui.tui.figures import shown
from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.markdown import rendered

if TYPE_CHECKING:
    from bptt_tui.debugger.debugger import Debugger

_BEHIND = 46  # cells beside a stop's text: the border, its number, its kind, its hits, whether it is here
_PLACE = re.compile(r"[^\s*\[]+\[\d+\]")  # a stop at one node, without pattern and condition


class Listing:
    """Makes the dialogs for one screen; what is chosen in them is a command it performs."""

    def __init__(self, screen: Commanding) -> None:
        self._screen = screen

    @property
    def _debugger(self) -> Debugger:
        return self._screen.debugger

    # --- breakpoints and watches -----------------------------------------------------------------------------------

    def stops(self) -> Chooser:
        """Breakpoints and watches: on and off, another condition, delete, go there."""
        choices = [
            Choice("enter", "enter", "goes there", self._go_to_stop, closes=True),
            Choice("space", "space", "on/off", self._toggle),
            Choice("c", "c", "condition", self._ask_condition, closes=True),
            Choice("d", "d", "deletes", lambda at: self._screen.perform(f"delete {self._number(at)}", wait=True)),
        ]
        key = self._screen.key
        empty = (
            f"none yet: breakpoints and watches, at which {key('run.continue')} stops; "
            f"{key('run.break')} sets a breakpoint at this step, {key('run.watch')} watches a value"
        )
        return Chooser("breakpoints and watches", self._stop_rows, choices, empty=empty)

    def _stop_rows(self) -> list[Line]:
        rows = self._debugger.view.breakpoints
        wide = max((width_of(row.text) for row in rows), default=0)
        if wide + _BEHIND > self._screen.app.size.width:  # what stands behind a short text is seen all the same
            wide = 0
        return [
            (
                ("● " if row.enabled else "○ ", "warning" if row.enabled else "faint"),
                (f"{row.number:>2}  ", "dim"),
                (fitted(row.text, max(wide, width_of(row.text))), "plain" if row.enabled else "dim"),
                (f"  {row.kind}", "dim"),
                (f"  {row.hits} hit{'s' * (row.hits != 1)}" if row.hits else "", "dim"),
                ("  ◂ here" if row.here else "", "accent"),
            )
            for row in rows
        ]

    def _number(self, at: int) -> int:
        return self._debugger.view.breakpoints[at].number

    def _toggle(self, at: int) -> None:
        row = self._debugger.view.breakpoints[at]
        self._screen.perform(f"{'disable' if row.enabled else 'enable'} {row.number}", wait=True)

    def _ask_condition(self, at: int) -> None:
        row = self._debugger.view.breakpoints[at]
        condition = re.split(r"(?:^|\s)if\s", row.text, maxsplit=1)[1:]
        line = f"condition {row.number} {condition[0] if condition else ''}"
        self._screen.call_next(self._screen.run_action, f"prompt({line!r})")

    def _go_to_stop(self, at: int) -> None:
        row = self._debugger.view.breakpoints[at]
        if row.kind == "watch":
            self._screen.action_command("continue")
        elif _PLACE.fullmatch(row.text):
            self._screen.action_command(f"goto {row.text}")
        else:
            self._screen.action_command(f"until {row.text}")

    # --- notes and chapters ----------------------------------------------------------------------------------------

    def contents(self) -> Chooser:
        """Chapters and notes in the order of their positions."""
        here = self._debugger.cursor.position
        at = max((i for i, (position, _) in enumerate(self._contents()) if position <= here), default=0)
        choices = [Choice("enter", "enter", "goes there", self._go_to_note, closes=True)]
        key = self._screen.key("note.write")
        return Chooser(
            "chapters and notes",
            lambda: [line for _, line in self._contents()],
            choices,
            at=at,
            empty=f"none yet: texts pinned to steps, and chapters that begin at them; {key} writes one at this step",
        )

    def _contents(self) -> list[tuple[int, Line]]:
        state = self._debugger.state
        entries: list[tuple[int, int, Line]] = []
        for number, chapter in enumerate(state.chapters, 1):
            entries.append((chapter.position, 0, ((f"{number}. {chapter.title}", "title"),)))
        for note in state.notes:
            first = next((line for line in rendered(note.text, 60) if line), ())
            entries.append((note.position, 1, (("   ", "plain"), *first)))
        width = len(str(self._debugger.last))
        entries.sort(key=lambda entry: entry[:2])
        return [(position, ((f"{position:>{width}}  ", "dim"), *line)) for position, _, line in entries]

    def _go_to_note(self, at: int) -> None:
        self._screen.go_to_position(self._contents()[at][0])

    # --- changes and what they did ---------------------------------------------------------------------------------

    def changes(self) -> Chooser:
        """Old and new gradient side by side, and the edits that can be undone and redone."""
        choices = [
            Choice("U", "U", "undoes", lambda _at: self._screen.perform("undo", wait=True)),
            Choice("ctrl+r", "^r", "redoes", lambda _at: self._screen.perform("redo", wait=True)),
            Choice("B", "B", "compares with now", lambda _at: self._screen.perform("baseline", wait=True)),
        ]
        key = self._screen.key
        empty = (
            "none yet: each change of a value or an equation, and what became of the gradient; "
            f"{key('edit.set')} changes a value, {key('edit.equation')} an equation"
        )
        return Chooser("changes", self._change_rows, choices, empty=empty)

    def _change_rows(self) -> list[Line]:
        view, edits = self._debugger.view, self._debugger.state.edits
        lines: list[Line] = []
        if view.comparison is not None:
            lines += compared_table(view.comparison, narrow=self._screen.app.size.width < 80)
        elif self._debugger.state.predict is not None and edits.past:
            lines.append((("gradients are hidden in predict mode", "dim"),))
        if edits.past or edits.future:
            lines += [()] if lines else []
            lines += [((f"{number:>2}  ", "dim"), (made.words, "plain")) for number, made in enumerate(edits.past, 1)]
            lines.append((("──  now", "accent"),))
            lines += [(("  ↻ ", "dim"), (undone.words, "dim")) for undone in edits.future]
        return lines


def compared_table(comparison: Comparison, *, narrow: bool = False) -> list[Line]:
    """Before, after, difference and relative change of the loss and of each gradient; `narrow` has no difference."""
    widths = (9, 9, 9) if narrow else (16, 16, 16, 16)
    heads = ("before", "after", "relative") if narrow else ("before", "after", "difference", "relative")
    rows = (comparison.loss, *comparison.rows)
    label = max(width_of(row.label) for row in rows)
    table: list[list[Run]] = [[("", "dim"), *((head, "dim") for head in heads)]]
    for row in rows:
        values = _inked(row)[: len(heads) - 1]
        numbers = [(shown(value, width - 1), ink) for (value, ink), width in zip(values, widths, strict=False)]
        table.append([(row.label, "name"), *numbers, (percent(row), "accent")])
    return [
        (
            (fitted(line[0][0], label), line[0][1]),
            *((fitted(text, width, "right"), ink) for (text, ink), width in zip(line[1:], widths, strict=True)),
        )
        for line in table
    ]


def _inked(row: Compared) -> list[tuple[Shown, str]]:
    changed = not isinstance(row.difference, Missing) and bool(row.difference.any())
    return [(row.before, "plain"), (row.after, "strong"), (row.difference, "plain" if changed else "faint")]
