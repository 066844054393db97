"""Which changed rows carry a shift: estimated shares, merged into runs of neighbouring rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Blame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from d2b_gate.core.rows import RowRef

CARRIED = 0.9
"""Rows are named, largest share first, until this much of the shift is explained."""
MOST_RUNS = 5
"""Runs shown per finding; a person reads no more."""


def blame_rows(refs: Sequence[RowRef], contributions: Sequence[float], side: str) -> tuple[Blame, ...]:
    """Name the fewest rows that carry most of the shift, as runs of rows that are neighbours in the change.

    ``contributions[i]`` is row i's part of the shift in the shift's direction; parts against it are left out.
    """
    positive = [max(0.0, part) for part in contributions]
    total = math.fsum(positive)
    if total <= 0:
        return ()
    named = _fewest(positive, CARRIED * total)
    runs = _runs([(ref, positive[i] / total, i in named) for i, ref in enumerate(refs)])
    blames = [_blame(run, side) for run in runs]
    return tuple(sorted(blames, key=lambda blame: (-blame.share, blame.path, blame.first_line))[:MOST_RUNS])


def _fewest(parts: Sequence[float], enough: float) -> set[int]:
    """Indices of the largest parts that together reach ``enough``."""
    chosen: set[int] = set()
    reached = 0.0
    for i in sorted(range(len(parts)), key=lambda i: (-parts[i], i)):
        if reached >= enough:
            break
        chosen.add(i)
        reached += parts[i]
    return chosen


def _runs(rows: Iterable[tuple[RowRef, float, bool]]) -> list[list[tuple[RowRef, float]]]:
    """Group named rows that follow each other in one file with at most one unnamed changed row between them."""
    runs: list[list[tuple[RowRef, float]]] = []
    gap = 0
    ordered = sorted(rows, key=lambda entry: (entry[0].path, entry[0].line))
    for ref, share, named in ordered:
        if not named:
            gap += 1
            continue
        if runs and runs[-1][-1][0].path == ref.path and gap <= 1:
            runs[-1].append((ref, share))
        else:
            runs.append([(ref, share)])
        gap = 0
    return runs


def _blame(run: list[tuple[RowRef, float]], side: str) -> Blame:
    return Blame(
        path=run[0][0].path,
        first_line=run[0][0].line,
        last_line=run[-1][0].line,
        rows=len(run),
        share=math.fsum(share for _, share in run),
        side=side,
        basis="estimated",
    )
