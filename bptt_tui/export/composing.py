"""A session's whole derivation as a document: network, forward pass, local partials, gradients, table, attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt_tui.export.attempts import attempts_section
from bptt_tui.export.document import Block, Document, Heading
from bptt_tui.export.given import network_section
from bptt_tui.export.gradients import gradients_section
from bptt_tui.export.over_time import table_section
from bptt_tui.export.passes import forward_section, partials_section
from bptt_tui.export.scene import Scene
from bptt_tui.session import Session

if TYPE_CHECKING:
    from bptt_tui.trace.progress import Progress

_SECTIONS = (
    network_section,
    forward_section,
    partials_section,
    gradients_section,
    table_section,
    attempts_section,
)
_LONG = (gradients_section, table_section)  # a heading of the second level for every parameter


def compose(session: Session, progress: Progress | None = None) -> Document:
    """The document of a session; traces it where it has not been traced.

    `progress(done, of)` is told of the sections and their parts, and may raise to cancel.
    """
    scene = Scene(session)
    done, of = 0, len(_SECTIONS) + len(scene.trace.gradient) * (1 + scene.unrolled.has_total)
    blocks: list[Block] = []
    for section in _SECTIONS:
        for block in section(scene):
            blocks.append(block)
            if progress is not None and section in _LONG and isinstance(block, Heading) and block.level > 1:
                done += block.level == 2
                progress(min(done, of - 1), of)
        done += 1
        if progress is not None:
            progress(min(done, of), of)
    return Document(session.title or session.name, tuple(blocks))
