"""One process a run.

The lock is the operating system's: it goes with the process that holds it, however that ends.
Where there is no `flock` (Windows), a byte far behind the end of the file is locked, so that the
file can be read meanwhile.  A child made by fork would inherit a lock and outlive its parent (the
workers of a vector environment do), so a child lets go of it at once.
"""

from __future__ import annotations

import os
from pathlib import Path

from maxent.errors import RunLockedError

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_BEHIND = 2**30
"""The byte that is locked on Windows."""

_held: set[int] = set()


class Lock:
    """The lock on a file, taken when made.  Raises RunLockedError, with the process id of the
    holder, where another has it.  The file holds the id and stays."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            _take(handle)
        except OSError as error:
            holder = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            if not isinstance(error, BlockingIOError):
                raise
            raise RunLockedError(
                f"run {str(path.parent)!r} is in use by process {holder or 'unknown'}; "
                "wait for it to end, or choose another run"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        _held.add(handle)
        self._handle = handle

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._handle in _held:
            _held.remove(self._handle)
            os.close(self._handle)
        self._handle = -1


def _take(handle: int) -> None:
    """Lock an open file; BlockingIOError where another has it."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(handle, _BEHIND, os.SEEK_SET)
    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(error.errno, error.strerror) from None
    finally:
        os.lseek(handle, 0, os.SEEK_SET)


def _let_go() -> None:
    """In a forked child: close the parent's locks, which leaves them to the parent alone."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
