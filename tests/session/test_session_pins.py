"""Pins, and what a recording found, in a session file: typed, checked, written and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bptt_tui.errors import BpttError
from bptt_tui.session import Found, Recorded, Session, bundled, load, schema
from bptt_tui.session.decode import decode


def written(tmp_path: Path, **fields: Any) -> Path:
    """The question with some fields more."""
    document = json.loads(bundled.path_of("question").read_text(encoding="utf-8"))
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**document, **fields}), encoding="utf-8")
    return path


def test_pins_are_read_traced_and_written_back(tmp_path: Path) -> None:
    """By node and timestep, every digit; a file without pins has no such field."""
    session = load(written(tmp_path, pins={"s[0]": 0.1, "q[1]": [1, 1 / 3]}))
    assert session.pins == {"s[0]": 0.1, "q[1]": [1, 1 / 3]}
    assert session.trace().value("q", 1).tolist() == [1.0, 1 / 3]
    assert not session.trace().exists("s", 0)  # q₁ is all that the loss reads
    session.save(tmp_path / "again.json")
    assert load(tmp_path / "again.json") == session
    assert '"pins"' not in (load("question").save(tmp_path / "plain.json") and (tmp_path / "plain.json").read_text())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pins": {"s[0]": "a"}}, 'pins["s[0]"]: expected'),
        ({"pins": [1]}, "pins: expected an object in braces, got a list"),
        ({"pins": {"s[0]": [1, [2]]}}, 'pins["s[0]"][1]: 1 number where pins["s[0]"][0] has a single number'),
        ({"pins": {"s": 1}}, "pins[\"s\"]: 's' is not a node at a timestep; write it as s[0]"),
        ({"pins": {"s[9]": 1}}, 'pins["s[9]"]: there is no timestep 9; the timesteps are 0 … 1'),
        ({"pins": {"E[1]": 1}}, 'pins["E[1]"]: E is the loss, and gradients are of it; pin a node that it reads'),
        ({"pins": {"q[1]": 1}}, 'pins["q[1]"]: shape (), but q is a vector (2,); give the pinned value that shape'),
        ({"recorded_from": {"parameters": {"w": True}}}, "recorded_from.parameters.w: expected"),
        ({"recorded_from": {"parameters": {"w": [1, [2]]}}}, "recorded_from.parameters.w[1]: 1 number where"),
        ({"recorded_from": {"parameter": {}}}, "recorded_from: unknown field `parameter`; did you mean `parameters`?"),
        ({"recorded_from": {"equations": []}}, "recorded_from.equations: expected"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    """The file, the field, the reason."""
    path = written(tmp_path, **fields)
    with pytest.raises(BpttError) as caught:
        load(path).trace()
    assert str(caught.value).startswith(f"{path}: {said}")


def test_the_schema_has_both_fields() -> None:
    """With titles and descriptions; neither is required."""
    document = schema()["$defs"]["Document"]
    assert document["properties"]["pins"]["title"] == "Pins"
    assert "recorded_from" in document["properties"]
    assert not {"pins", "recorded_from"} & set(document["required"])
    assert set(schema()["$defs"]["Found"]["properties"]) == {
        "equations", "parameters", "initial", "inputs", "constants", "pins",
    }  # fmt: skip


def test_as_recorded_is_what_the_recording_found(tmp_path: Path) -> None:
    """The fields left out are those of the file; expected totals are of the file's numbers only."""
    path = written(
        tmp_path,
        recorded_from={"parameters": {"u": 1.0, "w": 2.0, "v": [0.5, 0.5]}},
        recording=[{"at": 0.5, "command": "next"}],
        debugger={"position": 1},
    )
    session = load(path)
    found = session.as_recorded()
    assert found.parameters == {"u": 1.0, "w": 2.0, "v": [0.5, 0.5]} and found.inputs == session.inputs
    assert (found.debugger.position, found.recording, found.expected, found.recorded_from) == (0, (), None, None)
    assert session.found_by(found).recorded_from == session.recorded_from
    assert session.found_by(session).recorded_from is None
    again = decode(json.dumps(json.loads(path.read_text())).encode())
    assert again.recorded_from == Found(parameters={"u": 1.0, "w": 2.0, "v": [0.5, 0.5]})


def test_numbers_are_exchanged_with_what_has_been_computed_of_them() -> None:
    """Name, position, notes and recording stay; the trace comes along, and can be left behind."""
    one = load("question").with_state(position=3, recording=[Recorded(0.0, "next 3")])
    other = Session(equations=("s = w * s[t-1]", "E = s * s"), parameters={"w": 2.0}, initial={"s": 1.0}, steps=2)
    other.trace()
    both = one.with_numbers_of(other)
    assert both.trace() is other.trace() and both.network() is other.network()
    assert (both.name, both.title, both.recording, both.debugger) == (one.name, one.title, one.recording, one.debugger)
    assert (both.equations, both.parameters, both.steps) == (other.equations, other.parameters, other.steps)
    assert both.without_computed() == both and both.without_computed().trace() is not other.trace()
    assert one.with_numbers_of(load("answer")).trace().loss == load("answer").trace().loss
