"""`check`: the main job, one short function per stage, in the order in which a change meets them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, ProbeUnreadableError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.judge import Evidence, Missing, judge, settled, worst_first
from d2b_gate.core.ports import Question
from d2b_gate.core.verdict import Provenance, Verdict
from d2b_gate.gate.controls import run_controls
from d2b_gate.gate.dataset import compare, file_changes, schema_findings
from d2b_gate.gate.explain import explain
from d2b_gate.gate.measure import Asking, ask_both, joined, make_job, replicate, tables, untouched
from d2b_gate.gate.notes import notes_on
from d2b_gate.gate.null import Placebo, placebo_null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from d2b_gate.core.rules import Policy, Rule
    from d2b_gate.core.verdict import Control, Finding
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports, Request

EXTRA_REPLICATES = 2
"""How many further replicates an inconclusive run may add after the held-back prompts."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that judge the same datasets, and so share every tuning."""

    rules: tuple[Rule, ...]
    job: Job


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings of one group and what its null came from."""

    findings: tuple[Finding, ...]
    null: str


def run(request: Request, ports: Ports) -> Verdict:
    """Judge a change by its policy.

    Raises:
        GateError: the data, the model or a control cannot be used; a rule that cannot be measured becomes a finding.
    """
    started = ports.clock()
    changes = [compare(spec, request.scope, ports) for spec in request.policy.datasets]
    groups = [group for group in _groups(request.policy, changes) if group.job.added or group.job.removed]
    row_findings = tuple(finding for change in changes for finding in schema_findings(change, ports))
    controls: tuple[Control, ...] = ()
    judged: list[Judged] = []
    if groups:
        method = request.policy.method
        tunes = len(groups) * (2 * method.replicates + method.placebos) + 2
        ports.progress.stage("predicting", tunes * method.steps)
        controls = run_controls(method, ports)
        judged = [_judge_group(group, request, ports, started) for group in groups]
    return Verdict(
        provenance=_provenance(request, ports, "; ".join(dict.fromkeys(one.null for one in judged))),
        files=file_changes(changes),
        rows_before=sum(change.diff.before_count for change in changes),
        rows_after=sum(change.diff.after_count for change in changes),
        rows_cached=sum(change.cached for change in changes),
        findings=worst_first([finding for one in judged for finding in one.findings]),
        row_findings=row_findings,
        controls=controls,
        notes=notes_on(request.policy, changes, [group.job for group in groups], ports),
        seconds=ports.clock() - started,
        fingerprint=_fingerprint(request, changes, ports),
    )


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


def _judge_group(group: Group, request: Request, ports: Ports, started: float) -> Judged:
    """Measure, judge, and measure more while a rule is undecided and time is left."""
    method = request.policy.method
    questions = [_question(rule, ports) for rule in group.rules]
    asked = [question for question in questions if isinstance(question, Question)]
    drawn = [replicate(group.job, method, index, ports) for index in range(method.replicates)]
    askings = [ask_both(one, asked, method, ports) for one in drawn]
    placebo = placebo_null(drawn, asked, method, ports)
    findings = _judge(group, questions, askings, placebo, request)
    held_back = [_held_back(question) for question in asked]
    for more in range(1 + EXTRA_REPLICATES):
        if settled(findings) or ports.clock() - started > request.policy.budget.seconds:
            break
        if more == 0:
            askings = [
                joined(one, ask_both(draw, held_back, method, ports)) for one, draw in zip(askings, drawn, strict=True)
            ]
        else:
            drawn.append(replicate(group.job, method, len(drawn), ports))
            whole = ask_both(drawn[-1], asked, method, ports), ask_both(drawn[-1], held_back, method, ports)
            askings.append(joined(*whole))
        findings = _judge(group, questions, askings, placebo, request)
    return Judged(_explained(findings, group, asked, askings[0], request, ports), placebo.source)


def _question(rule: Rule, ports: Ports) -> Question | Missing:
    """The rule's question, tried once on the untouched model: a probe that this model cannot answer is an error."""
    probe = ports.probes(rule.probe)
    try:
        ports.backend.read(probe.prompts, untouched(ports))
    except ProbeUnreadableError as error:
        return Missing(rule, probe.title, probe.unit, str(error))
    return Question(probe, rule.target, ports.kinds[probe.kind], probe.asked())


def _held_back(question: Question) -> Question:
    return replace(question, prompts=question.probe.held_back())


def _judge(
    group: Group,
    questions: Sequence[Question | Missing],
    askings: Sequence[Asking],
    placebo: Placebo,
    request: Request,
) -> tuple[Finding, ...]:
    evidence: list[Evidence | Missing] = []
    measured = 0
    for rule, question in zip(group.rules, questions, strict=True):
        if isinstance(question, Missing):
            evidence.append(question)
            continue
        before, after = tables(askings, measured)
        title, unit = question.probe.title, question.probe.unit
        evidence.append(Evidence(rule, title, unit, before, after, placebo.nulls[measured]))
        measured += 1
    policy = request.policy
    on_inconclusive = policy.on_inconclusive.hook if request.context == "hook" else policy.on_inconclusive.ci
    return judge(
        evidence,
        confidence=policy.method.confidence,
        seed=policy.method.seed,
        on_inconclusive=on_inconclusive,
    )


def _explained(
    findings: Sequence[Finding],
    group: Group,
    asked: Sequence[Question],
    asking: Asking,
    request: Request,
    ports: Ports,
) -> tuple[Finding, ...]:
    targets = [(question.probe.id, question.target) for question in asked]
    places = {
        rule.id: index
        for rule in group.rules
        for index, target in enumerate(targets)
        if target == (ports.probes(rule.probe).id, rule.target)
    }
    most = request.policy.method.max_changed
    return tuple(
        explain(finding, asked[place], asking, place, group.job, most, ports)
        if (place := places.get(finding.rule.id)) is not None
        else finding
        for finding in findings
    )


def _provenance(request: Request, ports: Ports, null: str) -> Provenance:
    card = ports.backend.card
    method, regime = request.policy.method, request.policy.method.regime
    return Provenance(
        gate_version=ports.version,
        policy_path=request.policy.path,
        policy_digest=request.policy.digest,
        scope=request.scope.label,
        model_id=card.id,
        model_revision=card.revision,
        tokenizer_hash=card.tokenizer_hash,
        dtype=card.dtype,
        device=card.device,
        predictor=method.predictor,
        regime=f"{regime.kind} r={regime.rank} alpha={regime.alpha:g} {regime.optimizer} lr={regime.learning_rate:g} "
        f"{regime.epochs:g} epochs, batch {regime.batch_size}",
        seed=method.seed,
        versions=card.versions,
        null=null,
    )


def _fingerprint(request: Request, changes: Sequence[DatasetChange], ports: Ports) -> str:
    """Name of the readings behind this verdict; limits are no part of it."""
    rows = [
        [sorted(ref.key for ref in part) for part in (change.diff.added, change.diff.removed, change.diff.kept)]
        for change in changes
    ]
    asked = [(rule.probe, rule.target, rule.datasets) for rule in request.policy.rules]
    if not request.policy.rules:
        raise EvaluationError("the policy has no rules", where=request.policy.path)
    return fingerprint("verdict", (ports.backend.card, request.policy.method, asked, rows))
