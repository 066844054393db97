"""An interval for a share of few trials."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    """Score interval for ``hits`` of ``trials``; all of 0 to 1 where nothing was tried. Source: Wilson 1927."""
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, square = hits / trials, z * z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    low = 0.0 if hits == 0 else centre - half  # at the ends the two terms are equal, and rounding would show
    high = 1.0 if hits == trials else centre + half
    return max(0.0, low), min(1.0, high)
