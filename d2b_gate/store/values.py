"""JSON values in one SQLite file, shared by concurrent processes."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from d2b_gate.store.connection import Connection, Layout
from d2b_gate.store.sizes import DAY, VALUES, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYOUT = Layout(
    schema=1,
    first=(),
    tables=(
        """
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, used REAL NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
""",
    ),
)


class Values:
    """The file at ``path``. Every method may raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._file = Connection(path, LAYOUT)

    def get(self, kind: str, key: str) -> object | None:
        """Return the value, or None; text that is not what was written, or no JSON, counts as absent."""
        text, _, checksum = self._text(kind, key).rpartition("\n")
        if checksum != _checksum(kind, key, text):
            return None
        with suppress(ValueError):
            return json.loads(text)  # type: ignore[no-any-return] # json has no better type than Any
        return None

    def put(self, kind: str, key: str, text: str) -> None:
        """Store JSON text, replacing what was there."""
        checked = f"{text}\n{_checksum(kind, key, text)}"
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (kind, key, checked, time.time()))

    def held(self) -> Iterator[Stored]:
        """Yield every value, with its last day of use."""
        size = "length(CAST(value AS BLOB))"
        for used, bytes_, kind, key in self._run(f"SELECT CAST(used AS REAL), {size}, kind, key FROM entries"):
            yield Stored(used, bytes_, VALUES, (kind, key))

    def remove(self, names: list[tuple[str, str]]) -> None:
        """Remove values by (kind, key), and give the space back if no other process is reading."""
        with self._file.writing() as database:
            database.executemany("DELETE FROM entries WHERE kind = ? AND key = ?", names)
        with self._file.turn, suppress(sqlite3.OperationalError):
            self._file.here().execute("VACUUM")

    def close(self) -> None:
        """Close this process's connection."""
        self._file.close()

    def _text(self, kind: str, key: str) -> str:
        with self._file.turn:
            database, name = self._connection(), (kind, key)
            found = database.execute("SELECT value, used FROM entries WHERE kind = ? AND key = ?", name).fetchone()
            if found is None or not isinstance(found[1], float):  # a changed page may say that the time is text
                return ""
            if time.time() - found[1] > DAY:
                with suppress(sqlite3.OperationalError):  # a full disk can still be read
                    database.execute("UPDATE entries SET used = ? WHERE kind = ? AND key = ?", (time.time(), *name))
            return str(found[0])

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[float, int, str, str]]:
        with self._file.turn:
            return self._connection().execute(statement, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        return self._file.here()


def _checksum(kind: str, key: str, text: str) -> str:
    """Of a value and its name: SQLite does not notice when a disk changes what a page holds, and a reading would."""
    name = zlib.crc32(f"{len(kind)} {kind} {key}".encode("utf-8", "surrogatepass"))
    return f"{zlib.crc32(text.encode(), name):08x}"
