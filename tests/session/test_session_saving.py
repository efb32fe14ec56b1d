"""A save is all or nothing, goes where it should, loses nobody's work, and reads back bit for bit."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt_tui.errors import SessionError
from bptt_tui.session import DebuggerState, Expected, Loss, Note, Recorded, Session, load, storage
from bptt_tui.session.decode import decode
from bptt_tui.session.encode import encode

ROOT = Path(__file__).parents[2]


def session(title: str = "mine", **changes: object) -> Session:
    fields: dict[str, object] = {
        "title": title,
        "equations": ("s = tanh(w * s[t-1] + x[t])", "E = sum(s)"),
        "parameters": {"w": 0.6},
        "initial": {"s": 0.3},
        "inputs": {"x": [0.5, -1.0]},
    }
    return Session(**(fields | changes))  # type: ignore[arg-type]


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


finite = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
values = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=6),
    finite | st.lists(finite, min_size=1, max_size=4) | st.just([[0.1, -0.0], [5e-324, 1.7976931348623157e308]]),
    max_size=3,
)
losses = st.builds(Loss, at=st.sampled_from(["last", "every", (0, 2)]), reduction=st.sampled_from(["sum", "mean"]))
line = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None)
@given(
    title=line,
    equations=st.lists(line, min_size=1, max_size=3).map(tuple),
    loss=losses,
    parameters=values,
    initial=values,
    inputs=values,
    constants=values,
    steps=st.none() | st.integers(1, 10**9),
    expected=st.none() | st.builds(Expected, loss=finite.map(float), gradient=values, tolerance=st.floats(1e-15, 1.0)),
    debugger=st.builds(
        DebuggerState,
        position=st.integers(0, 10**6),
        factor=st.integers(0, 9),
        breakpoints=st.lists(line, max_size=2).map(tuple),
        watches=st.lists(line, max_size=2).map(tuple),
        notes=st.lists(st.builds(Note, position=st.integers(0, 99), text=line), max_size=2).map(tuple),
    ),
    recording=st.lists(st.builds(Recorded, at=st.floats(0, 1e6), command=line), max_size=2).map(tuple),
)
def test_what_is_written_reads_back_the_same(**fields: object) -> None:
    """A session equals itself after encode and decode, floats bit for bit: repr tells −0 and subnormals."""
    before = Session(**fields)  # type: ignore[arg-type]
    after = Session.from_document(decode(encode(before.document())), name="", origin=None)
    assert after == before
    assert [repr(getattr(after, name)) for name in fields] == [repr(getattr(before, name)) for name in fields]


def test_a_saved_session_is_the_loaded_one(tmp_path: Path) -> None:
    """Saving and loading gives an equal session that knows its file and its bytes."""
    path = tmp_path / "mine.json"
    saved = session().save(path)
    again = load(path)
    assert again == saved
    assert again.origin == saved.origin
    assert again.origin is not None and again.origin.sha256 == storage.digest(path.read_bytes())


def test_the_position_and_the_recording_are_kept(tmp_path: Path) -> None:
    """A session opens where it was saved, with every command given."""
    recording = (Recorded(at=0.0, command="next"), Recorded(at=1.5, command="goto 7"))
    session().with_state(position=7, factor=1, recording=recording).save(tmp_path / "mine.json")
    again = load(tmp_path / "mine.json")
    assert (again.debugger.position, again.debugger.factor, again.recording) == (7, 1, recording)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), [1.0, float("-inf")], True, "1", None, [[1], [1, 2]]])
def test_a_session_cannot_hold_what_json_cannot(bad: object) -> None:
    """NaN, infinity, truth values, texts and ragged lists are refused before there is anything to save."""
    with pytest.raises(SessionError, match=r"^parameters\.w"):
        session(parameters={"w": bad})


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "\ud800"},
        {"parameters": {"\udfff": 1.0}},
        {"steps": 0},
        {"equations": ()},
        {"debugger": DebuggerState(notes=(Note(-1, "early"),))},
        {"expected": Expected(tolerance=0.0)},
    ],
)
def test_a_session_that_could_not_be_read_again_is_not_written(tmp_path: Path, changes: dict[str, object]) -> None:
    """What Python code puts into a session is checked like a file before it replaces one."""
    path = tmp_path / "mine.json"
    kept = session().save(path)
    before = path.read_bytes()
    with pytest.raises(SessionError, match=r"mine\.json"):
        kept.replace(**changes).save()
    assert path.read_bytes() == before
    assert files(tmp_path) == ["mine.json"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open", "fchmod", "close"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_an_io_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    """A full, failing or read-only disk: one error with path and reason, the old file untouched."""
    path = tmp_path / "mine.json"
    opened = session().save(path)
    before = path.read_bytes()
    changed = opened.replace(title="changed")
    real = getattr(os, call)

    def failing(*arguments: object, **options: object) -> object:
        if call == "close":
            real(*arguments)
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(SessionError) as caught:
            changed.save()
    reason = os.strerror(error)
    assert str(caught.value) == f"{path}: {reason[0].lower()}{reason[1:]}"
    assert path.read_bytes() == before
    assert files(tmp_path) == ["mine.json"]
    changed.save()
    assert load(path).title == "changed"


def test_a_disk_that_takes_only_some_bytes_at_a_time_gets_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short write is continued, not taken for the whole."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data[:7])))
    session().save(tmp_path / "mine.json")
    assert load(tmp_path / "mine.json") == session()


def test_a_directory_that_cannot_be_flushed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rename the new file is there, whole; that a power cut may undo it is said."""
    path = tmp_path / "mine.json"
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(SessionError, match=r"mine\.json: saved, but perhaps not yet on the disk"):
        session().save(path)
    assert files(tmp_path) == ["mine.json"]
    assert load(path) == session()


