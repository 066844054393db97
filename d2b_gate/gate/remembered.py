"""A verdict reached before on exactly the same question: found by one look into the store, without reading a row.

The key holds everything that a verdict is made of, limits included: who changes a limit, a waiver, a probe, a row, a
calibration or the program itself asks another question, and is judged anew (from stored readings, where they hold).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.verdict import Status
from d2b_gate.core.wire import verdict_from_mapping, verdict_to_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from d2b_gate.core.change import FileRef, Snapshot
    from d2b_gate.core.verdict import Finding, Verdict
    from d2b_gate.gate.ports import Ports, Request

KIND = "verdict"
UNLOOKED = "the dilution guard could not look"
"""Begins the note on a look that failed: the next run may succeed, so such a verdict is not remembered."""
UNHAD = "could not be had"
"""Is said of an explanation that failed, with the same consequence."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a verdict depends on besides its request: the program, files read beside the policy, and what rows are."""

    program: str  # stands for the code and everything that ships with it
    mode: str  # how the two states were named
    beside: tuple[FileRef, ...]  # calibration, baseline and row schemas, in the policy's state
    holds_its_rows: Callable[[FileRef], bool]  # no: a pointer, whose rows may be on this machine today and not tomorrow


def remembered(request: Request, setting: Setting, ports: Ports, judge: Callable[[], Verdict]) -> Verdict:
    """Return the verdict of ``judge``, or the one that it gave to this very question before."""
    started = ports.clock()
    key = question_key(request, setting, ports)
    for known in _recall(key, ports):
        return replace(known, rows_cached=known.rows_after, seconds=ports.clock() - started)
    verdict = judge()
    took = max(verdict.seconds, ports.clock() - started)
    if (
        took < request.policy.budget.seconds
        and _lasts(verdict)
        and all(setting.holds_its_rows(file) for file in _files(request, ports))
    ):
        ports.store.put_json(KIND, key, verdict_to_mapping(verdict))
    return verdict


def question_key(request: Request, setting: Setting, ports: Ports) -> str:
    """Name the question: whatever it holds, only a verdict on the same is an answer."""
    probes = [ports.probes(rule.probe).digest for rule in request.policy.rules]
    states = [_plain(snapshot) for snapshot in (request.scope.before, request.scope.after)]
    asked = (request.policy, probes, request.context, request.waivers, states)
    answered_by = (ports.version, setting.program, setting.mode, setting.beside, ports.backend.card)
    return fingerprint(KIND, (answered_by, asked))


def _plain(snapshot: Snapshot) -> tuple[object, ...]:
    return (snapshot.label, snapshot.commit, snapshot.files)


def _recall(key: str, ports: Ports) -> Iterator[Verdict]:
    """The stored verdict, if there is one that can be read; the store may have been damaged."""
    stored = ports.store.get_json(KIND, key)
    if stored is None:
        return
    try:
        known = verdict_from_mapping(stored)
    except EvaluationError:
        return
    yield known


def _lasts(verdict: Verdict) -> bool:
    """Whether another run would say the same: nothing failed."""
    findings = [*verdict.findings, *(finding for since in verdict.since for finding in since.findings)]
    said = [*verdict.notes, *(one.reason for one in findings)]
    looked = not any(UNLOOKED in one or UNHAD in one for one in said)
    sound = looked and all(control.passed for control in verdict.controls) and not verdict.deferred
    return sound and all(_settled(one) for one in findings)


def _settled(finding: Finding) -> bool:
    """Whether a rule was measured, and what fails is explained; where time was left, measuring more decides nothing."""
    return finding.status is not Status.ERROR and (finding.status is not Status.FAIL or bool(finding.blame))


def _files(request: Request, ports: Ports) -> Iterator[FileRef]:
    for spec in request.policy.datasets:
        for snapshot in (request.scope.before, request.scope.after):
            yield from ports.reader.pick(spec, snapshot).files
