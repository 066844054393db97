"""Lock files: what a model's files hashed to when they were pulled, downloaded or first used."""

from __future__ import annotations

import json
import platform
import secrets
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from d2b_gate.backends.hf.models.files import FileEntry, ModelFiles

_SCHEMA = 1
_TOOLS = ("torch", "transformers", "tokenizers", "safetensors", "gguf")


def read_lock(lock: Path) -> ModelFiles | None:
    """Return what a lock file says; None if there is none that can be understood."""
    try:
        table = json.loads(lock.read_text(encoding="utf-8"))
        if table["schema"] != _SCHEMA:
            return None
        entries = tuple(FileEntry(name, **stamp) for name, stamp in sorted(table["files"].items()))
        return ModelFiles(Path(table["path"]), str(table["id"]), str(table["revision"]), entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_lock(lock: Path, files: ModelFiles, source: dict[str, object]) -> None:
    """Write the lock file in one step. ``source`` says where the files came from. May raise OSError."""
    table = {
        "schema": _SCHEMA,
        "id": files.id,
        "revision": files.revision,
        "path": str(files.path),
        "source": source,
        "tools": {"python": platform.python_version(), **dict(versions(_TOOLS))},
        "files": {
            one.name: {key: value for key, value in asdict(one).items() if key != "name"} for one in files.entries
        },
    }
    _replace(lock, table)


def refresh_lock(lock: Path, files: ModelFiles) -> None:
    """Record new sizes and times of files whose content is unchanged. A lock that cannot be written stays as it is."""
    with suppress(OSError, ValueError, KeyError):
        table = json.loads(lock.read_text(encoding="utf-8"))
        for one in files.entries:
            table["files"][one.name]["mtime_ns"] = one.mtime_ns
        _replace(lock, table)


def versions(libraries: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return (library, version) of those that are installed, sorted, without importing any."""
    found = []
    for library in sorted(libraries):
        with suppress(metadata.PackageNotFoundError):
            found.append((library, metadata.version(library)))
    return tuple(found)


def _replace(lock: Path, table: dict[str, object]) -> None:
    lock.parent.mkdir(parents=True, exist_ok=True)
    unfinished = lock.with_name(f".{lock.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        unfinished.replace(lock)
    finally:
        unfinished.unlink(missing_ok=True)
