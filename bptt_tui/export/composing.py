"""A session's whole derivation as a document: network, forward pass, local partials, gradients, table, attempts."""

from __future__ import annotations

from bptt_tui.export.attempts import attempts_section
from bptt_tui.export.document import Block, Document
from bptt_tui.export.given import network_section
from bptt_tui.export.gradients import gradients_section
from bptt_tui.export.over_time import table_section
from bptt_tui.export.passes import forward_section, partials_section
from bptt_tui.export.scene import Scene
from bptt_tui.session import Session


def compose(session: Session) -> Document:
    """The document of a session; traces it where it has not been traced."""
    scene = Scene(session)
    blocks: list[Block] = [
        *network_section(scene),
        *forward_section(scene),
        *partials_section(scene),
        *gradients_section(scene),
        *table_section(scene),
        *attempts_section(scene),
    ]
    return Document(session.title or session.name, tuple(blocks))
