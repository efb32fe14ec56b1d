"""The errors a user can meet: what is wrong, where, and what would be right.

    BpttError                 anything below; the edge (command line, dialog) prints `str(error)` on one line
    ├── PlacedError           text that cannot be read; carries the text and the character
    │   ├── EquationError     of an equation
    │   └── FormulaError      of a derivative's formula
    ├── ShapeError            two shapes do not fit; carries the equation and both shapes
    ├── NetworkError          the equations are readable but no network: names, initial values, loss steps, sizes
    ├── SessionError          a session file cannot be read, used or written
    └── CommandError          a line of the debugger's language cannot be carried out

An error travels up unprinted. Each floor may add the place it knows with `at`: the network says `equation 2`, the
session turns that into `equations[1]` and puts the file's name in front. Text is made once, at the edge.
"""

from __future__ import annotations

from typing import Self


class BpttError(Exception):
    """What is wrong (`reason`), where (`places`, outermost first) and what would be right (`hint`)."""

    def __init__(self, reason: str, *, hint: str = "", places: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.places = places

    def at(self, place: str) -> Self:
        """This error with one more place in front, for `raise error.at("equations[1]")`."""
        self.places = (place, *self.places)
        return self

    def __str__(self) -> str:
        text = ": ".join((*self.places, self.reason))
        text = f"{text}; {self.hint}" if self.hint else text
        return text.replace("\r", "\\r").replace("\n", "\\n")  # one line, whatever names and paths have in them


class PlacedError(BpttError):
    """Text that cannot be read. `text` is the whole of it, `column` the character (from 0)."""

    def __init__(self, reason: str, *, text: str, column: int, hint: str = "") -> None:
        super().__init__(reason, hint=hint, places=(f"column {column + 1}",))
        self.text = text
        self.column = column

    def caret(self) -> str:
        """The text with a caret under the character, two lines."""
        return f"{self.text}\n{' ' * self.column}^"


class EquationError(PlacedError):
    """An equation that cannot be read."""


class FormulaError(PlacedError):
    """A formula of a derivative that cannot be read against the session's network."""


class ShapeError(BpttError):
    """Two shapes that do not fit, or a value whose shape is not the expected one."""


class NetworkError(BpttError):
    """Equations that are readable but make no network that can be traced."""


class SessionError(BpttError):
    """A session file that cannot be read, used or written."""


class CommandError(BpttError):
    """A line of the debugger's language that cannot be carried out; the debugger stays where it was."""
