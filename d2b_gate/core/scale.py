"""The scale on which shifts add up and errors are even: log-odds of a share, the unit itself otherwise.

One point more of a share that is almost nothing is a large shift, and at one half a small one; a line fitted in points
would be far too unsure of the first and too sure of the second.
"""

from __future__ import annotations

import math

SHARE = "share"
EDGE = 1e-6
"""Shares nearer to 0 or 1 count as this far from it: a model's reading says no more, and log-odds stay finite."""


def point_of(level: float, unit: str) -> float:
    """Where a level (in the probe's unit) lies on the scale."""
    if unit != SHARE:
        return level
    share = min(1 - EDGE, max(EDGE, level))
    return math.log(share / (1 - share))


def level_at(point: float, unit: str) -> float:
    """The level (in the probe's unit) at a place on the scale."""
    if unit != SHARE:
        return point
    return 1 / (1 + math.exp(-point)) if point >= 0 else 1 - 1 / (1 + math.exp(point))


def moved(before: float, shift: float, unit: str) -> float:
    """A shift in the probe's unit, from a level, as a shift on the scale."""
    return point_of(before + shift, unit) - point_of(before, unit)


def shift_by(before: float, move: float, unit: str) -> float:
    """A shift on the scale, from a level, as a shift in the probe's unit."""
    return level_at(point_of(before, unit) + move, unit) - before


def stretched(before: float, after: float, unit: str, factor: float) -> float:
    """The level after a shift that is ``factor`` times as large on the scale; unchanged at 1, whatever the level."""
    return after if factor == 1 else before + shift_by(before, factor * moved(before, after - before, unit), unit)
