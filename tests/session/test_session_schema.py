"""The JSON Schema says what the decoder accepts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from bptt_tui.errors import SessionError
from bptt_tui.session import bundled, schema
from bptt_tui.session.decode import decode

SCHEMA = schema()


def problems(value: Any, rule: dict[str, Any], path: str = "$") -> list[str]:
    """The part of JSON Schema that the session file's uses; an unknown keyword is a problem too."""
    known = {
        "$ref", "$defs", "$schema", "title", "description", "default", "examples", "type", "enum", "anyOf",
        "minimum", "maximum", "exclusiveMinimum", "properties", "required", "additionalProperties", "items",
        "minItems", "maxItems", "maxLength", "minLength",
    }  # fmt: skip
    found = [f"{path}: keyword {word}" for word in rule.keys() - known]
    if "$ref" in rule:
        found += problems(value, SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")], path)
    if "anyOf" in rule and all(problems(value, choice, path) for choice in rule["anyOf"]):
        found.append(f"{path}: none of anyOf")
    if "enum" in rule and not any(value == word and type(value) is type(word) for word in rule["enum"]):
        found.append(f"{path}: not in enum")
    types: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
    }
    if "type" in rule and (isinstance(value, bool) or not isinstance(value, types[rule["type"]])):
        return [*found, f"{path}: not {rule['type']}"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high, above = rule.get("minimum"), rule.get("maximum"), rule.get("exclusiveMinimum")
        if (low is not None and value < low) or (high is not None and value > high):
            found.append(f"{path}: out of range")
        if above is not None and value <= above:
            found.append(f"{path}: out of range")
    if isinstance(value, str):
        found += (
            [] if rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)) else [f"{path}: length"]
        )
    if isinstance(value, list):
        found += [f"{path}: too long"] if len(value) > rule.get("maxItems", len(value)) else []
        found += [f"{path}: too short"] if len(value) < rule.get("minItems", 0) else []
        found += [p for i, entry in enumerate(value) for p in problems(entry, rule.get("items", {}), f"{path}[{i}]")]
    if isinstance(value, dict):
        found += [f"{path}: {name} missing" for name in rule.get("required", []) if name not in value]
        extra = rule.get("additionalProperties", True)
        for name, entry in value.items():
            inner = rule.get("properties", {}).get(name, extra)
            if inner is False:
                found.append(f"{path}.{name}: unknown")
            elif isinstance(inner, dict):
                found += problems(entry, inner, f"{path}.{name}")
    return found


@pytest.mark.parametrize("name", bundled.names())
def test_every_bundled_session_fits_the_schema(name: str) -> None:
    """What the program ships is valid by its own schema."""
    assert problems(json.loads(bundled.path_of(name).read_text(encoding="utf-8")), SCHEMA) == []


WRONG: list[tuple[str, Any]] = [
    ("format", "notebook"),
    ("version", 2),
    ("version", "1"),
    ("title", 3),
    ("equations", []),
    ("equations", [1]),
    ("loss", {"at": "lst"}),
    ("loss", {"at": [-1]}),
    ("loss", {"reduction": "max"}),
    ("loss", {"over": "all"}),
    ("parameters", {"u": "x"}),
    ("parameters", {"u": [[[[1]]]]}),
    ("parameters", {"u": True}),
    ("steps", 0),
    ("debugger", {"position": -1}),
    ("debugger", {"notes": [{"text": "no position"}]}),
    ("debugger", {"attempts": [{}]}),
    ("debugger", {"attempts": [{"formula": 3}]}),
    ("debugger", {"attempts": [{"formula": ""}]}),
    ("debugger", {"attempts": [{"formula": "w" * 20_001}]}),
    ("debugger", {"attempts": [{"formula": "w"}] * 1001}),
    ("debugger", {"attempts": [{"formula": "dE/dw = w", "verdict": "wrong"}]}),
    ("recording", [{"at": -0.5, "command": "next"}]),
    ("recording", [{"at": 0.5}]),
    ("expected", {"tolerance": 0}),
    ("colour", "blue"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_what_the_decoder_refuses_the_schema_refuses(field: str, value: Any) -> None:
    """A wrong field is wrong to an editor that knows the schema and to the program alike."""
    document = json.loads(bundled.path_of("question").read_text(encoding="utf-8"))
    wrong = copy.deepcopy(document)
    wrong[field] = value
    assert problems(wrong, SCHEMA)
    with pytest.raises(SessionError):
        decode(json.dumps(wrong).encode())


def test_every_field_has_a_title_and_every_struct_a_description() -> None:
    """The schema explains itself to who writes a session in an editor."""
    for name, definition in SCHEMA["$defs"].items():
        assert definition["description"], name
        for field, rule in definition["properties"].items():
            assert rule.get("title") or rule.get("anyOf") or rule.get("$ref"), f"{name}.{field}"


def test_required_are_only_format_version_and_equations() -> None:
    """Everything else has a default, so a smallest session is three fields."""
    assert SCHEMA["$defs"]["Document"]["required"] == ["format", "version", "equations"]
    assert decode(b'{"format": "bptt-session", "version": 1, "equations": ["E = sum(x[t])"]}').title == ""
