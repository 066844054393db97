"""Text to lines; only a line feed ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.formats.json_text import check_size

if TYPE_CHECKING:
    from collections.abc import Iterator


def lines_of(pieces: Iterator[bytes], path: str) -> Iterator[tuple[int, bytes]]:
    """Yield each line after its 1-based number; no more than a piece and one line are held."""
    line, rest = 1, b""
    for piece in pieces:
        text, start = rest + piece if rest else piece, 0
        while (end := text.find(b"\n", start) + 1) > 0:
            check_size(end - start, path, line)
            yield line, text[start:end]
            start, line = end, line + 1
        rest = text[start:]
        check_size(len(rest), path, line)
    if rest:
        yield line, rest
