"""The composition root: names the real adapters behind every port of the pipeline."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from d2b_gate import __version__
from d2b_gate.cli.arguments import PLACES
from d2b_gate.core.errors import UnavailableError, UsageError
from d2b_gate.core.printable import printable
from d2b_gate.core.rules import BackendSpec, DatasetSpec
from d2b_gate.formats.reading import read_records, read_rows, read_rows_at
from d2b_gate.formats.row_schema import violations
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.gate.ports import ControlSet, Picked, Ports, Reader
from d2b_gate.probes.catalogue import pack_root
from d2b_gate.registry import load, load_all
from d2b_gate.sources.globs import Globs
from d2b_gate.sources.pointers import contents
from d2b_gate.sources.selection import select
from d2b_gate.store.bound import bound_of_machine
from d2b_gate.store.memory import MemoryStore
from d2b_gate.store.paths import cache_root
from d2b_gate.store.sqlite import open_store

ELSEWHERE = ("warm", "remote")
"""Backends whose model runs in another process."""

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.change import FileRef, Snapshot
    from d2b_gate.core.content import Content
    from d2b_gate.core.ports import Backend, Progress, Store
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Policy, ShowSamples
    from d2b_gate.probes.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Running:
    """Where and how a run goes; nothing here changes what is judged."""

    device: str
    cached: bool
    progress: Progress
    backend: str = ""  # empty: the policy's
    light: bool = False  # refuse to run a model in this process


def running_of(arguments: Namespace, progress: Progress) -> Running:
    """What the flags and the environment say; argparse holds only flags against their choices."""
    if arguments.backend not in ("", *PLACES):
        raise UsageError(
            f"D2B_GATE_BACKEND={printable(arguments.backend)} names no backend that a user may choose",
            remedy=f"use {', '.join(PLACES)}",
        )
    return Running(arguments.device, not arguments.no_cache, progress, arguments.backend, arguments.remote)


def wire(
    policy: Policy, catalogue: Catalogue, stand: Standpoint, running: Running, known: tuple[Calibration, ...]
) -> tuple[Policy, Ports]:
    """Return the ports of one check by the calibrations given, and the policy with the device that was asked for."""
    if running.device:
        policy = replace(policy, model=replace(policy.model, device=running.device))
    if running.backend and running.backend != policy.backend.kind:
        policy = replace(policy, backend=BackendSpec(running.backend))
    tell = running.progress.note
    store: Store = open_store(_kept(policy) / "store", bound_of_machine(), tell) if running.cached else MemoryStore()
    backend = CachingBackend(_backend(policy, stand, running), store, running.progress)
    ports = Ports(
        reader=row_reader(stand, policy.show_samples),
        store=store,
        backend=backend,
        predictor=load("predictors", policy.method.predictor),
        probes=catalogue,
        kinds=load_all("probe_kinds"),
        controls=control_set(catalogue),
        calibrations=known,
        progress=running.progress,
        clock=time.monotonic,
        version=__version__,
    )
    return policy, ports


def _kept(policy: Policy) -> Path:
    """Where results are remembered: those of a remote or of a cluster elsewhere apart, by its address."""
    if policy.backend.kind == "ray":
        from d2b_gate.backends.ray import opening, settings

        return opening.kept_of(settings.address_of(policy.backend.url), cache_root())
    if policy.backend.kind != "remote":
        return cache_root()
    from d2b_gate.backends.remote.binding import bound
    from d2b_gate.backends.remote.opening import kept_of

    return kept_of(bound(policy.backend.url), cache_root())


def _backend(policy: Policy, stand: Standpoint, running: Running) -> Backend:
    kind = policy.backend.kind
    if running.light and kind not in ELSEWHERE:
        raise UnavailableError(
            f"this hook loads no model itself, and the policy's backend is {kind!r}",
            remedy='write backend.kind = "remote", set D2B_GATE_BACKEND=remote, or use the hook d2b-gate',
        )
    opened: Backend = load("backends", kind).open_backend(
        policy.model, cache_root(), stand.repository.root, running.progress, policy.backend.url
    )
    return opened


def row_reader(stand: Standpoint, samples: ShowSamples) -> Reader:
    """Files of the repository to rows, read as the policy's state says; ``samples``: what is shown of a row's text."""
    repository = stand.repository
    containers, shapes = load_all("containers"), load_all("shapes")

    def pick(spec: DatasetSpec, snapshot: Snapshot) -> Picked:
        selection = select(snapshot.files, Globs(spec.include, spec.exclude))
        return Picked(selection.files, selection.notes)

    def content_of(file: FileRef, spec: DatasetSpec) -> Iterator[tuple[str, Content]]:
        return contents(repository, file, Globs(spec.include, spec.exclude))

    def broken(
        content: Content, path: str, spec: DatasetSpec, wanted: Callable[[int], bool]
    ) -> Iterator[tuple[int, str]]:
        schema = _row_schema(spec, stand)
        return violations(read_records(content, path, spec, containers, wanted), schema, path, samples)

    every = partial(read_rows, containers=containers, shapes=shapes)
    chosen = partial(read_rows_at, containers=containers, shapes=shapes)
    return Reader(pick, content_of, every, broken, (chosen,))


def _row_schema(spec: DatasetSpec, stand: Standpoint) -> Mapping[str, object]:
    import json

    text = stand.reader()(spec.row_schema)
    if text is None:
        raise UsageError(f"there is no row schema {spec.row_schema!r}", where=spec.origin, remedy="add it to git")
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"is not JSON ({error.msg})", where=f"{spec.row_schema}:{error.lineno}", remedy="correct the schema"
        ) from error
    if not isinstance(schema, dict):
        raise UsageError("is not a JSON Schema object", where=spec.row_schema, remedy="correct the schema")
    return schema


def control_set(catalogue: Catalogue) -> ControlSet:
    """The gate's own canary and placebo rows, shipped with it."""
    root = pack_root()
    placebos = {file.stem: shipped_rows(file) for file in sorted((root / "placebo").glob("*.jsonl"))}
    canary = shipped_rows(root / "canary" / "lantern.jsonl")
    return ControlSet(canary, catalogue("control/canary"), "lantern", placebos)


def shipped_rows(file: Path) -> tuple[Row, ...]:
    """Rows of a file that ships with the gate."""
    spec = DatasetSpec(name=file.stem, include=())
    return tuple(read_rows(file.read_bytes(), file.name, spec, load_all("containers"), load_all("shapes")))
