"""Two states too large to hold, compared as multisets: a merge of what their indices keep sorted."""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from d2b_gate.core.row_lists import SpooledSequence
from d2b_gate.core.rows import RowDiff, RowRef
from d2b_gate.store.records import HELD, Listed, Records, Runs, Spooled, no_room, spool, temporary
from d2b_gate.store.rowfiles import LINE, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from d2b_gate.core.row_lists import Placed

MOST_MERGED = 64
"""Streams that are merged at once; more are sorted on disk first."""
_RANK = 32  # where a record's path begins: the number of the path among all paths, sorted
_LINE = 36
_PLACED = 40  # bytes of a key, a path and a line
_FIELDS = struct.Struct(">32sII")
_key = itemgetter(slice(_RANK))
_rank = itemgetter(slice(_RANK, _LINE))


def spooled_diff(before: Sequence[Part], after: Sequence[Part], same: Sequence[Part], folder: Path) -> RowDiff:
    """What `core.rows.diff_rows` says of the states, each its own parts and the ``same`` of both.

    No path of ``same`` may be another part's. A path that two parts of one state share is taken for one file.
    """
    if not before or not after:
        return RowDiff(PartRows(after, folder), PartRows(before, folder), PartRows(same, folder))
    paths = _Paths(part.path for part in (*before, *after))
    added, removed = _Spool(paths, folder), _Spool(paths, folder)
    _merge(_Side(before, paths, removed, folder), _Side(after, paths, added, folder))
    beyond = added.settled()
    return RowDiff(beyond, removed.settled(), PartRows((*same, *after), folder, beyond))


class _Paths:
    """Numbers for paths, in their order; four bytes each, so that records sort as their paths do."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.names = sorted(set(paths))
        self.ranks = {path: LINE.pack(number) for number, path in enumerate(self.names)}


class PartRows(SpooledSequence):
    """The rows of some parts, less some of them."""

    def __init__(self, parts: Sequence[Part], folder: Path, less: SpooledRows | tuple[()] = ()) -> None:
        self._parts = [part for part in parts if len(part)]
        self._folder = folder
        self._less = less
        self._paths = _Paths(part.path for part in self._parts)
        self._by_path: dict[str, list[Part]] = {}
        for part in self._parts:
            self._by_path.setdefault(part.path, []).append(part)
        self._sorted: list[Records] = []  # by key, once it had to be sorted anew

    def __len__(self) -> int:
        """How many rows there are."""
        return sum(len(part) for part in self._parts) - len(self._less)

    def __iter__(self) -> Iterator[RowRef]:
        """Every row in file order."""
        return (ref for path in self._paths.names for ref in self.at(path))

    def counts(self) -> Mapping[str, int]:
        """How many rows each path has; none has 0."""
        less = self._less.counts() if self._less else {}
        whole = {path: sum(len(part) for part in parts) for path, parts in self._by_path.items()}
        return {path: count - less.get(path, 0) for path, count in whole.items() if count > less.get(path, 0)}

    def at(self, path: str) -> Iterator[RowRef]:
        """The rows of one path in file order."""
        records = _merged([part.places.read(0, len(part)) for part in self._by_path.get(path, ())])
        if self._less:
            records = _without(records, self._less.places_at(path))
        return (RowRef(record[4:].hex(), path, LINE.unpack(record[:4])[0]) for record in records)

    def in_key_order(self) -> Iterator[Placed]:
        """Every row, by key, path and line."""
        return _placed(self.by_key(self._paths), self._paths)

    def by_key(self, paths: _Paths) -> Iterator[bytes]:
        """Records of key, path and line, sorted, with these numbers for paths."""
        if len(self._parts) > MOST_MERGED:
            records = self._sorted_anew(paths)
        else:
            records = _merged([_ranked(part, paths) for part in self._parts])
        return _without(records, self._less.by_key(paths)) if self._less else records

    def _sorted_anew(self, paths: _Paths) -> Iterator[bytes]:
        if paths is not self._paths:
            return _renumbered(self._sorted_anew(self._paths), self._paths, paths)
        if not self._sorted:
            self._sorted.append(self._settled())
        return self._sorted[0].read(0, len(self._sorted[0]))

    def _settled(self) -> Records:
        """All rows by key; where the folder's disk is full, the machine's place for temporary files may do."""
        try:
            return self._settled_in(self._folder)
        except OSError:
            pass
        try:
            return self._settled_in("")
        except OSError as error:
            raise no_room("sort the rows", error) from error

    def _settled_in(self, folder: Path | str) -> Records:
        runs = Runs(_PLACED, folder)
        for part in self._parts:
            for record in _ranked(part, self._paths):
                runs.add(record)
        return runs.settled()


class SpooledRows(SpooledSequence):
    """Rows that were written down one by one."""

    def __init__(self, places: Records, keys: Records, counts: Mapping[str, int], paths: _Paths) -> None:
        self._places, self._keys, self._counts, self._paths = places, keys, counts, paths
        self._starts: dict[str, int] = {}
        start = 0
        for path in paths.names:
            self._starts[path] = start
            start += counts.get(path, 0)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._keys)

    def __iter__(self) -> Iterator[RowRef]:
        """Every row in file order."""
        return (ref for path in self._paths.names for ref in self.at(path))

    def counts(self) -> Mapping[str, int]:
        """How many rows each path has; none has 0."""
        return self._counts

    def at(self, path: str) -> Iterator[RowRef]:
        """The rows of one path in file order."""
        return (RowRef(record[4:].hex(), path, LINE.unpack(record[:4])[0]) for record in self.places_at(path))

    def places_at(self, path: str) -> Iterator[bytes]:
        """Records of line and key of one path, sorted."""
        start = self._starts.get(path, 0)
        return (record[4:] for record in self._places.read(start, start + self._counts.get(path, 0)))

    def in_key_order(self) -> Iterator[Placed]:
        """Every row, by key, path and line."""
        return _placed(self.by_key(self._paths), self._paths)

    def by_key(self, paths: _Paths) -> Iterator[bytes]:
        """Records of key, path and line, sorted, with these numbers for paths."""
        records = self._keys.read(0, len(self._keys))
        return records if paths is self._paths else _renumbered(records, self._paths, paths)


class _Spool:
    """Takes rows as they are found, to be read in either order."""

    def __init__(self, paths: _Paths, folder: Path) -> None:
        self._paths = paths
        self._places, self._keys = Runs(_PLACED, folder), Runs(_PLACED, folder)
        self._counts: Counter[bytes] = Counter()

    def add(self, record: bytes) -> None:
        self._keys.add(record)
        self._places.add(record[_RANK:] + record[:_RANK])
        self._counts[record[_RANK:_LINE]] += 1

    def settled(self) -> SpooledRows:
        counts = {path: self._counts[rank] for path, rank in self._paths.ranks.items() if self._counts[rank]}
        return SpooledRows(self._places.settled(), self._keys.settled(), counts, self._paths)


class _Side:
    """One state: its rows by key, the order of its files, and where rows go that the other state lacks."""

    def __init__(self, parts: Sequence[Part], paths: _Paths, beyond: _Spool, folder: Path) -> None:
        self.order = list(dict.fromkeys(paths.ranks[part.path] for part in parts))
        self.beyond = beyond
        self.groups = groupby(PartRows(parts, folder).by_key(paths), _key)


def _merge(before: _Side, after: _Side) -> None:
    """Walk both states by key."""
    was, now = next(before.groups, None), next(after.groups, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            was = _beyond(before, was)
        elif was is None or now[0] < was[0]:
            now = _beyond(after, now)
        else:
            _meet(before, _kept(was[1]), after, _kept(now[1]))
            was, now = next(before.groups, None), next(after.groups, None)


def _beyond(side: _Side, group: tuple[bytes, Iterator[bytes]] | None) -> tuple[bytes, Iterator[bytes]] | None:
    """Every row of a key that the other state lacks; return the next key's."""
    for record in group[1] if group is not None else ():
        side.beyond.add(record)
    return next(side.groups, None)


