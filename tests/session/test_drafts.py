"""Work in progress on the disk: whole or not there, held while its process lives, offered when it is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bptt_tui.errors import SessionError
from bptt_tui.session import Note, Recorded, Session, drafts, load, storage
from bptt_tui.session.autosave import Autosave
from bptt_tui.session.drafts import Draft, left_over
from bptt_tui.session.encode import encode


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def walked(session: Session, count: int = 3) -> Session:
    return session.with_state(position=count, recording=[Recorded(float(i), "next") for i in range(count)])


def files() -> set[str]:
    with contextlib.suppress(FileNotFoundError):
        return {path.name for path in drafts.directory().iterdir()}
    return set()


def test_what_was_left_comes_back_as_it_was(tmp_path: Path):
    """Numbers, position, recording, notes, and the file that a save goes to."""
    session = walked(load("question").save(tmp_path / "mine.json"))
    session = session.replace(parameters={**session.parameters, "w": 0.9}).with_state(notes=[Note(2, "∂E/∂w")])
    draft = Draft.of(session)
    draft.write(session, "values changed")
    draft.release()
    (left,) = left_over(session).drafts
    assert left.header.words == "values changed" and left.header.title == session.title
    assert left.session() == session and left.session().origin == session.origin
    left.release()
    assert left_over(load("answer")).drafts == []
    (again,) = left_over().drafts
    again.discard()
    assert left_over().drafts == [] and files() == set()


def test_what_is_written_again_and_again_is_the_whole_session_each_time():
    """Numbers that did not change are not put in words again; those that did are."""
    session = load("vectors")
    draft = Draft.of(session)
    for changed in (
        walked(session, 1),
        walked(session, 4),
        walked(session, 4).replace(parameters={**session.parameters, "c": [0.0, -0.0, 1e300]}),
        walked(session, 2).replace(title="Another", inputs={"x": [[1, 2]] * 4}),
    ):
        draft.write(changed)
        body = draft.path.read_bytes().partition(b"\n")[2]
        assert body == encode(changed.document())
    draft.remove()


def test_a_draft_is_held_while_its_app_runs():
    session = walked(load("question"))
    draft = Draft.of(session)
    draft.write(session)
    assert left_over(session).drafts == [] and left_over().drafts == []
    draft.remove()
    assert files() == set()


def test_of_two_that_look_at_once_one_gets_it():
    session = walked(load("question"))
    draft = Draft.of(session)
    draft.write(session)
    draft.release()
    (first,) = left_over(session).drafts
    assert left_over(session).drafts == []
    adopted = first.adopt()
    adopted.write(walked(session, 5))
    assert left_over(session).drafts == []
    adopted.release()
    (second,) = left_over(session).drafts
    assert len(second.session().recording) == 5
    second.release()


def test_every_app_has_a_draft_of_its_own():
    session = load("question")
    both = [Draft.of(session), Draft.of(session)]
    for count, draft in enumerate(both, 1):
        draft.write(walked(session, count))
        draft.release()
    found = left_over(session).drafts
    assert [len(left.session().recording) for left in found] == [2, 1]
    for left in found:
        left.release()


def test_sessions_made_in_python_are_known_by_their_equations():
    made = Session(equations=("E = w * w",), parameters={"w": 2}, steps=1)
    draft = Draft.of(made)
    draft.write(made.replace(parameters={"w": 3}))
    draft.release()
    (left,) = left_over(made.replace(parameters={"w": 5})).drafts
    assert left.session().parameters == {"w": 3}
    left.release()
    assert left_over(made.replace(equations=("E = w",))).drafts == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n{}",
        b"\xff\xfe\n",
        b"[" * 100_000,
        b'{"format": "bptt-draft 2", "name": "question", "title": "", "saved": 1, "words": ""}\n{}',
        b'{"format": "bptt-draft 1", "name": "\x1b]0;x\x07", "title": "", "saved": 1, "words": ""}\n{}',
        b'{"format": "bptt-draft 1", "name": "question", "title": "", "saved": 1e999, "words": ""}\n{}',
        b'{"format": "bptt-draft 1", "name": "question", "title": "", "saved": 1, "words": ""}\n' + b"[" * 100_000,
        b'{"format": "bptt-draft 1", "name": "question", "title": "", "saved": 1, "words": ""}\n{"format": ',
    ],
)
def test_a_draft_that_cannot_be_read_is_one_line_and_left_alone(data: bytes):
    draft = Draft.of(load("question"))
    draft.path.parent.mkdir(parents=True)
    draft.path.write_bytes(data)
    found = left_over(load("question"))
    assert found.drafts == []
    (line,) = found.unreadable
    assert str(draft.path) in line and "\n" not in line
    assert draft.path.read_bytes() == data


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "large"])
def test_what_is_no_file_is_not_waited_for(kind: str):
    draft = Draft.of(load("question"))
    draft.path.parent.mkdir(parents=True)
    if kind == "fifo":
        os.mkfifo(draft.path)
    elif kind == "directory":
        draft.path.mkdir()
    elif kind == "device":
        draft.path.symlink_to("/dev/zero")
    else:
        with draft.path.open("wb") as file:
            file.truncate(storage.SIZE_LIMIT + 1)
    assert left_over().drafts == []


def test_where_nothing_can_be_written_there_is_an_error_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(SessionError):
        Draft.of(load("question")).write(load("question"))
    assert left_over().drafts == []


def test_what_a_kill_leaves_is_cleared_away():
    """A lock without a draft, and a temporary file that is old."""
    draft = Draft.of(load("question"))
    draft.write(load("question"))
    directory = draft.path.parent
    (directory / "0123456789abcdef-1-01234567.lock").write_bytes(b"")
    old, new = directory / ".bptt-old.tmp", directory / ".bptt-new.tmp"
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    left_over()
    assert files() == {draft.path.name, draft.path.with_suffix(".lock").name, new.name}
    draft.remove()


KILLED = """
import sys
from bptt_tui.session import Recorded, load
from bptt_tui.session.drafts import Draft
session = load("question").with_state(recording=[Recorded(0.0, "next")])
draft = Draft.of(session)
draft.write(session, "1 command")
print("written", flush=True)
sys.stdin.read()
"""


def test_a_kill_gives_the_draft_free():
    """The lock dies with the process, and not before."""
    child = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "written\n"
        assert left_over(load("question")).drafts == []
        child.send_signal(signal.SIGKILL)
        child.wait()
        (left,) = left_over(load("question")).drafts
        assert left.header.words == "1 command"
        left.discard()
    finally:
        child.kill()
        child.communicate()


# --- the thread that writes it -------------------------------------------------------------------------------------


def moment(session: Session) -> Callable[[], Session]:
    return lambda: session


def test_a_change_is_written_and_a_clean_end_removes_it():
    session = load("question")
    autosave = Autosave(session, session)
    autosave.changed(moment(walked(session, 1)))
    autosave.changed(moment(walked(session, 2)))
    assert autosave.flush()
    assert len(files()) == 2
    autosave.close(keep=False)
    assert files() == set() and left_over().drafts == []


def test_an_end_that_keeps_it_leaves_the_latest_change():
    session = load("question")
    autosave = Autosave(session, session)
    autosave.changed(moment(walked(session, 1)))
    autosave.changed(moment(walked(session, 4)))
    autosave.close(keep=True)
    (left,) = left_over(session).drafts
    assert left.header.words == "4 commands" and len(left.session().recording) == 4
    left.discard()


def test_what_is_saved_needs_no_draft(tmp_path: Path):
    session = load("question")
    autosave = Autosave(session, session)
    autosave.changed(moment(walked(session, 2)))
    autosave.flush()
    saved = walked(session, 2).save(tmp_path / "mine.json")
    autosave.saved(saved)
    assert files() == set()
    autosave.changed(moment(saved))
    autosave.flush()
    assert files() == set()
    autosave.changed(moment(walked(saved, 3)))
    autosave.close(keep=True)
    (left,) = left_over(saved).drafts
    assert left.session().origin == saved.origin
    left.discard()


def test_nothing_is_started_before_something_changes():
    threads = threading.active_count()
    autosave = Autosave(load("question"), load("question"))
    assert threading.active_count() == threads and autosave.flush(0)
    autosave.close(keep=False)
    assert files() == set()


def test_a_trouble_is_told_once_and_the_next_change_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    session = load("question")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    autosave = Autosave(session, session)
    told: list[str] = []
    autosave.on_trouble = told.append
    for count in (1, 2):
        autosave.changed(moment(walked(session, count)))
        autosave.flush()
    assert len(told) == 1 and "file" in told[0]
    autosave.close(keep=False)
