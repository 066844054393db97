"""Models on the Hugging Face hub: one pinned commit, safetensors only, checked against the hub's own hashes."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from d2b_gate.backends.hf.models.directory import refuse_unsafe
from d2b_gate.backends.hf.models.files import FileEntry, ModelFiles, file_names, hashed
from d2b_gate.backends.hf.models.libraries import one_line, require
from d2b_gate.backends.hf.models.lock import read_lock, refresh_lock, write_lock
from d2b_gate.backends.hf.models.verify import intact
from d2b_gate.core.errors import EvaluationError, UnavailableError, UsageError

if TYPE_CHECKING:
    from d2b_gate.core.rules import ModelSpec

_WANTED = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
_UNWANTED = ["*/*", "consolidated*.safetensors"]  # other formats in folders; the same weights under other names


def locate_hub(spec: ModelSpec, cache: Path) -> ModelFiles:
    """Return the files of one commit, downloading them into the Hugging Face cache unless they are known to be whole.

    ``HF_HOME``, ``HF_TOKEN``, ``HF_HUB_OFFLINE`` and the like apply. What was once downloaded is used without asking
    the hub again. Raises UsageError for anything but a full commit hash: a branch may change under a policy.
    """
    if not re.fullmatch(r"[0-9a-f]{40}", spec.revision):
        raise UsageError(
            f"model.revision {spec.revision!r} of {spec.id} is no full commit hash",
            remedy="branches and tags can move; use the commit's 40 lower-case hex digits",
        )
    lock = cache / "models" / "hub" / f"{spec.id.replace('/', '--')}@{spec.revision}.json"
    known = read_lock(lock)
    if known is None or file_names(known.path) != [one.name for one in known.entries]:
        return _fetch(spec, lock)
    refuse_unsafe(known.path)
    checked = intact(known)
    if checked != known:
        refresh_lock(lock, checked)
    return checked


def _fetch(spec: ModelSpec, lock: Path) -> ModelFiles:
    """Download the commit, check every file, and remember what was found."""
    directory = _download(spec)
    refuse_unsafe(directory)
    entries = tuple(_checked(directory, name) for name in file_names(directory))
    files = ModelFiles(directory, spec.id, spec.revision, entries)
    with suppress(OSError):  # then the hub is asked again next time
        write_lock(lock, files, {"hub": spec.id})
    return files


def _download(spec: ModelSpec) -> Path:
    require("huggingface_hub")
    import huggingface_hub
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        path = huggingface_hub.snapshot_download(
            spec.id, revision=spec.revision, allow_patterns=_WANTED, ignore_patterns=_UNWANTED
        )
    except _hub_errors() as error:
        raise UnavailableError(
            f"cannot download model {spec.id} at {spec.revision[:12]}: {one_line(error)}",
            remedy="check the network and HF_TOKEN, or fetch it where there is a network and share HF_HOME",
        ) from error
    return Path(path)


def _hub_errors() -> tuple[type[Exception], ...]:
    """Return what a download may raise; the class below the hub's own is its HTTP library's, which has changed."""
    from huggingface_hub.errors import HfHubHTTPError

    below = [one for one in HfHubHTTPError.__mro__ if issubclass(one, Exception) and one is not Exception]
    return (OSError, ValueError, RuntimeError, *below)


def _checked(directory: Path, name: str) -> FileEntry:
    """Hash one file; the cache names it by the hash that the hub gave: sha256 of large files, git's of small ones."""
    found, stated = hashed(directory, name), (directory / name).resolve().name
    if re.fullmatch(r"[0-9a-f]{64}", stated):
        actual = found.sha256
    elif re.fullmatch(r"[0-9a-f]{40}", stated):
        content = (directory / name).read_bytes()
        actual = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    else:  # a cache without links, as on Windows, keeps no hash
        return found
    if actual != stated:
        raise EvaluationError(
            f"hashes to {actual}, but the hub says {stated}",
            where=str(directory / name),
            remedy="delete that file from the Hugging Face cache and try again",
        )
    return found
