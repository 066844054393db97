"""A change less some of its added rows: the same request on files without them, as they would be committed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from d2b_gate.core.change import FileRef, Scope, Snapshot
from d2b_gate.core.content import Streamed, pieces_of, size_of, whole
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.printable import printable
from d2b_gate.core.row_lists import counts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from d2b_gate.core.content import Content
    from d2b_gate.core.rows import Row, RowRef
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import Ports, Reader, Request

    Gone = Mapping[str, Collection[int]]  # numbers of rows, by the path of the content that holds them


@dataclass(frozen=True, slots=True)
class Editor:
    """What takes rows out of files. ``hindrance`` says why a patch cannot; ``name`` is the blob id git would give."""

    hindrance: Callable[[FileRef, DatasetSpec], str]
    without: Callable[[bytes, str, DatasetSpec, Collection[int]], bytes]
    name: Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Holder:
    """A file of the state after that holds added rows, and why no patch can change it, if none can."""

    file: FileRef
    spec: DatasetSpec
    hindrance: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A file with rows taken out. One that no patch can change has no content: its rows are only left unread."""

    holder: Holder
    file: FileRef  # what takes its place
    before: bytes
    after: bytes
    gone: Gone


@dataclass(frozen=True, slots=True)
class Removal:
    """The change without the rows: what to judge, by what, and the files that make the difference."""

    request: Request
    ports: Ports
    edits: tuple[Edit, ...]


class _Unread(Streamed):
    """Content of which some rows count as gone."""

    __slots__ = ("gone",)

    def __init__(self, size: int, pieces: Callable[[], Iterator[bytes]], gone: Collection[int]) -> None:
        super().__init__(size, pieces)
        self.gone = gone


def holders_of(changes: Sequence[DatasetChange], ports: Ports, editor: Editor) -> dict[str, Holder]:
    """The file behind every path that has added rows; members of a tracked directory have paths of their own."""
    found: dict[str, Holder] = {}
    for change in changes:
        paths = set(counts_of(change.diff.added))
        for file in change.after:
            tracked = file.path.endswith(".dvc")
            held = [path for path, _ in ports.reader.contents(file, change.spec)] if tracked else [file.path]
            for path in paths.intersection(held) - found.keys():
                found[path] = Holder(file, change.spec, editor.hindrance(file, change.spec))
    return found


def removal(
    away: Sequence[RowRef], holders: Mapping[str, Holder], request: Request, ports: Ports, editor: Editor
) -> Removal:
    """Take rows out of the state after.

    Raises:
        EvaluationError: a file without the rows would read otherwise than its other rows do.
    """
    by_file: dict[Holder, list[RowRef]] = defaultdict(list)
    for ref in away:
        by_file[holders[ref.path]].append(ref)
    edits = tuple(_edit(holder, refs, ports.reader, editor) for holder, refs in by_file.items())
    instead = {edit.holder.file: edit.file for edit in edits}
    after = request.scope.after
    files = tuple(instead.get(file, file) for file in after.files)
    scope = Scope(request.scope.before, Snapshot(after.label, files))
    return Removal(replace(request, scope=scope), replace(ports, reader=_reading(ports.reader, edits)), edits)


def _edit(holder: Holder, refs: Sequence[RowRef], reader: Reader, editor: Editor) -> Edit:
    gone: dict[str, Collection[int]] = {}
    for path, content in reader.contents(holder.file, holder.spec):
        rows = [(row.key, row.line) for row in reader.rows(content, path, holder.spec)]
        gone[path] = _numbers(rows, [ref for ref in refs if ref.path == path])
        if not holder.hindrance:
            return _cut(holder, whole(content), [key for key, _ in rows], gone, reader, editor)
    file, numbers = holder.file, [[path, sorted(some)] for path, some in gone.items()]
    feigned = FileRef(file.path, fingerprint("unread", (file.oid, numbers)), file.mode)
    return Edit(holder, feigned, b"", b"", gone)


def _numbers(rows: Sequence[tuple[str, int]], refs: Sequence[RowRef]) -> set[int]:
    """Which rows of a file these are; of equal ones on one line, the last."""
    left = Counter((ref.key, ref.line) for ref in refs)
    numbers: set[int] = set()
    for number in reversed(range(len(rows))):
        if left[rows[number]] > 0:
            left[rows[number]] -= 1
            numbers.add(number)
    return numbers


def _cut(holder: Holder, content: bytes, keys: Sequence[str], gone: Gone, reader: Reader, editor: Editor) -> Edit:
    path, spec = holder.file.path, holder.spec
    after = editor.without(content, path, spec, gone[path])
    others = [key for number, key in enumerate(keys) if number not in gone[path]]
    if [row.key for row in reader.rows(after, path, spec)] != others:
        raise EvaluationError(
            "without the rows, the others would be read otherwise, for a file's first row tells its shape",
            where=printable(path),
            remedy="name the shape in the dataset's 'format'",
        )
    return Edit(holder, FileRef(path, editor.name(after), holder.file.mode), content, after, gone)


def _reading(reader: Reader, edits: Sequence[Edit]) -> Reader:
    """The reader over the files that take the place of others, too."""
    instead = {edit.file: edit for edit in edits}

    def contents(file: FileRef, spec: DatasetSpec) -> Iterator[tuple[str, Content]]:
        edit = instead.get(file)
        if edit is None:
            yield from reader.contents(file, spec)
        elif not edit.holder.hindrance:
            yield file.path, edit.after
        else:
            for path, content in reader.contents(edit.holder.file, spec):
                yield path, _Unread(size_of(content), partial(pieces_of, content), edit.gone.get(path, ()))

    def rows(content: Content, path: str, spec: DatasetSpec) -> Iterator[Row]:
        gone = content.gone if isinstance(content, _Unread) else ()
        return (row for number, row in enumerate(reader.rows(content, path, spec)) if number not in gone)

    return replace(reader, contents=contents, rows=rows, choosing=())
