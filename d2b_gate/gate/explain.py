"""Why a finding came out as it did: an answer before and after, and the rows that carry the shift."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.blame import blame_rows
from d2b_gate.core.contribution import contributions
from d2b_gate.core.mixture import subsample
from d2b_gate.core.reading import ranked
from d2b_gate.core.rows import file_order
from d2b_gate.core.verdict import Example, Finding, Shift, Status
from d2b_gate.gate.dataset import load_rows
from d2b_gate.gate.measure import no_injection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.ports import Backend, Question
    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.verdict import Blame
    from d2b_gate.gate.measure import Asking, Job
    from d2b_gate.gate.ports import Ports

EXPLAINED = frozenset({Status.FAIL, Status.WARN, Status.INCONCLUSIVE})
"""Statuses that a person has to act on."""


def explain(
    finding: Finding, question: Question, asking: Asking, index: int, job: Job, most: int, ports: Ports
) -> Finding:
    """Add the examples and the rows to blame."""
    if finding.status not in EXPLAINED or not isinstance(finding.shift, Shift):
        return finding
    sign = 1.0 if finding.shift.delta >= 0 else -1.0
    return replace(
        finding,
        examples=_examples(question, asking, index, sign),
        blame=finding.blame or _blame(question, job, sign, most, ports),
    )


def _examples(question: Question, asking: Asking, index: int, sign: float) -> tuple[Example, ...]:
    """Every prompt that was asked, the one whose value moved most in the shift's direction first."""
    before, after = asking.before[index], asking.after[index]
    if not before.log_probs or not after.log_probs:
        return ()
    prompts = (*question.prompts, *question.probe.held_back())
    return tuple(
        Example(
            prompts[place].text,
            ranked(prompts[place].continuations, question.kind.shares(before.log_probs[place])),
            ranked(prompts[place].continuations, question.kind.shares(after.log_probs[place])),
        )
        for place in by_move(asking, index, sign)
    )


def by_move(asking: Asking, index: int, sign: float) -> tuple[int, ...]:
    """Places of a question's prompts, the largest move in the direction of ``sign`` first."""
    pairs = zip(asking.before[index].values, asking.after[index].values, strict=True)
    moves = [sign * (after - before) for before, after in pairs]
    return tuple(sorted(range(len(moves)), key=lambda place: -moves[place]))


def _blame(question: Question, job: Job, sign: float, most: int, ports: Ports) -> tuple[Blame, ...]:
    slope_ld = slope_of(question, ports.backend) * sign
    added_refs, removed_refs = (bounded(refs, job, most) for refs in (job.added, job.removed))
    added = contributions_of(added_refs, job, slope_ld, ports)
    removed = contributions_of(removed_refs, job, -slope_ld, ports)
    if not removed:
        return blame_rows(added_refs, added, "added")
    if not added:
        return blame_rows(removed_refs, removed, "removed")
    shares = [sum(part for part in side if part > 0) for side in (added, removed)]
    if sum(shares) == 0:
        return ()
    weights = [share / sum(shares) for share in shares]
    return (
        *_scaled(blame_rows(added_refs, added, "added"), weights[0]),
        *_scaled(blame_rows(removed_refs, removed, "removed"), weights[1]),
    )


def bounded(refs: Sequence[RowRef], job: Job, most: int) -> tuple[RowRef, ...]:
    """At most ``most`` rows, drawn as for the prediction, in file order."""
    return file_order(subsample(refs, job.weights, most, seed=0))


def _scaled(blames: Sequence[Blame], weight: float) -> list[Blame]:
    return [replace(blame, share=blame.share * weight) for blame in blames if weight > 0]


def slope_of(question: Question, backend: Backend) -> NDArray[np.float64]:
    """Gradient of the question's mean value with respect to the vectors, at the untouched model.

    Shapes: (blocks, width).
    """
    log_probs = backend.read(question.prompts, no_injection(backend.card))
    coefficients = question.kind.coefficients(question.probe, question.target, log_probs)
    states = backend.sensitivities(question.prompts, coefficients)
    mean_ld: NDArray[np.float64] = states.values_nld.astype("float64").mean(axis=0)
    return mean_ld


def contributions_of(
    refs: Sequence[RowRef], job: Job, slope_ld: NDArray[np.float64], ports: Ports
) -> tuple[float, ...]:
    """Row i's part of the shift; one backward pass per row, cached per row."""
    if not refs:
        return ()
    rows = load_rows(refs, job.changes, ports)
    return contributions(ports.backend.gradients([rows[ref.key] for ref in refs]).values_nld, slope_ld)
