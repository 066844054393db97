"""Appending whole lines to a file that others append to as well."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import RawIOBase
    from pathlib import Path


def append_lines(path: Path, text: str) -> None:
    """Append in one write, so that an interruption leaves whole lines; a last line left open is ended first.

    Raises:
        OSError: the file cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "rb+", buffering=0) as file:
        file.write(_ending(file) + text.encode())


def _ending(file: RawIOBase) -> bytes:
    """What ends the last line; an interrupted write, or an editor, may have left it open."""
    if not file.seek(0, os.SEEK_END):
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"
