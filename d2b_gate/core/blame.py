"""Which changed rows carry a shift: estimated shares, merged into runs of neighbouring rows."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Blame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from d2b_gate.core.rows import RowRef

CARRIED = 0.9
"""Rows are named, largest share first, until this much of the shift is explained."""
STRAY = 3.0
"""Times the median distance of a row without influence: two standard deviations of a normal spread."""
FEWEST_AGAINST = 5
"""Parts against the shift from which their median says how far rows stray."""
MOST_RUNS = 5
"""Runs shown per finding; a person reads no more."""


def blame_rows(refs: Sequence[RowRef], contributions: Sequence[float], side: str) -> tuple[Blame, ...]:
    """Name the fewest rows that carry most of the shift, as runs of rows that are neighbours in the change.

    ``contributions[i]`` is row i's part of the shift in the shift's direction; parts against it are left out, and of
    those with it whatever chance alone gives a row.
    """
    positive = _beyond_chance(contributions)
    total = math.fsum(positive)
    if total <= 0:
        return ()
    named = _fewest(positive, CARRIED * total)
    runs = _runs([(ref, positive[i] / total, i in named) for i, ref in enumerate(refs)])
    blames = [_blame(run, side) for run in runs]
    return tuple(sorted(blames, key=lambda blame: (-blame.share, blame.path, blame.first_line))[:MOST_RUNS])


def places(refs: Sequence[RowRef], named: set[int], side: str) -> tuple[Blame, ...]:
    """Where the rows of these indices stand, as runs in file order; the share of each is its part of them."""
    runs = _runs([(ref, 1 / max(1, len(named)), i in named) for i, ref in enumerate(refs)])
    return tuple(_blame(run, side) for run in runs)


def _beyond_chance(parts: Sequence[float]) -> list[float]:
    """What of each part lies further out than rows without influence stray; all of it where nothing does.

    Rows without influence stray to both sides alike, and on the other side they stand alone: half of their distances
    from zero lie under the median of the parts against the shift.
    """
    positive = [max(0.0, part) for part in parts]
    against = [-part for part in parts if part < 0]
    if len(against) < FEWEST_AGAINST:
        return positive
    beyond = [max(0.0, part - STRAY * median(against)) for part in positive]
    return beyond if any(beyond) else positive


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


def covered(blames: Iterable[Blame], refs: Iterable[RowRef]) -> tuple[RowRef, ...]:
    """The changed rows that lie in the runs."""
    spans = [(blame.path, blame.first_line, blame.last_line) for blame in blames]
    return tuple(ref for ref in refs if any(ref.path == path and a <= ref.line <= b for path, a, b in spans))
