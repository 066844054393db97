"""Features of rows and what is injected: states, signatures (a monoid), injections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Pooling = Literal["last", "response"]
"""last: the last token of the instance (MDF as published); response: mean over trained tokens, sink left out."""


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """The output of decoder block ``block`` (0-based), before the final norm."""

    block: int


@dataclass(frozen=True, slots=True)
class States:
    """Per-row features. ``values_nld`` is float32 of shape (rows, sites, width); row i belongs to ``keys[i]``."""

    keys: tuple[str, ...]
    sites: tuple[Site, ...]
    values_nld: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Signature:
    """A weighted sum of row features: (count, sum, sum of squares) per site.

    Signatures of disjoint row sets add; removing rows subtracts. Shapes: ``sum_ld`` and ``squares_ld`` are float64
    (sites, width). ``count`` is the total weight.
    """

    count: float
    sum_ld: NDArray[np.float64]
    squares_ld: NDArray[np.float64]

    def __add__(self, other: Signature) -> Signature:
        """Join two disjoint multisets of rows."""
        return Signature(self.count + other.count, self.sum_ld + other.sum_ld, self.squares_ld + other.squares_ld)

    def __sub__(self, other: Signature) -> Signature:
        """Take a multiset of rows away."""
        return Signature(self.count - other.count, self.sum_ld - other.sum_ld, self.squares_ld - other.squares_ld)

    def mean_ld(self) -> NDArray[np.float64]:
        """Mean feature per site; zeros where there are no rows (the untouched model)."""
        return self.sum_ld / self.count if self.count > 0 else self.sum_ld * 0.0

    def spread_ld(self) -> NDArray[np.float64]:
        """Population variance per coordinate; never negative (cancellation is clipped)."""
        if self.count <= 0:
            return self.squares_ld * 0.0
        variance = self.squares_ld / self.count - self.mean_ld() ** 2
        return variance.clip(min=0.0)


def signature_of(states: States, weights: Sequence[float]) -> Signature:
    """Sum rows in the order of ``keys`` in float64.

    Shapes: ``weights`` has one entry per row of ``states``. Source: METHOD, "MDF as published"; the mean over rows.
    """
    values = states.values_nld.astype("float64")
    weighted = values * values.dtype.type(1.0)
    for index, weight in enumerate(weights):
        weighted[index] *= weight
    return Signature(float(sum(weights)), weighted.sum(axis=0), (weighted * values).sum(axis=0))


@dataclass(frozen=True, slots=True)
class Injection:
    """Vectors added to block outputs: block ``sites[i]`` gets ``scale * vectors_ld[i]`` at every position.

    Shapes: ``vectors_ld`` is float32 (sites, width). No sites: the untouched model, bit for bit.
    """

    sites: tuple[Site, ...]
    vectors_ld: NDArray[np.float32]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Adapter:
    """A low-rank update of linear layers: module ``names[i]`` gives ``W x + scale * B_i A_i x``.

    Shapes: ``downs[i]`` (A) is float32 (rank, in), ``ups[i]`` (B) is float32 (out, rank).
    Source: LoRA, arXiv 2106.09685.
    """

    names: tuple[str, ...]
    downs: tuple[NDArray[np.float32], ...]
    ups: tuple[NDArray[np.float32], ...]
    scale: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A weighted sum of adapters that a remote backend keeps: pairs of the job that trained one, and its weight.

    The matrices stay where they were trained; what can be done with them here is to mix them.
    """

    parts: tuple[tuple[str, float], ...]


Injected = Injection | Adapter | Kept
"""What a state does to the model while probes are read."""
