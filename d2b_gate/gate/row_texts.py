"""Rows with their texts, read from files at the places that an index names."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from d2b_gate.core.row_lists import counts_of, rows_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from d2b_gate.core.change import FileRef
    from d2b_gate.core.rows import Row, RowRef
    from d2b_gate.core.rules import DatasetSpec
    from d2b_gate.gate.ports import RowPorts


def found_rows(refs: Iterable[RowRef], files: Iterable[FileRef], spec: DatasetSpec, ports: RowPorts) -> Iterator[Row]:
    """Rows of these keys, some perhaps twice; only the lines that are named are parsed where that can be."""
    left: set[str] = set()
    lines: dict[str, set[int]] = {}
    for ref in refs:
        left.add(ref.key)
        lines.setdefault(ref.path, set()).add(ref.line)
    for file in files:
        if not left or not (file.path in lines or file.path.endswith(".dvc")):
            continue
        for path, content in ports.reader.contents(file, spec):
            if path in lines and left:
                for row in ports.reader.rows_at(content, path, spec, lines[path].__contains__):
                    if row.key in left:
                        left.remove(row.key)
                        yield row
                    if not left:
                        break


def stream_rows(refs: Sequence[RowRef], files: Iterable[FileRef], spec: DatasetSpec, ports: RowPorts) -> Iterator[Row]:
    """The rows of one state at these places, file by file in their order; each file is read once, no row is held."""
    paths = counts_of(refs)
    for file in files:
        if file.path in paths or (file.path.endswith(".dvc") and paths):
            for path, content in ports.reader.contents(file, spec):
                if path in paths:
                    places = Places(rows_at(refs, path))
                    rows = ports.reader.rows_at(content, path, spec, places.reach)
                    yield from (row for row in rows if places.take(row.key))


class Places:
    """Rows of one file in its order, met as the file is read: the keys of one line are held at a time."""

    def __init__(self, refs: Iterator[RowRef]) -> None:
        self._refs = refs
        self._next = list(islice(refs, 1))
        self._line = 0
        self._keys: Counter[str] = Counter()

    def reach(self, line: int) -> bool:
        """Whether any of the rows stands at this line; lines are asked for in ascending order."""
        if line != self._line:
            self._line = line
            self._keys = Counter()
            while self._next and self._next[0].line <= line:
                if self._next[0].line == line:
                    self._keys[self._next[0].key] += 1
                self._next = list(islice(self._refs, 1))
        return bool(self._keys)

    def take(self, key: str) -> bool:
        """Whether a row of this key stands at the line that was reached, and was not taken yet."""
        left = self._keys[key]
        self._keys[key] -= left > 0
        return left > 0
