"""What a file holds: its bytes, or for a large one a way to read them piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHOLE_BYTES: Final = 8 << 20
"""Up to this size content is held as bytes. Our choice: small beside what Python itself takes, large enough that most
files are read in one go."""

PIECE_BYTES: Final = 1 << 20
"""How much of a large file is read at a time."""


class Streamed:
    """Content of ``size`` bytes; every call of ``pieces`` reads it anew, from its beginning.

    Written out, for a hook with nothing to do imports this module and not the one that makes such classes.
    """

    __slots__ = ("pieces", "size")

    def __init__(self, size: int, pieces: Callable[[], Iterator[bytes]]) -> None:
        self.size = size
        self.pieces = pieces


Content = bytes | Streamed


def pieces_of(content: Content) -> Iterator[bytes]:
    """The content in order, piece by piece."""
    return iter((content,)) if isinstance(content, bytes) else content.pieces()


def size_of(content: Content) -> int:
    """How many bytes it has."""
    return len(content) if isinstance(content, bytes) else content.size


def whole(content: Content) -> bytes:
    """All of it at once, for what cannot do with less."""
    return content if isinstance(content, bytes) else b"".join(content.pieces())
