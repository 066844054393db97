"""Gzip and zstd, streamed, so that a bomb is noticed while it unfolds."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING

from d2b_gate.core.content import WHOLE_BYTES, Streamed, pieces_of, size_of, whole
from d2b_gate.formats import limits
from d2b_gate.formats.errors import malformed, missing_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from d2b_gate.core.content import Content

_GZIP_CHUNK = 1 << 16  # input bytes at a time: zlib copies what is left of its input on every step
_GZIP_STEP = 1 << 20  # output bytes per step
_ZSTD_STEP = 512  # input bytes per step: a 4-byte RLE block unfolds to 128 KiB, so a step stays under 16 MiB
_ZSTD_WINDOW = 1 << 27  # the format's recommended limit for decoders is 8 MiB, `zstd --ultra --long` writes 128 MiB
_GZIP_WRAPPER = 31  # zlib: 15 window bits, plus 16 for a gzip header and checksum


def opened(content: Content, path: str) -> tuple[Content, str]:
    """Return the content without ``.gz`` or ``.zst``, and the path without that suffix, within the bounds.

    What is small or compressed to little comes as bytes, and what is wrong with it is found here. What is large comes
    piece by piece, and can be read once.
    """
    for suffix, unfold in _UNFOLD.items():
        if path.lower().endswith(suffix):
            return _gathered(_bounded(unfold(pieces_of(content), path), size_of(content), path)), path[: -len(suffix)]
    if size_of(content) > limits.MAX_CONTENT_BYTES:
        raise _too_large(path)
    return content, path


def decompressed(content: bytes, path: str) -> tuple[bytes, str]:
    """As `opened`, all of it as bytes."""
    inside, bare = opened(content, path)
    return whole(inside), bare


def _gathered(pieces: Iterator[bytes]) -> Content:
    """Bytes if that is all there is, else these pieces and the rest."""
    begin = bytearray()
    for piece in pieces:
        begin += piece
        if len(begin) > WHOLE_BYTES:
            break
    else:
        return bytes(begin)
    return Streamed(0, lambda: chain((bytes(begin),), pieces))


def is_compressed(path: str) -> bool:
    """Whether a file's suffix says that it is compressed."""
    return path.lower().endswith(tuple(_UNFOLD))


def _bounded(pieces: Iterator[bytes], compressed: int, path: str) -> Iterator[bytes]:
    unfolded = 0
    for piece in pieces:
        unfolded += len(piece)
        if unfolded > limits.MAX_CONTENT_BYTES:
            raise _too_large(path)
        if unfolded > max(limits.RATIO_FREE_BYTES, limits.MAX_RATIO * compressed):
            what = f"unfolds to more than {limits.MAX_RATIO} times its size, as a decompression bomb does"
            raise malformed(path, 0, what, "store the file uncompressed if it is honest")
        if piece:  # a step may only fill the decoder, and what is empty must not look like the end
            yield piece


def _cut(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    return (piece[start : start + size] for piece in pieces for start in range(0, len(piece), size))


def _too_large(path: str) -> Exception:
    what = f"holds more than {limits.MAX_CONTENT_BYTES >> 20} MiB"
    return malformed(path, 0, what, "split it into smaller files")


def _gunzip(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Yield the members of a gzip file in steps; zero padding after a member is allowed, anything else is not."""
    member = zlib.decompressobj(_GZIP_WRAPPER)
    complete = True
    for rest in _cut(pieces, _GZIP_CHUNK):
        while rest := rest.lstrip(b"\0") if complete else rest:
            if complete:
                member = zlib.decompressobj(_GZIP_WRAPPER)
            try:
                yield member.decompress(rest, _GZIP_STEP)
            except zlib.error as error:
                raise malformed(path, 0, f"is not valid gzip ({error})", "compress it again") from error
            complete = member.eof
            rest = member.unused_data if complete else member.unconsumed_tail
    yield member.flush()
    if not (complete or member.eof):
        raise _truncated(path, "gzip")


def _unzstd(pieces: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Yield the frames of a zstd file in steps."""
    try:
        import zstandard
    except ImportError as error:
        raise missing_library(path, "zstandard", "zstd") from error
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = decoder.decompressobj()
    complete = True
    for rest in _cut(pieces, _ZSTD_STEP):
        while rest:
            if complete:
                frame, complete = decoder.decompressobj(), False
            try:
                yield frame.decompress(rest)
            except zstandard.ZstdError as error:
                raise malformed(path, 0, f"is not valid zstd ({error})", "compress it again") from error
            complete = frame.eof
            rest = frame.unused_data if complete else b""
    if not complete:
        raise _truncated(path, "zstd")


def _truncated(path: str, kind: str) -> Exception:
    return malformed(path, 0, f"ends in the middle of its {kind} stream", "it was cut short; commit the whole file")


_UNFOLD: dict[str, Callable[[Iterator[bytes], str], Iterator[bytes]]] = {".gz": _gunzip, ".zst": _unzstd}
