"""Whatever bytes a session file holds, it is read, or refused in one SessionError that names the place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt_tui.errors import SessionError
from bptt_tui.session import Session, bundled, load
from bptt_tui.session.decode import decode

QUESTION = bundled.path_of("question").read_text(encoding="utf-8")


def small(**changes: object) -> dict[str, object]:
    document: dict[str, object] = {
        "format": "bptt-session",
        "version": 1,
        "title": "small",
        "equations": ["s = tanh(w * s[t-1] + u * x[t])", "E = squared_error(s, y)"],
        "parameters": {"u": 0.8, "w": [1.5, 2.5]},
        "initial": {"s": 0.3},
        "inputs": {"x": [0.5, -1.0]},
        "constants": {"y": 0},
    }
    return document | changes


def text(**changes: object) -> bytes:
    return json.dumps(small(**changes)).encode()


def with_value(literal: bytes) -> bytes:
    """The small session with `literal`, as it stands, for parameters.u."""
    return text().replace(b'"u": 0.8', b'"u": ' + literal)


def refusal(tmp_path: Path, data: bytes) -> str:
    """What is said when a file of these bytes is loaded; the file's own directory is left out."""
    path = tmp_path / "hostile.json"
    path.write_bytes(data)
    with pytest.raises(SessionError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.removeprefix(f"{tmp_path}/")


# (bytes, what the message must say: the place and the reason)
CORPUS = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\t ", "the file is empty"),
    "not JSON": (b"u = 0.8", "line 1, column 1: not JSON"),
    "a word": (b"null", "expected a JSON object, got null"),
    "a list": (b"[]", "expected a JSON object, got a list"),
    "a number": (b"12", "expected a JSON object, got an integer"),
    "truncated": (QUESTION[:200].encode(), "the file ends in the middle of a value"),
    "truncated in a text": (text()[:52], "the file ends in the middle of a value"),
    "trailing text": (text() + b" x", "trailing characters"),
    "two documents": (text() + text(), "trailing characters"),
    "BOM": (b"\xef\xbb\xbf" + text(), "UTF-8 with a byte-order mark; save it as plain UTF-8"),
    "UTF-16": (QUESTION.encode("utf-16"), "the text is UTF-16; save it as plain UTF-8"),
    "UTF-16 without a mark": (QUESTION.encode("utf-16-le"), "not JSON"),
    "UTF-32": (QUESTION.encode("utf-32"), "the text is UTF-32"),
    "Latin-1": (text(title="caf\xe9").replace(b"\\u00e9", b"\xe9"), "byte 0xe9 is not UTF-8"),
    "a raw surrogate": (text().replace(b"small", b"\xed\xa0\x80"), "byte 0xed is not UTF-8"),
    "a lone high surrogate": (text().replace(b"small", b"\\ud800 abc"), "title: line 1, column"),
    "a lone low surrogate": (text().replace(b"small", b"\\udc00"), "title: line 1, column"),
    "a NUL": (text().replace(b"small", b"\0"), "title: line 1, column"),
    "deep lists": (b"[" * 100_000, "nested more than 32 levels deep"),
    "deep objects": (b'{"a":' * 100_000, "nested more than 32 levels deep"),
    "deep in a field": (with_value(b"[" * 100_000), "nested more than 32 levels deep"),
    "four levels": (with_value(b"[[[[1]]]]"), "parameters.u[0][0][0]: expected a number, got a list"),
    "NaN": (with_value(b"NaN"), "parameters.u: line 1, column 157: NaN is not a number in JSON"),
    "NaN in a list": (with_value(b"[1, 2, NaN]"), "parameters.u[2]: line 1"),
    "Infinity": (with_value(b"-Infinity"), "-Infinity is not a number in JSON"),
    "1e999": (with_value(b"1e999"), "parameters.u: this number is too large"),
    "1e999 in a matrix": (with_value(b"[[1, 2], [3, -1e999]]"), "parameters.u[1][1]: this number"),
    "5000 digits": (with_value(b"9" * 5000), "parameters.u: this number is too large"),
    "400 digits": (with_value(b"9" * 400), "parameters.u: a number beyond the largest double"),
    "true": (with_value(b"true"), "parameters.u: expected a number or a list, got true or false"),
    "false in a list": (with_value(b"[1, false]"), "parameters.u[1]: expected a number or a list"),
    "null": (with_value(b"null"), "parameters.u: expected a number or a list, got null"),
    "a text": (with_value(b'"1"'), "parameters.u: expected a number or a list, got a text"),
    "an object": (with_value(b"{}"), "parameters.u: expected a number or a list, got an object"),
    "an empty list": (with_value(b"[]"), "parameters.u: an empty list holds no numbers"),
    "ragged": (with_value(b"[[1, 2], [3]]"), "parameters.u[1]: 1 number where parameters.u[0] has 2"),
    "a number among rows": (with_value(b"[[1, 2], 3]"), "parameters.u[1]: a single number where"),
    "a leading zero": (with_value(b"01"), "parameters.u: line 1, column"),
    "a name twice": (with_value(b'1, "u": 2'), "parameters.u: line 1, column 160: this name is given twice"),
    "a name twice, escaped": (with_value(b'1, "\\u0075": 2'), "parameters.u: line 1"),
    "a field twice": (text().replace(b'"title"', b'"version": 1, "title"'), "version: line 1"),
    "a strange name": (text().replace(b'"u": 0.8', b'"a b": true'), 'parameters["a b"]: expected'),
    "unknown field": (text(paramters={}), "unknown field `paramters`; did you mean `parameters`?"),
    "unknown loss field": (text(loss={"reductoin": "sum"}), "loss: unknown field `reductoin`; did you mean"),
    "unknown field in a list": (
        text(recording=[{"at": 0, "command": "n", "by": 1}]),
        "recording[0]: unknown",
    ),
    "unknown debugger field": (text(debugger={"notes": [{"position": 0, "txt": ""}]}), "`text`?"),
    "no equations": (text(equations=[]), "equations: expected a list of length >= 1"),
    "equations missing": (
        json.dumps({key: v for key, v in small().items() if key != "equations"}).encode(),
        "the field `equations` is missing",
    ),
    "an equation that is a number": (text(equations=["E = w", 3]), "equations[1]: expected a text in quotes"),
    "loss at a word": (text(loss={"at": "lst"}), "loss.at: expected one of the known words, got"),
    "loss before the start": (text(loss={"at": [0, -1]}), "loss.at[1]: expected an integer >= 0"),
    "reduction": (text(loss={"reduction": "max"}), "loss.reduction: expected one of the known words"),
    "steps of zero": (text(steps=0), "steps: expected an integer >= 1"),
    "steps null": (text(steps=None), "steps: expected an integer, got null"),
    "a fractional position": (text(debugger={"position": 1.5}), "debugger.position: expected an integer"),
    "a true position": (text(debugger={"position": True}), "debugger.position: expected an integer"),
    "a negative time": (
        text(recording=[{"at": -1, "command": "n"}]),
        "recording[0].at: expected a number >=",
    ),
    "tolerance 0": (text(expected={"tolerance": 0}), "expected.tolerance: expected a number > 0"),
    "expected by name": (text(expected={"gradient": {"u": "x"}}), "expected.gradient.u: expected a number"),
    "expected ragged": (text(expected={"gradient": {"u": [[1], []]}}), "expected.gradient.u[1]: an empty"),
    "no format": (b"{}", 'format: not a session: the field `format` is missing; expected "bptt-session"'),
    "another format": (text(format="notebook"), 'not a session: the field `format` is "notebook"'),
    "a format that is a list": (text(format=[1]), "not a session: the field `format` is [1]"),
    "no version": (b'{"format": "bptt-session"}', "version: this field is missing; the present version is 1"),
    "version 2": (text(version=2), "version: the file is version 2 and this program reads up to version 1"),
    "version 0": (text(version=0), "version: expected a version number, got 0"),
    "version true": (text(version=True), "version: expected a version number, got true"),
    "version as text": (text(version="1"), 'version: expected a version number, got "1"'),
    "version 1.0": (text(version=1.0), "version: expected a version number, got 1.0"),
    "version too large to read": (text(version=7).replace(b": 7", b": 1e999"), "version: expected a version"),
}


