"""The server's state in one SQLite file: rows and jobs of every token. One process has it at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SCHEMA = 1
NAME = "state.sqlite3"
Value = str | bytes | int | float

_CREATE = """
CREATE TABLE rows (
    owner TEXT NOT NULL, key TEXT NOT NULL, content BLOB NOT NULL, used REAL NOT NULL, PRIMARY KEY (owner, key)
);
CREATE TABLE jobs (
    owner TEXT NOT NULL, name TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL, total INTEGER NOT NULL,
    error TEXT NOT NULL, arrival INTEGER NOT NULL, attempts INTEGER NOT NULL, bytes INTEGER NOT NULL,
    used REAL NOT NULL, PRIMARY KEY (owner, name)
);
CREATE INDEX unfinished ON jobs (state) WHERE state IN ('queued', 'running');
"""


class Database:
    """One connection that threads take turns with. Every method may raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._turn = threading.RLock()
        self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            _prepare(self._connection)
        except sqlite3.Error:
            self._connection.close()
            raise

    def ask(self, statement: str, values: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """All rows of one statement."""
        with self._turn:
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[Value] = ()) -> int:
        """Run one statement by itself; how many rows it changed."""
        with self._turn:
            return self._connection.execute(statement, values).rowcount

    def change_many(self, statement: str, many: Sequence[Sequence[Value]]) -> None:
        """Run one statement for each of ``many``, all of them or none."""
        with self.together():
            self._connection.executemany(statement, many)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is done inside is done as a whole, or not at all."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def give_back(self) -> None:
        """Return the pages of what was removed to the disk."""
        with self._turn:
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Close the file, after which another server may have it."""
        with self._turn:
            self._connection.close()


def open_database(state: Path) -> Database:
    """Open the state below this folder, which only this user can read.

    Raises:
        UsageError: another server uses it.
        EvaluationError: it is damaged, newer, or cannot be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            state.chmod(0o700)
        return Database(state / NAME)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise UsageError(
                "another server uses this state", where=str(state), remedy="name another: --state"
            ) from error
        raise _unusable(state, error) from error
    except (OSError, sqlite3.Error) as error:
        raise _unusable(state, error) from error


def _unusable(state: Path, error: Exception) -> EvaluationError:
    return EvaluationError(
        f"the server's state cannot be used ({error})", where=str(state / NAME), remedy="repair it, or move it away"
    )


def _prepare(connection: sqlite3.Connection) -> None:
    """Take the file for this process alone, until it ends however it ends, and make the tables of a new one."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # what a power failure may cost, clients send again
    connection.execute("BEGIN IMMEDIATE")  # takes the lock
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, SCHEMA):
        connection.execute("ROLLBACK")
        raise sqlite3.DatabaseError(f"it was written by another version of d2b-gate, schema {version}")
    if version == 0:
        for statement in _CREATE.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")
