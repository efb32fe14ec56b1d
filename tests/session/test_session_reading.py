"""Finding a session by name or path, and paths that are not what they seem."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bptt_tui.errors import SessionError
from bptt_tui.session import bundled, load, storage


def fifo(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2 * 2**30)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (fifo, "this is a pipe, not a file"),
        (directory, "this is a directory, not a file"),
        (sparse, "the file is too large for a session: 2048 mib; the limit is 64 mib"),
        (listening, "no such device"),
        (lambda path: path.symlink_to("/dev/zero"), "this is a device, not a file"),
        (lambda path: path.symlink_to("gone.json"), "there is no such file"),
    ],
)
def test_a_path_that_is_no_session_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    """Pipes, devices, directories, sockets and huge files cost no waiting and no memory."""
    path = tmp_path / "s.json"
    make(path)
    started = time.process_time()
    with pytest.raises(SessionError) as caught:
        load(path)
    assert time.process_time() - started < 1
    assert said in str(caught.value).lower()
    assert caught.value.places == (str(path),)


def test_a_file_that_grows_while_it_is_read_is_limited_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for the bytes that arrive, whatever size the file said it had."""
    path = tmp_path / "s.json"
    path.write_text("{}")
    monkeypatch.setattr(os, "read", lambda handle, size: b" " * size)
    with pytest.raises(SessionError, match="too large for a session: more than 64 MiB"):
        load(path)


@pytest.mark.parametrize("path", ["nul\0.json", "\udcff\ud800.json", "x" * 5000, "", "a/" * 3000])
def test_an_impossible_path_is_one_error(path: str) -> None:
    """Names that no file can have are refused like files that are not there."""
    with pytest.raises(SessionError):
        load(path)


def test_a_bare_name_is_the_bundled_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`question` is the bundled one; `./question`, `question.json` and a Path are files."""
    monkeypatch.chdir(tmp_path)
    mine = load("vectors").replace(title="a file of mine")
    mine.save(tmp_path / "question")
    mine.save(tmp_path / "question.json")
    assert load("question").title == "The question: two steps, many to one"
    assert load("./question").title == "a file of mine"
    assert load("question.json").title == "a file of mine"
    assert load(Path("question")).title == "a file of mine"


def test_a_file_without_a_suffix_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare word that no bundled session has is a path."""
    monkeypatch.chdir(tmp_path)
    load("vectors").save("walk")
    assert load("walk").name == "walk"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("questoin", "did you mean question"),
        ("question_sigmoid", "question-sigmoid"),
        ("nothing-like-it", "give a path, or one of question, question-sigmoid, answer"),
        ("mien.json", "did you mean mine.json?"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, hint: str
) -> None:
    """The closest bundled names and session files are suggested."""
    monkeypatch.chdir(tmp_path)
    load("vectors").save("mine.json")
    with pytest.raises(SessionError) as caught:
        load(word)
    assert str(caught.value).startswith(f"{word}: there is no such file or directory; ")
    assert hint in caught.value.hint


def test_the_bundled_sessions_are_listed_question_first() -> None:
    """All of them are there, in the order of a first acquaintance: two steps, more paths, more steps, trained cells."""
    assert bundled.names() == [
        "question",
        "question-sigmoid",
        "answer",
        "product-slip",
        "one-logit",
        "many-to-many",
        "two-layers",
        "vectors",
        "vanishing",
        "exploding",
        "min-char-rnn",
        "gru",
        "lstm",
        "lesson-question",
        "lesson-sum",
        "lesson-softmax",
        "lesson-vanishing",
    ]


def test_reading_tells_the_real_path_and_the_hash(tmp_path: Path) -> None:
    """What is remembered of a file does not change when the link or the working directory does."""
    (tmp_path / "real.json").write_bytes(b"abc")
    (tmp_path / "link.json").symlink_to("real.json")
    data, origin = storage.read(str(tmp_path / "link.json"))
    assert data == b"abc"
    assert origin.path == os.path.realpath(tmp_path / "real.json")
    assert origin.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
