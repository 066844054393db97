"""The cheap feature by which rows are found to be alike: one site's states, and nothing deeper is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.clusters import compared
from d2b_gate.core.rows import Row, RowRef
from d2b_gate.core.unlike import Farthest, frame_of
from d2b_gate.gate.dataset import added_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.ports import Backend
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports

AT_ONCE = 512
"""Rows whose features are asked for together: enough for batches of one length, few enough to stop between."""
FARTHEST = 512
"""Rows unlike the drawn ones that are kept for grouping."""
MORE = 128
"""Rows unlike the drawn ones that are looked at closely besides them: each costs a gradient."""


def compared_states(rows: Sequence[Row], backend: Backend) -> NDArray[np.float32]:
    """States of the compared site, mean over trained tokens. Shapes: (rows, width)."""
    return backend.states(rows, "response", (compared(backend.card.blocks),)).values_nld[:, 0]


def unlike_drawn(job: Job, drawn: Sequence[Row], spent: Callable[[], bool], ports: Ports) -> Farthest:
    """Show every added row to what keeps those that are unlike the drawn ones; ends where the time is spent.

    Features are remembered row by row, so that what was looked at once is not computed again.
    """
    found = Farthest(frame_of(compared_states(drawn, ports.backend)), FARTHEST)
    ports.progress.stage("every added row", len(job.added))
    for rows in _chunks(added_rows(job.changes, ports)):
        if spent():
            break
        refs = [RowRef(row.key, row.path, row.line) for row in rows]
        found.show(refs, compared_states(rows, ports.backend))
        ports.progress.advance(len(rows))
    return found


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
