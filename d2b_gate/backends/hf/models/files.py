"""The files of a model: which of them matter, what they hash to, and whether they are still the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOCK_NAME = "model.lock.json"

_CHUNK = 1 << 20  # bytes; large enough that hashing, not reading, is the cost
_MATTERS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "additional_chat_templates/*.jinja")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file as it was when it was hashed."""

    name: str  # relative to the model's directory, with forward slashes
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk. ``revision`` is the hub's commit, or a hash of the content."""

    path: Path
    id: str
    revision: str
    entries: tuple[FileEntry, ...]


def file_names(path: Path) -> list[str]:
    """Name, sorted, the files that loading reads: weights, configuration, tokenizer, chat templates."""
    found = {file.relative_to(path).as_posix() for pattern in _MATTERS for file in path.glob(pattern) if file.is_file()}
    return sorted(found - {LOCK_NAME})


def hashed(path: Path, name: str) -> FileEntry:
    """Hash one file. The stamp is taken first, so that a later change shows."""
    status = (path / name).stat()
    return FileEntry(name, sha256_of(path / name), status.st_size, status.st_mtime_ns)


def current(path: Path, known: FileEntry) -> FileEntry:
    """Return ``known`` if the file has the size and time it had then; else hash it again."""
    status = (path / known.name).stat()
    same = (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns)
    return known if same else hashed(path, known.name)


def tree_sha256(entries: tuple[FileEntry, ...]) -> str:
    """Hash a whole directory: ``sha256sum FILES | sha256sum``, with the files' names in byte order."""
    lines = sorted((one.name.encode(), f"{one.sha256}  {one.name}\n".encode()) for one in entries)
    return hashlib.sha256(b"".join(line for _, line in lines)).hexdigest()


def sha256_of(path: Path) -> str:
    """Hash a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
