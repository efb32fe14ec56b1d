"""The bar of a replay: how far it is, where its chapters begin; a click goes there.

▶ ━━━━◆━━━━━━━━●──────◇────────────◇─────  12 of 40 ×2  going backward
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.message import Message

from bptt_tui.tui.ink import Line, Run, fitted, width_of
from bptt_tui.tui.pane import Bar
from bptt_tui.tui.player import Player

_HEAD = 3  # cells before the track


class PlayBar(Bar):
    """One line below the header, there while a recording is replayed."""

    class Sought(Message):
        """The learner clicked on the place after `index` commands."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._index = 0
        self._of = 0
        self._starts: tuple[tuple[int, str], ...] = ()
        self._glyph = ""
        self._times = ""
        self.display = False

    def follow(self, player: Player, starts: tuple[tuple[int, str], ...]) -> None:
        """Show where the player is; `starts` tells after how many commands chapters begin, with their titles."""
        replay = player.replay
        if self.display != (replay is not None):
            self.display = replay is not None
        if replay is not None:
            self._index, self._of, self._starts = replay.index, len(replay.recording), starts
            self._glyph = "◇" if player.exploring else "▶" if player.playing else "⏸"
            self._times = "" if player.speed == 1 else f" ×{player.speed:g}"
            self.refresh()

    def _tail(self, width: int) -> str:
        """What stands behind the track."""
        place = f"  {self._index} of {self._of}{self._times}"
        begun = [title for index, title in self._starts if index <= self._index]
        if not begun or width < 70:
            return place
        room = max(width // 3 - width_of(place), 8)
        return f"{place}  {fitted(begun[-1], min(room, width_of(begun[-1])))}"

    def _track(self, width: int) -> int:
        return max(width - _HEAD - width_of(self._tail(width)) - 1, 1)

    def _cell(self, index: int, track: int) -> int:
        """The cell of the track that stands for `index`."""
        return round(index * (track - 1) / max(self._of, 1))

    def line(self, width: int) -> Line:
        track = self._track(width)
        here = self._cell(self._index, track)
        chapters = {self._cell(index, track) for index, _ in self._starts}
        runs: list[Run] = [(f" {self._glyph} ", "accent")]
        for cell in range(track):
            done = cell < here
            if cell == here:
                runs.append(("●", "accent"))
            elif cell in chapters:
                runs.append(("◆" if done else "◇", "title"))
            else:
                runs.append(("━" if done else "─", "name" if done else "faint"))
        return (*runs, (self._tail(width), "dim"))

    def on_click(self, event: events.Click) -> None:
        track = self._track(self.size.width)
        at = event.x - _HEAD
        if 0 <= at < track:
            chapters = [index for index, _ in self._starts if self._cell(index, track) == at]
            index = chapters[0] if chapters else round(at * self._of / max(track - 1, 1))
            self.post_message(self.Sought(index))
