"""A receipt: what a verdict says of which commit, made where, as an in-toto Statement with the test-result predicate.

A subject is bound by content: the bytes of the saved result, and the commit that it judged. What the predicate has no
place for stands in one table of our own (``d2b-gate``), which other readers of in-toto ignore.

Source: in-toto Attestation Framework, Statement v1 and "Predicate type: Test Result" v0.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from d2b_gate.core.errors import Exit
from d2b_gate.core.verdict import Status
from d2b_gate.core.wire_values import present

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.verdict import Finding, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
EXTENSION = "d2b-gate"
SCHEMA = "d2b-gate.receipt/1"
RESULT, COMMIT = "result", "commit"
CI, LOCAL = "ci", "local"
SINCE = " since the baseline"
ROW_SCHEMA = "row schema"
CONTROL = "control "
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Outcome(str, Enum):
    """The predicate's word for how it ended."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Maker:
    """Where a receipt was made: a run of CI by its own word, or somebody's machine."""

    context: str  # CI or LOCAL
    repository: str = ""
    run: str = ""
    attempt: str = ""
    event: str = ""
    ref: str = ""
    workflow: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What judged, as far as a reader of the receipt alone must know it."""

    gate_version: str
    model_id: str
    model_revision: str
    scope: str
    fingerprint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One result and what it says."""

    outcome: Outcome
    result_sha256: str
    commit: str  # empty where what was judged is no commit
    base_commit: str
    policy_path: str
    policy_digest: str  # of the effective policy
    passed: tuple[str, ...]  # rules
    warned: tuple[str, ...]
    failed: tuple[str, ...]
    ran: Ran
    maker: Maker


def receipt_of(verdict: Verdict, result_sha256: str, maker: Maker) -> Receipt:
    """The receipt of a verdict that was saved as bytes with this hash."""
    provenance = verdict.provenance
    judged = list(_judged(verdict))
    return Receipt(
        outcome=outcome_of(verdict),
        result_sha256=result_sha256,
        commit=provenance.commit,
        base_commit=provenance.base_commit,
        policy_path=provenance.policy_path,
        policy_digest=provenance.policy_digest,
        passed=tuple(name for name, how in judged if how is Outcome.PASSED),
        warned=tuple(name for name, how in judged if how is Outcome.WARNED),
        failed=tuple(name for name, how in judged if how is Outcome.FAILED),
        ran=Ran(
            gate_version=provenance.gate_version,
            model_id=provenance.model_id,
            model_revision=provenance.model_revision,
            scope=provenance.scope,
            fingerprint=verdict.fingerprint,
            exit_code=int(verdict.exit),
        ),
        maker=maker,
    )


def outcome_of(verdict: Verdict) -> Outcome:
    """FAILED for whatever does not exit with 0, and where nothing was judged; PASSED where nothing is to be told."""
    if verdict.exit is not Exit.OK or verdict.deferred:
        return Outcome.FAILED
    return Outcome.WARNED if any(how is not Outcome.PASSED for _, how in _judged(verdict)) else Outcome.PASSED


def _judged(verdict: Verdict) -> Iterator[tuple[str, Outcome]]:
    for finding in verdict.findings:
        yield finding.rule.id, _of_finding(finding)
    for since in verdict.since:
        for finding in since.findings:
            yield finding.rule.id + SINCE, _of_finding(finding)
    for control in verdict.controls:
        yield CONTROL + control.name, Outcome.PASSED if control.passed else Outcome.FAILED
    if verdict.row_findings:
        yield ROW_SCHEMA, Outcome.FAILED


def _of_finding(finding: Finding) -> Outcome:
    """A waiver and what stays inconclusive are never a plain pass."""
    if finding.status is Status.OK:
        return Outcome.PASSED
    if finding.status in (Status.FAIL, Status.ERROR):
        return Outcome.FAILED
    return Outcome.FAILED if finding.status is Status.INCONCLUSIVE and finding.blocks else Outcome.WARNED


def statement_of(receipt: Receipt) -> dict[str, object]:
    """The JSON-ready statement."""
    maker, ran = receipt.maker, receipt.ran
    subject = [{"name": RESULT, "digest": {"sha256": receipt.result_sha256}}]
    if receipt.commit:
        subject.append({"name": COMMIT, "digest": {"gitCommit": receipt.commit}})
    return {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": PREDICATE,
        "predicate": {
            "result": receipt.outcome.value,
            "configuration": [{"name": receipt.policy_path, "digest": {"sha256": receipt.policy_digest}}],
            **present(url=maker.url),
            "passedTests": list(receipt.passed),
            "warnedTests": list(receipt.warned),
            "failedTests": list(receipt.failed),
            EXTENSION: {
                "schema": SCHEMA,
                "context": maker.context,
                **present(repository=maker.repository, run=maker.run, attempt=maker.attempt),
                **present(event=maker.event, ref=maker.ref, workflow=maker.workflow),
                **present(base_commit=receipt.base_commit),
                "gate_version": ran.gate_version,
                "model_id": ran.model_id,
                "model_revision": ran.model_revision,
                "scope": ran.scope,
                "fingerprint": ran.fingerprint,
                "exit_code": ran.exit_code,
            },
        },
    }


def is_commit(text: str) -> bool:
    """Whether a text is a whole commit id."""
    return bool(_COMMIT.fullmatch(text))


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256 in lower-case hex."""
    return bool(_SHA256.fullmatch(text))
