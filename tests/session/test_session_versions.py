"""Files of every version ever written can be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bptt_tui.session import VERSION, DebuggerState, Note, Recorded, load, upgrade
from bptt_tui.session import decode as decoding
from bptt_tui.session.decode import decode

FROZEN = Path(__file__).parent / "versions"


def test_there_is_a_step_and_a_frozen_file_for_every_version() -> None:
    """The chain has no gap, and no version is without a file that was written when it was the present one."""
    assert sorted(upgrade.STEPS) == list(range(1, VERSION))
    assert sorted(path.stem for path in FROZEN.glob("*.json")) == [str(v) for v in range(1, VERSION + 1)]


@pytest.mark.parametrize("path", sorted(FROZEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_frozen_file_loads_with_all_it_holds(path: Path) -> None:
    """Every version's file gives the same session: numbers, position, notes and recording."""
    session = load(path)
    assert session.equations == load("question").equations
    assert (session.parameters, session.constants) == ({"u": 0.8, "w": 0.6, "v": [1.2, -0.7]}, {"y": 0})
    assert session.debugger == DebuggerState(
        position=1,
        breakpoints=("s[1]",),
        watches=("w * s[t-1]",),
        notes=(Note(position=1, text="a product"),),
    )
    assert session.recording == (Recorded(at=0.0, command="next"),)


def test_an_older_file_goes_through_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a later version and its steps in place, a version 1 file is upgraded before it is checked."""

    def two(document: dict[str, object]) -> dict[str, object]:
        rest = {field: value for field, value in document.items() if field != "name"}
        return {**rest, "version": 2, "title": f"{document['name']}, upgraded"}

    def three(document: dict[str, object]) -> dict[str, object]:
        return {**document, "version": 1}  # the Structs of this test are still those of version 1

    monkeypatch.setattr(upgrade, "VERSION", 3)
    monkeypatch.setattr(decoding, "VERSION", 3)
    monkeypatch.setattr(upgrade, "STEPS", {1: two, 2: three})
    old = b'{"format": "bptt-session", "version": 1, "name": "old", "equations": ["E = sum(x[t])"]}'
    assert decode(old).title == "old, upgraded"
