"""JSON Lines: one value per line; only a line feed ends a line, for U+2028 may stand inside a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.encoding import text_bytes, without_spans
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import check_size, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SUFFIXES: tuple[str, ...] = (".jsonl", ".ndjson")


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line that is not blank."""
    for line, text in _lines(text_bytes(content, path), path):
        if not text.isspace():
            yield Record(parse(text.rstrip(b"\r\n"), path, line), line)


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Take whole lines out."""
    text = text_bytes(content, path)
    spans: list[tuple[int, int]] = []
    start = 0
    for _, line in _lines(text, path):
        if not line.isspace():
            spans.append((start, start + len(line)))
        start += len(line)
    return without_spans(content, text, [spans[number] for number in gone])


def _lines(content: bytes, path: str) -> Iterator[tuple[int, bytes]]:
    start, line = 0, 1
    while start < len(content):
        end = content.find(b"\n", start) + 1 or len(content)
        check_size(end - start, path, line)
        yield line, content[start:end]
        start, line = end, line + 1
