"""`check`: the main job, one short function per stage, in the order in which a change meets them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError, ProbeUnreadableError, UnavailableError, UsageError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.judge import Evidence, Missing, judge, settled
from d2b_gate.core.ports import Question
from d2b_gate.core.verdict import Provenance, Status, Verdict
from d2b_gate.gate.controls import run_controls
from d2b_gate.gate.dataset import compare, file_changes, schema_findings
from d2b_gate.gate.explain import explain
from d2b_gate.gate.measure import Asking, ask_both, joined, make_job, question_of, replicate, tables, untouched
from d2b_gate.gate.notes import notes_on
from d2b_gate.gate.null import Placebo, calibrated, noise_of, refuse_uncalibrated
from d2b_gate.gate.recheck import recheck
from d2b_gate.gate.waiving import touched_by, waived, waiver_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from d2b_gate.core.rules import MethodSpec, Policy, Rule
    from d2b_gate.core.verdict import Control, Finding, RowFinding
    from d2b_gate.gate.dataset import DatasetChange
    from d2b_gate.gate.measure import Job
    from d2b_gate.gate.ports import Ports, Request

    Places = Mapping[str, tuple["GroupEvidence", int]]

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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that the model was needed for."""

    notes: tuple[str, ...]
    controls: tuple[Control, ...]
    measured: tuple[GroupEvidence, ...]


def run(request: Request, ports: Ports) -> Verdict:
    """Judge a change by its policy.

    Raises:
        GateError: the data, the model or a control cannot be used; a rule that cannot be measured becomes a finding.
    """
    started = ports.clock()
    changes = [compare(spec, request.scope, ports) for spec in request.policy.datasets]
    _refuse_unjudged(request.policy, changes)
    row_findings = tuple(finding for change in changes for finding in schema_findings(change, ports))
    try:
        evaluation = _evaluate(changes, request, ports, started)
    except UnavailableError as error:
        raise _with_broken_rows(error, row_findings) from error
    measured = evaluation.measured
    findings = _judge([piece for one in measured for piece in one.evidence], request)
    changes_by_group = [(one.group.rules, touched_by(one.group.job)) for one in measured]
    touched = {rule.id: change for rules, change in changes_by_group for rule in rules}
    places = _places(measured, ports)
    findings = _explained(findings, places, request, ports)
    findings, rechecked = _rechecked(findings, places, request, ports, started)
    findings = waived(findings, request.waivers, touched)
    return Verdict(
        provenance=_provenance(request, ports, "; ".join(dict.fromkeys(one.null for one in measured))),
        files=file_changes(changes),
        rows_before=sum(change.diff.before_count for change in changes),
        rows_after=sum(change.diff.after_count for change in changes),
        rows_cached=sum(change.cached for change in changes),
        findings=findings,
        row_findings=row_findings,
        controls=evaluation.controls,
        notes=(*evaluation.notes, *rechecked, *waiver_notes(findings, request.waivers, touched)),
        seconds=ports.clock() - started,
        fingerprint=_fingerprint(request, changes, ports),
    )


def _evaluate(changes: Sequence[DatasetChange], request: Request, ports: Ports, started: float) -> Evaluation:
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


def _with_broken_rows(error: UnavailableError, broken: Sequence[RowFinding]) -> EvaluationError:
    """An unavailable model may be left to CI; rows that break their schema may not, and need no model to be seen."""
    if not broken:
        return error
    what = (
        f"{len(broken)} rows break their schema, the first at {broken[0].path}:{broken[0].line}; besides, {error.what}"
    )
    return EvaluationError(what, where=error.where, remedy=error.remedy)


def _refuse_unjudged(policy: Policy, changes: Sequence[DatasetChange]) -> None:
    """A changed dataset that no rule judges would pass without a word."""
    if any(not rule.datasets for rule in policy.rules):
        return
    judged = {name for rule in policy.rules for name in rule.datasets}
    for change in changes:
        if change.spec.name not in judged and not change.diff.empty:
            raise UsageError(
                f"no rule judges the dataset {change.spec.name!r}, and its rows changed",
                where=change.spec.origin or policy.path,
                remedy="name it in a rule's 'datasets', or let a rule judge all of them",
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


def _measure(group: Group, request: Request, ports: Ports, started: float) -> GroupEvidence:
    """Measure one group, and measure more while one of its rules is undecided and time is left."""
    method = request.policy.method
    questions = [_question(rule, ports) for rule in group.rules]
    asked = tuple(question for question in questions if isinstance(question, Question))
    count = 1 if calibrated(asked, method, ports) else method.replicates
    drawn = [replicate(group.job, method, index, ports) for index in range(count)]
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
    return GroupEvidence(group, evidence, asked, askings[0], placebo.source)


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
    """Judge; over all groups at the end, so that the adjustment of p runs over all rules of the policy."""
    policy = request.policy
    return judge(
        evidence,
        confidence=policy.method.confidence,
        seed=policy.method.seed,
        on_inconclusive=policy.on_inconclusive.hook if request.context == "hook" else policy.on_inconclusive.ci,
    )


def _explained(findings: Sequence[Finding], places: Places, request: Request, ports: Ports) -> tuple[Finding, ...]:
    """Add examples and blame; a verdict stands without them if they cannot be had."""
    most = request.policy.method.max_changed
    explained: list[Finding] = []
    for finding in findings:
        one, index = places.get(finding.rule.id, (None, 0))
        try:
            if one is not None:
                finding = explain(finding, one.asked[index], one.asking, index, one.group.job, most, ports)
        except EvaluationError as error:
            finding = replace(finding, reason=f"{finding.reason} (the rows to blame could not be found: {error.what})")
        explained.append(finding)
    return tuple(explained)


def _places(measured: Sequence[GroupEvidence], ports: Ports) -> Places:
    """Where each rule was measured: its group, and which of the group's questions is its own."""
    return {
        rule.id: (one, index)
        for one in measured
        for rule in one.group.rules
        for index, question in enumerate(one.asked)
        if (question.probe.id, question.target) == (ports.probes(rule.probe).id, rule.target)
    }


def _rechecked(
    findings: Sequence[Finding], places: Places, request: Request, ports: Ports, started: float
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Check the blame of the worst failure, if time is left: one more tuning a run, however many rules fail."""
    worst = next((one for one in findings if one.status is Status.FAIL and one.blame), None)
    if worst is None or ports.clock() - started > request.policy.budget.seconds:
        return tuple(findings), ()
    group, index = places[worst.rule.id]
    try:
        checked, note = recheck(
            worst, group.asked[index], group.asking, index, group.group.job, request.policy.method, ports
        )
    except EvaluationError as error:
        checked, note = worst, f"{worst.rule.id}: the blamed rows could not be checked ({error.what})"
    return tuple(checked if one is worst else one for one in findings), (note,) if note else ()


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
    return fingerprint("verdict", (ports.backend.card, request.policy.method, asked, rows))