@pytest.mark.parametrize("case", CORPUS)
def test_hostile_bytes_are_refused_with_the_place(tmp_path: Path, case: str) -> None:
    """Each of these files is one SessionError of one line with file, place and reason."""
    data, said = CORPUS[case]
    assert said in refusal(tmp_path, data)


def test_the_small_session_of_the_corpus_is_readable() -> None:
    """The corpus is refused for what it changes, not for what it starts from."""
    assert decode(text()).title == "small"


def test_a_newer_version_is_named_before_its_unknown_fields(tmp_path: Path) -> None:
    """A file of a later version says so, whatever else it contains."""
    message = refusal(tmp_path, text(version=3, from_the_future=[]))
    assert "version 3" in message and "version 1" in message and "from_the_future" not in message


def test_the_line_and_column_point_at_the_character(tmp_path: Path) -> None:
    """In a file of several lines the place counts lines and columns from 1, in characters."""
    data = '{\n  "format": "bptt-session", "title": "é∂", oops\n}'.encode()
    assert refusal(tmp_path, data).startswith("hostile.json: line 2, column 44: not JSON")


def test_numbers_that_are_only_unusual_are_read(tmp_path: Path) -> None:
    """Subnormals, −0, thirty digits and underflow to 0 are numbers."""
    path = tmp_path / "unusual.json"
    path.write_bytes(with_value(b"[5e-324, -0.0, 999999999999999999999999999999, 1e-400, 0.1e1]"))
    values = load(path).parameters["u"]
    assert [repr(float(value)) for value in values] == ["5e-324", "-0.0", "1e+30", "0.0", "1.0"]


