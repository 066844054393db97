"""Added rows that break their dataset's JSON Schema."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from d2b_gate.core.row_lists import counts_of, rows_at
from d2b_gate.core.verdict import RowFinding
from d2b_gate.gate.row_texts import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import RowPorts

MOST_LISTED: Final = 10_000
"""Findings of one dataset that are listed. Our choice: nobody reads more, and a verdict that lists a million of them is
of no use in any report; the others are counted."""


def schema_findings(change: DatasetChange, ports: RowPorts) -> tuple[RowFinding, ...]:
    """Added rows that break the dataset's JSON Schema, at file:line; of very many the first, and how many more."""
    found = _findings(change, ports) if change.spec.row_schema else iter(())
    listed = tuple(islice(found, MOST_LISTED))
    for first in found:
        more = 1 + sum(1 for _ in found)
        said = f"this and {more - 1} further findings after it are not listed: {first.message}"
        return (*listed, RowFinding(first.dataset, first.path, first.line, said))
    return listed


def _findings(change: DatasetChange, ports: RowPorts) -> Iterator[RowFinding]:
    added = change.diff.added
    paths = counts_of(added)
    for file in change.after:
        if file.path in paths or file.path.endswith(".dvc"):
            for path, content in ports.reader.contents(file, change.spec):
                places = Places(rows_at(added, path))
                for line, message in ports.reader.violations(content, path, change.spec, places.reach):
                    yield RowFinding(change.spec.name, path, line, message)
