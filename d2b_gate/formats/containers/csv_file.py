"""CSV with a header line; a quoted field may hold line breaks."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from d2b_gate.formats import limits
from d2b_gate.formats.encoding import decoded, text_bytes, without_spans
from d2b_gate.formats.errors import listed, malformed
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import check_size

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SUFFIXES: tuple[str, ...] = (".csv",)


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line after the header."""
    return delimited(content, path, ",")


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Take the lines of rows out; the header stays."""
    return without_rows(content, path, ",", gone)


def without_rows(content: bytes, path: str, delimiter: str, gone: Collection[int]) -> bytes:
    """Take out all lines of each row that is gone, a quoted line break's too."""
    text = text_bytes(content, path)
    starts = [0]
    while (end := text.find(b"\n", starts[-1]) + 1) > 0:
        starts.append(end)
    starts.append(len(text))
    lines = [(first, last) for first, last, _ in _rows(text, path, delimiter)][1:]
    spans = ((starts[first - 1], starts[last]) for first, last in (lines[number] for number in gone))
    return without_spans(content, text, spans)


def delimited(content: bytes, path: str, delimiter: str) -> Iterator[Record]:
    """Parse lines of fields; every line needs as many fields as the header."""
    text = text_bytes(content, path)
    rows = _rows(b"" if text.isspace() else text, path, delimiter)
    header = next(rows, None)
    if header is None:
        return
    names = header[2]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise malformed(path, header[0], f"the header names {listed(repeated[:1])} twice", "rename one of the columns")
    for line, _, cells in rows:
        if len(cells) != len(names):
            what = f"the row has {len(cells)} fields, the header has {len(names)}"
            raise malformed(path, line, what, "quote fields that hold the delimiter or a line break")
        yield Record(dict(zip(names, cells, strict=True)), line)


def _rows(content: bytes, path: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each row that is not blank after its first and its last line."""
    # The limit is the module's, not a reader's; only ever raised, so that readers of others lose nothing.
    csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_ROW_BYTES))
    reader = csv.reader(_lines(content, path), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, reader.line_num, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise malformed(path, line, f"is not valid CSV ({error})", "check the quotes of this row") from error


def _lines(content: bytes, path: str) -> Iterator[str]:
    start, line = 0, 1
    while start < len(content):
        end = content.find(b"\n", start) + 1 or len(content)
        check_size(end - start, path, line)
        yield decoded(content[start:end], path, line)
        start, line = end, line + 1
