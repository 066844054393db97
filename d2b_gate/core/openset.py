"""Which tokens of a whole vocabulary a change moves most, beyond what a clean change moves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST = 0.001
"""Share by which a token must move beyond the null: a report shows tenths of a point."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One token's share before and after, and how far the null moves it."""

    token: int
    before: float
    after: float
    null: float

    @property
    def excess(self) -> float:
        """How much further it moves than under the null."""
        return abs(self.after - self.before) - self.null


def most_moved(
    before_v: NDArray[np.float32], after_v: NDArray[np.float32], null_v: NDArray[np.float32], count: int
) -> tuple[Moved, ...]:
    """At most ``count`` tokens that move beyond the null, furthest beyond it first.

    Shapes: all (vocabulary). Units: shares, ``null_v`` the distance that a clean change moves each; float64 inside.
    """
    excess_v = abs(after_v.astype("float64") - before_v) - null_v
    chosen = [int(token) for token in (-excess_v).argsort(kind="stable")[:count] if excess_v[token] >= LEAST]
    return tuple(Moved(i, float(before_v[i]), float(after_v[i]), float(null_v[i])) for i in chosen)
