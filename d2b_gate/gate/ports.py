"""What one check is asked, and everything it may use from the outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from d2b_gate.core.waivers import Waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.change import FileRef, Scope, Snapshot
    from d2b_gate.core.ports import Backend, Clock, Predictor, ProbeKind, Progress, Store
    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import DatasetSpec, Policy


@dataclass(frozen=True, slots=True)
class Request:
    """One check: two states, the policy to hold them to, and where the gate stands."""

    scope: Scope
    policy: Policy
    context: Literal["hook", "ci"]
    waivers: Waivers = field(default_factory=Waivers)


@dataclass(frozen=True, slots=True)
class Picked:
    """The files of one state that a dataset matches, and notes on what was left out."""

    files: tuple[FileRef, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Files to rows. ``contents`` yields (path, bytes): one pair for a file, several for a tracked directory."""

    pick: Callable[[DatasetSpec, Snapshot], Picked]
    contents: Callable[[FileRef, DatasetSpec], Iterator[tuple[str, bytes]]]
    rows: Callable[[bytes, str, DatasetSpec], Iterator[Row]]
    violations: Callable[[bytes, str, DatasetSpec], Iterator[tuple[int, str]]]


class RowPorts(Protocol):
    """What it takes to read rows: no model."""

    @property
    def reader(self) -> Reader:
        """Files to rows."""

    @property
    def store(self) -> Store:
        """Where what was read before is remembered."""


@dataclass(frozen=True, slots=True)
class ControlSet:
    """Rows and probe of the gate's own controls, and the clean placebo changes behind the noise floor."""

    canary: tuple[Row, ...]
    probe: Probe
    target: str
    placebos: Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the pipeline uses."""

    reader: Reader
    store: Store
    backend: Backend
    predictor: Predictor
    probes: Callable[[str], Probe]
    kinds: Mapping[str, ProbeKind]
    controls: ControlSet
    calibrations: tuple[Calibration, ...]
    progress: Progress
    clock: Clock
    version: str
