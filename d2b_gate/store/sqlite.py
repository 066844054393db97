"""The store on disk: values and features in SQLite, arrays in safetensors files; a broken disk breaks no check."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from d2b_gate.store.arrays import ArrayFiles
from d2b_gate.store.bound import KEPT_SHARE, MOST_BYTES, Bound
from d2b_gate.store.connection import NewerSchemaError
from d2b_gate.store.damage import aside, set_aside
from d2b_gate.store.features import Features
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.rowfiles import RowFiles
from d2b_gate.store.sizes import ARRAYS, FEATURES, ROWS, VALUES, Gone, StoreSize, collected
from d2b_gate.store.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from d2b_gate.store.sizes import Stored

T = TypeVar("T")

_README = """\
This directory belongs to d2b-gate.

It remembers features of rows and readings of models, so that they are not computed twice.
It is private (it can be used to tell which rows were judged) and safe to delete at any time:
`d2b-gate cache clear` does so, and the next check takes longer.
"""


def open_store(
    root: Path, max_bytes: int = MOST_BYTES, tell: Callable[[str], None] = lambda _: None
) -> DiskStore | MemoryStore:
    """Open the store at ``root``, creating it; one in memory, whose ``problem`` says why, if that cannot be done.

    It forgets by itself what was not used for longest, when it holds more than ``max_bytes``. ``tell`` hears of its
    problem once, now or whenever it comes.
    """
    try:
        _make_private(root)
        return DiskStore(root, max_bytes, tell)
    except NewerSchemaError:
        why = _NEWER
    except (OSError, sqlite3.Error) as error:
        why = f"cannot be used ({_first_line(error)})"
    store = MemoryStore(f"the cache {root} {why}, so nothing is remembered after this run")
    tell(store.problem)
    return store


class DiskStore:
    """`core.ports.Store` on disk, shared by processes and threads.

    Reading something damaged gives None. ``problem`` is empty, or the first reason why something was not remembered.
    """

    def __init__(self, root: Path, max_bytes: int = MOST_BYTES, tell: Callable[[str], None] = lambda _: None) -> None:
        self.problem = ""
        self._tell = tell
        self._root = root
        self._bound = Bound(root, max_bytes)
        self._arrays = ArrayFiles(root)
        self._arrays.sweep()
        self.row_files = RowFiles(root / "rows")
        self.row_files.sweep()
        self._values = _open_values(root)
        self._features = Features(root / "features")

    def get_json(self, kind: str, key: str) -> object | None:
        """Return the value stored under (kind, key), or None."""
        return self._attempt(lambda: self._values.get(kind, key), None)

    def put_json(self, kind: str, key: str, value: object) -> None:
        """Store a JSON value. Raises ValueError for NaN, which JSON cannot say."""
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        self._attempt(lambda: self._values.put(kind, key, text), None)
        self._stay_bounded(len(text))

    def get_arrays(self, kind: str, key: str) -> dict[str, object] | None:
        """Return the named arrays stored under (kind, key), or None."""
        return self._attempt(lambda: self._arrays.get(kind, key), None)

    def put_arrays(self, kind: str, key: str, arrays: dict[str, object]) -> None:
        """Store named arrays."""
        self._attempt(lambda: self._arrays.put(kind, key, arrays), None)
        self._stay_bounded(sum(int(getattr(array, "nbytes", 0)) for array in arrays.values()))

    def get_features(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what is stored of many rows, by key."""
        found: dict[str, bytes] = {}
        nothing: dict[str, bytes] = {}
        for shard, names in self._features.names(kind, keys).items():
            found |= self._attempt_shard(shard, partial(self._features.get, shard, names), nothing)
        return found

    def put_features(self, kind: str, packed: Mapping[str, bytes]) -> None:
        """Store what was computed of many rows, shard by shard."""
        for shard, names in self._features.names(kind, tuple(packed)).items():
            self._attempt_shard(shard, partial(self._features.put, shard, names, packed), None)
        self._stay_bounded(sum(len(content) for content in packed.values()))

    def size(self) -> StoreSize:
        """Count what is held."""
        held = self._held()
        parts = (VALUES, ROWS, ARRAYS, FEATURES)
        counts = {part: sum(one.entries for one in held if one.part == part) for part in parts}
        return StoreSize(
            counts[VALUES] + counts[ROWS], counts[ARRAYS], sum(one.bytes for one in held), counts[FEATURES]
        )

    def clear(self) -> None:
        """Forget everything, and damaged databases that were set aside."""
        self.gc(0)
        files = [_database(self._root), *(self._features.path(shard) for shard in self._features.shards())]
        for file in files:
            self._attempt(partial(aside(file).unlink, missing_ok=True), None)

    def gc(self, max_bytes: int) -> int:
        """Forget the least recently used until at most ``max_bytes`` of content stay; return the bytes freed."""
        return self._drop(collected(self._held(), max_bytes))

    def forget_unused(self, since: float) -> int:
        """Forget what was not used since then (seconds since the epoch, to the day); return the bytes freed."""
        return self._drop([Gone(one, one.bytes) for one in self._held() if one.used < since])

    def close(self) -> None:
        """Close the databases."""
        self._values.close()
        self._features.close()

    def _stay_bounded(self, added: int) -> None:
        if not self._attempt(lambda: self._bound.due(added), False):
            return
        held = self._held()
        if sum(one.bytes for one in held) > self._bound.max_bytes:
            gone = collected(held, int(self._bound.max_bytes * KEPT_SHARE))
            self._drop([one for one in gone if not self._reads(one.stored)])

    def _reads(self, stored: Stored) -> bool:
        """Whether this very run reads it piece by piece: it stays, however little may be kept, and goes another day."""
        return stored.part == ROWS and self.row_files.in_use(stored.name[1])

    def _held(self) -> list[Stored]:
        held: list[Stored] = []
        held += self._attempt(lambda: list(self._values.held()), [])
        held += self._attempt(lambda: [*self._arrays.held(), *self.row_files.held()], [])
        for shard in self._features.shards():
            held += self._attempt_shard(shard, partial(_listed, self._features.held, shard), [])
        return held

    def _drop(self, gone: Sequence[Gone]) -> int:
        files = [one for one in gone if one.stored.part in (ARRAYS, ROWS)]
        values = [one for one in gone if one.stored.part == VALUES]
        features = [one for one in gone if one.stored.part == FEATURES]
        freed = self._attempt(lambda: self._drop_files(files), 0)
        freed += self._attempt(lambda: self._drop_values(values), 0)
        for one in features:
            shard, day = one.stored.name
            freed += self._attempt_shard(shard, partial(self._features.remove, shard, int(day), one.bytes), 0)
        for shard in sorted({one.stored.name[0] for one in features}):
            self._attempt_shard(shard, partial(self._features.shrink, shard), None)
        return freed

    def _drop_files(self, gone: Sequence[Gone]) -> int:
        for one in gone:
            files = self._arrays if one.stored.part == ARRAYS else self.row_files
            files.remove(one.stored.name[1])
        return sum(one.stored.bytes for one in gone)

    def _drop_values(self, gone: Sequence[Gone]) -> int:
        if gone:
            self._values.remove([one.stored.name for one in gone])
        return sum(one.stored.bytes for one in gone)

    def _attempt(self, work: Callable[[], T], otherwise: T) -> T:
        """Turn a failing disk into a remembered problem, and a damaged database into a new one."""
        return self._attempted(work, otherwise, self._begin_anew)

    def _attempt_shard(self, shard: str, work: Callable[[], T], otherwise: T) -> T:
        return self._attempted(work, otherwise, partial(self._begin_shard_anew, shard))

    def _attempted(self, work: Callable[[], T], otherwise: T, begin_anew: Callable[[], None]) -> T:
        try:
            return work()
        except NewerSchemaError:
            self._remember(f"{_NEWER}, so some work may be repeated")
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            if _is_damage(error):
                self._remember(f"was damaged ({_first_line(error)}) and begins anew")
                begin_anew()
            else:
                self._remember(f"fails ({_first_line(error)}), so some work may be repeated")
        return otherwise

    def _begin_anew(self) -> None:
        self._values.close()
        with suppress(OSError, sqlite3.Error):  # then it stays closed, and every later use finds nothing
            set_aside(_database(self._root))
            self._values = Values(_database(self._root))

    def _begin_shard_anew(self, shard: str) -> None:
        self._features.leave(shard)
        with suppress(OSError):  # then the next use fails again, and finds nothing
            set_aside(self._features.path(shard))

    def _remember(self, why: str) -> None:
        if not self.problem:
            self.problem = f"the cache {self._root} {why}"
            self._tell(self.problem)


def _listed(held: Callable[[str], Iterable[Stored]], shard: str) -> list[Stored]:
    return list(held(shard))


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
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        set_aside(_database(root))
        return Values(_database(root))


def _database(root: Path) -> Path:
    return root / "values.sqlite3"


def _is_damage(error: Exception) -> bool:
    """Whether a file is no database any more; the subclasses are a full disk, a lock, a closed file.

    What SQLite says of a rotten schema quotes it, and the quotation may be no text.
    """
    return isinstance(error, UnicodeDecodeError) or type(error) is sqlite3.DatabaseError


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


_NEWER = "was written by a newer d2b-gate"
