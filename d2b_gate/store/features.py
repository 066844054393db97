"""Packed features of rows: one small entry a row, many at once, in sixteen SQLite files that writers share.

A row's name is a sha256, and its first hex digit says which file (shard) holds it: writers of different shards never
wait for each other, and damage costs one shard.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.store.connection import Connection, Layout
from d2b_gate.store.sizes import DAY, FEATURES, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SHARDS = "0123456789abcdef"
LAYOUT = Layout(
    schema=1,
    # so that a collection gives space back without writing the whole file anew
    first=("PRAGMA auto_vacuum = INCREMENTAL",),
    tables=(
        # small rows apart from large ones: recording a use must not write the features themselves anew
        "CREATE TABLE IF NOT EXISTS held (id INTEGER PRIMARY KEY, name BLOB NOT NULL, day INTEGER NOT NULL,"
        " bytes INTEGER NOT NULL, checksum INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS packed (id INTEGER PRIMARY KEY, value BLOB NOT NULL)",
    ),
)
OVERHEAD = 100
"""Bytes that an entry takes besides its content, about: two keys, a name, and room in half-filled pages."""
_DAY, _BYTES = "CAST(day AS INTEGER)", "CAST(bytes AS INTEGER)"
_AT_ONCE = 900
"""Names in one statement; SQLite allows 999 everywhere."""
_PAGES_AT_ONCE = 8_192
"""Pages given back between two looks of others at the file: 32 MiB, a fraction of a second."""


class _Name(NamedTuple):
    """Where a row lies: its key as it was given, its digest, and the part of that which numbers its entry."""

    key: str
    digest: bytes
    id: int


class Features:
    """The shards below ``root``. Methods may raise sqlite3.Error or OSError for the shard that they name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: dict[str, Connection] = {}
        self._turn = threading.Lock()

    def names(self, kind: str, keys: Sequence[str]) -> dict[str, list[_Name]]:
        """Where each key of this kind lies, by shard."""
        by_shard: dict[str, list[_Name]] = {}
        start = hashlib.sha256(f"{len(kind)} {kind} ".encode("utf-8", "surrogatepass"))
        for key in keys:
            content = start.copy()
            content.update(key.encode("utf-8", "surrogatepass"))
            digest = content.digest()
            name = _Name(key, digest, int.from_bytes(digest[8:16], "big", signed=True))
            by_shard.setdefault(SHARDS[digest[0] >> 4], []).append(name)
        return by_shard

    def get(self, shard: str, names: Sequence[_Name]) -> dict[str, bytes]:
        """What is held of these names; content that is not what was written counts as absent."""
        found: dict[str, bytes] = {}
        by_id = {name.id: name for name in names}
        today, stale = _today(), []
        file = self._file(shard)
        for ids in _portions(list(by_id)):
            marks = ",".join("?" * len(ids))
            statement = (
                "SELECT id, name, day, checksum, value FROM held JOIN packed USING (id)"
                f" WHERE id IN ({marks})"  # only question marks
            )
            with file.turn:
                for id_, digest, day, checksum, value in file.here().execute(statement, ids):
                    name = by_id[id_]
                    if not (isinstance(value, bytes) and isinstance(day, int)):
                        continue  # a changed page may say that they are text
                    if digest == name.digest and checksum == _checksum(digest, value):
                        found[name.key] = value
                        if day < today:
                            stale.append(id_)
        self._use(file, stale, today)
        return found

    def put(self, shard: str, names: Sequence[_Name], packed: Mapping[str, bytes]) -> None:
        """Hold what ``packed`` says of these names, all or nothing; what was held of them before is replaced."""
        today = _today()
        with self._file(shard).writing() as database:
            database.executemany(
                "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)",
                (
                    (one.id, one.digest, today, len(packed[one.key]), _checksum(one.digest, packed[one.key]))
                    for one in names
                ),
            )
            database.executemany(
                "INSERT OR REPLACE INTO packed VALUES (?, ?)", ((one.id, packed[one.key]) for one in names)
            )

    def shards(self) -> tuple[str, ...]:
        """Shards that exist."""
        return tuple(shard for shard in SHARDS if self.path(shard).exists())

    def held(self, shard: str) -> Iterator[Stored]:
        """Yield what was last used on each day."""
        # cast, for damage may make text of a number: that is of day 0, and goes first
        statement = f"SELECT {_DAY}, sum({_BYTES}) + {OVERHEAD} * count(*), count(*) FROM held GROUP BY {_DAY}"
        file = self._file(shard)
        with file.turn:
            found = file.here().execute(statement).fetchall()
        for day, size, count in found:
            yield Stored(day * DAY, size, FEATURES, (shard, str(day)), count)

    def remove(self, shard: str, day: int, bytes_: int) -> int:
        """Remove at least so many bytes of what was last used on this day, if there are as many; returns how many."""
        file, freed, gone = self._file(shard), 0, []
        statement = f"SELECT id, {_BYTES} FROM held WHERE {_DAY} = ? ORDER BY id"
        with file.writing() as database:
            for id_, size in database.execute(statement, (day,)):
                if freed >= bytes_:
                    break
                gone.append((id_,))
                freed += size + OVERHEAD
            database.executemany("DELETE FROM held WHERE id = ?", gone)
            database.executemany("DELETE FROM packed WHERE id = ?", gone)
        return freed

    def shrink(self, shard: str) -> None:
        """Give back the space of what was removed, if no other process is reading."""
        file = self._file(shard)
        with file.turn, suppress(sqlite3.OperationalError):
            database = file.here()
            while database.execute("PRAGMA freelist_count").fetchone()[0]:
                before = database.execute("PRAGMA page_count").fetchone()
                # as a script: `execute` stops at the first of the pages, each of which counts as a row of the answer
                database.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if database.execute("PRAGMA page_count").fetchone() == before:
                    return

    def path(self, shard: str) -> Path:
        """The file of a shard."""
        return self._root / f"{shard}.sqlite3"

    def close(self) -> None:
        """Close this process's connections."""
        for file in self._opened.values():
            file.close()

    def leave(self, shard: str) -> None:
        """Close one shard, which is opened again when it is next needed."""
        with self._turn:
            if shard in self._opened:
                self._opened.pop(shard).close()

    def _file(self, shard: str) -> Connection:
        with self._turn:
            if shard not in self._opened:
                self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._opened[shard] = Connection(self.path(shard), LAYOUT)
            return self._opened[shard]

    def _use(self, file: Connection, ids: Sequence[int], today: int) -> None:
        """Record today's use; a full disk, or one that is only read, can still be read."""
        if ids:
            with suppress(sqlite3.OperationalError), file.writing() as database:
                database.executemany("UPDATE held SET day = ? WHERE id = ?", ((today, id_) for id_ in ids))


def _checksum(digest: bytes, value: bytes) -> int:
    """Of name and content: SQLite does not notice when a disk changes what a page holds, and a reading would."""
    return zlib.crc32(value, zlib.crc32(digest))


def _today() -> int:
    return int(time.time() // DAY)


def _portions(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
