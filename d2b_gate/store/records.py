"""Records of one length, sorted and kept on disk once there are many: memory does not grow with their number."""

from __future__ import annotations

import heapq
import os
import threading
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, Protocol

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HELD: Final = 1 << 15
"""Records that are sorted in memory at a time. Our choice: 3 MB of them, and 30 runs to merge for a million."""
BLOCK: Final = 512
"""Records that are read at a time."""
_TURN: Final = threading.Lock()


class Records(Protocol):
    """A sequence of records that may lie on disk."""

    def __len__(self) -> int:
        """How many there are."""

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Those of these numbers, in order."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Records in memory."""

    records: Sequence[bytes]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.records)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Those of these numbers, in order."""
        return iter(self.records[start:stop])


@dataclass(frozen=True, slots=True)
class Spooled:
    """Records in an open file, from ``offset`` on. The file lives as long as this."""

    file: IO[bytes]
    offset: int
    count: int
    width: int

    def __len__(self) -> int:
        """How many there are."""
        return self.count

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Those of these numbers, in order."""
        return _read(self.file, self.offset + start * self.width, stop - start, self.width)


@dataclass(frozen=True, slots=True)
class Filed:
    """Records in a named file, from ``offset`` on; it is open only while it is read."""

    path: Path
    offset: int
    count: int
    width: int

    def __len__(self) -> int:
        """How many there are."""
        return self.count

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Those of these numbers, in order."""
        try:
            with self.path.open("rb", buffering=0) as file:
                yield from _read(file, self.offset + start * self.width, stop - start, self.width)
        except OSError as error:
            what = f"the index of the rows cannot be read any more ({error.strerror})"
            raise EvaluationError(what, remedy="run again; it is made anew") from error


def _read(file: IO[bytes], offset: int, count: int, width: int) -> Iterator[bytes]:
    while count > 0:
        block = _block(file, min(count, BLOCK) * width, offset)
        if not block or len(block) % width:
            raise EvaluationError("the index of the rows was cut short", remedy="run again; it is made anew")
        yield from [block[start : start + width] for start in range(0, len(block), width)]
        count -= len(block) // width
        offset += len(block)


def _block(file: IO[bytes], size: int, offset: int) -> bytes:
    """Read without a change of the file's position, where the next record will be written."""
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, offset)
    with _TURN:  # Windows has no such call
        position = file.tell()
        try:
            file.seek(offset)
            return file.read(size)
        finally:
            file.seek(position)


class Runs:
    """Sorts any number of records. ``folder`` is where they go; empty: the machine's place for temporary files."""

    def __init__(self, width: int, folder: Path | str = "") -> None:
        self._width = width
        self._folder = folder
        self._held: list[bytes] = []
        self._runs: list[Spooled] = []
        self._last = b""
        self._in_order = True

    def add(self, record: bytes) -> None:
        """Take one record."""
        self._held.append(record)
        if len(self._held) >= HELD:
            self._spill()

    def merged(self) -> Iterator[bytes]:
        """All records, sorted."""
        runs = [run.read(0, len(run)) for run in self._runs]
        self._held.sort()
        if self._in_order and not (self._held and self._held[0] < self._last):
            return chain(*runs, self._held)
        return heapq.merge(*runs, self._held)

    def settled(self) -> Records:
        """All records, sorted, where any of them can be reached."""
        if not self._runs:
            return Listed(sorted(self._held))
        if self._in_order and self._held and min(self._held) >= self._last:
            self._spill()
        if self._in_order and not self._held:
            return Spooled(self._runs[0].file, 0, sum(map(len, self._runs)), self._width)
        file = temporary(self._folder)
        return Spooled(file, 0, spool(self.merged(), file), self._width)

    def _spill(self) -> None:
        self._held.sort()
        file = self._runs[0].file if self._runs else temporary(self._folder)
        offset = file.tell()
        self._in_order = self._in_order and self._held[0] >= self._last
        self._last = self._held[-1]
        file.writelines(self._held)
        file.flush()
        self._runs.append(Spooled(file, offset, len(self._held), self._width))
        self._held = []


def no_room(what: str, error: OSError) -> EvaluationError:
    """The error of work that found no disk to be done on."""
    remedy = "free some space, or name another TMPDIR"
    return EvaluationError(f"there is no room to {what} on disk ({error.strerror})", remedy=remedy)


def temporary(folder: Path | str) -> IO[bytes]:
    """A file without a name, which goes when it is closed."""
    return TemporaryFile(prefix="d2b-gate-", dir=folder or None)


def spool(records: Iterator[bytes], file: IO[bytes]) -> int:
    """Write records to the end of a file; return how many."""
    count = 0
    for record in records:
        file.write(record)
        count += 1
    file.flush()
    return count
