"""Injections between two: what a part of a change's effect would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.features import Adapter, Injection, Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.features import Injected, Site

    Layers = dict[str, list[tuple[NDArray[np.float32], NDArray[np.float32]]]]


def between(before: Injected, after: Injected, strength: float) -> Injected:
    """What lies at ``strength`` on the straight line from ``before`` (0) to ``after`` (1).

    Vectors are interpolated, and so are the updates of layers: two low-rank updates W + (1 - s) B_1 A_1 + s B_2 A_2 are
    one of the joined rank. Interpolating A and B by themselves would leave the line, since their product is what acts.

    Raises:
        ValueError: vectors at one end and an adapter at the other.
    """
    if strength in (0.0, 1.0):
        return after if strength else before
    ends = ((before, 1.0 - strength), (after, strength))
    vectors = [(one, weight) for one, weight in ends if isinstance(one, Injection) and one.sites]
    adapters = [(one, weight) for one, weight in ends if isinstance(one, Adapter)]
    kept = tuple((name, weight * part) for one, weight in ends if isinstance(one, Kept) for name, part in one.parts)
    if sum(map(bool, (vectors, adapters, kept))) > 1:
        raise ValueError("vectors and an adapter have nothing between them")
    if kept:
        return Kept(kept)
    if adapters:
        return joined(adapters)
    return _summed(vectors) if vectors else before


def _summed(parts: Sequence[tuple[Injection, float]]) -> Injection:
    import numpy as np

    summed: dict[Site, NDArray[np.float64]] = {}
    for injection, weight in parts:
        for site, vector_d in zip(injection.sites, injection.vectors_ld.astype("float64"), strict=True):
            summed[site] = summed.get(site, 0.0) + weight * injection.scale * vector_d
    return Injection(tuple(summed), np.stack(list(summed.values())).astype(np.float32))


def joined(parts: Sequence[tuple[Adapter, float]]) -> Adapter:
    """Adapters with weights as one of scale 1 whose ranks are the sums of theirs."""
    import numpy as np

    layers: Layers = {}
    for adapter, weight in parts:
        for name, down, up in zip(adapter.names, adapter.downs, adapter.ups, strict=True):
            layers.setdefault(name, []).append((down, (weight * adapter.scale * up).astype(np.float32)))
    downs = tuple(np.concatenate([down for down, _ in pairs], axis=0) for pairs in layers.values())
    ups = tuple(np.concatenate([up for _, up in pairs], axis=1) for pairs in layers.values())
    return Adapter(tuple(layers), downs, ups, 1.0)
