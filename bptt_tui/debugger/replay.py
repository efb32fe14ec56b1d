"""Playing a recording: at its pace, to any entry, and left and taken up again at any moment.

    replay = Replay(session.recording, speed=2)
    replay.begin(debugger)                    # at the recording's beginning; the lesson itself stays as it is
    replay.give(debugger)                     # the next command; `replay.wait()` is how long to wait before it
    replay.scrub(debugger, 12)                # as after the first twelve commands
    replay.take_over(debugger)                # explore: debugger.do(...)
    replay.resume(debugger)                   # exactly where it was left

Playing adds nothing to the recording, and neither does exploring, unless `take_over(record=True)` asks for it: what
is explored then becomes the end of the lesson. The debugger's bookmarks make all of it cheap: a state is remembered
after every entry that was reached, so scrubbing to one of them computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bptt_tui.debugger.debugger import Debugger
from bptt_tui.debugger.state import Bookmark
from bptt_tui.debugger.view import View
from bptt_tui.errors import CommandError
from bptt_tui.session import Chapter, Recorded

LONGEST = 4.0  # seconds; a longer pause is cut, so that a recording made over lunch can be watched
SHORTEST = 0.02


class Replay:
    """A recording, and how many of its commands have been given (`index`). Who plays it keeps the clock."""

    def __init__(self, recording: Sequence[Recorded], *, speed: float = 1.0) -> None:
        self.recording = tuple(recording)
        self.speed = speed
        self.index = 0
        self._reached: list[Bookmark] = []
        self._left: Bookmark | None = None

    # --- what is to be known ---------------------------------------------------------------------------------------

    @property
    def command(self) -> str | None:
        """The next command; None at the end."""
        return None if self.finished else self.recording[self.index].command

    @property
    def finished(self) -> bool:
        """Whether every command has been given."""
        return self.index >= len(self.recording)

    @property
    def exploring(self) -> bool:
        """Whether the replay was left, to be resumed."""
        return self._left is not None

    def wait(self) -> float:
        """Seconds between the last command and the next, at this speed."""
        if self.finished:
            return 0.0
        before = self.recording[self.index - 1].at if self.index else 0.0
        pause = max(self.recording[self.index].at - before, 0.0) / self.speed
        return min(max(pause, SHORTEST), LONGEST)

    def starts(self, chapters: Sequence[Chapter]) -> tuple[tuple[int, str], ...]:
        """After how many commands each chapter begins, with its title; only what has been reached or looked at."""
        found = []
        ends = [chapter.position for chapter in chapters[1:]]
        for chapter, end in zip(chapters, [*ends, None], strict=False):
            for index, bookmark in enumerate(self._reached):
                position = bookmark.state.cursor.position
                if position >= chapter.position and (end is None or position < end):
                    found.append((index, chapter.title))
                    break
        return tuple(found)

    def first_at(self, position: int) -> int | None:
        """After how many commands it first stands at a position; None where it does not, as far as is known."""
        places = (bookmark.state.cursor.position for bookmark in self._reached)
        return next((index for index, place in enumerate(places) if place == position), None)

    # --- playing ---------------------------------------------------------------------------------------------------

    def begin(self, debugger: Debugger) -> View:
        """Go to where the recording begins."""
        debugger.restore(debugger.beginning())
        self._reached = [debugger.bookmark()]
        self.index = 0
        self._left = None
        return debugger.view

    def give(self, debugger: Debugger) -> View:
        """Carry out the next command; at the end nothing."""
        if self.exploring:
            raise CommandError("the replay has been left", hint="resume it first")
        if not self.finished:
            self._advance(debugger)
        return debugger.view

    def _advance(self, debugger: Debugger) -> None:
        if not self._reached:
            self.begin(debugger)
        if self.index + 1 < len(self._reached):
            debugger.restore(self._reached[self.index + 1])
        else:
            try:
                debugger.follow(self.recording[self.index].command)
            except CommandError as error:
                raise error.at(f"recording[{self.index}]") from None
            self._reached.append(debugger.bookmark())
        self.index += 1

    def scrub(self, debugger: Debugger, index: int) -> View:
        """Stand as after the first `index` commands, given from the beginning; the ends hold."""
        if self.exploring:
            raise CommandError("the replay has been left", hint="resume it first")
        if not self._reached:
            self.begin(debugger)
        index = min(max(index, 0), len(self.recording))
        self.index = min(index, len(self._reached) - 1)
        debugger.restore(self._reached[self.index])
        while self.index < index:
            self._advance(debugger)
        return debugger.view

    def look_ahead(self, debugger: Debugger, enough: Callable[[], bool]) -> None:
        """Learn where the commands lead, until the end, one that cannot be carried out, or `enough()`; stay here."""
        here, interrupt = self.index, debugger.interrupt
        debugger.interrupt = enough  # a long run too
        try:
            while not self.finished and not enough():
                self._advance(debugger)
        except CommandError:
            pass  # told when the replay comes there
        finally:
            debugger.interrupt = interrupt
        self.index = here
        debugger.restore(self._reached[here])

    # --- leaving and coming back -----------------------------------------------------------------------------------

    def take_over(self, debugger: Debugger, *, record: bool = False) -> None:
        """Leave the replay; what the debugger is told from now on is exploring."""
        if not self._reached:
            self.begin(debugger)
        if self._left is None:
            self._left = debugger.bookmark()
        debugger.record_onto(self.recording[: self.index] if record else None)

    def resume(self, debugger: Debugger) -> View:
        """Stand exactly where the replay was left."""
        if self._left is not None:
            debugger.restore(self._left)
            self._left = None
        return debugger.view
