"""Rows that each token has sent, kept for it alone."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from d2b_gate.core.rows import row_from_mapping, row_to_mapping
from d2b_gate.server.keeping import Held
from d2b_gate.server.settings import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from d2b_gate.core.rows import Row
    from d2b_gate.server.database import Database, Value

_AT_ONCE = 500  # keys in one statement; SQLite takes at least 999 values


class RowTable:
    """The rows of all owners. Every method may raise sqlite3.Error."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, owner: str, rows: Sequence[Row]) -> int:
        """Keep rows, those that are there stay; how many bytes they have."""
        now = time.time()
        entries = [(owner, row.key, _content(row), now) for row in rows]
        self._database.change_many(
            "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used", entries
        )
        return sum(len(content) for _, _, content, _ in entries)

    def missing(self, owner: str, keys: Sequence[str]) -> list[str]:
        """Which of the keys this owner has not sent, in order, each once; the others count as used."""
        known: set[str] = set()
        old = time.time() - DAY
        for part in _parts(list(dict.fromkeys(keys))):
            values: list[Value] = [owner, *part]
            found = self._database.ask(
                f"SELECT key, used FROM rows WHERE owner = ? AND key IN ({_marks(part)})", values
            )
            known.update(str(key) for key, _ in found)
            if any(isinstance(used, float) and used < old for _, used in found):
                self._touch(owner, part)
        return [key for key in dict.fromkeys(keys) if key not in known]

    def fetch(self, owner: str, keys: Sequence[str]) -> dict[str, Row]:
        """The rows that are there, by key."""
        rows: dict[str, Row] = {}
        for part in _parts(list(dict.fromkeys(keys))):
            values: list[Value] = [owner, *part]
            marks = _marks(part)
            for key, content in self._database.ask(
                f"SELECT key, content FROM rows WHERE owner = ? AND key IN ({marks})", values
            ):
                rows[str(key)] = _row(content)
        return rows

    def held(self, owner: str) -> list[Held]:
        """Every row: when it was last used, its key, and its bytes."""
        found = self._database.ask("SELECT used, key, length(content) FROM rows WHERE owner = ?", [owner])
        return [Held(float(used), str(key), int(size)) for used, key, size in found]

    def forget(self, owner: str, rows: Sequence[Held]) -> None:
        """Remove rows, but none that was used meanwhile."""
        self._database.change_many(
            "DELETE FROM rows WHERE owner = ? AND key = ? AND used <= ?", [(owner, row.name, row.used) for row in rows]
        )

    def _touch(self, owner: str, keys: Sequence[str]) -> None:
        values: list[Value] = [time.time(), owner, *keys]
        self._database.change(f"UPDATE rows SET used = ? WHERE owner = ? AND key IN ({_marks(keys)})", values)


def row_bytes(mapping: Mapping[str, object]) -> int:
    """How large a row is, as it is kept."""
    return len(_text(mapping))


def _content(row: Row) -> bytes:
    return _text(row_to_mapping(row)).encode("ascii")


def _text(mapping: Mapping[str, object]) -> str:
    """ASCII, since a row may hold half of a surrogate pair, which UTF-8 cannot say."""
    return json.dumps(mapping, separators=(",", ":"))


def _row(content: Value) -> Row:
    if not isinstance(content, bytes):
        raise TypeError("a row is kept as something else than bytes")
    return row_from_mapping(json.loads(content))


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def _marks(keys: Sequence[str]) -> str:
    return ",".join("?" * len(keys))
