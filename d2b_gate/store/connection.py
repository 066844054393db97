"""One SQLite file that processes, forked children and threads share."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 10.0  # seconds to wait for another process's write, which takes milliseconds


class NewerSchemaError(sqlite3.Error):
    """The file was written by a newer version of the program."""


class Layout(NamedTuple):
    """What a file holds. ``schema`` is kept in ``user_version``; a newer number is not touched."""

    schema: int
    first: tuple[str, ...]  # pragmas that only an empty file obeys
    tables: tuple[str, ...]


class _Opened(NamedTuple):
    """A connection and the process it belongs to: SQLite forbids carrying one across a fork."""

    process: int
    connection: sqlite3.Connection


class Connection:
    """The file at ``path``. Every method may raise sqlite3.Error; hold ``turn`` while using what they return."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.turn = threading.RLock()
        self._path = path
        self._layout = layout
        self._inherited: list[sqlite3.Connection] = []
        self._opened = _Opened(os.getpid(), _connect(path, layout))

    def here(self) -> sqlite3.Connection:
        """Return this process's connection; a forked child opens its own and never closes its parent's."""
        if self._opened.process != os.getpid():
            self._inherited.append(self._opened.connection)  # keeps it from being closed here, which would drop locks
            self._opened = _Opened(os.getpid(), _connect(self._path, self._layout))
        return self._opened.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write all of what follows, or nothing of it."""
        with self.turn:
            database = self.here()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                    database.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close this process's connection."""
        with self.turn:
            self._opened.connection.close()


def _connect(path: Path, layout: Layout) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database, layout)
    except sqlite3.Error:
        database.close()
        raise
    return database


_PAGES_KIB = 256
"""Pages that a connection holds: each of the shards has one, and the default of 2 MiB would add up with the rows."""


def _prepare(database: sqlite3.Connection, layout: Layout) -> None:
    """Refuse a newer schema; create the tables in an empty file."""
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > layout.schema:
        raise NewerSchemaError(f"schema {version} is newer than {layout.schema}")
    if version == 0:
        for pragma in layout.first:
            database.execute(pragma)
    _share(database)
    database.execute("PRAGMA synchronous = NORMAL")  # a cache may lose its last seconds, never its consistency
    database.execute(f"PRAGMA cache_size = -{_PAGES_KIB}")
    if version == 0:
        database.execute("BEGIN IMMEDIATE")
        for table in layout.tables:
            database.execute(table)
        database.execute(f"PRAGMA user_version = {layout.schema}")
        database.execute("COMMIT")


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
