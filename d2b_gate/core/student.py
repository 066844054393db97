"""Student's t distribution, for honest widths from few placebos. Pure Python: a hook may have no scipy."""

from __future__ import annotations

import math
from functools import lru_cache

_ITERATIONS = 300
_TINY = 1e-300
_CONVERGED = 1e-15


def upper_tail(t: float, dof: float) -> float:
    """P(T >= t) for ``dof`` > 0 degrees of freedom."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    half = 0.5 * _beta_regularised(dof / (dof + t * t), dof / 2, 0.5)
    return half if t >= 0 else 1.0 - half


@lru_cache(maxsize=256)  # a bisection of 200 steps, asked for the same few pairs by every rule
def quantile(p: float, dof: float) -> float:
    """The t with P(T <= t) = p, for 0 < p < 1, by bisection to double precision."""
    low, high = -1.0, 1.0
    while upper_tail(low, dof) < 1 - p:
        low *= 2
    while upper_tail(high, dof) > 1 - p:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if upper_tail(middle, dof) > 1 - p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_regularised(x: float, a: float, b: float) -> float:
    """I_x(a, b), by its continued fraction (DLMF 8.17.22) on the side where it converges fast."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1.0 - front * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Evaluate 1/(1 + d1/(1 + d2/(1 + ...))) by the modified Lentz method."""
    value, c, d = 1.0, 1.0, 0.0
    for i in range(_ITERATIONS):
        m = i // 2
        if i == 0:
            numerator = 1.0
        elif i % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / _nonzero(1.0 + numerator * d)
        c = _nonzero(1.0 + numerator / c)
        value *= c * d
        if abs(c * d - 1.0) < _CONVERGED:
            break
    return value - 1.0


def _nonzero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
