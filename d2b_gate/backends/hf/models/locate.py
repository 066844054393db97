"""Which files are meant by a policy's model id: built in, a local directory, or a pinned revision on the hub."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.builtin import PREFIX, Builtin, find_builtin
from d2b_gate.backends.hf.models.directory import locate_directory
from d2b_gate.backends.hf.models.files import LOCK_NAME, ModelFiles
from d2b_gate.backends.hf.models.hub import locate_hub
from d2b_gate.backends.hf.models.lock import read_lock, refresh_lock
from d2b_gate.backends.hf.models.verify import intact
from d2b_gate.core.errors import EvaluationError, UnavailableError, UsageError

if TYPE_CHECKING:
    from d2b_gate.core.rules import ModelSpec

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def locate(spec: ModelSpec, cache: Path, checkout: Path | None) -> ModelFiles:
    """Return the files of the policy's model; imports neither torch nor transformers, and downloads hub models.

    An id with a revision is always the hub's, so that no directory of a checkout can stand in for it. A relative
    directory is relative to the checkout. Raises UsageError for an id that cannot be meant, EvaluationError where the
    model is missing, incomplete, unsafe or not the pinned one.
    """
    try:
        return _locate(spec, cache, checkout)
    except OSError as error:
        raise EvaluationError(f"cannot read model {spec.id} ({error})", remedy="check the permissions") from error


def builtin_directory(builtin: Builtin, cache: Path) -> Path:
    """Return where a built-in model lies once it is pulled."""
    return cache / "models" / builtin.name


def builtin_files(builtin: Builtin, cache: Path) -> ModelFiles | None:
    """Return a pulled model's files, unchecked; None if it was not pulled, or from other weights."""
    directory = builtin_directory(builtin, cache)
    files = read_lock(directory / LOCK_NAME)
    if files is None or files.revision != builtin.sha256:
        return None
    return replace(files, path=directory)  # a cache may have been moved since


def _locate(spec: ModelSpec, cache: Path, checkout: Path | None) -> ModelFiles:
    if spec.id.startswith(PREFIX):
        return _locate_builtin(find_builtin(spec.id), cache)
    is_hub_id = _HUB_ID.fullmatch(spec.id) is not None
    if spec.revision and not is_hub_id:
        raise UsageError(f"model {spec.id!r} is no hub id, so it has no revision", remedy="use model.sha256 instead")
    if spec.revision:
        return locate_hub(spec, cache)
    directory = (checkout or Path.cwd()) / Path(spec.id).expanduser()
    if is_hub_id and not directory.is_dir():
        raise UsageError(
            f"model {spec.id!r} has no revision", remedy="set model.revision to the full commit hash (40 hex digits)"
        )
    return locate_directory(directory, spec, cache, checkout)


def _locate_builtin(builtin: Builtin, cache: Path) -> ModelFiles:
    files = builtin_files(builtin, cache)
    if files is None:
        raise UnavailableError(
            f"model {builtin.id} is not in {cache}", remedy=f"run: d2b-gate model pull {builtin.name}"
        )
    checked = intact(files)
    if checked != files:
        refresh_lock(files.path / LOCK_NAME, checked)
    return checked
