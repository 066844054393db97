"""What can be said of a change without a model: which rows it adds, and which of them cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit, first_exit

if TYPE_CHECKING:
    from d2b_gate.core.verdict import FileChange


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a changed file; line 0 means the whole file."""

    path: str
    line: int
    message: str
    exit: Exit  # VIOLATED: a row breaks its schema; UNEVALUATED: it is malformed; USAGE: its shape is unknown


@dataclass(frozen=True, slots=True)
class Structure:
    """The structure of a change; paths, messages and notes are untrusted text."""

    policy: str
    label: str
    files: tuple[FileChange, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit(self) -> Exit:
        """The exit code: what cannot be read comes before what breaks a schema."""
        return first_exit([fault.exit for fault in self.faults])
