"""JSON Lines: one value per line; only a line feed ends a line, for U+2028 may stand inside a string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.encoding import text_bytes, text_pieces, without_spans
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import parse
from d2b_gate.formats.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

SUFFIXES: tuple[str, ...] = (".jsonl", ".ndjson")


def records(content: bytes, path: str) -> Iterator[Record]:
    """Parse each line that is not blank."""
    return streamed(iter((content,)), path, lambda _: True)


def streamed(pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
    """Parse the first line that is not blank and those that are wanted; others are only passed over."""
    any_yet = False
    for line, text in lines_of(text_pieces(pieces, path), path):
        if (wanted(line) or not any_yet) and not text.isspace():
            any_yet = True
            yield Record(parse(text.rstrip(b"\r\n"), path, line), line)


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Take whole lines out."""
    text = text_bytes(content, path)
    spans: list[tuple[int, int]] = []
    start = 0
    for _, line in lines_of(iter((text,)), path):
        if not line.isspace():
            spans.append((start, start + len(line)))
        start += len(line)
    return without_spans(content, text, [spans[number] for number in gone])
