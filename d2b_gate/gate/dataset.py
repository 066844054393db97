"""Files of two states to a multiset difference of rows; what a blob holds is read once and remembered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.row_lists import counts_of
from d2b_gate.core.rows import Row, RowDiff, RowRef, diff_rows, row_from_mapping, row_to_mapping
from d2b_gate.core.verdict import FileChange
from d2b_gate.gate.indexing import IN_MEMORY, Indexed, index_all, refs_of
from d2b_gate.gate.row_texts import found_rows, stream_rows
from d2b_gate.gate.spooling import PartRows, spooled_diff
from d2b_gate.store.rowfiles import row_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from d2b_gate.core.change import FileRef, Scope, Snapshot
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.ports import Ports, RowPorts


@dataclass(frozen=True, slots=True)
class DatasetChange:
    """One dataset in both states."""

    spec: DatasetSpec
    before: tuple[FileRef, ...]
    after: tuple[FileRef, ...]
    diff: RowDiff
    untrained: int
    cached: int
    notes: tuple[str, ...]

    @property
    def files(self) -> tuple[FileRef, ...]:
        """Files of both states, head first, without repeats."""
        return tuple(dict.fromkeys((*self.after, *self.before)))


def compare(spec: DatasetSpec, scope: Scope, ports: RowPorts) -> DatasetChange:
    """Index both states of one dataset and compare them row by row; memory does not grow with the rows."""
    before = ports.reader.pick(spec, scope.before)
    after = ports.reader.pick(spec, scope.after)
    indexed = index_all(dict.fromkeys((*before.files, *after.files)), spec, ports)
    return DatasetChange(
        spec,
        before.files,
        after.files,
        _diff([indexed[file] for file in before.files], [indexed[file] for file in after.files], ports),
        untrained=sum(indexed[file].untrained for file in after.files),
        cached=sum(len(index) for index in indexed.values() if index.cached),
        notes=tuple(dict.fromkeys((*before.notes, *after.notes))),
    )


def _diff(before: Sequence[Indexed], after: Sequence[Indexed], ports: RowPorts) -> RowDiff:
    if sum(map(len, before)) + sum(map(len, after)) <= 2 * IN_MEMORY:
        return diff_rows(refs_of(before), refs_of(after))
    same = _same(before, after)
    was, now = ([part for one in side if one not in same for part in one.parts] for side in (before, after))
    stay = [part for one in same for part in one.parts]
    return row_files(ports.store).spooled(lambda folder: spooled_diff(was, now, stay, folder), "compare the rows")


def _same(before: Sequence[Indexed], after: Sequence[Indexed]) -> list[Indexed]:
    """Files whose rows all stay, for they are the same in both states and alone under their paths."""
    both = set(before) & set(after)
    others = {part.path for one in (*before, *after) if one not in both for part in one.parts}
    return [one for one in after if one in both and others.isdisjoint(part.path for part in one.parts)]


def rows_in(spec: DatasetSpec, snapshot: Snapshot, ports: RowPorts) -> Sequence[RowRef]:
    """The rows of one state that train."""
    found = index_all(ports.reader.pick(spec, snapshot).files, spec, ports).values()
    if sum(map(len, found)) <= IN_MEMORY:
        return tuple(refs_of(found))
    parts = [part for one in found for part in one.parts]
    return row_files(ports.store).spooled(lambda folder: PartRows(parts, folder), "sort the rows")


def load_rows(refs: Iterable[RowRef], changes: Sequence[DatasetChange], ports: Ports) -> dict[str, Row]:
    """Return the rows of these refs by key; texts seen before come from the store, others are kept there.

    All are held: for more than a sample, see `added_rows`.
    """
    wanted = {ref.key: ref for ref in refs}
    rows: dict[str, Row] = {}
    for key in wanted:
        stored = ports.store.get_json("row", key)
        if isinstance(stored, dict):
            rows[key] = row_from_mapping(stored)
    for change in changes:
        missing = [ref for key, ref in wanted.items() if key not in rows]
        for row in found_rows(missing, change.files, change.spec, ports) if missing else ():
            if row.key not in rows:
                rows[row.key] = row
                ports.store.put_json("row", row.key, row_to_mapping(row))
    return rows


def added_rows(changes: Sequence[DatasetChange], ports: RowPorts) -> Iterator[Row]:
    """Every added row with its text, each file read once and no row held."""
    for change in changes:
        yield from stream_rows(change.diff.added, change.after, change.spec, ports)


def removed_rows(changes: Sequence[DatasetChange], ports: RowPorts) -> Iterator[Row]:
    """Every removed row with its text, as `added_rows`."""
    for change in changes:
        yield from stream_rows(change.diff.removed, change.before, change.spec, ports)


def file_changes(changes: Sequence[DatasetChange]) -> tuple[FileChange, ...]:
    """Row counts per changed file."""
    added: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for change in changes:
        added.update(counts_of(change.diff.added))
        removed.update(counts_of(change.diff.removed))
    return tuple(FileChange(path, added[path], removed[path]) for path in sorted({*added, *removed}))
