"""Parts of a change judged as though they were all of it: the added rows alone, and groups of rows that are alike.

Each part stands for `NOMINAL` rows and trains the untouched model. Training on every part would cost more than the
verdict, so parts are screened first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.blame import places
from d2b_gate.core.clusters import clusters, standing
from d2b_gate.core.features import States, descent
from d2b_gate.core.judge import Evidence, direction_of, judge_each
from d2b_gate.core.mixture import Mixture, subsample
from d2b_gate.core.rows import file_order
from d2b_gate.core.scale import moved
from d2b_gate.core.verdict import Shift, Status, View
from d2b_gate.gate.dataset import load_rows
from d2b_gate.gate.measure import Replicate, ask_both, tables, untouched
from d2b_gate.gate.null import noise_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from d2b_gate.core.features import Injection
    from d2b_gate.core.ports import Question
    from d2b_gate.core.reading import Prompt
    from d2b_gate.core.rows import Row, RowRef
    from d2b_gate.core.rules import MethodSpec, Rule
    from d2b_gate.core.verdict import Finding
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports

NOMINAL = 64
"""Rows that a part stands for: the size of the sets that the default limits were set on."""
FEWEST = 12
"""Added rows from which they are parted: fewer are looked at as a whole by the other view."""
ROWS_A_GROUP = 8
"""Added rows for each group that they are parted into. Chosen, with the bounds, on the tuned-on side of the truth
bench: of too few groups a large one swallows the bad rows."""
FEWEST_GROUPS = 4
MOST_GROUPS = 24
"""Past it, groups become single rows before bad rows come apart from good ones."""
FEWEST_ALIKE = 2
"""Rows that make a group: one odd row is no pattern, and trained on alone it would only be learnt by heart."""
SCREENED = 4
"""Prompts of a rule by which parts are screened."""
STRENGTH = 0.1
"""Strength at which a part's mean gradient is injected to screen it: the default of `mdf-gradient`."""
SUSPECT = 0.5
"""Part of a rule's limit that a screened shift must reach for its part to be trained on."""
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


def look(job: Job, asked: Sequence[Judged], method: MethodSpec, ports: Ports) -> list[tuple[str, View]]:
    """Every rule's worst view of each kind, with the id of the rule; none where no part is suspect."""
    refs = file_order(subsample(job.added, job.weights, method.max_changed, method.seed))
    if not refs or not asked:
        return []
    rows = load_rows(refs, job.changes, ports)
    drawn = tuple(rows[ref.key] for ref in refs)
    parts = _suspects(tuple(_parts(job, drawn, ports)), drawn, asked, ports)
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
        features_nd = standing(ports.backend.states(drawn, "response").values_nld)
        groups = clusters(features_nd, min(MOST_GROUPS, max(FEWEST_GROUPS, len(drawn) // ROWS_A_GROUP)))
        yield from (_Part(CLUSTER, one) for one in groups if FEWEST_ALIKE <= len(one) <= len(drawn) / 2)


def _suspects(parts: Sequence[_Part], drawn: Sequence[Row], asked: Sequence[Judged], ports: Ports) -> list[_Part]:
    """The parts that a first look says may reach a rule's limit, worst first; training on each of them costs too much.

    A part's mean gradient is injected and a few prompts of every rule are read: no tuning, one reading a part, and the
    gradients are remembered row by row.
    """
    if not parts:
        return []
    gradients = ports.backend.gradients(drawn)
    before = _few(asked, untouched(ports), ports)
    reached: list[tuple[float, _Part]] = []
    for part in parts:
        members = list(part.members)
        own = States(tuple(gradients.keys[i] for i in members), gradients.sites, gradients.values_nld[members])
        after = _few(asked, descent(own, (1.0,) * len(members), STRENGTH), ports)
        reached.append((max(_reached(*each) for each in zip(asked, before, after, strict=True)), part))
    suspects = sorted((one for one in reached if one[0] >= SUSPECT), key=lambda one: (-one[0], one[1].members))
    return [part for _, part in suspects[:TRIED]]


def _reached(judged: Judged, before: float, after: float) -> float:
    """How much of the way to a rule's limit a shift goes, on the scale that shifts add up on."""
    rule, unit = judged.rule, judged.question.probe.unit
    towards = direction_of(rule, after - before)
    whole = towards * moved(before, towards * rule.fail_delta, unit)
    return towards * moved(before, after - before, unit) / whole if whole > 0 else math.inf


def _few(asked: Sequence[Judged], injection: Injection, ports: Ports) -> list[float]:
    """Level of every rule, over its first few prompts, all read at once."""
    few = [replace(question, prompts=_spread(question.prompts)) for question in (one.question for one in asked)]
    log_probs = iter(ports.backend.read([prompt for question in few for prompt in question.prompts], injection))
    levels: list[float] = []
    for question in few:
        own = [next(log_probs) for _ in question.prompts]
        levels.append(math.fsum(question.kind.values(question.probe, question.target, own)) / len(own))
    return levels


def _spread(prompts: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
    """A few prompts from all over a probe."""
    return prompts[:: max(1, len(prompts) // SCREENED)][:SCREENED]


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
