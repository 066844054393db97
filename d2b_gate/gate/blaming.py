"""Which changed rows carry a shift: rows are grouped by likeness, and suspect groups are tried alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.alone import Alone, parts_of, suspects, within
from d2b_gate.core.blame import blame_rows
from d2b_gate.core.clusters import clusters, features_of
from d2b_gate.core.contribution import contributions
from d2b_gate.core.mixture import Mixture
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.rules import MethodSpec
from d2b_gate.core.scale import point_of
from d2b_gate.core.verdict import Shift
from d2b_gate.gate.alike import compared_states
from d2b_gate.gate.dataset import load_rows
from d2b_gate.gate.explain import bounded, slope_of
from d2b_gate.gate.measure import no_injection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.features import Injected
    from d2b_gate.core.ports import Backend, Question
    from d2b_gate.core.rows import Row
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports

FEWEST_ROWS = 24
"""Fewer changed rows are not grouped: each can be looked at."""
ROWS_A_GROUP = 8
MOST_GROUPS = 16
"""How fine rows are grouped: fine enough that few planted rows make a group of their own, for the cost of one reading
of the probe a group. Chosen on the tuned-on side of `benchmarks.attribution`, as are the numbers below."""
TRIED = 4
"""Groups that are tuned alone."""
STEPS, BATCH, RATE = 8, 4, 0.02
"""A tuning of a group alone: as many row visits for every group, so that groups can be compared."""
SPLIT, INTO = 2, 3
"""How many of the tuned groups are looked into, and in how many parts: a group may hold innocent rows too."""


def blame_alone(finding: Finding, question: Question, job: Job, most: int, ports: Ports) -> Finding:
    """The finding with its added rows blamed by what groups of them do alone, where that tells them apart.

    Nothing changes for a change that removes rows, too: their return cannot be tried alone.
    """
    if not isinstance(finding.shift, Shift) or job.removed or len(job.added) < FEWEST_ROWS:
        return finding
    sign = 1.0 if finding.shift.delta >= 0 else -1.0
    refs = bounded(job.added, job, most)
    texts = load_rows(refs, job.changes, ports)
    rows = tuple(texts[ref.key] for ref in refs)
    own = contributions(ports.backend.gradients(rows).values_nld, sign * slope_of(question, ports.backend))
    parts = parts_alone(Suit(rows, question, sign, ports.backend), own)
    return replace(finding, blame=blame_rows(refs, parts, "added")) if parts else finding


@dataclass(frozen=True, slots=True)
class Suit:
    """Rows, the question that they are blamed for, and the sign of the shift: 1.0 up, -1.0 down."""

    rows: tuple[Row, ...]
    question: Question
    sign: float
    backend: Backend


def parts_alone(suit: Suit, own: Sequence[float]) -> tuple[float, ...]:
    """Each row's part of the shift from what groups of rows do alone; empty where that says nothing.

    ``own`` are the parts to first order (`core.contribution`). Costs a reading of the probe a group, `TRIED` short
    tunings and as many readings, and `SPLIT` times `INTO` further readings; states and gradients are cached per row.
    """
    if len(suit.rows) < FEWEST_ROWS:
        return ()
    features_nd = features_of(compared_states(suit.rows, suit.backend))
    groups = clusters(features_nd, min(MOST_GROUPS, len(suit.rows) // ROWS_A_GROUP))
    start = _level(suit, no_injection(suit.backend.card))
    pushed = [Alone(rows, _pushed(suit, rows) - start) for rows in groups]
    found = {i: Alone(groups[i], _tuned(suit, groups[i]) - start) for i in suspects(pushed, own, TRIED)}
    rest = [group for i, group in enumerate(pushed) if i not in found]
    farthest = sorted(found, key=lambda i: -found[i].shift)
    for i in farthest[:SPLIT]:
        rest += within(found[i], pushed[i].shift, _finer(suit, groups[i], features_nd, start))
    return parts_of([*rest, *(found[i] for i in farthest[SPLIT:])], own)


def _finer(suit: Suit, rows: Sequence[int], features_nd: NDArray[np.float64], start: float) -> list[Alone]:
    split = [tuple(rows[i] for i in part) for part in clusters(features_nd[list(rows)], INTO)]
    return [Alone(part, _pushed(suit, part) - start) for part in split]


def _pushed(suit: Suit, rows: Sequence[int]) -> float:
    """Level under the rows' mean gradient, the same feature as `mdf-gradient` injects."""
    from d2b_gate.predictors.gradient import inject

    chosen = tuple(suit.rows[i] for i in rows)
    return _level(suit, inject(Mixture((), chosen, 1.0, len(chosen)), MethodSpec(), suit.backend))


def _tuned(suit: Suit, rows: Sequence[int]) -> float:
    """Level under vectors tuned on the rows alone, in the order in which they stand."""
    visits = [i % len(rows) for i in range(STEPS * BATCH)]
    steps = tuple(TuneStep(tuple(visits[at : at + BATCH]), (1 / BATCH,) * BATCH) for at in range(0, len(visits), BATCH))
    return _level(suit, suit.backend.tune(TunePlan(tuple(suit.rows[i] for i in rows), steps, RATE)))


def _level(suit: Suit, injected: Injected) -> float:
    """Mean value of the question's prompts on the scale, towards the shift."""
    question = suit.question
    values = question.kind.values(question.probe, question.target, suit.backend.read(question.prompts, injected))
    points = [point_of(value, question.probe.unit) for value in values]
    return suit.sign * math.fsum(points) / len(points)
