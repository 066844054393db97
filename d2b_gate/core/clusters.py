"""Rows that resemble each other: groups in feature space, so that few alike rows are not lost among many others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.core.features import Site

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


DEPTH = 2 / 3
"""How far up the block stands whose states are compared. Chosen on the tuned-on side of `benchmarks.attribution`, where
blocks from the middle to the last but few part planted rows from others about equally well."""
TINY = 1e-12
"""Keeps a coordinate in which rows do not differ at zero instead of 0 / 0."""


def compared(blocks: int) -> Site:
    """The site whose states tell which rows are alike."""
    return Site(int(DEPTH * blocks))


def features_of(states_nd: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows as points to be grouped: states of one late block, coordinates standardised over the rows, length one.

    Shapes: (rows, width) to (rows, width). Units: none. Means accumulate in float64. Source: our choice.
    """
    values_nd = states_nd.astype("float64")
    if not len(values_nd):
        return values_nd
    apart_nd = values_nd - values_nd.mean(axis=0)
    apart_nd /= (apart_nd**2).mean(axis=0) ** 0.5 + TINY
    length_n = (apart_nd**2).sum(axis=1) ** 0.5
    features_nd: NDArray[np.float64] = apart_nd / (length_n[:, None] + TINY)
    return features_nd


def clusters(features_nd: NDArray[np.floating], most: int) -> tuple[tuple[int, ...], ...]:
    """Indices of the rows in at most ``most`` groups, largest first (then by first row), rows ascending in each.

    Ward's clustering: every distinct row starts alone, and the two groups whose union adds least to the sum of squared
    distances from the groups' means are joined until ``most`` are left. Equal rows are never parted, and nothing
    depends on the order of the rows. A small group that stands apart stays whole, which random starts do not promise.
    Shapes: (rows, width). Units: those of the features; only ratios of distances mean anything. float64.
    Raises ValueError where no group is allowed.
    Source: Ward, J. Am. Stat. Assoc. 58 (1963); updates by Lance and Williams, Comput. J. 9 (1967).
    """
    if most < 1:
        raise ValueError(f"at least one group is needed, not {most}")
    if not len(features_nd):
        return ()
    import numpy as np

    distinct_kd, which_n, count_k = np.unique(
        features_nd.astype("float64"), axis=0, return_inverse=True, return_counts=True
    )
    group_k = _joined(distinct_kd, count_k.astype("float64"), most)
    members: dict[int, list[int]] = {}
    for row, one in enumerate(which_n.reshape(-1).tolist()):
        members.setdefault(group_k[one], []).append(row)
    return tuple(tuple(rows) for rows in sorted(members.values(), key=lambda rows: (-len(rows), rows[0])))


def _joined(points_kd: NDArray[np.float64], size_k: NDArray[np.float64], most: int) -> list[int]:
    """Per point, the group that it ends in, when the cheapest unions are made until ``most`` groups are left."""
    import numpy as np

    group_k = list(range(len(points_kd)))
    cost_kk = _costs(points_kd, size_k)
    for _ in range(len(points_kd) - most):
        stays, goes = sorted(int(one) for one in np.unravel_index(cost_kk.argmin(), cost_kk.shape))
        union_k = (size_k + size_k[stays]) * cost_kk[stays] + (size_k + size_k[goes]) * cost_kk[goes]
        union_k = (union_k - size_k * cost_kk[stays, goes]) / (size_k + size_k[stays] + size_k[goes])
        union_k[stays] = np.inf
        cost_kk[stays] = cost_kk[:, stays] = union_k
        cost_kk[goes] = cost_kk[:, goes] = np.inf
        size_k[stays] += size_k[goes]
        group_k = [stays if one == goes else one for one in group_k]
    return group_k


def _costs(points_kd: NDArray[np.float64], size_k: NDArray[np.float64]) -> NDArray[np.float64]:
    """What joining two points adds to the sum of squared distances; infinite for a point with itself."""
    import numpy as np

    centred_kd = points_kd - points_kd.mean(axis=0)
    square_k = (centred_kd**2).sum(axis=1)
    apart_kk = (square_k[:, None] + square_k - 2 * centred_kd @ centred_kd.T).clip(min=0.0)
    weight_kk = size_k[:, None] * size_k / (size_k[:, None] + size_k)
    cost_kk: NDArray[np.float64] = apart_kk * weight_kk
    np.fill_diagonal(cost_kk, np.inf)
    return cost_kk
