"""JSON: an array of rows, one object that is the only row, or JSON Lines under the wrong name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.containers import jsonl
from d2b_gate.formats.encoding import line_at, text_bytes, without_spans
from d2b_gate.formats.errors import malformed
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import elements, parse, skip_space, value_end

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SUFFIXES: tuple[str, ...] = (".json",)


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each element of the array, with the line on which it begins."""
    text = text_bytes(content, path)
    start = skip_space(text, 0)
    if text[start : start + 1] == b"[":
        return _array(text, start + 1, path)
    if start < len(text) and skip_space(text, value_end(text, start)) == len(text):
        line = line_at(text, start)
        return iter([Record(parse(text[start:], path, line), line)])
    return jsonl.records(text, path)


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Take elements out, each with its comma and the white space before it."""
    text = text_bytes(content, path)
    start = skip_space(text, 0)
    if text[start : start + 1] == b"[":
        return without_spans(content, text, _cuts(text, start + 1, path, set(gone)))
    end = value_end(text, start)
    if start < len(text) and skip_space(text, end) == len(text):
        return without_spans(content, text, [(start, end)] if gone else [])
    return jsonl.without(content, path, gone)


def _cuts(text: bytes, start: int, path: str, gone: set[int]) -> Iterator[tuple[int, int]]:
    """What goes: elements up to their comma, and of those after the last that stays the comma before, too."""
    spans = list(elements(text, start, path))
    kept = [number for number in range(len(spans)) if number not in gone]
    last = kept[-1] if kept else -1
    for number in gone:
        if number < last:
            yield spans[number][0], spans[number][1] + 1
    if last + 1 < len(spans):
        begin = _end_of(text, *spans[last]) if kept else start
        yield begin, _end_of(text, *spans[-1])


def _end_of(text: bytes, begin: int, end: int) -> int:
    """Where an element ends, and the white space after it begins."""
    return begin + len(text[begin:end].rstrip(b" \t\r\n"))


def _array(text: bytes, start: int, path: str) -> Iterator[Record]:
    line, counted, end = 1, 0, start
    for begin, end in elements(text, start, path):
        lead = skip_space(text, begin)
        if lead == end and begin == start and text[end : end + 1] == b"]":
            continue
        line += text.count(b"\n", counted, lead)
        counted = lead
        yield Record(parse(text[lead:end], path, line), line)
    rest = skip_space(text, end + 1)
    if rest != len(text):
        raise malformed(path, line_at(text, rest), "something follows the JSON array", "keep one array in the file")
