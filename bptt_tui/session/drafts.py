"""Work in progress, kept in the user's state directory until it is saved: what a crash leaves behind.

    draft = Draft.of(session)         # of an app that is running; nothing is written yet
    draft.write(session)              # all or nothing, as often as there is something new
    draft.remove()                    # it was saved, or left on purpose

    found = left_over(session)        # drafts of the same session whose process is gone
    for left in found.drafts:
        left.session()                # what was being worked on
        left.adopt()                  # go on with it, or `discard`, or `release` it for another time

A draft is one line that says what it is a draft of, and below it the session file as it would be saved. Beside it
lies a lock that its process holds: the operating system releases it however the process ends, so two running apps
never take each other's work, and what nobody holds was left over. A draft that cannot be read stays where it is, and
is one line in `found.unreadable`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct
from platformdirs import user_state_path

from bptt_tui.errors import SessionError
from bptt_tui.session import bundled, storage
from bptt_tui.session.decode import decode
from bptt_tui.session.encode import Written, encode
from bptt_tui.session.session import Session
from bptt_tui.session.storage import Origin

_FORMAT: Final = "bptt-draft 1"
_NAME = re.compile(r"([0-9a-f]{16})-([0-9]{1,10})-([0-9a-f]{8})\.draft")
_LOOKED_AT = 1000  # entries of the directory
_FORGOTTEN = 86400.0  # seconds after which a temporary file belongs to nobody


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of a draft: what the session is called, its file, when it was written, what is new in it."""

    format: str
    name: str
    title: str
    saved: Annotated[float, Meta(ge=0, le=1e11)]
    words: str
    path: str = ""
    sha256: str = ""


_HEADER = msgspec.json.Decoder(Header)


def directory() -> Path:
    """Where drafts are kept; XDG_STATE_HOME is respected."""
    return user_state_path("bptt-tui") / "drafts"


def key_of(session: Session) -> str:
    """What says that two sessions are the same piece of work: the file, the bundled name, or else the equations."""
    if session.origin is not None:
        what = f"file {session.origin.path}"
    elif session.name in bundled.names():
        what = f"bundled {session.name}"
    else:
        what = "made " + "\n".join(session.equations)
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Draft:
    """The draft of one running app."""

    def __init__(self, path: Path, lock: _Lock | None = None) -> None:
        self.path = path
        self._lock = lock
        self._written: Written = {}

    @classmethod
    def of(cls, session: Session) -> Draft:
        """A place for one. Nothing is on the disk before the first write."""
        return cls(directory() / f"{key_of(session)}-{os.getpid()}-{secrets.token_hex(4)}.draft")

    def write(self, session: Session, words: str = "") -> None:
        """Replace what was written before. Raises SessionError with the reason; that is then still there."""
        origin = session.origin
        header = Header(
            format=_FORMAT,
            name=session.name,
            title=session.title,
            saved=time.time(),
            words=words,
            path=origin.path if origin else "",
            sha256=origin.sha256 if origin else "",
        )
        try:
            line = msgspec.json.encode(header)
        except UnicodeEncodeError:
            raise SessionError("half a character cannot be kept", places=(session.name,)) from None
        data = line + b"\n" + encode(session.document(), self._written)
        if self._lock is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise SessionError(error.strerror or "cannot be made", places=(str(self.path.parent),)) from None
            self._lock = _Lock.taken(_lock_path(self.path), wait=True)
            if self._lock is None:
                raise SessionError("cannot be locked", places=(str(_lock_path(self.path)),))
        storage.write(str(self.path), data, None, overwrite=True)

    def remove(self) -> None:
        """There is nothing to be recovered any more."""
        _unlink(self.path)
        self.release()

    def release(self) -> None:
        """Leave what is written to whoever comes next."""
        lock, self._lock = self._lock, None
        if lock is not None:
            if not self.path.exists():
                _unlink(lock.path)
            lock.release()


class LeftOver:
    """A draft whose process is gone. It is held until it is adopted, discarded or released."""

    def __init__(self, path: Path, lock: _Lock | None, header: Header, body: bytes) -> None:
        self.path = path
        self.header = header
        self._lock = lock
        self._body = body

    def session(self) -> Session:
        """What was being worked on, and the file it came from. Raises SessionError."""
        header = self.header
        origin = Origin(header.path, header.sha256) if header.path else None
        return Session.from_document(decode(self._body), name=header.name, origin=origin)

    def adopt(self) -> Draft:
        """The draft, to go on with."""
        return Draft(self.path, self._lock)

    def discard(self) -> None:
        """Delete it."""
        self.adopt().remove()

    def release(self) -> None:
        """Leave it for another time."""
        self.adopt().release()


class Found(NamedTuple):
    """What was left over, latest first, and why other drafts cannot be read, one line each."""

    drafts: list[LeftOver]
    unreadable: list[str]


def left_over(session: Session | None = None) -> Found:
    """The drafts of this session, or of all of them, that no process holds.

    Raises nothing: where there is no looking, there is nothing.
    """
    key = None if session is None else key_of(session)
    found = Found([], [])
    for path in _entries(key):
        lock = _Lock.taken(_lock_path(path), wait=False)
        if lock is None:
            continue
        try:
            found.drafts.append(LeftOver(path, lock, *_read(path)))
        except SessionError as error:
            lock.release()
            found.unreadable.append(str(error))
    found.drafts.sort(key=lambda one: -one.header.saved)
    return found


def _entries(key: str | None) -> Iterator[Path]:
    """The drafts in the directory; what was cut off in the middle of writing is cleared away."""
    try:
        with os.scandir(directory()) as scanned:
            entries = [entry for entry, _ in zip(scanned, range(_LOOKED_AT), strict=False)]
    except OSError:
        return
    for entry in entries:
        match = _NAME.fullmatch(entry.name)
        if match and (key is None or match[1] == key):
            yield Path(entry.path)
        elif entry.name.endswith(".tmp") and entry.name.startswith(".bptt-"):
            with contextlib.suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime > _FORGOTTEN:
                    _unlink(Path(entry.path))
        elif entry.name.endswith(".lock") and not Path(entry.path).with_suffix(".draft").exists():
            lock = _Lock.taken(Path(entry.path), wait=False)
            if lock is not None:
                _unlink(lock.path)
                lock.release()


def _read(path: Path) -> tuple[Header, bytes]:
    data, _ = storage.read(str(path))
    line, _, body = data.partition(b"\n")
    try:
        header = _HEADER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        header = None
    if header is None or header.format != _FORMAT:
        raise SessionError("no draft of this version", places=(str(path),))
    left = LeftOver(path, None, header, body)
    try:
        left.session()
    except SessionError as error:
        raise error.at(str(path)) from None
    return header, body


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


class _Lock:
    """A file that one process holds, until it lets go or ends."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def taken(cls, path: Path, *, wait: bool) -> _Lock | None:
        """The lock, or None where another process holds it. With `wait`, one that is being looked at is waited for."""
        for _ in range(100 if wait else 1):
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | _NOFOLLOW, 0o600)
            except OSError:
                return None
            # Whoever clears away locks may have deleted this one between its opening and its taking.
            if _hold(handle) and _is_at(handle, path):
                return cls(path, handle)
            os.close(handle)
            if wait:
                time.sleep(0.01)
        return None

    def release(self) -> None:
        """Let go."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _hold(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _hold(handle: int) -> bool:
        """Whether the lock is ours now. Where a file system knows no locks it is: a draft may then be offered twice."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True
