"""What a typed text can become: names, files opened lately, paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bptt_tui.session import Session, bundled, finding, load, recent
from bptt_tui.session.finding import completed, loadable, places


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of one's own, which is home too."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ".state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_bundled_session_is_offered_and_lessons_are_told_apart():
    found = places("")
    assert {place.name for place in found} == set(bundled.names())
    assert {place.name for place in found if place.kind == "lesson"} == {
        name for name in bundled.names() if name.startswith("lesson-")
    }
    assert all(place.title == load(place.name).title for place in found)


def test_a_word_is_looked_for_in_names_and_titles():
    assert [place.name for place in places("FORGET")] == ["lstm"]
    assert [place.name for place in places("gru")] == ["gru"]
    assert places("nothing of the kind") == ()


def test_paths_are_completed_as_far_as_they_agree(here: Path):
    (here / "walks").mkdir()
    for name in ("one.json", "only.json", "other.txt"):
        (here / "walks" / name).write_text("", encoding="utf-8")
    (here / "walks" / ".hidden.json").write_text("", encoding="utf-8")
    assert [(place.kind, place.target) for place in places("./w")] == [("directory", "./walks/")]
    assert [place.target for place in places("walks/")] == ["walks/one.json", "walks/only.json"]
    assert [place.target for place in places("~/walks/.h")] == ["~/walks/.hidden.json"]
    assert completed("walks/o", places("walks/o")) == "walks/on"
    assert completed("walks/x", places("walks/x")) == "walks/x"
    assert places("walks/other.txt")[0].target == "walks/other.txt"
    assert loadable("~/walks/one.json") == str(here / "walks" / "one.json")
    assert [place.target for place in places("~")] == ["~/"]


def test_a_file_called_as_a_bundled_session_is_still_a_file(here: Path):
    (here / "question").write_text("", encoding="utf-8")
    assert loadable("question") == "question"
    assert loadable("question", is_file=True) == "./question"


@pytest.mark.parametrize("typed", ["\0", "/\0/x", "none/at/all/", "/dev/null/x", "~nobody-has-this-name/", "a" * 5000])
def test_impossible_paths_become_nothing(typed: str):
    assert places(typed) == ()


def test_files_opened_lately_come_first_and_those_gone_are_left_out(here: Path):
    for name in ("a.json", "b.json"):
        load("answer").save(name)
        recent.remember(os.path.realpath(name), f"Title of {name}")
    recent.remember(str(here / "gone.json"), "Gone")
    assert [(place.name, place.title) for place in places("")[:2]] == [
        ("b.json", "Title of b.json"),
        ("a.json", "Title of a.json"),
    ]
    assert all(place.kind != "recent" for place in places("")[2:])
    recent.remember(os.path.realpath("a.json"), "Again")
    assert recent.recent()[0].title == "Again"
    assert len(recent.recent()) == 3


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"recent": 3}', b"[" * 100_000, b'{"recent": [{}]}'])
def test_a_spoilt_list_is_an_empty_one(data: bytes):
    recent.recent_path().parent.mkdir(parents=True)
    recent.recent_path().write_bytes(data)
    assert recent.recent() == ()
    recent.remember("/tmp/x.json", "x")
    assert [entry.path for entry in recent.recent()] == ["/tmp/x.json"]


def test_where_nothing_can_be_written_nothing_is_remembered(here: Path, monkeypatch: pytest.MonkeyPatch):
    (here / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "file"))
    recent.remember("/tmp/x.json", "x")
    assert recent.recent() == ()


def test_a_title_with_half_a_character_is_not_remembered():
    recent.remember("/tmp/x.json", "\ud800")
    assert recent.recent() == ()


def test_a_path_is_shown_as_one_would_type_it(here: Path, monkeypatch: pytest.MonkeyPatch):
    assert finding.short(str(here / "a" / "b.json")) == f"a{os.sep}b.json"
    (here / "sub").mkdir()
    monkeypatch.chdir(here / "sub")
    assert finding.short(str(here / "c.json")) == f"~{os.sep}c.json"
    assert finding.short("/elsewhere/d.json") == "/elsewhere/d.json"


def test_sessions_made_in_python_can_be_compared():
    """What would be lost, in words."""
    from bptt_tui.session import DebuggerState, Note, Recorded
    from bptt_tui.session.unsaved import unsaved

    kept = load("question")
    walked = kept.with_state(position=2, recording=[Recorded(0.0, "next"), Recorded(1.0, "next")])
    assert not unsaved(kept, kept) and not unsaved(kept, kept).asks
    assert unsaved(kept, walked) and not unsaved(kept, walked).asks
    assert unsaved(kept, walked).words == "2 commands"
    changed = walked.replace(
        parameters={**kept.parameters, "w": 1.0}, debugger=DebuggerState(notes=(Note(0, "a"), Note(1, "b")))
    )
    assert unsaved(kept, changed).asks
    assert unsaved(kept, changed).words == "values changed, 2 notes, 2 commands"
    assert unsaved(changed, changed.with_state(notes=())).words == "notes deleted"
    assert unsaved(None, Session(equations=("E = w * w",))).asks
    replayed = walked.with_state(position=1, recording=walked.recording[:1])
    assert not unsaved(walked, replayed)
