"""Where labels of past findings lie, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.cli.appending import read_appended
from d2b_gate.core.audit import read_labels

if TYPE_CHECKING:
    from pathlib import Path

    from d2b_gate.core.audit import Label

AUDIT = "d2b-gate.audit.jsonl"
"""What people found out about findings, beside the policy."""


def labels_of(place: Path, shown: str) -> tuple[Label, ...]:
    """The last word on every labelled finding; none where there is no file. ``shown`` names it in errors."""
    return read_appended(place, shown, read_labels, ("labels", "audit"))
