"""Before and after, predicted with common random numbers: same kept rows, same order, same prompts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from d2b_gate.core.calibration import Extent
from d2b_gate.core.features import Injection
from d2b_gate.core.mixture import Mixture, growth_of, length_of, subsample
from d2b_gate.core.ports import Question, Replies
from d2b_gate.core.row_lists import concatenated, counts_of
from d2b_gate.core.scale import stretched
from d2b_gate.gate.dataset import load_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.features import Injected
    from d2b_gate.core.interval import Table
    from d2b_gate.core.ports import ModelCard
    from d2b_gate.core.rows import Row, RowRef
    from d2b_gate.core.rules import MethodSpec, Rule
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.ports import Ports


@dataclass(frozen=True, slots=True)
class Mass:
    """Training weight of the three parts of a change."""

    kept: float
    added: float
    removed: float

    def share(self, part: float) -> float:
        """The part's share of a state made of the kept rows and itself."""
        return part / (self.kept + part) if part > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """The rows that a group of rules judges, as one change over its datasets."""

    changes: tuple[DatasetChange, ...]
    kept: Sequence[RowRef]
    added: Sequence[RowRef]
    removed: Sequence[RowRef]
    weights: Mapping[str, float]
    mass: Mass


@dataclass(frozen=True, slots=True)
class Replicate:
    """One draw of the subsample: the two states as mixtures."""

    seed: int
    before: Mixture
    after: Mixture


@dataclass(frozen=True, slots=True)
class Asking:
    """One replicate's replies to all questions, before and after."""

    before: tuple[Replies, ...]
    after: tuple[Replies, ...]
    extent: Extent


def question_of(rule: Rule, ports: Ports) -> Question:
    """What a rule asks; whether this model can answer is not known yet."""
    probe = ports.probes(rule.probe)
    return Question(probe, rule.target, ports.kinds[probe.kind], probe.asked())


def make_job(changes: Sequence[DatasetChange]) -> Job:
    """Join datasets into one candidate training set."""
    weights = {file.path: change.spec.weight for change in changes for file in change.files}
    parts = [(change.diff.kept, change.diff.added, change.diff.removed) for change in changes]
    weights |= {
        path: change.spec.weight
        for change, sides in zip(changes, parts, strict=True)
        for side in sides
        for path in counts_of(side)
    }
    kept, added, removed = (concatenated([sides[side] for sides in parts]) for side in range(3))
    masses = [_mass(part, weights) for part in (kept, added, removed)]
    return Job(tuple(changes), kept, added, removed, weights, Mass(*masses))


def _mass(refs: Sequence[RowRef], weights: Mapping[str, float]) -> float:
    """The sum of the rows' weights, rounded once."""
    return float(sum(count * Fraction(weights.get(path, 1.0)) for path, count in counts_of(refs).items()))


def replicate(job: Job, method: MethodSpec, index: int, ports: Ports) -> Replicate:
    """Draw the subsamples of one replicate and load their texts."""
    seed = method.seed + index
    kept = subsample(job.kept, job.weights, method.sample, seed)
    added = subsample(job.added, job.weights, method.max_changed, seed)
    removed = subsample(job.removed, job.weights, method.max_changed, seed)
    rows = load_rows((*kept, *added, *removed), job.changes, ports)
    common = _rows(kept, rows)
    return Replicate(
        seed,
        before=Mixture(common, _rows(removed, rows), job.mass.share(job.mass.removed), job.mass.removed),
        after=Mixture(common, _rows(added, rows), job.mass.share(job.mass.added), job.mass.added),
    )


def ask_both(drawn: Replicate, questions: Sequence[Question], method: MethodSpec, ports: Ports) -> Asking:
    """Predict both states of a replicate and read all questions in each.

    Where the declared training visits the changed rows more often, the shift of every prompt is stretched.
    """
    before = ask_state(drawn.before, questions, method, ports)
    after = ask_state(drawn.after, questions, method, ports)
    extent = extent_of(drawn, method, ports)
    growth = growth_of(extent.reach, method)
    grown = (_grown(*each, growth) for each in zip(questions, before, after, strict=True))
    return Asking(before, tuple(grown), extent)


def extent_of(drawn: Replicate, method: MethodSpec, ports: Ports) -> Extent:
    """That of the longer state."""
    states = (drawn.before, drawn.after)
    return Extent(
        length=max(length_of(state, method) for state in states),
        reach=max(ports.predictor.reach(state, method) for state in states),
    )


def _grown(question: Question, before: Replies, after: Replies, growth: float) -> Replies:
    unit = question.probe.unit
    pairs = zip(before.values, after.values, strict=True)
    return replace(after, values=tuple(stretched(was, now, unit, growth) for was, now in pairs))


def ask_state(mixture: Mixture, questions: Sequence[Question], method: MethodSpec, ports: Ports) -> tuple[Replies, ...]:
    """Read all questions of one state."""
    return ports.predictor.read(questions, injection_of(mixture, method, ports), method, ports.backend)


def injection_of(mixture: Mixture, method: MethodSpec, ports: Ports) -> Injected:
    """What a state does to the model; a state without rows is the untouched model."""
    return untouched(ports) if mixture.empty else ports.predictor.inject(mixture, method, ports.backend)


def joined(first: Asking, more: Asking) -> Asking:
    """The same states asked further prompts."""
    return Asking(
        before=tuple(_longer(one, other) for one, other in zip(first.before, more.before, strict=True)),
        after=tuple(_longer(one, other) for one, other in zip(first.after, more.after, strict=True)),
        extent=first.extent,
    )


def _longer(one: Replies, other: Replies) -> Replies:
    return Replies((*one.values, *other.values), (*one.log_probs, *other.log_probs))


def untouched(ports: Ports) -> Injection:
    """No injection at all."""
    return no_injection(ports.backend.card)


def no_injection(card: ModelCard) -> Injection:
    """What leaves a model as it is."""
    import numpy as np

    return Injection((), np.zeros((0, card.width), dtype=np.float32))


def tables(askings: Sequence[Asking], question: int) -> tuple[Table, Table]:
    """values[replicate][prompt] of one question, before and after."""
    return (
        tuple(asking.before[question].values for asking in askings),
        tuple(asking.after[question].values for asking in askings),
    )


def _rows(refs: Sequence[RowRef], rows: Mapping[str, Row]) -> tuple[Row, ...]:
    return tuple(rows[ref.key] for ref in refs)
