"""From a change to judged rules: everything of a check that needs the model, and nothing that explains or excuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import ProbeUnreadableError
from d2b_gate.core.judge import Evidence, Missing, judge, settled
from d2b_gate.core.ports import Question
from d2b_gate.gate.controls import run_controls
from d2b_gate.gate.firstlook import enough, shorter, worth_it
from d2b_gate.gate.measure import Asking, ask_both, joined, make_job, question_of, replicate, tables, untouched
from d2b_gate.gate.notes import notes_on
from d2b_gate.gate.null import Placebo, calibrated, noise_of, refuse_uncalibrated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import MethodSpec, Policy, Rule
    from d2b_gate.core.verdict import Control, Finding
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.measure import Job, Replicate
    from d2b_gate.gate.ports import Ports, Request

EXTRA_REPLICATES = 2
"""How many further replicates an inconclusive run may add after the held-back prompts."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that judge the same datasets, and so share every tuning."""

    rules: tuple[Rule, ...]
    job: Job


@dataclass(frozen=True, slots=True)
class GroupEvidence:
    """What was measured for one group: evidence per rule, and what its explanations are drawn from."""

    group: Group
    evidence: tuple[Evidence | Missing, ...]
    asked: tuple[Question, ...]
    asking: Asking
    null: str
    method: MethodSpec  # what it was measured by; a first look's has fewer steps than the policy's


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the model was needed for."""

    notes: tuple[str, ...]
    controls: tuple[Control, ...]
    measured: tuple[GroupEvidence, ...]


def evaluate(changes: Sequence[DatasetChange], request: Request, ports: Ports, started: float) -> Evaluation:
    """Run everything that needs the model before the judgement; nothing where no row changed."""
    groups = [group for group in _groups(request.policy, changes) if group.job.added or group.job.removed]
    refuse_uncalibrated([rule for group in groups for rule in group.rules], request.policy, ports)
    notes = notes_on(request.policy, changes, [group.job for group in groups], ports)
    if not groups:
        return Evaluation(notes, (), ())
    method = request.policy.method
    tunes = sum(_tunings(group, method, ports) for group in groups) + 2
    ports.progress.stage("predicting", tunes * method.steps)
    controls = run_controls(method, ports)
    return Evaluation(notes, controls, tuple(_measure(group, request, ports, started) for group in groups))


def _tunings(group: Group, method: MethodSpec, ports: Ports) -> int:
    """How many tunings a group will take, for the progress bar."""
    known = calibrated([question_of(rule, ports) for rule in group.rules], method, ports)
    return 2 if known else 2 * method.replicates + method.placebos


def judged(measured: Sequence[GroupEvidence], request: Request) -> tuple[Finding, ...]:
    """Judge what was measured; over all groups at once, so that the adjustment of p runs over all rules."""
    return _judge([piece for one in measured for piece in one.evidence], request)


def noise_from(measured: Sequence[GroupEvidence]) -> str:
    """Where the noise that shifts were held against comes from; of which datasets, where it differs between them."""
    told: dict[str, list[str]] = {}
    for one in measured:
        told.setdefault(one.null, []).extend(one.group.rules[0].datasets or ("all datasets",))
    if len(told) < 2:
        return "".join(told)
    return "; ".join(f"for {', '.join(dict.fromkeys(names))}: {null}" for null, names in told.items())


def _groups(policy: Policy, changes: Sequence[DatasetChange]) -> list[Group]:
    """Rules by the datasets they judge, in policy order."""
    everything = tuple(change.spec.name for change in changes)
    by_names: dict[tuple[str, ...], list[Rule]] = {}
    for rule in policy.rules:
        by_names.setdefault(rule.datasets or everything, []).append(rule)
    return [
        Group(tuple(rules), make_job([change for change in changes if change.spec.name in names]))
        for names, rules in by_names.items()
    ]


def _measure(group: Group, request: Request, ports: Ports, started: float) -> GroupEvidence:
    """Measure one group, and measure more while one of its rules is undecided and time is left."""
    method = request.policy.method
    questions = [_question(rule, ports) for rule in group.rules]
    asked = tuple(question for question in questions if isinstance(question, Question))
    first = replicate(group.job, method, 0, ports)
    looked = _first_look(group, questions, first, request, ports)
    if looked and enough(_judge(looked[0].evidence, request)):
        return looked[0]
    if looked:
        ports.progress.stage("predicting in full", 2 * method.steps)
    count = 1 if calibrated(asked, method, ports) else method.replicates
    drawn = [first, *(replicate(group.job, method, index, ports) for index in range(1, count))]
    askings = [ask_both(one, asked, method, ports) for one in drawn]
    placebo = noise_of(drawn, asked, method, ports)
    evidence = _evidence(group, questions, askings, placebo)
    held_back = [_held_back(question) for question in asked]
    for more in range(1 + EXTRA_REPLICATES):
        spent = ports.clock() - started > request.policy.budget.seconds
        if spent or not placebo.measured_anew or settled(_judge(evidence, request)):
            break
        if more == 0:
            askings = [
                joined(one, ask_both(d, held_back, method, ports)) for one, d in zip(askings, drawn, strict=True)
            ]
        else:
            drawn.append(replicate(group.job, method, len(drawn), ports))
            whole = ask_both(drawn[-1], asked, method, ports), ask_both(drawn[-1], held_back, method, ports)
            askings.append(joined(*whole))
        evidence = _evidence(group, questions, askings, placebo)
    return GroupEvidence(group, evidence, asked, askings[0], placebo.source, method)


def _first_look(
    group: Group, questions: Sequence[Question | Missing], drawn: Replicate, request: Request, ports: Ports
) -> tuple[GroupEvidence, ...]:
    """What the shorter prediction of the same draw finds; nothing where there is none, or a probe cannot be asked."""
    asked = tuple(question for question in questions if isinstance(question, Question))
    if len(asked) < len(questions) or not worth_it(drawn, group.rules, asked, request.policy.method, ports):
        return ()
    method = shorter(request.policy.method)
    asking = ask_both(drawn, asked, method, ports)
    placebo = noise_of([drawn], asked, method, ports)
    evidence = _evidence(group, questions, [asking], placebo)
    source = f"{placebo.source}; a first look of {method.steps} steps"
    return (GroupEvidence(group, evidence, asked, asking, source, method),)


def _question(rule: Rule, ports: Ports) -> Question | Missing:
    """The rule's question, tried once on the untouched model: a probe that this model cannot answer is an error."""
    question = question_of(rule, ports)
    probe = question.probe
    try:
        ports.backend.read(probe.prompts, untouched(ports))
    except ProbeUnreadableError as error:
        return Missing(rule, probe.title, probe.unit, str(error))
    return question


def _held_back(question: Question) -> Question:
    return replace(question, prompts=question.probe.held_back())


def _evidence(
    group: Group, questions: Sequence[Question | Missing], askings: Sequence[Asking], placebo: Placebo
) -> tuple[Evidence | Missing, ...]:
    """Pair every rule with what was measured for it."""
    evidence: list[Evidence | Missing] = []
    measured = 0
    for rule, question in zip(group.rules, questions, strict=True):
        if isinstance(question, Missing):
            evidence.append(question)
            continue
        before, after = tables(askings, measured)
        title, unit = question.probe.title, question.probe.unit
        evidence.append(Evidence(rule, title, unit, before, after, placebo.noises[measured], askings[0].extent))
        measured += 1
    return tuple(evidence)


def _judge(evidence: Sequence[Evidence | Missing], request: Request) -> tuple[Finding, ...]:
    policy = request.policy
    return judge(
        evidence,
        confidence=policy.method.confidence,
        seed=policy.method.seed,
        on_inconclusive=policy.on_inconclusive.hook if request.context == "hook" else policy.on_inconclusive.ci,
    )
