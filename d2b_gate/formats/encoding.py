"""Bytes to UTF-8 text, and what binary files in disguise look like."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from d2b_gate.formats.errors import malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNATURES = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PAR1": "Parquet",
    b"PK\x03\x04": "zip",
    b"SQLite format 3": "SQLite",
}


def text_bytes(content: bytes, path: str) -> bytes:
    """Return the bytes of a text file without its UTF-8 byte order mark; refuse what is not text."""
    return b"".join(text_pieces(iter((content,)), path))


def text_pieces(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    """As `text_bytes`, piece by piece: each is looked at as a whole before it is handed on."""
    line = 1
    for number, piece in enumerate(pieces):
        if number == 0:
            _refuse_disguised(piece, path)
        nul = piece.find(b"\0")
        if nul >= 0:
            remedy = "it is binary, or UTF-16 without a byte order mark; save it as UTF-8"
            raise malformed(path, line + piece.count(b"\n", 0, nul), "holds NUL bytes", remedy)
        line += piece.count(b"\n")
        yield piece if number else piece.removeprefix(codecs.BOM_UTF8)


def _refuse_disguised(begin: bytes, path: str) -> None:
    for signature, kind in _SIGNATURES.items():
        if begin.startswith(signature):
            raise malformed(path, 1, f"is {kind}, not UTF-8 text", _remedy(kind))


def without_spans(content: bytes, text: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return ``content`` less these spans of its ``text`` (see `text_bytes`); a byte order mark stays."""
    pieces, end = [content[: len(content) - len(text)]], 0
    for start, stop in sorted(spans):
        pieces.append(text[end:start])
        end = stop
    return b"".join((*pieces, text[end:]))


def _remedy(kind: str) -> str:
    if kind.startswith("UTF"):
        return "save it as UTF-8"
    return "give it the suffix of its format, or exclude it from the dataset"


def decoded(content: bytes, path: str, line: int) -> str:
    """Decode UTF-8; ``line`` is where ``content`` begins."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = line + content.count(b"\n", 0, error.start)
        raise malformed(path, place, f"is not UTF-8 (byte 0x{content[error.start]:02x})", "save it as UTF-8") from error


def line_at(content: bytes, position: int) -> int:
    """Return the 1-based line of a byte."""
    return content.count(b"\n", 0, position) + 1
