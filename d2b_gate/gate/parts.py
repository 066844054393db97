"""Parts of a change judged as though they were all of it: the added rows alone, and groups of rows that are alike.

Each part stands for `NOMINAL` rows and trains the untouched model. Training on every part would cost more than the
verdict, so parts are screened first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from d2b_gate.core.blame import places
from d2b_gate.core.calibration import MAD
from d2b_gate.core.clusters import clusters, features_of
from d2b_gate.core.contribution import contributions
from d2b_gate.core.judge import Evidence, direction_of, judge_each
from d2b_gate.core.mixture import Mixture, subsample
from d2b_gate.core.rows import file_order
from d2b_gate.core.unlike import FEWEST_ALIKE
from d2b_gate.core.verdict import Shift, Status, View
from d2b_gate.gate.alike import MORE, compared_states, unlike_drawn
from d2b_gate.gate.dataset import load_rows
from d2b_gate.gate.explain import slope_of
from d2b_gate.gate.measure import Replicate, ask_both, tables
from d2b_gate.gate.null import noise_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from d2b_gate.core.ports import Question
    from d2b_gate.core.rows import Row, RowRef
    from d2b_gate.core.rules import MethodSpec, Rule
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports

NOMINAL = 64
"""Rows that a part stands for: the size of the sets that the default limits were set on."""
FEWEST = 12
"""Added rows from which they are parted: fewer are looked at as a whole by the other view."""
ROWS_A_GROUP = (4, 8, 16, 32)
"""Added rows for each group that they are parted into, from fine to coarse: in too few groups a large one swallows the
bad rows, in too many they are torn apart."""
AROUND = 32
"""Unchanged rows, at most, that parts are compared with besides the other added rows."""
SUSPECT = 3.0
"""Standard deviations by which a part must stand out to be trained on. Chosen on the tuned-on side of the truth bench,
where rows with a named preference stand out by 4 to 8, refusals by 2 to 3, and at most one part of a clean set by 3."""
TRIED = 2
"""Parts that are trained on, the most suspect first: each costs about a fourth of a verdict."""
NOMINAL_STEPS = 24
"""Steps that training on `NOMINAL` rows takes under the default regime, for the progress bar."""
MOST_PLACES = 20
"""Runs of rows that a view names."""
ALONE = "changed rows alone"
CLUSTER = "worst cluster"


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule and what it asks."""

    rule: Rule
    question: Question


@dataclass(frozen=True, slots=True)
class _Part:
    """Added rows that are judged alone; ``members`` are their indices among those drawn."""

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """Views with the ids of their rules, and what is to be said of the look; empty where nothing is.

    ``whole`` says whether every added row was looked at before the time was spent.
    """

    views: tuple[tuple[str, View], ...] = ()
    note: str = ""
    whole: bool = True


def look(job: Job, asked: Sequence[Judged], method: MethodSpec, ports: Ports, spent: Callable[[], bool]) -> Looked:
    """Every rule's worst view of each kind; none where no part is suspect."""
    refs = file_order(subsample(job.added, job.weights, method.max_changed, method.seed))
    if not refs or not asked:
        return Looked()
    more, note, whole = _beyond_drawn(job, refs, ports, spent)
    refs = file_order({*refs, *more})
    kept = subsample(job.kept, job.weights, AROUND, method.seed)
    rows = load_rows((*refs, *kept), job.changes, ports)
    drawn, around = (tuple(rows[ref.key] for ref in part) for part in (refs, kept))
    return Looked(tuple(_views(job, refs, (drawn, around), asked, method, ports)), note, whole)


def _beyond_drawn(
    job: Job, refs: Sequence[RowRef], ports: Ports, spent: Callable[[], bool]
) -> tuple[tuple[RowRef, ...], str, bool]:
    """Rows unlike those drawn but like each other, where there are more than were drawn, and how many were compared."""
    if len(refs) == len(job.added):
        return (), "", True
    rows = load_rows(refs, job.changes, ports)
    found = unlike_drawn(job, [rows[ref.key] for ref in refs], spent, ports)
    whole = found.seen == len(job.added)
    note = f"the dilution guard compared all {found.seen} added rows"
    if not whole:
        note = (
            f"the dilution guard compared {found.seen} of {len(job.added)} added rows before the time budget was "
            "spent (budget.seconds); it goes on where it stopped when the check runs again"
        )
    return found.alike(MORE), note, whole


def _views(
    job: Job,
    refs: Sequence[RowRef],
    rows: tuple[tuple[Row, ...], tuple[Row, ...]],
    asked: Sequence[Judged],
    method: MethodSpec,
    ports: Ports,
) -> list[tuple[str, View]]:
    drawn, around = rows
    parts = _suspects(tuple(_parts(job, drawn, ports)), drawn, around, asked, ports)
    ports.progress.stage("parts of the change", len(parts) * NOMINAL_STEPS)
    seen: list[tuple[Finding, View]] = []
    for part, found in zip(parts, _judged(parts, drawn, asked, method, ports), strict=True):
        seen += [(one, _view(part, refs, one, one.shift)) for one in found if isinstance(one.shift, Shift)]
    return _worst(seen)


