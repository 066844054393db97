"""JSON values in one SQLite file, shared by concurrent processes."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from d2b_gate.store.sizes import DAY, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = 1
"""Kept in ``user_version``. A newer number was written by a newer d2b-gate and is not touched."""

_PATIENCE = 10.0  # seconds to wait for another process's write, which takes milliseconds
_CREATE = """
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, used REAL NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class NewerSchemaError(sqlite3.Error):
    """The file was written by a newer version of the program."""


class _Opened(NamedTuple):
    """A connection and the process it belongs to: SQLite forbids carrying one across a fork."""

    process: int
    connection: sqlite3.Connection


class Values:
    """The file at ``path``. Every method may raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self._inherited: list[sqlite3.Connection] = []
        self._opened = _Opened(os.getpid(), _connect(path))

    def get(self, kind: str, key: str) -> object | None:
        """Return the value, or None; text that is no JSON counts as absent."""
        text = self._text(kind, key)
        if text is None:
            return None
        with suppress(ValueError):
            return json.loads(text)  # type: ignore[no-any-return] # json has no better type than Any
        return None

    def put(self, kind: str, key: str, text: str) -> None:
        """Store JSON text, replacing what was there."""
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (kind, key, text, time.time()))

    def held(self) -> Iterator[Stored]:
        """Yield every value, with its last day of use."""
        size = "length(CAST(value AS BLOB))"
        for used, bytes_, kind, key in self._run(f"SELECT used, {size}, kind, key FROM entries"):
            yield Stored(used, bytes_, (kind, key))

    def remove(self, names: list[tuple[str, str]]) -> None:
        """Remove values by (kind, key), and give the space back if no other process is reading."""
        with self._turn:
            database = self._connection()
            database.execute("BEGIN IMMEDIATE")
            database.executemany("DELETE FROM entries WHERE kind = ? AND key = ?", names)
            database.execute("COMMIT")
            with suppress(sqlite3.OperationalError):
                database.execute("VACUUM")

    def close(self) -> None:
        """Close this process's connection."""
        with self._turn:
            self._opened.connection.close()

    def _text(self, kind: str, key: str) -> str | None:
        with self._turn:
            database, name = self._connection(), (kind, key)
            found = database.execute("SELECT value, used FROM entries WHERE kind = ? AND key = ?", name).fetchone()
            if found is None:
                return None
            if time.time() - found[1] > DAY:
                with suppress(sqlite3.OperationalError):  # a full disk can still be read
                    database.execute("UPDATE entries SET used = ? WHERE kind = ? AND key = ?", (time.time(), *name))
            return str(found[0])

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[float, int, str, str]]:
        with self._turn:
            return self._connection().execute(statement, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        """Return this process's connection; a forked child opens its own and never closes its parent's."""
        if self._opened.process != os.getpid():
            self._inherited.append(self._opened.connection)  # keeps it from being closed here, which would drop locks
            self._opened = _Opened(os.getpid(), _connect(self._path))
        return self._opened.connection


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    """Refuse a newer schema; create the table in an empty file."""
    version = _version(database)
    if version > SCHEMA:
        raise NewerSchemaError(f"schema {version} is newer than {SCHEMA}")
    _share(database)
    database.execute("PRAGMA synchronous = NORMAL")  # a cache may lose its last seconds, never its consistency
    if version == 0:
        database.execute("BEGIN IMMEDIATE")
        database.execute(_CREATE)
        database.execute(f"PRAGMA user_version = {SCHEMA}")
        database.execute("COMMIT")


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _share(database: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite does not wait for its turn here, so this does."""
    deadline = time.monotonic() + _PATIENCE
    while not _is_shared(database):
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("the database is locked")
        time.sleep(0.02)


def _is_shared(database: sqlite3.Connection) -> bool:
    """Try once. File systems without shared memory answer with another mode, which is safe too."""
    try:
        database.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True
