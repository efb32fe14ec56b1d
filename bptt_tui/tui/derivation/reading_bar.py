"""Under the formula, as it is typed: how it is understood, or where it stops being readable and what was expected."""

from __future__ import annotations

from collections.abc import Sequence

from bptt_tui.debugger.attempts import Reading
from bptt_tui.derivation.judging.lines import unreadable
from bptt_tui.tui.ink import Line, Run, clipped, wrapped
from bptt_tui.tui.pane import Bar

_LINES = 4


class ReadingBar(Bar):
    """The reading of the formula that the cursor stands in, and how many of all can be read."""

    DEFAULT_CSS = "ReadingBar { height: auto; max-height: 4; background: $background; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._reading: Reading | None = None
        self._number = 0
        self._readings: Sequence[Reading] = ()

    def show_readings(self, readings: Sequence[Reading], number: int) -> None:
        """Of these formulas, tell of `number`, from 0."""
        before = len(self.lines(self.size.width))
        self._readings, self._number = readings, number
        self._reading = readings[number] if number < len(readings) else None
        self.refresh(layout=len(self.lines(self.size.width)) != before)

    def lines(self, width: int) -> list[Line]:
        """At most four lines; what is longer ends in `…`."""
        reading = self._reading
        if reading is None:
            return wrapped((("dE/dw = …, or LaTeX; several formulas, one a line", "dim"),), max(width, 8))
        head = self._head()
        if not reading.error:
            said = wrapped((*head, ("reads ", "dim"), (reading.understood, "plain")), max(width, 8), indent=2)
            return said if len(said) <= _LINES else [*said[: _LINES - 1], (*said[_LINES - 1][:-1], ("  …", "dim"))]
        said = wrapped((("✗ ", "error"), *head, (reading.error, "plain")), max(width, 8), indent=2)
        if len(said) > 2:
            said = [said[0], clipped((*said[1], (" …", "dim")), width)]
        return [*self._excerpt(reading, width), *said]

    def _head(self) -> tuple[Run, ...]:
        if len(self._readings) < 2:
            return ()
        return ((f"{self._number + 1} of {len(self._readings)}: ", "dim"),)

    @staticmethod
    def _excerpt(reading: Reading, width: int) -> list[Line]:
        text, caret = unreadable(reading.formula, reading.column, max(width - 2, 8))
        return [(("  ", "plain"), (text, "strong")), (("  ", "plain"), (caret, "error"))]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return min(len(self.lines(width)), _LINES)
