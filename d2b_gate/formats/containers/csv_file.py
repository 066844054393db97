"""CSV with a header line; a quoted field may hold line breaks."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from d2b_gate.formats import limits
from d2b_gate.formats.encoding import decoded, text_bytes
from d2b_gate.formats.errors import listed, malformed
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES: tuple[str, ...] = (".csv",)


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line after the header."""
    return delimited(content, path, ",")


def delimited(content: bytes, path: str, delimiter: str) -> Iterator[Record]:
    """Parse lines of fields; every line needs as many fields as the header."""
    text = text_bytes(content, path)
    rows = _rows(b"" if text.isspace() else text, path, delimiter)
    header = next(rows, None)
    if header is None:
        return
    names = header[1]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise malformed(path, header[0], f"the header names {listed(repeated[:1])} twice", "rename one of the columns")
    for line, cells in rows:
        if len(cells) != len(names):
            what = f"the row has {len(cells)} fields, the header has {len(names)}"
            raise malformed(path, line, what, "quote fields that hold the delimiter or a line break")
        yield Record(dict(zip(names, cells, strict=True)), line)


def _rows(content: bytes, path: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with the line on which it begins."""
    # The limit is the module's, not a reader's; only ever raised, so that readers of others lose nothing.
    csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_ROW_BYTES))
    reader = csv.reader(_lines(content, path), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
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
