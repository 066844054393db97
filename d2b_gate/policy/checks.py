"""What a policy's tables must satisfy beyond their shape: each check yields (key path in its table, what, remedy)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from d2b_gate.core.suggest import did_you_mean
from d2b_gate.policy.layers import is_inside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from d2b_gate.policy.known import Known
    from d2b_gate.policy.locate import KeyPath
    from d2b_gate.policy.models import BackendTable, DatasetTable, MethodTable, ModelTable

    Faults = Iterator[tuple[KeyPath, str, str]]

TRAINING = "proxy-lora"
TRAINABLE = ("lora", "adamw")
"""The predictor that trains an adapter, and the kind and optimiser that it can train with."""
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?\Z", re.ASCII)
_BUILTIN = re.compile(r"builtin:[a-z0-9][a-z0-9.-]*\Z")
_DIRECTORY = re.compile(r"\.{0,2}/|~/|\.\.?\Z|[A-Za-z]:[\\/]")
_DEVICE = re.compile(r"(auto|cpu|mps|cuda(:\d{1,3})?)\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_REMOTE = re.compile(r"(https://|http://(localhost|127\.0\.0\.1|\[::1\])(?=[:/]|\Z))[^@\s?#]*\Z")
_RAY = re.compile(r"(ray://[^@\s?#/]+:\d+|auto|local)\Z")


def model_faults(model: ModelTable) -> Faults:
    """Check that the model is pinned."""
    if not _DEVICE.match(model.device):
        yield ("device",), f"unknown device {model.device!r}", "write auto, cpu, cuda, cuda:<n> or mps"
    if model.id.startswith("builtin:"):
        yield from _builtin_faults(model)
    elif _DIRECTORY.match(model.id):
        yield from _directory_faults(model)
    elif not _HUB.match(model.id):
        yield ("id",), f"{model.id!r} is no hub id", "write owner/name, ./directory or builtin:<name>"
    else:
        yield from _hub_faults(model)


def _builtin_faults(model: ModelTable) -> Faults:
    if not _BUILTIN.match(model.id):
        yield ("id",), f"{model.id!r} is no builtin model", "write builtin:<name>, for example builtin:smollm2-135m"
    for key in ("revision", "sha256"):
        if getattr(model, key):
            yield (key,), f"a builtin model takes no {key!r}: d2b-gate pins it", "remove the key"


def _directory_faults(model: ModelTable) -> Faults:
    if model.revision:
        yield ("revision",), "a local directory has no 'revision'", "pin it with sha256"
    if model.sha256 and not _SHA256.match(model.sha256):
        yield ("sha256",), "'sha256' must be 64 lower-case hex digits", "see 'd2b-gate model verify'"
    elif not model.sha256 and not model.id.startswith(("/", "~", "..")) and model.id[1:2] != ":":
        yield ("id",), "a model inside the checkout needs a pinned 'sha256'", "see 'd2b-gate model verify'"


def _hub_faults(model: ModelTable) -> Faults:
    remedy = "pin the commit of the model's repository, 40 hex digits"
    if not model.revision:
        yield ("id",), f"the hub id {model.id!r} needs a 'revision'", remedy
    elif not _COMMIT.match(model.revision):
        what = f"'revision' must be a commit of 40 lower-case hex digits, not {model.revision!r}"
        yield ("revision",), what, f"branches and tags move; {remedy}"
    if model.sha256:
        yield ("sha256",), "'sha256' is for local directories", "remove it; the revision pins a hub id"


def method_faults(method: MethodTable, known: Known) -> Faults:
    """Check that the predictor exists, and that it can follow the regime."""
    yield from _unknown(("predictor",), "predictor", method.predictor, known.predictors)
    regime = method.regime
    if method.predictor == TRAINING and (regime.kind, regime.optimizer) != TRAINABLE:
        key = "kind" if regime.kind != TRAINABLE[0] else "optimizer"
        what = f"{TRAINING} trains {TRAINABLE[0]} with {TRAINABLE[1]}, and the regime is {getattr(regime, key)!r}"
        yield ("regime", key), what, 'write predictor = "mdf-tuned", which predicts for any regime'


def backend_faults(backend: BackendTable) -> Faults:
    """Check that rows can only be sent where the policy says, over an encrypted connection."""
    if backend.kind in ("local", "warm", "fake") and backend.url:
        yield ("url",), f"a {backend.kind} backend takes no 'url'", 'remove it, or write kind = "remote"'
    if backend.kind == "remote" and not _REMOTE.match(backend.url):
        remedy = "write https://host:port; http is for localhost only, and the token comes from the environment"
        what = f"{backend.url!r} is no address of a remote backend" if backend.url else "a remote backend needs a 'url'"
        yield ("url",) if backend.url else ("kind",), what, remedy
    if backend.kind == "ray" and backend.url and not _RAY.match(backend.url):
        yield (
            ("url",),
            f"{backend.url!r} is no address of a ray cluster",
            "write ray://host:port, auto or local, or leave it out",
        )


def dataset_faults(dataset: DatasetTable, known: Known) -> Faults:
    """Check that globs stay inside the repository and names exist."""
    remedy = "write it relative to the repository's root, with forward slashes"
    for key, globs in (("include", dataset.include), ("exclude", dataset.exclude)):
        for index, glob in enumerate(globs):
            if not is_inside(glob):
                yield (key, index), f"the glob {glob!r} leaves the repository", remedy
    if dataset.row_schema and not is_inside(dataset.row_schema):
        yield ("row_schema",), f"the path {dataset.row_schema!r} leaves the repository", remedy
    yield from _format_faults(dataset.format, known)
    for role in dataset.columns:
        yield from _unknown(("columns", role), "role", role, known.roles)


def _format_faults(name: str, known: Known) -> Faults:
    """Check for ``auto``, a container, a shape, or both: ``json+alpaca``."""
    names = ("auto", *known.containers, *known.shapes)
    parts = name.split("+")
    for part in parts:
        yield from _unknown(("format",), "format", part, names)
    twice = any(sum(part in group for part in parts) > 1 for group in (known.containers, known.shapes))
    if twice or ("auto" in parts and len(parts) > 1):
        yield ("format",), f"no format {name!r}", "write auto, a container, a shape, or both: json+alpaca"


def _unknown(path: KeyPath, noun: str, name: str, known: Collection[str]) -> Faults:
    if name not in known:
        yield path, f"unknown {noun} {name!r}", did_you_mean(name, known)
