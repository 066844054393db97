"""Rows that are unlike those of a sample: what a sample of many rows cannot show, found without keeping them all."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from d2b_gate.core.clusters import TINY, clusters, features_of
from d2b_gate.core.rows import RowRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

ROWS_A_GROUP = 8
"""Rows for each group that the sample, and what is unlike it, is parted into."""
FEWEST_ALIKE = 3
"""Rows that make a group: one odd row is no pattern, and trained on alone it would only be learnt by heart."""
MOST_OF_A_GROUP = 32
"""Rows of one group that are looked at closely: a tight group of any size leaves room for others. Our choice, as large
as the largest groups that the guard makes (`gate.parts`)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the rows of a sample are like. Shapes: ``mean_d``, ``scale_d`` (width), ``centres_kd`` (groups, width)."""

    mean_d: NDArray[np.float64]
    scale_d: NDArray[np.float64]
    centres_kd: NDArray[np.float64]

    def apart(self, states_nd: NDArray[np.float32]) -> NDArray[np.float64]:
        """How far rows lie from the nearest group of the sample: squared distance of unit vectors. Shapes: (rows)."""
        points_nd = (states_nd.astype("float64") - self.mean_d) / (self.scale_d + TINY)
        points_nd /= ((points_nd**2).sum(axis=1) ** 0.5 + TINY)[:, None]
        square_nk = (points_nd**2).sum(axis=1)[:, None] + (self.centres_kd**2).sum(axis=1)
        nearest_n: NDArray[np.float64] = (square_nk - 2 * points_nd @ self.centres_kd.T).min(axis=1)
        return nearest_n


def frame_of(states_nd: NDArray[np.float32]) -> Frame:
    """The frame of a sample; groups as the guard makes them (`core.clusters`).

    Shapes: (rows, width). Raises ValueError for an empty sample.
    """
    import numpy as np

    if not len(states_nd):
        raise ValueError("an empty sample is like nothing")
    features_nd = features_of(states_nd)
    groups = clusters(features_nd, max(1, len(features_nd) // ROWS_A_GROUP))
    values_nd = states_nd.astype("float64")
    centres_kd = np.stack([features_nd[list(group)].mean(axis=0) for group in groups])
    return Frame(values_nd.mean(axis=0), values_nd.std(axis=0), centres_kd)


class Farthest:
    """The rows that lie farthest from a frame, of any number that is shown; keeps ``most``."""

    def __init__(self, frame: Frame, most: int) -> None:
        self._frame = frame
        self._most = most
        self._kept: list[tuple[float, str, str, int, int, NDArray[np.float32]]] = []
        self._of_key: Counter[str] = Counter()
        self.seen = 0

    def show(self, refs: Sequence[RowRef], states_nd: NDArray[np.float32]) -> None:
        """Look at some rows. Shapes: (rows, width).

        Of a row that is repeated no more places are kept than make a group, so that copies crowd nobody out.
        """
        for ref, apart, state_d in zip(refs, self._frame.apart(states_nd).tolist(), states_nd, strict=True):
            self.seen += 1
            # a state that is no number is comparable with none, and would keep its place for ever
            if not math.isfinite(apart) or self._of_key[ref.key] >= FEWEST_ALIKE:
                continue
            # the number of the row settles ties: equal rows may stand in one line, and arrays have no order
            entry = (apart, ref.key, ref.path, ref.line, self.seen, state_d)
            if len(self._kept) < self._most:
                heapq.heappush(self._kept, entry)
            elif entry[:4] > self._kept[0][:4]:
                gone = heapq.heapreplace(self._kept, entry)
                self._of_key[gone[1]] -= 1
            else:
                continue
            self._of_key[ref.key] += 1

    def alike(self, most: int) -> tuple[RowRef, ...]:
        """At most ``most`` of the kept rows: those that resemble each other, the tightest groups first.

        Rows made by one hand or one template lie closer together than odd rows do. Source: our choice.
        """
        import numpy as np

        rows = sorted(self._kept, key=lambda entry: entry[1:5])
        if len(rows) < FEWEST_ALIKE:
            return ()
        features_nd = features_of(np.stack([entry[5] for entry in rows]))
        groups = [
            (_looseness(features_nd[list(group)]), group)
            for group in clusters(features_nd, max(1, len(rows) // ROWS_A_GROUP))
            if len(group) >= FEWEST_ALIKE
        ]
        chosen: list[int] = []
        for _, group in sorted(groups):
            chosen += group[: min(MOST_OF_A_GROUP, most - len(chosen))]
        return tuple(RowRef(*rows[index][1:4]) for index in sorted(chosen))


def _looseness(features_nd: NDArray[np.float64]) -> float:
    """Mean squared distance from the group's middle, one degree of freedom taken off, so that sizes compare."""
    apart_nd = features_nd - features_nd.mean(axis=0)
    return float((apart_nd**2).sum() / (len(features_nd) - 1))