def _kept(group: Iterator[bytes]) -> Records:
    """The rows of one key, which may be many where one row is repeated."""
    first = list(islice(group, HELD))
    if len(first) < HELD:
        return Listed(first)
    file = temporary("")
    return Spooled(file, 0, spool(iter(first), file) + spool(group, file), _PLACED)


def _meet(before: _Side, was: Records, after: _Side, now: Records) -> None:
    """Rows of one key in both states: first those stay that have it in a file of both, then in the files' order."""
    if len(was) == len(now):
        return
    counts = [Counter(_rank(record) for record in rows.read(0, len(rows))) for rows in (was, now)]
    home = counts[0] & counts[1]
    left = min(len(was), len(now)) - home.total()
    for side, rows, count in ((before, was, counts[0]), (after, now, counts[1])):
        if len(rows) > home.total() + left:
            _part(side, rows, _allowed(side.order, count, home, left))


def _allowed(order: Sequence[bytes], count: Counter[bytes], home: Counter[bytes], left: int) -> Counter[bytes]:
    """How many rows of each file stay."""
    allowed = Counter(home)
    for rank in order if left else ():
        more = min(left, count[rank] - home[rank])
        allowed[rank] += more
        left -= more
    return allowed


def _part(side: _Side, rows: Records, allowed: Counter[bytes]) -> None:
    for record in rows.read(0, len(rows)):
        rank = _rank(record)
        if allowed[rank] > 0:
            allowed[rank] -= 1
        else:
            side.beyond.add(record)


def _ranked(part: Part, paths: _Paths) -> Iterator[bytes]:
    rank = paths.ranks[part.path]
    return (record[:32] + rank + record[32:] for record in part.keys.read(0, len(part)))


def _renumbered(records: Iterator[bytes], old: _Paths, new: _Paths) -> Iterator[bytes]:
    """The same records with other numbers for the same paths; both numberings follow the paths' order."""
    rank_of = {rank: new.ranks[path] for path, rank in old.ranks.items() if path in new.ranks}
    return (record[:_RANK] + rank_of[_rank(record)] + record[_LINE:] for record in records)


def _merged(streams: list[Iterator[bytes]]) -> Iterator[bytes]:
    return streams[0] if len(streams) == 1 else heapq.merge(*streams)


def _without(records: Iterator[bytes], less: Iterator[bytes]) -> Iterator[bytes]:
    """Sorted records less others of them, sorted too."""
    gone = next(less, b"")
    for record in records:
        if record == gone:
            gone = next(less, b"")
        else:
            yield record


def _placed(records: Iterator[bytes], paths: _Paths) -> Iterator[Placed]:
    names, fields = paths.names, _FIELDS.unpack
    for record in records:
        key, rank, line = fields(record)
        yield key.hex(), names[rank], line
