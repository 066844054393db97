"""The structure of a change as text, and as annotations; what `check --rows-only` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.escape_command import message, property_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from d2b_gate.core.structure import Fault, Structure

_MOST = 200  # our choice: faults that are listed; whoever mends so many runs it again
_SENTENCE = 1000
_PATH = 4096  # the longest path of Linux: one that is cut names no file


def full(structure: Structure) -> str:
    """One line per changed file, then one per fault, then the count."""
    lines = [
        f"structure {terminal(structure.label, _SENTENCE)}   policy {terminal(structure.policy, _PATH)}",
        *(f"note      {terminal(note, _SENTENCE)}" for note in structure.notes),
        *(f"{terminal(one.path, _PATH)}: +{one.added} rows, -{one.removed} rows" for one in structure.files),
        *(_place(fault) + terminal(fault.message, _SENTENCE) for fault in structure.faults[:_MOST]),
        *_left_out(structure),
        _summary(structure),
    ]
    return "\n".join(lines) + "\n"


def github(structure: Structure) -> str:
    """One workflow command per fault, then one plain line that counts."""
    lines = [*map(_command, structure.faults[:_MOST]), *_left_out(structure), _summary(structure)]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[Structure], str]] = {"full": full, "github": github}
"""The formats that need no verdict."""


def _place(fault: Fault) -> str:
    line = f":{fault.line}" if fault.line else ""
    return f"{terminal(fault.path, _PATH)}{line}: "


def _command(fault: Fault) -> str:
    title = "row breaks its schema" if fault.exit == Exit.VIOLATED else "cannot be read as rows"
    place = f"file={property_value(fault.path, _PATH)},line={max(1, fault.line)}"
    return f"::error {place},title={title}::{message([fault.message], _SENTENCE)}"


def _left_out(structure: Structure) -> list[str]:
    hidden = len(structure.faults) - _MOST
    return [f"{hidden} more are not listed"] if hidden > 0 else []


def _summary(structure: Structure) -> str:
    added, removed = (sum(getattr(one, name) for one in structure.files) for name in ("added", "removed"))
    broken = sum(fault.exit == Exit.VIOLATED for fault in structure.faults)
    unread = len(structure.faults) - broken
    counts = [
        _count(broken, "row breaks its schema", "rows break their schema"),
        _count(unread, "file cannot be read", "files cannot be read"),
    ]
    said = ", ".join(filter(None, counts)) or "ok"
    rows = f"{_count(len(structure.files), 'file', 'files') or 'no file'}, +{added} rows, -{removed} rows"
    return f"structure: {said}; {rows}; exit {int(structure.exit)}"


def _count(number: int, one: str, more: str) -> str:
    """A count in words; nothing of nothing."""
    return f"{number} {one if number == 1 else more}" if number else ""
