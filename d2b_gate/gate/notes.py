"""What a reader must know to trust the numbers of a verdict: what was skipped, cut or subsampled."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from d2b_gate.gate.dataset import added_rows, load_rows, removed_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Policy
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports


MOST_COUNTED = 20_000
"""Changed rows whose length is counted: tokenising them takes seconds, and a verdict should not wait longer."""
BATCH = 1_000
"""Of them, how many are held at a time."""


def notes_on(policy: Policy, changes: Sequence[DatasetChange], jobs: Sequence[Job], ports: Ports) -> tuple[str, ...]:
    """Collect the notes of one verdict, without repeats."""
    notes = [note for change in changes for note in change.notes]
    untrained = sum(change.untrained for change in changes)
    if untrained:
        notes.append(f"{untrained} rows carry no trained token (labelled false, or without an answer): not judged")
    notes += [note for job in jobs for note in _sampling_notes(policy, job)]
    notes += [note for job in jobs for note in _length_notes(job, ports)]
    return tuple(dict.fromkeys(notes))


def _sampling_notes(policy: Policy, job: Job) -> list[str]:
    method = policy.method
    notes: list[str] = []
    for side, refs in (("added", job.added), ("removed", job.removed)):
        if len(refs) > method.max_changed:
            notes.append(
                f"{method.max_changed} of {len(refs)} {side} rows stand for all (seeded subsample, method.max_changed)"
            )
    if len(job.kept) > method.sample:
        notes.append(f"{method.sample} of {len(job.kept)} unchanged rows stand for all (method.sample)")
    return notes


def _length_notes(job: Job, ports: Ports) -> list[str]:
    """Truncation among the changed rows, counted with the model's own tokenizer."""
    cut = [length for rows in _batches(job, ports) for length in ports.backend.lengths(rows) if length.cut]
    if not cut:
        return []
    lost = sum(1 for length in cut if not length.trained)
    tail = f"; {lost} of them keep no trained token" if lost else ""
    tokens = sum(length.cut for length in cut)
    among = f"of the first {MOST_COUNTED} " if len(job.added) + len(job.removed) > MOST_COUNTED else ""
    return [
        f"{len(cut)} {among}changed rows are longer than {ports.backend.card.max_length} tokens: {tokens} cut{tail}"
    ]


def _batches(job: Job, ports: Ports) -> Iterator[list[Row]]:
    """The first changed rows; many of them are read from their files, a batch at a time."""
    if len(job.added) + len(job.removed) <= BATCH:
        refs = (*job.added, *job.removed)
        rows = load_rows(refs, job.changes, ports)
        yield [rows[ref.key] for ref in refs]
        return
    changed = chain(added_rows(job.changes, ports), removed_rows(job.changes, ports))
    counted = islice(changed, MOST_COUNTED)
    while batch := list(islice(counted, BATCH)):
        yield batch