def _parts(job: Job, drawn: Sequence[Row], ports: Ports) -> Iterator[_Part]:
    """What is worth a look: a part that weighs as much in the whole change as it does alone is none."""
    if job.mass.added < NOMINAL and job.mass.kept > 0:
        yield _Part(ALONE, tuple(range(len(drawn))))
    if len(drawn) >= FEWEST:
        features_nd = features_of(compared_states(drawn, ports.backend))
        scales = [clusters(features_nd, max(1, len(drawn) // each)) for each in ROWS_A_GROUP]
        groups = dict.fromkeys(group for scale in scales for group in scale)
        yield from (_Part(CLUSTER, one) for one in groups if FEWEST_ALIKE <= len(one) <= len(drawn) / 2)


def _suspects(
    parts: Sequence[_Part], drawn: Sequence[Row], around: Sequence[Row], asked: Sequence[Judged], ports: Ports
) -> list[_Part]:
    """The parts whose rows stand out from the others in what they do to some rule, to first order, worst first.

    It takes a gradient a row, which is remembered, and no tuning.
    """
    if not parts:
        return []
    gradients_nld = ports.backend.gradients([*drawn, *around]).values_nld
    stand_out = [-math.inf for _ in parts]
    for one in asked:
        shares = _towards(one, gradients_nld, ports)
        for index, part in enumerate(parts):
            stand_out[index] = max(stand_out[index], _apart(shares, part.members))
    order = sorted((-z, part.members, part) for z, part in zip(stand_out, parts, strict=True) if z >= SUSPECT)
    chosen: list[_Part] = []
    for _, members, part in order:
        if all(set(members).isdisjoint(one.members) for one in chosen if one.name == part.name):
            chosen.append(part)
    return chosen[:TRIED]


def _towards(judged: Judged, gradients_nld: NDArray[np.float32], ports: Ports) -> tuple[float, ...]:
    """What each row does to a rule, in the direction that it limits."""
    slope_ld = slope_of(judged.question, ports.backend)
    shares = contributions(gradients_nld, slope_ld)
    if judged.rule.direction == "either":
        return tuple(abs(share) for share in shares)
    return tuple(direction_of(judged.rule, 0.0) * share for share in shares)


def _apart(shares: Sequence[float], members: Sequence[int]) -> float:
    """How far the mean of a part lies above what the other rows do, in standard deviations of theirs."""
    inside = set(members)
    others = [share for index, share in enumerate(shares) if index not in inside]
    if len(others) < 2:
        return math.inf
    middle = median(others)
    spread = MAD * median(abs(share - middle) for share in others)
    above = math.fsum(shares[index] for index in members) / len(members) - middle
    return above / spread if spread > 0 else math.copysign(math.inf, above) if above else 0.0


def _judged(
    parts: Sequence[_Part], drawn: Sequence[Row], asked: Sequence[Judged], method: MethodSpec, ports: Ports
) -> list[tuple[Finding, ...]]:
    """Per part one finding a rule, by the rules' limits on a shift; the adjustment of p runs over all of them."""
    questions = [one.question for one in asked]
    evidence: list[Evidence] = []
    for part in parts:
        rows = tuple(drawn[i] for i in part.members)
        alone = Replicate(method.seed, Mixture((), (), 0.0, 0.0), Mixture((), rows, 1.0, float(NOMINAL)))
        asking = ask_both(alone, questions, method, ports)
        noises = noise_of([alone], questions, method, ports).noises
        for index, one in enumerate(asked):
            # a ceiling is about the state that is trained, and no such state is looked at here
            limited, (before, after) = replace(one.rule, max_level=math.inf), tables([asking], index)
            title, unit = one.question.probe.title, one.question.probe.unit
            evidence.append(Evidence(limited, title, unit, before, after, noises[index], asking.extent))
    found = judge_each(evidence, confidence=method.confidence, seed=method.seed, on_inconclusive="warn")
    return [found[start : start + len(asked)] for start in range(0, len(found), max(1, len(asked)))]


def _view(part: _Part, refs: Sequence[RowRef], finding: Finding, shift: Shift) -> View:
    return View(
        name=part.name,
        rows=len(part.members),
        standing_for=float(NOMINAL),
        shift=shift,
        fired=finding.status is Status.FAIL,
        places=places(refs, set(part.members), "added")[:MOST_PLACES],
    )


def _worst(seen: Sequence[tuple[Finding, View]]) -> list[tuple[str, View]]:
    """Of the groups the one that goes furthest towards a rule's limit."""
    worst: dict[tuple[str, str], tuple[float, View]] = {}
    for finding, view in seen:
        towards = direction_of(finding.rule, view.shift.delta) * view.shift.delta
        key = (finding.rule.id, view.name)
        if key not in worst or (view.fired, towards) > (worst[key][1].fired, worst[key][0]):
            worst[key] = (towards, view)
    return [(rule, view) for (rule, _), (_, view) in worst.items()]