@pytest.mark.parametrize("where", ["missing/mine.json", "file/mine.json", "directory", "nul\0.json", "\ud800.json"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, where: str) -> None:
    """A missing directory, a file in the way, a directory, an impossible name: SessionError, nothing left."""
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    before = files(tmp_path)
    path = f"{tmp_path}/{where}"
    with pytest.raises(SessionError) as caught:
        session().save(path)
    assert caught.value.places == (path,)
    assert files(tmp_path) == before


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    """Saving through a link changes its target and leaves the link a link."""
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target.json"
    session("old").save(target)
    link = tmp_path / "link.json"
    link.symlink_to("real/target.json")
    load(link).replace(title="new").save()
    assert link.is_symlink()
    assert load(target).title == "new"
    assert files(tmp_path / "real") == ["target.json"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    """A dangling link is where the file should be."""
    link = tmp_path / "link.json"
    link.symlink_to("target.json")
    session().save(link)
    assert link.is_symlink()
    assert load(tmp_path / "target.json") == session()


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    """A loop of links has no file behind it; it is left alone."""
    link = tmp_path / "loop.json"
    link.symlink_to("loop.json")
    with pytest.raises(SessionError, match=r"loop\.json"):
        session().save(link)
    with pytest.raises(SessionError, match=r"loop\.json"):
        load(link)
    assert files(tmp_path) == ["loop.json"]
    assert link.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_the_mode_of_a_file_is_kept(tmp_path: Path, mode: int) -> None:
    """Replacing a file does not change who may read it."""
    path = tmp_path / "mine.json"
    opened = session().save(path)
    path.chmod(mode)
    opened.replace(title="new").save()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_users_default_mode(tmp_path: Path) -> None:
    """A first save obeys the umask, like any editor's."""
    before = os.umask(0o027)
    try:
        session().save(tmp_path / "mine.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "mine.json").stat().st_mode) == 0o640


def test_a_lost_update_is_noticed(tmp_path: Path) -> None:
    """A file that somebody else saved since it was opened is not overwritten, unless that is asked for."""
    path = tmp_path / "mine.json"
    session().save(path)
    mine, theirs = load(path), load(path)
    theirs.replace(title="theirs").save()
    with pytest.raises(SessionError, match="the file changed since it was opened"):
        mine.replace(title="mine").save()
    assert load(path).title == "theirs"
    mine.replace(title="mine").save(overwrite=True)
    assert load(path).title == "mine"


def test_another_file_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    """Saving under the name of a file this session never saw is refused; saving the same twice is not."""
    path = tmp_path / "other.json"
    path.write_text("precious")
    with pytest.raises(SessionError, match="this file exists and would be lost"):
        session().save(path)
    assert path.read_text() == "precious"
    session().save(path, overwrite=True)
    session().save(path)
    assert load(path) == session()


def test_a_file_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    """Nothing is lost by saving where the file has gone."""
    path = tmp_path / "mine.json"
    opened = session().save(path)
    path.unlink()
    opened.replace(title="again").save()
    assert load(path).title == "again"


def test_a_session_without_a_file_asks_for_one() -> None:
    """A bundled session is not written into the installed program."""
    with pytest.raises(SessionError, match="question: this session has no file of its own; give the path"):
        load("question").save()


COUNTER = """
import sys
from bptt_tui.errors import SessionError
from bptt_tui.session import load
done = 0
while done < 25:
    session = load(sys.argv[1])
    try:
        count = int(session.title.split()[0]) + 1
        session.replace(title=f"{count} by {sys.argv[2]}").save()
    except SessionError as error:
        assert "changed since it was opened" in str(error), error
    else:
        done += 1
"""


def test_two_writers_and_a_reader_never_see_a_torn_file_and_lose_no_update(tmp_path: Path) -> None:
    """Two processes count in one file, each trying again when it was late: no count is lost or torn."""
    path = tmp_path / "count.json"
    session("0").save(path)
    writers = [
        subprocess.Popen([sys.executable, "-c", COUNTER, str(path), name], cwd=ROOT, env=environment())
        for name in ("one", "the other")
    ]
    seen = []
    while any(writer.poll() is None for writer in writers):
        seen.append(int(load(path).title.split()[0]))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == sorted(seen)
    assert load(path).title.startswith("50 by")
    assert files(tmp_path) == ["count.json"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


# The two looks at "/" mark, in the list of system calls, where the save begins and ends.
SAVE = textwrap.dedent("""
    import os, sys
    from bptt_tui.session import storage
    path, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
    _, origin = storage.read(path)
    os.access("/", 0)
    storage.write(path, new, origin)
    os.access("/", 0)
""")
STRACE = shutil.which("strace")
OLD, NEW = '{"old": 1}' * 40, '{"new": 22}' * 50


def traced_save(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert STRACE is not None
    command = [STRACE, "-qq", *options, sys.executable, "-c", SAVE, str(path), OLD, NEW]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60)


def calls_of_a_save(path: Path) -> list[tuple[str, int]]:
    """Every system call of a save, as (name, which one of that name it is since the process began)."""
    path.write_text(OLD)
    log = path.with_name("calls")
    if STRACE is None or subprocess.run([STRACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed, or may not trace here")
    traced = traced_save(path, "-o", str(log))
    assert traced.returncode == 0, traced.stderr
    names = [match[1] for entry in log.read_text().splitlines() if (match := re.match(r"(\w+)\(", entry))]
    looks = [i for i, entry in enumerate(log.read_text().splitlines()) if entry.startswith('access("/", F_OK)')]
    log.unlink()
    assert len(looks) == 2
    return [(names[i], names[:i].count(names[i]) + 1) for i in range(looks[0] + 1, looks[1])]


def test_a_kill_at_any_system_call_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """Killed at every single system call of a save in turn, the file is whole: all old, then all new."""
    path = tmp_path / "mine.json"
    calls = calls_of_a_save(path)
    assert {"write", "fsync"} <= {name for name, _ in calls}
    found = []
    for name, count in calls:
        path.write_text(OLD)
        killed = traced_save(path, "-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={count}")
        assert killed.returncode == -9, (name, count, killed.stderr[-300:])
        found.append(path.read_text())
        assert found[-1] in (OLD, NEW), (name, count)
        for leftover in tmp_path.glob(".bptt-*"):
            leftover.unlink()
    assert found[0] == OLD and found[-1] == NEW
    assert sorted(found, key=[OLD, NEW].index) == found


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_system_call_that_fails_leaves_no_temporary(tmp_path: Path, error: str) -> None:
    """Each call that a failing disk can refuse, refused in turn: SessionError, and only the old file."""
    path = tmp_path / "mine.json"
    can_fail = re.compile("write|fsync|fchmod|rename.*")
    calls = [(name, count) for name, count in calls_of_a_save(path) if can_fail.fullmatch(name)]
    assert len({name for name, _ in calls}) == 4
    for name, count in calls[:-1]:  # the last is the flush of the directory, after the rename
        path.write_text(OLD)
        failed = traced_save(path, "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={count}")
        assert failed.returncode == 1 and "SessionError" in failed.stderr, (name, failed.stderr[-300:])
        assert files(tmp_path) == ["mine.json"]
        assert path.read_text() == OLD
