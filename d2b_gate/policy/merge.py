"""Several layers to one table: tables key by key, rules by id, datasets by name; a child overrides its parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import UsageError
from d2b_gate.policy.locks import loosened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from d2b_gate.core.errors import GateError
    from d2b_gate.policy.layers import Layer
    from d2b_gate.policy.locate import KeyPath

NAMED = {"rule": "id", "dataset": "name"}
"""Arrays of tables, and the key by which their entries merge."""


class Merged:
    """The effective table, which layer set each part of it, and what was wrong with the merging."""

    def __init__(self) -> None:
        self.table: dict[str, object] = {}
        self.problems: list[GateError] = []
        self._sources: dict[KeyPath, tuple[Layer, KeyPath]] = {}
        self._layers: list[Layer] = []
        self._overridden: dict[KeyPath, list[tuple[Layer, KeyPath, object]]] = {}
        self._lists: dict[str, list[object]] = {}
        self._named: dict[tuple[str, str], tuple[int, dict[str, object]]] = {}  # (rule, its id) -> index, entry

    def where(self, path: KeyPath) -> str:
        """``file:line`` that set a part of the effective table."""
        layer, at = self._source(path)
        return layer.where(at)

    def _source(self, path: KeyPath) -> tuple[Layer, KeyPath]:
        """The layer that set a part of the table, and the part's place in it."""
        for size in range(len(path), 0, -1):
            if source := self._sources.get(path[:size]):
                layer, at = source
                return layer, (*at, *path[size:])
        return self._sources[()][0], path

    def _remember(self, path: KeyPath, value: object) -> None:
        """Keep a value that is about to be overridden."""
        self._overridden.setdefault(path, []).append((*self._source(path), value))

    def overridden(self, path: KeyPath) -> list[tuple[str, object]]:
        """``file:line`` and value of every layer that set this key before the last one did, oldest first."""
        return [(layer.where(at), value) for layer, at, value in self._overridden.get(path, [])]

    def is_set(self, path: KeyPath) -> bool:
        """Whether a layer sets this key; of others, the default holds."""
        inner: object = self.table
        for part in path:
            entries = dict(enumerate(inner)) if isinstance(inner, list) else inner
            if not isinstance(entries, dict) or part not in entries:
                return False
            inner = entries[part]
        return True

    def latest(self, at: KeyPath, keys: tuple[str, ...]) -> str:
        """Return which of the keys of a table was set by the latest layer; of several, the first."""
        known = {key: (*at, key) for key in keys if (*at, key) in self._sources}
        return max(known, key=lambda key: self._layers.index(self._sources[known[key]][0]), default=keys[0])

    def add(self, layer: Layer) -> None:
        """Lay one more layer over the table."""
        self._layers.append(layer)
        self._sources[()] = (layer, ())
        for key, value in layer.table.items():
            if key not in NAMED:
                self._merge(self.table, (key,), value, layer)
            elif isinstance(value, list):
                self._merge_named(key, value, layer)
            else:
                self._wrong(f"{key!r} must be an array of tables", layer, (key,), f"write [[{key}]]")

    def _merge(self, table: dict[str, object], path: KeyPath, value: object, layer: Layer) -> None:
        """Set the last key of ``path`` in ``table``; two tables merge key by key."""
        key = str(path[-1])
        below = table.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            for name, inner in value.items():
                self._merge(below, (*path, name), inner, layer)
            return
        if key in table:
            self._remember(path, below)
        table[key] = _copied(value)
        for stale in [known for known in self._sources if known[: len(path)] == path]:
            del self._sources[stale]
        self._sources[path] = (layer, path)

    def _merge_named(self, key: str, entries: list[object], layer: Layer) -> None:
        """Merge the entries of an array of tables with those of the same name."""
        self.table[key] = self._lists.setdefault(key, [])
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            name = entry.get(NAMED[key]) if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(name, str):
                self._append(key, _copied(entry), (layer, (key, index)))
            elif name in seen:
                self._wrong(f"{key} {name!r} is defined twice in this file", layer, (key, index, NAMED[key]))
            else:
                seen.add(name)
                self._override(key, name, entry, (layer, (key, index)))

    def _override(self, key: str, name: str, entry: dict[str, object], source: tuple[Layer, KeyPath]) -> None:
        """Lay an entry over the one of the same name, or begin it."""
        layer, at = source
        if (key, name) not in self._named:
            fresh: dict[str, object] = {}
            self._named[key, name] = (self._append(key, fresh, source), fresh)
        place, below = self._named[key, name]
        if key == "rule":
            for loose, said in loosened(below, entry):
                locked = self.where((key, place, "locked"))
                self._wrong(f"rule {name!r} is locked by {locked}: {said}", layer, (*at, loose))
        for inner, value in entry.items():
            if inner in below:
                self._remember((key, place, inner), below[inner])
            below[inner] = _copied(value)
            self._sources[(key, place, inner)] = (layer, (*at, inner))
        self._sources[(key, place)] = source

    def _append(self, key: str, entry: object, source: tuple[Layer, KeyPath]) -> int:
        place = len(self._lists[key])
        self._lists[key].append(entry)
        self._sources[(key, place)] = source
        return place

    def _wrong(self, what: str, layer: Layer, path: KeyPath, remedy: str = "") -> None:
        self.problems.append(UsageError(what, where=layer.where(path), remedy=remedy))


def merge(layers: Iterable[Layer]) -> Merged:
    """Merge layers, parents first."""
    merged = Merged()
    for layer in layers:
        merged.add(layer)
    return merged


def _copied(value: object) -> object:
    """A value of a TOML table, its tables and lists anew; `copy` knows more types and costs an import."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
