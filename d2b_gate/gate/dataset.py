"""Files of two states to a multiset difference of rows; what a blob holds is read once and remembered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.rows import Row, RowDiff, RowRef, diff_rows, row_from_mapping, row_to_mapping
from d2b_gate.core.verdict import FileChange, RowFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from d2b_gate.core.change import FileRef, Scope, Snapshot
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.ports import Ports, RowPorts


@dataclass(frozen=True, slots=True)
class Indexed:
    """The rows of one file, without their texts. ``untrained`` rows have no token that the loss falls on."""

    refs: tuple[RowRef, ...]
    untrained: int
    cached: bool


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
    """Index both states of one dataset and compare them row by row."""
    before = ports.reader.pick(spec, scope.before)
    after = ports.reader.pick(spec, scope.after)
    indexed = {file: _index(file, spec, ports) for file in dict.fromkeys((*before.files, *after.files))}
    diff = diff_rows(
        (ref for file in before.files for ref in indexed[file].refs),
        (ref for file in after.files for ref in indexed[file].refs),
    )
    return DatasetChange(
        spec,
        before.files,
        after.files,
        diff,
        untrained=sum(indexed[file].untrained for file in after.files),
        cached=sum(len(index.refs) for index in indexed.values() if index.cached),
        notes=tuple(dict.fromkeys((*before.notes, *after.notes))),
    )


def rows_in(spec: DatasetSpec, snapshot: Snapshot, ports: RowPorts) -> tuple[RowRef, ...]:
    """The rows of one state that train."""
    return tuple(ref for file in ports.reader.pick(spec, snapshot).files for ref in _index(file, spec, ports).refs)


def _index(file: FileRef, spec: DatasetSpec, ports: RowPorts) -> Indexed:
    """Key the rows of one file; a blob that was seen before, under the same format, is not parsed again."""
    suffixes = "".join(PurePosixPath(file.path).suffixes)
    # what a tracked pointer stands for depends on its place and on the globs; a plain file's rows do not
    tracked = (file.path, spec.include, spec.exclude) if file.path.endswith(".dvc") else ()
    key = fingerprint("index", (file.oid, spec.format, spec.columns, suffixes, tracked))
    known = ports.store.get_json("index", key)
    if isinstance(known, list):
        return _indexed(known, file, cached=True)
    entries = [
        ["" if path == file.path else path, row.key, row.line, row.trains] for path, row in _parse(file, spec, ports)
    ]
    ports.store.put_json("index", key, entries)
    return _indexed(entries, file, cached=False)


def _indexed(entries: Sequence[Sequence[object]], file: FileRef, *, cached: bool) -> Indexed:
    refs = tuple(
        RowRef(str(key), str(path) or file.path, int(str(line))) for path, key, line, trains in entries if trains
    )
    return Indexed(refs, untrained=len(entries) - len(refs), cached=cached)


def _parse(file: FileRef, spec: DatasetSpec, ports: RowPorts) -> Iterator[tuple[str, Row]]:
    for path, content in ports.reader.contents(file, spec):
        for row in ports.reader.rows(content, path, spec):
            yield path, row


def load_rows(refs: Iterable[RowRef], changes: Sequence[DatasetChange], ports: Ports) -> dict[str, Row]:
    """Return the rows of these refs by key; texts seen before come from the store."""
    wanted = {ref.key: ref for ref in refs}
    rows: dict[str, Row] = {}
    for key in wanted:
        stored = ports.store.get_json("row", key)
        if isinstance(stored, dict):
            rows[key] = row_from_mapping(stored)
    for change in changes:
        for file in change.files:
            if len(rows) == len(wanted):
                return rows
            if any(_holds(file, ref) for key, ref in wanted.items() if key not in rows):
                _collect(file, change.spec, wanted, rows, ports)
    return rows


def _holds(file: FileRef, ref: RowRef) -> bool:
    """Whether the row may stand in this file; members of a tracked directory have paths of their own."""
    return ref.path == file.path or file.path.endswith(".dvc")


def _collect(file: FileRef, spec: DatasetSpec, wanted: dict[str, RowRef], rows: dict[str, Row], ports: Ports) -> None:
    for _, row in _parse(file, spec, ports):
        if row.key in wanted and row.key not in rows:
            rows[row.key] = row
            ports.store.put_json("row", row.key, row_to_mapping(row))


def file_changes(changes: Sequence[DatasetChange]) -> tuple[FileChange, ...]:
    """Row counts per changed file."""
    added = Counter(ref.path for change in changes for ref in change.diff.added)
    removed = Counter(ref.path for change in changes for ref in change.diff.removed)
    return tuple(FileChange(path, added[path], removed[path]) for path in sorted({*added, *removed}))


def schema_findings(change: DatasetChange, ports: RowPorts) -> tuple[RowFinding, ...]:
    """Added rows that break the dataset's JSON Schema, at file:line."""
    if not change.spec.row_schema:
        return ()
    added = {(ref.path, ref.line) for ref in change.diff.added}
    paths = {path for path, _ in added}
    return tuple(
        RowFinding(change.spec.name, path, line, message)
        for file in change.after
        if file.path in paths or file.path.endswith(".dvc")
        for path, content in ports.reader.contents(file, change.spec)
        for line, message in ports.reader.violations(content, path, change.spec)
        if (path, line) in added
    )
