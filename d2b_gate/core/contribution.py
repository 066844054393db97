"""What each changed row adds to a shift, to first order, from gradients that are cached per row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LATE = 1 / 3
"""Share of the blocks, counted from the last, that are used. Chosen on the tuned-on side of `benchmarks.attribution`:
early blocks see how a row is written, late ones what it makes the model say."""
TINY = 1e-12
"""Keeps a coordinate that no row pushes at zero instead of 0 / 0."""


def contributions(gradients_nld: NDArray[np.float32], slope_ld: NDArray[np.float64]) -> tuple[float, ...]:
    """Row i's part of the shift: -<slope, g_i / (|g_i| + rms)> over the late blocks; larger parts carry more of it.

    ``gradients_nld[i]`` is the gradient of row i's mean loss with respect to a vector after each block, ``slope_ld``
    that of the probe's mean value. A coordinate counts by how far the row stands out among the changed rows there (rms
    is theirs), and by 1 at most, so that no single coordinate decides.
    Shapes: (rows, blocks, width) and (blocks, width). Units: none; only ratios of parts mean anything. Sums accumulate
    in float64. Source: our choice; METHOD, "row i's share of the shift is <grad_v s_p, g_i>".
    """
    if not len(gradients_nld):
        return ()
    first = late(gradients_nld.shape[1])
    values_nld = gradients_nld[:, first:].astype("float64")
    rms_ld = (values_nld**2).mean(axis=0) ** 0.5
    parts = -(values_nld / (abs(values_nld) + rms_ld + TINY) * slope_ld[first:]).sum(axis=(1, 2))
    return tuple(float(part) for part in parts)


def late(blocks: int) -> int:
    """First of the blocks that are used; at least one is."""
    return blocks - max(1, round(blocks * LATE))
