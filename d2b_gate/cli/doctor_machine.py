"""`doctor`, second half: libraries, model, device, cache and hook. Nothing heavy is imported, nothing is changed."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import tempfile
from importlib import metadata
from typing import TYPE_CHECKING

from d2b_gate.cli.doctor_check import Check
from d2b_gate.cli.doctor_elsewhere import is_local, ray, remote, warm
from d2b_gate.cli.sizes import readable
from d2b_gate.core.errors import GateError
from d2b_gate.core.rules import ModelSpec
from d2b_gate.sources.process import git_outcome
from d2b_gate.store.paths import cache_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from d2b_gate.core.rules import Policy
    from d2b_gate.sources.git import Repository

MODEL_LIBRARIES = ("numpy", "torch", "transformers", "accelerate", "safetensors", "peft")
OPTIONAL = (
    ("pyarrow", "Parquet files", "parquet"),
    ("zstandard", "files that end in .zst", "zstd"),
    ("jinja2", "HTML reports", "html"),
    ("matplotlib", "HTML reports", "html"),
)


def machine_checks(policy: Policy | None, repository: Repository | None) -> Iterator[Check]:
    """Check this machine for what the policy's backend needs; without a policy, for the default model."""
    yield Check("python", "ok", platform.python_version())
    kind = policy.backend.kind if policy else "local"
    if kind == "local":
        yield from _local_model(policy.model if policy else ModelSpec(), repository)
    elif kind == "warm":
        yield from warm()
        yield from _local_model(policy.model if policy else ModelSpec(), repository)
    elif kind == "remote" and policy is not None:
        yield from remote(policy)
    elif kind == "ray" and policy is not None:
        yield from ray(policy)
        if is_local(policy):
            yield from _local_model(policy.model, repository)
    else:
        yield Check("backend", "ok", kind)
    yield _cache()
    for library, purpose, extra in OPTIONAL:
        yield _optional(library, purpose, extra)
    yield _pre_commit()
    if repository is not None:
        yield _hook(repository)


def _local_model(spec: ModelSpec, repository: Repository | None) -> Iterator[Check]:
    missing = [library for library in MODEL_LIBRARIES if importlib.util.find_spec(library) is None]
    if missing:
        yield Check("libraries", "missing", f"no {', '.join(missing)}", 'run: pip install "d2b-gate[model]"')
    else:
        yield Check("libraries", "ok", ", ".join(f"{library} {_version(library)}" for library in MODEL_LIBRARIES))
    yield _model(spec, repository.root if repository else None)
    yield _device(spec)


def _model(spec: ModelSpec, checkout: Path | None) -> Check:
    """A built-in or local model must be here; one of the hub is fetched by the first check."""
    from d2b_gate.backends.hf.models.listing import list_models
    from d2b_gate.backends.hf.models.locate import locate

    here = any(one.files and (one.id, one.revision) == (spec.id, spec.revision) for one in list_models(cache_root()))
    if spec.revision and not here:
        return Check("model", "optional", f"{spec.id} was not fetched yet", "the first check fetches it")
    try:
        files = locate(spec, cache_root(), checkout)
    except GateError as error:
        return Check("model", "missing", error.what, error.remedy)
    size = readable(sum(one.size for one in files.entries))
    return Check("model", "ok", f"{files.id}, {size}, revision {files.revision[:12]}, files unchanged since recorded")


def _device(spec: ModelSpec) -> Check:
    from d2b_gate.backends.hf.models.device import device_class

    return Check("device", "ok", device_class(spec.device.partition(":")[0]))


def _cache() -> Check:
    """Try to write where the cache is, or where it will be created."""
    root = cache_root()
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check("cache", "ok", str(root))
    except OSError as error:
        remedy = "every check repeats all work; name another directory with D2B_GATE_CACHE_DIR"
        return Check("cache", "optional", f"cannot write to {place} ({error.strerror})", remedy)


def _optional(library: str, purpose: str, extra: str) -> Check:
    if importlib.util.find_spec(library) is None:
        return Check(library, "optional", f"absent; {purpose} need it", f'run: pip install "d2b-gate[{extra}]"')
    return Check(library, "ok", _version(library))


def _pre_commit() -> Check:
    if importlib.util.find_spec("pre_commit") is not None:
        return Check("pre-commit", "ok", _version("pre-commit"))
    where = shutil.which("pre-commit")
    if where is None:
        return Check("pre-commit", "optional", "absent", "run: pip install pre-commit")
    return Check("pre-commit", "ok", where)


def _hook(repository: Repository) -> Check:
    """Whether git calls pre-commit, wherever this repository keeps its hooks."""
    said = git_outcome(repository.root, "rev-parse", "--git-path", "hooks/pre-commit").stdout
    hook = repository.root / said.decode("utf-8", "surrogateescape").rstrip("\n")
    try:
        installed = "pre-commit" in hook.read_text(encoding="utf-8", errors="replace")
    except OSError:
        installed = False
    if installed:
        return Check("hook", "ok", str(hook))
    return Check("hook", "optional", "git does not call pre-commit here", "run: pre-commit install")


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "of unknown version"
