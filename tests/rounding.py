"""What a backend that remembers gives for features that another one computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.packing import packed, unpacked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rounded(values_nld: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features as they are at rest."""
    _, sites, width = values_nld.shape
    return unpacked(packed(values_nld), sites, width)
