"""What groups of changed rows are predicted to do alone, and what that says of each row's part of a shift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, zip_longest
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

STANDS_OUT = 2.0
"""A group is to blame where it alone moves the probe this many times as far as the group of the median row. Short of
that the rows do much the same, and the shift is that of all of them."""
SEES = 0.5
"""A push that moves the probe less than this part of what tuning does misses what the rows do, and so tells nothing of
their parts."""
ORDER = 1e-3
"""Weight of a row's own part beside its group's, in units of both: enough to order the rows of a group, no more."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A group of rows, as indices, and how far it alone moves the probe, in the direction of the shift explained.

    Units: those of `core.scale`.
    """

    rows: tuple[int, ...]
    shift: float


def suspects(pushed: Sequence[Alone], own: Sequence[float], most: int) -> tuple[int, ...]:
    """Which groups to look into: by turns that of the farthest push and that of the largest mean part of its rows.

    The two fail on different kinds of rows: a push along the mean gradient hardly moves what a few words decide, and
    parts to first order go the wrong way where only a longer push changes the answer.
    """
    by_push = sorted(range(len(pushed)), key=lambda i: -pushed[i].shift)
    by_parts = sorted(range(len(pushed)), key=lambda i: -_mean([own[row] for row in pushed[i].rows]))
    turns = chain.from_iterable(zip_longest(by_push, by_parts))
    return tuple(dict.fromkeys(turns))[:most]


def within(group: Alone, pushed: float, finer: Sequence[Alone]) -> tuple[Alone, ...]:
    """A group in parts: each has the group's shift, less as its push stays behind that of the whole group.

    ``pushed`` is the group's push, on the scale of those in ``finer``, while the group's shift may be another's.
    """
    if pushed <= 0 or pushed < SEES * group.shift:
        return (group,)
    return tuple(Alone(one.rows, group.shift * min(1.0, max(0.0, one.shift / pushed))) for one in finer)


def parts_of(found: Sequence[Alone], own: Sequence[float]) -> tuple[float, ...]:
    """Row i's part of the shift: how far its group moves the probe beyond the group of the median row.

    ``own`` orders rows of one group. Empty where no group stands out.
    """
    by_row = {row: group.shift for group in found for row in group.rows}
    middle = median(by_row.values()) if by_row else 0.0
    farthest = max(by_row.values(), default=0.0)
    if farthest <= STANDS_OUT * max(middle, 0.0):
        return ()
    largest = max(abs(part) for part in own) or 1.0
    return tuple(by_row[i] - middle + ORDER * farthest * part / largest for i, part in enumerate(own))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
