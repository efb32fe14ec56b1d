"""The sessions that come with the program: their names, and where their files are.

An installed package carries them in `bptt_tui/bundled`; a checkout has them in `sessions/` beside the
package. Nothing is decoded here, so listing names for a shell's completion costs one directory read.
"""

from __future__ import annotations

from pathlib import Path

DEFAULT = "question"
# The order of a first acquaintance; what is not listed follows by name.
_ORDER = (
    *(DEFAULT, "question-sigmoid", "answer", "product-slip", "one-logit"),  # two steps
    *("many-to-many", "two-layers", "vectors"),  # more losses, more paths, matrices
    *("vanishing", "exploding"),  # more steps
    *("min-char-rnn", "gru", "lstm"),  # networks people train
    *("lesson-question", "lesson-sum", "lesson-softmax", "lesson-vanishing"),  # recordings with notes
)


def directory() -> Path:
    """The directory of the bundled sessions."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "bundled"
    return installed if installed.is_dir() else package.parent / "sessions"


def names() -> list[str]:
    """Their names, `question` first."""
    found = {path.stem for path in directory().glob("*.json")}
    return [name for name in _ORDER if name in found] + sorted(found.difference(_ORDER))


def path_of(name: str) -> Path:
    """The file of the bundled session `name`."""
    return directory() / f"{name}.json"
