"""A session's whole derivation as a document.

The network, the walk with its notes, the forward pass, local partials, gradients, the table of the sum over time, the
questions that were asked, the attempts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from bptt_tui.export.attempts import attempts_section
from bptt_tui.export.document import Block, Document, Heading
from bptt_tui.export.given import network_section
from bptt_tui.export.gradients import gradients_section
from bptt_tui.export.over_time import table_section
from bptt_tui.export.passes import forward_section, partials_section
from bptt_tui.export.scene import Scene
from bptt_tui.export.walk import questions_section, walk_section
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Advance, Progress

_SECTIONS = (
    network_section,
    walk_section,
    forward_section,
    partials_section,
    gradients_section,
    table_section,
    questions_section,
    attempts_section,
)
# What of a session can be left out of its document.
PARTS = {"notes": walk_section, "questions": questions_section, "attempts": attempts_section}
_LONG = (gradients_section, table_section)  # a heading of the second level for every parameter


def compose(session: Session, progress: Progress | None = None, without: Collection[str] = ()) -> Document:
    """The document of a session; traces it where it has not been traced.

    Notes, chapters, questions with answers and attempts are in it where the session has any; `without` names those of
    PARTS that are left out.
    `progress(done, 100)` is told how much of it is written, and may raise to cancel.
    """
    scene = Scene(session)
    sections = [section for section in _SECTIONS if section not in {PARTS[part] for part in without}]
    # A part for every section and every parameter in it; truncating, one sweep for all, takes as long as those.
    share = _Share(len(sections) + len(scene.trace.gradient) * (1 + 2 * scene.unrolled.has_total), progress)
    scene.watch = share.watch
    blocks: list[Block] = []
    for section in sections:
        for block in section(scene):
            blocks.append(block)
            if section in _LONG and isinstance(block, Heading) and block.level == 2:
                share.part()
        share.part()
    share.whole()
    return Document(session.title or session.name, tuple(blocks))


class _Share:
    """How much of a document is written: whole parts, and of the present part what those say who work on it."""

    def __init__(self, parts: int, progress: Progress | None) -> None:
        self._of = parts + 1
        self._done = 0.0
        self._progress = progress
        self._told = 0

    def _tell(self, done: float) -> None:
        percent = int(100 * done / self._of)
        self._told = max(self._told, percent)
        if self._progress is not None:
            self._progress(self._told, 100)

    def part(self) -> None:
        """A part is done."""
        self._done += 1
        self._tell(min(self._done, self._of - 1))

    def whole(self) -> None:
        """All of it is done."""
        self._tell(self._of)

    def watch(self, count: int, parts: int = 0) -> Advance:
        """Follow some work over so many timesteps: within the present part, or so many parts long."""
        start, steps = self._done, 0
        self._done += parts

        def moved(done: int) -> None:
            nonlocal steps
            steps += done
            self._tell(min(start + (parts or 1) * min(steps / max(count, 1), 1.0), self._of - 1))

        return moved
