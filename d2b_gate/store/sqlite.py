"""The store on disk: values in SQLite, arrays in safetensors files; a broken disk never breaks a check."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from d2b_gate.store.arrays import ArrayFiles
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.sizes import StoreSize, collected
from d2b_gate.store.values import NewerSchemaError, Values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from d2b_gate.store.sizes import Stored

T = TypeVar("T")

_README = """\
This directory belongs to d2b-gate.

It remembers features of rows and readings of models, so that they are not computed twice.
It is private (it can be used to tell which rows were judged) and safe to delete at any time:
`d2b-gate cache clear` does so, and the next check takes longer.
"""


def open_store(root: Path) -> DiskStore | MemoryStore:
    """Open the store at ``root``, creating it; one in memory, whose ``problem`` says why, if that cannot be done."""
    try:
        _make_private(root)
        return DiskStore(root)
    except NewerSchemaError:
        why = "was written by a newer d2b-gate"
    except (OSError, sqlite3.Error) as error:
        why = f"cannot be used ({_first_line(error)})"
    return MemoryStore(f"the cache {root} {why}, so nothing is remembered after this run")


class DiskStore:
    """`core.ports.Store` on disk, shared by processes and threads.

    Reading something damaged gives None. ``problem`` is empty, or the first reason why something was not remembered.
    """

    def __init__(self, root: Path) -> None:
        self.problem = ""
        self._root = root
        self._arrays = ArrayFiles(root)
        self._arrays.sweep()
        self._values = _open_values(root)

    def get_json(self, kind: str, key: str) -> object | None:
        """Return the value stored under (kind, key), or None."""
        return self._attempt(lambda: self._values.get(kind, key), None)

    def put_json(self, kind: str, key: str, value: object) -> None:
        """Store a JSON value. Raises ValueError for NaN, which JSON cannot say."""
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        self._attempt(lambda: self._values.put(kind, key, text), None)

    def get_arrays(self, kind: str, key: str) -> dict[str, object] | None:
        """Return the named arrays stored under (kind, key), or None."""
        return self._attempt(lambda: self._arrays.get(kind, key), None)

    def put_arrays(self, kind: str, key: str, arrays: dict[str, object]) -> None:
        """Store named arrays."""
        self._attempt(lambda: self._arrays.put(kind, key, arrays), None)

    def size(self) -> StoreSize:
        """Count what is held."""
        return self._attempt(self._measure, StoreSize(0, 0, 0))

    def clear(self) -> None:
        """Forget everything, and a damaged database that was set aside."""
        self.gc(0)
        self._attempt(lambda: _set_aside_path(self._root).unlink(missing_ok=True), None)

    def gc(self, max_bytes: int) -> int:
        """Forget the least recently used until at most ``max_bytes`` of content stay; return the bytes freed."""
        return self._attempt(lambda: self._collect(max_bytes), 0)

    def forget_unused(self, since: float) -> int:
        """Forget what was not used since then (seconds since the epoch, to the day); return the bytes freed."""
        return self._attempt(lambda: self._drop([one for one in self._held() if one.used < since]), 0)

    def close(self) -> None:
        """Close the database."""
        self._values.close()

    def _measure(self) -> StoreSize:
        values, arrays = list(self._values.held()), list(self._arrays.held())
        return StoreSize(len(values), len(arrays), sum(one.bytes for one in values + arrays))

    def _collect(self, max_bytes: int) -> int:
        return self._drop(collected(self._held(), max_bytes))

    def _held(self) -> list[Stored]:
        return [*self._values.held(), *self._arrays.held()]

    def _drop(self, gone: list[Stored]) -> int:
        for one in gone:
            if not one.name[0]:
                self._arrays.remove(one.name[1])
        values = [one.name for one in gone if one.name[0]]
        if values:
            self._values.remove(values)
        return sum(one.bytes for one in gone)

    def _attempt(self, work: Callable[[], T], otherwise: T) -> T:
        """Turn a failing disk into a remembered problem, and a damaged database into a new one."""
        try:
            return work()
        except (OSError, sqlite3.Error) as error:
            if type(error) is sqlite3.DatabaseError:  # damage; its subclasses are a full disk, a lock, a closed file
                self._remember(f"was damaged ({_first_line(error)}) and begins anew")
                self._begin_anew()
            else:
                self._remember(f"fails ({_first_line(error)}), so some work may be repeated")
        return otherwise

    def _begin_anew(self) -> None:
        self._values.close()
        with suppress(OSError, sqlite3.Error):  # then it stays closed, and every later use finds nothing
            _set_aside(self._root)
            self._values = Values(_database(self._root))

    def _remember(self, why: str) -> None:
        self.problem = self.problem or f"the cache {self._root} {why}"


def _make_private(root: Path) -> None:
    """Create the directory for this user alone: keys tell which rows were judged, readings what they say."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(OSError):  # not the owner, or a file system without modes
        root.chmod(0o700)
    readme = root / "README.txt"
    if not readme.exists():
        readme.write_text(_README, encoding="utf-8")


def _open_values(root: Path) -> Values:
    """Open the database; a file that is none is set aside for a new one."""
    try:
        return Values(_database(root))
    except (sqlite3.OperationalError, NewerSchemaError):
        raise
    except sqlite3.DatabaseError:
        _set_aside(root)
        return Values(_database(root))


def _database(root: Path) -> Path:
    return root / "values.sqlite3"


def _set_aside_path(root: Path) -> Path:
    return root / "values.sqlite3.damaged"


def _set_aside(root: Path) -> None:
    """Keep the damaged file, for whoever wants to look; drop its log, which belongs to no other file."""
    damaged = _database(root)
    with suppress(FileNotFoundError):  # another process was faster
        damaged.replace(_set_aside_path(root))
    for suffix in ("-wal", "-shm"):
        damaged.with_name(damaged.name + suffix).unlink(missing_ok=True)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
