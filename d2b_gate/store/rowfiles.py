"""Indices of large files of rows, one file each: which rows they hold and where, sorted by place and by key.

A part of an index is what one data file holds. Its places are records of a line (4 bytes) and a key (32), its keys
records of a key and a line; both sorted. After the parts come a table of them as JSON, and `_TAIL`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeVar, runtime_checkable

from d2b_gate.store.records import Filed, Listed, Records, Runs, Spooled, no_room
from d2b_gate.store.sizes import ROWS, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from d2b_gate.core.ports import Store

    Entry = tuple[str, str, int, bool]  # path, key in hex, line, whether the row trains

T = TypeVar("T")

WIDTH: Final = 36
"""Bytes of a record: a line and a key, or a key and a line."""
LINE: Final = struct.Struct(">I")
_TAIL: Final = struct.Struct(">Q32s16s")  # bytes of the table, sha256 of all before this, and `_MAGIC`
_MAGIC: Final = b"d2b-gate rows 1\n"
_STALE = 3_600.0  # seconds after which an unfinished file belongs to a process that died
_SUFFIX = ".rows"
_BLOCK = 1 << 20
OUTLIVES: Final = os.name != "nt"
"""Whether an open file can be read after its name is gone, so that no other process can take an index from this one.
Where not (Windows), an open file could never be removed, and so it is open only while it is read."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one data file that train. ``untrained`` rows have no token that the loss falls on."""

    path: str
    untrained: int
    places: Records
    keys: Records

    def __len__(self) -> int:
        """How many rows train."""
        return len(self.places)


def held_parts(entries: Iterable[Entry]) -> tuple[Part, ...]:
    """Parts in memory."""
    return tuple(_held_part(path, list(group)) for path, group in groupby(entries, itemgetter(0)))


def _held_part(path: str, entries: list[Entry]) -> Part:
    rows = [(bytes.fromhex(key), LINE.pack(line)) for _, key, line, trains in entries if trains]
    places, keys = sorted(line + key for key, line in rows), sorted(key + line for key, line in rows)
    return Part(path, len(entries) - len(rows), Listed(places), Listed(keys))


@runtime_checkable
class KeepsRowFiles(Protocol):
    """A store that has a place for indices."""

    row_files: RowFiles


def row_files(store: Store) -> RowFiles:
    """Where the store keeps indices; for one without such a place a temporary one, as long as this process lives."""
    return store.row_files if isinstance(store, KeepsRowFiles) else _of_process()


@cache
def _of_process() -> RowFiles:
    return RowFiles()


