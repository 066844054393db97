"""Blobs by id, through git processes that stay open."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from typing import IO, TYPE_CHECKING, Final

from d2b_gate.core.content import PIECE_BYTES, WHOLE_BYTES, Streamed
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.printable import printable
from d2b_gate.sources import process
from d2b_gate.sources.errors import first_line

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.core.content import Content

MAX_BLOB_BYTES: Final = 1 << 30
"""Size of one blob. Our choice: some formats are held in memory, and git itself is unhappy with larger blobs."""

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CHECK, _READ = "--batch-check", "--batch"
_UNHELD = ("-c", "core.bigFileThreshold=1m")
"""Lets git stream a packed blob that is no delta, where it would hold one of up to 512 MiB."""
_ATTEMPTS = 2  # a process that died is replaced once


class ObjectReader:
    """Answers by blob id. For one thread; `close` ends its processes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def size(self, oid: str) -> int:
        """Return the size of a blob without reading it."""
        return self._answer(_CHECK, oid)[0]

    def blob(self, oid: str) -> bytes:
        """Return the bytes of a blob."""
        size, out = self._answer(_READ, oid)
        if size > MAX_BLOB_BYTES:
            self.close()  # the bytes are already on their way
            raise _too_large(oid)
        content = out.read(size + 1)
        if len(content) != size + 1:
            self.close()
            raise _cut_short(oid)
        return content[:-1]

    def content(self, oid: str) -> Content:
        """Return the bytes of a blob; those of a large one by way of a process of its own."""
        size = self.size(oid)
        if size > MAX_BLOB_BYTES:
            raise _too_large(oid)
        return self.blob(oid) if size <= WHOLE_BYTES else Streamed(size, partial(self._pieces, oid, size))

    def _pieces(self, oid: str, size: int) -> Iterator[bytes]:
        child = process.start(self._root, *_UNHELD, "cat-file", "blob", oid)
        left = size
        try:
            while child.stdout is not None and (piece := child.stdout.read(PIECE_BYTES)):
                left -= len(piece)
                yield piece
            if left:
                raise _cut_short(oid)
        finally:
            _end(child)

    def close(self) -> None:
        """End the processes; a later call starts new ones."""
        while self._processes:
            _, child = self._processes.popitem()
            _end(child)

    def _answer(self, mode: str, oid: str) -> tuple[int, IO[bytes]]:
        """Return the size of a blob, and the stream on which its content follows. Git says ``<oid> blob <size>``."""
        header, out = self._ask(mode, oid)
        words = header.split()
        if len(words) == 3 and words[1] == b"blob":
            return int(words[2]), out
        if words[-1:] == [b"missing"]:
            raise EvaluationError(f"the blob {oid} is not in this clone", remedy=_fetch(oid))
        self.close()  # the content of whatever it is follows, and would be taken for the next answer
        raise EvaluationError(f"the object {oid} is not a blob", remedy="run: git fsck")

    def _ask(self, mode: str, oid: str) -> tuple[bytes, IO[bytes]]:
        """Send one id and return git's answer line, and the stream on which the content follows."""
        if not _OID.fullmatch(oid):
            raise EvaluationError(f"{printable(oid)!r} is not a blob id", remedy="this is a defect; please report it")
        for _ in range(_ATTEMPTS):
            child = self._processes.get(mode) or process.start(self._root, "cat-file", mode)
            self._processes[mode] = child
            if child.stdin is None or child.stdout is None:
                break
            with suppress(BrokenPipeError, OSError):
                child.stdin.write(oid.encode() + b"\n")
                child.stdin.flush()
                header = child.stdout.readline()
                if header.endswith(b"\n"):
                    return header, child.stdout
            _end(self._processes.pop(mode))
        # The processes died of this object; asked alone, git says why.
        done = process.git_outcome(self._root, "cat-file", "blob", oid)
        raise EvaluationError(f"git cannot read the blob {oid} ({first_line(done.stderr)})", remedy=_fetch(oid))


def _too_large(oid: str) -> EvaluationError:
    return EvaluationError(f"the blob {oid} is larger than {MAX_BLOB_BYTES >> 20} MiB", remedy="split the file")


def _cut_short(oid: str) -> EvaluationError:
    return EvaluationError(f"git ended while it sent the blob {oid}", remedy="run: git fsck")


def _fetch(oid: str) -> str:
    return f"in a partial clone run: git fetch --refetch --no-filter, or: git fetch origin {oid}; else run: git fsck"


def _end(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    child.kill()
    child.wait()