def test_ten_megabytes_of_weights_are_read_in_seconds(tmp_path: Path) -> None:
    """The pass over the structure does not make a large file slow."""
    import time

    row = [0.123456789] * 1000
    data = text(parameters={"w": [row] * 800})
    assert len(data) > 9_000_000
    started = time.process_time()
    session = Session.from_document(decode(data), name="large", origin=None)
    assert time.process_time() - started < 5
    assert len(session.parameters["w"]) == 800


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "title",
        "equations",
        "loss",
        "parameters",
        "inputs",
        "steps",
        "expected",
        "debugger",
        "recording",
        "version",
    ]
)


def read_or_refused(data: bytes) -> None:
    try:
        session = Session.from_document(decode(data), name="fuzz", origin=None)
    except SessionError as error:
        assert str(error)
    else:
        assert isinstance(session, Session)
        assert session.equations


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_session_or_a_session_error(data: bytes) -> None:
    """No other exception comes out of the decoder."""
    read_or_refused(data)


@settings(deadline=None)
@given(FIELDS, JSON)
def test_any_json_in_a_field_is_a_session_or_a_session_error(field: str, value: object) -> None:
    """A field of any type and content is read or refused, Python's NaN and Infinity included."""
    read_or_refused(json.dumps(small(**{field: value})).encode())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(QUESTION) - 1), st.integers(0, 12), st.binary(max_size=6))
def test_a_damaged_session_is_a_session_or_a_session_error(place: int, gone: int, put: bytes) -> None:
    """Bytes cut out of a real session and others put in: read, or refused."""
    data = QUESTION.encode()
    read_or_refused(data[:place] + put + data[place + gone :])


@settings(deadline=None)
@given(st.text(alphabet='{}[],:"\\ 1aeu\n', max_size=60))
def test_any_mixture_of_json_signs_is_a_session_or_a_session_error(mixture: str) -> None:
    """Brackets, quotes and escapes in any order do not confuse the pass over the structure."""
    read_or_refused(b'{"format": "bptt-session", "version": 1, "title": ' + mixture.encode() + b"}")
