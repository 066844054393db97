"""Files that several commands append whole lines to, and read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import RawIOBase
    from pathlib import Path

_Record = TypeVar("_Record")


def read_appended(
    path: Path, where: str, read: Callable[[str, str], tuple[_Record, ...]], called: tuple[str, str]
) -> tuple[_Record, ...]:
    """Read the records of a file; none where there is no file.

    ``called`` are what the file holds and the command that writes it, for the error.

    Raises:
        EvaluationError: the file cannot be read as text, or ``read`` refuses it.
    """
    try:
        return read(path.read_text(encoding="utf-8"), where)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        holds, command = called
        remedy = f"name a file that d2b-gate {command} wrote"
        raise EvaluationError(f"the {holds} cannot be read as UTF-8 text", where=where, remedy=remedy) from error


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
