"""Which rows stand for a training set: seeded subsamples, their weights, and the order in which steps meet them."""

from __future__ import annotations

import hashlib
import heapq
import math
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import FURTHEST
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.row_lists import in_key_order
from d2b_gate.core.rows import RowRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from d2b_gate.core.row_lists import Placed
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import MethodSpec


@dataclass(frozen=True, slots=True)
class Mixture:
    """One state of the training set as the method sees it.

    ``kept`` rows are common to both states, ``changed`` rows belong to this state alone; both may be subsamples.
    ``share`` is the changed rows' share of the training weight (0 to 1), ``changed_count`` how many there really are
    (times the weight of their dataset).
    No rows at all: the untouched model.
    """

    kept: tuple[Row, ...]
    changed: tuple[Row, ...]
    share: float
    changed_count: float

    @property
    def empty(self) -> bool:
        """Whether nothing is trained on."""
        return not self.kept and not self.changed

    def weighted(self) -> tuple[tuple[Row, float], ...]:
        """Every row with its weight; the weights sum to 1."""
        return tuple(
            (row, weight / len(rows))
            for rows, weight in ((self.kept, 1 - self.share), (self.changed, self.share))
            for row in rows
        )


def subsample(refs: Sequence[RowRef], weights: Mapping[str, float], count: int, seed: int) -> tuple[RowRef, ...]:
    """Draw at most ``count`` refs without replacement, in a seeded order that does not depend on the input's order.

    The draw is an exponential race on sha256(seed, key, occurrence): a row's place does not change when others come
    or go, so subsamples of two states share all the rows that the states share. ``weights`` gives the weight of a
    path's dataset; absent means 1. Only the rows that are drawn are held.
    """
    first = heapq.nsmallest(count, _raced(in_key_order(refs), weights, seed))
    return tuple(RowRef(key, path, line) for _, key, _, path, line in first)


def _raced(
    rows: Iterable[Placed], weights: Mapping[str, float], seed: int
) -> Iterator[tuple[float, str, int, str, int]]:
    """Every row with its time in the race, its key, how many rows of that key came before, and its place."""
    last, occurrence = "", 0
    for key, path, line in rows:
        occurrence = occurrence + 1 if key == last else 0
        last = key
        weight = weights.get(path, 1.0)
        if weight > 0:
            yield -math.log(_uniform(seed, key, occurrence)) / weight, key, occurrence, path, line


def _uniform(seed: int, key: str, occurrence: int) -> float:
    """A number in (0, 1] that any machine computes alike."""
    digest = hashlib.sha256(f"{seed}:{key}:{occurrence}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 1) / 2**64


@dataclass(frozen=True, slots=True)
class Visits:
    """How many row visits a tuning spends on each part of a mixture."""

    kept: int
    changed: int

    @property
    def total(self) -> int:
        """All visits."""
        return self.kept + self.changed


def visits_of(mixture: Mixture, method: MethodSpec) -> Visits:
    """Share out the row visits of a tuning.

    Kept rows get ``steps * batch`` visits in every state, so that what they do cancels between before and after.
    Changed rows get the visits that the declared training would give them, ``epochs`` each: the real training meets
    them that often however large the set around them is, and a short tuning at their true share would hardly meet them
    and predict too little. They get at most as many visits as the kept rows, and a tuning with changed rows is longer
    by their visits, as the real training is. Where changed rows are most of the set, visits follow the true shares.
    Without kept rows the state before needs no tuning, and its visits go to the one after.
    Source: our choice.
    """
    full = method.steps * method.batch
    epochs = method.regime.epochs
    if not mixture.kept:
        return Visits(0, round(min(3 * full, max(method.batch, epochs * mixture.changed_count))))
    kept = round(min(full, max(method.batch, epochs * len(mixture.kept))))
    if not mixture.changed:
        return Visits(kept, 0)
    if mixture.share > 0.5:
        return Visits(max(1, round(full * (1 - mixture.share) / mixture.share)), full)
    return Visits(kept, max(1, round(min(kept, epochs * mixture.changed_count))))


def length_of(mixture: Mixture, method: MethodSpec) -> float:
    """Row visits of the declared training; 0 without changed rows, where no shift is predicted."""
    return method.regime.epochs * mixture.changed_count / mixture.share if mixture.changed else 0.0


def reach_of(mixture: Mixture, method: MethodSpec) -> float:
    """How often the declared training visits a changed row, per visit in the tuning; at least 1."""
    if not mixture.changed:
        return 1.0
    return max(1.0, round(method.regime.epochs * mixture.changed_count) / visits_of(mixture, method).changed)


def growth_of(reach: float, method: MethodSpec) -> float:
    """By what a tuning's shift is stretched, on the scale of `core.scale`, to that of the declared training.

    Rows that the training visits more often than the tuning does shift the model further. How much further is only
    known up to `FURTHEST`.
    """
    return math.pow(min(reach, FURTHEST), method.growth)


def tune_plan(mixture: Mixture, method: MethodSpec) -> TunePlan:
    """Lay out the steps that tune vectors on a mixture.

    Kept and changed rows each come in their own seeded order, spread evenly over the steps. Every state meets the
    same kept rows in the same order (common random numbers), whatever its changed rows are.
    """
    rows = (*mixture.kept, *mixture.changed)
    visits = visits_of(mixture, method)
    steps = max(1, round(visits.total / method.batch))
    kept = cycle(range(len(mixture.kept)))
    changed = cycle(range(len(mixture.kept), len(rows)))
    batches = [
        [*islice(kept, _slots(visits.kept, steps, i)), *islice(changed, _slots(visits.changed, steps, i))]
        for i in range(steps)
    ]
    # with one row a step, spreading both parts evenly can leave a step without any
    return TunePlan(rows, tuple(_step(batch) for batch in batches if batch), learning_rate=method.step_size)


def _slots(visits: int, steps: int, step: int) -> int:
    """How many of ``visits`` fall into one step when they are spread evenly."""
    return (step + 1) * visits // steps - step * visits // steps


def _step(rows: Sequence[int]) -> TuneStep:
    return TuneStep(tuple(rows), (1 / len(rows),) * len(rows))
