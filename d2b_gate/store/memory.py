"""A store that lives as long as its process: for tests, and where the disk cannot be used."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

from d2b_gate.store.rowfiles import RowFiles
from d2b_gate.store.sizes import StoreSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FEATURE_BYTES = 500_000_000
"""Features of rows that are held; beyond, the oldest are computed again. Our choice: a small part of a machine."""


class MemoryStore:
    """`core.ports.Store` in memory. ``problem`` says why the disk is not used; empty if that was the wish."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.row_files = RowFiles()
        self._values: dict[tuple[str, str], str] = {}
        self._arrays: dict[tuple[str, str], dict[str, object]] = {}
        self._features: dict[tuple[str, str], bytes] = {}
        self._feature_bytes = 0

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

    def get_features(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what is stored of many rows, by key."""
        return {key: self._features[kind, key] for key in keys if (kind, key) in self._features}

    def put_features(self, kind: str, packed: Mapping[str, bytes]) -> None:
        """Store what was computed of many rows; the oldest go where there are too many."""
        for key, content in packed.items():
            self._feature_bytes += len(content) - len(self._features.pop((kind, key), b""))
            self._features[kind, key] = content
        while self._feature_bytes > MOST_FEATURE_BYTES:
            self._feature_bytes -= len(self._features.pop(next(iter(self._features))))

    def size(self) -> StoreSize:
        """Count what is held."""
        texts = sum(len(text.encode()) for text in self._values.values())
        arrays = sum(getattr(array, "nbytes", 0) for named in self._arrays.values() for array in named.values())
        bytes_ = texts + arrays + self._feature_bytes
        return StoreSize(len(self._values), len(self._arrays), bytes_, len(self._features))

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._arrays.clear()
        self._features.clear()
        self._feature_bytes = 0

    def gc(self, max_bytes: int) -> int:
        """Free nothing: memory goes with the process. Returns 0 bytes."""
        del max_bytes
        return 0

    def close(self) -> None:
        """Do nothing; there is no file to close."""
