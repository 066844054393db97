"""What one check is asked, and everything it may use from the outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from d2b_gate.core.waivers import Waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from d2b_gate.core.calibration_file import Calibration
    from d2b_gate.core.change import FileRef, Scope, Snapshot
    from d2b_gate.core.content import Content
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
    """Files to rows. ``contents`` yields (path, content): one pair for a file, several for a tracked directory.

    ``violations`` looks at the rows that stand at wanted lines. ``choosing`` holds a reader of only those rows, if
    there is a quicker one than to read all. Lines are asked for in ascending order.
    """

    pick: Callable[[DatasetSpec, Snapshot], Picked]
    contents: Callable[[FileRef, DatasetSpec], Iterator[tuple[str, Content]]]
    rows: Callable[[Content, str, DatasetSpec], Iterator[Row]]
    violations: Callable[[Content, str, DatasetSpec, Callable[[int], bool]], Iterator[tuple[int, str]]]
    choosing: tuple[Callable[[Content, str, DatasetSpec, Callable[[int], bool]], Iterator[Row]], ...] = ()

    def rows_at(self, content: Content, path: str, spec: DatasetSpec, wanted: Callable[[int], bool]) -> Iterator[Row]:
        """The rows at wanted lines."""
        for read in self.choosing:
            return read(content, path, spec, wanted)
        return (row for row in self.rows(content, path, spec) if wanted(row.line))


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