class RowFiles:
    """The indices below ``root``; without a root, in a temporary directory that goes with this object."""

    def __init__(self, root: Path | str = "") -> None:
        self._root = root
        self._writable = bool(root)
        self._temporary: list[TemporaryDirectory[str]] = []
        self._in_use: set[str] = set()

    def get(self, key: str) -> tuple[Part, ...] | None:
        """Return the parts of an index, or None; a damaged one is removed and counts as absent."""
        places = [self._root] if self._root else []
        for place in (*places, *(folder.name for folder in self._temporary)):
            parts = self._got(_path(Path(place), key))
            if parts is not None:
                return parts
        return None

    def write_elsewhere(self) -> None:
        """From now on write to a temporary directory: the disk of the root is full, or cannot be written."""
        self._writable = False

    def _got(self, path: Path) -> tuple[Part, ...] | None:
        try:
            parts = _opened(path, _parts)
        except OSError:
            return None
        except ValueError:
            with suppress(OSError):
                path.unlink()
            return None
        self._in_use.add(path.name)
        with suppress(OSError):  # each time, not each day: what another process is reading must not be the oldest
            os.utime(path)
        return parts

    def put(self, key: str, entries: Iterable[Entry]) -> tuple[Part, ...]:
        """Write an index as its rows come, then move it to its place in one step. May raise OSError."""
        folder = self.folder()  # first, for it may turn to another disk
        path = _path(self._base(), key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            with unfinished.open("wb") as file:
                _write(entries, file, folder)
            self._in_use.add(path.name)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return _opened(path, _table)

    def folder(self) -> Path:
        """Where unfinished and temporary files go: elsewhere if it cannot be made here. May raise OSError."""
        try:
            return _made(self._base() / "unfinished")
        except OSError:
            if not self._writable:
                raise
        self.write_elsewhere()
        return _made(self._base() / "unfinished")

    def spooled(self, work: Callable[[Path], T], what: str) -> T:
        """Do work that needs a folder; once more and elsewhere, where the disk is full or cannot be written.

        Raises:
            EvaluationError: there is no room elsewhere either to do ``what``.
        """
        try:
            return work(self.folder())
        except OSError:
            self.write_elsewhere()
        try:
            return work(self.folder())
        except OSError as error:
            raise no_room(what, error) from error

    def held(self) -> Iterator[Stored]:
        """Yield every index, with its last day of use."""
        for path in Path(self._root).glob(f"*/*{_SUFFIX}") if self._root else ():
            with suppress(FileNotFoundError):  # another process may be collecting
                status = path.stat()
                yield Stored(status.st_mtime, status.st_size, ROWS, ("", path.name))

    def in_use(self, name: str) -> bool:
        """Whether this process was given this index, so that it may yet read it."""
        return name in self._in_use

    def remove(self, name: str) -> None:
        """Remove one index by its name."""
        (Path(self._root) / name[:2] / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what crashed processes left unfinished."""
        for path in (Path(self._root) / "unfinished").glob("*") if self._root else ():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink()

    def _base(self) -> Path:
        if self._writable:
            return Path(self._root)
        if not self._temporary:
            self._temporary.append(TemporaryDirectory(prefix="d2b-gate-"))
        return Path(self._temporary[0].name)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _path(base: Path, key: str) -> Path:
    name = hashlib.sha256(key.encode()).hexdigest()
    return base / name[:2] / f"{name}{_SUFFIX}"


def _write(entries: Iterable[Entry], file: IO[bytes], folder: Path) -> None:
    """Write part after part, then the table."""
    digest = hashlib.sha256()
    table: list[tuple[str, int, int, int]] = []
    offset = 0
    for path, group in groupby(entries, itemgetter(0)):
        places, keys = Runs(WIDTH, folder), Runs(WIDTH, folder)
        count = untrained = 0
        for _, key, line, trains in group:
            if trains:
                key_bytes, line_bytes = bytes.fromhex(key), LINE.pack(line)
                places.add(line_bytes + key_bytes)
                keys.add(key_bytes + line_bytes)
                count += 1
            else:
                untrained += 1
        for runs in (places, keys):
            for record in runs.merged():
                file.write(record)
                digest.update(record)
        table.append((path, untrained, offset, count))
        offset += 2 * count * WIDTH
    text = json.dumps(table).encode()
    digest.update(text)
    file.write(text + _TAIL.pack(len(text), digest.digest(), _MAGIC))


def _opened(path: Path, look: Callable[[IO[bytes], Path], tuple[Part, ...]]) -> tuple[Part, ...]:
    """What ``look`` finds in a file. May raise OSError, or ValueError for a damaged one."""
    file = path.open("rb")
    try:
        parts = look(file, path)
    except BaseException:
        file.close()
        raise
    if not OUTLIVES:
        file.close()
    return parts


def _records(file: IO[bytes], path: Path, offset: int, count: int) -> Records:
    return Spooled(file, offset, count, WIDTH) if OUTLIVES else Filed(path, offset, count, WIDTH)


def _parts(file: IO[bytes], path: Path) -> tuple[Part, ...]:
    """As `_table`, after a look at every byte: what is damaged must not become a verdict."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL.size))
    _, wanted, _ = _tail(file.read())
    file.seek(0)
    digest, left = hashlib.sha256(), size - _TAIL.size
    while left > 0 and (block := file.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    if digest.digest() != wanted:
        raise ValueError("the checksum differs")
    return _table(file, path)


def _table(file: IO[bytes], path: Path) -> tuple[Part, ...]:
    end = file.seek(0, os.SEEK_END) - _TAIL.size
    file.seek(end)
    length, _, _ = _tail(file.read())
    file.seek(end - length)
    return tuple(
        Part(
            name,
            untrained,
            _records(file, path, offset, count),
            _records(file, path, offset + count * WIDTH, count),
        )
        for name, untrained, offset, count in json.loads(file.read(length))
    )


def _tail(content: bytes) -> tuple[int, bytes, bytes]:
    if len(content) != _TAIL.size or not content.endswith(_MAGIC):
        raise ValueError("not an index of rows")
    length, digest, magic = _TAIL.unpack(content)
    return length, digest, magic
