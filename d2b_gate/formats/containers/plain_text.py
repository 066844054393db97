"""Plain text: the whole file is one row of raw text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.encoding import decoded, text_bytes
from d2b_gate.formats.interface import Record
from d2b_gate.formats.json_text import check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

SUFFIXES: tuple[str, ...] = (".txt", ".md")


def records(content: bytes, path: str) -> Iterator[Record]:
    """Yield the file as the field ``text``; a blank file holds no row."""
    check_size(len(content), path, 1)
    text = decoded(text_bytes(content, path), path, 1)
    if text.strip():
        yield Record({"text": text}, 1)


def streamed(pieces: Iterator[bytes], path: str, wanted: Callable[[int], bool]) -> Iterator[Record]:
    """As `records`; no more is read than a row may have."""
    del wanted
    text = bytearray()
    for piece in pieces:
        text += piece
        check_size(len(text), path, 1)
    return records(bytes(text), path)


def without(content: bytes, path: str, gone: Collection[int]) -> bytes:
    """Empty the file, if its only row is gone."""
    del path
    return b"" if gone else content
