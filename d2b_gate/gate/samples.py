"""A few of the blamed rows, as the policy lets them be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.redaction import sample_of
from d2b_gate.core.row_lists import rows_at
from d2b_gate.gate.dataset import load_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import ShowSamples
    from d2b_gate.core.verdict import Blame
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports


def with_samples(blames: Sequence[Blame], job: Job, samples: ShowSamples, ports: Ports) -> tuple[Blame, ...]:
    """Add the first and the last row of every run: between them there may be rows that are not blamed."""
    if samples == "none":
        return tuple(blames)
    return tuple(_sampled(blame, job, samples, ports) for blame in blames)


def _sampled(blame: Blame, job: Job, samples: ShowSamples, ports: Ports) -> Blame:
    side = job.removed if blame.side == "removed" else job.added
    ends = (blame.first_line, blame.last_line)
    refs = {ref.line: ref for ref in rows_at(side, blame.path) if ref.line in ends}
    rows = load_rows(refs.values(), job.changes, ports)
    return replace(blame, samples=tuple(sample_of(rows[refs[line].key], samples) for line in sorted(refs)))
