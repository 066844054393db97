"""Models in a local directory: complete, safe to load, and pinned by hash where a pull request could change them."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.files import FileEntry, ModelFiles, current, file_names, hashed, tree_sha256
from d2b_gate.backends.hf.models.lock import read_lock, write_lock
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from d2b_gate.core.rules import ModelSpec

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def locate_directory(directory: Path, spec: ModelSpec, cache: Path, checkout: Path | None) -> ModelFiles:
    """Return the directory's files; its revision is the hash of everything that loading reads.

    Not of the weights alone: a changed configuration, tokenizer or chat template changes the readings as much. Hashes
    are remembered by size and time, except inside the checkout, where both are the pull request's to choose.
    """
    if not directory.is_dir():
        raise EvaluationError(f"the model directory {spec.id} does not exist", where=str(directory))
    refuse_unsafe(directory)
    names, inside = file_names(directory), _is_inside(directory, checkout)
    entries = tuple(hashed(directory, name) for name in names) if inside else _remembered(directory, names, cache)
    files = ModelFiles(directory, spec.id, tree_sha256(entries), entries)
    _check_pin(files, spec, inside)
    return files


def refuse_unsafe(directory: Path) -> None:
    """Raise EvaluationError unless the directory holds a whole model that loads without running its code."""
    where = str(directory)
    config = read_table(directory / "config.json")
    if not any(directory.glob("*.safetensors")):
        pickled = any(any(directory.glob(pattern)) for pattern in _PICKLES)
        what = "holds weights as pickle only, which can run code" if pickled else "holds no *.safetensors"
        raise EvaluationError(what, where=where, remedy="convert it with transformers' save_pretrained")
    if "auto_map" in config:
        raise EvaluationError("config.json has auto_map: the model needs its own code, which is never run", where=where)
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        _refuse_strange_shards(directory, read_table(index))


def read_table(path: Path) -> dict[str, object]:
    """Read a JSON object. Raises EvaluationError."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvaluationError(f"holds no {path.name}, so it is no model", where=str(path.parent)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise EvaluationError(f"cannot be read as JSON ({error})", where=str(path)) from error
    if not isinstance(table, dict):
        raise EvaluationError("is no JSON object", where=str(path))
    return table


def _refuse_strange_shards(directory: Path, index: dict[str, object]) -> None:
    """Every shard must lie in the directory, under a plain name: others would escape the hash."""
    shards = index.get("weight_map")
    for shard in sorted({str(name) for name in shards.values()} if isinstance(shards, dict) else {""}):
        if Path(shard).name != shard or "\\" in shard or not shard.endswith(".safetensors"):
            raise EvaluationError(
                f"the index names {shard!r}, which is no shard of this directory", where=str(directory)
            )
        if not (directory / shard).is_file():
            raise EvaluationError(f"the shard {shard} is missing", where=str(directory), remedy="fetch the model again")


def _is_inside(directory: Path, checkout: Path | None) -> bool:
    """Is the directory, or what it links to, part of the checkout?"""
    if checkout is None:
        return False
    root = checkout.resolve()
    lexical = Path(*_folded(checkout.absolute() / directory))
    return directory.resolve().is_relative_to(root) or lexical.is_relative_to(checkout.absolute())


def _folded(path: Path) -> list[str]:
    """Drop ``.`` and ``..`` by name alone, without following links."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            del parts[-1:]
        else:
            parts.append(part)
    return parts


def _remembered(directory: Path, names: list[str], cache: Path) -> tuple[FileEntry, ...]:
    """Hash the files, or reuse the hashes of those that have kept size and time."""
    key = hashlib.sha256(str(directory.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    lock = cache / "models" / "local" / f"{key}.json"
    before = read_lock(lock)
    known = {one.name: one for one in before.entries} if before else {}
    entries = tuple(current(directory, known[name]) if name in known else hashed(directory, name) for name in names)
    if not before or entries != before.entries:
        with suppress(OSError):  # then they are hashed again next time
            files = ModelFiles(directory, str(directory), tree_sha256(entries), entries)
            write_lock(lock, files, {"directory": str(directory.resolve())})
    return entries


def _check_pin(files: ModelFiles, spec: ModelSpec, inside: bool) -> None:
    if spec.sha256 and spec.sha256.lower() != files.revision:
        raise EvaluationError(
            f"the model's files hash to {files.revision}, but the policy pins {spec.sha256}",
            where=str(files.path),
            remedy="restore the files, or review them and change model.sha256",
        )
    if inside and not spec.sha256:
        raise EvaluationError(
            "a model inside the checkout must be pinned, or a pull request could replace it",
            where=str(files.path),
            remedy=f'review its files and set model.sha256 = "{files.revision}"',
        )
