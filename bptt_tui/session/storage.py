"""Files, read without being harmed by what a path turns out to be, and replaced as a whole or not at all.

`read` opens without blocking, takes regular files only and looks at the size before the content, so a FIFO, a
device, a directory or a sparse file of many gigabytes is refused at once. `write` puts a temporary file next
to the target, flushes it to the disk, renames it over the target and flushes the directory: a kill at any
moment leaves the old file or the new one. Both raise SessionError whose place is the path as it was given.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bptt_tui.errors import SessionError

try:
    import fcntl
except ImportError:  # Windows: two writers may then both believe to be the last
    fcntl = None  # type: ignore[assignment]

SIZE_LIMIT = 64 * 2**20
_LOCK_SECONDS = 5.0
# A flush of a directory is not offered everywhere; the rename is then as durable as it gets.
_NO_DIRECTORY_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


class Origin(Struct, frozen=True):
    """The file a session came from: its real path, symbolic links followed, and the SHA-256 of its bytes."""

    path: str
    sha256: str


def digest(data: bytes) -> str:
    """The SHA-256 of `data` in hexadecimal."""
    import hashlib  # opens a library of its own; a start on a bundled session does without

    return hashlib.sha256(data).hexdigest()


def read(path: str) -> tuple[bytes, Origin]:
    """The bytes of the regular file at `path`, at most `SIZE_LIMIT`, and where they came from."""
    data = content(path)
    with _errors_at(path):
        return data, Origin(os.path.realpath(path), digest(data))


def content(path: str) -> bytes:
    """The bytes of the regular file at `path`, at most `SIZE_LIMIT`."""
    if not path:
        raise SessionError("an empty name is no file's")
    with _errors_at(path):
        return _read(path, path)


def write(path: str, data: bytes, origin: Origin | None, *, overwrite: bool = False) -> Origin:
    """Replace the file at `path` (or the file its symbolic link leads to) by `data`, keeping its mode.

    A file that is there is replaced only if it still is what `origin` saw, or holds `data` already, or
    `overwrite` is set; otherwise SessionError says what would be lost. A failure leaves nothing behind.
    """
    with _errors_at(path):
        if not path:
            raise SessionError("an empty name is no file's")
        if path.endswith((os.sep, os.altsep or os.sep)):
            raise SessionError("this is the name of a directory, not of a file", places=(path,))
        target = os.path.realpath(path)
        with _open_directory(target) as directory:
            temporary = _write_temporary(target, data, path)
            try:
                with _locked(directory, path):
                    if not overwrite:
                        _refuse_lost_update(target, data, origin, path)
                    os.replace(temporary, target)  # noqa: PTH105 - Path.replace is this call, less visibly
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108
                raise
            _flush_directory(directory, path)
    return Origin(target, digest(data))


def _read(path: str, shown: str) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise SessionError(f"{_kind(status.st_mode)}, not a file", places=(shown,))
        if status.st_size > SIZE_LIMIT:
            raise _too_large(f"{status.st_size / 2**20:.0f} MiB", shown)
        # The size can be a lie (/proc) or grow while it is read, so the limit holds for what arrives as well.
        parts, size = [], 0
        while part := os.read(handle, 2**20):
            size += len(part)
            if size > SIZE_LIMIT:
                raise _too_large(f"more than {SIZE_LIMIT // 2**20} MiB", shown)
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _write_temporary(target: str, data: bytes, shown: str) -> str:
    mode = 0o666
    exists = False
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(target)  # noqa: PTH116
        if not stat.S_ISREG(status.st_mode):
            raise SessionError(f"{_kind(status.st_mode)}, not a file", places=(shown,))
        mode, exists = stat.S_IMODE(status.st_mode), True
    # The name does not contain the target's, which may already be as long as a name can be.
    temporary = os.path.join(os.path.dirname(target), f".bptt-{os.urandom(8).hex()}.tmp")  # noqa: PTH118, PTH120
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o600 if exists else mode)
    try:
        try:
            if exists and hasattr(os, "fchmod"):
                os.fchmod(handle, mode)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    return temporary


def _refuse_lost_update(target: str, data: bytes, origin: Origin | None, shown: str) -> None:
    try:
        present = digest(_read(target, shown))
    except FileNotFoundError:
        return
    if present == digest(data):
        return
    if origin is None or origin.path != target:
        raise SessionError(
            "this file exists and would be lost",
            hint="save under another name, or overwrite it",
            places=(shown,),
        )
    if origin.sha256 != present:
        raise SessionError(
            "the file changed since it was opened, and those changes would be lost",
            hint="save under another name, or overwrite it",
            places=(shown,),
        )


@contextlib.contextmanager
def _open_directory(target: str) -> Iterator[int | None]:
    """The directory that holds `target`, for locking and flushing; None where none can be opened."""
    flags = getattr(os, "O_DIRECTORY", None)
    if flags is None:
        yield None
        return
    handle = os.open(os.path.dirname(target), os.O_RDONLY | flags | os.O_CLOEXEC)  # noqa: PTH120
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(directory: int | None, shown: str) -> Iterator[None]:
    """No other save in this directory between the look at the old file and the rename over it.

    The lock is on the directory, so it leaves no file behind and dies with the process. Where a file system
    knows no locks, the save goes on without.
    """
    if fcntl is None or directory is None:
        yield
        return
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SessionError("another program is saving here", hint="try again", places=(shown,)) from None
            time.sleep(0.005)
        except OSError:
            break
    yield  # closing the directory releases the lock


def _flush_directory(directory: int | None, shown: str) -> None:
    if directory is None:
        return
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno in _NO_DIRECTORY_FLUSH:
            return
        raise SessionError(
            f"saved, but perhaps not yet on the disk: {_reason(error)}", hint="save again", places=(shown,)
        ) from None


@contextlib.contextmanager
def _errors_at(path: str) -> Iterator[None]:
    """An operating system's error, or a path it cannot even be asked about, as a SessionError at `path`."""
    try:
        yield
    except OSError as error:
        raise SessionError(_reason(error), places=(path,)) from None
    except ValueError:  # a NUL, or a surrogate that the file system's encoding cannot hold
        raise SessionError("this is not a possible file name", places=(path,)) from None


def _reason(error: OSError) -> str:
    known = {
        errno.ENOENT: "there is no such file or directory",
        errno.EISDIR: "this is a directory, not a file",
    }
    if error.errno in known:
        return known[error.errno]
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "this is a directory",
        stat.S_IFIFO: "this is a pipe",
        stat.S_IFCHR: "this is a device",
        stat.S_IFBLK: "this is a device",
        stat.S_IFSOCK: "this is a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "this is something else")


def _too_large(size: str, shown: str) -> SessionError:
    limit = SIZE_LIMIT // 2**20
    return SessionError(
        f"the file is too large for a session: {size}", hint=f"the limit is {limit} MiB", places=(shown,)
    )


def nearby(path: str) -> list[str]:
    """The session files next to where `path` would be, written like it; none where looking fails."""
    try:
        parent = Path(path).parent
        return sorted(str(entry) for entry in parent.glob("*.json"))[:200]
    except (OSError, ValueError):
        return []
