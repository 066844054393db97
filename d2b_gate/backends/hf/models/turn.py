"""One process at a time, by a lock that the operating system takes back when the process dies."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PAUSE = 0.2  # seconds between two tries
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def one_at_a_time(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at ``path``; ``on_wait`` is called once if another process holds it.

    A lock of the operating system never outlives its process, so nothing has to guess whether one is stale. Where the
    file system has no locks the work goes on without: callers rename their result into place, so the lock only
    spares the second download.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(handle):
            on_wait()
            while not _taken(handle):
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)  # and with it the lock


def _taken(handle: int) -> bool:
    """Try once; False if another process holds the lock."""
    try:
        _lock(handle)
    except OSError as error:
        return error.errno not in _HELD
    return True


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
