"""Which rows a file holds, and where: found once for a blob, and kept in the store."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.printable import printable
from d2b_gate.core.rows import RowRef
from d2b_gate.gate.ports import Ports
from d2b_gate.store.records import Listed, Spooled, spool, temporary
from d2b_gate.store.rowfiles import LINE, WIDTH, Part, held_parts, row_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from d2b_gate.core.change import FileRef
    from d2b_gate.core.content import Content
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.ports import RowPorts
    from d2b_gate.store.records import Records
    from d2b_gate.store.rowfiles import Entry, RowFiles

SMALL: Final = 4_096
"""Rows of a file up to which its index is a value in the store; a larger one is a file of its own."""
IN_MEMORY: Final = 10_000
"""Rows of a state that are held at once. Our choice: 3 MB, and no file is opened for less."""
READ: Final = 1
"""Raised whenever a reader finds other rows, keys or lines in the same bytes; old indices then no longer match."""
_TOLD = 20  # so many bits of a file's size make a step of the progress bar


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """The rows of one file, without their texts: one part, or one for each member of a tracked directory."""

    parts: tuple[Part, ...]
    cached: bool

    def __len__(self) -> int:
        """How many rows train."""
        return sum(map(len, self.parts))

    @property
    def untrained(self) -> int:
        """Rows that have no token that the loss falls on."""
        return sum(part.untrained for part in self.parts)


def refs_of(indexed: Iterable[Indexed]) -> Iterator[RowRef]:
    """The rows of files, in their order."""
    for one in indexed:
        for part in one.parts:
            for record in part.places.read(0, len(part)):
                yield RowRef(record[LINE.size :].hex(), part.path, LINE.unpack_from(record)[0])


def index_all(files: Iterable[FileRef], spec: DatasetSpec, ports: RowPorts) -> dict[FileRef, Indexed]:
    """Key the rows of every file; a blob that was seen before, under the same format, is not parsed again.

    Raises:
        EvaluationError: a file cannot be read, or there is no room on disk for the index of a large one.
    """
    desk = _Desk(row_files(ports.store))
    return {file: desk.laid_down(_index(file, spec, ports)) for file in files}


class _Desk:
    """Holds indices of small files in memory; what does not fit goes to a temporary file."""

    def __init__(self, files: RowFiles) -> None:
        self._files = files
        self._held = 0
        self._opened: dict[Path, IO[bytes]] = {}

    def laid_down(self, index: Indexed) -> Indexed:
        return replace(index, parts=tuple(self._part(part) for part in index.parts))

    def _part(self, part: Part) -> Part:
        if not isinstance(part.places, Listed):
            return part
        self._held += len(part)
        if self._held <= 2 * IN_MEMORY:
            return part
        return replace(part, places=self._spooled(part.places), keys=self._spooled(part.keys))

    def _spooled(self, records: Records) -> Records:
        return self._files.spooled(lambda folder: self._written(records, folder), "index the rows")

    def _written(self, records: Records, folder: Path) -> Spooled:
        if folder not in self._opened:
            self._opened[folder] = temporary(folder)
        file = self._opened[folder]
        offset = file.tell()
        return Spooled(file, offset, spool(records.read(0, len(records)), file), WIDTH)


def _index(file: FileRef, spec: DatasetSpec, ports: RowPorts) -> Indexed:
    # from the first dot on, also of a name that begins with it, for a reader goes by how the name ends
    suffixes = "".join(PurePosixPath(file.path).name.lower().partition(".")[1:])
    # what a tracked pointer stands for depends on its place and on the globs; a plain file's rows do not
    tracked = (file.path, spec.include, spec.exclude) if file.path.endswith(".dvc") else ()
    key = fingerprint("index", (READ, file.oid, spec.format, spec.columns, suffixes, tracked))
    known = ports.store.get_json("index", key)
    if isinstance(known, list):
        return _indexed(held_parts(map(_entry, known)), file, cached=True)
    filed = row_files(ports.store).get(key)
    if filed is not None:
        return _indexed(filed, file, cached=True)
    entries = _entries(file, spec, ports)
    first = list(islice(entries, SMALL + 1))
    if len(first) <= SMALL:
        ports.store.put_json("index", key, [list(entry) for entry in first])
        return _indexed(held_parts(first), file, cached=False)
    files = row_files(ports.store)
    try:
        filed = files.put(key, chain(first, entries))
    except OSError:
        files.write_elsewhere()
        filed = _temporarily(key, file, spec, ports)
    return _indexed(filed, file, cached=False)


def _temporarily(key: str, file: FileRef, spec: DatasetSpec, ports: RowPorts) -> tuple[Part, ...]:
    """Where the store's disk is full or read-only, the machine's place for temporary files may do."""
    try:
        return row_files(ports.store).put(key, _entries(file, spec, ports))
    except OSError as error:
        what = f"there is no room for an index of its rows ({error.strerror})"
        raise EvaluationError(
            what, where=printable(file.path), remedy="free some space, or name another TMPDIR"
        ) from error


def _entry(known: Sequence[object]) -> Entry:
    path, key, line, trains = known
    return str(path), str(key), int(str(line)), bool(trains)


def _indexed(parts: Sequence[Part], file: FileRef, *, cached: bool) -> Indexed:
    return Indexed(tuple(part if part.path else replace(part, path=file.path) for part in parts), cached)


def _entries(file: FileRef, spec: DatasetSpec, ports: RowPorts) -> Iterator[Entry]:
    for path, content in ports.reader.contents(file, spec):
        shown = "" if path == file.path else path
        for row in ports.reader.rows(_told(content, path, ports), path, spec):
            yield shown, row.key, row.line, row.trains


def _told(content: Content, path: str, ports: RowPorts) -> Content:
    """Large content that moves the progress bar as it is read."""
    if isinstance(content, bytes) or not isinstance(ports, Ports):
        return content
    progress, large = ports.progress, content

    def pieces() -> Iterator[bytes]:
        progress.stage(f"reading {printable(path)}", large.size >> _TOLD)
        for piece in large.pieces():
            yield piece
            progress.advance(max(1, len(piece) >> _TOLD))

    watched = copy(large)  # which may be of a kind that knows more of its content
    watched.pieces = pieces
    return watched
