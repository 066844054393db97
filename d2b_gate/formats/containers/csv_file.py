"""CSV with a header line; a quoted field may hold line breaks."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from d2b_gate.formats import limits
from d2b_gate.formats.encoding import decoded, text_bytes, text_pieces, without_spans
from d2b_gate.formats.errors import listed, malformed
from d2b_gate.formats.interface import Record
from d2b_gate.formats.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

SUFFIXES: tuple[str, ...] = (".csv",)

_EMPTY = (b"\n", b"\r\n")
_MOST_BLANK = 10_000  # our choice: they are held, and a header below so many lines of spaces is a mistake


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line after the header."""
    return delimited(iter((content,)), path, ",")


def streamed(pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
    """As `records`; where a row ends is only known by reading all."""
    del wanted
    return delimited(pieces, path, ",")


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
    lines = [(first, last) for first, last, _ in _rows(lines_of(iter((text,)), path), path, delimiter)][1:]
    spans = ((starts[first - 1], starts[last]) for first, last in (lines[number] for number in gone))
    return without_spans(content, text, spans)


def delimited(pieces: Iterator[bytes], path: str, delimiter: str) -> Iterator[Record]:
    """Parse lines of fields; every line needs as many fields as the header."""
    rows = _rows(_unless_blank(lines_of(text_pieces(pieces, path), path), path), path, delimiter)
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


def _unless_blank(lines: Iterator[tuple[int, bytes]], path: str) -> Iterator[tuple[int, bytes]]:
    """The lines, or none but empty ones where all are blank."""
    opening: list[tuple[int, bytes]] = []
    held = 0
    for line in lines:
        if not opening and line[1] in _EMPTY:
            yield line  # not held, however many there are: the reader counts it and makes no row of it
            continue
        opening.append(line)
        if not line[1].isspace():
            yield from opening
            yield from lines
            return
        held += len(line[1])
        if len(opening) > _MOST_BLANK or held > limits.MAX_ROW_BYTES:
            raise malformed(path, line[0], "so many blank lines stand before the header", "take them out")


def _rows(lines: Iterator[tuple[int, bytes]], path: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each row that is not blank after its first and its last line."""
    # The limit is the module's, not a reader's; only ever raised, so that readers of others lose nothing.
    csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_ROW_BYTES))
    reader = csv.reader((decoded(text, path, number) for number, text in lines), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, reader.line_num, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise malformed(path, line, f"is not valid CSV ({error})", "check the quotes of this row") from error
