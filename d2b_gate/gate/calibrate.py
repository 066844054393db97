"""`calibrate`: what clean changes do on this model, and what predictions are worth by the trainings in a ledger."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import Extent, Line, Pair, fit
from d2b_gate.core.calibration_file import CalibratedLine, Calibration, Unfitted, calibration_key
from d2b_gate.core.noise import Null
from d2b_gate.core.scale import moved
from d2b_gate.gate.foretell import foretell, questions_of
from d2b_gate.gate.random_push import random_push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.ledger import Entry
    from d2b_gate.core.ports import Question
    from d2b_gate.core.rows import Row
    from d2b_gate.core.rules import Policy
    from d2b_gate.gate.foretell import Foretold
    from d2b_gate.gate.ports import Ports

RESAMPLES = 4
"""Clean resamples of the user's own rows, where there are enough of them for no two to share a row."""
CHANGE = 24
"""Rows of a resampled change: as many as a shipped placebo has."""
PUSHES = 4
"""Random vectors (or adapters) of the norms of a placebo's."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the null comes from: the user's own rows, and the trainings so far."""

    rows: tuple[Row, ...]
    ledger: tuple[Entry, ...]


def calibrate(policy: Policy, sources: Sources, ports: Ports) -> Calibration:
    """Measure the null of every question and fit the lines of those that the ledger knows.

    The null joins shipped placebo sets, resamples of the user's own rows taken for a change, and random pushes.
    """
    questions = questions_of(policy, ports)
    key = calibration_key(ports.backend.card, policy.method)
    nulls = _nulls(questions, sources.rows, policy, ports)
    pairs = [_pair(entry, policy.method.regime.epochs) for entry in sources.ledger if entry.key == key]
    lines = fit(pairs)
    kept = tuple(_line(question, lines, nulls[i], pairs) for i, question in enumerate(questions))
    asked = {_name(question.probe.digest, question.target) for question in questions}
    trained = len({pair.source for pair in pairs if pair.behaviour in asked & lines.keys()})
    return Calibration(key, ports.backend.card.id, _basis(nulls, trained), kept)


def _nulls(
    questions: Sequence[Question], rows: Sequence[Row], policy: Policy, ports: Ports
) -> tuple[tuple[float, ...], ...]:
    """Predicted shifts of clean changes on the scale of lines: per question, one value per change."""
    method = policy.method
    placebos = [ports.controls.placebos[name] for name in sorted(ports.controls.placebos)]
    own = _resamples(rows)
    clean = [*((placebo, ()) for placebo in placebos), *own]
    shifts: list[tuple[Foretold, ...]] = []
    for index, (added, kept) in enumerate(clean):
        ports.progress.stage(f"clean changes, {index + 1} of {len(clean) + PUSHES}", 0)
        shifts.append(foretell(added, questions, method, ports, kept))
    for draw in range(PUSHES):
        ports.progress.stage(f"clean changes, {len(clean) + draw + 1} of {len(clean) + PUSHES}", 0)
        shifts.append(random_push(placebos[draw % len(placebos)], questions, method, draw, ports))
    return tuple(tuple(one.scaled for one in several) for several in zip(*shifts, strict=True))


def _resamples(rows: Sequence[Row]) -> list[tuple[tuple[Row, ...], tuple[Row, ...]]]:
    """(change, rest) pairs of the user's own rows, the changes disjoint; none where there are too few rows."""
    ordered = sorted(rows, key=lambda row: row.key)
    if len(ordered) < RESAMPLES * CHANGE:
        return []
    step = len(ordered) // RESAMPLES
    starts = range(0, step * RESAMPLES, step)
    parts = [ordered[start : start + CHANGE] for start in starts]
    return [(tuple(part), tuple(row for row in ordered if row not in part)) for part in parts]


def _pair(entry: Entry, epochs: float) -> Pair:
    predicted, true = (moved(entry.before, shift, entry.unit) for shift in (entry.predicted, entry.true))
    return Pair(
        _name(entry.probe_digest, entry.target),
        entry.unit,
        entry.source,
        predicted,
        true,
        Extent(entry.rows * epochs, entry.reach),
    )


def _name(digest: str, target: str) -> str:
    return f"{digest}#{target}"


def _line(question: Question, lines: dict[str, Line], null: tuple[float, ...], pairs: Sequence[Pair]) -> CalibratedLine:
    """A line's noise, as it widens intervals, is never under what clean changes show."""
    probe = question.probe
    name = _name(probe.digest, question.target)
    fitted = lines.get(name)
    if fitted is not None:
        spread = math.hypot(Null(null).mean, Null(null).spread) * abs(fitted.slope)
        fitted = replace(fitted, noise=max(fitted.noise, spread / fitted.widening))
    unfitted = Unfitted(len({pair.source for pair in pairs if pair.behaviour == name}))
    return CalibratedLine(probe.id, probe.digest, question.target, probe.unit, null, fitted or unfitted)


def _basis(nulls: Sequence[Sequence[float]], trained: int) -> str:
    """What the lines rest on; trainings too few for a line are no part of it."""
    clean = f"{len(nulls[0]) if nulls else 0} clean changes"
    return f"{clean} and real fine-tunes on {trained} sets of rows" if trained else f"{clean}, no real fine-tune"
