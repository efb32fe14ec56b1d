"""How an older session file becomes one of the present version: a chain of pure steps, one per version.

`STEPS[v]` takes the decoded JSON object of version v and gives that of version v + 1, including the new
`version`. Version 1 is the first, so there are no steps yet. A step is never edited once a release has
written its version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bptt_tui.session.format import VERSION

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: dict[int, Step] = {}


def upgrade(document: dict[str, Any], version: int) -> dict[str, Any]:
    """`document`, written as `version`, as the present version would have written it."""
    for known in range(version, VERSION):
        document = STEPS[known](document)
    return document
