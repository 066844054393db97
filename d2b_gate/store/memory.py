"""A store that lives as long as its process: for tests, and where the disk cannot be used."""

from __future__ import annotations

import copy
import json

from d2b_gate.store.sizes import StoreSize


class MemoryStore:
    """`core.ports.Store` in memory. ``problem`` says why the disk is not used; empty if that was the wish."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self._values: dict[tuple[str, str], str] = {}
        self._arrays: dict[tuple[str, str], dict[str, object]] = {}

    def get_json(self, kind: str, key: str) -> object | None:
        """Return the value stored under (kind, key), or None."""
        text = self._values.get((kind, key))
        return None if text is None else json.loads(text)

    def put_json(self, kind: str, key: str, value: object) -> None:
        """Store a JSON value. Raises ValueError for NaN, which JSON cannot say."""
        self._values[kind, key] = json.dumps(value, allow_nan=False)

    def get_arrays(self, kind: str, key: str) -> dict[str, object] | None:
        """Return the named arrays stored under (kind, key), or None."""
        return copy.deepcopy(self._arrays.get((kind, key)))

    def put_arrays(self, kind: str, key: str, arrays: dict[str, object]) -> None:
        """Store copies of named arrays."""
        self._arrays[kind, key] = copy.deepcopy(arrays)

    def size(self) -> StoreSize:
        """Count what is held."""
        texts = sum(len(text.encode()) for text in self._values.values())
        arrays = sum(getattr(array, "nbytes", 0) for named in self._arrays.values() for array in named.values())
        return StoreSize(len(self._values), len(self._arrays), texts + arrays)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._arrays.clear()

    def gc(self, max_bytes: int) -> int:
        """Free nothing: memory goes with the process. Returns 0 bytes."""
        del max_bytes
        return 0

    def close(self) -> None:
        """Do nothing; there is no file to close."""
